#include <algorithm>

#include "core/schedule/canonical.hpp"
#include "core/schedule/names.hpp"
#include "core/time/text.hpp"

namespace belfry::core {
namespace {

struct writer {
  std::string operator()(const once_trigger& t) const { return "@at " + to_rfc3339(t.at); }
  std::string operator()(const interval_trigger& t) const {
    std::string out = "@every " + to_text(t.period);
    // Anchors that are whole periods apart mean the same.
    const auto phase = t.anchor.time_since_epoch() % t.period;
    if (phase != span{0}) out += " from " + to_rfc3339(instant{phase});
    return out;
  }
  std::string operator()(const cron_expression& t) const { return canonical(t); }
  std::string operator()(const recurrence& t) const {
    std::string out =
        "@" + std::string{to_text(t.unit)} + "s " + std::to_string(t.every) + " from " + date_text(t.from);
    if (t.unit == calendar_unit::year) out += " in " + field_text(t.months, 1, 12);
    if (t.unit != calendar_unit::day) out += " on " + days_text(t.days);
    out += " at ";
    for (std::size_t i = 0; i < t.times.size(); ++i) out += (i == 0 ? "" : ",") + time_text(t.times[i]);
    if (t.until) out += " until " + date_text(*t.until);
    if (t.month_end == month_end_rule::last_day) out += " short-months last";
    return out;
  }
  std::string operator()(const event_trigger& t) const {
    std::string out = "@event " + t.name;
    if (!t.filters.empty()) out += " where " + filters_text(t.filters);
    if (t.debounce != span{0}) out += " debounce " + to_text(t.debounce);
    if (t.longest_hold != span{0}) out += " hold " + to_text(t.longest_hold);
    if (t.most_depth != event_trigger{}.most_depth) out += " depth " + std::to_string(t.most_depth);
    return out;
  }
};

std::string joined(std::vector<std::string> parts, std::string_view before) {
  // Neither triggers nor exclusions have an order.
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  std::string out;
  for (const auto& p : parts) {
    if (!out.empty() || before == "; ") out += before;
    out += p;
  }
  return out;
}

std::string write(const schedule& s, bool bounds) {
  std::vector<std::string> triggers;
  std::vector<std::string> excluded;
  for (const auto& t : s.any_of) triggers.push_back(canonical(t));
  for (const auto& e : s.not_during)
    excluded.push_back((e.instants == excluded_are::skipped ? "not " : "postpone ") + canonical(e));
  auto out = joined(std::move(triggers), " | ") + joined(std::move(excluded), "; ");
  out += "; zone " + s.in.name();
  if (s.gap == gap_rule::skip) out += "; gap skip";
  if (s.overlap == overlap_rule::both) out += "; overlap both";
  if (bounds && s.starts != never) out += "; start " + to_rfc3339(s.starts);
  if (bounds && s.ends != end_of_time) out += "; end " + to_rfc3339(s.ends);
  if (s.jitter != span{0}) out += "; jitter " + to_text(s.jitter);
  return out;
}

}  // namespace

std::string filters_text(const std::vector<event_condition>& filters) {
  std::string out;
  for (const auto& f : filters) {
    if (!out.empty()) out += ',';
    out += f.key;
    if (f.test == filter_test::equal) out += '=' + f.value;
    if (f.test == filter_test::unequal) out += "!=" + f.value;
  }
  return out;
}

std::optional<std::vector<event_condition>> filters_from(std::string_view word) {
  constexpr std::size_t most = 16;
  std::vector<event_condition> found;
  for (std::size_t at = 0; at <= word.size();) {
    const auto end = std::min(word.find(',', at), word.size());
    auto item = word.substr(at, end - at);
    event_condition f;
    f.test = filter_test::exists;
    if (const auto equals = item.find('='); equals != std::string_view::npos) {
      const bool unequal = equals > 0 && item[equals - 1] == '!';
      f.test = unequal ? filter_test::unequal : filter_test::equal;
      f.value = item.substr(equals + 1);
      item = item.substr(0, unequal ? equals - 1 : equals);
    }
    f.key = item;
    found.push_back(std::move(f));
    if (found.size() > most) return std::nullopt;
    at = end + 1;
  }
  return found;
}

std::string canonical(const exclusion& e) {
  std::string out;
  if (const auto* dates = std::get_if<excluded_dates>(&e.what)) {
    out = "dates ";
    for (std::size_t i = 0; i < dates->days.size(); ++i)
      out += (i == 0 ? "" : ",") + date_text(dates->days[i]);
  } else if (const auto* times = std::get_if<excluded_times>(&e.what)) {
    out = "times " + time_text(times->from) + '-' + time_text(times->to);
    day_set on;
    on.weekdays = times->on;
    if ((times->on & every_weekday) != every_weekday) out += " on " + days_text(on);
  } else {
    out = "calendar " + std::get<excluded_calendar>(e.what).name;
  }
  return out;
}

std::vector<std::string> calendars_of(const schedule& s) {
  std::vector<std::string> names;
  for (const auto& e : s.not_during)
    if (const auto* c = std::get_if<excluded_calendar>(&e.what)) names.push_back(c->name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<std::string> calendars_named_in(const std::string& text) {
  if (text.find("calendar ") == std::string::npos) return {};
  schedule_context context;
  context.calendars = any_calendar;
  context.stored = true;
  const auto read = parse_canonical(text, context);
  return read ? calendars_of(*read) : std::vector<std::string>{};
}

bool names_calendar(const std::string& text, const std::string& calendar) {
  const auto all = calendars_named_in(text);
  return std::find(all.begin(), all.end(), calendar) != all.end();
}

std::shared_ptr<const calendar> any_calendar(std::string_view) {
  static const auto nothing = std::make_shared<const calendar>();
  return nothing;
}

std::string canonical(const trigger& t) { return std::visit(writer{}, t); }
std::string canonical(const schedule& s) { return write(s, true); }
std::string timing_key(const schedule& s) { return write(s, false); }

}  // namespace belfry::core
