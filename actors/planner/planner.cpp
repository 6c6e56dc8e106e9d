#include "actors/support/message_types.hpp"
// after the message types
#include "actors/planner/planner.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include "actors/support/failures.hpp"
#include "core/job/timing_group.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;

namespace {

constexpr std::size_t jobs_per_bite = 50;  // some 6 ms: as long as a lone job may have to wait
constexpr std::size_t jobs_per_page = 5'000;
constexpr core::span another_try = std::chrono::seconds{1};

}  // namespace

planner::planner(caf::actor_config& cfg, planner_deps deps)
    : planner_actor::base(cfg), deps_{std::move(deps)} {}

auto planner::make_behavior() -> behavior_type {
  return {
      [this](const watch_jobs& news) { watch(news); },
      [this](start_timers) {
        if (!started_ && !std::exchange(reading_, true)) begin();
      },
      [this](const read_with& news) { deps_.reader = news.who; },
      [this](const alarm_rang& ring) {
        if (alarm_.rang(ring)) look();
      },
  };
}

void planner::on_exit() { deps_ = {}; }

void planner::watch(const watch_jobs& news) {
  for (const auto& j : news.jobs) {
    due_.set(j.job.value, j.group, j.at);
    if (!started_) told_.insert(j.job);
  }
  replan_.insert(news.replan.begin(), news.replan.end());
  if (!replan_.empty() && started_ && !biting_) return look();
  if (const auto next = due_.next(); next && started_ && !biting_)
    alarm_.arm(planner_actor{this}, *next, deps_.clock->now());
}

void planner::begin() {
  began_ = deps_.clock->now();
  request(deps_.reader, caf::infinite, query{get_facts{}})
      .then(
          [this](core::result<query_answer>& answer) {
            const auto* facts = answer ? std::get_if<core::store_facts>(&*answer) : nullptr;
            if (facts == nullptr) return not_read(answer ? "no facts" : answer.error().text);
            const auto since = began_ - deps_.crash_loop_within;
            const auto boots = std::count_if(facts->booted_at.begin(), facts->booted_at.end(),
                                             [&](core::instant t) { return t > since; });
            crash_loop_ = static_cast<std::size_t>(boots) >= deps_.crash_loop_boots;
            if (crash_loop_)
              deps_.says.say(note_level::warning,
                             "crash-loop boots=" + std::to_string(boots) +
                                 " what was missed before this start is not made up for");
            read_from({});
          },
          [this](caf::error& e) { not_read(failure_of(e, "reader").text); });
}

void planner::read_from(core::job_id after) {
  request(deps_.reader, caf::infinite, query{list_due_jobs{after, jobs_per_page}})
      .then(
          [this](core::result<query_answer>& answer) {
            const auto* page = answer ? std::get_if<std::vector<core::job_due>>(&*answer) : nullptr;
            if (page == nullptr) return not_read(answer ? "no jobs" : answer.error().text);
            for (const auto& j : *page)
              if (!told_.contains(j.job)) {
                due_.set(j.job.value, j.group, j.at);
                if (crash_loop_ && j.at <= began_) due_before_.insert(j.job);
              }
            if (page->size() == jobs_per_page) return read_from(page->back().job);
            read_calendars();
          },
          [this](caf::error& e) { not_read(failure_of(e, "reader").text); });
}

void planner::read_calendars() {
  request(deps_.reader, caf::infinite, query{list_calendars{}})
      .then(
          [this](core::result<query_answer>& answer) {
            const auto* all = answer ? std::get_if<std::vector<core::calendar_facts>>(&*answer) : nullptr;
            if (all == nullptr) return not_read(answer ? "no calendars" : answer.error().text);
            for (const auto& c : *all)
              if (c.planning > 0) replan_.insert(c.calendar.name);
            told_ = {};
            reading_ = false;
            started_ = true;
            look();
          },
          [this](caf::error& e) { not_read(failure_of(e, "reader").text); });
}

void planner::not_read(const std::string& why) {
  deps_.says.say(note_level::error, "schedules-not-read " + why);
  reading_ = false;
  caf::delayed_anon_send(planner_actor{this}, another_try, start_timers{});
}

void planner::look() {
  if (biting_) return;
  const auto now = deps_.clock->now();
  commit_changes sets;
  std::vector<core::job_due> asked;
  for (const auto& job : due_.take_due(now, jobs_per_bite)) {
    asked.push_back(job);
    const bool missed_before = due_before_.erase(job.job) > 0;
    sets.sets.push_back({now, "node", {}, {storage::plan_job{job.job, crash_loop_ && missed_before}}});
  }
  if (sets.sets.empty()) {
    if (follow_calendar()) return;
    if (const auto next = due_.next()) alarm_.arm(planner_actor{this}, *next, now);
    return;
  }
  biting_ = true;
  request(deps_.store, caf::infinite, std::move(sets))
      .then(
          [this, asked](commit_results& r) {
            biting_ = false;
            written(asked, r);
            look();
          },
          [this](caf::error&) {
            deps_.says.say(note_level::error, "schedules-not-written storage is gone");
          });
}

// One bite of one calendar; the stream says whether another follows.
bool planner::follow_calendar() {
  if (replan_.empty()) return false;
  const auto name = *replan_.begin();
  replan_.erase(replan_.begin());
  biting_ = true;
  commit_changes set{{{deps_.clock->now(), "node", {}, {storage::replan_calendar{name}}}}};
  request(deps_.store, caf::infinite, std::move(set))
      .then(
          [this, name](commit_results& r) {
            biting_ = false;
            if (const auto& answer = r.answers.front(); !answer) {
              deps_.says.say(note_level::warning,
                             "calendar-not-followed " + name + " " + answer.error().text);
              // Not again at once: the disk may be full. What is due is not held up by it.
              caf::delayed_anon_send(planner_actor{this}, another_try, watch_jobs{{}, {name}});
            }
            look();
          },
          [this](caf::error&) {
            deps_.says.say(note_level::error, "calendar-not-followed storage is gone");
          });
  return true;
}

// The stream tells of what was written, but not of what was found done, and both have the row.
void planner::written(const std::vector<core::job_due>& asked, const commit_results& r) {
  const auto again = core::later(deps_.clock->now(), another_try);
  std::size_t failed = 0;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto& answer = r.answers.at(i);
    if (answer) {
      for (const auto& j : answer->jobs) due_.set(j.id.value, core::group_of(j), j.due);
      if (!answer->replayed && !answer->runs.empty())
        deps_.says.count(platform::metric::runs_submitted_total, static_cast<double>(answer->runs.size()));
      continue;
    }
    if (answer.error().code == errc::not_found) continue;
    due_.set(asked[i].job.value, asked[i].group, again);
    if (failed++ == 0)
      deps_.says.say(note_level::warning,
                     "schedule-not-written job=" + to_string(asked[i].job) + " " + answer.error().text);
  }
  if (failed > 1)
    deps_.says.say(note_level::warning, "schedule-not-written jobs=" + std::to_string(failed) + " in all");
}

}  // namespace belfry::actors
