// ZONE: an IANA time zone as a value, and what happens to local times that its clock skips or repeats.
//
// Idea: a schedule says local times; a zone turns each into no instant (the clock jumped over it), one, or
// two (the clock was put back). `next_in_zone` walks a schedule through that, by the two rules that the user
// chose, without visiting instants one by one. Source of the data: the system's zone files, through cctz,
// which reads each once per process: after an update of tzdata the node is restarted.
#pragma once

#include <cctz/time_zone.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/errors/result.hpp"
#include "core/schedule/policy.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

using std::chrono::local_days;
using std::chrono::local_seconds;

// A local time that does not exist because the clock was put forward: run at the first instant after the
// gap, or not at all.
enum class gap_rule : std::uint8_t { first_valid = 0, skip = 1 };
// A local time that happens twice because the clock was put back: run the first time, or both times.
enum class overlap_rule : std::uint8_t { first = 0, both = 1 };

struct local_lookup {
  enum class kind : std::uint8_t { unique, skipped, repeated };
  kind is = kind::unique;
  instant first;       // unique: the instant. repeated: the first of the two
  instant second;      // repeated: the second of the two
  instant transition;  // skipped, repeated: when the clock was changed
};

class zone {
 public:
  zone() = default;  // UTC
  // IANA names only ("Europe/Berlin", "UTC"). Paths, "localtime", "posix/…" and "right/…" are refused: they
  // mean something else on another machine. errc::invalid, with the nearest spelling when that exists.
  static result<zone> named(std::string_view name);

  const std::string& name() const { return name_; }
  // "2024a" where the zone files say so, else empty.
  std::string data_version() const { return zone_.version(); }
  local_seconds local(instant t) const;
  std::chrono::seconds offset(instant t) const;
  local_lookup lookup(local_seconds l) const;
  // The first instant at which the clock shows `l` or something later.
  instant at_or_after(local_seconds l) const;
  friend bool operator==(const zone& a, const zone& b) { return a.name_ == b.name_; }

 private:
  std::string name_ = "UTC";
  cctz::time_zone zone_;
};

// "2026-03-29 03:00:00" as the zone's clock shows it.
std::string local_text(local_seconds l);
// "+02:00"; seconds only where an old offset has them.
std::string offset_text(std::chrono::seconds offset);

struct zone_rules {
  gap_rule gap = gap_rule::first_valid;
  overlap_rule overlap = overlap_rule::first;
  // The schedule has every hour: it follows real time. It makes nothing up for a gap and goes on through both
  // passes of an overlap (docs/decisions/0043).
  bool real_time = false;
};

struct fire_time {
  instant at;
  clock_shift shift = clock_shift::none;
  friend bool operator==(const fire_time&, const fire_time&) = default;
};

// The first instant after `after` that the local times of a schedule lead to. `next_local(l)` gives the least
// local time of the schedule that is greater than l, or nothing.
template <class NextLocal>
std::optional<fire_time> next_in_zone(const zone& z, const zone_rules& rules, instant after,
                                      NextLocal&& next_local) {
  using kind = local_lookup::kind;
  constexpr std::chrono::seconds tick{1};
  constexpr int most_changes = 2'000;  // a schedule may lie in the gap of every year; then it never fires
  const bool both = rules.real_time || rules.overlap == overlap_rule::both;
  auto from = z.local(after);
  if (both) {
    // In the first pass of an overlap the clock will show earlier times again, which a search that only goes
    // forward in local time would miss.
    const auto here = z.lookup(from);
    if (here.is == kind::repeated && after < here.transition) {
      if (const auto l = next_local(from)) {
        const auto there = z.lookup(*l);
        if (there.is == kind::repeated && there.transition == here.transition)
          return fire_time{there.first, clock_shift::first_pass};
      }
      from = z.local(here.transition) - tick;
    }
  }
  for (int changes = 0; changes < most_changes; ++changes) {
    const auto l = next_local(from);
    if (!l) return std::nullopt;
    const auto there = z.lookup(*l);
    switch (there.is) {
      case kind::unique: return fire_time{there.first, clock_shift::none};
      case kind::skipped:
        if (!rules.real_time && rules.gap == gap_rule::first_valid)
          return fire_time{there.transition, clock_shift::gap};
        from = z.local(there.transition) - tick;
        break;
      case kind::repeated:
        if (there.first > after) return fire_time{there.first, clock_shift::first_pass};
        if (both && there.second > after) return fire_time{there.second, clock_shift::second_pass};
        // On to the end of the overlap: what the clock shows when it is put back.
        from = *l + std::chrono::floor<std::chrono::seconds>(there.transition - there.first) - tick;
        break;
    }
  }
  return std::nullopt;
}

}  // namespace belfry::core
