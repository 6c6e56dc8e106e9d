// RUNS: one, or a list.
#include "api/json/runs.hpp"
#include "api/http/ops/ops.hpp"

namespace belfry::api {
namespace {

using core::errc;

void list_with(const exchange_ptr& x, list_request request) {
  const auto bound = request.bound_to;
  const auto page = request.page;
  with_job(x, std::move(request.filter), [page, bound](const exchange_ptr& y, core::run_filter filter) {
    y->node().node.ask(messages::list_runs{std::move(filter), page},
                       y->then<core::run_page>([bound](const exchange_ptr& z, core::run_page p) {
                         json::writer w{p.runs.size() * 900 + 64};
                         w.begin_object().key("runs").begin_array();
                         for (const auto& r : p.runs) json::write_run(w, r);
                         w.end_array();
                         write_cursor(w, p.next, bound);
                         w.end_object();
                         answer_json(*z, w);
                       }));
  });
}

void list_runs(const exchange_ptr& x) {
  auto request = read_list(*x);
  if (!request) return x->refuse(request.error());
  list_with(x, std::move(*request));
}

void list_dead(const exchange_ptr& x) {
  auto request = read_list(*x);
  if (!request) return x->refuse(request.error());
  request->filter.filter.dead_letters = true;
  list_with(x, std::move(*request));
}

void list_of_job(const exchange_ptr& x) {
  auto request = read_list(*x);
  if (!request) return x->refuse(request.error());
  request->filter.job = x->arguments.front();
  if (const auto id = core::parse_id<core::job_id>(x->arguments.front())) {
    request->filter.job.clear();
    request->filter.filter.job = *id;
  }
  list_with(x, std::move(*request));
}

void answer_run(exchange& x, const messages::run_details& d, const json::waiting& why) {
  json::writer w{4096};
  json::write_run_details(w, d, why);
  answer_json(x, w);
}

json::waiting plain_reason(const core::run_head& h, core::instant now) {
  json::waiting why;
  if (auto r = core::wait_reason_of(h, now)) why.reasons.push_back(std::move(*r));
  return why;
}

void get_run(const exchange_ptr& x) {
  x->node().node.ask(
      messages::get_run_details{x->arguments.front()},
      x->then<messages::run_details>([](const exchange_ptr& y, messages::run_details d) {
        const auto& head = d.run.head;
        if (core::terminal(head.state)) return answer_run(*y, d, {});
        if (head.state != core::run_state::queued)
          return answer_run(*y, d, plain_reason(head, y->node().time.now()));
        messages::explain_run question{head, d.run.spec ? d.run.spec->handler : core::handler_kind::process};
        y->node().node.call(
            std::move(question),
            y->whole<messages::explanation>(
                [d = std::move(d)](const exchange_ptr& z, core::result<messages::explanation> e) {
                  json::waiting why;
                  if (e) {
                    why.reasons = std::move(e->reasons);
                    why.position = e->position;
                    why.start = e->start;
                    why.sessions = std::move(e->sessions);
                  } else {
                    why.reasons.push_back({"unknown", "the queue could not be asked: " + e.error().text});
                  }
                  // The rung of the ladder, while nobody takes it.
                  z->node().node.call(
                      messages::look_at_ladder{{d.run.head.id}},
                      z->whole<messages::ladder_seen>(
                          [d, why = std::move(why)](const exchange_ptr& u,
                                                    core::result<messages::ladder_seen> ladder) mutable {
                            if (ladder && !ladder->rows.empty()) why.rung = std::move(ladder->rows.front());
                            answer_run(*u, d, why);
                          }));
                }));
      }));
}

std::vector<parameter> parameters_within_job() {
  auto all = list_parameters();
  std::erase_if(all, [](const parameter& p) { return p.name == "job"; });
  return all;
}

}  // namespace

void add_run_routes(std::vector<route>& all) {
  all.push_back({verb::get,
                 "/v1/runs",
                 "list_runs",
                 "runs",
                 "List runs, newest first",
                 scope::read,
                 list_runs,
                 body_kind::none,
                 {},
                 list_parameters(),
                 {{200, "RunPage", "A page of runs"}},
                 {errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/runs/{id}",
                 "get_run",
                 "runs",
                 "A run with its attempts, and why it waits",
                 scope::read,
                 get_run,
                 body_kind::none,
                 {},
                 {},
                 {{200, "Run", "The run"}},
                 {errc::not_found, errc::ambiguous},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/dead-letters",
                 "list_dead_letters",
                 "runs",
                 "Runs that ended badly and have been neither redriven nor discarded",
                 scope::read,
                 list_dead,
                 body_kind::none,
                 {},
                 list_parameters(),
                 {{200, "RunPage", "A page of runs"}},
                 {errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/jobs/{id}/runs",
                 "list_runs_of_job",
                 "jobs",
                 "Runs of a job, newest first",
                 scope::read,
                 list_of_job,
                 body_kind::none,
                 {},
                 parameters_within_job(),
                 {{200, "RunPage", "A page of runs"}},
                 {errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous},
                 false,
                 0});
}

}  // namespace belfry::api
