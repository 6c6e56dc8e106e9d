// The member desk and what its executors have in their hands: renewing, stopping in time, telling.
#include "actors/support/message_types.hpp"
// after the message types
#include <caf/send.hpp>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "actors/cluster/member_desk.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;

namespace {

constexpr core::span tell_again_pause = std::chrono::seconds{1};
constexpr std::size_t calls_per_question = 1000;
// What a watchdog needs to find and kill everything.
constexpr core::span kill_takes = std::chrono::milliseconds{100};

failure not_held() { return {errc::stale_lease, "the lease is not this node's any more", {}, {}}; }

core::span soon_again(core::span lease) {
  return std::clamp(lease / 12, core::span{std::chrono::milliseconds{100}},
                    core::span{std::chrono::seconds{1}});
}

}  // namespace

// Each set has an answer of its own; they go back together.
struct member_desk::gathering {
  asker<commit_results> answer;
  commit_results results;
  std::size_t left = 0;
};

member_attempt* member_desk::find(core::run_id run, std::uint64_t fencing) {
  for (auto& a : attempts_)
    if (a.is(run, fencing)) return &a;
  return nullptr;
}

std::uint32_t member_desk::running() const {
  return static_cast<std::uint32_t>(
      std::count_if(attempts_.begin(), attempts_.end(), [](const member_attempt& a) { return !a.over; }));
}

void member_desk::forget(member_attempt& a) {
  attempts_.remove_if([&a](const member_attempt& one) { return &one == &a; });
  sessions_may_leave();
  send_due(now());
}

// ---- what an executor writes

caf::result<commit_results> member_desk::commit(commit_changes& asked) {
  auto [guard, promise] = answer_later<commit_results>(this);
  auto all = std::make_shared<gathering>();
  all->answer = guard;
  all->left = asked.sets.size();
  for (std::size_t i = 0; i < asked.sets.size(); ++i)
    all->results.answers.emplace_back(failure{errc::aborted, "not answered", {}, {}});
  for (std::size_t i = 0; i < asked.sets.size(); ++i) {
    const auto& changes = asked.sets[i].changes;
    const tell_result tell = [all, i](core::result<storage::receipt> answer) {
      all->results.answers[i] = std::move(answer);
      if (--all->left == 0) all->answer->deliver(std::move(all->results));
    };
    if (changes.size() == 1)
      change(changes.front(), tell);
    else
      tell(failure{errc::internal, "a member writes one thing at a time", {}, {}});
  }
  if (asked.sets.empty()) guard->deliver(commit_results{});
  arm();
  return promise;
}

void member_desk::change(const storage::change& what, const tell_result& tell) {
  if (const auto* log = std::get_if<storage::append_log>(&what)) {
    if (log->lines.empty()) return tell(storage::receipt{});
    const auto& first = log->lines.front();
    for (auto& a : attempts_) {
      if (a.run != first.run || a.attempt != first.attempt) continue;
      if (a.lost) return tell(not_held());
      a.steps.push_back({log->lines, {}, tell});
      return next_step(a);
    }
    return tell(not_held());
  }
  if (const auto* step = std::get_if<storage::step_run>(&what)) {
    const auto fencing = std::visit(
        [](const auto& command) -> std::uint64_t {
          using kind = std::decay_t<decltype(command)>;
          if constexpr (std::is_same_v<kind, core::cmd_start> || std::is_same_v<kind, core::cmd_renew> ||
                        std::is_same_v<kind, core::cmd_settle>)
            return command.proof.fencing;
          else
            return 0;
        },
        step->command);
    if (fencing == 0) return tell(failure{errc::internal, "a member has no store for this", {}, {}});
    auto* a = find(step->id, fencing);
    if (a == nullptr) return tell(not_held());
    const auto* settle = std::get_if<core::cmd_settle>(&step->command);
    if (settle == nullptr) {
      // Leases are renewed here, all with one question; this is what is known of this one.
      if (a->lost) return tell(not_held());
      storage::receipt known;
      known.runs.emplace_back();
      known.runs.back().head.id = a->run;
      known.runs.back().head.cancel_requested = a->cancel;
      return tell(std::move(known));
    }
    a->over = true;
    tell_doom();
    show();
    // It was ended because it is not ours: there is nothing to tell that anybody could use.
    if (a->lost &&
        (settle->kind == core::settle_kind::released || settle->kind == core::settle_kind::cancelled)) {
      forget(*a);
      return tell(not_held());
    }
    a->steps.push_back({{}, *settle, tell});
    next_step(*a);
    return send_due(now());
  }
  if (const auto* event = std::get_if<storage::note_event>(&what)) {
    deps_.says.say(note_level::info, std::string{to_text(event->what.kind)} + " " + event->what.text);
    return tell(storage::receipt{});
  }
  tell(failure{errc::internal, "a member has no store for this", {}, {}});
}

// ---- telling

// One thing at a time for each attempt: what was said last arrives last.
void member_desk::next_step(member_attempt& a) {
  if (a.telling || a.steps.empty() || a.tell_at != core::never) return;
  a.telling = true;
  const auto& step = a.steps.front();
  wire::question what;
  if (step.outcome) {
    settle_runs m;
    m.items.push_back({a.run, *step.outcome});
    m.actor = to_string(a.session);
    what = std::move(m);
  } else {
    what = touch_leases{a.log_calls(step.lines)};
  }
  ask(std::move(what), question_kind::other, deps_.options.patience,
      [this, run = a.run, fencing = a.fencing](core::result<wire::reply>& r, asked_when) {
        if (!r) return told(run, fencing, r.error());
        if (auto* all = std::get_if<settled>(&*r); all != nullptr && all->answers.size() == 1) {
          if (!all->answers.front()) return told(run, fencing, all->answers.front().error());
          return told(run, fencing, storage::receipt{});
        }
        if (auto* all = std::get_if<touched>(&*r); all != nullptr && !all->answers.empty()) {
          auto* same = find(run, fencing);
          for (const auto& answer : all->answers) {
            if (!answer) return told(run, fencing, answer.error());
            if (same != nullptr && answer->next_line > 0) same->lines_told = answer->next_line - 1;
          }
          return told(run, fencing, storage::receipt{});
        }
        told(run, fencing,
             failure{errc::aborted, "the coordinator gave an answer to another question", {}, {}});
        cut("it answered with something else");
      });
}

void member_desk::told(core::run_id run, std::uint64_t fencing, core::result<storage::receipt> answer) {
  auto* a = find(run, fencing);
  if (a == nullptr || a->steps.empty()) return;
  a->telling = false;
  const bool trouble = !answer && is_trouble(answer.error());
  if (trouble && !a->steps.front().tell) {
    a->tell_at = core::later(now(), tell_again_pause);
    return arm();
  }
  auto step = std::move(a->steps.front());
  a->steps.pop_front();
  const bool last = step.outcome.has_value() && !trouble;
  // Output that could not be taken comes again; its end must not overtake it.
  if (trouble && !step.outcome && !a->steps.empty() && a->steps.front().tell) {
    // Last first: each is put before what waits already.
    const auto behind = std::exchange(a->steps, {});
    for (auto it = behind.rbegin(); it != behind.rend(); ++it)
      if (it->tell) it->tell(answer);
    return step.tell(answer);
  }
  if (step.tell) step.tell(std::move(answer));
  if (last) return forget(*a);
  next_step(*a);
}

void member_desk::hand_back(member_attempt& a, const std::string& why, std::optional<core::span> delay) {
  a.over = true;
  core::cmd_settle how;
  how.proof = a.proof();
  how.kind = core::settle_kind::released;
  how.message = why;
  how.retry_after = delay;
  deps_.says.say(note_level::warning, "claim-not-started run=" + to_string(a.run) + " " + why);
  a.steps.push_back({{}, std::move(how), {}});
  next_step(a);
}

// ---- leases

void member_desk::renew(core::instant at) {
  if (stage_ != stage::joined) return;
  touch_leases m;
  std::vector<std::pair<core::run_id, std::uint64_t>> which;
  const auto due = [&](const member_attempt& a) {
    return a.may_renew(at, deps_.options.executor.overdue_after);
  };
  const bool any = std::any_of(attempts_.begin(), attempts_.end(),
                               [&](const member_attempt& a) { return due(a) && a.renew_at <= at; });
  if (!any) return;
  auto patience = deps_.options.patience;
  for (auto& a : attempts_) {
    // Those that are nearly due come along: one question for all of them.
    if (!due(a) || core::later(a.renew_at, -a.lease / 12) > at || m.calls.size() >= calls_per_question)
      continue;
    a.renewing = true;
    auto& call = m.calls.emplace_back();  // filled in its place: g++ 12 warns wrongly where it is moved
    call.run = a.run;
    call.what.emplace<core::cmd_renew>(core::cmd_renew{a.proof(), a.lease});
    which.emplace_back(a.run, a.fencing);
    patience = std::min(patience, a.lease / 6);
  }
  ask(std::move(m), question_kind::renewal, patience,
      [this, which](core::result<wire::reply>& r, asked_when when) { renewed(which, r, when); });
}

void member_desk::renewed(const std::vector<std::pair<core::run_id, std::uint64_t>>& which,
                          core::result<wire::reply>& reply, asked_when when) {
  const auto* all = reply ? std::get_if<touched>(&*reply) : nullptr;
  const auto at = now();
  for (std::size_t i = 0; i < which.size(); ++i) {
    auto* a = find(which[i].first, which[i].second);
    if (a == nullptr) continue;
    a->renewing = false;
    if (all == nullptr || i >= all->answers.size()) {
      a->renew_at = core::later(at, soon_again(a->lease));
      continue;
    }
    const auto& answer = all->answers[i];
    if (answer) {
      a->believe_until(core::lease_safe_until(when.asked, core::span{0}, a->lease));
      if (answer->cancel_requested && !std::exchange(a->cancel, true)) stop_now(*a, stop_why::cancel);
    } else if (answer.error().code == errc::stale_lease || answer.error().code == errc::not_found) {
      if (!a->over) taken_away(a->held());
    } else {
      a->renew_at = core::later(at, soon_again(a->lease));
    }
  }
  tell_doom();
}

void member_desk::stop_now(member_attempt& a, stop_why why) {
  if (a.over) return;
  a.told_to_stop = true;
  if (head_) caf::anon_send(head_, stop_attempt{a.run, a.fencing, why, a.session});
}

void member_desk::taken_away(const wire::held_run& which) {
  auto* a = find(which.run, which.fencing);
  if (a == nullptr) return;
  a->lost = true;
  deps_.says.say(note_level::warning,
                 "lease-lost run=" + to_string(a->run) + " fencing=" + std::to_string(a->fencing));
  stop_now(*a, stop_why::lease_lost);
}

void member_desk::look_at_attempts(core::instant at) {
  for (auto& a : attempts_) {
    if (const auto why = a.due_stop(at)) {
      if (*why == stop_why::lease_lost)
        deps_.says.say(note_level::warning, "lease-not-renewed run=" + to_string(a.run) + " fencing=" +
                                                std::to_string(a.fencing) + " its process is stopped");
      stop_now(a, *why);
    }
    if (a.tell_at != core::never && a.tell_at <= at) {
      a.tell_at = core::never;
      next_step(a);
    }
  }
  renew(at);
  tell_doom();
}

// Those whose time is over already have had their watchdog.
void member_desk::tell_doom() {
  const auto at = now();
  auto doom = core::end_of_time;
  for (const auto& a : attempts_)
    if (!a.over && a.safe_until - kill_takes > at) doom = std::min(doom, a.safe_until - kill_takes);
  const auto said = doom == core::end_of_time ? core::never : doom;
  if (said == doom_) return;
  doom_ = said;
  if (deps_.doomed_at) deps_.doomed_at(said);
}

}  // namespace belfry::actors
