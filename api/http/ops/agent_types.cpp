// AGENT TYPES: the kinds of workers that the node can start by itself.
#include "api/http/ops/ops.hpp"
#include "api/json/spawns.hpp"

namespace belfry::api {
namespace {

using core::errc;

constexpr std::size_t workers_shown = 100;

void list_agent_types(const exchange_ptr& x) {
  x->node().node.call(
      messages::ask_agent_types{},
      x->then<messages::agent_types_told>([](const exchange_ptr& y, messages::agent_types_told told) {
        json::writer w{told.types.size() * 600 + 64};
        w.begin_object().key("agent_types").begin_array();
        for (const auto& t : told.types) json::write_agent_type(w, t, nullptr);
        w.end_array().end_object();
        answer_json(*y, w);
      }));
}

// With what holds it, and what the limits of its provider have taught.
void tell_agent_type(const exchange_ptr& x, const messages::agent_type_status& t,
                     std::vector<core::spawned_worker> workers) {
  x->node().node.call(messages::look_at_pauses{core::the_agent_type(t.type.name)},
                      x->then<messages::pauses_seen>([t, workers = std::move(workers)](
                                                         const exchange_ptr& y, messages::pauses_seen seen) {
                        json::writer w{workers.size() * 300 + 1024};
                        json::write_agent_type(w, t, &workers, &seen);
                        answer_json(*y, w);
                      }));
}

void get_agent_type(const exchange_ptr& x) {
  x->node().node.call(
      messages::ask_agent_types{x->arguments.front()},
      x->then<messages::agent_types_told>([](const exchange_ptr& y, messages::agent_types_told told) {
        if (told.types.empty())
          return y->refuse(fail_with(errc::internal, "the node answered without the agent type"));
        messages::list_workers q;
        q.agent_type = told.types.front().type.name;
        q.ended_too = true;
        q.limit = workers_shown;
        y->node().node.ask(q, y->then<std::vector<core::spawned_worker>>(
                                  [t = std::move(told.types.front())](
                                      const exchange_ptr& z, std::vector<core::spawned_worker> workers) {
                                    tell_agent_type(z, t, std::move(workers));
                                  }));
      }));
}

void spawn_worker(const exchange_ptr& x) {
  auto wish = json::read_spawn(x->in.body);
  if (!wish) return x->refuse(wish.error());
  x->node().node.call(
      messages::spawn_by_hand{x->arguments.front(), std::move(wish->workspace), x->actor},
      x->then<messages::worker_spawned>([](const exchange_ptr& y, messages::worker_spawned s) {
        json::writer w{128};
        w.begin_object().member("session_id", s.session).member("agent_type", s.agent_type).end_object();
        answer_json(*y, w, 201, made_headers("/v1/sessions/" + core::to_string(s.session), false));
      }));
}

}  // namespace

void add_agent_type_routes(std::vector<route>& all) {
  all.push_back({verb::get,
                 "/v1/agent-types",
                 "list_agent_types",
                 "agent_types",
                 "The kinds of workers that the node can start by itself",
                 scope::read,
                 list_agent_types,
                 body_kind::none,
                 {},
                 {},
                 {{200, "AgentTypeList", "All of them"}},
                 {},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/agent-types/{name}",
                 "get_agent_type",
                 "agent_types",
                 "One kind of worker, with those that were started",
                 scope::read,
                 get_agent_type,
                 body_kind::none,
                 {},
                 {},
                 {{200, "AgentTypeDetails", "The type"}},
                 {errc::not_found},
                 false,
                 0});
  all.push_back({verb::post,
                 "/v1/agent-types/{name}:spawn",
                 "spawn_worker",
                 "agent_types",
                 "Start a worker by hand; it claims for itself",
                 scope::operate,
                 spawn_worker,
                 body_kind::optional_json,
                 "SpawnRequest",
                 {},
                 {{201, "WorkerSpawned", "Its process runs"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found, errc::limit_exceeded,
                  errc::paused},
                 false,
                 0});
}

}  // namespace belfry::api
