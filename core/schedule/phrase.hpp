// PHRASE: schedules in words: "weekdays at 9am", "every 5 minutes", "last day of the month in Europe/Berlin".
//
// A phrase is a set of parts in any order that makes sense: how often or at which times, on which days, in
// which months, when not, from when until when, in which zone. The whole phrase must be understood: one word
// that is not is a problem that points at it. `describe` says every schedule in such words; what it says is
// read back as the same schedule (a test holds that for random schedules of every kind). What each form means
// is in docs/reference/schedules.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/schedule/canonical.hpp"
#include "core/schedule/problem.hpp"
#include "core/schedule/schedule.hpp"

namespace belfry::core {

parsed<schedule> parse_phrase(std::string_view text, const schedule_context& context);

std::string describe(const trigger& t);
std::string describe(const schedule& s);

// What a user is told about an expression of any kind before it is used.
struct understanding {
  schedule value;
  std::string canonical;
  std::string description;
  std::string label;  // of its timing group
  std::vector<coming> next;
};
// The next `count` instants after context.now.
parsed<understanding> understand(std::string_view text, const schedule_context& context, std::size_t count);

}  // namespace belfry::core
