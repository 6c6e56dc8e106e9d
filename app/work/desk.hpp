// WORK DESK: what the threads of a worker share: the runs that it holds, and whether more are wanted. Each
// `await…` blocks its thread until there is something for it to do.
//
//   working ──first TERM, or the node says drain──► draining ──nothing held, nobody claims──► done
//      └────────────────second TERM, or the node is away for too long────────────────────────► stopped
//
// The port of the processes is never called under the lock: its callbacks come in here from another thread.
#pragma once

#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/refusal.hpp"
#include "app/work/held_run.hpp"
#include "app/work/protocol.hpp"
#include "platform/ports/clock.hpp"

namespace belfry::app {

struct due_beat {
  lease_claim lease;
};

struct due_stop {
  std::string key;
  platform::stop_reason why{};
};

// One thing to tell the node: output of a run, or ends of attempts.
struct due_output {
  lease_claim lease;
  std::uint64_t first = 0;  // number of the first line
  std::vector<core::log_line> lines;
};
struct due_end {
  lease_claim lease;
  core::cmd_settle how;
};
struct due_reports {
  std::vector<due_output> outputs;
  std::vector<due_end> ends;  // of runs whose output was all told
};

class work_desk {
 public:
  work_desk(const work_plan& plan, const platform::clock& time) : plan_(plan), clock_(time) {}

  // ---- who claims
  /// Free slots, at least one; nothing: claim no more.
  std::optional<std::size_t> await_room();
  /// Takes a claimed run; false: it was handed back, there is nothing to start.
  bool admit(const messages::claimed_run& claimed);
  void claimer_left();

  // ---- the children
  void output(const std::string& key, std::vector<platform::output_line> lines);
  /// True: it was the condition of the run, and it said yes; the process itself is to be started now.
  bool ended(const std::string& key, const platform::process_report& report);

  /// It was told to stop before its child was there to be told.
  bool stopped_early(const std::string& key);

  // ---- who beats
  /// Leases to renew; empty: it is over.
  std::vector<due_beat> await_beats();
  void renewed(const lease_claim& lease, core::instant asked);
  void not_renewed(const lease_claim& lease);
  /// The key of the child to stop, if it runs and was not told before.
  std::optional<std::string> to_stop(const lease_claim& lease, bool lease_lost);

  // ---- who reports
  /// What is to be told; empty: it is over.
  due_reports await_reports();
  /// The node has these lines, or will never want them.
  void told(const due_output& lines);
  /// The node has heard, or will never want to hear, how this one ended.
  void settled(const lease_claim& lease);

  // ---- who watches the time
  struct watched {
    std::vector<due_stop> stops;
    bool leave = false;  // nothing is held and no more is wanted: the session can go
  };
  /// Nothing: it is over.
  std::optional<watched> await_stops();

  // ---- how it goes on
  void drain();
  /// Nothing more is started, told or waited for. Answers what was held: keys of living children, and the
  /// ends to tell, a release for everything that has not ended by itself.
  struct remains {
    std::vector<std::string> children;
    std::vector<due_end> ends;
  };
  remains stop();
  /// The worker cannot go on; the first reason stays.
  void give_up(refusal why);
  std::optional<refusal> reason() const;
  bool draining() const;
  bool done() const;  // drained, or given up
  /// Sleeps, but not beyond the end; with `leave_on_drain` not beyond the beginning of a drain either.
  void pause(core::span length, bool leave_on_drain);

  std::string session() const;
  void now_known_as(std::string session);

 private:
  using lock = std::unique_lock<std::mutex>;
  held_run* find(const std::string& key);
  held_run* find(const lease_claim& lease);
  static lease_claim claim_of(const held_run& r);
  static due_output output_of(held_run& r);
  bool drained() const { return draining_ && claimer_left_ && held_.empty(); }
  void wait(lock& hold, core::instant until);
  core::cmd_settle handed_back(const held_run& r, const std::string& why) const;

  const work_plan& plan_;
  const platform::clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<held_run> held_;
  std::string session_;
  std::optional<refusal> reason_;
  core::instant drain_until_ = core::end_of_time;
  bool draining_ = false;
  bool left_ = false;  // the session was told to go
  bool claimer_left_ = false;
  bool stopped_ = false;
};

}  // namespace belfry::app
