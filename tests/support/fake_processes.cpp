#include "tests/support/fake_processes.hpp"

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <utility>

namespace belfry::tests {

using platform::process_report;
using platform::stop_reason;

process_report exited(int code) {
  process_report r;
  r.end.exit_code = code;
  return r;
}

process_report killed_by(int signal) {
  process_report r;
  r.end.signal = signal;
  return r;
}

process_report not_spawned(int errno_value, std::string text) {
  process_report r;
  r.end.spawn_failed = true;
  r.end.spawn_errno = errno_value;
  r.end.spawn_text = std::move(text);
  return r;
}

void fake_processes::start(std::string key, platform::process_order order, platform::process_events events) {
  if (living_.count(key) != 0) throw std::logic_error("fake_processes: this key is already running: " + key);
  started_.push_back({key, order, time_.steady()});
  child c;
  c.number = ++count_;
  c.answer = answer_;
  c.report = exited(0);
  if (script_) {
    child_plan plan = script_(key, order);
    const auto& end = plan.report.end;
    const bool says_how = end.exit_code || end.signal || end.spawn_failed;
    if (plan.after) c.due = time_.steady() + *plan.after;
    if (says_how) c.report = std::move(plan.report);
    if (plan.when_stopped) c.answer = *plan.when_stopped;
    c.output = std::move(plan.output);
  }
  c.order = std::move(order);
  c.events = std::move(events);
  living_.emplace(std::move(key), std::move(c));
}

void fake_processes::stop(const std::string& key, stop_reason why) {
  const auto it = living_.find(key);
  stops_.push_back({key, why, time_.steady()});
  if (it == living_.end() || it->second.stopping) return;
  child& c = it->second;
  c.stopping = true;
  if (c.answer == stop_answer::by_hand) return;
  const bool stubborn = c.answer == stop_answer::ignores_term;
  const core::instant at = stubborn ? time_.steady() + c.order.grace : time_.steady();
  if (c.due && *c.due <= at && !c.report.end.spawn_failed && *c.due <= time_.steady())
    return;                                 // had ended by itself
  if (stubborn && c.due && *c.due <= at) {  // ends by itself while the grace runs
    c.report.stopped_with = "TERM";
  } else {
    c.due = at;
    c.report.end = killed_by(stubborn ? SIGKILL : SIGTERM).end;
    c.report.stopped_with = stubborn ? "KILL" : "TERM";
    c.output.clear();
  }
  c.report.end.timed_out = why == stop_reason::timeout;
  c.report.end.cancelled = why == stop_reason::cancel;
}

void fake_processes::abandon(const std::string& key, std::function<void()> gone) {
  const bool known = living_.erase(key) != 0;
  if (known) abandoned_.push_back(key);
  if (known && hold_) return held_.push_back(std::move(gone));
  gone();
}

void fake_processes::release_abandoned() {
  hold_ = false;
  for (const auto& gone : std::exchange(held_, {})) gone();
}

bool fake_processes::finish(const std::string& key, process_report report) {
  const auto it = living_.find(key);
  if (it == living_.end()) return false;
  it->second.report = std::move(report);
  end(it);
  return true;
}

bool fake_processes::emit(const std::string& key, std::vector<std::string> lines, core::log_stream stream) {
  std::vector<platform::output_line> out;
  for (auto& text : lines) out.push_back({time_.now(), stream, std::move(text)});
  return emit_lines(key, std::move(out));
}

bool fake_processes::emit_lines(const std::string& key, std::vector<platform::output_line> lines) {
  const auto it = living_.find(key);
  if (it == living_.end()) return false;
  for (const auto& line : lines) it->second.written += line.text.size() + 1;
  const auto call = it->second.events.output;  // a copy: the callback may end the child
  if (call) call(std::move(lines));
  return true;
}

std::map<std::string, fake_processes::child>::iterator fake_processes::earliest() {
  auto best = living_.end();
  for (auto it = living_.begin(); it != living_.end(); ++it) {
    if (!may_end(it->second)) continue;
    if (best == living_.end() ||
        std::pair(*it->second.due, it->second.number) < std::pair(*best->second.due, best->second.number))
      best = it;
  }
  return best;
}

std::size_t fake_processes::advance(core::instant steady) {
  std::size_t ended = 0;
  for (auto& [key, c] : living_)
    if (!std::exchange(c.told, true) && c.events.started && !c.report.end.spawn_failed)
      c.events.started(static_cast<std::int64_t>(c.number));
  for (auto it = earliest(); it != living_.end() && *it->second.due <= steady; it = earliest()) {
    end(it);
    ++ended;
  }
  return ended;
}

std::optional<core::instant> fake_processes::next_due() const {
  std::optional<core::instant> best;
  for (const auto& [key, c] : living_)
    if (!c.told && c.events.started && !c.report.end.spawn_failed) return time_.steady();
  for (const auto& [key, c] : living_)
    if (may_end(c) && (!best || *c.due < *best)) best = c.due;
  return best;
}

void fake_processes::end(std::map<std::string, child>::iterator it) {
  child c = std::move(it->second);
  living_.erase(it);
  if (!c.output.empty() && c.events.output) {
    std::vector<platform::output_line> lines;
    for (auto& text : c.output) {
      c.written += text.size() + 1;
      lines.push_back({time_.now(), core::log_stream::out, std::move(text)});
    }
    c.events.output(std::move(lines));
  }
  if (c.report.output_bytes == 0) c.report.output_bytes = c.written;
  if (c.events.ended) c.events.ended(std::move(c.report));
}

std::vector<std::string> fake_processes::living() const {
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const auto& [key, c] : living_) found.emplace_back(c.number, key);
  std::sort(found.begin(), found.end());
  std::vector<std::string> keys;
  for (auto& [number, key] : found) keys.push_back(std::move(key));
  return keys;
}

void fake_processes::crash_node() {
  for (auto& [key, c] : living_) {
    c.events = {};
    orphans_.emplace(key + "#" + std::to_string(c.number), std::move(c));
  }
  living_.clear();
}

std::size_t fake_processes::kill_marked(const std::string& mark) {
  const std::size_t before = orphans_.size();
  std::erase_if(orphans_, [&](const auto& entry) { return entry.second.order.mark == mark; });
  return before - orphans_.size();
}

}  // namespace belfry::tests
