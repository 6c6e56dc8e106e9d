// PHRASE PARTS: what the words of a phrase came to before they are one schedule. For the files phrase_*.cpp.
#pragma once

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "core/schedule/phrase.hpp"
#include "core/schedule/tokens.hpp"

namespace belfry::core::phrases {

// A part and the token that it began at, for problems that show only when parts are put together.
template <class T>
struct part {
  T value{};
  std::size_t place = 0;
};

enum class clock_unit : std::uint8_t { second, minute, hour };
struct every_clock {  // every 5 minutes
  std::uint32_t n = 1;
  clock_unit unit = clock_unit::minute;
  std::optional<span> exact;  // every 1h30m; then n and unit say nothing
};
struct every_calendar {  // every 2 weeks, monthly
  std::uint32_t n = 1;
  calendar_unit unit = calendar_unit::day;
};
struct clock_lists {  // at minutes 5,35 past hours 8-17
  std::uint64_t seconds = 1;
  std::uint64_t minutes = 0;
  std::uint32_t hours = 0;
};
struct day_words {
  day_set days;
  bool all = false;          // every day
  bool both = false;         // number but only on weekday
  std::uint16_t months = 0;  // "of january"
};
using date_or_instant = std::variant<local_days, instant>;
using a_day = std::variant<local_days, int>;  // a date, or so many days from today

struct trigger_parts {
  std::optional<part<std::vector<std::chrono::seconds>>> times;
  std::optional<part<every_clock>> every;
  std::optional<part<every_calendar>> calendar;
  std::optional<part<clock_lists>> lists;
  std::optional<part<std::uint64_t>> minutes;  // at minute 15, of each hour
  std::optional<part<std::pair<std::chrono::seconds, std::chrono::seconds>>> between;
  std::optional<part<day_words>> days;
  std::optional<part<std::uint16_t>> months;
  std::optional<part<date_or_instant>> counted;
  std::optional<part<a_day>> day;
  std::optional<part<unsigned>> next_weekday;
  std::optional<part<span>> in;
  std::optional<part<instant>> at;
  std::optional<part<date_or_instant>> until;
  std::optional<part<event_trigger>> event;
  bool month_end = false;
  std::size_t place = 0;  // where it begins
};

struct phrase_parts {
  std::vector<trigger_parts> triggers;
  std::vector<exclusion> not_during;
  std::optional<zone> in;
  gap_rule gap = gap_rule::first_valid;
  overlap_rule overlap = overlap_rule::first;
  std::optional<part<date_or_instant>> starts;
  std::optional<part<date_or_instant>> ends;
  span jitter{0};
};

// A list of days: "monday and thursday", "the 1st and the last day of the month", "first monday of january".
std::optional<day_words> take_days(token_cursor& in);
std::optional<std::uint16_t> take_months(token_cursor& in);
std::optional<phrase_parts> take_phrase(token_cursor& in, const schedule_context& context);
parsed<schedule> combine(const phrase_parts& all, const token_cursor& in, const schedule_context& context);

}  // namespace belfry::core::phrases
