// LEASES in JSON: claims, and what the holder of a lease says. Tokens come in and become hashes at
// once; they leave in the answer to a claim and nowhere else, and no message about a mistake shows one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json/reader.hpp"
#include "api/json/writer.hpp"
#include "core/errors/result.hpp"
#include "core/run/machine.hpp"
#include "messages/runs.hpp"

namespace belfry::api::json {

core::result<messages::claim_runs> read_claim(std::string_view body);
struct reissue_wish {
  std::vector<core::run_id> runs;  // empty: all that the session holds
  core::span lease{std::chrono::minutes{5}};
};
core::result<reissue_wish> read_reissue(std::string_view body);
void write_claims(writer& w, const messages::claimed_runs& c);

core::result<core::cmd_start> read_start(std::string_view body);
core::result<core::cmd_renew> read_heartbeat(std::string_view body);
core::result<core::cmd_progress> read_progress(std::string_view body);
core::result<core::cmd_checkpoint> read_checkpoint(std::string_view body);
core::result<core::cmd_log> read_log(std::string_view body);
// complete, fail, release and park: the kind is given by the route.
core::result<core::cmd_settle> read_settle(std::string_view body, core::settle_kind kind);
void write_lease_status(writer& w, core::run_id run, const messages::lease_status& s);

void write_lease_status_members(writer& w, core::run_id run, const messages::lease_status& s);

struct heartbeat {
  core::run_id run;
  core::cmd_renew how;
};
using heartbeats = std::vector<core::result<heartbeat>>;
// Like completions: each item in its own right.
core::result<heartbeats> read_heartbeats(std::string_view body);

struct completion {
  core::run_id run;
  core::cmd_settle how;
};
// Each item is read in its own right; a list that is none, or too long, is refused as a whole.
core::result<std::vector<core::result<completion>>> read_completions(std::string_view body);

}  // namespace belfry::api::json
