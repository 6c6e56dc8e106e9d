// TRIGGER: one reason for a job to run: an instant, an interval, a cron expression, a calendar recurrence, an
// event. A schedule has one or several of them (core/schedule/schedule.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/errors/result.hpp"
#include "core/schedule/cron.hpp"
#include "core/schedule/event_hold.hpp"
#include "core/schedule/recurrence.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

struct once_trigger {
  instant at;
  friend bool operator==(const once_trigger&, const once_trigger&) = default;
};

// anchor + k · period in absolute time, k of any sign: the phase stays over gaps, restarts and changes of the
// clock. 1 s to 10 years.
struct interval_trigger {
  span period = std::chrono::minutes{1};
  instant anchor = never;
  friend bool operator==(const interval_trigger&, const interval_trigger&) = default;
};
inline constexpr span least_period = std::chrono::seconds{1};
inline constexpr span greatest_period = std::chrono::hours{24 * 3653};
std::optional<instant> next_instant(const interval_trigger& t, instant after);
// How many of its instants lie in (after, upto].
std::int64_t count_between(const interval_trigger& t, instant after, instant upto);

enum class filter_test : std::uint8_t { equal = 0, unequal = 1, exists = 2 };
struct event_condition {
  std::string key;  // of the event's fields
  filter_test test = filter_test::equal;
  std::string value;  // compared byte by byte; a trailing * stands for any end
  friend bool operator==(const event_condition&, const event_condition&) = default;
};

struct event_trigger {
  std::string name;                      // a trailing * stands for any end; see `matches`
  std::vector<event_condition> filters;  // all of them must fit; at most 16
  span debounce{0};              // fires when so long no further event has come; 0 fires at once. <= 1 day
  span longest_hold{0};          // fires at the latest so long after the first event held; 0: no bound
  std::uint16_t most_depth = 8;  // events that runs caused by events caused …: where a loop ends. 1..64
  friend bool operator==(const event_trigger&, const event_trigger&) = default;
};

struct outside_event {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  std::uint16_t depth = 0;  // how many event-triggered runs led to it
  bool own = false;         // belfry's, about runs and jobs; not one that somebody emitted
};
// belfry's own events are waited for by their whole name only: whoever waits for "run_*" would be started by
// each step of each run that he starts.
bool matches(const event_trigger& t, const outside_event& e);

enum class event_verdict : std::uint8_t { ignored, too_deep, held, fire };
struct event_decision {
  event_verdict verdict = event_verdict::ignored;
  debounce_state next;
};
event_decision decide_event(const event_trigger& t, const debounce_state& state, const outside_event& e,
                            instant now);
// When the time has come: fire once for everything held. Nothing before `fires_at`.
event_decision decide_debounce(const debounce_state& state, instant now);

using trigger = std::variant<once_trigger, interval_trigger, cron_expression, recurrence, event_trigger>;

std::vector<field_problem> check(const trigger& t, const std::string& base);

}  // namespace belfry::core
