// SCHEDULER: the queue, its limits, the figures.
#include "api/http/ops/ops.hpp"
#include "api/json/controls.hpp"
#include "api/json/node.hpp"
#include "api/json/runs.hpp"

namespace belfry::api {
namespace {

using core::errc;

// With how the ladder stands.
void answer_queue(const exchange_ptr& x, messages::queue_state q) {
  x->node().node.call(
      messages::look_at_ladder{},
      x->then<messages::ladder_seen>([q = std::move(q)](const exchange_ptr& y, messages::ladder_seen ladder) {
        json::writer w{2048};
        json::write_queue(w, q, ladder);
        answer_json(*y, w);
      }));
}

void get_status(const exchange_ptr& x) {
  x->node().node.call(messages::ask_queue{}, x->then<messages::queue_state>(answer_queue));
}

void rebuild(const exchange_ptr& x) {
  if (const auto body = json::read_nothing(x->in.body); !body) return x->refuse(body.error());
  x->node().node.call(messages::rebuild_index{x->actor},
                      x->then<messages::index_rebuilt>([](const exchange_ptr& y, messages::index_rebuilt r) {
                        json::writer w{512 + r.differences.size() * 64};
                        json::write_rebuilt(w, r);
                        answer_json(*y, w);
                      }));
}

// What the body leaves out stays as it is.
void put_limits(const exchange_ptr& x) {
  const auto wish = json::read_limits_body(x->in.body);
  if (!wish) return x->refuse(wish.error());
  x->node().node.call(
      messages::ask_queue{},
      x->then<messages::queue_state>([wish = *wish](const exchange_ptr& y, messages::queue_state q) {
        messages::change_limits m{q.limits, y->actor};
        m.limits.global = wish.global.value_or(m.limits.global);
        m.limits.per_lane = wish.per_lane.value_or(m.limits.per_lane);
        m.limits.per_batch = wish.per_batch.value_or(m.limits.per_batch);
        m.limits.per_agent_type = wish.per_agent_type.value_or(m.limits.per_agent_type);
        m.limits.fires = wish.fires.value_or(m.limits.fires);
        m.limits.fires_per_workspace = wish.fires_per_workspace.value_or(m.limits.fires_per_workspace);
        m.limits.fire_window = wish.fire_window.value_or(m.limits.fire_window);
        y->node().node.call(std::move(m), y->then<messages::queue_state>(answer_queue));
      }));
}

void get_statistics(const exchange_ptr& x) {
  json::problems found;
  json::filter_draft filter;
  for (const auto& [name, value] : x->parameters) json::read_filter_text(name, value, filter, found);
  if (!found.empty()) return x->refuse(found.refusal());
  with_job(x, std::move(filter), [](const exchange_ptr& y, core::run_filter f) {
    y->node().node.ask(
        messages::get_statistics{std::move(f)},
        y->then<core::run_statistics>([](const exchange_ptr& z, core::run_statistics s) {
          z->node().node.ask(
              messages::get_facts{},
              z->then<core::store_facts>([s = std::move(s)](const exchange_ptr& u, core::store_facts f2) {
                json::writer w{2048};
                w.begin_object().key("runs");
                json::write_statistics(w, s);
                json::write_totals(w, f2);
                w.end_object();
                answer_json(*u, w);
              }));
        }));
  });
}

}  // namespace

void add_scheduler_routes(std::vector<route>& all) {
  all.push_back({verb::get,
                 "/v1/scheduler/status",
                 "get_scheduler_status",
                 "scheduler",
                 "The queue: what is ready, what is live, the limits",
                 scope::read,
                 get_status,
                 body_kind::none,
                 {},
                 {},
                 {{200, "QueueState", "The queue"}},
                 {},
                 false,
                 0});
  all.push_back({verb::post,
                 "/v1/scheduler:rebuild",
                 "rebuild_scheduler",
                 "scheduler",
                 "Compare the queue in memory with the store and put right what differs; work goes on",
                 scope::operate,
                 rebuild,
                 body_kind::optional_json,
                 "Nothing",
                 {},
                 {{200, "QueueRebuilt", "What is open, and what had been wrong"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::conflict},
                 false,
                 0});
  all.push_back({verb::put,
                 "/v1/limits",
                 "put_limits",
                 "scheduler",
                 "Change the live limits; running work goes on",
                 scope::admin,
                 put_limits,
                 body_kind::json,
                 "Limits",
                 {},
                 {{200, "QueueState", "The queue with its new limits"}},
                 {errc::malformed, errc::invalid, errc::unknown_field},
                 false,
                 0});
  all.push_back(
      {verb::get,
       "/v1/statistics",
       "get_statistics",
       "scheduler",
       "Counts, waits and durations of the runs that the filter fits; totals since the store was made",
       scope::read,
       get_statistics,
       body_kind::none,
       {},
       filter_parameters(),
       {{200, "Statistics", "The figures; null where there is nothing to tell"}},
       {errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous},
       false,
       0});
}

}  // namespace belfry::api
