#include "api/json/jobs.hpp"
#include "api/json/pauses.hpp"
#include "core/job/completion.hpp"
#include "core/time/text.hpp"

namespace belfry::api::json {
namespace {

void write_pauses(writer& w, const core::job& j) {
  w.key("pauses").begin_array();
  for (const auto& p : j.pauses) {
    w.begin_object();
    write_pause_members(w, p);
    w.end_object();
  }
  w.end_array();
}

// With what a list of pauses has no use for, and a node that takes over has.
void write_past_pauses(writer& w, const core::job& j) {
  w.key("pauses").begin_array();
  for (const auto& p : j.pauses) {
    w.begin_object();
    write_pause_members(w, p);
    if (p.deadline != core::never) w.member("deadline", p.deadline);
    if (p.drained_at != core::never) w.member("drained_at", p.drained_at);
    if (p.probes) w.member("probes", true);
    if (p.ahead) w.member("ahead", true);
    w.end_object();
  }
  w.end_array();
}

void write_cursor(writer& w, const core::plan_cursor& c) {
  w.key("cursor").begin_object().member("covered", c.covered).member("made", c.made);
  w.key("recent").begin_array();
  for (const auto at : c.recent) w.text(core::to_rfc3339(at));
  w.end_array();
  if (c.since != core::never) w.member("since", c.since);
  if (c.succeeded != 0) w.member("succeeded", c.succeeded);
  w.end_object();
}

void write_timing(writer& w, const core::job_timing& t) {
  if (t.schedule.empty()) return;
  const core::plan_policy usual;
  const auto& p = t.policy;
  w.member("schedule", t.schedule);
  if (p.missed != usual.missed) w.member("catch_up", core::to_text(p.missed));
  if (p.all_at_most != usual.all_at_most) w.member("catch_up_max", p.all_at_most);
  if (p.grace != usual.grace) w.member("catch_up_grace", core::to_text(p.grace));
  if (p.start_deadline != usual.start_deadline) w.member("start_deadline", core::to_text(p.start_deadline));
  if (p.on_time != usual.on_time) w.member("on_time", core::to_text(p.on_time));
  if (p.limit.most != usual.limit.most) w.member("fire_limit", p.limit.most);
  if (p.limit.window != usual.limit.window) w.member("fire_window", core::to_text(p.limit.window));
  if (p.most_runs != usual.most_runs) w.member("max_runs", p.most_runs);
  if (p.most_runs_of != usual.most_runs_of) w.member("max_runs_of", core::to_text(p.most_runs_of));
  if (p.retry_past_next) w.member("retry_past_next", true);
}

}  // namespace

void write_definition(writer& w, const core::job_definition& d) {
  w.begin_object();
  write_spec_members(w, d.spec);
  if (!d.description.empty()) w.member("description", d.description);
  if (d.on_overlap != core::overlap::skip) w.member("overlap", core::to_text(d.on_overlap));
  if (d.max_concurrent != 1) w.member("max_concurrent", d.max_concurrent);
  write_timing(w, d.timing);
  if (!d.source.empty()) w.member("source", d.source);
  w.end_object();
}

void write_job_members(writer& w, const core::job& j, bool with_definition) {
  w.member("id", j.id);
  w.member("name", j.definition ? std::string_view{j.definition->name} : std::string_view{});
  w.member("description", j.definition ? std::string_view{j.definition->description} : std::string_view{});
  w.member("revision", j.revision).member("state", core::to_text(j.state));
  write_pauses(w, j);
  w.member("triggered", j.triggered);
  w.member_or_null("schedule", j.definition ? j.definition->timing.schedule : std::string{});
  w.member("next_at", j.due).member("fired", j.cursor.made);
  w.key("succeeded");
  if (j.definition && core::counts_successes(j.definition->timing.policy))
    w.number(j.cursor.succeeded);
  else
    w.null();
  w.member("ending", j.definition && core::nothing_planned(j));
  w.member("source", j.definition ? std::string_view{j.definition->source} : std::string_view{});
  w.member("created_at", j.created_at).member("updated_at", j.updated_at).member("created_by", j.created_by);
  w.member_or_null("checks_skipped_by", j.definition ? j.definition->spec.unchecked.by : std::string{});
  if (!with_definition) return;
  w.key("definition");
  if (j.definition)
    write_definition(w, *j.definition);
  else
    w.null();
}

void write_export_line(writer& w, const core::job& j) {
  w.begin_object()
      .member("kind", "job")
      .member("format", export_format)
      .member("id", j.id)
      .member("revision", j.revision)
      .member("state", core::to_text(j.state));
  write_past_pauses(w, j);
  w.member("created_at", j.created_at)
      .member("updated_at", j.updated_at)
      .member("created_by", j.created_by)
      .member("triggered", j.triggered);
  if (!(j.cursor == core::plan_cursor{})) write_cursor(w, j.cursor);
  w.key("definition");
  if (j.definition)
    write_definition(w, *j.definition);
  else
    w.null();
  w.end_object();
  w.newline();
}

}  // namespace belfry::api::json
