#include "actors/process_executor/attempt.hpp"

#include <algorithm>
#include <utility>

#include "core/run/exit.hpp"
#include "core/time/text.hpp"

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

// What the condition says stands before the output of the process.
constexpr std::string_view condition_key = "/condition";
constexpr std::string_view mark_of_condition = "condition: ";

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
      key_{to_string(claimed.run.head.id) + "/" + std::to_string(claimed.run.head.fencing)},
      asking_{core::given(spec_->condition)} {
  if (asking_) key_ += condition_key;
}

platform::process_order attempt::order(const std::string& mark, platform::randomness& chance) const {
  platform::process_order o;
  o.what = spec_->process;
  if (asking_) {
    o.what.argv = spec_->condition.argv;
    o.what.shell = spec_->condition.shell;
  }
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

void attempt::add_line(core::instant at, core::log_stream stream, std::string text) {
  core::log_line l{head_.id, head_.attempt, ++lines_, at, stream, std::move(text)};
  waiting_bytes_ += weight(l);
  waiting_.push_back(std::move(l));
}

bool attempt::passed(const platform::process_report& report) {
  if (!asking_ || stop_asked || handing_back || lease_lost) return false;
  const auto& end = report.end;
  if (end.spawn_failed || end.timed_out || end.cancelled || end.exit_code != 0) return false;
  asking_ = false;
  key_.resize(key_.size() - condition_key.size());
  answer_by = core::never;
  return true;
}

void attempt::write(std::vector<platform::output_line> lines, std::uint64_t keep) {
  for (auto& line : lines)
    add_line(line.at, line.stream,
             asking_ ? std::string{mark_of_condition} + line.text : std::move(line.text));
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

// Exit code 1 is the one answer that is not a mistake of the condition itself.
core::cmd_settle attempt::settle_asked(const platform::process_report& report) const {
  core::process_spec plain;
  const auto verdict = core::judge_exit(plain, report.end, spec_->condition.timeout);
  core::cmd_settle s;
  if (!verdict.success && !verdict.cancelled && report.end.exit_code == 1 && !report.end.timed_out) {
    s.kind = core::settle_kind::skipped;
    s.message = "exit code 1";
    return s;
  }
  s.kind = core::settle_kind::failed;
  s.klass = core::failure_class::error;
  if (verdict.success)
    s.message = "it was stopped before it began";
  else
    s.message = "the condition gave no answer: " + verdict.message;
  return s;
}

core::cmd_settle attempt::settle(const platform::process_report& report, std::uint64_t keep,
                                 double unit) const {
  const auto verdict = core::judge_exit(spec_->process, report.end, spec_->timeout);
  core::cmd_settle s;
  s.proof = proof();
  if (verdict.success && !asking_) {
    s.kind = core::settle_kind::succeeded;
  } else if (handing_back || (lease_lost && verdict.cancelled)) {
    // Nobody asked to cancel it: should the lease be good after all (a clock that was set twice), the run
    // goes back.
    s.kind = core::settle_kind::released;
    s.message = handing_back ? "node stopping" : "its lease seemed to have run out";
  } else if (verdict.cancelled) {
    s.kind = core::settle_kind::cancelled;
    s.message = verdict.message;
  } else if (asking_ && (answer_late || !report.end.timed_out)) {
    s = settle_asked(report);
    s.proof = proof();
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
