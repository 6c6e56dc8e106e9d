#include <chrono>
#include <optional>

#include "core/time/reader.hpp"
#include "core/time/text.hpp"

namespace belfry::core {
namespace {

using time_text::append_padded;
using time_text::reader;

constexpr std::int64_t us_per_ms = 1'000;
constexpr std::int64_t us_per_second = 1'000'000;
constexpr std::int64_t us_per_minute = 60 * us_per_second;

constexpr std::string_view instant_forms =
    "RFC 3339, such as 2026-11-21T10:00:00Z or 2026-11-21T10:00:00.5+01:00";

failure bad_instant(std::string_view text, std::string_view why) {
  return time_text::refuse("time", text, instant_forms, why);
}

// ".123" as microseconds; digits beyond the sixth are cut off, because an instant has no finer part.
std::optional<std::int64_t> fraction_of_second(reader& in) {
  if (!in.skip('.')) return 0;
  const auto found = in.digits();
  if (found.empty()) return std::nullopt;
  std::int64_t us = 0;
  for (std::size_t i = 0; i < 6; ++i) us = us * 10 + (i < found.size() ? found[i] - '0' : 0);
  return us;
}

// "Z" or "+01:00" as what to subtract.
std::optional<span> offset_of(reader& in) {
  if (in.skip('Z') || in.skip('z')) return span{0};
  const bool minus = in.peek() == '-';
  if (!in.skip('+') && !in.skip('-')) return std::nullopt;
  const auto h = in.number(2);
  if (!h || !in.skip(':')) return std::nullopt;
  const auto m = in.number(2);
  if (!m || *h > 23 || *m > 59) return std::nullopt;
  const span size = std::chrono::hours{*h} + std::chrono::minutes{*m};
  return minus ? -size : size;
}

}  // namespace

result<instant> parse_instant(std::string_view text) {
  using namespace std::chrono;
  reader in{text};
  const auto y = in.number(4);
  const bool d1 = in.skip('-');
  const auto mo = in.number(2);
  const bool d2 = in.skip('-');
  const auto d = in.number(2);
  if (!y || !d1 || !mo || !d2 || !d)
    return bad_instant(text, "it does not begin with a date like 2026-11-21");
  if (!in.skip('T') && !in.skip('t') && !in.skip(' '))
    return bad_instant(text, "a T and the time of day are missing");
  const auto h = in.number(2);
  const bool c1 = in.skip(':');
  const auto mi = in.number(2);
  const bool c2 = in.skip(':');
  const auto s = in.number(2);
  if (!h || !c1 || !mi || !c2 || !s) return bad_instant(text, "the time of day is not like 10:00:00");
  const auto fraction = fraction_of_second(in);
  if (!fraction) return bad_instant(text, "digits are missing after the point");
  const auto offset = offset_of(in);
  if (!offset) return bad_instant(text, "the offset is missing: Z, or one like +01:00");
  if (!in.done()) return bad_instant(text, "something follows the offset");

  const year_month_day date{year{*y}, month{static_cast<unsigned>(*mo)}, day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return bad_instant(text, "there is no such day");
  if (*h > 23 || *mi > 59 || *s > 60) return bad_instant(text, "there is no such time of day");
  // A leap second has no number of its own in UTC arithmetic, so it is the last moment of its minute.
  const span second = *s == 60 ? span{us_per_minute - 1} : span{*s * us_per_second + *fraction};
  const instant t = instant{sys_days{date}} + hours{*h} + minutes{*mi} + second - *offset;
  if (t < never || t > end_of_time) return bad_instant(text, "the year is not within 1970 to 9999");
  return t;
}

std::string to_rfc3339(instant t) {
  using namespace std::chrono;
  if (t > end_of_time) t = end_of_time;
  if (t < never) t = never;
  const auto midnight = floor<days>(t);
  const year_month_day date{midnight};
  const hh_mm_ss time{t - midnight};
  std::string out;
  out.reserve(28);
  append_padded(out, static_cast<int>(date.year()), 4);
  append_padded(out += '-', static_cast<unsigned>(date.month()), 2);
  append_padded(out += '-', static_cast<unsigned>(date.day()), 2);
  append_padded(out += 'T', time.hours().count(), 2);
  append_padded(out += ':', time.minutes().count(), 2);
  append_padded(out += ':', time.seconds().count(), 2);
  const std::int64_t us = time.subseconds().count();
  if (us % us_per_ms == 0)
    append_padded(out += '.', us / us_per_ms, 3);
  else
    append_padded(out += '.', us, 6);
  return out += 'Z';
}

}  // namespace belfry::core
