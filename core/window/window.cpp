#include "core/window/window.hpp"

#include <algorithm>

#include "core/calendar/calendar.hpp"
#include "core/text/utf8.hpp"
#include "core/time/text.hpp"

namespace belfry::core {
namespace {

constexpr std::string_view owned_by = "window:";
constexpr span shortest = std::chrono::seconds{1};
constexpr span longest = std::chrono::hours{24 * 31};
constexpr int openings_compared = 64;
constexpr std::size_t longest_text = 300;

}  // namespace

std::optional<opening> opening_at(const schedule& s, span length, instant now, instant after) {
  const auto made = [&](instant begin) { return opening{begin, later(begin, length)}; };
  const auto since = std::max(now > never + length ? now - length : never, after);
  if (since < now)
    if (const auto in_it = last(s, since, now)) return made(in_it->at);
  if (const auto to_come = next(s, std::max(now, after))) return made(to_come->at);
  return std::nullopt;
}

std::vector<field_problem> check(const window& w, const schedule& s, instant now) {
  auto found = check_plan_name(w.name, "/name");
  if (w.on.scope == pause_scope::job)
    found.push_back({"/job", "", "the scheduler, a workspace or an agent type", "a job has no windows"});
  if (w.on.name.size() > 100 || !valid_utf8(w.on.name) ||
      (w.on.scope == pause_scope::agent_type && w.on.name.empty()))
    found.push_back({"/" + std::string{to_text(w.on.scope)}, shown(w.on.name, 80), "1 to 100 bytes of UTF-8",
                     "no such thing can exist"});
  if (w.text.size() > longest_text || !valid_utf8(w.text))
    found.push_back({"/text", shown(w.text, 80), "at most 300 bytes of UTF-8", "it cannot be kept"});
  if (on_event(s))
    found.push_back({"/schedule", w.schedule, "a time: cron, a phrase, a date", "an event opens no window"});
  if (w.length < shortest || w.length > longest) {
    found.push_back({"/for", to_text(w.length), "1s to 31d", "it is out of range"});
    return found;
  }
  auto at = next(s, now);
  for (int i = 0; at && i < openings_compared; ++i) {
    const auto following = next(s, at->at);
    if (following && following->at - at->at <= w.length) {
      found.push_back({"/for", to_text(w.length), "less than " + to_text(following->at - at->at),
                       "it would open again before it has closed"});
      break;
    }
    at = following;
  }
  return found;
}

std::string owner_of(const window& w) { return std::string{owned_by} + w.name; }

std::string_view window_of(std::string_view owner) {
  return owner.starts_with(owned_by) ? owner.substr(owned_by.size()) : std::string_view{};
}

pause_entry entry_of(const window& w, const opening& o, instant now) {
  pause_entry e;
  e.reason = pause_reason::maintenance;
  e.owner = owner_of(w);
  e.text = "window " + w.name + (w.text.empty() ? "" : ": " + w.text);
  // What held nothing until now was no pause.
  e.since = std::max(o.begin, now);
  e.until = o.end;
  e.by = w.changed_by;
  if (w.drain) e.deadline = o.end;
  return e;
}

}  // namespace belfry::core
