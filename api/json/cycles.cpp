#include "api/json/cycles.hpp"

#include <algorithm>

#include "api/json/runs.hpp"

namespace belfry::api::json {
namespace {

void write_counted(writer& w, std::string_view name, const core::counted_runs& c) {
  w.key(name).begin_object().member("count", c.count).key("runs").begin_array();
  for (const auto run : c.runs) w.id_value(core::run_tag::prefix, run.value);
  w.end_array().end_object();
}

void write_woken(writer& w, std::string_view name, const std::vector<core::woken>& all) {
  w.key(name).begin_array();
  for (const auto& one : all)
    w.begin_object()
        .member("run_id", one.run)
        .member("session_id", one.who)
        .member_or_null("text", one.text)
        .end_object();
  w.end_array();
}

}  // namespace

void write_cycle(writer& w, const core::cycle_result& r) {
  w.begin_object().member("number", r.number).member("began_at", r.began);
  w.key("took_ms").number(static_cast<double>(r.took.count()) / 1000);
  w.member("paused", r.paused).member("pending", r.pending).member("active", r.active);
  w.member("sessions_scanned", r.sessions_scanned);
  write_counted(w, "recovered_leases", r.recovered_leases);
  w.member("wakes_attempted", r.wakes_attempted)
      .member("wakes_succeeded", r.wakes_succeeded)
      .member("wakes_failed", r.wakes_failed);
  write_woken(w, "woken", r.woke);
  write_woken(w, "not_woken", r.not_woken);
  w.member("no_match", r.no_match());
  write_counted(w, "no_capable_session", r.no_capable);
  write_counted(w, "all_busy", r.all_busy);
  write_counted(w, "all_cooldown", r.all_cooldown);
  write_counted(w, "wrong_scope", r.wrong_scope);
  w.member("recently_notified", r.recently_notified)
      .member("unclaimable", r.unclaimable)
      .member("paused_runs", r.paused_runs)
      .member("starved", r.starved);
  write_counted(w, "fanned_out", r.fanned_out);
  write_counted(w, "spawns_requested", r.spawns_requested);
  write_counted(w, "spawns_refused", r.spawns_refused);
  write_counted(w, "needs_attention", r.needs_attention);
  w.member_or_null("error", r.error).end_object();
}

void write_cycles(writer& w, const messages::cycles_seen& seen) {
  const auto& s = seen.sums;
  w.begin_object().member("since", s.since).member("cycles", s.cycles);
  w.member("paused_cycles", s.paused_cycles).member("asked_for", s.asked).member("rebuilds", s.rebuilds);
  w.member("errors", s.errors).member("recovered_leases", s.recovered_leases);
  w.member("wakes_attempted", s.wakes_attempted)
      .member("wakes_succeeded", s.wakes_succeeded)
      .member("wakes_failed", s.wakes_failed)
      .member("wakes_acknowledged", s.wakes_acknowledged)
      .member("wakes_unheard", s.wakes_unheard);
  w.member("no_match", s.no_capable + s.all_busy + s.wrong_scope)
      .member("no_capable_session", s.no_capable)
      .member("all_busy", s.all_busy)
      .member("all_cooldown", s.all_cooldown)
      .member("wrong_scope", s.wrong_scope)
      .member("recently_notified", s.recently_notified);
  w.member("fanned_out", s.fanned_out)
      .member("spawns_requested", s.spawns_requested)
      .member("spawns_refused", s.spawns_refused)
      .member("needs_attention", s.needs_attention);
  w.key("longest_ms").number(static_cast<double>(s.longest.count()) / 1000);
  w.key("average_ms")
      .number(s.cycles == 0
                  ? 0.0  // whole microseconds
                  : static_cast<double>(s.total.count() / static_cast<std::int64_t>(s.cycles)) / 1000);
  w.member("last_cycle_at", s.last_cycle)
      .member("last_wake_at", s.last_wake)
      .member("last_rebuild_at", s.last_rebuild)
      .member("last_error_at", s.last_error_at)
      .member_or_null("last_error", s.last_error)
      .milliseconds("written_every_ms", seen.written_every)
      .end_object();
}

void write_ladder(writer& w, const messages::ladder_seen& seen) {
  const auto& o = seen.options;
  w.begin_object().member("on", o.minimum_age > core::span{0});
  w.milliseconds("minimum_age_ms", o.minimum_age).milliseconds("interval_ms", seen.interval);
  w.milliseconds("longest_wait_ms", core::longest_wait(o, seen.interval));
  w.member("next_count_at", seen.next_tick).key("thresholds").begin_object();
  for (const auto r :
       {core::rung::fan_out, core::rung::spawn, core::rung::event, core::rung::needs_attention})
    w.member(core::to_text(r), core::threshold(o, r));
  w.end_object();
  std::uint64_t starved = 0;
  for (const auto n : seen.by_rung) starved += n;
  w.member("starved", starved).key("starved_by_rung").begin_object();
  for (const auto r : {core::rung::none, core::rung::fan_out, core::rung::spawn, core::rung::event})
    w.member(core::to_text(r), seen.by_rung[static_cast<std::size_t>(r)]);
  w.end_object().end_object();
}

void write_rung(writer& w, const messages::rung_view* view) {
  if (view == nullptr) {
    w.null();
    return;
  }
  const auto& row = view->row;
  w.begin_object().member("episode", row.episode).member("since", row.began).member("count", view->count);
  w.member("rung", core::to_text(row.fired)).member("held", row.held.has_value());
  w.member("worker_started", row.spawned);
  w.member_or_null("next_rung",
                   view->next == core::rung::none ? std::string_view{} : core::to_text(view->next));
  w.member("next_rung_at", view->due).end_object();
}

void write_backlog_item(writer& w, const core::run& run, const messages::explanation& told,
                        const messages::rung_view* rung, core::instant now) {
  const auto& h = run.head;
  w.begin_object().member("run_id", h.id).member("name", h.name).member("priority", core::to_text(h.prio));
  w.member_or_null("workspace", h.needs.workspace).member_or_null("lane", h.lane).member("job_id", h.job);
  w.member("eligible_since", h.eligible_since);
  w.milliseconds("age_ms", h.eligible_since == core::never || h.eligible_since > now
                               ? core::span{0}
                               : now - h.eligible_since);
  waiting why;
  why.reasons = told.reasons;
  why.position = told.position;
  why.start = told.start;
  write_waiting(w, why);
  w.key("ladder");
  write_rung(w, rung);
  w.end_object();
}

}  // namespace belfry::api::json
