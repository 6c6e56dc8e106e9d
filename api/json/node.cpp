#include "api/json/node.hpp"

#include "api/json/pauses.hpp"
#include "api/json/throttles.hpp"

#include "api/json/cycles.hpp"
#include "api/json/hooks.hpp"
#include "api/json/runs.hpp"

namespace belfry::api::json {
namespace {

void write_dead_letters(writer& w, const std::optional<core::store_facts>& f, core::instant now) {
  w.key("dead_letters");
  if (!f) {
    w.null();
    return;
  }
  const bool any = f->dead_letters > 0;
  w.begin_object().member("count", f->dead_letters);
  w.member("oldest_ended_at", any ? f->oldest_dead_letter : core::never);
  w.milliseconds("oldest_age_ms",
                 any && f->oldest_dead_letter < now ? now - f->oldest_dead_letter : core::span{0});
  w.end_object();
}

void write_store(writer& w, const std::optional<core::store_facts>& f) {
  w.key("store");
  if (!f) {
    w.null();
    return;
  }
  w.begin_object().member("kind", f->kind).member("path", f->path).member("durability", f->durability);
  w.member("schema", f->schema)
      .member("bytes", f->bytes)
      .member("last_event", f->last_event)
      .member("jobs", f->jobs);
  w.member("boots", f->boots).member("created_at", f->created_at).key("runs_by_state");
  write_states(w, f->runs_by_state);
  w.end_object();
}

void write_children(writer& w, const messages::node_status& s) {
  w.key("children").begin_array();
  for (const auto& c : s.children)
    w.begin_object()
        .member("name", c.name)
        .member("state", c.state)
        .member("restarts", c.restarts)
        .member("note", c.note)
        .end_object();
  w.end_array();
}

void write_counts(writer& w, std::string_view name, const std::map<std::string, std::size_t>& counts) {
  w.key(name).begin_array();
  for (const auto& [key, n] : counts) w.begin_object().member("name", key).member("live", n).end_object();
  w.end_array();
}

}  // namespace

void write_health(writer& w, const messages::node_status& s) {
  w.begin_object().member("status", s.health).member("ready", s.ready).member("stopping", s.stopping);
  w.texts("issues", s.issues).end_object();
}

void write_node(writer& w, const messages::node_status& s, const std::optional<core::store_facts>& store,
                const machine_facts& m, const std::optional<cluster_standing>& cluster) {
  const bool low = m.disk_free > 0 && m.disk_free < m.disk_alarm;
  auto issues = s.issues;
  if (low)
    issues.push_back("disk_low: " + std::to_string(m.disk_free >> 20U) + " MiB free at " + m.disk_path +
                     ", the alarm is at " + std::to_string(m.disk_alarm >> 20U) + " MiB");
  w.begin_object().member("version", m.version);
  w.member("health",
           low && s.health == "healthy" ? std::string_view{"degraded"} : std::string_view{s.health});
  w.member("ready", s.ready).member("stopping", s.stopping).texts("issues", issues);
  w.member("started_at", s.started_at)
      .milliseconds("uptime_ms", m.now > s.started_at ? m.now - s.started_at : core::span{0});
  w.member("now", m.now).member("host", m.host).member("user", m.user).member("pid", m.pid);
  w.member("resident_bytes", m.resident_bytes).milliseconds("cpu_ms", m.cpu).member("processes", s.processes);
  w.key("disk").begin_object().member("path", m.disk_path).member("free_bytes", m.disk_free);
  w.member("alarm_bytes", m.disk_alarm).member("low", low).end_object();
  w.key("http").begin_object().member("connections", m.connections).member("streams", m.streams);
  w.member("requests", m.requests).end_object();
  write_children(w, s);
  write_store(w, store);
  write_dead_letters(w, store, m.now);
  w.key("cluster");
  write_standing(w, cluster);
  w.end_object();
}

void write_limits(writer& w, const core::limit_options& l) {
  w.begin_object().member("global", l.global).member("per_lane", l.per_lane).member("per_batch", l.per_batch);
  w.member("per_agent_type", l.per_agent_type).member("fires", l.fires);
  w.member("fires_per_workspace", l.fires_per_workspace);
  w.member("fire_window", core::to_text(l.fire_window)).end_object();
}

void write_queue(writer& w, const messages::queue_state& q, const messages::ladder_seen& ladder) {
  w.begin_object().member("ready", q.ready).member("paused", q.paused).key("pauses");
  write_pause_list(w, q.pauses);
  w.key("planned");
  write_pause_list(w, q.planned);
  w.key("counts").begin_object();
  w.member("ready", q.counts.ready)
      .member("reserved", q.counts.reserved)
      .member("live", q.counts.live)
      .end_object();
  w.key("ready_by_priority").begin_object();
  for (std::size_t i = 0; i < core::priority_count; ++i)
    w.member(core::to_text(static_cast<core::priority>(i)), q.counts.ready_by_priority[i]);
  w.end_object().member("oldest_eligible_since", q.counts.oldest.value_or(core::never)).key("limits");
  write_limits(w, q.limits);
  write_counts(w, "live_by_lane", q.live_by_lane);
  write_counts(w, "live_by_agent_type", q.live_by_agent_type);
  w.member("waiting_claims", q.waiting_claims).member("timers", q.timers).key("backpressure");
  write_pressure(w, q.pressure);
  w.key("delays");
  write_delays(w, q.delays);
  w.key("ladder");
  write_ladder(w, ladder);
  w.key("claim_hook");
  if (q.hook)
    write_hook_state(w, *q.hook);
  else
    w.null();
  w.end_object();
}

void write_rebuilt(writer& w, const messages::index_rebuilt& r) {
  const auto word = [](messages::index_fault what) {
    switch (what) {
      case messages::index_fault::missing: return "missing";
      case messages::index_fault::stale: return "stale";
      case messages::index_fault::misplaced: return "misplaced";
    }
    return "misplaced";
  };
  w.begin_object().member("open", r.open).member("queued", r.queued).member("delayed", r.delayed);
  w.member("leased", r.leased).member("missing", r.missing).member("stale", r.stale);
  w.member("misplaced", r.misplaced).key("differences").begin_array();
  for (const auto& d : r.differences) {
    w.begin_object().key("run_id").id_value(core::run_tag::prefix, d.run.value);
    w.member("was", word(d.what)).end_object();
  }
  w.end_array().member("event", r.event).end_object();
}

void write_setting(writer& w, std::string_view key, std::string_view value, std::string_view origin) {
  w.begin_object().member("key", key).key("value").raw(value);
  w.member("origin", origin).end_object();
}

void write_totals(writer& w, const core::store_facts& f) {
  w.key("totals").begin_object();
  for (const auto& [name, n] : f.totals) w.member(name, n);
  w.end_object().member("since", f.created_at);
}

}  // namespace belfry::api::json
