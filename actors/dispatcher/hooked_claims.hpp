// HOOKED CLAIMS: what the dispatcher keeps where a claim hook is configured. A plain value.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_set>
#include <vector>

#include "core/hook/claim_hook.hpp"
#include "core/hook/hook_memory.hpp"
#include "core/queue/board.hpp"
#include "messages/interfaces.hpp"

namespace belfry::actors {

// One question about one session. A session has one at a time.
struct claim_question {
  std::uint64_t number = 0;
  std::vector<core::run_id> runs;    // in the order in which it would get them
  std::vector<core::run_id> exempt;  // of these, those that nobody is asked about
  std::uint32_t want = 1;
  core::instant since = core::never;
};

struct hooked_claims {
  core::claim_hook_options options;
  messages::claim_judge judge;
  core::hook_memory memory;
  core::hook_watch watch;
  messages::hook_state counts;  // the sums of it
  std::map<core::session_id, claim_question> asking;
  std::unordered_set<core::job_id> strange;  // jobs that the hook is not asked about
  std::uint64_t last = 0;

  bool asks_about(core::handler_kind handler, core::job_id job) const {
    return core::concerns(options, handler, job) && !strange.contains(job);
  }
};

}  // namespace belfry::actors
