#include "actors/support/message_types.hpp"
// after the message types
#include "actors/process_executor/process_executor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace belfry::actors {

using namespace messages;
using core::errc;
using platform::metric;

namespace {

constexpr core::span claim_wait = std::chrono::seconds{60};
constexpr core::span trouble_pause = std::chrono::seconds{1};
constexpr std::size_t taken_away_kept = 16;  // far more than can be on their way
constexpr core::span longest_pause = std::chrono::seconds{30};

// The store could not write; it may be able to later. Any other refusal is its last word.
bool trouble(const core::failure& f) {
  return f.code == errc::storage_full || f.code == errc::unavailable || f.code == errc::overloaded ||
         f.code == errc::aborted;
}

}  // namespace

process_executor::process_executor(caf::actor_config& cfg, process_executor_deps deps)
    : process_executor_actor::base(cfg),
      deps_{std::move(deps)},
      jump_{*deps_.clock, deps_.clock_jump},
      alarm_{deps_.options.lease / 3} {
  // CAF would print it; like this the reason reaches the log, the event and the status.
  set_exception_handler([](std::exception_ptr& thrown) -> caf::error {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      return caf::make_error(caf::sec::runtime_error, std::string{e.what()});
    } catch (...) {
      return caf::make_error(caf::sec::runtime_error);
    }
  });
}

auto process_executor::make_behavior() -> behavior_type {
  return {
      [this](begin_work) { enter(); },
      [this](finish_work) {
        finishing_ = true;
        say_if_idle();
      },
      [this](hand_back) {
        for (auto& a : attempts_) {
          if (a.outcome) continue;
          a.handing_back = handed_back_ = true;
          deps_.processes->stop(a.key(), platform::stop_reason::shutdown);
        }
      },
      [this](const stop_attempt& asked) { stop(asked); },
      [this](output_arrived& news) {
        auto* a = find(news.run, news.fencing);
        if (a == nullptr) return;
        for (const auto& line : news.lines)
          deps_.says.count(metric::log_bytes_total, static_cast<double>(line.text.size() + 1));
        a->write(std::move(news.lines), deps_.options.keep_output);
        send_output(*a);
      },
      [this](const process_ended& news) { ended(news); },
      [this](const alarm_rang& ring) {
        if (alarm_.rang(ring)) look();
      },
  };
}

void process_executor::on_exit() {
  // Said before anybody hears that this actor is down: its runs are not tried again before the children are
  // gone.
  const auto head = caf::actor_cast<caf::weak_actor_ptr>(deps_.supervisor);
  for (const auto& a : attempts_) {
    if (a.outcome) continue;
    caf::anon_send(deps_.supervisor, child_abandoned{deps_.index});
    deps_.processes->abandon(a.key(), [head, index = deps_.index] {
      if (const auto to = caf::actor_cast<executor_listener>(head)) caf::anon_send(to, child_gone{index});
    });
  }
  attempts_.clear();
  deps_.dispatcher = nullptr;
  deps_.registry = nullptr;
  deps_.sweeper = nullptr;
  deps_.supervisor = nullptr;
  deps_.store = nullptr;
}

void process_executor::enter() {
  core::session me;
  me.id = session_;
  me.name = deps_.name;
  me.agent_type = "process";
  me.handlers = {core::handler_kind::process};
  me.slots = 1;
  me.local = true;
  me.wake.via = core::wake_via::none;
  request(deps_.registry, caf::infinite, register_session{std::move(me), "node", {}})
      .then(
          [this](core::result<session_answer>& answer) {
            if (!answer) {
              deps_.says.say(note_level::warning,
                             "executor-not-registered " + deps_.name + " " + answer.error().text);
              return again_in(trouble_pause);
            }
            session_ = answer->who.id;
            caf::anon_send(deps_.supervisor, executor_seated{deps_.index, session_});
            claim();
          },
          [this](caf::error&) { again_in(trouble_pause); });
}

void process_executor::claim() {
  if (finishing_) return say_if_idle();
  claiming_ = true;
  claim_runs wish;
  wish.who = session_;
  wish.wait = claim_wait;
  wish.lease = deps_.options.lease;
  wish.start = true;
  request(deps_.dispatcher, caf::infinite, wish)
      .then([this](core::result<claimed_runs>& answer) { claimed(answer); },
            [this](caf::error&) {
              claiming_ = false;
              again_in(trouble_pause);
            });
}

void process_executor::claimed(core::result<claimed_runs>& answer) {
  claiming_ = false;
  if (!answer) {
    if (answer.error().code == errc::not_found) session_ = {};  // somebody ended it: come back as a new one
    if (finishing_) return say_if_idle();
    return again_in(trouble_pause);
  }
  if (answer->runs.empty()) return claim();
  const auto& head = answer->runs.front().run.head;
  if (std::find(taken_away_.begin(), taken_away_.end(), std::pair{head.id, head.fencing}) !=
      taken_away_.end())
    return claim();
  start(answer->runs.front());
}

void process_executor::start(const claimed_run& run) {
  if (deps_.options.fault) deps_.options.fault(run);
  auto& a = attempts_.emplace_back(run);
  a.beat_at = core::later(deps_.clock->now(), deps_.options.lease / 3);
  arm();
  const auto& head = a.head();
  if (finishing_ || head.cancel_requested) {  // nothing was started, so nothing has to end
    platform::process_report none;
    none.end.cancelled = true;
    a.handing_back = handed_back_ = finishing_ && !head.cancel_requested;
    return ended({head.fencing, head.id, none});
  }
  start_child(a);
}

// The condition first, where there is one; when it says yes, the process.
void process_executor::start_child(attempt& a) {
  const auto& head = a.head();
  if (a.asking()) {
    a.answer_by = core::later(deps_.clock->now(), a.patience());
    arm();
  }
  const auto me = caf::actor_cast<caf::weak_actor_ptr>(process_executor_actor{this});
  platform::process_events tell;
  tell.output = [me, id = head.id, fencing = head.fencing](std::vector<platform::output_line> lines) {
    if (const auto self = caf::actor_cast<process_executor_actor>(me))
      caf::anon_send(self, output_arrived{fencing, id, std::move(lines)});
  };
  tell.ended = [me, id = head.id, fencing = head.fencing](platform::process_report report) {
    if (const auto self = caf::actor_cast<process_executor_actor>(me))
      caf::anon_send(self, process_ended{fencing, id, std::move(report)});
  };
  deps_.processes->start(a.key(), a.order(deps_.mark, *deps_.randomness), std::move(tell));
}

void process_executor::stop(const stop_attempt& asked) {
  auto* a = find(asked.run, asked.fencing);
  if (a == nullptr && asked.why == stop_why::lease_lost) {
    // Force may be quicker than the claim's answer: what was taken away must not begin.
    taken_away_.push_back({asked.run, asked.fencing});
    if (taken_away_.size() > taken_away_kept) taken_away_.pop_front();
  }
  if (a == nullptr || a->outcome || std::exchange(a->stop_asked, true)) return;
  a->lease_lost = asked.why == stop_why::lease_lost;
  deps_.processes->stop(a->key(), asked.why == stop_why::timeout ? platform::stop_reason::timeout
                                                                 : platform::stop_reason::cancel);
}

// At most so much is on its way to the store; the rest waits in the attempt.
void process_executor::send_output(attempt& a) {
  const auto most = deps_.options.output_in_flight;
  if (!a.has_output() || a.in_flight >= most) return;
  auto lines = a.take_output(most - a.in_flight);
  std::uint64_t bytes = 0;
  for (const auto& line : lines) bytes += line.text.size() + 1;
  a.in_flight += bytes;
  request(deps_.store, caf::infinite, commit_changes{{log(lines)}})
      .then(
          [this, bytes, lines, run = a.head().id, fencing = a.head().fencing](commit_results& r) {
            const auto& answer = r.answers.front();
            auto* same = find(run, fencing);
            if (same != nullptr) same->in_flight -= bytes;
            if (answer && same != nullptr && !same->outcome) return send_output(*same);
            if (answer) return;
            // What the store has no room for waits, bounded, for the next output or the end.
            if (same != nullptr && trouble(answer.error())) return same->put_back(lines);
            deps_.says.say(note_level::warning,
                           "output-not-kept run=" + to_string(run) + " " + answer.error().text);
          },
          [](caf::error&) {});
}

void process_executor::ended(const process_ended& news) {
  auto* a = find(news.run, news.fencing);
  if (a == nullptr || a->outcome) return;
  if (a->passed(news.report)) return start_child(*a);
  const auto& end = news.report.end;
  if (end.spawn_failed) deps_.says.count(metric::spawn_failures_total);
  if (!news.report.group_gone)
    deps_.says.say(note_level::error,
                   "group-not-gone run=" + to_string(news.run) + " processes of it are left");
  a->outcome = a->settle(news.report, deps_.options.keep_output, deps_.randomness->unit());
  settle(*a);
  claim();
}

// The rest of the output and the outcome, in one message: they share a commit.
void process_executor::settle(attempt& a) {
  a.settle_at = core::never;
  std::vector<storage::change_set> sets;
  auto lines = a.take_output(a.output_kept_back());
  if (!lines.empty()) sets.push_back(log(lines));
  sets.push_back(step(a, *a.outcome));
  write(std::move(sets),
        [this, lines = std::move(lines), run = a.head().id, fencing = a.head().fencing](commit_results& r) {
          if (auto* same = find(run, fencing);
              same != nullptr && !r.answers.front() && trouble(r.answers.front().error()))
            same->put_back(lines);
          settled(run, fencing, r.answers.back());
        });
}

void process_executor::settled(core::run_id run, std::uint64_t fencing,
                               const core::result<storage::receipt>& answer) {
  auto* a = find(run, fencing);
  if (a == nullptr) return;
  if (!answer && trouble(answer.error())) {
    a->settle_at = core::later(deps_.clock->now(), a->settle_pause);
    a->settle_pause = std::min(a->settle_pause * 2, longest_pause);
    return arm();
  }
  if (!answer)
    deps_.says.say(note_level::warning, "settle-refused run=" + to_string(run) + " fencing=" +
                                            std::to_string(fencing) + " " + answer.error().text);
  attempts_.remove_if([a](const attempt& one) { return &one == a; });
  say_if_idle();
}

void process_executor::beat(attempt& a, core::instant now) {
  a.beat_at = core::later(now, deps_.options.lease / 3);
  write({step(a, core::cmd_renew{a.proof(), deps_.options.lease})},
        [this, run = a.head().id, fencing = a.head().fencing](commit_results& r) {
          const auto& answer = r.answers.front();
          if (!answer && answer.error().code == errc::stale_lease)
            stop({run, fencing, stop_why::lease_lost, session_});
          else if (answer && answer->runs.front().head.cancel_requested)
            stop({run, fencing, stop_why::cancel, session_});
        });
}

void process_executor::look() {
  const auto now = deps_.clock->now();
  if (claim_at_ != core::never && claim_at_ <= now) {
    claim_at_ = core::never;
    if (session_)
      claim();
    else
      enter();
  }
  for (auto& a : attempts_) {
    if (a.beat_at <= now) beat(a, now);
    if (a.settle_at != core::never && a.settle_at <= now) settle(a);
    if (a.asking() && !a.outcome && a.answer_by != core::never && a.answer_by <= now) {
      a.answer_by = core::never;
      a.answer_late = true;
      deps_.processes->stop(a.key(), platform::stop_reason::timeout);
    }
  }
  arm();
}

void process_executor::arm() {
  auto next = claim_at_ == core::never ? core::end_of_time : claim_at_;
  for (const auto& a : attempts_) {
    next = std::min(next, a.beat_at);
    if (a.settle_at != core::never) next = std::min(next, a.settle_at);
    if (a.asking() && a.answer_by != core::never) next = std::min(next, a.answer_by);
  }
  if (next != core::end_of_time) alarm_.arm(process_executor_actor{this}, next, deps_.clock->now());
}

void process_executor::again_in(core::span pause) {
  if (finishing_) return say_if_idle();
  claim_at_ = core::later(deps_.clock->now(), pause);
  arm();
}

void process_executor::say_if_idle() {
  if (finishing_ && attempts_.empty() && !claiming_)
    caf::anon_send(deps_.supervisor, executor_idle{deps_.index, handed_back_});
}

attempt* process_executor::find(core::run_id run, std::uint64_t fencing) {
  for (auto& a : attempts_)
    if (a.is(run, fencing)) return &a;
  return nullptr;
}

// After a jump of the clock the sweeper gives its grace first: a machine that slept must not lose what it
// runs.
void process_executor::write(std::vector<storage::change_set> sets, written then) {
  auto go_on = [this, sets = std::move(sets), then = std::move(then)] {
    request(deps_.store, caf::infinite, commit_changes{sets})
        .then([then](commit_results& r) { then(r); }, [](caf::error&) {});
  };
  if (!jump_.look()) return go_on();
  request(deps_.sweeper, caf::infinite, look_at_clock{})
      .then([go_on](clock_looked) { go_on(); }, [go_on](caf::error&) { go_on(); });
}

storage::change_set process_executor::log(const std::vector<core::log_line>& lines) const {
  return {
      deps_.clock->now(), to_string(session_), {}, {storage::append_log{lines, deps_.options.keep_output}}};
}

storage::change_set process_executor::step(const attempt& a, core::run_command command) const {
  return {deps_.clock->now(),
          to_string(session_),
          {},
          {storage::step_run{a.head().id, std::move(command), false}}};
}

}  // namespace belfry::actors
