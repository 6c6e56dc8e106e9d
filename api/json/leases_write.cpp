#include "api/json/leases.hpp"

#include "api/json/sessions.hpp"
#include "api/json/spec.hpp"

namespace belfry::api::json {
namespace {

void write_exit_codes(writer& w, std::string_view name, const std::vector<std::uint8_t>& codes) {
  w.key(name).begin_array();
  for (const auto code : codes) w.number(std::int64_t{code});
  w.end_array();
}

}  // namespace

namespace {

// What the attempts before left behind.
void write_past(writer& w, const core::run_past* past) {
  const auto* kept = past != nullptr && past->last ? &*past->last : nullptr;
  w.key("checkpoint");
  if (kept == nullptr)
    w.null();
  else
    w.begin_object()
        .member("attempt", kept->attempt)
        .member("at", kept->at)
        .raw_or_null("value", kept->value)
        .end_object();
  w.key("previous").begin_array();
  if (past != nullptr)
    for (const auto& a : past->attempts) {
      w.begin_object().member("attempt", a.number).member("fencing", a.fencing);
      w.member("outcome", a.outcome == core::run_state::queued ? "released" : core::to_text(a.outcome));
      w.member("class", core::to_text(a.klass)).member_or_null("message", a.message);
      w.member("started_at", a.started_at).member("ended_at", a.ended_at).end_object();
    }
  w.end_array();
}

}  // namespace

void write_claims(writer& w, const messages::claimed_runs& c) {
  w.begin_object().key("claims").begin_array();
  for (const auto& [run, token] : c.runs) {
    const auto& h = run.head;
    w.begin_object()
        .member("run_id", h.id)
        .member("name", h.name)
        .member("job_id", h.job)
        .member("attempt", h.attempt);
    w.member("fencing", h.fencing).member("token", token).member("state", core::to_text(h.state));
    w.member("priority", core::to_text(h.prio)).member("workspace", h.needs.workspace);
    w.member("lease_expires_at", h.held.expires_at).member("deadline", h.held.deadline_at);
    if (run.spec) {
      w.raw_or_null("payload", run.spec->payload).raw_or_null("metadata", run.spec->metadata);
      w.milliseconds("timeout_ms", run.spec->timeout).milliseconds("grace_ms", run.spec->grace);
      write_exit_codes(w, "success_codes", run.spec->process.success_codes);
      write_exit_codes(w, "retryable_codes", run.spec->process.retryable_codes);
      w.texts("tags", run.spec->tags);
      w.member_or_null("traceparent", run.spec->traceparent);
      if (core::given(run.spec->condition)) write_condition(w, run.spec->condition);
    }
    write_past(w, run.past.get());
    w.end_object();
  }
  w.end_array().member("session_state", core::to_text(c.state)).key("commands").begin_array();
  if (c.state == core::session_state::draining) w.text("drain");
  w.end_array();
  w.milliseconds("delay_ms", c.delay);
  write_reasons(w, c.reasons);
  w.end_object();
}

void write_lease_status_members(writer& w, core::run_id run, const messages::lease_status& s) {
  w.member("run_id", run).member("lease_expires_at", s.expires_at).member("deadline", s.deadline_at);
  w.member("cancel_requested", s.cancel_requested).key("commands").begin_array();
  if (s.cancel_requested) w.text("cancel");
  if (s.drain) w.text("drain");
  if (s.report) w.text("report");
  w.end_array();
  if (s.next_line != 0) w.member("next", s.next_line);
}

void write_lease_status(writer& w, core::run_id run, const messages::lease_status& s) {
  w.begin_object();
  write_lease_status_members(w, run, s);
  w.end_object();
}

}  // namespace belfry::api::json
