#include "api/json/leases.hpp"

#include "core/run/handlers.hpp"

namespace belfry::api::json {
namespace {

void write_exit_codes(writer& w, std::string_view name, const std::vector<std::uint8_t>& codes) {
  w.key(name).begin_array();
  for (const auto code : codes) w.number(std::int64_t{code});
  w.end_array();
}

}  // namespace

void write_session(writer& w, const core::session& s) {
  w.begin_object().member("id", s.id).member("name", s.name).member("agent_type", s.agent_type);
  w.member("workspace", s.workspace)
      .member_or_null("channel", s.channel)
      .texts("capabilities", s.capabilities);
  w.key("handlers").begin_array();
  for (const auto h : s.handlers) w.text(core::to_text(h));
  w.end_array();
  w.member("slots", s.slots)
      .member("state", core::to_text(s.state))
      .member("prompting", s.prompting)
      .member("local", s.local);
  w.member("created_at", s.created_at).member("last_seen_at", s.last_seen).end_object();
}

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
    }
    w.end_object();
  }
  w.end_array().end_object();
}

void write_lease_status(writer& w, core::run_id run, const messages::lease_status& s) {
  w.begin_object()
      .member("run_id", run)
      .member("lease_expires_at", s.expires_at)
      .member("deadline", s.deadline_at);
  w.member("cancel_requested", s.cancel_requested).key("commands").begin_array();
  if (s.cancel_requested) w.text("cancel");
  w.end_array().end_object();
}

}  // namespace belfry::api::json
