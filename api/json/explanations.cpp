#include "api/json/explanations.hpp"

#include <utility>

#include "api/json/cycles.hpp"
#include "api/json/schedules.hpp"
#include "core/job/outlook.hpp"

namespace belfry::api::json {
namespace {

using core::diagnostic_area;
using core::run_state;

// What happens next by itself, and when.
std::pair<core::instant, std::string_view> next_of(const core::run_head& h) {
  switch (h.state) {
    case run_state::scheduled:
    case run_state::retrying:
    case run_state::parked: return {h.due_at, "it is queued"};
    case run_state::claimed:
    case run_state::running:
      if (h.held.deadline_at != core::never && h.held.deadline_at < h.held.expires_at)
        return {h.held.deadline_at, "the attempt times out"};
      return {h.held.expires_at, "the lease ends, unless it is renewed"};
    case run_state::blocked:
    case run_state::queued:
    case run_state::needs_attention:
    case run_state::succeeded:
    case run_state::failed:
    case run_state::timed_out:
    case run_state::lost:
    case run_state::cancelled:
    case run_state::skipped: break;
  }
  return {core::never, {}};
}

// For a run that has ended: what there is left to do with it.
std::string command_after(const core::run_head& h) {
  const auto id = core::to_string(h.id);
  if (h.successor) return "belfry run explain " + core::to_string(h.successor);
  if (core::ended_badly(h.state) && !h.discarded) return "belfry run retry " + id;
  return core::terminal(h.state) ? "belfry run show " + id : std::string{};
}

void write_lifted_all(writer& w, diagnostic_area area, const std::vector<core::ineligible>& reasons,
                      const core::diagnostic_subject& about) {
  w.key("reasons").begin_array();
  for (const auto& r : reasons) write_lifted(w, area, r.code, r.text, about);
  w.end_array();
}

void write_wakes(writer& w, const std::optional<messages::wakes_seen>& seen) {
  w.member("wakes_in_all", seen ? seen->all : std::uint64_t{0});
  w.member("wakes_known_since", seen ? seen->since : core::never).key("wakes").begin_array();
  if (seen)
    for (const auto& one : seen->wakes) {
      w.begin_object().member("id", one.id).member("session_id", one.session);
      w.member("outcome", core::to_text(one.outcome)).member("starved", one.starved);
      w.member("by_hand", one.by_hand).member("sent_at", one.sent_at).member("ended_at", one.ended_at);
      w.key("took_ms");
      if (one.ended_at == core::never)
        w.null();
      else
        w.number(core::millis(one.ended_at - one.sent_at));
      w.member_or_null("text", one.text).end_object();
    }
  w.end_array();
}

}  // namespace

void write_lifted(writer& w, diagnostic_area area, const std::string& code, const std::string& text,
                  const core::diagnostic_subject& about) {
  w.begin_object().member("code", code).member("text", text);
  const auto* d = core::find_diagnostic(area, code);
  w.member_or_null("lift", d == nullptr ? std::string_view{} : d->lift);
  w.member_or_null("command", d == nullptr ? std::string{} : core::command_of(*d, about)).end_object();
}

void write_run_explanation(writer& w, const core::run& r, const waiting& why, core::instant now) {
  const auto& h = r.head;
  const bool open = !core::terminal(h.state);
  w.begin_object().member("run_id", h.id).member("name", h.name).member("state", core::to_text(h.state));
  w.member("open", open).member("priority", core::to_text(h.prio)).member("lane", h.lane);
  w.member("workspace", h.needs.workspace).member("attempt", h.attempt).member("attempts_used", h.used);
  w.member("losses", h.losses).member("fencing", h.fencing);
  w.member("max_attempts", r.spec ? r.spec->retry.max_attempts : 0U);
  w.member("max_losses", r.spec ? r.spec->retry.max_losses : 0U);
  w.member_or_null("said", h.reason).member_or_null("then", command_after(h));
  w.member("deferred_from", why.deferred_from).member_or_null("deferred_by", why.deferred_by);
  const auto since = h.state == run_state::queued ? h.eligible_since : core::never;
  w.member("waiting_since", since).key("waited_ms");
  if (since == core::never)
    w.null();
  else
    w.number(core::millis(now > since ? now - since : core::span{0}));
  w.key("session_id");
  if (core::leased(h.state))
    w.id_value(core::session_tag::prefix, h.held.holder.value);
  else
    w.null();
  const core::diagnostic_subject about{
      core::to_string(h.id), core::leased(h.state) ? core::to_string(h.held.holder) : std::string{}, {}};
  w.key("reasons").begin_array();
  for (const auto& reason : why.reasons)
    write_lifted(w, diagnostic_area::wait, reason.code, reason.text, about);
  w.end_array().key("position");
  if (why.position)
    w.number(std::uint64_t{*why.position});
  else
    w.null();
  w.member("eta_ms", why.start.in).member_or_null("eta_basis", why.start.basis);
  const auto [at, what] = next_of(h);
  w.member("next_at", at).member_or_null("next", what).key("ladder");
  write_rung(w, why.rung ? &*why.rung : nullptr);
  write_wakes(w, why.wakes);
  w.key("sessions").begin_array();
  for (const auto& v : why.sessions) {
    w.begin_object().member("id", v.id).member("name", v.name).member("eligible", v.reasons.empty());
    write_lifted_all(w, diagnostic_area::session, v.reasons, {about.run, core::to_string(v.id), {}});
    w.end_object();
  }
  w.end_array().end_object();
}

void write_job_explanation(writer& w, const job_standing& told, core::instant now) {
  const auto& j = told.job;
  std::vector<core::open_run> open;
  for (const auto& r : told.open) open.push_back({r.head.id, core::leased(r.head.state)});
  w.begin_object().member("job_id", j.id).member("name", j.definition->name);
  w.member("state", core::to_text(j.state)).member("runs_made", j.triggered).member("next_at", j.due);
  w.member_or_null("ending", core::ending_text(j, open));
  w.key("left_out").begin_array();
  for (const auto& r : told.left_out) {
    w.begin_object();
    write_range(w, r);
    w.end_object();
  }
  w.end_array();
  const auto next = core::outlook(j, open, now);
  w.key("trigger").begin_object().member("code", next.code).member("text", next.text);
  w.member_or_null("command", next.command).end_object().key("open").begin_array();
  for (std::size_t i = 0; i < told.open.size(); ++i) {
    const auto& h = told.open[i].head;
    w.begin_object().member("run_id", h.id).member("state", core::to_text(h.state));
    w.member("manual", h.manual).key("reasons").begin_array();
    const core::diagnostic_subject about{
        core::to_string(h.id), core::leased(h.state) ? core::to_string(h.held.holder) : std::string{},
        core::to_string(j.id)};
    if (i < told.line.size())
      for (const auto& r : told.line[i].reasons)
        write_lifted(w, diagnostic_area::wait, r.code, r.text, about);
    w.end_array();
    const auto [at, what] = next_of(h);
    w.member("next_at", at).member_or_null("next", what).end_object();
  }
  w.end_array().member("more", told.more).key("last");
  if (told.last) {
    const auto& h = told.last->head;
    w.begin_object().member("run_id", h.id).member("state", core::to_text(h.state));
    w.member("ended_at", h.ended_at).member_or_null("said", h.reason);
    w.member_or_null("then", command_after(h)).end_object();
  } else {
    w.null();
  }
  w.end_object();
}

void write_session_explanation(writer& w, core::session_id id, core::run_id run,
                               const messages::session_explanation& e) {
  w.begin_object().member("session_id", id).member("run_id", run).member("eligible", e.reasons.empty());
  write_lifted_all(w, diagnostic_area::session, e.reasons,
                   {run ? core::to_string(run) : std::string{}, core::to_string(id), {}});
  w.member("slots", e.slots).member("slots_used", e.slots_used).member("ready_for_it", e.ready);
  w.key("hook_refusals").begin_array();
  for (const auto& r : e.hook_refusals)
    w.begin_object()
        .member("run_id", r.run)
        .member_or_null("reason", r.reason)
        .member("at", r.at)
        .end_object();
  w.end_array().end_object();
}

void write_diagnosis(writer& w, const core::diagnosis& d, core::instant now, bool offline) {
  w.begin_object().member("health", d.health).member("checked_at", now).member("offline", offline);
  w.key("findings").begin_array();
  for (const auto& f : d.findings) {
    w.begin_object().member("code", f.code).member("severity", core::to_text(f.grade)).member("text", f.text);
    w.texts("evidence", f.evidence).member_or_null("command", f.command).end_object();
  }
  w.end_array().end_object();
}

}  // namespace belfry::api::json
