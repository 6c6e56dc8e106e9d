// EXPLAIN: why a run is where it is, with what would lift each reason.
#include "api/http/ops/ops.hpp"
#include "api/json/explanations.hpp"

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

void explain_run(const exchange_ptr& x) {
  with_run(x, [](const exchange_ptr& y, core::run r) {
    const messages::look_at_wakes question{r.head.id};
    y->node().node.call(question,
                        y->whole<messages::wakes_seen>(
                            [r = std::move(r)](const exchange_ptr& z, core::result<messages::wakes_seen> w) {
                              json::waiting why;
                              if (w) why.wakes = std::move(*w);
                              if (r.head.state == core::run_state::queued)
                                return explain_waiting(z, r, std::move(why));
                              if (auto reason = core::wait_reason_of(r.head, z->node().time.now()))
                                why.reasons.push_back(std::move(*reason));
                              answer_explanation(*z, r, why);
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
}

}  // namespace belfry::api
