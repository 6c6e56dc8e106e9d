// PROTOCOL: what the worker says to the node and reads from it, as JSON. Pure. docs/protocol.md has the
// rules.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/json/writer.hpp"
#include "app/client/json_view.hpp"
#include "app/work/plan.hpp"
#include "core/run/machine.hpp"
#include "messages/runs.hpp"

namespace belfry::app {

// What the holder of a lease shows with everything that it says.
struct lease_claim {
  core::run_id run;
  std::uint64_t fencing = 0;
  std::string token;
};

/// POST /v1/sessions; `id` empty: a new session.
std::string registration(const work_plan& plan, const std::string& id);
/// POST /v1/claims.
std::string claim_wish(const work_plan& plan, const std::string& session, std::size_t room);
/// One element of "claims" in its answer, as what is to be done here.
core::result<messages::claimed_run> read_claimed(view claim, const work_plan& plan);
/// POST /v1/runs/{id}:heartbeat.
std::string heartbeat(const lease_claim& lease, core::span length);
/// POST /v1/heartbeats; at most 1,000 leases.
std::string heartbeats(const std::vector<lease_claim>& leases, core::span length);
/// POST /v1/runs/{id}:log. `first` is the number of the first line: a repetition adds none twice.
std::string log_lines(const lease_claim& lease, std::uint64_t first,
                      const std::vector<core::log_line>& lines);
/// One element of "items" of POST /v1/completions.
void write_completion(api::json::writer& w, const lease_claim& lease, const core::cmd_settle& how);
/// Whether the answer to a claim or a heartbeat asks for this: "cancel", "drain".
bool commanded(view answer, std::string_view command);

}  // namespace belfry::app
