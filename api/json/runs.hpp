// RUNS in JSON: what answers say about runs, their attempts, logs and events.
#pragma once

#include <optional>
#include <vector>

#include "api/json/writer.hpp"
#include "core/events/event.hpp"
#include "core/run/filter.hpp"
#include "core/run/machine.hpp"
#include "core/run/run.hpp"
#include "core/run/views.hpp"
#include "messages/cycles.hpp"
#include "messages/queries.hpp"
#include "messages/runs.hpp"
#include "messages/wakes.hpp"

namespace belfry::api::json {

// The short answer to a submission.
void write_submitted(writer& w, const core::run& r, bool created);
void write_submitted_members(writer& w, const core::run& r, bool created);
// One row of a list.
void write_run(writer& w, const core::run& r);
// The short state after a command.
void write_head(writer& w, const core::run_head& h);

// Why it waits: reasons and place in line, when it is not finished.
struct waiting {
  std::vector<core::wait_reason> reasons;
  std::optional<std::size_t> position;
  core::estimate start = {};
  std::vector<messages::session_verdict> sessions = {};  // what each has against a queued run
  std::optional<messages::rung_view> rung = {};          // of a run that starves
  std::optional<messages::wakes_seen> wakes = {};        // for it, lately; nothing: not known
  core::instant deferred_from = core::never;             // an exclusion of its job has postponed it
  std::string deferred_by = {};                          // that one
};
void write_run_details(writer& w, const messages::run_details& d, const waiting& why);
void write_waiting(writer& w, const waiting& why);

void write_log_line(writer& w, const core::log_line& l);
void write_event(writer& w, const core::event& e);
void write_batch(writer& w, const core::batch_summary& b, core::instant now);
void write_statistics(writer& w, const core::run_statistics& s);
void write_states(writer& w, const std::array<std::int64_t, core::run_state_count>& by_state);

}  // namespace belfry::api::json
