#include "app/work/desk.hpp"

#include <algorithm>

namespace belfry::app {
namespace {

using namespace std::chrono_literals;

// As much as the node keeps of an attempt by default; what does not fit pushes out the oldest.
constexpr std::uint64_t keep_output = 1024 * 1024;
constexpr std::uint64_t bytes_at_once = 128 * 1024;  // of output in one request
constexpr std::size_t lines_at_once = 1000;
constexpr std::size_t ends_at_once = 200;

}  // namespace

held_run* work_desk::find(const std::string& key) {
  for (auto& r : held_)
    if (r.work.key() == key) return &r;
  return nullptr;
}

held_run* work_desk::find(const lease_claim& lease) {
  for (auto& r : held_)
    if (r.work.is(lease.run, lease.fencing)) return &r;
  return nullptr;
}

lease_claim work_desk::claim_of(const held_run& r) {
  return {r.work.head().id, r.work.head().fencing, r.token};
}

void work_desk::wait(lock& hold, core::instant until) {
  if (until == core::end_of_time) return changed_.wait(hold);
  // A little later than asked for: a wait that ends a moment early would only come back.
  const auto left = until - clock_.steady();
  if (left > core::span{0}) changed_.wait_for(hold, left + core::span{500});
}

// ---- who claims

std::optional<std::size_t> work_desk::await_room() {
  lock hold(mutex_);
  changed_.wait(hold, [this] { return stopped_ || draining_ || held_.size() < plan_.slots; });
  if (stopped_ || draining_) return std::nullopt;
  return plan_.slots - held_.size();
}

bool work_desk::admit(const messages::claimed_run& claimed) {
  const lock hold(mutex_);
  if (stopped_) return false;
  const auto left = claimed.run.head.held.expires_at - clock_.now();
  auto& r = held_.emplace_back(claimed, plan_, clock_.steady(), left);
  r.started = !draining_;
  if (draining_) r.outcome = handed_back(r, "the worker takes no more work");
  changed_.notify_all();
  return r.started;
}

void work_desk::claimer_left() {
  const lock hold(mutex_);
  claimer_left_ = true;
  changed_.notify_all();
}

// ---- the children

void work_desk::output(const std::string& key, std::vector<platform::output_line> lines) {
  const lock hold(mutex_);
  if (auto* r = find(key); r != nullptr && !r->outcome) {
    r->work.write(std::move(lines), keep_output);
    changed_.notify_all();
  }
}

bool work_desk::ended(const std::string& key, const platform::process_report& report) {
  const lock hold(mutex_);
  auto* r = find(key);
  if (r == nullptr || r->outcome) return false;
  if (!stopped_ && !r->told_to_stop && r->work.passed(report)) {
    r->answer_by = core::end_of_time;
    return true;
  }
  r->outcome = r->work.settle(report, keep_output, 0);
  changed_.notify_all();
  return false;
}

bool work_desk::stopped_early(const std::string& key) {
  const lock hold(mutex_);
  const auto* r = find(key);
  return r != nullptr && r->told_to_stop;
}

core::cmd_settle work_desk::handed_back(const held_run& r, const std::string& why) const {
  core::cmd_settle s;
  s.proof = r.work.proof();
  s.kind = core::settle_kind::released;
  s.message = why;
  return s;
}

// ---- who beats

std::vector<due_beat> work_desk::await_beats() {
  lock hold(mutex_);
  std::vector<due_beat> due;
  while (!stopped_ && !drained()) {
    const auto now = clock_.steady();
    auto next = core::end_of_time;
    for (const auto& r : held_) next = std::min(next, r.beat_at);
    if (next <= now) {
      // Whoever is due soon goes along, so that leases that were claimed apart come to share a request.
      const auto soon = core::later(now, std::min(plan_.beat, plan_.lease / 3) / 2);
      for (const auto& r : held_)
        if (r.beat_at <= soon) due.push_back({claim_of(r)});
      break;
    }
    wait(hold, next);
  }
  return due;
}

void work_desk::renewed(const lease_claim& lease, core::instant asked) {
  const lock hold(mutex_);
  if (auto* r = find(lease)) r->renewed(plan_, asked);
  changed_.notify_all();
}

void work_desk::not_renewed(const lease_claim& lease) {
  const lock hold(mutex_);
  if (auto* r = find(lease)) r->not_renewed(plan_, clock_.steady());
}

std::optional<std::string> work_desk::to_stop(const lease_claim& lease, bool lease_lost) {
  const lock hold(mutex_);
  auto* r = find(lease);
  if (r == nullptr) return std::nullopt;
  if (lease_lost) r->beat_at = core::end_of_time;
  if (!r->running() || std::exchange(r->told_to_stop, true)) return std::nullopt;
  r->work.lease_lost = lease_lost;
  return r->work.key();
}

// ---- who reports

// Lines that were sent without an answer are sent again as they were: the node knows them by their numbers,
// and what has been written since stands behind them.
due_output work_desk::output_of(held_run& r) {
  if (r.telling.empty()) {
    r.telling = r.work.take_output(bytes_at_once);
    if (r.telling.size() > lines_at_once) {
      const auto rest = r.telling.begin() + static_cast<std::ptrdiff_t>(lines_at_once);
      r.work.put_back({rest, r.telling.end()});
      r.telling.erase(rest, r.telling.end());
    }
  }
  return {claim_of(r), r.lines_told + 1, r.telling};
}

due_reports work_desk::await_reports() {
  lock hold(mutex_);
  due_reports due;
  while (!stopped_ && !drained()) {
    for (auto& r : held_) {
      if (!r.telling.empty() || r.work.has_output()) {
        due.outputs.push_back(output_of(r));
      } else if (r.outcome && due.ends.size() < ends_at_once) {
        due.ends.push_back({claim_of(r), *r.outcome});
      }
    }
    if (!due.outputs.empty() || !due.ends.empty()) break;
    changed_.wait(hold);
  }
  return due;
}

void work_desk::told(const due_output& lines) {
  const lock hold(mutex_);
  if (auto* r = find(lines.lease)) {
    r->lines_told += lines.lines.size();
    r->telling.clear();
  }
}

void work_desk::settled(const lease_claim& lease) {
  const lock hold(mutex_);
  held_.remove_if([&](const held_run& r) { return r.work.is(lease.run, lease.fencing); });
  changed_.notify_all();
}

// ---- who watches the time

std::optional<work_desk::watched> work_desk::await_stops() {
  lock hold(mutex_);
  while (!stopped_ && !reason_ && !drained()) {
    const auto now = clock_.steady();
    watched w;
    auto next = core::end_of_time;
    const bool hurry = draining_ && now >= drain_until_;
    for (auto& r : held_) {
      if (!r.running() || r.told_to_stop) continue;
      if (hurry) {
        r.told_to_stop = r.work.handing_back = true;
        w.stops.push_back({r.work.key(), platform::stop_reason::shutdown});
      } else if (const auto why = r.due_stop(now)) {
        r.told_to_stop = true;
        r.work.lease_lost = *why != platform::stop_reason::timeout;
        r.work.answer_late = *why == platform::stop_reason::timeout && r.answer_by <= r.over_at;
        w.stops.push_back({r.work.key(), *why});
      } else {
        next = std::min({next, r.stop_at(), drain_until_});
      }
    }
    w.leave = draining_ && held_.empty() && !std::exchange(left_, draining_ && held_.empty());
    if (w.leave || !w.stops.empty()) return w;
    wait(hold, next);
  }
  return std::nullopt;
}

// ---- how it goes on

void work_desk::drain() {
  const lock hold(mutex_);
  if (std::exchange(draining_, true)) return;
  if (plan_.drain > core::span{0}) drain_until_ = core::later(clock_.steady(), plan_.drain);
  changed_.notify_all();
}

work_desk::remains work_desk::stop() {
  const lock hold(mutex_);
  remains left;
  stopped_ = true;
  for (const auto& r : held_) {
    if (r.running()) left.children.push_back(r.work.key());
    left.ends.push_back(
        {claim_of(r), r.outcome ? *r.outcome : handed_back(r, "the worker was stopped at once")});
  }
  changed_.notify_all();
  return left;
}

void work_desk::give_up(refusal why) {
  const lock hold(mutex_);
  if (!reason_) reason_ = std::move(why);
  changed_.notify_all();
}

std::optional<refusal> work_desk::reason() const {
  const lock hold(mutex_);
  return reason_;
}

bool work_desk::draining() const {
  const lock hold(mutex_);
  return draining_;
}

bool work_desk::done() const {
  const lock hold(mutex_);
  return drained() || reason_;
}

void work_desk::pause(core::span length, bool leave_on_drain) {
  lock hold(mutex_);
  changed_.wait_for(hold, length, [&] { return stopped_ || reason_ || (leave_on_drain && draining_); });
}

std::string work_desk::session() const {
  const lock hold(mutex_);
  return session_;
}

void work_desk::now_known_as(std::string session) {
  const lock hold(mutex_);
  session_ = std::move(session);
}

}  // namespace belfry::app
