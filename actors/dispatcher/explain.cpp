// Why a queued run is not claimed, and why a session gets nothing: the rules that a claim goes by, asked one
// by one.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/dispatcher/dispatcher.hpp"

#include <algorithm>
#include <utility>

#include "core/spawn/choice.hpp"

namespace belfry::actors {

using namespace messages;

namespace {

constexpr std::size_t verdicts_told = 50;

bool is_busy(const core::ineligible& no) { return no.code == "no_free_slot" || no.code == "prompting"; }
bool is_hook(const core::ineligible& no) { return no.code.starts_with("hook_"); }

// It may take the run, but not now: it has no slot, or waits.
bool only_busy(const session_verdict& v) {
  return std::any_of(v.reasons.begin(), v.reasons.end(), is_busy) &&
         std::all_of(v.reasons.begin(), v.reasons.end(),
                     [](const core::ineligible& no) { return is_busy(no) || is_hook(no); });
}

// Nothing but the claim hook stands in the way.
bool only_hook(const session_verdict& v) {
  return !v.reasons.empty() && std::all_of(v.reasons.begin(), v.reasons.end(), is_hook);
}

// What the verdicts come to, in one word.
core::wait_reason summary_of(const std::vector<session_verdict>& all) {
  const auto able = static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [](const session_verdict& v) { return v.reasons.empty(); }));
  const auto busy = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), only_busy));
  if (able > 0) return {"no_session", "it is next for whoever may take it; no session that may has asked"};
  const auto hooked = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), only_hook));
  if (hooked > 0) {
    const auto& no = std::find_if(all.begin(), all.end(), only_hook)->reasons.front();
    if (no.code == "hook_asked") return {"no_session", no.text};
    return {no.code,
            "sessions that may take it, but for the claim hook: " + std::to_string(hooked) + "; " + no.text};
  }
  if (busy > 0)
    return {"all_busy", "sessions that may take it, but have no free slot: " + std::to_string(busy)};
  if (all.empty()) return {"no_capable_session", "there are no sessions"};
  return {"no_capable_session", "none of the " + std::to_string(all.size()) +
                                    " sessions here may take it; closest: " + to_string(all.front().id) +
                                    ", " + all.front().reasons.front().text};
}

}  // namespace

// What holds a run, sessions apart, its place in line and when it starts.
explanation dispatcher::where(const core::run_head& head, core::instant now) const {
  explanation told;
  if (const auto reason = core::wait_reason_of(head, now)) told.reasons.push_back(*reason);
  if (head.state != core::run_state::queued) return told;
  // Pauses first: whatever else holds it, nobody gets it before they are lifted.
  told.reasons = pauses_.why(head, now);
  const bool paused = !told.reasons.empty();
  for (auto& reason : board_.reasons(head.id, now)) told.reasons.push_back(std::move(reason));
  told.position = board_.position(head.id);
  if (told.position && paused)
    told.start.basis = "it is paused";
  else if (told.position)
    told.start = paces_.start_of(head.lane, head.prio, *told.position, now);
  return told;
}

core::result<explanation> dispatcher::explain(const explain_run& asked) {
  const auto& head = asked.head;
  const auto now = deps_.clock->now();
  auto told = where(head, now);
  if (head.state != core::run_state::queued) return told;
  for (const auto* seat : roster_.here()) {
    auto no = core::why_not(core::standing{&seat->who, seat->free_slots()}, head.needs, asked.handler);
    // What holds everybody is told of the run; this is about what holds one session.
    if (!pauses_.holds_all(now))
      for (auto& p : pauses_.why(seat->who, now)) no.push_back(std::move(p));
    if (hook_ != nullptr)
      for (auto& h : hook_on(seat->who, head.id, head.job, asked.handler, now)) no.push_back(std::move(h));
    told.sessions.push_back({seat->who.id, seat->who.name, std::move(no)});
  }
  std::stable_sort(told.sessions.begin(), told.sessions.end(),
                   [](const auto& a, const auto& b) { return a.reasons.size() < b.reasons.size(); });
  if (told.reasons.empty()) {
    if (board_.contains(head.id))
      told.reasons.push_back(summary_of(told.sessions));
    else
      told.reasons.push_back({"being_claimed", "a claim of it is on its way to the store"});
  }
  if (told.sessions.size() > verdicts_told) told.sessions.resize(verdicts_told);
  for (auto& v : told.sessions)
    if (v.reasons.empty()) v.reasons = held_for(head, asked.handler, *roster_.find(v.id));
  return told;
}

core::result<capable> dispatcher::who_could(const ask_capable& asked) const {
  capable told;
  told.somebody.assign(asked.runs.size(), false);
  for (const auto* seat : roster_.here()) {
    auto free = seat->who;  // of its state and its slots nothing is said
    free.state = core::session_state::active;
    free.prompting = false;
    for (std::size_t i = 0; i < asked.runs.size(); ++i)
      if (!told.somebody[i])
        told.somebody[i] = core::may_take(free, asked.runs[i].needs, asked.runs[i].handler);
  }
  // Nobody is here, but somebody can be started.
  for (std::size_t i = 0; i < asked.runs.size(); ++i)
    if (!told.somebody[i])
      told.somebody[i] = !core::choose(deps_.agent_types, asked.runs[i].needs, asked.runs[i].handler).empty();
  return told;
}

// What keeps a run from a session that may take it by the rules: pauses, then limits, and its turn.
std::vector<core::ineligible> dispatcher::held_for(const core::run_head& head, core::handler_kind handler,
                                                   const seat& at) {
  const auto now = deps_.clock->now();
  auto reasons = pauses_.why(head, now);
  std::vector<core::ineligible> all;
  if (hook_ != nullptr) all = hook_on(at.who, head.id, head.job, handler, now);
  if (reasons.empty() && all.empty())
    reasons = board_.reasons_for(head.id, wish_of(at, 1, core::priority::low), now);
  for (auto& r : reasons) all.push_back({std::move(r.code), std::move(r.text)});
  return all;
}

core::result<session_explanation> dispatcher::explain(const explain_session& asked) {
  const auto* seat = roster_.find(asked.who);
  const core::standing at =
      seat == nullptr ? core::standing{} : core::standing{&seat->who, seat->free_slots()};
  session_explanation told;
  told.reasons = asked.needs ? core::why_not(at, *asked.needs, asked.handler) : core::why_nothing(at);
  if (seat == nullptr) return told;
  for (auto& p : pauses_.why(seat->who, deps_.clock->now())) told.reasons.push_back(std::move(p));
  if (asked.run.id && told.reasons.empty()) told.reasons = held_for(asked.run, asked.handler, *seat);
  if (hook_ != nullptr && !asked.run.id) explain_hook(*seat, deps_.clock->now(), told);
  told.slots = seat->who.slots;
  told.slots_used = seat->who.slots - std::min(seat->free_slots(), seat->who.slots);
  // Of its state and its slots the reasons tell; this is about the work that there is.
  auto free = seat->who;
  free.state = core::session_state::active;
  free.prompting = false;
  told.ready = board_.ready_for(free);
  return told;
}

}  // namespace belfry::actors
