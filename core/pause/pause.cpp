#include "core/pause/pause.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/text/utf8.hpp"
#include "core/text/word.hpp"
#include "core/time/text.hpp"

namespace belfry::core {
namespace {

constexpr std::array<std::string_view, 4> scopes{"scheduler", "workspace", "job", "agent_type"};
constexpr span longest_ahead = std::chrono::hours{24 * 366};
constexpr std::size_t longest_reason = 40, longest_owner = 100, longest_text = 500;

bool reason_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool owner_character(char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\''; }

bool before(const pause_entry& a, const pause_entry& b) {
  return a.reason != b.reason ? a.reason < b.reason : a.owner < b.owner;
}

auto find(std::vector<pause_entry>& there, const std::string& reason, const std::string& owner) {
  return std::find_if(there.begin(), there.end(),
                      [&](const pause_entry& e) { return e.reason == reason && e.owner == owner; });
}

event event_of(const pause_target& on, event_kind kind, std::string text) {
  event e;
  e.kind = kind;
  e.job = on.job;
  e.text = std::move(text);
  return e;
}

std::optional<failure> refuse_agent(const std::string& actor, const std::string& owner,
                                    std::string_view verb) {
  if (!is_agent(actor) || actor == owner) return std::nullopt;
  failure f{errc::forbidden,
            "a session may " + std::string{verb} + " only pauses of its own, not those of " + owner,
            {},
            "belfry scheduler pauses"};
  f.problems.push_back({"/owner", owner, actor, "it belongs to somebody else"});
  return f;
}

std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':' || c == '@' || c == '/';
  });
  return plain ? word : "'" + word + "'";
}

std::string timed(const pause_entry& e, instant now) {
  std::string text = told(e);
  if (planned(e, now)) text += ", from " + to_rfc3339(e.since);
  if (e.until != never) text += ", until " + to_rfc3339(e.until);
  return text;
}

}  // namespace

std::string_view to_text(pause_scope s) {
  const auto i = static_cast<std::size_t>(s);
  return i < scopes.size() ? scopes[i] : std::string_view{"unknown"};
}

std::string to_text(const pause_target& t) {
  switch (t.scope) {
    case pause_scope::scheduler: return "scheduler";
    case pause_scope::workspace: return "workspace \"" + t.name + "\"";
    case pause_scope::job: return to_string(t.job);
    case pause_scope::agent_type: return "agent type \"" + t.name + "\"";
  }
  return {};
}

bool is_agent(std::string_view actor) { return parse_id<session_id>(std::string{actor}).ok(); }

std::string owner_for(std::string_view actor) {
  return std::string{is_agent(actor) ? actor : pause_owner::operators};
}

std::string command_to_lift(const pause_target& on, std::string_view reason, std::string_view owner) {
  std::string command = "belfry scheduler resume";
  switch (on.scope) {
    case pause_scope::scheduler: break;
    case pause_scope::workspace: command += " --workspace " + quoted(on.name); break;
    case pause_scope::job: command += " --job " + to_string(on.job); break;
    case pause_scope::agent_type: command += " --agent-type " + quoted(on.name); break;
  }
  if (reason != pause_reason::manual) command += " --reason " + std::string{reason};
  if (owner != pause_owner::operators) command += " --owner " + quoted(std::string{owner});
  return command;
}

std::string told(const pause_entry& e) {
  std::string text = e.reason;
  const auto& who = e.by.empty() ? e.owner : e.by;
  if (!who.empty()) text += " by " + who;
  if (!e.by.empty() && e.owner != pause_owner::operators && e.owner != e.by) text += " for " + e.owner;
  if (!e.text.empty()) text += ": " + e.text;
  return text;
}

std::vector<field_problem> check(const pause_target& on, const pause_entry& wanted, instant now) {
  std::vector<field_problem> found;
  const auto& r = wanted.reason;
  if (r.empty() || r.size() > longest_reason || !std::all_of(r.begin(), r.end(), reason_character))
    found.push_back({"/reason", shown(r, 80), "a word such as manual, maintenance, quota: a-z, 0-9, - and _",
                     "why, in plain words, is said with text"});
  const auto& o = wanted.owner;
  if (o.size() > longest_owner || !std::all_of(o.begin(), o.end(), owner_character))
    found.push_back(
        {"/owner", shown(o, 80), "1 to 100 printable characters without blanks", "it is not a name"});
  if (o.starts_with("window:"))
    found.push_back({"/owner", shown(o, 80), "another name", "pauses of windows are set by the windows"});
  if (wanted.text.size() > longest_text || !valid_utf8(wanted.text))
    found.push_back({"/text", shown(wanted.text, 80), "at most 500 bytes of UTF-8", "it cannot be kept"});
  if (wanted.until != never && wanted.until <= now)
    found.push_back({"/until", to_rfc3339(wanted.until), "a time to come", "it is over already"});
  if (wanted.since != never) {
    if (wanted.since <= now || wanted.since > later(now, longest_ahead))
      found.push_back({"/from", to_rfc3339(wanted.since), "a time to come, at most 366 days ahead",
                       "leave it out to pause from now on"});
    else if (wanted.until != never && wanted.until <= wanted.since)
      found.push_back({"/until", to_rfc3339(wanted.until), "a time after its beginning",
                       "it would end before it begins"});
    if (on.scope == pause_scope::job)
      found.push_back({"/from", to_rfc3339(wanted.since), "for the scheduler, a workspace or an agent type",
                       "a job is paused from now on"});
  }
  if (on.scope == pause_scope::agent_type && on.name.empty())
    found.push_back({"/agent_type", "", "the name of an agent type", "it is empty"});
  if (on.name.size() > longest_owner || !valid_utf8(on.name))
    found.push_back({"/" + std::string{to_text(on.scope)}, shown(on.name, 80), "at most 100 bytes of UTF-8",
                     "no such thing can exist"});
  return found;
}

result<pause_decision> decide_pause(const pause_target& on, std::vector<pause_entry> there,
                                    pause_entry wanted, const std::string& actor, instant now) {
  if (wanted.owner.empty()) wanted.owner = owner_for(actor);
  if (auto no = refuse_agent(actor, wanted.owner, "set")) return std::move(*no);
  wanted.ahead = wanted.since > now;
  if (wanted.since == never) wanted.since = now;
  pause_decision d;
  const auto same = find(there, wanted.reason, wanted.owner);
  // One that waits for a probe goes on when the limit is met again; its trial is over.
  const bool over =
      same != there.end() && !stands(*same, now) && !probing(*same, now) && !planned(*same, now);
  if (same != there.end() && planned(*same, now)) {
    // What has not begun is planned anew, or begins now.
    if (*same == wanted) {
      d.entries = std::move(there);
      return d;
    }
  } else if (same != there.end() && !over && wanted.ahead) {
    failure f{
        errc::conflict,
        to_text(on) + " is paused for this reason now; a plan needs another reason, or a resume before it",
        {},
        command_to_lift(on, wanted.reason, wanted.owner)};
    f.problems.push_back({"/from", to_rfc3339(wanted.since), "nothing while the same pause stands",
                          "one pause has one beginning"});
    return f;
  } else if (same != there.end() && !over) {
    // It has been paused for this all along; and what was drained stays drained, since nothing can start.
    wanted.since = same->since;
    wanted.ahead = same->ahead;
    if (wanted.deadline == never) wanted.deadline = same->deadline;
    if (draining(wanted)) wanted.drained_at = same->drained_at;
    auto before_it = *same;
    before_it.by = wanted.by;  // who repeats it is no news
    if (before_it == wanted) {
      d.entries = std::move(there);
      return d;
    }
  } else if (there.size() >= pauses_per_target) {
    return failure{errc::limit_exceeded,
                   to_text(on) + " has " + std::to_string(pauses_per_target) + " pauses already",
                   {},
                   "belfry scheduler pauses"};
  }
  const auto job = on.scope == pause_scope::job;
  const auto kind = draining(wanted) ? event_kind::drain_started
                    : job            ? event_kind::job_paused
                                     : event_kind::paused;
  d.events.push_back(event_of(on, kind, (job ? "" : to_text(on) + ": ") + timed(wanted, now)));
  if (over) d.ended.push_back({on, same->since, same->until});
  if (same != there.end())
    *same = std::move(wanted);
  else
    there.insert(std::upper_bound(there.begin(), there.end(), wanted, before), wanted);
  d.entries = std::move(there);
  d.changed = true;
  return d;
}

result<pause_decision> decide_lift(const pause_target& on, std::vector<pause_entry> there,
                                   const std::string& reason, const std::string& owner, bool only_over,
                                   const std::string& actor, instant now) {
  const auto whose = owner.empty() ? owner_for(actor) : owner;
  if (auto no = refuse_agent(actor, whose, "lift")) return std::move(*no);
  pause_decision d;
  const auto same = find(there, reason, whose);
  if (same == there.end() || (only_over && stands(*same, now))) {
    d.entries = std::move(there);
    return d;
  }
  const bool job = on.scope == pause_scope::job;
  std::string text = (job ? "" : to_text(on) + ": ") + reason;
  if (whose != pause_owner::operators) text += " of " + whose;
  if (only_over) text += ", its time was over";
  const bool begun = !planned(*same, now);
  if (!begun) text += ", it was planned from " + to_rfc3339(same->since);
  d.events.push_back(event_of(on, job ? event_kind::job_resumed : event_kind::resumed, std::move(text)));
  if (begun) d.ended.push_back({on, same->since, end_of(*same, now)});
  there.erase(same);
  d.entries = std::move(there);
  d.changed = true;
  return d;
}

pause_decision decide_drained(const pause_target& on, std::vector<pause_entry> there, instant now) {
  pause_decision d;
  for (auto& e : there) {
    if (!draining(e) || e.drained_at != never || !stands(e, now)) continue;
    e.drained_at = now;
    d.changed = true;
    d.events.push_back(event_of(on, event_kind::drained, to_text(on) + ": " + told(e)));
  }
  d.entries = std::move(there);
  return d;
}

}  // namespace belfry::core
