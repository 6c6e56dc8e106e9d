#include "api/json/pauses.hpp"

#include <algorithm>

#include "api/json/decode.hpp"
#include "api/json/throttles.hpp"

namespace belfry::api::json {
namespace {

constexpr core::span longest_pause_drain = std::chrono::hours{24};
constexpr core::span longest_pause_length = std::chrono::hours{24 * 366};

using pause_body = pause_request;

void read_pause_label(const value& m, std::string& out) {
  if (!m.read(out)) return;
  check_text(m, out, 100);
  if (out.empty()) m.wrong("a word", "it is empty; leave it out for the usual one");
}

void read_pause_target(const value& m, std::optional<std::string>& out) {
  if (m.read(out.emplace())) check_text(m, *out, 100);
}

void read_pause_length(const value& m, std::optional<core::span>& out) {
  core::span s{0};
  if (!m.read(s)) return;
  if (s <= core::span{0} || s > longest_pause_length)
    m.wrong("more than 0, at most 366d", "it is no length of a pause");
  out = s;
}

void read_pause_instant(const value& m, std::optional<core::instant>& out) {
  core::instant at = core::never;
  if (m.read(at)) out = at;
}

constexpr field<pause_body> pause_workspace_field{
    "workspace", [](const value& m, pause_body& d) { read_pause_target(m, d.on.workspace); }};
constexpr field<pause_body> pause_job_field{
    "job", [](const value& m, pause_body& d) { read_pause_target(m, d.on.job); }};
constexpr field<pause_body> pause_type_field{
    "agent_type", [](const value& m, pause_body& d) { read_pause_target(m, d.on.agent_type); }};
constexpr field<pause_body> pause_reason_field{
    "reason", [](const value& m, pause_body& d) { read_pause_label(m, d.reason); }};
constexpr field<pause_body> pause_owner_field{
    "owner", [](const value& m, pause_body& d) { read_pause_label(m, d.owner); }};
constexpr field<pause_body> pause_text_field{"text",
                                             [](const value& m, pause_body& d) { read_reason(m, d.text); }};

void check_pause_target(const value& v, const pause_selector& on) {
  const int named = (on.workspace ? 1 : 0) + (on.job ? 1 : 0) + (on.agent_type ? 1 : 0);
  if (named > 1)
    v.found().add({v.pointer(), "", "workspace, job or agent_type, or none of them for the whole scheduler",
                   "one thing at a time"});
}

void check_pause_times(const value& v, const pause_request& d, std::string_view other) {
  if (d.length && d.until)
    v.found().add({v.pointer() + "/" + std::string{other}, "", "one of the two", "there are two times"});
}

}  // namespace

core::result<pause_request> read_pause_request(std::string_view body) {
  static constexpr field<pause_body> fields[] = {
      pause_workspace_field,
      pause_job_field,
      pause_type_field,
      pause_reason_field,
      pause_owner_field,
      pause_text_field,
      {"from", [](const value& m, pause_body& d) { read_pause_instant(m, d.from); }},
      {"for", [](const value& m, pause_body& d) { read_pause_length(m, d.length); }},
      {"until", [](const value& m, pause_body& d) { read_pause_instant(m, d.until); }}};
  return decode<pause_body>(body, [](const value& v, pause_body& d) {
    read_object(v, d, fields);
    check_pause_target(v, d.on);
    check_pause_times(v, d, "until");
  });
}

core::result<pause_request> read_resume_request(std::string_view body) {
  static constexpr field<pause_body> fields[] = {pause_workspace_field, pause_job_field, pause_type_field,
                                                 pause_reason_field, pause_owner_field};
  return decode<pause_body>(body, [](const value& v, pause_body& d) {
    read_object(v, d, fields);
    check_pause_target(v, d.on);
  });
}

core::result<pause_request> read_drain_request(std::string_view body) {
  static constexpr field<pause_body> fields[] = {
      pause_workspace_field,
      pause_job_field,
      pause_type_field,
      pause_owner_field,
      pause_text_field,
      {"timeout",
       [](const value& m, pause_body& d) {
         if (m.read(d.timeout) && (d.timeout < core::span{0} || d.timeout > longest_pause_drain))
           m.wrong("0 to 24h", "it is no time to wait");
       }},
      {"from", [](const value& m, pause_body& d) { read_pause_instant(m, d.from); }},
      {"resume_after", [](const value& m, pause_body& d) { read_pause_length(m, d.length); }},
      {"resume_at", [](const value& m, pause_body& d) { read_pause_instant(m, d.until); }}};
  return decode<pause_body>(body, [](const value& v, pause_body& d) {
    read_object(v, d, fields);
    check_pause_target(v, d.on);
    check_pause_times(v, d, "resume_at");
  });
}

void write_pause_members(writer& w, const core::pause_entry& e) {
  w.member("reason", e.reason)
      .member("owner", e.owner)
      .member("by", e.by)
      .member("text", e.text)
      .member("since", e.since)
      .member("until", e.until);
}

void write_pause_list(writer& w, const std::vector<core::pause>& all) {
  w.begin_array();
  for (const auto& p : all) {
    w.begin_object().member("scope", core::to_text(p.on.scope));
    switch (p.on.scope) {
      case core::pause_scope::scheduler: break;
      case core::pause_scope::workspace: w.member("workspace", p.on.name); break;
      case core::pause_scope::job: w.member("job_id", p.on.job); break;
      case core::pause_scope::agent_type: w.member("agent_type", p.on.name); break;
    }
    write_pause_members(w, p.why);
    if (p.why.probes) w.member("probes", true).member("probe_run_id", p.why.probe);
    if (core::draining(p.why)) w.member("deadline", p.why.deadline).member("drained_at", p.why.drained_at);
    w.member("command", core::command_to_lift(p.on, p.why.reason, p.why.owner)).end_object();
  }
  w.end_array();
}

void write_pauses_seen(writer& w, const messages::pauses_seen& seen, const core::pause_target& of) {
  const auto meant = [&](const core::pause& p) { return p.on == of && !core::planned(p.why, seen.now); };
  const bool drains = std::any_of(seen.pauses.begin(), seen.pauses.end(),
                                  [&](const core::pause& p) { return meant(p) && core::draining(p.why); });
  w.begin_object().member("known", seen.known).member("scope", core::to_text(of.scope));
  w.member("paused", !seen.known || std::any_of(seen.pauses.begin(), seen.pauses.end(), meant));
  w.member("changed", seen.changed).key("pauses");
  write_pause_list(w, seen.pauses);
  w.member("draining", drains && seen.live > 0).member("drained", drains && seen.live == 0);
  w.member("live", seen.live).key("running").begin_array();
  for (const auto& r : seen.running) {
    w.begin_object().member("run_id", r.run).member("name", r.name).member("job_id", r.job);
    w.member("session_id", r.holder).member("session", r.holder_name).member("claimed_at", r.claimed_at);
    w.member("deadline", r.deadline_at).member("lease_expires_at", r.expires_at).end_object();
  }
  w.end_array().key("delays");
  write_delays(w, seen.delays);
  w.end_object();
}

}  // namespace belfry::api::json
