// The claims of the dispatcher: pick, reserve, let the store confirm, answer; or wait.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/dispatcher/dispatcher.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "actors/support/failures.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;
using platform::metric;

namespace {

constexpr core::span longest_wait = std::chrono::seconds{60};
// Of a session that is to take nothing more: long enough that nobody asks in a circle, short enough that it
// is told soon.
constexpr core::span draining_wait = std::chrono::seconds{1};

std::optional<failure> refuse(const claim_runs& wish) {
  failure no{errc::invalid, "the claim is not valid", {}, {}};
  if (wish.max < 1 || wish.max > 1000)
    no.problems.push_back({"/max", std::to_string(wish.max), "1 to 1000", "too many or none"});
  if (wish.lease < std::chrono::seconds{1} || wish.lease > std::chrono::hours{24})
    no.problems.push_back(
        {"/lease_ms", std::to_string(core::millis(wish.lease)), "1 s to 24 h", "not a length of a lease"});
  if (wish.wait < core::span{0} || wish.wait > longest_wait)
    no.problems.push_back(
        {"/wait_ms", std::to_string(core::millis(wish.wait)), "0 to 60 s", "not a time to wait"});
  if (no.problems.empty()) return std::nullopt;
  return no;
}

}  // namespace

caf::result<core::result<claimed_runs>> dispatcher::claim(const claim_runs& wish) {
  auto [guard, promise] = answer_later<claim_answer>(this);
  claim(wish, std::make_shared<claim_reply>(std::move(guard)));
  return promise;
}

void dispatcher::claim(const claim_runs& wish, const claim_promise& answer) {
  if (auto no = refuse(wish)) return answer->deliver(std::move(*no));
  if (!ready_)
    return answer->deliver(
        failure{errc::unavailable, "starting: the queue is being read from the store", {}, {}});
  if (closed_)
    return answer->deliver(failure{errc::unavailable, "stopping: no claims are answered any more", {}, {}});
  auto* seat = roster_.find(wish.who);
  if (seat == nullptr)
    return answer->deliver(failure{
        errc::not_found, "there is no session " + to_string(wish.who), {}, "register a session first"});
  const auto now = deps_.clock->now();
  if (!seat->who.local) {
    // Whoever asks lives; the registry is about to say so too.
    if (seat->who.state == core::session_state::stale) {
      seat->who.state = core::state_here(seat->who);
      life_.forget(wish.who);
    }
    life_.heard(wish.who, now);
  }
  const bool hooked = hook_ != nullptr && passes_hook(seat->who);
  if (!hooked && try_claim(wish, answer)) return;
  const bool drains = seat->who.state == core::session_state::draining;
  const auto until = core::later(now, drains ? std::min(wish.wait, draining_wait) : wish.wait);
  if (!hooked && wish.wait == core::span{0}) {
    deps_.says.count(metric::claims_total, 1, "empty");
    answer->deliver(claim_answer{nothing_for(wish.who)});
  } else if (waiting_.size() >= deps_.max_waiting_claims) {
    deps_.says.count(metric::claims_total, 1, "overloaded");
    answer->deliver(claim_answer{failure{errc::overloaded, "too many claims are waiting", {}, {}}});
  } else if (hooked) {
    claim_through_hook(wish, answer, until);
  } else {
    waiting_.push_back({wish, until, answer});
    note_waits();
    alarm_.arm(dispatcher_actor{this}, until, now);
  }
}

// Whether something was found; then the answer is on its way.
bool dispatcher::try_claim(const claim_runs& wish, const claim_promise& answer) {
  auto* seat = roster_.find(wish.who);
  const auto free_slots = seat->free_slots();
  if (!core::may_take_anything({&seat->who, free_slots})) return false;
  const auto now = deps_.clock->now();
  if (pauses_end_ != core::never && pauses_end_ <= now) pauses_changed(now);
  if (pauses_.holds(seat->who, now)) return false;
  const auto ids = board_.pick({seat->who, free_slots, wish.max, wish.at_least}, now);
  if (ids.empty()) return false;
  commit_claim(wish, ids, answer);
  return true;
}

// The board has reserved them.
void dispatcher::commit_claim(const claim_runs& wish, const std::vector<core::run_id>& ids,
                              const claim_promise& answer) {
  const auto now = deps_.clock->now();
  const auto actor = to_string(wish.who);
  std::vector<claimed_run> picked;
  commit_changes sets;
  picked.reserve(ids.size());
  sets.sets.reserve(ids.size());
  for (const auto id : ids) {
    roster_.reserve(wish.who, id);
    auto token = deps_.randomness->token();
    core::cmd_claim command{wish.who, token.hash, wish.lease, wish.start};
    sets.sets.push_back({now, actor, {}, {storage::step_run{id, std::move(command), true}}});
    claimed_run one;
    one.run.head.id = id;
    one.token = std::move(token.text);
    picked.push_back(std::move(one));
  }
  auto all = std::make_shared<std::vector<claimed_run>>(std::move(picked));
  request(deps_.store, caf::infinite, std::move(sets))
      .then([this, wish, all, answer](commit_results& r) { confirm(wish, std::move(*all), r, answer); },
            [this, wish, all, answer](caf::error& e) {
              for (const auto& one : *all) unpick(wish, one.run.head.id, true);
              answer->deliver(claim_answer{failure_of(e, "storage")});
            });
}

// The store has spoken; the heads of what was won have been followed before.
void dispatcher::confirm(const claim_runs& wish, std::vector<claimed_run> picked, commit_results& results,
                         const claim_promise& answer) {
  claimed_runs won;
  std::optional<failure> why;
  for (std::size_t i = 0; i < picked.size(); ++i) {
    auto& said = results.answers.at(i);
    const auto id = picked[i].run.head.id;
    if (!said) {
      // Somebody else changed the run first, and the stream tells us how it stands. Anything else is the
      // store's trouble.
      const bool lost_race =
          said.error().code == errc::invalid_transition || said.error().code == errc::not_found;
      unpick(wish, id, !lost_race);
      // Paused meanwhile: it keeps its place, and the claimer is told the same as if it had come later.
      if (!lost_race && said.error().code != errc::paused) why = said.error();
      continue;
    }
    if (!core::leased(said->runs.front().head.state)) {
      // What is stored of it cannot be read, and that was its end; the stream has told us.
      unpick(wish, id, false);
      continue;
    }
    roster_.unreserve(wish.who, id);
    picked[i].run = std::move(said->runs.front());
    paces_.started(picked[i].run.head.lane, picked[i].run.head.prio, picked[i].run.head.held.claimed_at);
    // Whoever cancelled it after the claim, in the same commit, was followed before the holder knows of the
    // run; and so was an operator who took it away by force.
    const auto it = elsewhere_.find(id);
    if (it == elsewhere_.end() || it->second.fencing != picked[i].run.head.fencing) continue;
    picked[i].run.head.cancel_requested = it->second.cancel_asked;
    won.runs.push_back(std::move(picked[i]));
  }
  if (!won.runs.empty() && roster_.find(wish.who) == nullptr) {
    hand_back(std::move(won.runs), answer);
  } else if (!won.runs.empty()) {
    won.state = roster_.find(wish.who)->who.state;
    won.delay = delay_of(wish.who);
    if (!woken_.empty() && woken_.contains(wish.who)) {
      runs_taken news;
      for (const auto& one : won.runs) news.taken.push_back({one.run.head.id, wish.who});
      if (taken_to_) caf::anon_send(taken_to_, std::move(news));
    }
    deps_.says.count(metric::claims_total, static_cast<double>(won.runs.size()), "given");
    answer->deliver(claim_answer{std::move(won)});
  } else if (why) {
    deps_.says.count(metric::claims_total, 1, "failed");
    answer->deliver(claim_answer{std::move(*why)});
  } else {
    deps_.says.count(metric::claims_total, 1, "lost_race");
    answer->deliver(claim_answer{nothing_for(wish.who)});
  }
  serve_waiting();  // what was given back may fit somebody else
}

// The session ended while its claim was on the way: the runs go back unharmed.
void dispatcher::hand_back(std::vector<claimed_run> won, const claim_promise& answer) {
  commit_changes sets;
  for (const auto& one : won) {
    core::cmd_settle command;
    command.proof = {one.run.head.fencing, one.run.head.held.hash};
    command.kind = core::settle_kind::released;
    command.message = "the session ended before it heard of the run";
    sets.sets.push_back(
        {deps_.clock->now(), "node", {}, {storage::step_run{one.run.head.id, std::move(command), false}}});
  }
  request(deps_.store, caf::infinite, std::move(sets)).then([](commit_results&) {}, [](caf::error&) {});
  answer->deliver(claim_answer{failure{errc::not_found, "the session has ended", {}, {}}});
}

void dispatcher::unpick(const claim_runs& wish, core::run_id run, bool again) {
  const bool committed = tentative_.erase(run) == 0;
  board_.unreserve(run, again && committed);
  roster_.unreserve(wish.who, run);
}

void dispatcher::serve_waiting(asking whom) {
  if (!ready_ || closed_ || board_.ready() == 0) return;
  const auto now = deps_.clock->now();
  if (pauses_end_ != core::never && pauses_end_ <= now) pauses_changed(now);
  if (pauses_.holds_all(now)) return;
  for (auto it = waiting_.begin(); it != waiting_.end() && board_.ready() > 0;) {
    auto* seat = roster_.find(it->wish.who);
    if (seat != nullptr && (seat->free_slots() == 0 || !board_.anything_for(seat->who))) {
      ++it;
    } else if (seat != nullptr && hook_ != nullptr && passes_hook(seat->who)) {
      const auto at = it++;
      if (whom == asking::hook) go_on_through_hook(at);
    } else if (seat == nullptr || try_claim(it->wish, it->answer)) {
      it = waiting_.erase(it);  // of a session that is gone: its guard answers
    } else {
      ++it;
    }
  }
  note_waits();
}

void dispatcher::note_waits() {
  if (deps_.intake) deps_.intake->claims_wait(!waiting_.empty());
}

void dispatcher::end_waits(core::instant now) {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (it->until > now) {
      alarm_.arm(dispatcher_actor{this}, it->until, now);
      ++it;
      continue;
    }
    end_wait(it++);
  }
}

void dispatcher::end_wait(std::list<waiting_claim>::iterator w) {
  deps_.says.count(metric::claims_total, 1, "empty");
  w->answer->deliver(claim_answer{nothing_for(w->wish.who)});
  waiting_.erase(w);
}

// What a session is told that got nothing: perhaps there was nothing, perhaps it takes nothing.
claimed_runs dispatcher::nothing_for(core::session_id who) {
  claimed_runs none;
  const auto* seat = roster_.find(who);
  if (seat == nullptr) return none;
  none.state = seat->who.state;
  none.delay = delay_of(who);
  none.reasons = core::why_nothing({&seat->who, seat->free_slots()});
  const auto now = deps_.clock->now();
  for (auto& no : pauses_.why(seat->who, now)) none.reasons.push_back(std::move(no));
  if (hook_ != nullptr)
    for (auto& no : hook_on_session(seat->who, now)) none.reasons.push_back(std::move(no));
  return none;
}

// Most have learned nothing.
core::span dispatcher::delay_of(core::session_id who) {
  if (delays_.empty()) return core::span{0};
  const auto* seat = roster_.find(who);
  if (seat == nullptr) return core::span{0};
  const auto it = delays_.find(seat->who.agent_type);
  return it == delays_.end() ? core::span{0} : it->second;
}

void dispatcher::arrive(const core::session& who) {
  roster_.arrive(who);
  // It is told at once that it is to leave, and not when its patience is over.
  if (who.state == core::session_state::draining) end_waits_of(who.id);
  note_change();
  serve_waiting();
}

// Whose claims are told, as long as a wake of theirs is out. A run that was won before the word came is told
// at once.
void dispatcher::watch(const watch_claims& asked) {
  runs_taken news;
  for (const auto& [run, who] : asked.woken) {
    if (roster_.find(who) == nullptr) continue;
    woken_.insert(who);
    const auto it = elsewhere_.find(run);
    if (it != elsewhere_.end() && it->second.holder == who) news.taken.push_back({run, who});
  }
  for (const auto who : asked.done) woken_.erase(who);
  if (!news.taken.empty() && taken_to_) caf::anon_send(taken_to_, std::move(news));
}

void dispatcher::end_waits_of(core::session_id who) {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (it->wish.who != who) {
      ++it;
      continue;
    }
    deps_.says.count(metric::claims_total, 1, "empty");
    it->answer->deliver(claim_answer{nothing_for(who)});
    it = waiting_.erase(it);
  }
}

void dispatcher::drop_waits_of(core::session_id who) {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (it->wish.who != who) {
      ++it;
      continue;
    }
    it->answer->deliver(
        claim_answer{failure{errc::not_found, "the session " + to_string(who) + " has ended", {}, {}}});
    it = waiting_.erase(it);
  }
}

}  // namespace belfry::actors
