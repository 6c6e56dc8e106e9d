#include "actors/process_executor/attempt.hpp"

#include <algorithm>
#include <utility>

#include "core/run/exit.hpp"

namespace belfry::actors {

namespace {

std::string hex(std::uint64_t bits) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (auto it = text.rbegin(); it != text.rend(); ++it, bits >>= 4U) *it = digits[bits & 15U];
  return text;
}

// All zeros are not an id, says the W3C.
std::uint64_t some(platform::randomness& chance) { return std::max<std::uint64_t>(chance.bits(), 1); }

// Rough size of a line in the store.
std::uint64_t weight(const core::log_line& line) { return line.text.size() + 1; }

}  // namespace

std::string traceparent_of(const std::string& given, platform::randomness& chance) {
  // version "-" 32 digits "-" 16 digits "-" flags
  constexpr std::size_t length = 55;
  if (given.size() == length) return given.substr(0, 36) + hex(some(chance)) + given.substr(52);
  auto text = "00-" + hex(some(chance));
  text += hex(chance.bits());
  text += "-" + hex(some(chance)) + "-01";
  return text;
}

attempt::attempt(const messages::claimed_run& claimed)
    : head_{claimed.run.head},
      spec_{claimed.run.spec},
      key_{to_string(claimed.run.head.id) + "/" + std::to_string(claimed.run.head.fencing)} {}

platform::process_order attempt::order(const std::string& mark, platform::randomness& chance) const {
  platform::process_order o;
  o.what = spec_->process;
  o.input = spec_->process.stdin_text.empty() ? spec_->payload : spec_->process.stdin_text;
  o.env.emplace_back("BELFRY_RUN_ID", to_string(head_.id));
  if (head_.job) o.env.emplace_back("BELFRY_JOB", spec_->name);
  o.env.emplace_back("BELFRY_ATTEMPT", std::to_string(head_.attempt));
  o.env.emplace_back("BELFRY_FENCING", std::to_string(head_.fencing));
  o.env.emplace_back("TRACEPARENT", traceparent_of(spec_->traceparent, chance));
  o.mark = mark;
  o.grace = spec_->grace;
  return o;
}

void attempt::write(std::vector<platform::output_line> lines, std::uint64_t keep) {
  for (auto& line : lines) {
    core::log_line l{head_.id, head_.attempt, ++lines_, line.at, line.stream, std::move(line.text)};
    waiting_bytes_ += weight(l);
    waiting_.push_back(std::move(l));
  }
  while (waiting_bytes_ > keep && waiting_.size() > 1) {
    waiting_bytes_ -= weight(waiting_.front());
    waiting_.pop_front();
  }
}

std::vector<core::log_line> attempt::take_output(std::uint64_t room) {
  std::vector<core::log_line> taken;
  std::uint64_t bytes = 0;
  while (!waiting_.empty() && (taken.empty() || bytes + weight(waiting_.front()) <= room)) {
    bytes += weight(waiting_.front());
    taken.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  waiting_bytes_ -= bytes;
  return taken;
}

void attempt::put_back(const std::vector<core::log_line>& lines) {
  waiting_.insert(waiting_.begin(), lines.begin(), lines.end());
  for (const auto& line : lines) waiting_bytes_ += weight(line);
}

core::cmd_settle attempt::settle(const platform::process_report& report, std::uint64_t keep,
                                 double unit) const {
  const auto verdict = core::judge_exit(spec_->process, report.end, spec_->timeout);
  core::cmd_settle s;
  s.proof = proof();
  if (verdict.success) {
    s.kind = core::settle_kind::succeeded;
  } else if (handing_back || (lease_lost && verdict.cancelled)) {
    // Nobody asked to cancel it: should the lease be good after all (a clock that was set twice), the run
    // goes back.
    s.kind = core::settle_kind::released;
    s.message = handing_back ? "node stopping" : "its lease seemed to have run out";
  } else if (verdict.cancelled) {
    s.kind = core::settle_kind::cancelled;
    s.message = verdict.message;
  } else {
    s.kind = core::settle_kind::failed;
    s.klass = verdict.klass;
    s.message = verdict.message;
  }
  s.exit_code = report.end.exit_code;
  s.signal = report.end.signal;
  s.stopped_with = report.stopped_with;
  s.used = report.used;
  s.output_bytes = report.output_bytes;
  s.output_truncated = report.output_bytes > keep;
  s.unit = unit;
  return s;
}

}  // namespace belfry::actors
