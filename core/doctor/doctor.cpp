#include "core/doctor/doctor.hpp"

#include <algorithm>

#include "core/diagnostics/catalogue.hpp"
#include "core/time/text.hpp"

namespace belfry::core {
namespace {

constexpr std::size_t told_of_a_kind = 10;  // findings of one code; the rest is counted in one line

using findings = std::vector<finding>;

finding about(std::string_view code, severity s, std::string text, std::vector<std::string> evidence,
              const diagnostic_subject& subject) {
  finding f{std::string{code}, s, std::move(text), std::move(evidence), {}};
  if (const auto* d = find_diagnostic(diagnostic_area::doctor, code)) f.command = command_of(*d, subject);
  return f;
}

std::string so_many(std::int64_t n, bool more, std::string_view one, std::string_view many) {
  return std::to_string(n) + (more ? " or more " : " ") + std::string{n == 1 && !more ? one : many};
}

std::string mib(std::uint64_t bytes) { return std::to_string(bytes >> 20U) + " MiB"; }

std::string since_text(instant from, instant now) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(now > from ? now - from : span{0});
  return to_text(span{whole});
}

std::string line_of(const run_head& h) {
  std::string line = to_string(h.id) + " " + h.name;
  if (!h.reason.empty()) line += ": " + h.reason.substr(0, 120);
  return line;
}

std::vector<std::string> lines_of(const some_runs& runs) {
  std::vector<std::string> lines;
  for (const auto& h : runs.first) lines.push_back(line_of(h));
  return lines;
}

void look_at_node(const doctor_facts& f, findings& out) {
  for (const auto& s : f.silent) out.push_back(found("node_silent", severity::error, s));
  if (f.offline) return;
  if (f.stopping)
    out.push_back(found("node_stopping", severity::warning, "the node is being stopped"));
  else if (!f.ready)
    out.push_back(found("node_starting", severity::warning, "the node is not ready"));
  for (const auto& issue : f.issues) {
    const auto colon = issue.find(": ");
    std::string code = issue.substr(0, colon);
    const auto text = colon == std::string::npos ? issue : issue.substr(colon + 2);
    if (find_diagnostic(diagnostic_area::doctor, code) == nullptr) code = "store_trouble";
    out.push_back(found(code, f.unhealthy ? severity::critical : severity::error, text));
  }
  for (const auto& p : f.parts) {
    const std::string text = p.name + " is " + p.state + (p.note.empty() ? "" : ": " + p.note);
    const std::string times = "restarted " + std::to_string(p.restarts) + " times";
    if (p.state == "restarting")
      out.push_back(found("part_restarting", severity::warning, text, {times}));
    else if (p.state == "given_up" && f.issues.empty())
      out.push_back(found("part_given_up", severity::error, text, {times}));
  }
}

void look_at_machine(const doctor_facts& f, const doctor_options& o, findings& out) {
  if (f.disk_free > 0 && f.disk_reserve > 0 && f.disk_free < f.disk_reserve)
    out.push_back(found("disk_full", severity::critical, mib(f.disk_free) + " free at " + f.disk_path,
                        {"new work is refused below " + mib(f.disk_reserve)}));
  else if (f.disk_free > 0 && f.disk_free < f.disk_alarm)
    out.push_back(found("disk_low", severity::warning, mib(f.disk_free) + " free at " + f.disk_path,
                        {"the alarm is at " + mib(f.disk_alarm)}));
  const auto moved = f.clock_drift < span{0} ? -f.clock_drift : f.clock_drift;
  if (moved > o.clock_jump)
    out.push_back(found("clock_jumped", severity::warning,
                        "the wall clock went " + to_text(moved) +
                            (f.clock_drift < span{0} ? " back" : " forward") + " since the node started"));
  if (!f.store) return;
  if (f.store->facts.kind == "memory")
    out.push_back(found("store_in_memory", severity::info, "the store is in memory"));
  else if (f.store->facts.durability == "normal")
    out.push_back(found("durability_normal", severity::info, "commits are not synced one by one",
                        {f.store->facts.path}));
}

void look_at_scheduler(const doctor_facts& f, const doctor_options& o, findings& out) {
  const auto within = std::max(o.cycle_within, 3 * f.cycle_interval);
  if (f.last_cycle && f.now > later(*f.last_cycle, within))
    out.push_back(found("scheduler_stale", severity::critical,
                        "the last cycle ended " + since_text(*f.last_cycle, f.now) + " ago",
                        {"at " + to_rfc3339(*f.last_cycle)}));
  if (f.hook_failing_since != never)
    out.push_back(found("claim_hook_failing", f.hook_open ? severity::warning : severity::error,
                        "the claim hook fails: " + f.hook_failure,
                        {"since " + to_rfc3339(f.hook_failing_since),
                         f.hook_open ? "claims go on without it (claim_hook.on_error = \"open\")"
                                     : "nothing that it is asked about is handed over (claim_hook.on_error = "
                                       "\"closed\")"}));
  if (!f.leases.empty()) {
    std::vector<std::string> lines;
    for (const auto& l : f.leases)
      if (lines.size() < told_of_a_kind)
        lines.push_back(to_string(l.run) + " of " + to_string(l.holder) + " expired " +
                        to_rfc3339(l.expired_at));
    out.push_back(
        found("leases_overdue", severity::error,
              so_many(static_cast<std::int64_t>(f.leases.size()), false, "lease has", "leases have") +
                  " run out and were not taken back",
              std::move(lines)));
  }
  if (f.store && f.store->overdue.count > 0 && !f.offline)
    out.push_back(found(
        "overdue_runs", severity::error,
        so_many(f.store->overdue.count, f.store->overdue.more, "run is", "runs are") + " due and not queued",
        lines_of(f.store->overdue)));
  if (pressing(f.pressure))
    out.push_back(found(
        "backpressure", f.pressure.rule.mode == pressure_mode::alert ? severity::warning : severity::error,
        told(f.pressure),
        {"mode " + std::string{to_text(f.pressure.rule.mode)} + ", since " + to_rfc3339(f.pressure.since),
         "it ends below " + std::to_string(end_of(f.pressure.rule))}));
  if (f.max_queued == 0) return;
  const std::string how = std::to_string(f.waiting) + " of " + std::to_string(f.max_queued) + " runs wait";
  if (f.waiting >= f.max_queued)
    out.push_back(found("queue_full", severity::critical, how));
  else if (static_cast<double>(f.waiting) >= o.queue_share * static_cast<double>(f.max_queued))
    out.push_back(found("queue_nearly_full", severity::warning, how));
}

// Whether somebody holds it back on purpose: then nobody wonders that it waits.
bool is_paused(const unclaimed_run& r, const doctor_facts& f) {
  const auto holds = [&](const pause& p) {
    return stands(p.why, f.now) &&
           (p.on.scope == pause_scope::scheduler ||
            (p.on.scope == pause_scope::workspace && p.on.name == r.head.needs.workspace));
  };
  const auto& jobs = f.store->held;
  return std::any_of(f.pauses.begin(), f.pauses.end(), holds) ||
         (r.head.job &&
          std::any_of(jobs.begin(), jobs.end(), [&](const held_job& j) { return j.id == r.head.job; }));
}

// Whether any session that has not gone could ever take it, whatever it is doing now.
bool fits_somebody(const unclaimed_run& r, const std::vector<doctor_session>& all) {
  return std::any_of(all.begin(), all.end(), [&](const doctor_session& s) {
    if (s.who.state == session_state::gone) return false;
    auto free = s.who;
    free.state = session_state::active;
    free.prompting = false;
    return may_take(free, r.head.needs, r.handler);
  });
}

void look_at_waiting(const doctor_facts& f, const doctor_options& o, findings& out) {
  if (!f.store || f.offline) return;
  std::vector<std::string> unfit, starved;
  std::string first_unfit, first_starved;
  for (const auto& r : f.store->oldest) {
    const auto line =
        to_string(r.head.id) + " " + r.head.name + ", queued for " + since_text(r.head.eligible_since, f.now);
    if (!fits_somebody(r, f.sessions)) {
      if (unfit.empty()) first_unfit = to_string(r.head.id);
      unfit.push_back(line);
    } else if (f.now > later(r.head.eligible_since, o.starved_after) && !is_paused(r, f)) {
      if (starved.empty()) first_starved = to_string(r.head.id);
      starved.push_back(line);
    }
  }
  const auto cut = [](std::vector<std::string> lines) {
    if (lines.size() > told_of_a_kind) lines.resize(told_of_a_kind);
    return lines;
  };
  const auto looked = " of the " + std::to_string(f.store->oldest.size()) + " that have waited longest";
  if (!unfit.empty())
    out.push_back(
        about("no_capable_session", severity::error,
              so_many(static_cast<std::int64_t>(unfit.size()), false, "queued run fits", "queued runs fit") +
                  " no session here" + looked,
              cut(unfit), {first_unfit, {}, {}}));
  // The ladder knows who starves; a line that moves does not, however long it is.
  const bool climbs = f.cycle_interval > span{0};
  if (climbs && f.starving > 0)
    out.push_back(about("starved", severity::warning,
                        so_many(static_cast<std::int64_t>(f.starving), false, "run is", "runs are") +
                            " on the ladder: nobody takes any of their kind",
                        cut(starved), {first_starved, {}, {}}));
  if (!climbs && !starved.empty())
    out.push_back(about("starved", severity::warning,
                        so_many(static_cast<std::int64_t>(starved.size()), false, "claimable run has",
                                "claimable runs have") +
                            " waited for more than " + to_text(o.starved_after) + looked,
                        cut(starved), {first_starved, {}, {}}));
}

void look_at_ends(const doctor_facts& f, const doctor_options& o, findings& out) {
  if (!f.store) return;
  const auto& s = *f.store;
  if (s.attention.count > 0)
    out.push_back(found("needs_attention", severity::error,
                        so_many(s.attention.count, s.attention.more, "run needs", "runs need") + " a person",
                        lines_of(s.attention)));
  if (s.dead.count == 0) return;
  const auto text = so_many(s.dead.count, s.dead.more, "dead letter", "dead letters");
  const bool old = !s.dead.first.empty() && f.now > later(s.dead.first.front().ended_at, o.dead_letter_age);
  if (old)
    out.push_back(found("dead_letters_aging", severity::warning,
                        text + ", the oldest since " + to_rfc3339(s.dead.first.front().ended_at),
                        lines_of(s.dead)));
  else
    out.push_back(found("dead_letters", severity::info, text, lines_of(s.dead)));
}

void look_at_pauses(const doctor_facts& f, findings& out) {
  for (const auto& p : f.pauses) {
    if (p.on.scope == pause_scope::job || (!stands(p.why, f.now) && !probing(p.why, f.now))) continue;
    const bool all = p.on.scope == pause_scope::scheduler;
    const std::string_view code = all                                    ? "scheduler_paused"
                                  : p.on.scope == pause_scope::workspace ? "workspace_paused"
                                                                         : "agent_type_paused";
    auto one = found(p.why.probes ? "provider_limited" : code, all ? severity::warning : severity::info,
                     to_text(p.on) + " is paused, " + told(p.why), {"since " + to_rfc3339(p.why.since)});
    if (p.why.probes)
      one.evidence.push_back(p.why.probe ? to_string(p.why.probe) + " tries whether it is over"
                             : probing(p.why, f.now)
                                 ? std::string{"its time is over: the next claim is a probe"}
                                 : "a probe goes first at " + to_rfc3339(p.why.until));
    one.command = command_to_lift(p.on, p.why.reason, p.why.owner);
    out.push_back(std::move(one));
  }
}

void look_at_jobs(const doctor_facts& f, const doctor_options& o, findings& out) {
  if (!f.store) return;
  for (const auto& j : f.store->failing) {
    if (j.in_a_row < o.failing_warning) continue;
    out.push_back(about("job_failing", j.in_a_row >= o.failing_error ? severity::error : severity::warning,
                        "the last " + std::to_string(j.in_a_row) + " runs of " + j.name + " ended badly",
                        {to_string(j.last) + (j.reason.empty() ? "" : ": " + j.reason.substr(0, 200))},
                        {{}, {}, j.name}));
  }
  for (const auto& j : f.store->held)
    for (const auto& p : j.pauses) {
      const bool breaker = p.reason == "breaker";
      auto one = about(breaker ? "breaker_open" : "job_paused", breaker ? severity::warning : severity::info,
                       j.name + " is paused, " + told(p), {"since " + to_rfc3339(p.since)}, {{}, {}, j.name});
      one.command = command_to_lift(the_job(j.id), p.reason, p.owner);
      out.push_back(std::move(one));
    }
}

void look_at_sessions(const doctor_facts& f, findings& out) {
  const auto name = [](const doctor_session& s) { return to_string(s.who.id) + " " + s.who.name; };
  for (const auto& s : f.sessions) {
    const diagnostic_subject who{{}, to_string(s.who.id), {}};
    const std::vector<std::string> seen{"last seen " + to_rfc3339(s.who.last_seen)};
    switch (s.health) {
      case session_health::suspect:
        out.push_back(about("session_suspect", severity::info, name(s) + " is late", seen, who));
        break;
      case session_health::missing:
        out.push_back(about("session_missing", severity::warning, name(s) + " has been silent", seen, who));
        break;
      case session_health::orphaned:
        out.push_back(about("session_orphaned", severity::error,
                            name(s) + " is silent or gone and holds leases", seen, who));
        break;
      case session_health::stalled:
      case session_health::live:
      case session_health::gone: break;
    }
    for (const auto run : s.stalled)
      out.push_back(about("run_stalled", severity::warning,
                          to_string(run) + " shows no progress, held by " + name(s), {},
                          {to_string(run), {}, {}}));
  }
}

// A thousand sessions that are late are one trouble, not a thousand lines.
findings gathered(findings all) {
  findings out;
  std::vector<std::pair<std::string, std::size_t>> kinds;
  for (auto& f : all) {
    auto at = std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k.first == f.code; });
    if (at == kinds.end()) at = kinds.insert(kinds.end(), {f.code, 0});
    if (++at->second <= told_of_a_kind) out.push_back(std::move(f));
  }
  for (const auto& kind : kinds)
    if (kind.second > told_of_a_kind) {
      const auto last =
          std::find_if(out.rbegin(), out.rend(), [&](const finding& f) { return f.code == kind.first; });
      last->evidence.push_back("and " + std::to_string(kind.second - told_of_a_kind) + " more like this");
    }
  return out;
}

}  // namespace

std::string_view to_text(severity s) {
  switch (s) {
    case severity::info: return "info";
    case severity::warning: return "warning";
    case severity::error: return "error";
    case severity::critical: return "critical";
  }
  return "unknown";
}

finding found(std::string_view code, severity s, std::string text, std::vector<std::string> evidence) {
  return about(code, s, std::move(text), std::move(evidence), {});
}

diagnosis concluded(std::vector<finding> all) {
  diagnosis d;
  d.findings = gathered(std::move(all));
  std::stable_sort(d.findings.begin(), d.findings.end(),
                   [](const finding& a, const finding& b) { return a.grade > b.grade; });
  const auto worst = d.findings.empty() ? severity::info : d.findings.front().grade;
  d.health = worst == severity::critical ? "unhealthy" : worst == severity::info ? "healthy" : "degraded";
  return d;
}

diagnosis diagnose(const doctor_facts& f, const doctor_options& o) {
  findings all;
  look_at_node(f, all);
  look_at_machine(f, o, all);
  look_at_scheduler(f, o, all);
  look_at_waiting(f, o, all);
  look_at_ends(f, o, all);
  look_at_pauses(f, all);
  look_at_jobs(f, o, all);
  look_at_sessions(f, all);
  return concluded(std::move(all));
}

}  // namespace belfry::core
