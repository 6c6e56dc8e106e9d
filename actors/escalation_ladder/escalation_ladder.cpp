#include "actors/support/message_types.hpp"
// after the message types
#include "actors/escalation_ladder/escalation_ladder.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "actors/support/failures.hpp"
#include "core/time/text.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::rung;
using platform::metric;

namespace {

constexpr std::size_t rows_per_bite = 1000;
constexpr std::size_t workers_per_count = 100;
constexpr std::size_t rows_per_page = 5000;

constexpr std::array fired_rungs{rung::none, rung::fan_out, rung::spawn, rung::event};

}  // namespace

escalation_ladder::escalation_ladder(caf::actor_config& cfg, escalation_ladder_deps deps)
    : escalation_ladder_actor::base(cfg), deps_{std::move(deps)}, ladder_{deps_.options} {}

auto escalation_ladder::make_behavior() -> behavior_type {
  return {
      [this](ask_ladder_known) -> caf::result<ladder_known> {
        auto [guard, promise] = answer_later<ladder_known>(this);
        request(deps_.reader, caf::infinite, query{get_ladder_clock{}})
            .then(
                [this, answer = guard](core::result<query_answer>& r) {
                  if (r) ladder_ = core::ladder{deps_.options, std::get<core::ladder_clock>(std::move(*r))};
                  load({}, answer);
                },
                [answer = guard](caf::error& e) { answer->deliver(e); });
        return promise;
      },
      [this](climb& what) -> caf::result<climbed> {
        auto [guard, promise] = answer_later<climbed>(this);
        asked_climb asked{std::move(what), guard};
        if (writing_)
          next_ = std::move(asked);
        else
          take(std::move(asked));
        return promise;
      },
      [this](const look_at_ladder& asked) { return look(asked); },
      [this](const read_with& news) { deps_.reader = news.who; },
  };
}

void escalation_ladder::on_exit() {
  climbing_.reset();
  next_.reset();
  deps_ = {};
}

void escalation_ladder::load(core::run_id after, const known_answer& answer) {
  request(deps_.reader, caf::infinite, query{list_starvations{after, rows_per_page}})
      .then(
          [this, answer](core::result<query_answer>& r) {
            if (!r) {
              deps_.says.say(note_level::error, "ladder-not-read " + r.error().text);
              return answer->deliver(ladder_known{});
            }
            const auto& rows = std::get<std::vector<core::starvation>>(*r);
            for (const auto& row : rows) ladder_.know(row);
            if (rows.size() == rows_per_page) return load(rows.back().run, answer);
            measure();
            ladder_known known{{}, ladder_.clock().ticked_at};
            for (const auto run : ladder_.runs())
              known.runs.push_back({run, ladder_.find(run)->held.has_value()});
            answer->deliver(std::move(known));
          },
          [answer](caf::error& e) { answer->deliver(e); });
}

void escalation_ladder::take(asked_climb asked) {
  const auto now = deps_.clock->now();
  for (const auto& run : asked.what.news.begun) ladder_.begin(run.id, now);
  for (const auto run : asked.what.news.over) ladder_.end(run);
  for (const auto& change : asked.what.holds) ladder_.hold(change.id, change.held);
  counted_ = asked.what.count;
  if (counted_) {
    ladder_.tick();
    ticked_ = deps_.clock->steady();
  }
  climbing_ = std::move(asked);
  write();
}

void escalation_ladder::write() {
  auto bite = ladder_.bite(rows_per_bite);
  if (bite.empty() && bite.tick == ladder_.clock().tick) {
    ladder_.written(bite, {}, ladder_.clock());
    return landed(false);
  }
  writing_ = true;
  const auto now = deps_.clock->now();
  commit_changes sets;
  sets.sets.push_back({now, "node", {}, {storage::climb_ladder{bite.tick, bite.rows, bite.over}}});
  for (const auto run : bite.give_up) {
    const auto row = ladder_.find(run);
    const auto waited = row ? std::max(now - row->began, core::span{0}) : core::span{0};
    core::cmd_give_up command{
        "nobody took it: starving for " + core::to_text(waited) + ", all who may take it were woken" +
        (row && row->spawned ? ", a worker was started" : ", no worker could be started")};
    sets.sets.push_back({now, "node", {}, {storage::step_run{run, std::move(command), false}}});
  }
  request(deps_.store, caf::infinite, std::move(sets))
      .then(
          [this, all = std::move(bite)](commit_results& r) {
            writing_ = false;
            written(all, r);
          },
          [this](caf::error& e) {
            writing_ = false;
            told_.error = failure_of(e, "storage").text;
            landed(false);
          });
}

void escalation_ladder::written(const core::ladder_bite& bite, commit_results& r) {
  auto& rows = r.answers.front();
  if (!rows) {
    told_.error = rows.error().text;
    return landed(false);  // it is proposed again by the next cycle
  }
  for (const auto& row : rows->starving) {
    const auto before = ladder_.find(row.run);
    if (row.fired >= rung::fan_out && (!before || before->fired < rung::fan_out))
      told_.fanned_out.add(row.run);
  }
  ladder_.written(bite, rows->starving, rows->ladder);
  bool refused = false;
  for (std::size_t i = 0; i < bite.give_up.size(); ++i) {
    const auto run = bite.give_up[i];
    const auto& answer = r.answers.at(i + 1);
    if (answer) {
      told_.needs_attention.add(run);
      deps_.says.say(note_level::warning, "needs-attention run=" + to_string(run));
      ladder_.gave_up(run);
    } else if (answer.error().code == errc::invalid_transition || answer.error().code == errc::not_found) {
      ladder_.gave_up(run);  // somebody took it: the commit that did so has removed the row
    } else {
      told_.error = answer.error().text;
      refused = true;
    }
  }
  landed(bite.more && !refused);
}

// A bite is on the disk. The cycle goes on after the first; the rest follows.
void escalation_ladder::landed(bool again) {
  if (climbing_) answer_climb();
  if (next_) return take(*std::exchange(next_, {}));
  if (again) write();
}

void escalation_ladder::answer_climb() {
  if (counted_) ask_for_workers();
  measure();
  auto asked = *std::exchange(climbing_, {});
  climbed said = std::exchange(told_, {});
  said.starved = ladder_.size();
  for (const auto run : asked.what.asked)
    if (ladder_.fans_out(run)) said.fan_out.push_back(run);
  asked.answer->deliver(std::move(said));
}

void escalation_ladder::ask_for_workers() {
  for (const auto& row : ladder_.wanting_worker(workers_per_count)) {
    if (!asking_.insert(row.run).second) continue;
    told_.spawns_requested.add(row.run);
    if (!deps_.spawner) {
      asking_.erase(row.run);
      told_.spawns_refused.add(row.run);
      continue;
    }
    request(deps_.reader, caf::infinite, query{get_run{to_string(row.run)}})
        .then(
            [this, row](core::result<query_answer>& r) {
              if (!r) {
                asking_.erase(row.run);
                return;
              }
              ask_for_worker(row, std::get<core::run>(*r));
            },
            [this, row](caf::error&) { asking_.erase(row.run); });
  }
}

void escalation_ladder::ask_for_worker(const core::starvation& row, const core::run& run) {
  if (!deps_.spawner || run.head.state != core::run_state::queued) {
    asking_.erase(row.run);
    return;
  }
  request(deps_.spawner, caf::infinite, spawn_worker{row.run, row.episode, run.head.needs, run.spec->handler})
      .then(
          [this, row](core::result<worker_spawned>& r) {
            asking_.erase(row.run);
            if (r) return ladder_.spawned(row.run);
            told_.spawns_refused.add(row.run);
            deps_.says.say(note_level::info,
                           "spawn-refused run=" + to_string(row.run) + " " + r.error().text);
          },
          [this, row](caf::error&) {
            asking_.erase(row.run);
            told_.spawns_refused.add(row.run);
          });
}

core::result<ladder_seen> escalation_ladder::look(const look_at_ladder& asked) const {
  ladder_seen seen;
  seen.options = ladder_.options();
  seen.interval = deps_.interval;
  seen.tick = ladder_.clock().tick;
  const auto now = deps_.clock->now();
  const auto since = ticked_ == core::never ? core::span{0} : deps_.clock->steady() - ticked_;
  const auto left = std::max(deps_.interval - since, core::span{0});
  seen.next_tick = core::later(now, left);
  for (std::size_t r = 0; r < core::rung_count; ++r) seen.by_rung[r] = ladder_.by_rung()[r];
  for (const auto run : asked.runs) {
    const auto row = ladder_.find(run);
    if (!row) continue;
    rung_view view{*row, core::count_of(*row, seen.tick), rung::none, core::never};
    if (!row->held)
      for (const auto r : {rung::needs_attention, rung::event, rung::spawn, rung::fan_out})
        if (r > row->fired) view.next = r;
    if (view.next != rung::none) {
      const auto at = core::threshold(seen.options, view.next);
      const auto ticks = at > view.count ? at - view.count : 1;
      view.due = core::later(seen.next_tick, deps_.interval * static_cast<core::span::rep>(ticks - 1));
    }
    seen.rows.push_back(std::move(view));
  }
  return seen;
}

void escalation_ladder::measure() const {
  if (deps_.says.meter == nullptr) return;
  for (const auto r : fired_rungs)
    deps_.says.meter->set(metric::starved_runs,
                          static_cast<double>(ladder_.by_rung()[static_cast<std::size_t>(r)]),
                          core::to_text(r));
}

}  // namespace belfry::actors
