#include <array>
#include <bit>

#include "core/schedule/canonical.hpp"
#include "core/schedule/names.hpp"
#include "core/text/word.hpp"

namespace belfry::core {
namespace {

constexpr weekday_bits working_days = 0x3E;
constexpr weekday_bits weekend_days = 0x41;

// FNV-1a; the label is only a label, identity is the key itself.
std::string short_hash(std::string_view text) {
  std::uint64_t h = 0xCBF29CE484222325ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  h ^= h >> 32U;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (int i = 7; i >= 0; --i) out += digits[h >> (4 * i) & 15U];
  return out;
}

// "9am", "2-30pm", "midnight", "noon".
std::string clock_label(unsigned hour, unsigned minute) {
  if (minute == 0 && hour == 0) return "midnight";
  if (minute == 0 && hour == 12) return "noon";
  auto out = std::to_string(hour % 12 == 0 ? 12 : hour % 12);
  if (minute != 0) out += (minute < 10 ? "-0" : "-") + std::to_string(minute);
  return out + (hour < 12 ? "am" : "pm");
}

unsigned even_step(std::uint64_t bits, unsigned size) {
  for (unsigned n = 1; n < size; ++n) {
    std::uint64_t all = 0;
    for (unsigned v = 0; v < size; v += n) all |= std::uint64_t{1} << v;
    if (size % n == 0 && all == bits) return n;
  }
  return 0;
}

std::string every_label(std::int64_t n, std::string_view unit) {
  return "every-" + std::to_string(n) + std::string{unit};
}

std::string cron_label(const cron_expression& c) {
  if (c.months != every_month) return {};
  const bool daily = c.rule == day_rule::every;
  if (c.seconds != 1) {
    const auto n = even_step(c.seconds, 60);
    return daily && n != 0 && c.minutes == every_minute && c.hours == every_hour ? every_label(n, "sec")
                                                                                 : std::string{};
  }
  if (daily && c.hours == every_hour) {
    if (c.minutes == 1) return "hourly";
    const auto n = even_step(c.minutes, 60);
    return n != 0 ? every_label(n, "min") : std::string{};
  }
  if (daily && c.minutes == 1 && std::popcount(c.hours) > 1)
    if (const auto n = even_step(c.hours, 24); n != 0) return every_label(n, "hr");
  if (std::popcount(c.minutes) != 1 || std::popcount(c.hours) != 1) return {};
  const auto time = clock_label(static_cast<unsigned>(std::countr_zero(c.hours)),
                                static_cast<unsigned>(std::countr_zero(c.minutes)));
  if (daily) return "daily-" + time;
  day_set plain;
  plain.weekdays = c.days.weekdays;
  if (c.rule == day_rule::by_weekday && c.days == plain) {
    if (plain.weekdays == working_days) return "weekdays-" + time;
    if (plain.weekdays == weekend_days) return "weekends-" + time;
    std::string days;
    for (unsigned n = 1; n <= 7; ++n)
      if ((plain.weekdays >> n % 7 & 1U) != 0) (days += '-') += short_weekday(n % 7);
    return "weekly" + days + '-' + time;
  }
  if (c.rule != day_rule::by_number || std::popcount(c.days.month_days) + (c.days.last_day ? 1 : 0) != 1)
    return {};
  if (c.days.last_day) return "monthly-last-" + time;
  return "monthly-" + ordinal_text(static_cast<unsigned>(std::countr_zero(c.days.month_days))) + '-' + time;
}

std::string interval_label(const interval_trigger& t) {
  using namespace std::chrono;
  if (t.anchor.time_since_epoch() % t.period != span{0}) return {};
  constexpr std::array<std::pair<span, std::string_view>, 3> units{
      {{hours{1}, "hr"}, {minutes{1}, "min"}, {seconds{1}, "sec"}}};
  for (const auto& [unit, name] : units)
    if (t.period % unit == span{0}) return every_label(t.period / unit, name);
  return {};
}

std::string custom_label(std::string_view key) { return "custom-" + short_hash(key); }

std::string in_zone(std::string label, std::string_view zone) {
  if (zone == "UTC") return label;
  std::string zone_name;
  for (const char c : zone) zone_name += c == '/' || c == '_' ? '-' : c;
  lower_ascii(zone_name);
  return label + '-' + zone_name;
}

}  // namespace

std::string_view zone_name_in(std::string_view key) {
  constexpr std::string_view zone_clause = "; zone ";
  const auto at = key.rfind(zone_clause);
  if (at == std::string_view::npos) return "UTC";
  const auto rest = key.substr(at + zone_clause.size());
  return rest.substr(0, rest.find(';'));
}

std::string timing_label(const schedule& s) {
  std::string label;
  const bool plain = s.any_of.size() == 1 && s.not_during.empty() && s.gap == gap_rule::first_valid &&
                     s.overlap == overlap_rule::first && s.jitter == span{0};
  if (plain) {
    if (const auto* cron = std::get_if<cron_expression>(&s.any_of.front())) label = cron_label(*cron);
    if (const auto* interval = std::get_if<interval_trigger>(&s.any_of.front()))
      label = interval_label(*interval);
  }
  if (label.empty()) label = custom_label(timing_key(s));
  return in_zone(std::move(label), s.in.name());
}

std::string timing_label_of(const std::string& key) {
  const auto read = parse_canonical(key, {});
  if (read) return timing_label(*read);
  return in_zone(custom_label(key), zone_name_in(key));
}

}  // namespace belfry::core
