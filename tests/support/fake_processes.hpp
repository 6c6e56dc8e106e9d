// FAKE PROCESSES: the child processes of actor tests and of the simulator. Nothing is spawned and nothing
// runs by itself.
//
// By hand: `started()` tells what was asked for, `emit` and `finish` play the child.
// By script: each start asks the test's function for a `plan` (when it ends, how, and what it writes), and
// `advance(now)` lets everything happen whose time has come, in the order of time and then of start.
//
// Like the real ones: a callback never comes from inside start or stop, the end comes exactly once, and an
// abandoned child is silent and soon gone (at once, unless the test holds it). Single-threaded: call it from
// the test's thread only.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/time/instant.hpp"
#include "platform/ports/clock.hpp"
#include "platform/ports/processes.hpp"

namespace belfry::tests {

/// How a child answers a stop. Its end becomes due and is delivered by the next `advance` that reaches it.
enum class stop_answer : std::uint8_t {
  by_hand,       // only recorded: the test calls `finish` (the report is then used as it is given)
  obeys,         // dies of TERM at once
  ignores_term,  // dies of KILL when the order's grace is over
};

/// What a scripted child does. A plan without `after` lives until it is stopped, finished or abandoned.
struct child_plan {
  std::optional<core::span> after;
  platform::process_report report;          // default made by `exited(0)`
  std::vector<std::string> output;          // lines on stdout, written just before the end
  std::optional<stop_answer> when_stopped;  // empty: the answer set for all
};

struct started_child {
  std::string key;
  platform::process_order order;
  core::instant at = core::never;  // steady time
};

struct recorded_stop {
  std::string key;
  platform::stop_reason why = platform::stop_reason::cancel;
  core::instant at = core::never;  // steady time
};

platform::process_report exited(int code);
platform::process_report killed_by(int signal);
platform::process_report not_spawned(int errno_value, std::string text);

class fake_processes final : public platform::processes {
 public:
  using script = std::function<child_plan(const std::string& key, const platform::process_order& order)>;

  explicit fake_processes(const platform::clock& time) : time_(time) {}

  // The port.
  void start(std::string key, platform::process_order order, platform::process_events events) override;
  void stop(const std::string& key, platform::stop_reason why) override;
  void abandon(const std::string& key, std::function<void()> gone) override;
  std::size_t running() const override { return living_.size(); }

  // By hand. Both are false when no such child lives.
  bool finish(const std::string& key, platform::process_report report = exited(0));
  bool emit(const std::string& key, std::vector<std::string> lines,
            core::log_stream stream = core::log_stream::out);
  bool emit_lines(const std::string& key, std::vector<platform::output_line> lines);

  // By script. An empty function goes back to "by hand" for later starts.
  void use_script(script s) { script_ = std::move(s); }
  void answer_stops(stop_answer a) { answer_ = a; }
  /// Says of those that have just begun that they have. Ends every child whose time is not after `steady`;
  /// ends that callbacks cause count too. Returns how many ended.
  std::size_t advance(core::instant steady);
  std::size_t advance() { return advance(time_.steady()); }
  /// Steady time of the next end that `advance` would deliver; nothing when none is planned.
  std::optional<core::instant> next_due() const;

  // What happened.
  const std::vector<started_child>& started() const { return started_; }
  const started_child* last_started() const { return started_.empty() ? nullptr : &started_.back(); }
  const std::vector<recorded_stop>& stops() const { return stops_; }
  const std::vector<std::string>& abandoned() const { return abandoned_; }
  /// Abandoned children stay until `release_abandoned`, as one in the middle of a slow disk write does.
  void hold_abandoned() { hold_ = true; }
  void release_abandoned();
  bool is_running(const std::string& key) const { return living_.count(key) != 0; }
  std::vector<std::string> living() const;  // in the order of their start

  /// The node dies by kill -9: children live on as orphans without callbacks, until `kill_marked` finds them.
  void crash_node();
  /// As platform::kill_marked: ends the orphans of `mark` and says how many there were.
  std::size_t kill_marked(const std::string& mark);
  std::size_t orphans() const { return orphans_.size(); }
  /// While the node is frozen children live on, and nobody kills the one that has ignored its TERM.
  void freeze(bool frozen) { frozen_ = frozen; }

 private:
  struct child {
    std::size_t number = 0;  // of the start: ties are decided by it
    platform::process_order order;
    platform::process_events events;
    std::optional<core::instant> due;
    platform::process_report report;
    std::vector<std::string> output;
    stop_answer answer = stop_answer::obeys;
    bool stopping = false;
    bool told = false;  // that it has started
    std::uint64_t written = 0;
  };

  std::map<std::string, child>::iterator earliest();
  bool may_end(const child& c) const {
    return c.due && !(frozen_ && c.stopping && c.report.stopped_with == "KILL");
  }
  void end(std::map<std::string, child>::iterator it);

  const platform::clock& time_;
  script script_;
  stop_answer answer_ = stop_answer::obeys;
  std::size_t count_ = 0;
  std::map<std::string, child> living_;
  std::map<std::string, child> orphans_;  // by "key#number"
  std::vector<started_child> started_;
  std::vector<recorded_stop> stops_;
  std::vector<std::string> abandoned_;
  bool hold_ = false, frozen_ = false;
  std::vector<std::function<void()>> held_;
};

}  // namespace belfry::tests
