#include "core/run/state.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace belfry::core {
namespace {

using enum run_state;

constexpr std::array<std::string_view, run_state_count> state_names{
    "blocked",         "scheduled", "queued", "claimed",   "running", "retrying",  "parked",
    "needs_attention", "succeeded", "failed", "timed_out", "lost",    "cancelled", "skipped"};

constexpr std::array<std::string_view, priority_count> priority_names{"urgent", "high", "normal", "low"};

constexpr std::array<std::string_view, 9> class_names{
    "none", "error", "permanent", "timeout", "lost", "resource", "rate_limited", "cancelled", "spawn"};

// Claimed and running differ only in "the worker began": whoever holds a lease may end the attempt in any
// way. timed_out and overdue need a deadline, which begins with the start, but a worker may name the class
// before that.
constexpr std::array table{
    transition{blocked, scheduled, "dependency, approval"},
    transition{blocked, queued, "dependency, approval"},
    transition{blocked, failed, "force_fail"},
    transition{blocked, cancelled, "cancel"},
    transition{scheduled, queued, "wake, run_now"},
    transition{scheduled, parked, "wake"},
    transition{scheduled, succeeded, "adopt"},
    transition{scheduled, failed, "force_fail"},
    transition{scheduled, cancelled, "cancel"},
    transition{queued, claimed, "claim"},
    transition{queued, running, "claim"},
    transition{queued, parked, "meet_handler"},
    transition{queued, needs_attention, "ladder"},
    transition{queued, succeeded, "adopt"},
    transition{queued, failed, "claim, force_fail"},
    transition{queued, cancelled, "cancel"},
    transition{claimed, scheduled, "release"},
    transition{claimed, queued, "release, expire, lose, force_release"},
    transition{claimed, running, "start"},
    transition{claimed, retrying, "fail"},
    transition{claimed, parked, "park"},
    transition{claimed, succeeded, "complete, adopt"},
    transition{claimed, failed, "fail, force_fail"},
    transition{claimed, timed_out, "fail"},
    transition{claimed, lost, "expire, lose"},
    transition{claimed, cancelled, "cancel, force_release"},
    transition{claimed, skipped, "condition"},
    transition{running, scheduled, "release"},
    transition{running, queued, "release, expire, lose, force_release"},
    transition{running, retrying, "fail, overdue"},
    transition{running, parked, "park"},
    transition{running, succeeded, "complete, adopt"},
    transition{running, failed, "fail, force_fail"},
    transition{running, timed_out, "fail, overdue"},
    transition{running, lost, "expire, lose"},
    transition{running, cancelled, "cancel, force_release"},
    transition{running, skipped, "condition"},
    transition{retrying, queued, "wake, run_now"},
    transition{retrying, parked, "wake"},
    transition{retrying, succeeded, "adopt"},
    transition{retrying, failed, "force_fail"},
    transition{retrying, cancelled, "cancel"},
    transition{parked, queued, "wake, run_now, meet_handler"},
    transition{parked, succeeded, "adopt"},
    transition{parked, failed, "force_fail"},
    transition{parked, cancelled, "cancel"},
    transition{needs_attention, succeeded, "adopt"},
    transition{needs_attention, failed, "force_fail"},
    transition{needs_attention, cancelled, "cancel, recover"},
};

// Numbers come from rows and other nodes, so a value above the table is possible: it has no name.
template <class Enum, std::size_t N>
std::string_view name_in(const std::array<std::string_view, N>& names, Enum e) {
  const auto i = static_cast<std::size_t>(e);
  return i < N ? names[i] : std::string_view{"unknown"};
}

template <class Enum, std::size_t N>
std::optional<Enum> value_in(const std::array<std::string_view, N>& names, std::string_view text) {
  const auto at = std::find(names.begin(), names.end(), text);
  if (at == names.end()) return std::nullopt;
  return static_cast<Enum>(at - names.begin());
}

}  // namespace

std::string_view to_text(run_state s) { return name_in(state_names, s); }

std::optional<run_state> run_state_from(std::string_view text) {
  if (text == "pending") return queued;
  if (text == "completed") return succeeded;
  return value_in<run_state>(state_names, text);
}

const std::vector<run_state>& all_run_states() {
  static const std::vector<run_state> all = [] {
    std::vector<run_state> states;
    states.reserve(run_state_count);
    for (std::size_t i = 0; i < run_state_count; ++i) states.push_back(static_cast<run_state>(i));
    return states;
  }();
  return all;
}

const std::vector<transition>& transitions() {
  static const std::vector<transition> all(table.begin(), table.end());
  return all;
}

bool legal(run_state from, run_state to) {
  return std::any_of(table.begin(), table.end(),
                     [&](const transition& t) { return t.from == from && t.to == to; });
}

std::string_view to_text(priority p) { return name_in(priority_names, p); }

std::optional<priority> priority_from(std::string_view text) {
  if (text == "critical") return priority::urgent;
  if (text == "medium") return priority::normal;
  return value_in<priority>(priority_names, text);
}

std::string_view to_text(failure_class c) { return name_in(class_names, c); }

std::optional<failure_class> failure_class_from(std::string_view text) {
  return value_in<failure_class>(class_names, text);
}

bool class_retries(failure_class c) {
  switch (c) {
    case failure_class::error:
    case failure_class::timeout:
    case failure_class::lost:
    case failure_class::resource:
    case failure_class::rate_limited: return true;
    case failure_class::none:
    case failure_class::permanent:
    case failure_class::cancelled:
    case failure_class::spawn: return false;
  }
  return false;
}

}  // namespace belfry::core
