#include "api/json/calendars.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "api/json/decode.hpp"
#include "api/json/schedules.hpp"
#include "core/schedule/ics.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api::json {
namespace {

constexpr std::size_t periods_shown = 20;
constexpr std::size_t line_shown = 80;  // bytes of a line at fault

struct calendar_body {
  core::named_calendar what;
  int given = 0;
};

std::string forms(const core::text_problem& p) {
  std::string text;
  for (const auto& one : p.expected) text += (text.empty() ? "" : ", ") + one;
  return text;
}

void tell(const value& m, std::string_view text, const core::text_problem& p) {
  const auto begin = text.rfind('\n', p.offset == 0 ? 0 : p.offset - 1);
  const auto from = p.offset == 0 || begin == std::string_view::npos ? 0 : begin + 1;
  const auto end = std::min(text.find('\n', std::min(p.offset, text.size())), text.size());
  auto line = text.substr(from, end > from ? end - from : 0);
  if (line.ends_with('\r')) line.remove_suffix(1);
  m.found().add({m.pointer(), core::shown(line, line_shown), forms(p),
                 p.why + " (line " + std::to_string(core::line_at(text, p.offset)) + ")"});
}

void take(calendar_body& d, core::calendar_source source, core::calendar content) {
  d.what.source = source;
  d.what.content = std::make_shared<const core::calendar>(std::move(content));
}

void read_dates(const value& m, calendar_body& d) {
  ++d.given;
  std::string text;
  if (m.what() != kind::array) {
    if (!m.read(text)) return;
    auto read = core::parse_dates(text);
    if (!read) return tell(m, text, read.problem());
    return take(d, core::calendar_source::dates, std::move(*read));
  }
  core::calendar all;
  m.each_element([&](const value& one) {
    std::string date;
    if (!one.read(date)) return;
    auto read = core::parse_dates(date);
    if (!read) return tell(one, date, read.problem());
    if (all.local.size() <= core::most_calendar_periods)
      all.local.insert(all.local.end(), read->local.begin(), read->local.end());
  });
  core::normalise(all);
  take(d, core::calendar_source::dates, std::move(all));
}

void read_file(const value& m, calendar_body& d) {
  ++d.given;
  std::string text;
  if (!m.read(text)) return;
  auto read = core::parse_ics(text);
  if (!read) return tell(m, text, read.problem());
  d.what.left_out = read->left_out;
  take(d, core::calendar_source::ics, std::move(read->content));
}

constexpr field<calendar_body> calendar_fields[] = {{"dates", read_dates}, {"ics", read_file}};

void write_calendar_members(writer& w, const core::named_calendar& c) {
  w.member("name", c.name).member("source", core::to_text(c.source)).member("revision", c.revision);
  w.member("periods", c.periods).member("left_out", c.left_out).member("created_at", c.created_at);
  w.member_or_null("created_by", c.created_by).member("changed_at", c.changed_at);
  w.member_or_null("changed_by", c.changed_by);
}

// The next ones by begin, of both kinds. Local ones are told as the clock of a schedule shows them.
void write_coming(writer& w, const core::calendar& c, core::instant now) {
  std::vector<std::pair<std::string, std::string>> found;
  const auto l = core::zone{}.local(now);
  for (const auto& p : c.local)
    if (p.end > l && found.size() < periods_shown)
      found.emplace_back(core::local_text(p.begin), core::local_text(p.end));
  const auto locals = found.size();
  for (const auto& p : c.fixed)
    if (p.end > now && found.size() < locals + periods_shown)
      found.emplace_back(core::to_rfc3339(p.begin), core::to_rfc3339(p.end));
  std::sort(found.begin(), found.end());
  if (found.size() > periods_shown) found.resize(periods_shown);
  for (const auto& [from, to] : found) w.begin_object().member("from", from).member("to", to).end_object();
}

struct window_body {
  core::window what;
  schedule_words words;
  std::optional<std::string> workspace, agent_type;
  bool length_given = false;
};

constexpr field<window_body> window_fields[] = {
    {"schedule", [](const value& m, window_body& d) { d.words.given = m.read(d.words.expression); }},
    {"zone", [](const value& m, window_body& d) { m.read(d.words.zone); }},
    {"for", [](const value& m, window_body& d) { d.length_given = m.read(d.what.length); }},
    {"drain", [](const value& m, window_body& d) { m.read(d.what.drain); }},
    {"text", [](const value& m, window_body& d) { read_reason(m, d.what.text); }},
    {"workspace", [](const value& m, window_body& d) { m.read(d.workspace.emplace()); }},
    {"agent_type", [](const value& m, window_body& d) { m.read(d.agent_type.emplace()); }},
};

}  // namespace

core::result<core::named_calendar> read_calendar(std::string_view body, const std::string& name) {
  auto read = decode<calendar_body>(body, [&name](const value& v, calendar_body& d) {
    d.what.name = name;
    read_object(v, d, calendar_fields);
    if (v.what() != kind::object || !v.found().empty()) return;
    if (d.given != 1)
      return v.found().add({v.pointer() + "/dates", "", "dates or ics, one of them",
                            d.given == 0 ? "there is neither" : "there are both"});
    v.found().add_found(core::check(d.what));
  });
  if (!read) return read.error();
  return std::move(read->what);
}

void write_calendar(writer& w, const core::calendar_facts& f, core::instant now) {
  w.begin_object();
  write_calendar_members(w, f.calendar);
  w.member("used_by", f.used_by).member("planning", f.planning).key("jobs").begin_array();
  for (const auto& j : f.jobs) w.text(j.name);
  w.end_array().texts("windows", f.windows);
  if (f.calendar.content) {
    w.key("coming").begin_array();
    write_coming(w, *f.calendar.content, now);
    w.end_array().member("ics", core::to_ics(*f.calendar.content));
  }
  w.end_object();
}

void write_calendar_stored(writer& w, const messages::calendar_stored& s, std::string_view result) {
  w.begin_object().member("result", result);
  write_calendar_members(w, s.calendar);
  w.member("replanned", s.replanned).member("more", s.more).end_object();
}

core::result<core::window> read_window(std::string_view body, const std::string& name, core::instant now) {
  auto read = decode<window_body>(body, [&name, now](const value& v, window_body& d) {
    d.what.name = name;
    read_object(v, d, window_fields);
    if (v.what() != kind::object) return;
    if (d.words.expression.empty())
      missing(v, "schedule", "when it opens, such as \"sundays at 2am in Europe/Berlin\"");
    if (!d.length_given) missing(v, "for", "how long it stays open, such as \"2h\"");
    if (d.workspace && d.agent_type)
      v.found().add({v.pointer() + "/agent_type", *d.agent_type,
                     "workspace or agent_type, or neither for the whole scheduler", "one thing at a time"});
    if (d.workspace) d.what.on = core::the_workspace(*d.workspace);
    if (d.agent_type) d.what.on = core::the_agent_type(*d.agent_type);
    if (d.words.expression.empty()) return;
    if (const auto s = read_words(v, d.words, "schedule", name, now)) d.what.schedule = core::canonical(*s);
  });
  if (!read) return read.error();
  return std::move(read->what);
}

void write_window_members(writer& w, const core::window& one, core::instant now) {
  w.member("name", one.name).member("schedule", one.schedule);
  core::schedule_context context;
  context.calendars = core::any_calendar;
  const auto s = core::parse_canonical(one.schedule, context);
  w.member_or_null("description", s ? core::describe(*s) : std::string{});
  w.milliseconds("length_ms", one.length).member("scope", core::to_text(one.on.scope));
  if (one.on.scope == core::pause_scope::workspace) w.member("workspace", one.on.name);
  if (one.on.scope == core::pause_scope::agent_type) w.member("agent_type", one.on.name);
  w.member("drain", one.drain).member_or_null("text", one.text).member("revision", one.revision);
  const bool open = one.opens != core::never && one.opens <= now && now < one.closes;
  w.member("open", open).member("opens_at", one.opens).member("closes_at", one.closes);
  w.member("created_at", one.created_at).member_or_null("created_by", one.created_by);
  w.member("changed_at", one.changed_at).member_or_null("changed_by", one.changed_by);
  w.member("command", core::command_to_lift(one.on, core::pause_reason::maintenance, core::owner_of(one)));
}

}  // namespace belfry::api::json
