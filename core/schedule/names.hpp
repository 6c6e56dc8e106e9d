// NAMES of weekdays and months, and numbers with their ending, as phrases, labels and canonical texts say
// them.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace belfry::core {

inline constexpr std::array<std::string_view, 7> weekday_words{"sunday",   "monday", "tuesday", "wednesday",
                                                               "thursday", "friday", "saturday"};
inline constexpr std::array<std::string_view, 12> month_words{
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};
inline constexpr std::array<std::string_view, 5> ordinal_words{"first", "second", "third", "fourth", "fifth"};

inline std::string_view short_weekday(unsigned w) { return weekday_words[w].substr(0, 3); }

// "1st", "22nd", "31st".
std::string ordinal_text(unsigned n);
// "09:00", with seconds only where there are some: "09:00:30".
std::string time_text(std::chrono::seconds of_day);
// "2026-11-21".
std::string date_text(std::chrono::local_days d);

// Lower case in, singular or plural, full or short: "mon", "tues", "mondays". Sunday is 0.
std::optional<unsigned> weekday_from(std::string_view word);
// "jan", "sept", "january": 1..12.
std::optional<unsigned> month_from(std::string_view word);
// "first", "3rd", "31st": 1..31; only the ending that belongs to the number.
std::optional<unsigned> ordinal_from(std::string_view word);

}  // namespace belfry::core
