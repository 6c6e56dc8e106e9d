// MEMBER NODE: a node without a store. Its executors are sessions of the coordinator's and claim over the
// link; the member actor stands where the dispatcher, the registry and the store stand at home, and nobody
// below it knows the difference.
//
//   dialling ──up──► greeting ──welcome──► joined ──link gone──► dialling (backoff, jitter)
//                       └──refused──► dialling, or the end when it will stay refused
//
// Cut off, it starts nothing (there are no claims), lets run what still has a lease, and stops each process
// before its lease can run out (core::lease_stop_at), by its own clock, which counts the sleep of the machine
// and which nobody sets. What ended meanwhile is told
// when it is back, with the token of its lease; what is somebody else's by then is refused there and kept as
// evidence.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/cluster/links.hpp"
#include "actors/node/node.hpp"
#include "core/cluster/node.hpp"

namespace belfry::actors {

struct member_options {
  std::string node;                       // its name, as its certificate says
  std::string mark;                       // as node_options::mark
  std::vector<std::string> coordinators;  // "HOST:PORT", tried in turn
  std::vector<std::string> labels, capabilities;
  std::string version;                  // of belfry
  core::membership_options membership;  // until the coordinator says better
  executor_options executor;
  /// Of the actors. 0: one for each four cores, at least 1.
  std::uint32_t threads = 0;
  /// Questions to the coordinator that may be open at a time. Default 4,096.
  std::uint32_t max_open = 4096;
  /// How long an answer may take beyond the wait that was asked for; then it is asked again. Default 10 s.
  core::span patience = std::chrono::seconds{10};
  core::span clock_jump = std::chrono::minutes{2};
  scheduling schedule = scheduling::real;
};

struct member_status {
  std::string node, boot, cluster, coordinator;  // the last one: its name; empty: not known yet
  bool joined = false, draining = false;
  std::string trouble;                // why it is not joined
  core::instant since = core::never;  // of the present state
  std::uint32_t running = 0;
};

struct member_parts {
  actors::links* links = nullptr;
  const platform::clock* clock = nullptr;
  platform::randomness* randomness = nullptr;
  platform::processes* processes = nullptr;
  platform::meter* meter = nullptr;
  std::function<void(note_level, const std::string&)> note;
  // Once: it will never be let in (removed, wrong version, another of its name). The process has to end.
  std::function<void(const core::failure&)> fatal;
  // The earliest instant, by clock::through_sleep, at which a process has to be killed if nothing more is
  // heard of this member; never: nothing runs. Told before such a process begins; for the watchdog, which
  // kills when this one cannot.
  std::function<void(core::instant)> doomed_at;
};

class member_node {
 public:
  member_node(member_options options, member_parts parts);
  ~member_node();
  member_node(const member_node&) = delete;
  member_node& operator=(const member_node&) = delete;

  core::result<void> start();  // does not wait to be joined
  // Drains: no new runs, the rest to its end or the deadline, then good-bye. As node::stop.
  core::result<void> stop(core::span deadline = std::chrono::seconds{10});
  member_status status() const;  // any thread
  caf::actor_system& system();   // for tests

 private:
  struct state;
  std::unique_ptr<state> s_;
};

}  // namespace belfry::actors
