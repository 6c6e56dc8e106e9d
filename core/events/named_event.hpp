// NAMED EVENT: what a job can wait for. Somebody emits it, with a name and fields of his own, or belfry tells
// of a run or a job: then the name is that of the kind in the journal ("run_failed"), or "run_ended" for
// whatever ended a run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/errors/result.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

enum class event_kind : std::uint16_t;  // core/events/event.hpp

struct named_event {
  std::string name;                                         // letters, digits, "-_.", 1..100
  std::vector<std::pair<std::string, std::string>> fields;  // at most 32, each key once
  friend bool operator==(const named_event&, const named_event&) = default;
};
inline constexpr std::size_t most_event_fields = 32;
inline constexpr std::size_t longest_event_value = 1024;    // bytes
inline constexpr std::size_t most_event_bytes = 16 * 1024;  // keys and values together

// Of one that is emitted. Names of belfry's own are refused, also where they are written with dots or dashes:
// "run.failed" would never be what a reader takes it for.
std::vector<field_problem> check(const named_event& e, const std::string& base);
// Of a name that a job waits for: the same characters, and a trailing * if wanted; of belfry's own only those
// that jobs are told of.
std::optional<field_problem> check_awaited_name(std::string_view name);

inline constexpr std::string_view run_ended_event = "run_ended";
// Whether jobs can wait for events of this kind, and whether it is one that ends a run.
bool awaitable(event_kind k);
bool ends_a_run(event_kind k);

// One line: the name, then key=value, in quotes where the value has blanks. Reads back as the same event.
std::string to_text(const named_event& e);
std::optional<named_event> parse_named_event(std::string_view line);

// The JSON that a run started by it is given: {"event":{"name","at","fields"},"count","first_at"}. Times are
// RFC 3339; `count` events since `first` are what the run stands for, and `e` is the newest.
std::string payload_of(const named_event& e, instant at, std::int64_t count, instant first);

// What became of one that was emitted.
struct emitted {
  std::int64_t seq = 0;  // its number in the journal; 0: nothing was emitted
  instant at = never;
  std::uint32_t jobs = 0;      // that it fits
  std::uint32_t started = 0;   // … a run of them was made at once
  std::uint32_t held = 0;      // … it is gathered with others
  std::uint32_t aside = 0;     // … they are paused
  std::uint32_t too_deep = 0;  // … a chain of events ended there
  friend bool operator==(const emitted&, const emitted&) = default;
};

}  // namespace belfry::core
