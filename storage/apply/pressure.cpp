// The queue as it presses, provider limits and their probes, learned delays: decided in the commit of what
// causes them.
#include <algorithm>
#include <charconv>
#include <utility>

#include "core/pause/probe.hpp"
#include "core/time/text.hpp"
#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

using core::failure;

namespace {

constexpr const char* pressure_note = "backpressure";   // since when; "0": there is none
constexpr const char* delays_note = "provider_delays";  // core::learned_delays
constexpr std::size_t queued_state = static_cast<std::size_t>(core::run_state::queued);

core::priority lowest_of(const insert_runs& c) {
  auto lowest = core::priority::urgent;
  for (const auto& s : c.runs) lowest = std::max(lowest, s.spec->prio);
  return lowest;
}

std::string provider_of(const core::cmd_settle& c, const core::session& who) {
  std::string name = c.resource.empty() ? who.agent_type : c.resource;
  for (auto& ch : name)  // an owner has no blanks
    if (ch <= ' ' || ch >= 0x7f || ch == '"' || ch == '\'') ch = '_';
  return name.substr(0, 100);
}

}  // namespace

void engine::read_lessons() {
  const auto text = rows_.find_note(pressure_note);
  std::int64_t us = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), us);
  if (wrong == std::errc{} && end == text.data() + text.size() && us > 0)
    pressed_since_ = core::from_micros(us);
  durable_pressed_since_ = pressed_since_;
  auto [delays, unreadable] = core::learned_delays::decode(rows_.find_note(delays_note));
  delays_ = durable_delays_ = std::move(delays);
  unreadable_delays_ = unreadable;
}

core::pressure engine::press(std::int64_t queued, core::instant since, core::instant now) const {
  core::pressure p;
  p.rule = rules_.backpressure;
  p.queued = static_cast<std::uint64_t>(std::max<std::int64_t>(queued, 0));
  p.since = since;
  if (since == core::never) return p;
  const auto end = core::end_of(p.rule);
  p.wait = departures_.time_for(p.queued, now);
  p.relief = departures_.time_for(p.queued >= end ? p.queued - end + 1 : 0, now);
  return p;
}

core::pressure engine::pressure(core::instant now) const {
  return press(durable_.states[queued_state], durable_pressed_since_, now);
}

std::optional<failure> engine::refuse_submission(const work& w, const insert_runs& c) const {
  if (!c.outside || pressed_since_ == core::never) return std::nullopt;
  return core::refuse_submission(press(pending_.states[queued_state], pressed_since_, w.set.now),
                                 lowest_of(c));
}

// After every set: an episode begins or ends in the commit that filled or emptied the queue.
void engine::watch_pressure(work& w) {
  const auto queued = pending_.states[queued_state];
  const auto& rule = rules_.backpressure;
  const auto news = core::decide_pressure(rule, pressed_since_ != core::never,
                                          static_cast<std::uint64_t>(std::max<std::int64_t>(queued, 0)));
  if (news == core::pressure_change::none) return;
  core::event e;
  e.actor = "node";
  if (news == core::pressure_change::began) {
    pressed_since_ = w.set.now;
    e.kind = core::event_kind::backpressure_started;
    e.text =
        std::string{core::to_text(rule.mode)} + ": " + core::told(press(queued, pressed_since_, w.set.now));
  } else {
    e.kind = core::event_kind::backpressure_ended;
    const auto took = std::max(w.set.now - pressed_since_, core::span{0});
    e.text = std::to_string(queued) + " runs are queued, after " +
             core::to_text(core::span{std::chrono::duration_cast<std::chrono::seconds>(took)});
    pressed_since_ = core::never;
  }
  rows_.put_note(pressure_note,
                 std::to_string(pressed_since_ == core::never ? 0 : core::micros(pressed_since_)));
  append(w, std::move(e));
}

// What could not be read of the learned delays is said once, by the first set of this life.
void engine::say_what_was_lost(work& w) {
  if (unreadable_delays_ == 0) return;
  core::event e;
  e.actor = "node";
  e.kind = core::event_kind::provider_delays_reset;
  e.text = std::to_string(std::exchange(unreadable_delays_, 0)) +
           " learned delays could not be read and begin anew";
  append(w, std::move(e));
  rows_.put_note(delays_note, delays_.encode());
}

void engine::learn_limit(work& w, const std::string& agent_type) {
  const auto before = delays_.of(agent_type);
  const auto now = delays_.limited(agent_type, rules_.delays);
  if (now != before) tell_delay(w, agent_type, before);
}

void engine::tell_delay(work& w, const std::string& agent_type, core::span before) {
  const auto delay = delays_.of(agent_type);
  append(w, core::event_kind::provider_delay_changed, {}, {},
         "agent type \"" + agent_type + "\": " + core::to_text(before) + " -> " + core::to_text(delay));
  rows_.put_note(delays_note, delays_.encode());
  w.out.delays.push_back({agent_type, delay});
}

// A claim that was decided: the pauses of the claimer's type whose time is over wait for what becomes of it.
void engine::start_probe(work& w, const core::run_head& claimed) {
  if (!paused_->any_agent_type()) return;
  const auto who = rows_.find_session(claimed.held.holder);
  if (!who) return;
  const auto on = core::the_agent_type(who->agent_type);
  auto d = core::decide_probe(on, paused_->of(on), claimed.id, w.set.now);
  if (d.changed) pause(w, on, std::move(d), nullptr);
}

void engine::end_probe(work& w, const core::attempt_record& ended, core::instant due_at) {
  if (!paused_->any_agent_type()) return;
  // By the run and not by its holder: a session may be forgotten before its attempt has ended.
  for (const auto& on : paused_->probed_by(ended.run)) {
    auto d =
        core::decide_probe_ended(on, paused_->of(on), ended.run, core::result_of(ended), due_at, w.set.now);
    if (d.changed) pause(w, on, std::move(d), nullptr);
  }
}

// What the end of an attempt teaches about the provider of its agent type.
void engine::learn(work& w, const core::attempt_record& ended) {
  const bool limited = ended.klass == core::failure_class::rate_limited;
  if (!limited && (delays_.empty() || ended.outcome != core::run_state::succeeded)) return;
  const auto who = rows_.find_session(ended.holder);
  if (!who || who->agent_type.empty()) return;
  if (limited) return learn_limit(w, who->agent_type);
  const auto before = delays_.of(who->agent_type);
  if (delays_.succeeded(who->agent_type, rules_.delays)) tell_delay(w, who->agent_type, before);
}

// The worker said with the end of its attempt that the limit is one of its whole agent type.
void engine::hold_type(work& w, const core::cmd_settle& c, const core::attempt_record& ended) {
  if (c.limits_type == 0) return;
  const auto who = rows_.find_session(ended.holder);
  if (!who || who->agent_type.empty()) return;
  const auto kind = static_cast<core::limit_kind>(c.limits_type);
  const auto until =
      c.until ? *c.until : core::later(w.set.now, c.retry_after.value_or(core::probe_again_after));
  core::pause_entry entry{std::string{core::to_text(kind)},
                          provider_of(c, *who),
                          c.message.substr(0, 200),
                          w.set.now,
                          until,
                          w.set.actor};
  entry.probes = true;
  limit_type(w, core::the_agent_type(who->agent_type), std::move(entry), ended.run);
  // A failure of this class has taught it already.
  if (ended.klass != core::failure_class::rate_limited) learn_limit(w, who->agent_type);
}

// By the node for somebody who may: the owner is the provider, not who reports it.
std::optional<failure> engine::limit_type(work& w, const core::pause_target& on, core::pause_entry entry,
                                          core::run_id run) {
  auto there = paused_->of(on);
  const auto same = std::find_if(there.begin(), there.end(), [&](const core::pause_entry& e) {
    return e.reason == entry.reason && e.owner == entry.owner && core::stands(e, w.set.now);
  });
  // Somebody holds it by hand under that name: no report makes that end sooner, or by itself.
  const bool by_hand = same != there.end() && !same->probes;
  if (same != there.end() && same->until > entry.until) entry.until = same->until;  // the latest end wins
  const std::string owner = entry.owner;
  core::event said;
  said.kind = core::event_kind::provider_limited;
  said.run = run;
  said.text = core::to_text(on) + ": " + core::told(entry) + ", until " + core::to_rfc3339(entry.until);
  w.changed = true;
  if (by_hand) {
    append(w, std::move(said));
    return std::nullopt;
  }
  auto d = core::decide_pause(on, std::move(there), std::move(entry), owner, w.set.now);
  if (!d) return std::move(d).error();
  append(w, std::move(said));
  if (d->changed) pause(w, on, std::move(*d), nullptr);
  return std::nullopt;
}

}  // namespace belfry::storage
