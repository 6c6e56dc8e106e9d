#include "core/schedule/names.hpp"

#include "core/schedule/zone.hpp"

namespace belfry::core {
namespace {

std::string_view ending(unsigned n) {
  if (n % 100 >= 11 && n % 100 <= 13) return "th";
  return n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
}

}  // namespace

std::string ordinal_text(unsigned n) { return std::to_string(n).append(ending(n)); }

std::string time_text(std::chrono::seconds of_day) {
  const auto s = of_day.count();
  std::string out;
  const auto two = [&](std::int64_t v) {
    if (v < 10) out += '0';
    out += std::to_string(v);
  };
  two(s / 3600);
  out += ':';
  two(s / 60 % 60);
  if (s % 60 != 0) {
    out += ':';
    two(s % 60);
  }
  return out;
}

std::string date_text(std::chrono::local_days d) { return local_text(d).substr(0, 10); }

std::optional<unsigned> weekday_from(std::string_view word) {
  for (unsigned w = 0; w < 7; ++w) {
    const auto full = weekday_words[w];
    if (word == full || word == full.substr(0, 3)) return w;
    if (word.size() == full.size() + 1 && word.starts_with(full) && word.back() == 's') return w;
  }
  if (word == "tues") return 2;
  if (word == "weds") return 3;
  if (word == "thur" || word == "thurs") return 4;
  return std::nullopt;
}

std::optional<unsigned> month_from(std::string_view word) {
  for (unsigned m = 0; m < 12; ++m)
    if (word == month_words[m] || word == month_words[m].substr(0, 3)) return m + 1;
  return word == "sept" ? std::optional{9U} : std::nullopt;
}

std::optional<unsigned> ordinal_from(std::string_view word) {
  for (unsigned n = 0; n < ordinal_words.size(); ++n)
    if (word == ordinal_words[n]) return n + 1;
  for (unsigned n = 1; n <= 31; ++n)
    if (word == ordinal_text(n)) return n;
  return std::nullopt;
}

}  // namespace belfry::core
