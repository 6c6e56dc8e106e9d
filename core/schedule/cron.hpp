// CRON: five fields (minute, hour, day of month, month, weekday), or six with seconds in front.
//
// Idea: every field is a bit mask, a month is one mask of days, and the next time is found by taking the next
// bit of each: a search over years visits months, never minutes. Promises: what can never happen (30
// February) is refused, and what was accepted fires within 40 years. Day of month and weekday are joined as
// in Vixie's cron: when either field begins with a star both must fit, otherwise one of them is enough;
// beyond Vixie, `&` in front of the weekday field says that both must fit ("0 9 13 * &fri").
// docs/reference/schedules.md has every rule for users. Rejected: `W` (nearest weekday), whose meaning
// differs between products, and ranges that run backwards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/schedule/day_set.hpp"
#include "core/schedule/problem.hpp"
#include "core/schedule/zone.hpp"

namespace belfry::core {

// Which of the two day fields say something, and how they are joined.
enum class day_rule : std::uint8_t { every, by_number, by_weekday, either, both };

struct cron_expression {
  std::uint64_t seconds = 1;  // bits 0..59
  std::uint64_t minutes = 0;  // bits 0..59
  std::uint32_t hours = 0;    // bits 0..23
  std::uint16_t months = 0;   // bits 1..12
  day_rule rule = day_rule::every;
  day_set days;  // only what `rule` uses is set
  friend bool operator==(const cron_expression&, const cron_expression&) = default;
};

inline constexpr std::uint64_t every_minute = (std::uint64_t{1} << 60U) - 1;  // seconds too
inline constexpr std::uint32_t every_hour = (std::uint32_t{1} << 24U) - 1;
inline constexpr std::uint16_t every_month = 0x1FFE;

struct cron_context {
  // What `H` is derived from, so that equal expressions of many jobs spread out. Without it `H` is refused.
  std::optional<std::uint64_t> seed;
};

// Five or six fields, or one of @hourly @daily @midnight @weekly @monthly @yearly @annually.
parsed<cron_expression> parse_cron(std::string_view text, const cron_context& context = {});
// Normalised; expressions with the same text fire at the same local times. parse_cron reads it back.
std::string canonical(const cron_expression& cron);
// One field as a list, the way `canonical` writes it: "*", "*/5", "1-5,9". `low` and `size` are the field's.
std::string field_text(std::uint64_t bits, unsigned low, unsigned size);

// Sets what `days` and `rule` say from the two day fields. Used by the readers.
struct day_fields {
  day_set days;
  bool both = false;  // a field began with a star, or the weekdays with &: both must fit
};
void set_days(cron_expression& cron, const day_fields& fields);
// Whether there is a day in the calendar that it can fire on.
bool possible(const cron_expression& cron);

// A cron with every hour follows real time, see zone_rules.
inline bool real_time(const cron_expression& cron) { return cron.hours == every_hour; }
// The least local time that fits and is greater than `after`; nothing after the year 9999.
std::optional<local_seconds> next_local(const cron_expression& cron, local_seconds after);
bool fits(const cron_expression& cron, local_seconds l);

}  // namespace belfry::core
