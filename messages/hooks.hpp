// HOOK MESSAGES: the dispatcher asks the claim hook's actor before it hands runs to a session.
//
// dispatcher → claim_hook: ask_claim_hook, answered within the time of the hook, whatever the hook does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/errors/result.hpp"
#include "core/hook/claim_hook.hpp"
#include "core/ids/id.hpp"
#include "core/session/session.hpp"

namespace belfry::messages {

struct ask_claim_hook {
  core::session who;
  std::vector<core::run_id> runs;  // in the order in which it would get them; at most 100
  std::uint32_t max = 1;
};
// Or a failure: timed_out, or what the hook did instead of an answer.
struct claim_hook_said {
  core::hook_verdict verdict;
  std::vector<core::run_id> asked;    // what the verdict is about; a run that had gone is not among them
  std::vector<core::run_id> exempt;   // it is not asked about their jobs: they are allowed
  std::vector<core::job_id> strange;  // ... and these are the jobs
};

// To the claim hook's actor, from the threads of processes and connections.
struct hook_spoke {
  std::uint64_t question = 0;
  bool heard = false;    // it said `body`; else `body` is why not
  bool process = false;  // a process has ended
  std::string body;
};

// How it goes, for status and doctor. Since the start of the node.
struct hook_state {
  bool open = false;  // what its failures mean for claims
  std::size_t under_way = 0;
  std::uint64_t asked = 0, allowed = 0, narrowed = 0, refused = 0, failed = 0;
  core::instant failing_since = core::never;
  std::string last_failure = {};
  core::instant last_failure_at = core::never;
};
struct hook_refusal {  // of the last minute
  core::run_id run;
  std::string reason;
  core::instant at = core::never;
};

}  // namespace belfry::messages
