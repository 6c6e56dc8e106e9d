#include "tests/support/sim_client.hpp"

#include <algorithm>
#include <utility>

#include "platform/ports/clock.hpp"
#include "tests/support/sim_specs.hpp"

namespace belfry::tests {

using namespace std::chrono_literals;
using core::errc;
using core::result;

void sim_client::act(sim_town& town) {
  rest(town, 0ms, town.calm() ? 2s : 1500ms);
  if (busy_) return;
  if (town.calm()) {
    if (!open_.empty()) return repeat(town);
    if (name().ends_with('1')) lift_all(town);
    return;
  }
  switch (town.luck.weighted({34, 8, 2, 16, 6, 6, 10, 3, 12, 4})) {
    case 0: return submit(town);
    case 1: return repeat(town);
    case 2: return other_content(town);
    case 3: return control(town);
    case 4: return redrive(town);
    case 5: return keep_jobs(town);
    case 6: return trigger(town);
    case 7: return limit(town);
    case 8: return look(town);
    default: return pause(town);
  }
}

void sim_client::life_ended(sim_town& town) {
  busy_ = false;
  if (!sent_) return;
  town.oracle.unanswered(sent_->name);
  if (sent_->request.once) open_.push_back(std::move(*sent_));
  sent_.reset();
}

void sim_client::done(sim_town& town) {
  busy_ = false;
  rest(town, 0ms, 1s);
}

void sim_client::submit(sim_town& town) {
  auto& luck = town.luck;
  wish w;
  w.name = name() + "." + std::to_string(++count_);
  const std::size_t runs = luck.chance(0.25) ? luck.between(2, 6) : 1;
  const auto due = luck.chance(0.2) ? town.clock.now() + luck.between(0s, 20s) : core::never;
  for (std::size_t i = 0; i < runs; ++i) {
    core::submission s;
    s.spec = std::make_shared<const core::run_spec>(a_spec(luck, w.name, luck.chance(0.3)));
    s.due_at = due;
    s.actor = name();
    w.request.runs.push_back(std::move(s));
  }
  w.request.as_batch = runs > 1 && luck.chance(0.6);
  w.request.actor = name();
  if (own_ids_ && runs == 1 && luck.chance(0.15)) {
    // An id of its own makes a submission repeatable too; no two clients share a number.
    core::id_source ids{static_cast<std::uint8_t>(100 + name().back() % 50)};
    w.request.runs.front().id = core::run_id{ids.next(town.clock.now())};
    if (std::find(runs_.begin(), runs_.end(), w.request.runs.front().id) != runs_.end())
      w.request.runs.front().id = {};
  }
  if (luck.chance(0.7)) w.request.once = messages::once_key{"key-" + w.name, platform::sha256(w.name)};
  town.oracle.intends(w.name, runs);
  send(town, std::move(w));
}

void sim_client::send(sim_town& town, wish w) {
  busy_ = true;
  sent_ = std::move(w);
  town.ask<messages::submitted>(
      name(), "submit " + sent_->name, sent_->request, [this, &town](result<messages::submitted> answer) {
        auto mine = std::move(*sent_);
        sent_.reset();
        done(town);
        if (answer) {
          town.oracle.acknowledged(mine.name, answer->runs);
          for (const auto& r : answer->runs) runs_.push_back(r.head.id);
          if (mine.request.once) answered_.push_back(std::move(mine));
          if (answered_.size() > 4) answered_.pop_front();
          return;
        }
        if (leaves_open(answer.error()))
          town.oracle.unanswered(mine.name);
        else
          town.oracle.refused(mine.name);
        // It is repeated as long as that can help.
        if (mine.request.once && (leaves_open(answer.error()) || core::retryable(answer.error().code)))
          open_.push_back(std::move(mine));
      });
}

void sim_client::repeat(sim_town& town) {
  auto& from = open_.empty() ? answered_ : open_;
  if (from.empty()) return submit(town);
  auto w = from.front();
  from.pop_front();
  send(town, std::move(w));
}

// The same key for another request: never done, however the first one ended.
void sim_client::other_content(sim_town& town) {
  if (answered_.empty()) return;
  auto request = town.luck.one_of(std::vector<wish>{answered_.begin(), answered_.end()}).request;
  const auto name_of_it = name() + ".x" + std::to_string(++count_);
  auto spec = *request.runs.front().spec;
  spec.name = name_of_it;
  for (auto& s : request.runs) s.spec = std::make_shared<const core::run_spec>(spec), s.id = {};
  request.once->fingerprint = platform::sha256(name_of_it);
  town.oracle.intends(name_of_it, request.runs.size());
  busy_ = true;
  town.ask<messages::submitted>(
      name(), "submit other content", request, [this, &town, name_of_it](result<messages::submitted> answer) {
        done(town);
        town.oracle.refused(name_of_it);
        if (answer)
          town.truth.report("idempotency", "one key was accepted for two requests: " + name_of_it);
        else if (answer.error().code == errc::internal)
          town.truth.report("answer", answer.error().text);
      });
}

std::optional<core::run_id> sim_client::some_run(sim_town& town) {
  if (runs_.empty()) return std::nullopt;
  // Mostly a recent one, which is the more likely to be open.
  const auto from = town.luck.chance(0.7) && runs_.size() > 8 ? runs_.size() - 8 : 0;
  return runs_[from + town.luck.below(runs_.size() - from)];
}

void sim_client::control(sim_town& town) {
  auto& luck = town.luck;
  const auto id = some_run(town);
  if (!id) return submit(town);
  messages::control_runs m;
  m.ids = {*id};
  m.actor = name();
  const auto kind = luck.weighted({5, 3, 3, 2, 2, 1});
  const char* what = "cancel";
  if (kind == 0)
    m.what = core::cmd_cancel{"not needed"};
  else if (kind == 1)
    m.what = core::cmd_run_now{}, what = "run now";
  else if (kind == 2)
    m.what = core::cmd_reprioritise{static_cast<core::priority>(luck.below(core::priority_count))},
    what = "reprioritise";
  else if (kind == 3)
    m.what = core::cmd_discard{"seen"}, what = "discard";
  else if (kind == 4)
    m.what = core::cmd_force_release{"taken away"}, what = "force release";
  else
    m.what = core::cmd_force_fail{"given up"}, what = "force fail";
  if (luck.chance(0.1)) m.ids.push_back(core::run_id{4711});  // one that is not there harms no other
  busy_ = true;
  town.ask<messages::controlled>(
      name(), what, m,
      [this, &town, id = *id, kind, asked = m.ids.size()](result<messages::controlled> answer) {
        done(town);
        if (!answer) return;
        if (answer->answers.size() != asked)
          return town.truth.report("answer", "a control call got another number of answers");
        if (asked == 2 && answer->answers.back().ok())
          town.truth.report("answer", "a run that is not there was changed");
        if (!answer->answers.front()) return;
        if (kind == 0) town.oracle.cancelled(id);
        if (kind == 3) town.oracle.discarded(id);
      });
}

void sim_client::redrive(sim_town& town) {
  const auto id = some_run(town);
  if (!id) return;
  busy_ = true;
  const auto linked = [this, &town, id = *id](result<messages::redriven> answer) {
    done(town);
    if (!answer || !answer->answers.at(0)) return;
    const auto& made = *answer->answers.front();
    town.oracle.redriven(id, made.head.id);
    runs_.push_back(made.head.id);
  };
  if (town.luck.chance(0.3)) {
    messages::recover_runs m{{*id}, "mended", name()};
    return town.ask<messages::redriven>(name(), "recover", m, linked);
  }
  messages::redrive_runs m{{*id}, {}, name(), {}};
  if (town.luck.chance(0.2)) m.payload = "{\"again\":true}";
  town.ask<messages::redriven>(name(), "redrive", m, linked);
}

void sim_client::keep_jobs(sim_town& town) {
  auto& luck = town.luck;
  const auto stored = [this, &town](result<messages::job_stored> answer) {
    done(town);
    if (!answer) return;
    town.oracle.job_stored(answer->job);
    const auto it =
        std::find_if(jobs_.begin(), jobs_.end(), [&](const auto& j) { return j.id == answer->job.id; });
    if (it == jobs_.end())
      jobs_.push_back(answer->job);
    else
      *it = answer->job;
  };
  busy_ = true;
  if (jobs_.empty() || luck.chance(0.3)) {
    messages::put_job m;
    m.definition = a_job(luck, name() + "-job" + std::to_string(++count_));
    m.start_paused = luck.chance(0.1);
    m.actor = name();
    return town.ask<messages::job_stored>(name(), "new job", std::move(m), stored);
  }
  const auto& job = luck.one_of(jobs_);
  switch (luck.weighted({4, 3, 4, 1})) {
    case 0: {
      messages::put_job m{
          job.id, luck.chance(0.3) ? job.revision : 0, a_job(luck, job.definition->name), false, {}, name()};
      return town.ask<messages::job_stored>(name(), "replace job", std::move(m), stored);
    }
    case 1:
      return town.ask<messages::job_stored>(name(), "pause job",
                                            messages::pause_job{job.id, "manual", "", name()}, stored);
    case 2:
      return town.ask<messages::job_stored>(name(), "resume job",
                                            messages::resume_job{job.id, "manual", name()}, stored);
    default:
      return town.ask<messages::job_stored>(name(), "archive job", messages::archive_job{job.id, name()},
                                            stored);
  }
}

// Of anything, for any reason, for a while or until somebody lifts it; sometimes a drain.
void sim_client::pause(sim_town& town) {
  auto& luck = town.luck;
  core::pause_target on;
  switch (luck.weighted({2, 2, 2, 2})) {
    case 0: break;
    case 1: on = core::the_workspace(luck.chance(0.5) ? "" : "w1"); break;
    case 2:
      if (!jobs_.empty()) on = core::the_job(luck.one_of(jobs_).id);
      break;
    default: on = core::the_agent_type(luck.chance(0.5) ? "process" : "agent");
  }
  const std::string reason = luck.chance(0.5) ? "manual" : "maintenance";
  busy_ = true;
  const auto answered = [this, &town](const result<messages::pauses_seen>&) { done(town); };
  if (luck.chance(0.5)) {
    messages::lift_pause m{on, reason, {}, name()};
    return town.ask<messages::pauses_seen>(name(), "resume", std::move(m), answered);
  }
  core::pause_entry e{reason, {}, "for a while", core::never};
  if (luck.chance(0.8)) e.until = town.clock.now() + luck.between(1s, 20s);
  if (luck.chance(0.3)) e.deadline = town.clock.now() + 5s;
  town.ask<messages::pauses_seen>(name(), "pause", messages::set_pause{on, std::move(e), name()}, answered);
}

// In the end everything is let go, or work would wait for ever.
void sim_client::lift_all(sim_town& town) {
  if (free_) return;
  busy_ = true;
  town.ask<messages::pauses_seen>(
      name(), "pauses", messages::look_at_pauses{}, [this, &town](result<messages::pauses_seen> answer) {
        done(town);
        if (!answer) return;
        free_ = answer->pauses.empty();
        if (free_) return;
        const auto& p = answer->pauses.front();
        busy_ = true;
        town.ask<messages::pauses_seen>(name(), "lift",
                                        messages::lift_pause{p.on, p.why.reason, p.why.owner, name()},
                                        [this, &town](const result<messages::pauses_seen>&) { done(town); });
      });
}

void sim_client::trigger(sim_town& town) {
  if (jobs_.empty()) return keep_jobs(town);
  messages::trigger_job m;
  m.id = town.luck.one_of(jobs_).id;
  if (town.luck.chance(0.2)) m.payload = "{\"n\":" + std::to_string(++count_) + "}";
  m.force = town.luck.chance(0.1);
  if (town.luck.chance(0.2)) m.delay = town.luck.between(0s, 10s);
  m.actor = name();
  busy_ = true;
  ++triggers_;
  town.ask<messages::submitted>(
      name(), "trigger", std::move(m), [this, &town](result<messages::submitted> answer) {
        done(town);
        if (!answer) return;
        for (const auto& r : answer->runs) {
          runs_.push_back(r.head.id);
          if (town.oracle.strict && town.truth.committed_run(r.head.id) == nullptr)
            town.truth.report("early", "a trigger was acknowledged before its commit");
        }
      });
}

// Only one of them does it: of two at a time nobody could say which one came last.
void sim_client::limit(sim_town& town) {
  if (!name().ends_with('1')) return look(town);
  const auto l = some_limits(town.luck);
  town.oracle.limits_asked(l);
  busy_ = true;
  town.ask<messages::queue_state>(name(), "limits", messages::change_limits{l, name()},
                                  [this, &town, l](result<messages::queue_state> answer) {
                                    done(town);
                                    if (!answer) return;
                                    town.oracle.limits_stored(l);
                                    if (answer->limits != l)
                                      town.truth.report("answer", "limits were changed, and others are told");
                                  });
}

void sim_client::look(sim_town& town) {
  const auto nothing = [this, &town](const auto&) { done(town); };
  switch (town.luck.weighted({6, 2, 2, 1, 1, 2, 2, 1})) {
    case 0: return look_at_run(town);
    case 1: busy_ = true; return town.ask<core::run_page>(name(), "list", messages::list_runs{}, nothing);
    case 2:
      busy_ = true;
      return town.ask<core::event_page>(name(), "events", messages::get_events{}, nothing);
    case 3: busy_ = true; return town.ask<core::store_facts>(name(), "facts", messages::get_facts{}, nothing);
    case 4:
      busy_ = true;
      return town.ask<core::run_statistics>(name(), "statistics", messages::get_statistics{}, nothing);
    case 5:
      busy_ = true;
      return town.ask<messages::node_status>(name(), "status", messages::ask_node{}, nothing);
    case 6:
      busy_ = true;
      return town.ask<messages::queue_state>(name(), "queue", messages::ask_queue{}, nothing);
    default: return rebuild(town);
  }
}

// Memory follows the store, so there is never anything to put right, whatever is under way.
void sim_client::rebuild(sim_town& town) {
  busy_ = true;
  town.ask<messages::index_rebuilt>(
      name(), "rebuild", messages::rebuild_index{name()},
      [this, &town](const result<messages::index_rebuilt>& answer) {
        done(town);
        if (!answer || answer->differences.empty() || !town.oracle.strict) return;
        const auto& first = answer->differences.front();
        town.truth.report("index", "a rebuild found " + to_string(first.run) + " wrong in memory, kind " +
                                       std::to_string(static_cast<int>(first.what)));
      });
}

// What was acknowledged is found by the next question.
void sim_client::look_at_run(sim_town& town) {
  const auto id = some_run(town);
  if (!id) return;
  busy_ = true;
  town.ask<messages::run_details>(
      name(), "show", messages::get_run_details{to_string(*id)},
      [this, &town, id = *id](result<messages::run_details> answer) {
        done(town);
        const auto* row = town.truth.committed_run(id);
        if (!answer) {
          if (answer.error().code == errc::not_found && row != nullptr && !town.truth.prunes())
            town.truth.report("read", "an acknowledged run is not found: " + to_string(id));
          return;
        }
        const auto& h = answer->run.head;
        if (h.id != id || answer->attempts.size() + (leased(h.state) ? 1 : 0) != h.attempt)
          town.truth.report("read",
                            "a question for " + to_string(id) + " was answered with halves of two commits");
      });
}

}  // namespace belfry::tests
