#include <algorithm>

#include "core/schedule/canonical.hpp"
#include "core/schedule/names.hpp"

namespace belfry::core {
namespace {

void add(std::string& out, std::string_view item) {
  if (!out.empty()) out += ',';
  out += item;
}

std::optional<unsigned> number(std::string_view text) {
  if (text.empty() || text.size() > 3) return std::nullopt;
  unsigned v = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    v = v * 10 + static_cast<unsigned>(c - '0');
  }
  return v;
}

// "7", "1-5", "1-9/2" and, with `star`, "*" and "*/5".
bool add_range(std::uint64_t& bits, std::string_view item, unsigned low, unsigned size) {
  const auto slash = item.find('/');
  unsigned step = 1;
  if (slash != std::string_view::npos) {
    const auto s = number(item.substr(slash + 1));
    if (!s || *s == 0 || *s >= size) return false;
    step = *s;
    item = item.substr(0, slash);
  }
  unsigned first = low;
  unsigned last = low + size - 1;
  if (item != "*") {
    const auto dash = item.find('-');
    const auto a = number(item.substr(0, dash));
    const auto b = dash == std::string_view::npos ? a : number(item.substr(dash + 1));
    if (!a || !b || *a < low || *b >= low + size || *b < *a) return false;
    first = *a;
    if (dash != std::string_view::npos || slash == std::string_view::npos) last = *b;
  }
  for (auto v = first; v <= last; v += step) bits |= std::uint64_t{1} << v;
  return true;
}

// "mon", "mon-fri", "mon#2", "fril".
bool add_weekday(day_set& days, std::string_view item) {
  const auto w = weekday_from(item.substr(0, 3));
  if (!w) return false;
  const auto rest = item.substr(3);
  if (rest.empty()) {
    days.weekdays |= static_cast<weekday_bits>(1U << *w);
  } else if (rest == "l") {
    days.last_weekdays |= static_cast<weekday_bits>(1U << *w);
  } else if (rest.size() == 2 && rest[0] == '#' && rest[1] >= '1' && rest[1] <= '5') {
    days.nth[*w] |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(rest[1] - '0'));
  } else if (rest[0] == '-') {
    const auto end = weekday_from(rest.substr(1));
    if (!end || rest.size() != 4) return false;
    const auto last = *end < *w ? *end + 7 : *end;
    for (auto d = *w; d <= last; ++d) days.weekdays |= static_cast<weekday_bits>(1U << d % 7);
  } else {
    return false;
  }
  return true;
}

template <class Each>
bool each_item(std::string_view list, Each&& each) {
  for (std::size_t at = 0; at <= list.size();) {
    const auto end = std::min(list.find(',', at), list.size());
    if (!each(list.substr(at, end - at))) return false;
    at = end + 1;
  }
  return true;
}

}  // namespace

std::optional<std::uint64_t> bits_from(std::string_view list, unsigned low, unsigned size) {
  std::uint64_t bits = 0;
  if (!each_item(list, [&](std::string_view item) { return add_range(bits, item, low, size); }))
    return std::nullopt;
  return bits;
}

std::string days_text(const day_set& days) {
  std::string out;
  if (days.month_days != 0) out = field_text(days.month_days, 1, 31);
  if (days.last_day) add(out, "L");
  for (unsigned n = 1; n <= 7; ++n) {
    const auto w = n % 7;  // Monday first
    const auto name = short_weekday(w);
    if ((days.weekdays >> w & 1U) != 0) add(out, name);
    for (unsigned k = 1; k <= 5; ++k)
      if ((days.nth[w] >> k & 1U) != 0) add(out, std::string{name} + '#' + std::to_string(k));
    if ((days.last_weekdays >> w & 1U) != 0) add(out, std::string{name} + 'L');
  }
  return out;
}

std::optional<day_set> days_from(std::string_view lower) {
  day_set days;
  const bool good = each_item(lower, [&](std::string_view item) {
    if (item == "l") return days.last_day = true;
    if (!item.empty() && (item[0] == '*' || (item[0] >= '0' && item[0] <= '9'))) {
      std::uint64_t bits = 0;
      if (!add_range(bits, item, 1, 31)) return false;
      days.month_days |= static_cast<std::uint32_t>(bits);
      return true;
    }
    return item.size() >= 3 && add_weekday(days, item);
  });
  if (!good) return std::nullopt;
  normalise(days);
  return days;
}

}  // namespace belfry::core
