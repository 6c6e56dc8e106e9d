// PAUSES in JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json/reader.hpp"
#include "api/json/writer.hpp"
#include "core/pause/pause.hpp"
#include "messages/pauses.hpp"

namespace belfry::api::json {

// What is meant: nothing of it, the scheduler as a whole; a job by name or id.
struct pause_selector {
  std::optional<std::string> workspace, job, agent_type;
};
struct pause_request {
  pause_selector on;
  std::string reason;  // empty: manual, or drain
  std::string owner;
  std::string text;
  std::optional<core::span> length;              // for, resume_after
  std::optional<core::instant> until;            // until, resume_at
  std::optional<core::instant> from;             // nothing: from now on
  core::span timeout{std::chrono::seconds{60}};  // of a drain
};
core::result<pause_request> read_pause_request(std::string_view body);
core::result<pause_request> read_resume_request(std::string_view body);
core::result<pause_request> read_drain_request(std::string_view body);

void write_pause_members(writer& w, const core::pause_entry& e);
// As an array: what each is of, why, and the command that lifts it.
void write_pause_list(writer& w, const std::vector<core::pause>& all);
// `of`: what was asked about.
void write_pauses_seen(writer& w, const messages::pauses_seen& seen, const core::pause_target& of);

}  // namespace belfry::api::json
