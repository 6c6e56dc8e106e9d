#include <array>
#include <limits>
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
constexpr std::int64_t us_per_hour = 60 * us_per_minute;
constexpr std::int64_t us_per_day = 24 * us_per_hour;
constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();

constexpr std::string_view span_forms =
    "a number with a unit, such as 250ms, 90s, 1h30m, 1.5h or 2d, or ISO 8601 such as PT1M30S";

failure bad_span(std::string_view text, std::string_view why) {
  return time_text::refuse("duration", text, span_forms, why);
}

// whole.fraction times unit in microseconds, exact; nothing when it is too great or finer than a microsecond.
std::optional<std::int64_t> scaled(std::string_view whole, std::string_view fraction, std::int64_t unit) {
  std::int64_t n = 0;
  for (const char c : whole) {
    if (n > (greatest - (c - '0')) / 10) return std::nullopt;
    n = n * 10 + (c - '0');
  }
  if (n > greatest / unit) return std::nullopt;
  const std::int64_t sum = n * unit;
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  std::int64_t part = unit;  // what a one is worth at the digit before
  std::int64_t numerator = 0;
  for (const char c : fraction) {
    if (part % 10 != 0) return std::nullopt;
    part /= 10;
    numerator += (c - '0') * part;
  }
  if (sum > greatest - numerator) return std::nullopt;
  return sum + numerator;
}

struct unit_word {
  std::string_view word;
  std::int64_t us;
};
// Longer words first, so that "ms" is not read as minutes. Order in a text: from the greatest unit to the
// smallest.
constexpr std::array<unit_word, 6> plain_units{{{"ms", us_per_ms},
                                                {"us", 1},
                                                {"d", us_per_day},
                                                {"h", us_per_hour},
                                                {"m", us_per_minute},
                                                {"s", us_per_second}}};

struct parts {
  std::int64_t total = 0;
  std::int64_t smallest = greatest;  // unit of the last part
  bool fractional = false;           // the last part had a fraction, so nothing may follow
  bool any = false;
};

// Adds one part; the text says why not, when it does not fit.
std::string_view add(parts& p, std::string_view whole, std::string_view fraction, std::int64_t unit) {
  if (p.fractional) return "only the last part may have a fraction";
  if (unit >= p.smallest) return "units go from the greatest to the smallest, each once";
  const auto us = scaled(whole, fraction, unit);
  if (!us) return "it is too long or finer than a microsecond";
  if (p.total > greatest - *us) return "it is too long";
  p.total += *us;
  p.smallest = unit;
  p.fractional = !fraction.empty();
  p.any = true;
  return {};
}

result<span> parse_plain_span(std::string_view text) {
  reader in{text};
  parts sum;
  while (!in.done()) {
    const auto whole = in.digits();
    if (whole.empty())
      return bad_span(text, sum.any ? "a number is missing after a unit" : "it does not begin with a number");
    std::string_view fraction;
    if (in.skip('.') && (fraction = in.digits()).empty())
      return bad_span(text, "digits are missing after the point");
    std::int64_t unit = 0;
    for (const auto& u : plain_units)
      if (in.skip(u.word)) {
        unit = u.us;
        break;
      }
    if (unit == 0)
      return bad_span(text, in.done() ? "the unit is missing" : "the unit is not one of d, h, m, s, ms, us");
    if (const auto why = add(sum, whole, fraction, unit); !why.empty()) return bad_span(text, why);
  }
  return span{sum.total};
}

result<span> parse_iso_span(std::string_view text) {
  reader in{text.substr(1)};
  parts sum;
  bool in_time = false;
  bool weeks = false;
  while (!in.done()) {
    if (weeks) return bad_span(text, "weeks stand alone");
    if (!in_time && in.skip('T')) {
      in_time = true;
      sum.smallest = us_per_day;
      if (in.done()) return bad_span(text, "nothing follows the T");
    }
    const auto whole = in.digits();
    if (whole.empty()) return bad_span(text, "a number is missing");
    std::string_view fraction;
    if ((in.skip('.') || in.skip(',')) && (fraction = in.digits()).empty())
      return bad_span(text, "digits are missing after the point");
    std::int64_t unit = 0;
    if (!in_time && in.skip('D'))
      unit = us_per_day;
    else if (!in_time && !sum.any && in.skip('W')) {
      unit = 7 * us_per_day;
      weeks = true;
    } else if (in_time && in.skip('H'))
      unit = us_per_hour;
    else if (in_time && in.skip('M'))
      unit = us_per_minute;
    else if (in_time && in.skip('S'))
      unit = us_per_second;
    else
      return bad_span(
          text,
          "years and months have no fixed length; the designators are D, or W alone, and after a T: H, M, S");
    if (const auto why = add(sum, whole, fraction, unit); !why.empty()) return bad_span(text, why);
  }
  if (!sum.any) return bad_span(text, "nothing follows the P");
  return span{sum.total};
}

}  // namespace

result<span> parse_span(std::string_view text) {
  if (text.empty()) return bad_span(text, "it is empty");
  if (text == "0") return span{0};
  if (text.front() == '-') return bad_span(text, "it is negative");
  return text.front() == 'P' ? parse_iso_span(text) : parse_plain_span(text);
}

std::string to_text(span s) {
  if (s == span{0}) return "0s";
  if (s < span{0}) return "-" + (s == span::min() ? to_text(span::max()) : to_text(-s));  // for display only
  std::int64_t rest = s.count();
  if (rest < us_per_second)
    return rest % us_per_ms == 0 ? std::to_string(rest / us_per_ms) + "ms" : std::to_string(rest) + "us";
  std::string out;
  for (const auto& u : {plain_units[2], plain_units[3], plain_units[4]}) {
    if (rest >= u.us) (out += std::to_string(rest / u.us)) += u.word;
    rest %= u.us;
  }
  if (rest == 0) return out;
  out += std::to_string(rest / us_per_second);
  if (auto part = rest % us_per_second; part != 0) {
    std::string decimals;
    append_padded(decimals, part, 6);
    while (decimals.back() == '0') decimals.pop_back();
    (out += '.') += decimals;
  }
  return out += 's';
}

}  // namespace belfry::core
