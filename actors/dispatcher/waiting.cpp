// What the cycle is told of runs that wait and of sessions that sleep, and what a person is told of the line.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/dispatcher/dispatcher.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "actors/support/limits.hpp"

namespace belfry::actors {

using namespace messages;

namespace {

// Runs of one kind that a cycle looks at: no more than can be woken for, and not many when there are many
// kinds.
constexpr std::size_t least_fronts = 8;
constexpr std::size_t fronts_in_all = 10'000;

bool sleeps(const seat& s) {
  return core::can_be_woken(s.who) && core::may_take_anything({&s.who, s.free_slots()});
}

}  // namespace

// A cycle is for those who have to be woken: while nobody from outside is here, the timer is enough.
void dispatcher::note_change() {
  if (change_told_ || !ready_ || !listener_ || roster_.outsiders() == 0) return;
  change_told_ = true;
  caf::anon_send(listener_, waiting_changed{});
}

// The wall clock may be set; how long somebody has waited does not change with that.
core::instant dispatcher::patience_now() const {
  return patience_zero_ + (deps_.clock->steady() - core::never);
}

waiting_seen dispatcher::look(const look_at_waiting& asked) {
  change_told_ = false;
  const auto now = deps_.clock->now();
  waiting_seen told;
  auto& seen = told.seen;
  seen.at = now;
  std::vector<core::session> own;  // they come by themselves
  std::size_t sleeping = 0;
  // Where nothing waits nobody is to be woken, and ten thousand sessions would be copied for nothing.
  const bool anything = board_.ready() > 0;
  for (const auto* seat : roster_.here()) {
    ++seen.present;
    if (anything) {
      const bool room = board_.room_for(seat->who) && !pauses_.holds(seat->who, now);
      seen.sessions.push_back({seat->who, seat->free_slots(), room});
      if (room && sleeps(*seat)) ++sleeping;
    }
    if (!core::owned_by_node(seat->who)) continue;
    own.push_back(seat->who);
    own.back().state = core::session_state::active;
    own.back().prompting = false;
  }
  core::judging by;
  by.now = patience_now();
  by.minimum_age = asked.minimum_age;
  by.excused = [&own](const core::requirement& needs, core::handler_kind handler) {
    return std::any_of(own.begin(), own.end(),
                       [&](const core::session& s) { return core::may_take(s, needs, handler); });
  };
  const auto held = [this, now](const std::string& type) {
    const auto set = pauses_.of(core::the_agent_type(type));
    return std::any_of(set.begin(), set.end(), [&](const auto& p) { return core::stands(p, now); });
  };
  std::vector<std::pair<core::session, bool>> outside;  // with whether its type is held; while any is
  if (pauses_.any_agent_type())
    for (const auto* seat : roster_.here()) {
      if (core::owned_by_node(seat->who)) continue;
      outside.emplace_back(seat->who, held(seat->who.agent_type));
      outside.back().first.state = core::session_state::active;
      outside.back().first.prompting = false;
    }
  by.paused = [this, &held, &outside](const core::requirement& needs) {
    if (!pauses_.any_agent_type()) return false;
    if (!needs.agent_types.empty())
      return std::all_of(needs.agent_types.begin(), needs.agent_types.end(), held);
    // Any type will do; but when all who are here and could take it are held, nobody neglects it.
    bool somebody = false;
    for (const auto& [who, is_held] : outside) {
      if (!core::may_take(who, needs, core::handler_kind::none)) continue;
      if (!is_held) return false;
      somebody = true;
    }
    return somebody;
  };
  seen.paused = pauses_.holds_all(now);
  if (hook_ != nullptr) seen.refused = hook_->memory.holding(now);
  if (pauses_end_ != core::never && pauses_end_ <= now) pauses_changed(now);
  for (const auto& run : asked.known)
    if (!board_.starve(run.id, run.held)) told.starving.over.push_back(run.id);
  if (asked.minimum_age > core::span{0} && ready_ && !closed_ && !seen.paused) {
    // Who begins is found once per interval, so that a count is a whole one; who ends, at once.
    if (!asked.judge) by.at_most = 0;
    auto news = board_.judge(by);
    told.starving.begun = std::move(news.begun);
    told.starving.over.insert(told.starving.over.end(), news.over.begin(), news.over.end());
    told.starving.more = asked.judge && news.more;
    if (asked.judge) told.holds = board_.holds(by);
  }
  seen.kinds = board_.kinds();
  for (const auto& kind : seen.kinds)
    if (seen.paused || kind.paused) seen.paused_runs += kind.ready;
  const auto kinds = std::max<std::size_t>(seen.kinds.size(), 1);
  seen.fronts = board_.fronts(std::max(least_fronts, std::min(sleeping, fronts_in_all / kinds)), now);
  const auto counts = board_.counts();
  seen.pending = counts.ready + counts.reserved;
  seen.active = counts.live;
  seen.delayed = elsewhere_.size() - roster_.held();
  return told;
}

core::result<backlog_seen> dispatcher::look(const look_at_backlog& asked) const {
  if (asked.runs.size() > most_at_a_time) return *refuse_length(asked.runs.size(), "/runs");
  const auto now = deps_.clock->now();
  backlog_seen seen;
  seen.runs.reserve(asked.runs.size());
  const explain_run* alike = nullptr;  // the last one that nothing holds: runs of one kind stand together
  core::wait_reason same;
  for (const auto& one : asked.runs) {
    auto told = where(one.head, now);
    if (told.reasons.empty() && one.head.state == core::run_state::queued) {
      if (alike == nullptr || alike->handler != one.handler || !(alike->head.needs == one.head.needs))
        same = nobody_has(one.head.needs, one.handler);
      alike = &one;
      told.reasons.push_back(same);
    }
    seen.runs.push_back(std::move(told));
  }
  return seen;
}

// Why nobody has it although nothing holds it: what `explain` comes to, without a verdict for each session.
core::wait_reason dispatcher::nobody_has(const core::requirement& needs, core::handler_kind handler) const {
  std::size_t busy = 0;
  for (const auto* seat : roster_.here()) {
    auto may = core::may_take(seat->who, needs, handler);
    if (!may && seat->who.prompting) {
      auto answered = seat->who;
      answered.prompting = false;
      if (core::may_take(answered, needs, handler)) ++busy;
    }
    if (may && seat->free_slots() > 0) return {"no_session", "it is next for whoever may take it"};
    if (may) ++busy;
  }
  if (busy > 0)
    return {"all_busy", "sessions that may take it, but have no free slot: " + std::to_string(busy)};
  return {"no_capable_session", "no session here may take it"};
}

}  // namespace belfry::actors
