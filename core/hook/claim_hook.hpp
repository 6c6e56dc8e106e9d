// CLAIM HOOK: somebody outside is asked before runs are handed to a session, and may refuse or narrow.
//
// The hook sees the session and the runs that are next for it. It never gives anything: what it leaves is
// claimed by the same rules as ever, after its answer, so a run that has gone meanwhile is simply not there
// any more. Values only; who asks, and how, is the business of the actors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/run/spec.hpp"
#include "core/session/session.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

// What happens to a claim when the hook does not answer as it should.
enum class hook_error : std::uint8_t {
  closed,  // nothing is handed over; it is asked again later
  open,    // as if it had allowed everything
};
// Whose claims it is asked about.
enum class hook_scope : std::uint8_t { workers, all };  // workers: not the executors of the node itself

struct claim_hook_options {
  /// The program and its arguments: reads the question from stdin, writes the answer to stdout. Default:
  /// none.
  std::vector<std::string> command;
  /// Or an address that the question is posted to. Default: none.
  std::string url;
  /// With an address: "whsec_" and the key in base64; it signs the question (Standard Webhooks).
  std::string secret;
  /// Of one question. Default 2 s; 10 ms to 30 s.
  span timeout = std::chrono::seconds{2};
  /// Default closed.
  hook_error on_error = hook_error::closed;
  /// Default workers.
  hook_scope applies_to = hook_scope::workers;
  /// Only claims by sessions of these agent types. Default: of all.
  std::vector<std::string> agent_types;
  /// Only runs of these jobs, by id or name. Default: all runs.
  std::vector<std::string> jobs;
  /// Only runs of these handlers: "process" or "none". Default: all.
  std::vector<std::string> handlers;
  /// Questions under way at a time; further claims wait. Default 16; 1 to 256.
  std::uint32_t concurrency = 16;
  /// Runs that one question is about; more when the claim asks for more, at most 100. Default 10; 1 to 100.
  std::uint32_t candidates = 10;
  /// How long a refusal holds for this session and this run. Default 5 s; 100 ms to 10 min.
  span retry_after = std::chrono::seconds{5};

  bool on() const { return !command.empty() || !url.empty(); }
  friend bool operator==(const claim_hook_options&, const claim_hook_options&) = default;
};

inline constexpr std::size_t most_hook_candidates = 100;
inline constexpr std::size_t longest_hook_answer = 64U << 10U;

// What does not fit together; the ranges of single values are the business of whoever reads them. Pointers
// are the names above, and secret_variable for the secret, which is never shown.
std::vector<field_problem> check(const claim_hook_options& o);

// Whether claims of this session pass the hook at all.
bool concerns(const claim_hook_options& o, const session& who);
// Whether this run may have to: by its handler, and by whether it has a job. Of which job, only whoever knows
// names can say.
bool concerns(const claim_hook_options& o, handler_kind handler, job_id job);
// Whether this job is among those named; true when none are.
bool concerns_job(const claim_hook_options& o, job_id job, std::string_view name);

struct hook_run {  // what the hook is told of a run
  run_id id;
  std::string name;
  job_id job;            // 0: none
  std::string job_name;  // empty: none
  priority prio = priority::normal;
  std::uint32_t attempt = 1;  // that this claim would begin
  std::string workspace, lane;
  handler_kind handler = handler_kind::none;
  instant eligible_since = never;
};
struct hook_question {
  std::string id;  // of the question
  instant at = never;
  session who;
  std::vector<hook_run> runs;  // in the order in which the session would get them
  std::uint32_t max = 1;       // so many of them at most
};

enum class hook_decision : std::uint8_t { allow, refuse, narrow };
struct hook_verdict {
  hook_decision decision = hook_decision::allow;
  std::string reason;  // in plain words; at most 200 characters are kept
  bool some = false;   // narrow: only these runs
  std::vector<run_id> runs;
  std::uint32_t max = 0;  // narrow: so many at most; 0: as many as were asked for
};

struct hook_ruling {
  std::vector<run_id> allowed, refused;  // of those asked about, in their order
  std::uint32_t max = 0;                 // so many of the allowed ones at most
};
// What the verdict means for the runs asked about, of which the claim wants `wanted`. A run that nobody asked
// about is a mistake of the hook, and so is a narrowing that names neither runs nor a number.
result<hook_ruling> ruling_of(const std::vector<run_id>& asked, std::uint32_t wanted, const hook_verdict& v);

// A reason fit to be shown: one line of at most 200 bytes.
std::string hook_reason(std::string_view given);

}  // namespace belfry::core
