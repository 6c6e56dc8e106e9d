#include "actors/support/message_types.hpp"
// after the message types
#include "actors/wake_desk/wake_desk.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "actors/support/limits.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;
using core::open_wake;
using platform::metric;

namespace {

constexpr std::size_t facts_at_a_time = 1000;
constexpr std::size_t most_facts = 30'000;
constexpr std::size_t longest_name = 200;

core::wake_bounds bounds_of(const wake_delivery_options& o) {
  core::wake_bounds b;
  b.total = o.max_outstanding;
  b.remembered = o.max_outstanding;
  b.acknowledge_within = o.acknowledge_within;
  return b;
}

std::string cut(const std::string& name) {
  if (name.size() <= longest_name) return name;
  auto end = longest_name;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80) --end;  // not inside a character
  return name.substr(0, end);
}

}  // namespace

wake_desk::wake_desk(caf::actor_config& cfg, wake_desk_deps deps)
    : wake_desk_actor::base(cfg),
      deps_{std::move(deps)},
      box_{bounds_of(deps_.options)},
      since_{deps_.clock->now()} {}

auto wake_desk::make_behavior() -> behavior_type {
  caf::anon_send(deps_.claims, tell_claims{claim_listener{wake_desk_actor{this}}});
  return {
      [this](const deliver_wakes& asked) {
        wakes_delivered all;
        const auto now = deps_.clock->now();
        all.answers.reserve(asked.targets.size());
        for (const auto& target : asked.targets)
          if (all.answers.size() < most_at_a_time)
            all.answers.push_back(wake_one(target, false, now));
          else
            all.answers.emplace_back(failure{errc::overloaded, "more than 1,000 wakes at a time", {}, {}});
        done_for_now();
        return all;
      },
      [this](const await_wakes& asked) { return await(asked); },
      [this](const acknowledge_wakes& asked) {
        auto answer = acknowledge(asked);
        done_for_now();
        return answer;
      },
      [this](const wake_by_hand& asked) {
        auto answer = wake_one(asked.target, true, deps_.clock->now());
        done_for_now();
        return answer;
      },
      [this](const look_at_wakes& asked) {
        auto told = log_.of(asked.run);
        return core::result<wakes_seen>{wakes_seen{since_, told.all, std::move(told.wakes)}};
      },
      [this](const session_changed& news) {
        arrive(news.who);
        done_for_now();
      },
      [this](const session_gone& news) {
        leave(news);
        done_for_now();
      },
      [this](const tell_life& asked) { life_.tell_to(asked.who); },
      [this](const runs_taken& news) {
        taken(news);
        done_for_now();
      },
      [this](const tell_wakes& asked) { listener_ = asked.who; },
      [this](const sink_spoke& news) {
        answered(news);
        done_for_now();
      },
      [this](close_claims) { close(); },
      [this](const alarm_rang& ring) {
        if (!alarm_.rang(ring)) return;
        look();
        done_for_now();
      },
  };
}

void wake_desk::on_exit() {
  if (deps_.webhooks != nullptr) deps_.webhooks->abandon();
  for (const auto& [id, who] : commands_) deps_.processes->abandon(key_of(id), [] {});
  commands_.clear();
  polls_.clear();
  life_.clear();
  listener_ = nullptr;
  deps_.store = nullptr;
  deps_.claims = nullptr;
}

core::result<wake_sent> wake_desk::wake_one(const wake_target& target, bool by_hand, core::instant now) {
  open_wake wanted;
  wanted.run = target.run;
  wanted.session = target.session;
  wanted.prio = target.prio;
  wanted.starved = target.starved;
  wanted.by_hand = by_hand;
  wanted.name = cut(target.name);
  const auto refuse = [&](failure why) -> core::result<wake_sent> {
    deps_.says.count(metric::wakes_total, 1, "refused");
    log_.refused(wanted, why.text, now);
    return why;
  };
  const auto who = sinks_.find(target.session);
  if (who == sinks_.end())
    return refuse({errc::not_found,
                   "there is no session " + to_string(target.session) + ", or it has gone",
                   {},
                   "belfry session list"});
  if (auto may = may_send(who->second); !may) return refuse(std::move(may.error()));
  auto placed = box_.put(wanted, now);
  if (!placed) return refuse(std::move(placed.error()));
  const auto& what = placed->what;
  if (placed->fresh) {
    log_.sent(what);
    deps_.says.count(metric::wakes_total, 1, "sent");
    note(core::event_kind::wake_sent, what,
         to_string(what.id) + " to " + to_string(what.session) + " by " +
             std::string{to_text(who->second.via)} + (what.starved ? ", starved" : "") +
             (by_hand ? ", by hand" : ""),
         "node");
    claims_.woken.push_back({what.run, what.session});
    fresh_.insert(what.session);
    hand_out(what, who->second);
  }
  return wake_sent{what.id};
}

// It is out of the box already.
void wake_desk::finish(const open_wake& what, outcome how, const std::string& text,
                       const std::string& actor) {
  wake_changed news;
  news.id = what.id;
  news.run = what.run;
  news.session = what.session;
  const auto name = to_string(what.id) + " to " + to_string(what.session);
  log_.ended(what, how, text, deps_.clock->now());
  switch (how) {
    case outcome::waiting:
    case outcome::refused: return;  // neither is an end
    case outcome::acknowledged:
      news.fate = wake_fate::acknowledged;
      deps_.says.count(metric::wakes_total, 1, "acknowledged");
      note(core::event_kind::wake_acknowledged, what, name, actor);
      break;
    case outcome::claimed:
      news.fate = wake_fate::claimed;
      deps_.says.count(metric::wakes_total, 1, "claimed");
      note(core::event_kind::wake_acknowledged, what, name + ": it claimed the run", actor);
      break;
    case outcome::failed:
      news.fate = wake_fate::failed;
      news.text = text;
      deps_.says.count(metric::wakes_total, 1, "failed");
      note(core::event_kind::wake_failed, what, name + ": " + text, actor);
      break;
  }
  if (!box_.any_of(what.session)) claims_.done.push_back(what.session);
  if (listener_ && !what.by_hand) caf::anon_send(listener_, std::move(news));
}

void wake_desk::taken(const runs_taken& news) {
  for (const auto& [run, who] : news.taken)
    if (const auto what = box_.claim(who, run)) finish(*what, outcome::claimed, {}, to_string(who));
}

core::result<wakes_heard> wake_desk::acknowledge(const acknowledge_wakes& asked) {
  if (auto no = refuse_length(asked.wakes.size(), "/wakes")) return core::result<wakes_heard>{std::move(*no)};
  if (!sinks_.contains(asked.who))
    return failure{errc::not_found,
                   "there is no session " + to_string(asked.who) + ", or it has gone",
                   {},
                   "belfry session list"};
  life_.heard(asked.who, deps_.clock->now());
  look();  // what is late is late, also when the alarm rings late
  wakes_heard all;
  for (const auto id : asked.wakes) {
    auto heard = box_.acknowledge(asked.who, id);
    if (!heard) {
      all.answers.emplace_back(std::move(heard.error()));
      continue;
    }
    if (!heard->repeated) finish(heard->what, outcome::acknowledged, {}, to_string(asked.who));
    all.answers.emplace_back(wake_heard{id, heard->what.run, heard->repeated});
  }
  return all;
}

void wake_desk::arrive(const core::session& who) {
  if (who.state == core::session_state::gone) return leave({who.id, "gone", false});
  auto& sink = sinks_[who.id];
  sink = who.wake;
  if (who.local) sink.via = core::wake_via::none;
}

void wake_desk::leave(const session_gone& news) {
  sinks_.erase(news.id);
  life_.forget(news.id);
  for (const auto& what : box_.fail_all_of(news.id))
    finish(what, outcome::failed, "the session has gone", "node");
  for (const auto& [id, who] : commands_)
    if (who == news.id) deps_.processes->stop(key_of(id), platform::stop_reason::cancel);
  if (const auto it = polls_.find(news.id); it != polls_.end()) {
    const auto all = std::move(it->second);
    polls_.erase(it);
    for (const auto& one : all) {
      pollers_.erase(one.number);
      patience_.clear(one.number);
      one.answer->deliver(
          poll_answer{failure{errc::not_found, "the session " + to_string(news.id) + " has ended", {}, {}}});
    }
  }
}

void wake_desk::look() {
  const auto now = deps_.clock->now();
  for (const auto& what : box_.overdue(now))
    finish(
        what, outcome::failed,
        "not acknowledged within " + std::to_string(core::millis(deps_.options.acknowledge_within)) + " ms",
        "node");
  for (const auto number : patience_.take_due(now, patience_.size())) end_poll(number);
  stop_late_commands(now);
}

// What one message has brought about goes out together: to the dispatcher first, so that it knows who was
// woken before anybody can claim because of it.
void wake_desk::done_for_now() {
  std::erase_if(claims_.done, [this](core::session_id who) { return box_.any_of(who); });
  if (!claims_.woken.empty() || !claims_.done.empty())
    caf::anon_send(deps_.claims, std::exchange(claims_, {}));
  for (const auto who : std::exchange(fresh_, {})) serve_polls_of(who);
  write();
  const auto now = deps_.clock->now();
  for (const auto& next : {box_.next_overdue(), patience_.next(), command_ends_.next()})
    if (next) alarm_.arm(wake_desk_actor{this}, *next, now);
}

void wake_desk::note(core::event_kind kind, const open_wake& what, std::string text, std::string actor) {
  if (facts_.size() >= most_facts) {
    ++facts_lost_;
    return;
  }
  core::event e;
  e.at = deps_.clock->now();
  e.kind = kind;
  e.run = what.run;
  e.actor = std::move(actor);
  e.text = std::move(text);
  facts_.push_back(std::move(e));
}

// One commit at a time; what comes meanwhile goes into the next. A store that refuses costs the facts, never
// a wake.
void wake_desk::write() {
  if (writing_ || facts_.empty()) return;
  const auto count = std::min(facts_.size(), facts_at_a_time);
  commit_changes sets;
  sets.sets.push_back({deps_.clock->now(), "node", {}, {}});
  auto& changes = sets.sets.front().changes;
  changes.reserve(count);
  for (std::size_t i = 0; i < count; ++i) changes.emplace_back(storage::note_event{std::move(facts_[i])});
  facts_.erase(facts_.begin(), facts_.begin() + static_cast<std::ptrdiff_t>(count));
  writing_ = true;
  const auto written = [this, count](const std::string& trouble) {
    writing_ = false;
    if (!trouble.empty()) facts_lost_ += count;
    if (const auto lost = std::exchange(facts_lost_, 0); lost > 0)
      deps_.says.say(note_level::warning,
                     "wakes-not-in-the-journal facts=" + std::to_string(lost) + " " + trouble);
    write();
  };
  request(deps_.store, caf::infinite, std::move(sets))
      .then(
          [written](commit_results& r) {
            const auto& answer = r.answers.front();
            written(answer ? std::string{} : answer.error().text);
          },
          [written](caf::error&) { written("storage is gone"); });
}

}  // namespace belfry::actors
