// EXPLAIN: why a run is where it is, with what would lift each reason.
#include "api/http/ops/calendars.hpp"
#include "api/http/ops/ops.hpp"
#include "api/json/explanations.hpp"
#include "core/job/outlook.hpp"
#include "core/schedule/canonical.hpp"

namespace belfry::api {
namespace {

using core::errc;

void answer_explanation(exchange& x, const core::run& r, const json::waiting& why) {
  json::writer w{4096};
  json::write_run_explanation(w, r, why, x.node().time.now());
  answer_json(x, w);
}

void explain_waiting(const exchange_ptr& x, const core::run& run, json::waiting why) {
  messages::explain_run question{run.head, run.spec ? run.spec->handler : core::handler_kind::process};
  x->node().node.call(
      std::move(question),
      x->whole<messages::explanation>(
          [r = run, told = std::move(why)](const exchange_ptr& z,
                                           core::result<messages::explanation> e) mutable {
            if (e) {
              told.reasons = std::move(e->reasons);
              told.position = e->position;
              told.start = e->start;
              told.sessions = std::move(e->sessions);
            } else {
              told.reasons.push_back({"unknown", "the queue could not be asked: " + e.error().text});
            }
            // The rung of the ladder, while nobody takes it.
            z->node().node.call(
                messages::look_at_ladder{{r.head.id}},
                z->whole<messages::ladder_seen>(
                    [r, told = std::move(told)](const exchange_ptr& u,
                                                core::result<messages::ladder_seen> ladder) mutable {
                      if (ladder && !ladder->rows.empty()) told.rung = std::move(ladder->rows.front());
                      answer_explanation(*u, r, told);
                    }));
          }));
}

void explain_with_wakes(const exchange_ptr& x, core::run r, json::waiting told) {
  const messages::look_at_wakes question{r.head.id};
  x->node().node.call(question, x->whole<messages::wakes_seen>(
                                    [r = std::move(r), why = std::move(told)](
                                        const exchange_ptr& z, core::result<messages::wakes_seen> w) mutable {
                                      if (w) why.wakes = std::move(*w);
                                      if (r.head.state == core::run_state::queued)
                                        return explain_waiting(z, r, std::move(why));
                                      if (auto reason = core::wait_reason_of(r.head, z->node().time.now()))
                                        why.reasons.push_back(std::move(*reason));
                                      answer_explanation(*z, r, why);
                                    }));
}

// The occurrence that the run was made for stands before the run; so does the record of what it stands for.
constexpr std::size_t occurrences_looked_at = 50;

void find_deferral(const core::occurrence_page& page, core::run_id run, json::waiting& why) {
  core::instant at = core::never;
  for (const auto& line : page.lines)
    if (line.made.run == run) {
      why.deferred_from = line.made.meant;
      at = line.made.at;
    }
  if (why.deferred_from == core::never) return;
  for (const auto& line : page.lines)
    if (!line.made.run && line.skipped.range.moved_to == at) why.deferred_by = line.skipped.range.by;
}

void explain_run(const exchange_ptr& x) {
  with_run(x, [](const exchange_ptr& y, core::run r) {
    if (!r.head.job || r.head.manual) return explain_with_wakes(y, std::move(r), {});
    const messages::list_occurrences asked{r.head.job, core::later(r.head.created_at, core::span{1}),
                                           occurrences_looked_at};
    y->node().node.ask(asked, y->whole<core::occurrence_page>(
                                  [r = std::move(r)](const exchange_ptr& z,
                                                     core::result<core::occurrence_page> page) mutable {
                                    json::waiting why;
                                    if (page) find_deferral(*page, r.head.id, why);
                                    explain_with_wakes(z, std::move(r), std::move(why));
                                  }));
  });
}

// ---- a job

constexpr std::size_t open_told = 100;
const std::vector<core::run_state> open_states{core::run_state::blocked, core::run_state::scheduled,
                                               core::run_state::queued,  core::run_state::claimed,
                                               core::run_state::running, core::run_state::retrying,
                                               core::run_state::parked,  core::run_state::needs_attention};
const std::vector<core::run_state> ended_states{core::run_state::succeeded, core::run_state::failed,
                                                core::run_state::timed_out, core::run_state::lost,
                                                core::run_state::cancelled, core::run_state::skipped};

messages::list_runs runs_of(core::job_id job, const std::vector<core::run_state>& states, core::run_sort sort,
                            std::size_t limit) {
  core::run_filter filter;
  filter.job = job;
  filter.states = states;
  return {std::move(filter), {limit, 0, sort}};
}

void answer_job_explanation(const exchange_ptr& x, const json::job_standing& told) {
  json::writer w{4096};
  json::write_job_explanation(w, told, x->node().time.now());
  answer_json(*x, w);
}

void look_at_exclusions(const exchange_ptr& x, const std::shared_ptr<json::job_standing>& told) {
  const auto names = core::calendars_named_in(told->job.definition->timing.schedule);
  with_calendars(x, names, [told](const exchange_ptr& y, const json::calendar_finder& calendars) {
    told->left_out = core::left_out_before_due(told->job, calendars, y->node().time.now());
    answer_job_explanation(y, *told);
  });
}

// Its open runs, what holds those that wait, and how the last one ended.
void explain_job(const exchange_ptr& x) {
  with_job_named(x, [](const exchange_ptr& y, core::job j) {
    auto told = std::make_shared<json::job_standing>();
    told->job = std::move(j);
    y->node().node.ask(
        runs_of(told->job.id, open_states, core::run_sort::oldest, open_told),
        y->then<core::run_page>([told](const exchange_ptr& z, core::run_page open) {
          told->open = std::move(open.runs);
          told->more = open.next != 0;
          z->node().node.ask(
              runs_of(told->job.id, ended_states, core::run_sort::newest, 1),
              z->then<core::run_page>([told](const exchange_ptr& u, core::run_page last) {
                if (!last.runs.empty()) told->last = std::move(last.runs.front());
                messages::look_at_backlog line;
                for (const auto& r : told->open)
                  line.runs.push_back({r.head, r.spec ? r.spec->handler : core::handler_kind::process});
                u->node().node.call(std::move(line),
                                    u->then<messages::backlog_seen>(
                                        [told](const exchange_ptr& v, messages::backlog_seen seen) {
                                          told->line = std::move(seen.runs);
                                          look_at_exclusions(v, told);
                                        }));
              }));
        }));
  });
}

}  // namespace

void add_explain_routes(std::vector<route>& all) {
  all.push_back(
      {verb::get,
       "/v1/runs/{id}/explain",
       "explain_run",
       "runs",
       "Why a run is where it is: every reason with its evidence and what would lift it, rule by rule "
       "against every session",
       scope::read,
       explain_run,
       body_kind::none,
       {},
       {},
       {{200, "RunExplanation", "The reasons"}},
       {errc::not_found, errc::ambiguous},
       false,
       0});
  all.push_back(
      {verb::get,
       "/v1/jobs/{id}/explain",
       "explain_job",
       "jobs",
       "What a trigger of the job would do now, why its open runs are where they are, and how the last "
       "one ended",
       scope::read,
       explain_job,
       body_kind::none,
       {},
       {},
       {{200, "JobExplanation", "How it stands"}},
       {errc::not_found, errc::ambiguous},
       false,
       0});
}

}  // namespace belfry::api
