#include "api/json/schedules.hpp"

#include <algorithm>

#include "api/json/decode.hpp"
#include "core/schedule/occurrence.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api::json {
namespace {

constexpr std::uint32_t most_instants = 1'000;
constexpr const char* schedule_wanted =
    "cron such as \"0 9 * * 1-5\", \"@every 90s\", or a phrase such as \"weekdays at 9am\"";

constexpr field<expression_draft> expression_fields[] = {
    {"expression", [](const value& m, expression_draft& d) { d.words.given = m.read(d.words.expression); }},
    {"zone", [](const value& m, expression_draft& d) { m.read(d.words.zone); }},
    {"name", [](const value& m, expression_draft& d) { m.read(d.name); }},
    {"from",
     [](const value& m, expression_draft& d) {
       core::instant t;
       if (m.read(t)) d.from = t;
     }},
    {"count", [](const value& m, expression_draft& d) { m.read<std::uint32_t>(d.count, 0, most_instants); }},
    {"not_on", [](const value& m, expression_draft& d) { m.read(d.words.not_on.emplace()); }},
    {"not_between", [](const value& m, expression_draft& d) { m.read(d.words.not_between.emplace()); }},
    {"not_in", [](const value& m, expression_draft& d) { m.read(d.words.not_in.emplace()); }},
    {"excluded", [](const value& m, expression_draft& d) { read_excluded(m, d.words); }},
};

std::optional<core::excluded_are> excluded_from(std::string_view word) {
  if (word == "skip") return core::excluded_are::skipped;
  if (word == "postpone") return core::excluded_are::postponed;
  return std::nullopt;
}

// The exclusions that have members of their own, as clauses of the canonical text.
bool add_excluded(const value& v, const schedule_words& words, const core::schedule_context& context,
                  core::schedule& into) {
  const auto kind = words.excluded.value_or(core::excluded_are::skipped);
  if (words.excluded && !words.excludes()) {
    v.found().add({v.pointer() + "/excluded", kind == core::excluded_are::skipped ? "skip" : "postpone",
                   "not_on, not_between or not_in beside it", "it says what becomes of these"});
    return false;
  }
  if (words.instead) into.not_during.clear();
  bool good = true;
  const auto add = [&](std::string_view member, const std::string& given, const std::string& clause) {
    auto read = core::parse_exclusion(clause, kind, context);
    if (read) return into.not_during.push_back(std::move(*read));
    good = false;
    v.found().add({v.pointer() + pointer_token(member), core::shown(given, 80),
                   read.problem().expected.empty() ? std::string{} : read.problem().expected.front(),
                   read.problem().why});
  };
  if (words.not_on && !words.not_on->empty()) {
    std::string dates;
    for (const auto& d : *words.not_on) dates += (dates.empty() ? "" : ",") + d;
    add("not_on", dates, "dates " + dates);
  }
  if (words.not_between)
    for (const auto& t : *words.not_between) add("not_between", t, "times " + t);
  if (words.not_in)
    for (const auto& c : *words.not_in) add("not_in", c, "calendar " + c);
  return good;
}

constexpr core::span looked_ahead = std::chrono::hours{24 * 31};  // where no time is left to show

// FNV-1a: equal names give equal values on every machine.
std::uint64_t seed_of(std::string_view name) {
  std::uint64_t h = 0xCBF29CE484222325ULL;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return h;
}

std::string forms_of(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& w : words) text += (text.empty() ? "" : ", ") + w;
  return text.empty() ? schedule_wanted : text;
}

}  // namespace

void read_excluded(const value& m, schedule_words& words) {
  static constexpr std::string_view names[] = {"skip", "postpone"};
  m.read_name(words.excluded.emplace(), excluded_from, names);
}

std::optional<core::schedule> read_words(const value& v, const schedule_words& words, std::string_view member,
                                         std::string_view name, core::instant now,
                                         const calendar_finder& calendars) {
  const auto at = [&](std::string_view which) { return v.pointer() + pointer_token(which); };
  constexpr std::size_t shown_bytes = 80;
  core::schedule_context context;
  context.now = now;
  context.calendars = calendars;
  if (!name.empty()) context.seed = seed_of(name);
  if (!words.zone.empty()) {
    auto zone = core::zone::named(words.zone);
    if (!zone) {
      auto p = zone.error().problems.front();
      p.pointer = at("zone");
      v.found().add(std::move(p));
      return std::nullopt;
    }
    context.in = std::move(*zone);
  }
  auto read = core::parse_schedule(words.expression, context);
  if (!read) {
    const auto& p = read.problem();
    const auto from = std::min(p.offset, words.expression.size());
    const auto word = std::string_view{words.expression}.substr(from, p.length);
    const auto where =
        word.empty() ? std::string{" (at the end)"}
                     : " ('" + core::shown(word, shown_bytes) + "' at byte " + std::to_string(from) + ")";
    v.found().add(
        {at(member), core::shown(words.expression, shown_bytes), forms_of(p.expected), p.why + where});
    return std::nullopt;
  }
  if (words.starts) read->starts = *words.starts;
  if (words.ends) read->ends = *words.ends;
  if (words.jitter) read->jitter = *words.jitter;
  if (!add_excluded(v, words, context, *read)) return std::nullopt;
  auto mistakes = core::check(*read, {});
  if (mistakes.empty()) return std::move(*read);
  for (auto& p : mistakes) {
    p.pointer =
        at(p.pointer == "/ends" || p.pointer == "/jitter" ? std::string_view{p.pointer}.substr(1) : member);
    v.found().add(std::move(p));
  }
  return std::nullopt;
}

core::result<expression_draft> read_expression(std::string_view body, core::instant now,
                                               const calendar_finder& calendars) {
  return decode<expression_draft>(body, [now, &calendars](const value& v, expression_draft& d) {
    read_object(v, d, expression_fields);
    if (v.what() != kind::object) return;
    if (d.words.expression.empty()) return missing(v, "expression", schedule_wanted);
    const auto from = d.from.value_or(now);
    auto s = read_words(v, d.words, "expression", d.name, from, calendars);
    if (!s) return;
    d.from = from;
    d.meaning.canonical = core::canonical(*s);
    d.meaning.description = core::describe(*s);
    d.meaning.label = core::timing_label(*s);
    d.meaning.next = core::preview(*s, from, d.count);
    if (!s->not_during.empty() && d.count > 0) {
      const auto upto = d.meaning.next.empty() ? core::later(from, looked_ahead) : d.meaning.next.back().at;
      d.left_out = core::left_out(*s, from, upto);
    }
    d.meaning.value = std::move(*s);
  });
}

void write_expression(writer& w, const expression_draft& d) {
  const auto& m = d.meaning;
  w.begin_object()
      .member("expression", d.words.expression)
      .member("canonical", m.canonical)
      .member("description", m.description)
      .member("label", m.label)
      .member("zone", m.value.in.name())
      .member_or_null("zone_data", m.value.in.data_version())
      .member("on_event", core::on_event(m.value))
      .member("from", *d.from)
      .key("next")
      .begin_array();
  for (const auto& c : m.next)
    w.begin_object()
        .member("at", c.at)
        .member("local", c.local)
        .member("offset", c.offset)
        .member("clock", core::to_text(c.shift))
        .end_object();
  w.end_array().key("left_out").begin_array();
  for (const auto& r : d.left_out) {
    w.begin_object();
    write_range(w, r);
    w.end_object();
  }
  w.end_array().end_object();
}

void write_range(writer& w, const core::skip_range& r) {
  w.member("reason", core::to_text(r.reason))
      .member_or_null("exclusion", r.by)
      .member("first", r.first)
      .member("last", r.last)
      .member("count", r.count)
      .member("at_least", r.at_least)
      .member("moved_to", r.moved_to);
}

void write_occurrence(writer& w, const core::occurrence_line& line) {
  const auto& o = line.made;
  const auto& s = line.skipped;
  const bool made{o.run};
  w.begin_object().member("at", line.at());
  if (made) {
    w.member("outcome", "run")
        .member("occurrence_id", core::to_string(core::occurrence_id{o.job, o.at}))
        .member("run_id", o.run)
        .member("state", core::to_text(line.state))
        .member_or_null("reason", line.reason)
        .member("start_at", o.start)
        .member("caught_up", o.caught_up)
        .member("limited", o.limited)
        .member("limited_by", core::to_text(o.limited_by))
        .member("clock", core::to_text(o.shift))
        .member("postponed_from", o.meant);
  } else {
    w.member("outcome", "skipped");
    write_range(w, s.range);
    w.member("noted_at", s.noted_at);
  }
  w.end_object();
}

}  // namespace belfry::api::json
