// BATCHES: runs that were submitted together.
#include "api/http/ops/ops.hpp"
#include "api/json/controls.hpp"
#include "api/json/failures.hpp"
#include "api/json/runs.hpp"
#include "api/json/submissions.hpp"

namespace belfry::api {
namespace {

using core::errc;

void get_batch(const exchange_ptr& x) {
  const auto id = core::parse_id<core::batch_id>(x->arguments.front());
  if (!id)
    return x->refuse(fail_with(errc::not_found, "there is no batch " + x->arguments.front().substr(0, 60)));
  x->node().node.ask(messages::get_batch{*id},
                     x->then<core::batch_summary>([](const exchange_ptr& y, core::batch_summary b) {
                       json::writer w{512};
                       json::write_batch(w, b, y->node().time.now());
                       answer_json(*y, w);
                     }));
}

// A batch has at most 1,000 runs, so one bite is the whole.
void cancel_members(const exchange_ptr& x, core::batch_id id, std::string reason) {
  core::run_filter open;
  open.batch = id;
  for (const auto s : core::all_run_states())
    if (!core::terminal(s)) open.states.push_back(s);
  x->node().node.ask(
      messages::list_ids{std::move(open), json::most_items},
      x->then<std::vector<core::run_id>>([id, reason = std::move(reason)](const exchange_ptr& y,
                                                                          std::vector<core::run_id> ids) {
        const auto answer = [id](const exchange_ptr& z, const std::vector<core::run_id>& about,
                                 const messages::controlled& c) {
          json::writer w{about.size() * 120 + 128};
          w.begin_object().member("batch_id", id).member("matched", about.size()).key("items").begin_array();
          for (std::size_t i = 0; i < c.answers.size() && i < about.size(); ++i) {
            w.begin_object().member("id", about[i]);
            if (c.answers[i])
              w.member("status", "ok")
                  .member("state", core::to_text(c.answers[i]->state))
                  .member("cancel_requested", c.answers[i]->cancel_requested);
            else
              json::write_failure_members(w, c.answers[i].error());
            w.end_object();
          }
          w.end_array().end_object();
          answer_json(*z, w);
        };
        if (ids.empty()) return answer(y, ids, {});
        messages::control_runs m;
        m.ids = ids;
        m.what = core::cmd_cancel{reason};
        m.actor = y->actor;
        y->node().node.call(
            std::move(m), y->then<messages::controlled>(
                              [answer, ids = std::move(ids)](const exchange_ptr& z, messages::controlled c) {
                                answer(z, ids, c);
                              }));
      }));
}

void cancel_batch(const exchange_ptr& x) {
  auto reason = json::read_reason_body(x->in.body);
  if (!reason) return x->refuse(reason.error());
  const auto id = core::parse_id<core::batch_id>(x->arguments.front());
  if (!id)
    return x->refuse(fail_with(errc::not_found, "there is no batch " + x->arguments.front().substr(0, 60)));
  x->node().node.ask(messages::get_batch{*id},
                     x->then<core::batch_summary>(
                         [reason = std::move(*reason)](const exchange_ptr& y, core::batch_summary b) {
                           cancel_members(y, b.id, reason);
                         }));
}

}  // namespace

void add_batch_routes(std::vector<route>& all) {
  all.push_back({verb::get,
                 "/v1/batches/{id}",
                 "get_batch",
                 "batches",
                 "How far a batch is",
                 scope::read,
                 get_batch,
                 body_kind::none,
                 {},
                 {},
                 {{200, "Batch", "Counts by state"}},
                 {errc::not_found},
                 false,
                 0});
  all.push_back({verb::post,
                 "/v1/batches/{id}:cancel",
                 "cancel_batch",
                 "batches",
                 "Cancel every run of a batch that has not ended",
                 scope::operate,
                 cancel_batch,
                 body_kind::optional_json,
                 "Reason",
                 {},
                 {{200, "BatchCancelled", "A result for each run"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found},
                 false,
                 0});
}

}  // namespace belfry::api
