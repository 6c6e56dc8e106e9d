#include "actors/support/message_types.hpp"
// after the message types
#include "actors/job_registry/job_registry.hpp"

#include <utility>

#include "actors/support/change_sets.hpp"

namespace belfry::actors {

namespace msg = messages;
using core::errc;
using core::failure;
using platform::metric;

job_registry::job_registry(caf::actor_config& cfg, job_registry_deps deps)
    : msg::job_registry_actor::base(cfg), deps_{std::move(deps)} {}

auto job_registry::make_behavior() -> behavior_type {
  return {
      [this](msg::put_job& asked) {
        const bool creates = !asked.id;
        return write(storage::put_job{asked.id, asked.expected_revision, std::move(asked.definition),
                                      asked.start_paused, std::move(asked.refusal), asked.trial,
                                      std::move(asked.import)},
                     asked.actor, asked.once, creates);
      },
      [this](const msg::archive_job& asked) { return write(storage::archive_job{asked.id}, asked.actor); },
      [this](const msg::pause_job& asked) {
        core::pause_entry entry{asked.reason, core::owner_for(asked.actor), asked.text, deps_.clock->now()};
        entry.by = asked.actor;
        return write(storage::pause_job{asked.id, std::move(entry)}, asked.actor);
      },
      [this](const msg::resume_job& asked) {
        return write(storage::resume_job{asked.id, asked.reason}, asked.actor);
      },
      [this](const msg::trigger_job& asked) -> caf::result<core::result<msg::submitted>> {
        const auto now = deps_.clock->now();
        const auto due = asked.delay > core::span{0} ? core::later(now, asked.delay) : core::never;
        std::vector<storage::change_set> sets;
        sets.push_back({now,
                        asked.actor,
                        once_of(asked.once),
                        {storage::trigger_job{asked.id, asked.payload, asked.force, due}}});
        return commit_then<msg::submitted>(
            this, deps_.store, std::move(sets), [this](commit_results& r) -> core::result<msg::submitted> {
              auto& answer = r.answers.front();
              if (!answer) return std::move(answer.error());
              if (!answer->replayed)
                deps_.says.count(metric::runs_submitted_total, static_cast<double>(answer->runs.size()));
              return msg::submitted{std::move(answer->runs), answer->batch, answer->replayed};
            });
      },
      [this](msg::emit_event& asked) { return emit(asked); },
      [this](const msg::plan_jobs& asked) { return plan(asked); },
      [this](msg::put_calendar& asked) {
        return write_calendar(storage::put_calendar{std::move(asked.what)}, asked.actor);
      },
      [this](const msg::remove_calendar& asked) {
        return write_calendar(storage::remove_calendar{asked.name}, asked.actor);
      },
      [this](msg::put_window& asked) {
        return write_window(storage::put_window{std::move(asked.what)}, asked.actor);
      },
      [this](const msg::remove_window& asked) {
        return write_window(storage::remove_window{asked.name}, asked.actor);
      },
  };
}

caf::result<core::result<msg::event_emitted>> job_registry::emit(msg::emit_event& asked) {
  std::vector<storage::change_set> sets;
  sets.push_back({deps_.clock->now(),
                  asked.actor,
                  once_of(asked.once),
                  {storage::emit_event{std::move(asked.what), asked.by, true}}});
  return commit_then<msg::event_emitted>(
      this, deps_.store, std::move(sets), [this](commit_results& r) -> core::result<msg::event_emitted> {
        auto& answer = r.answers.front();
        if (answer.refused_with(errc::overloaded)) deps_.says.count(metric::backpressure_refusals_total);
        if (!answer) return std::move(answer.error());
        if (!answer->replayed)
          deps_.says.count(metric::runs_submitted_total, static_cast<double>(answer->runs.size()));
        msg::event_emitted told{answer->emitted, {}, answer->replayed};
        for (const auto& run : answer->runs) told.runs.push_back(run.head.id);
        return told;
      });
}

caf::result<core::result<msg::jobs_planned>> job_registry::plan(const msg::plan_jobs& asked) {
  std::vector<storage::change_set> sets;
  for (const auto id : asked.jobs)
    sets.push_back({deps_.clock->now(), asked.actor, {}, {storage::plan_job{id}}});
  return commit_then<msg::jobs_planned>(
      this, deps_.store, std::move(sets), [this](commit_results& r) -> core::result<msg::jobs_planned> {
        msg::jobs_planned all;
        std::size_t made = 0;
        for (auto& answer : r.answers) {
          if (!answer || answer->jobs.empty()) {
            all.answers.emplace_back(answer ? failure{errc::internal, "the store named no job", {}, {}}
                                            : std::move(answer.error()));
            continue;
          }
          msg::job_planned one{std::move(answer->jobs.front()), std::move(answer->runs)};
          made += one.runs.size();
          all.answers.emplace_back(std::move(one));
        }
        deps_.says.count(metric::runs_submitted_total, static_cast<double>(made));
        return all;
      });
}

caf::result<core::result<msg::calendar_stored>> job_registry::write_calendar(storage::change what,
                                                                             const std::string& actor) {
  std::vector<storage::change_set> sets;
  sets.push_back({deps_.clock->now(), actor, {}, {std::move(what)}});
  return commit_then<msg::calendar_stored>(
      this, deps_.store, std::move(sets), [](commit_results& r) -> core::result<msg::calendar_stored> {
        auto& answer = r.answers.front();
        if (!answer) return std::move(answer.error());
        if (answer->calendars.empty()) return failure{errc::internal, "the store named no calendar", {}, {}};
        return msg::calendar_stored{std::move(answer->calendars.front()), !answer->replayed,
                                    answer->replanned, !answer->replan.empty()};
      });
}

caf::result<core::result<msg::window_stored>> job_registry::write_window(storage::change what,
                                                                         const std::string& actor) {
  std::vector<storage::change_set> sets;
  sets.push_back({deps_.clock->now(), actor, {}, {std::move(what)}});
  return commit_then<msg::window_stored>(
      this, deps_.store, std::move(sets), [](commit_results& r) -> core::result<msg::window_stored> {
        auto& answer = r.answers.front();
        if (!answer) return std::move(answer.error());
        if (answer->windows.empty()) return failure{errc::internal, "the store named no window", {}, {}};
        return msg::window_stored{std::move(answer->windows.front()), !answer->replayed};
      });
}

caf::result<core::result<msg::job_stored>> job_registry::write(storage::change what, const std::string& actor,
                                                               const std::optional<msg::once_key>& once,
                                                               bool creates) {
  std::vector<storage::change_set> sets;
  sets.push_back({deps_.clock->now(), actor, once_of(once), {std::move(what)}});
  return commit_then<msg::job_stored>(
      this, deps_.store, std::move(sets), [creates](commit_results& r) -> core::result<msg::job_stored> {
        auto& answer = r.answers.front();
        if (!answer) return std::move(answer.error());
        if (answer->jobs.empty()) return failure{errc::internal, "the store named no job", {}, {}};
        // An edit may have made a run that was due.
        const auto trial = !creates || answer->runs.empty() ? core::run_id{} : answer->runs.front().head.id;
        return msg::job_stored{std::move(answer->jobs.front()),
                               answer->replayed,
                               creates && !answer->replayed,
                               trial,
                               answer->imported,
                               std::move(answer->note)};
      });
}

}  // namespace belfry::actors
