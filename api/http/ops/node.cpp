// NODE: health, readiness, facts, metrics.
#include "api/http/ops/node_facts.hpp"
#include "api/json/nodes.hpp"
#include "platform/ports/files.hpp"

namespace belfry::api {
namespace {

using platform::metric;

std::string folder_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

json::machine_facts facts_of(const door& d, const std::optional<core::store_facts>& store) {
  json::machine_facts m;
  m.version = BELFRY_VERSION;
  m.now = d.time.now();
  m.resident_bytes = platform::resident_memory();
  m.cpu = platform::cpu_used();
  m.disk_path = !d.options.data_folder.empty()     ? d.options.data_folder
                : store && store->kind == "sqlite" ? folder_of(store->path)
                                                   : std::string{"."};
  m.disk_free = platform::disk_free(m.disk_path);
  m.disk_alarm = d.options.disk_alarm;
  m.connections = d.connections;
  m.streams = d.streams;
  m.requests = d.requests;
  m.host = platform::host_name();
  m.user = platform::user_name();
  m.pid = platform::process_id();
  return m;
}

namespace {

// A node that is asked about its cluster and does not answer is still a node.
void with_standing(const exchange_ptr& x, messages::node_status s, std::optional<core::store_facts> store) {
  x->node().node.call(
      messages::look_at_nodes{},
      x->whole<messages::nodes_seen>([s = std::move(s), store = std::move(store)](
                                         const exchange_ptr& y, core::result<messages::nodes_seen> n) {
        json::writer w{2048};
        json::write_node(w, s, store, facts_of(y->node(), store), n ? json::standing_of(*n) : std::nullopt);
        answer_json(*y, w);
      }));
}

void get_node(const exchange_ptr& x) {
  x->node().node.call(messages::ask_node{}, x->then<messages::node_status>([](const exchange_ptr& y,
                                                                              messages::node_status s) {
    y->node().node.ask(messages::get_facts{},
                       y->whole<core::store_facts>(
                           [s = std::move(s)](const exchange_ptr& z, core::result<core::store_facts> f) {
                             std::optional<core::store_facts> store;
                             if (f) store = std::move(*f);
                             with_standing(z, s, std::move(store));
                           }));
  }));
}

// The limits that somebody changed while nodes ran go before those that this one was started with.
std::optional<std::string> live_limit(std::string_view key, const core::limit_options& l) {
  if (key == "limits.global") return std::to_string(l.global);
  if (key == "limits.per_lane") return std::to_string(l.per_lane);
  if (key == "limits.per_batch") return std::to_string(l.per_batch);
  if (key == "limits.per_agent_type") return std::to_string(l.per_agent_type);
  if (key == "limits.fires") return std::to_string(l.fires);
  if (key == "limits.fires_per_workspace") return std::to_string(l.fires_per_workspace);
  if (key == "limits.fire_window") return '"' + core::to_text(l.fire_window) + '"';
  return std::nullopt;
}

void get_config(const exchange_ptr& x) {
  x->node().node.call(messages::ask_queue{},
                      x->then<messages::queue_state>([](const exchange_ptr& y, messages::queue_state q) {
                        const auto& told = y->node().options.configuration;
                        json::writer w{8192};
                        w.begin_object().member_or_null("file", told.file).key("settings").begin_array();
                        for (const auto& s : told.settings) {
                          const auto live = live_limit(s.key, q.limits);
                          if (const auto now = live.value_or(s.value); now != s.value)
                            json::write_setting(w, s.key, now, "live: belfry limits set");
                          else
                            json::write_setting(w, s.key, s.value, s.origin);
                        }
                        w.end_array().end_object();
                        answer_json(*y, w);
                      }));
}

}  // namespace

void answer_health(const exchange_ptr& x, core::result<messages::node_status> s) {
  messages::node_status status;
  if (s) {
    status = std::move(*s);
  } else {
    status.health = "unhealthy";
    status.issues.push_back("node_silent: " + s.error().text);
  }
  json::writer w{512};
  json::write_health(w, status);
  answer_json(*x, w, status.health == "unhealthy" ? 503 : 200);
}

namespace {

void get_health(const exchange_ptr& x) {
  x->node().node.call(messages::ask_node{}, x->whole<messages::node_status>(answer_health));
}

void get_ready(const exchange_ptr& x) {
  x->node().node.call(
      messages::ask_node{},
      x->whole<messages::node_status>([](const exchange_ptr& y, core::result<messages::node_status> s) {
        const bool ready = s && s->ready && !s->stopping;
        json::writer w{64};
        w.begin_object().member("ready", ready).end_object();
        answer_json(*y, w, ready ? 200 : 503);
      }));
}

}  // namespace

void answer_metrics(exchange& x) {
  auto& d = x.node();
  auto& m = d.meter;
  m.set(metric::process_resident_memory_bytes, static_cast<double>(platform::resident_memory()));
  m.set(metric::process_cpu_seconds_total, std::chrono::duration<double>(platform::cpu_used()).count());
  m.set(metric::build_info, 1, BELFRY_VERSION);
  response r;
  r.content_type = "text/plain; version=0.0.4; charset=utf-8";
  r.body = m.exposition();
  x.answer(std::move(r));
}

namespace {

void note_pressure(platform::meter& m, const messages::queue_state& q) {
  const auto& p = q.pressure;
  m.set(metric::backpressure, core::pressing(p) ? 1 : 0);
  m.set(metric::backpressure_wait_seconds,
        std::chrono::duration<double>(p.wait.value_or(core::span{0})).count());
}

void note_facts(platform::meter& m, const core::store_facts& f, core::instant now) {
  for (const auto s : core::all_run_states())
    m.set(metric::queue_depth, static_cast<double>(f.runs_by_state[static_cast<std::size_t>(s)]),
          core::to_text(s));
  m.set(metric::store_bytes, static_cast<double>(f.bytes));
  m.set(metric::dead_letters, static_cast<double>(f.dead_letters));
  const auto waits =
      f.dead_letters > 0 && f.oldest_dead_letter < now ? now - f.oldest_dead_letter : core::span{0};
  m.set(metric::dead_letter_oldest_age_seconds, std::chrono::duration<double>(waits).count());
}

// Gauges are read when they are asked for; what cannot be read now keeps its last value.
void get_metrics(const exchange_ptr& x) {
  x->node().node.ask(
      messages::get_facts{},
      x->whole<core::store_facts>([](const exchange_ptr& y, core::result<core::store_facts> f) {
        if (f) note_facts(y->node().meter, *f, y->node().time.now());
        y->node().node.call(
            messages::ask_queue{},
            y->whole<messages::queue_state>([](const exchange_ptr& z, core::result<messages::queue_state> q) {
              const auto now = z->node().time.now();
              if (q) {
                const auto age =
                    q->counts.oldest && *q->counts.oldest < now ? now - *q->counts.oldest : core::span{0};
                for (std::size_t i = 0; i < q->paused_of_scope.size(); ++i)
                  z->node().meter.set(metric::paused, static_cast<double>(q->paused_of_scope[i]),
                                      core::to_text(static_cast<core::pause_scope>(i)));
                note_pressure(z->node().meter, *q);
                z->node().meter.set(metric::queue_oldest_age_seconds,
                                    std::chrono::duration<double>(age).count());
              }
              answer_metrics(*z);
            }));
      }));
}

}  // namespace

void add_node_routes(std::vector<route>& all) {
  all.push_back({verb::get,
                 "/v1/config",
                 "get_config",
                 "operations",
                 "What the node runs with, and where each value comes from",
                 scope::operate,
                 get_config,
                 body_kind::none,
                 {},
                 {},
                 {{200, "Configuration", "Every setting"}},
                 {},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/node",
                 "get_node",
                 "operations",
                 "Health, children, store, memory and disk of this node",
                 scope::read,
                 get_node,
                 body_kind::none,
                 {},
                 {},
                 {{200, "Node", "The node"}},
                 {},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/health",
                 "get_health",
                 "operations",
                 "Whether the node is well",
                 scope::open,
                 get_health,
                 body_kind::none,
                 {},
                 {},
                 {{200, "Health", "healthy or degraded"}, {503, "Health", "unhealthy"}},
                 {},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/ready",
                 "get_ready",
                 "operations",
                 "Whether the node takes work now",
                 scope::open,
                 get_ready,
                 body_kind::none,
                 {},
                 {},
                 {{200, "Ready", "It does"}, {503, "Ready", "Not yet, or no more"}},
                 {},
                 false,
                 0});
  all.push_back({verb::get,
                 "/metrics",
                 "get_metrics",
                 "operations",
                 "Metrics in Prometheus text format 0.0.4",
                 scope::open,
                 get_metrics,
                 body_kind::none,
                 {},
                 {},
                 {{200, {}, "Text", "text/plain"}},
                 {},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/metrics",
                 "get_metrics_v1",
                 "operations",
                 "The same as /metrics",
                 scope::open,
                 get_metrics,
                 body_kind::none,
                 {},
                 {},
                 {{200, {}, "Text", "text/plain"}},
                 {},
                 false,
                 0});
}

}  // namespace belfry::api
