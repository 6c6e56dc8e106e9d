#include "actors/support/message_types.hpp"
// after the message types
#include "actors/wake_coordinator/wake_coordinator.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "actors/support/failures.hpp"

namespace belfry::actors {

using namespace messages;
using platform::metric;

namespace {

// A stream of changes becomes a cycle now and then, and the first of them one at once.
constexpr core::span cycle_spacing = std::chrono::milliseconds{20};
constexpr core::span figures_kept_every = std::chrono::seconds{60};
constexpr std::size_t wakes_per_message = 1000;
constexpr std::size_t told_of_each = 1000;

core::counted_runs counted(const std::vector<core::run_id>& runs, std::uint64_t at_least = 0) {
  core::counted_runs c;
  for (const auto run : runs) c.add(run);
  c.count = std::max(c.count, at_least);
  return c;
}

}  // namespace

wake_coordinator::wake_coordinator(caf::actor_config& cfg, wake_coordinator_deps deps)
    : wake_coordinator_actor::base(cfg),
      deps_{std::move(deps)},
      memory_{deps_.options},
      alarm_{deps_.options.interval} {}

auto wake_coordinator::make_behavior() -> behavior_type {
  return {
      [this](start_cycles) { start(); },
      [this](waiting_changed) {
        change_ = true;
        plan();
      },
      [this](queue_compared) {
        // Who was woken is forgotten, who starves is not.
        memory_.clear();
        under_way_.clear();
        ++sums_.rebuilds;
        sums_.last_rebuild = deps_.clock->now();
        dirty_ = change_ = true;
        plan();
      },
      [this](const wake_changed& news) { changed(news); },
      [this](run_cycle) -> caf::result<core::result<core::cycle_result>> {
        if (closed_ || !started_)
          return core::result<core::cycle_result>{
              core::failure{core::errc::unavailable,
                            closed_ ? "stopping: no more cycles" : "starting",
                            {},
                            "belfry status"}};
        auto [guard, promise] = answer_later<core::result<core::cycle_result>>(this);
        asked_.push_back(guard);
        if (!running_) begin();
        return promise;
      },
      [this](const look_at_cycles& asked) { return look(asked); },
      [this](close_claims) {
        closed_ = true;
        if (started_) keep(true);
        for (auto& answer : std::exchange(asked_, {}))
          answer->deliver(core::result<core::cycle_result>{
              core::failure{core::errc::unavailable, "stopping: no more cycles", {}, "belfry status"}});
      },
      [this](const read_with& news) { deps_.reader = news.who; },
      [this](const alarm_rang& ring) {
        if (!alarm_.rang(ring) || running_ || closed_) return;
        const auto steady = deps_.clock->steady();
        const bool counts = steady - counted_at_ >= deps_.options.interval;
        if (change_ || more_ || counts || steady - ended_at_ >= deps_.options.interval) return begin();
        plan();
      },
  };
}

void wake_coordinator::on_exit() {
  asked_.clear();
  answering_.clear();
  deps_ = {};
}

// What the last process left: its figures, who was starving, and when the ladder last counted.
void wake_coordinator::start() {
  request(deps_.reader, caf::infinite, query{get_cycle_statistics{}})
      .then(
          [this](core::result<query_answer>& r) {
            if (r) sums_ = std::get<core::cycle_statistics>(std::move(*r));
            if (sums_.since == core::never) sums_.since = deps_.clock->now();
            request(deps_.ladder, caf::infinite, ask_ladder_known{})
                .then(
                    [this](ladder_known& known) {
                      known_ = std::move(known.runs);
                      const auto steady = deps_.clock->steady();
                      const auto now = deps_.clock->now();
                      // A node that is started again and again counts as often as one that is not.
                      const auto since = known.ticked_at == core::never || known.ticked_at > now
                                             ? core::span{0}
                                             : std::min(now - known.ticked_at, deps_.options.interval);
                      counted_at_ = steady - since;
                      kept_at_ = ended_at_ = steady;
                      started_ = true;
                      begin();
                    },
                    [this](caf::error& e) { quit(e); });
          },
          [this](caf::error& e) { quit(e); });
}

// The next cycle: at once, soon, or when the interval is over.
void wake_coordinator::plan() {
  if (!started_ || running_ || closed_) return;
  const auto steady = deps_.clock->steady();
  const auto now = deps_.clock->now();
  const bool soon = change_ || more_ || !asked_.empty();
  if (soon && steady - ended_at_ >= cycle_spacing) return begin();
  const auto counts_in = deps_.options.interval - (steady - counted_at_);
  const auto wait = soon ? cycle_spacing - (steady - ended_at_)
                         : std::min(deps_.options.interval - (steady - ended_at_), counts_in);
  alarm_.arm(wake_coordinator_actor{this}, core::later(now, std::max(wait, core::span{1000})), now);
}

void wake_coordinator::begin() {
  running_ = true;
  change_ = false;
  const bool goes_on = std::exchange(more_, false);
  answering_ = std::exchange(asked_, {});
  began_ = deps_.clock->steady();
  counting_ = began_ - counted_at_ >= deps_.options.interval;
  if (counting_) counted_at_ = began_;
  judging_ = counting_ || goes_on;
  result_ = {};
  result_.number = sums_.cycles + 1;
  result_.began = deps_.clock->now();
  result_.asked = !answering_.empty();
  request(deps_.sweeper, caf::infinite, sweep_now{})
      .then(
          [this](leases_recovered& swept) {
            result_.recovered_leases = std::move(swept.taken_back);
            snapshot();
          },
          [this](caf::error& e) { finish(failure_of(e, "lease sweeper").text); });
}

void wake_coordinator::snapshot() {
  look_at_waiting look{deps_.minimum_age, judging_, std::exchange(known_, {})};
  request(deps_.dispatcher, caf::infinite, std::move(look))
      .then(
          [this](waiting_seen& seen) {
            const auto& s = seen.seen;
            result_.pending = s.pending;
            result_.active = s.active;
            result_.paused = s.paused;
            result_.paused_runs = s.paused_runs;
            result_.sessions_scanned = s.present;
            result_.unclaimable = s.delayed;
            for (const auto& kind : s.kinds) result_.unclaimable += kind.held;
            more_ = more_ || seen.starving.more;
            climb up;
            up.count = counting_ && !s.paused && deps_.minimum_age > core::span{0};
            up.news = std::move(seen.starving);
            up.holds = std::move(seen.holds);
            for (const auto& run : s.fronts)
              if (run.starving) up.asked.push_back(run.id);
            request(deps_.ladder, caf::infinite, std::move(up))
                .then([this, at = std::make_shared<waiting_seen>(std::move(seen))](
                          climbed& ladder) { select(std::move(*at), ladder); },
                      [this](caf::error& e) { finish(failure_of(e, "escalation ladder").text); });
          },
          [this](caf::error& e) { finish(failure_of(e, "dispatcher").text); });
}

void wake_coordinator::select(waiting_seen seen, const climbed& ladder) {
  result_.starved = ladder.starved;
  result_.fanned_out = ladder.fanned_out;
  result_.spawns_requested = ladder.spawns_requested;
  result_.spawns_refused = ladder.spawns_refused;
  result_.needs_attention = ladder.needs_attention;
  if (!ladder.error.empty()) result_.error = ladder.error;
  if (seen.seen.paused) return finish();
  const std::unordered_set<core::run_id> fans{ladder.fan_out.begin(), ladder.fan_out.end()};
  if (seen.seen.sessions.size() < seen.seen.present) return finish();  // nothing waits
  memory_.tidy(seen.seen.at, seen.seen.sessions);
  auto choice = core::choose_wakes(seen.seen, memory_, deps_.options,
                                   [&](core::run_id run) { return counting_ && fans.contains(run); });
  result_.no_capable = counted(choice.no_capable, choice.no_capable_runs);
  result_.wrong_scope = counted(choice.wrong_scope, choice.wrong_scope_runs);
  result_.all_busy = counted(choice.all_busy);
  result_.all_cooldown = counted(choice.all_cooldown);
  result_.recently_notified = choice.recently_notified;
  deliver(std::move(choice.wakes));
}

void wake_coordinator::deliver(std::vector<core::chosen_wake> wakes) {
  result_.wakes_attempted = wakes.size();
  if (wakes.empty()) return finish();
  batches_ = (wakes.size() + wakes_per_message - 1) / wakes_per_message;
  for (std::size_t at = 0; at < wakes.size(); at += wakes_per_message) {
    const auto end = std::min(wakes.size(), at + wakes_per_message);
    auto some = std::make_shared<std::vector<core::chosen_wake>>(
        wakes.begin() + static_cast<std::ptrdiff_t>(at), wakes.begin() + static_cast<std::ptrdiff_t>(end));
    // The queue keeps no names: they are read for those who are woken. A wake goes out without one all the
    // same.
    get_names names;
    for (const auto& w : *some) names.runs.push_back(w.run);
    request(deps_.reader, caf::infinite, query{std::move(names)})
        .then(
            [this, some](core::result<query_answer>& r) {
              hand_over(some,
                        r ? std::get<std::vector<std::string>>(std::move(*r)) : std::vector<std::string>{});
            },
            [this, some](caf::error&) { hand_over(some, {}); });
  }
}

void wake_coordinator::hand_over(const std::shared_ptr<std::vector<core::chosen_wake>>& some,
                                 std::vector<std::string> names) {
  const auto none = [this, some](const std::string& why) {
    wakes_delivered how;
    how.answers.assign(some->size(), core::failure{core::errc::unavailable, why, {}, "belfry status"});
    note_delivery(*some, how);
  };
  if (!deps_.desk) return none("nobody delivers wakes in this node");
  names.resize(some->size());
  deliver_wakes m;
  for (std::size_t i = 0; i < some->size(); ++i) {
    const auto& w = some->at(i);
    m.targets.push_back({w.run, w.who, w.prio, w.starved, std::move(names[i])});
  }
  request(deps_.desk, caf::infinite, std::move(m))
      .then([this, some](wakes_delivered& how) { note_delivery(*some, how); },
            [none](caf::error& e) { none(failure_of(e, "wake desk").text); });
}

// An answer per target. A failed wake leaves no cooldown; whoever could not be reached is asked last.
void wake_coordinator::note_delivery(const std::vector<core::chosen_wake>& wakes, wakes_delivered& how) {
  const auto now = deps_.clock->now();
  for (std::size_t i = 0; i < wakes.size(); ++i) {
    const auto& w = wakes[i];
    const bool answered = i < how.answers.size();
    if (answered && how.answers[i]) {
      ++result_.wakes_succeeded;
      memory_.sent(w.run, w.who, now);
      under_way_[how.answers[i]->id] = {w.run, w.who};
      if (result_.woke.size() < told_of_each) result_.woke.push_back({w.run, w.who, {}});
    } else {
      ++result_.wakes_failed;
      memory_.tried(w.who, now);
      if (result_.not_woken.size() < told_of_each)
        result_.not_woken.push_back(
            {w.run, w.who,
             answered ? how.answers[i].error().text : std::string{"the wake desk gave no answer for it"}});
    }
  }
  if (--batches_ == 0) finish();
}

void wake_coordinator::changed(const wake_changed& news) {
  under_way_.erase(news.id);
  dirty_ = true;
  switch (news.fate) {
    case wake_fate::acknowledged:
    case wake_fate::claimed:
      ++sums_.wakes_acknowledged;
      return memory_.acknowledged(news.run, news.session, deps_.clock->now());
    case wake_fate::failed: ++sums_.wakes_unheard; return memory_.failed(news.run, news.session);
  }
}

void wake_coordinator::finish(const std::string& error) {
  if (!error.empty()) result_.error = error;
  ended_at_ = deps_.clock->steady();
  result_.took = ended_at_ - began_;
  running_ = false;
  core::add(sums_, result_);
  // A cycle that found nothing to do is not worth a write; the next one that did, and the stop, bring it.
  dirty_ = dirty_ || result_.asked || result_.wakes_attempted > 0 || result_.starved > 0 ||
           result_.recovered_leases.count > 0 || result_.needs_attention.count > 0 || !result_.error.empty();
  deps_.says.observe(metric::cycle_seconds, seconds(result_.took));
  if (!result_.error.empty()) deps_.says.say(note_level::warning, "cycle-failed " + result_.error);
  for (auto& answer : std::exchange(answering_, {}))
    answer->deliver(core::result<core::cycle_result>{result_});
  keep(false);
  plan();
}

caf::result<core::result<cycles_seen>> wake_coordinator::look(const look_at_cycles& asked) {
  if (!asked.reset) return core::result<cycles_seen>{cycles_seen{sums_, figures_kept_every}};
  auto [guard, promise] = answer_later<core::result<cycles_seen>>(this);
  core::cycle_statistics zero;
  zero.since = deps_.clock->now();
  storage::change_set set{zero.since, asked.actor, {}, {storage::keep_statistics{zero, true}}};
  request(deps_.store, caf::infinite, commit_changes{{std::move(set)}})
      .then(
          [this, answer = guard, zero](commit_results& r) {
            if (!r.answers.front())
              return answer->deliver(core::result<cycles_seen>{r.answers.front().error()});
            sums_ = zero;
            answer->deliver(core::result<cycles_seen>{cycles_seen{sums_, figures_kept_every}});
          },
          [answer = guard](caf::error& e) {
            answer->deliver(core::result<cycles_seen>{failure_of(e, "storage")});
          });
  return promise;
}

// Figures: a crash may cost the last minute of them, an orderly stop nothing.
void wake_coordinator::keep(bool at_once) {
  const auto steady = deps_.clock->steady();
  if (!at_once && (!dirty_ || steady - kept_at_ < figures_kept_every)) return;
  dirty_ = false;
  kept_at_ = steady;
  storage::change_set set{deps_.clock->now(), "node", {}, {storage::keep_statistics{sums_, false}}};
  request(deps_.store, caf::infinite, commit_changes{{std::move(set)}})
      .then([](commit_results&) {}, [](caf::error&) {});
}

}  // namespace belfry::actors
