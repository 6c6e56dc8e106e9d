#include "api/json/runs.hpp"

#include "api/json/cycles.hpp"
#include "api/json/events.hpp"
#include "api/json/sessions.hpp"

#include "api/json/spec.hpp"

namespace belfry::api::json {
namespace {

using core::instant;
using core::never;
using core::span;

// Nothing where one end is not there yet; never negative, whatever the clock did.
std::optional<span> between(instant from, instant to) {
  if (from == never || to == never) return std::nullopt;
  return to < from ? span{0} : to - from;
}

void write_class(writer& w, std::string_view name, core::failure_class c) {
  w.key(name);
  if (c == core::failure_class::none)
    w.null();
  else
    w.text(core::to_text(c));
}

bool dead_letter(const core::run_head& h) {
  return core::ended_badly(h.state) && !h.successor && !h.discarded;
}

void write_lease(writer& w, const core::run_head& h) {
  w.key("lease");
  if (!core::leased(h.state)) {
    w.null();
    return;
  }
  w.begin_object().member("session_id", h.held.holder).member("claimed_at", h.held.claimed_at);
  w.member("started_at", h.held.started_at)
      .member("expires_at", h.held.expires_at)
      .member("deadline", h.held.deadline_at);
  w.end_object();
}

void write_members(writer& w, const core::run& r) {
  const auto& h = r.head;
  w.member("id", h.id)
      .member("name", h.name)
      .member("state", core::to_text(h.state))
      .member("priority", core::to_text(h.prio));
  w.member("workspace", h.needs.workspace).member("lane", h.lane).member("job_id", h.job);
  w.key("job_revision");
  if (h.job)
    w.number(std::uint64_t{h.revision});
  else
    w.null();
  w.member("batch_id", h.batch).member("parent_id", h.parent);
  w.member("predecessor_id", h.predecessor).member("successor_id", h.successor);
  w.member("manual", h.manual)
      .member("attempt", h.attempt)
      .member("attempts_used", h.used)
      .member("losses", h.losses);
  w.member("fencing", h.fencing);
  w.member("created_at", h.created_at)
      .member("created_by", h.created_by)
      .member("eligible_since", h.eligible_since);
  w.member("due_at", h.due_at).member("ended_at", h.ended_at);
  write_lease(w, h);
  w.milliseconds("timeout_ms", h.timeout).member("cancel_requested", h.cancel_requested);
  write_class(w, "failure_class", h.last_class);
  w.member_or_null("reason", h.reason).member("dead_letter", dead_letter(h)).member("discarded", h.discarded);
  w.member("progress", h.progress).member_or_null("progress_text", h.progress_text);
  w.member_or_null("concurrency_key", h.concurrency_key);
  if (r.spec) w.texts("tags", r.spec->tags);
}

void write_attempt(writer& w, const core::attempt_record& a, const std::string& holder) {
  w.begin_object()
      .member("number", a.number)
      .member("outcome", core::to_text(a.outcome))
      .member("fencing", a.fencing);
  w.member("session_id", a.holder).member_or_null("session_name", holder);
  w.member("claimed_at", a.claimed_at).member("started_at", a.started_at).member("ended_at", a.ended_at);
  w.member("execution_ms", between(a.started_at, a.ended_at));
  write_class(w, "failure_class", a.klass);
  w.member_or_null("message", a.message).key("exit_code");
  if (a.exit_code)
    w.number(std::int64_t{*a.exit_code});
  else
    w.null();
  w.key("signal");
  if (a.signal)
    w.number(std::int64_t{*a.signal});
  else
    w.null();
  w.member_or_null("stopped_with", a.stopped_with);
  w.milliseconds("user_cpu_ms", a.used.user_cpu).milliseconds("system_cpu_ms", a.used.system_cpu);
  w.key("peak_memory_bytes");
  if (a.used.peak_memory == 0)
    w.null();
  else
    w.number(a.used.peak_memory);
  w.raw_or_null("result", a.result)
      .member("output_bytes", a.output_bytes)
      .member("output_truncated", a.output_truncated);
  w.end_object();
}

// The attempt that is under way has no record yet.
void write_live_attempt(writer& w, const core::run_head& h) {
  w.begin_object().member("number", h.attempt).key("outcome").null().member("fencing", h.fencing);
  w.member("session_id", h.held.holder)
      .member("claimed_at", h.held.claimed_at)
      .member("started_at", h.held.started_at);
  w.end_object();
}

void write_attempts(writer& w, const messages::run_details& d) {
  w.key("attempts").begin_array();
  for (std::size_t i = 0; i < d.attempts.size(); ++i)
    write_attempt(w, d.attempts[i], i < d.holder_names.size() ? d.holder_names[i] : std::string{});
  if (core::leased(d.run.head.state)) write_live_attempt(w, d.run.head);
  w.end_array();
  w.key("late_writes").begin_array();
  for (const auto& e : d.late)
    w.begin_object()
        .member("kind", e.kind)
        .member("fencing", e.fencing)
        .member("at", e.at)
        .member("text", e.text)
        .end_object();
  w.end_array();
  w.key("late_results").begin_array();
  for (const auto& a : d.late_results)
    w.begin_object()
        .member("attempt", a.number)
        .member("fencing", a.fencing)
        .member("at", a.ended_at)
        .member_or_null("message", a.message)
        .raw_or_null("result", a.result)
        .end_object();
  w.end_array().key("checkpoint");
  if (!d.checkpoint) {
    w.null();
  } else {
    w.begin_object().member("attempt", d.checkpoint->attempt).member("at", d.checkpoint->at);
    w.raw_or_null("value", d.checkpoint->value).end_object();
  }
}

// Of the last attempt: queue and execution; of the whole: total.
void write_durations(writer& w, const messages::run_details& d) {
  const auto& h = d.run.head;
  instant claimed = never;
  instant started = never;
  instant ended = never;
  if (core::leased(h.state)) {
    claimed = h.held.claimed_at;
    started = h.held.started_at;
  } else if (!d.attempts.empty()) {
    claimed = d.attempts.back().claimed_at;
    started = d.attempts.back().started_at;
    ended = d.attempts.back().ended_at;
  }
  w.member("queue_ms", between(h.eligible_since, claimed)).member("execution_ms", between(started, ended));
  w.member("total_ms", between(h.created_at, h.ended_at));
  const bool done = h.state == core::run_state::succeeded && !d.attempts.empty();
  w.raw_or_null("result", done ? std::string_view{d.attempts.back().result} : std::string_view{});
}

void write_distribution(writer& w, std::string_view name, const core::distribution& d) {
  w.key(name).begin_object();
  w.member("average_ms", d.average).member("least_ms", d.least).member("most_ms", d.most);
  w.member("p50_ms", d.p50).member("p95_ms", d.p95).member("p99_ms", d.p99).end_object();
}

}  // namespace

void write_submitted(writer& w, const core::run& r, bool created) {
  w.begin_object();
  write_submitted_members(w, r, created);
  w.end_object();
}

void write_submitted_members(writer& w, const core::run& r, bool created) {
  const auto& h = r.head;
  w.member("id", h.id).member("name", h.name).member("state", core::to_text(h.state));
  w.member("priority", core::to_text(h.prio)).member("job_id", h.job).member("batch_id", h.batch);
  w.member("predecessor_id", h.predecessor).member("created_at", h.created_at).member("due_at", h.due_at);
  w.member_or_null("reason", h.reason).member("created", created);
}

void write_run(writer& w, const core::run& r) {
  w.begin_object();
  write_members(w, r);
  w.end_object();
}

void write_head(writer& w, const core::run_head& h) {
  w.begin_object().member("id", h.id).member("name", h.name).member("state", core::to_text(h.state));
  w.member("priority", core::to_text(h.prio))
      .member("attempt", h.attempt)
      .member("cancel_requested", h.cancel_requested);
  w.member("due_at", h.due_at).member("ended_at", h.ended_at).member("discarded", h.discarded);
  w.member_or_null("reason", h.reason).end_object();
}

void write_estimate(writer& w, const core::estimate& e) {
  w.member("eta_ms", e.in).member_or_null("eta_basis", e.basis);
}

void write_waiting(writer& w, const waiting& why) {
  w.key("waiting_for").begin_array();
  for (const auto& r : why.reasons)
    w.begin_object().member("code", r.code).member("text", r.text).end_object();
  w.end_array().key("position");
  if (why.position)
    w.number(std::uint64_t{*why.position});
  else
    w.null();
  write_estimate(w, why.start);
}

void write_run_details(writer& w, const messages::run_details& d, const waiting& why) {
  w.begin_object();
  write_members(w, d.run);
  if (d.run.spec) write_spec_view(w, *d.run.spec);
  write_durations(w, d);
  write_attempts(w, d);
  write_waiting(w, why);
  w.key("ladder");
  write_rung(w, why.rung ? &*why.rung : nullptr);
  w.key("sessions").begin_array();
  for (const auto& v : why.sessions) {
    w.begin_object().member("id", v.id).member("name", v.name).member("eligible", v.reasons.empty());
    write_reasons(w, v.reasons);
    w.end_object();
  }
  w.end_array();
  w.end_object();
}

void write_log_line(writer& w, const core::log_line& l) {
  w.begin_object().member("attempt", l.attempt).member("number", l.number).member("at", l.at);
  w.member("stream", core::to_text(l.stream)).member_or_null("level", std::string{core::to_text(l.level)});
  w.member("text", l.text).end_object();
}

void write_event(writer& w, const core::event& e) {
  w.begin_object().member("seq", e.seq).member("at", e.at).member("kind", core::to_text(e.kind));
  w.member("run_id", e.run).member("job_id", e.job).member("fencing", e.fencing).member("attempt", e.attempt);
  w.member("actor", e.actor).member("text", e.text);
  if (e.kind == core::event_kind::event_received) write_received_members(w, e.text);
  w.end_object();
}

void write_states(writer& w, const std::array<std::int64_t, core::run_state_count>& by_state) {
  w.begin_object();
  for (const auto s : core::all_run_states())
    w.member(core::to_text(s), by_state[static_cast<std::size_t>(s)]);
  w.end_object();
}

void write_batch(writer& w, const core::batch_summary& b, core::instant now) {
  std::int64_t ended = 0;
  for (const auto s : core::all_run_states())
    if (core::terminal(s)) ended += b.by_state[static_cast<std::size_t>(s)];
  w.begin_object()
      .member("id", b.id)
      .member("created_at", b.created_at)
      .member("total", b.total)
      .member("ended", ended);
  w.member("complete", ended == b.total).key("by_state");
  write_states(w, b.by_state);
  write_estimate(w, core::estimate_rest(static_cast<std::size_t>(ended),
                                        static_cast<std::size_t>(b.total - ended), now - b.created_at));
  w.end_object();
}

void write_statistics(writer& w, const core::run_statistics& s) {
  w.begin_object().key("by_state");
  write_states(w, s.by_state);
  w.key("queued_by_priority").begin_object();
  for (std::size_t i = 0; i < core::priority_count; ++i)
    w.member(core::to_text(static_cast<core::priority>(i)), s.queued_by_priority[i]);
  w.end_object().member("considered", s.considered).key("success_rate");
  if (s.success_rate)
    w.number(*s.success_rate);
  else
    w.null();
  write_distribution(w, "wait", s.wait);
  write_distribution(w, "execution", s.execution);
  write_distribution(w, "total", s.total);
  w.key("started_by_hour").begin_array();
  for (const auto n : s.started_by_hour) w.number(n);
  w.end_array().key("failures").begin_array();
  for (const auto& f : s.failures) {
    w.begin_object().member("class", core::to_text(f.klass)).member("text", f.text).member("count", f.count);
    w.member("last_run_id", f.last).end_object();
  }
  w.end_array().end_object();
}

}  // namespace belfry::api::json
