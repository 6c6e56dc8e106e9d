// CONTROLS: the small bodies of what an operator says about one run, and of the limits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/json/reader.hpp"
#include "core/queue/board.hpp"
#include "core/run/state.hpp"

namespace belfry::api::json {

// What somebody who looked before says that he saw.
void read_if_state(const value& m, core::expectation& e);
void read_if_fencing(const value& m, core::expectation& e);
inline constexpr std::string_view reason_wanted =
    "why, in plain words, at most 500 characters: it stays in the journal";

core::result<std::string> read_reason_body(std::string_view body);  // {"reason"}, which may be absent
// {"reason", "if_state", "if_fencing"}; the reason is required.
struct force_draft {
  std::string reason;
  core::expectation expected;
};
core::result<force_draft> read_force_body(std::string_view body);
struct adoption_draft {
  std::uint64_t fencing = 0;
  std::string reason;
};
core::result<adoption_draft> read_adoption_body(
    std::string_view body);  // {"fencing", "reason"}, both may be absent
core::result<core::priority> read_priority_body(std::string_view body);  // {"priority"}
core::result<std::optional<std::string>> read_payload_body(
    std::string_view body);                              // {"payload"}, which may be absent
core::result<void> read_nothing(std::string_view body);  // {} or no body

struct limits_draft {
  std::optional<std::uint32_t> global, per_lane, per_batch, per_agent_type, fires, fires_per_workspace;
  std::optional<core::span> fire_window;
};
core::result<limits_draft> read_limits_body(std::string_view body);  // at least one of them

struct prune_draft {
  std::optional<core::span> keep, keep_dead;
  std::optional<std::uint32_t> keep_per_job;
  bool dry_run = false;
};
core::result<prune_draft> read_prune_body(std::string_view body);   // may be absent
core::result<std::string> read_backup_body(std::string_view body);  // {"to"}

}  // namespace belfry::api::json
