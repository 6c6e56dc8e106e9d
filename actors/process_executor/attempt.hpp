// ATTEMPT: one run in the hands of an executor: its lease, its output on the way to the store, how it was
// stopped. A value.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/run/machine.hpp"
#include "core/run/run.hpp"
#include "messages/runs.hpp"
#include "platform/ports/clock.hpp"
#include "platform/ports/processes.hpp"

namespace belfry::actors {

class attempt {
 public:
  explicit attempt(const messages::claimed_run& claimed);

  bool is(core::run_id run, std::uint64_t fencing) const {
    return run == head_.id && fencing == head_.fencing;
  }
  const core::run_head& head() const { return head_; }
  const core::run_spec& spec() const { return *spec_; }
  core::lease_proof proof() const { return {head_.fencing, head_.held.hash}; }
  // Unique among the living: the run and its fencing number; while the condition is asked, that child's own.
  const std::string& key() const { return key_; }

  // Whether the condition of the run has still to be asked; then `order` and `settle` are about that child,
  // and its output is marked.
  bool asking() const { return asking_; }
  // How the child that was asked ended: go on with the process itself?
  bool passed(const platform::process_report& report);
  core::span patience() const { return spec_->condition.timeout; }

  // The child process that this attempt asks for.
  platform::process_order order(const std::string& mark, platform::randomness& chance) const;

  // Lines get their numbers here. Beyond `keep` bytes that wait, the oldest go: the store would not keep them
  // either.
  void write(std::vector<platform::output_line> lines, std::uint64_t keep);
  // What waits, at most `room` bytes of it (but at least one line).
  std::vector<core::log_line> take_output(std::uint64_t room);
  // The store could not take these: they wait again, before all others.
  void put_back(const std::vector<core::log_line>& lines);
  bool has_output() const { return !waiting_.empty(); }
  std::uint64_t output_kept_back() const { return waiting_bytes_; }

  // How the attempt is to be settled, given how the process ended.
  core::cmd_settle settle(const platform::process_report& report, std::uint64_t keep, double unit) const;

  std::uint64_t in_flight = 0;              // bytes of output that the store has not answered for
  std::optional<core::cmd_settle> outcome;  // once the process has ended
  core::instant beat_at = core::never;      // next heartbeat
  core::instant settle_at = core::never;    // next try, after the store had trouble
  core::instant answer_by = core::never;    // while the condition is asked: when it has taken too long
  core::span settle_pause{std::chrono::seconds{1}};
  bool stop_asked = false;
  bool handing_back = false;  // the node stops
  bool lease_lost = false;    // it was stopped because its lease seemed to have run out
  bool answer_late = false;   // the condition was stopped because it took too long

 private:
  core::run_head head_;
  std::shared_ptr<const core::run_spec> spec_;
  std::string key_;
  std::deque<core::log_line> waiting_;
  std::uint64_t waiting_bytes_ = 0;
  core::cmd_settle settle_asked(const platform::process_report& report) const;
  void add_line(core::instant at, core::log_stream stream, std::string text);

  std::uint64_t lines_ = 0;
  bool asking_ = false;
};

// W3C trace context for one attempt: the trace of the run, or a new one, with a span of its own.
std::string traceparent_of(const std::string& given, platform::randomness& chance);

}  // namespace belfry::actors
