// RUN MESSAGES: what doors, executors and actors say about runs. Commands are imperative, answers are nouns.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/errors/result.hpp"
#include "core/pause/pause.hpp"
#include "core/pressure/backpressure.hpp"
#include "core/pressure/learned_delay.hpp"
#include "core/queue/board.hpp"
#include "core/queue/pace.hpp"
#include "core/run/machine.hpp"
#include "core/run/run.hpp"
#include "core/session/session.hpp"
#include "messages/hooks.hpp"

namespace belfry::messages {

// Idempotency-Key of a request, with what it is bound to.
struct once_key {
  std::string key;
  std::array<std::uint8_t, 32> fingerprint{};
};

struct submit_runs {  // all or nothing; at most 1,000
  std::vector<core::submission> runs;
  bool as_batch = false;
  std::optional<once_key> once;
  std::string actor;
  // What the checks at the door found; an earlier request with the same key or id is answered all the same.
  std::optional<core::failure> refusal = {};
};
struct submitted {
  std::vector<core::run> runs;
  core::batch_id batch;
  bool replayed = false;  // an earlier request with the same key or id made them
};

struct claim_runs {
  core::session_id who;
  std::uint32_t max = 1;  // 1..1000
  core::span wait{0};     // how long to wait when there is nothing; at most 60 s
  core::priority at_least = core::priority::low;
  core::span lease{std::chrono::minutes{5}};
  bool start = false;                          // begin at once: claimed and running in one commit
  std::optional<core::token_hash> shown = {};  // SHA-256 of the session token that came with it
  // Of a member's executor: runs that it still has in its hands, or whose end it has told and nobody has
  // confirmed. Whatever else it was given was lost on its way.
  std::vector<core::run_id> holds = {};
};
struct claimed_run {
  core::run run;      // with spec
  std::string token;  // shown to nobody else, ever
};
struct claimed_runs {
  std::vector<claimed_run> runs;  // empty: nothing came in time, or the session takes nothing
  core::session_state state = core::session_state::active;
  std::vector<core::ineligible> reasons = {};  // why it takes nothing, when that is so
  core::span delay{0};                         // learned: calls to the provider had better be so far apart
};

// To the lease desk: a session that has come back without its tokens gets new ones for runs that it holds.
// Whoever still has the old ones is fenced off. Those that it does not hold any more are left out.
struct reissue_leases {
  core::session_id who;
  std::vector<core::run_id> runs;  // at most 1,000
  core::span lease{std::chrono::minutes{5}};
  std::string actor;
  std::optional<core::token_hash> shown = {};  // of the session, where it has one
};

// To the dispatcher: for which of these a session is here that could take such a run, busy or not.
struct wanted {
  core::requirement needs;
  core::handler_kind handler = core::handler_kind::none;
};
struct ask_capable {
  std::vector<wanted> runs;  // at most 20
};
struct capable {
  std::vector<bool> somebody;  // in the same order
};

// To the dispatcher: nobody may be left who hears of what these sessions would be given. Their claims that
// wait are answered with nothing; the sessions stay, and may claim again.
struct end_claims {
  std::vector<core::session_id> sessions;
};

struct lease_call {
  core::run_id run;
  std::variant<core::cmd_start, core::cmd_renew, core::cmd_progress, core::cmd_checkpoint, core::cmd_log>
      what;
};
struct touch_leases {
  std::vector<lease_call> calls;
};
struct lease_status {
  core::instant expires_at;
  core::instant deadline_at;
  bool cancel_requested = false;
  bool drain = false;           // its session is to take nothing more
  bool report = false;          // no progress for long: it is asked for a word
  std::uint64_t next_line = 0;  // after log lines: the number of the next one
};
struct touched {
  std::vector<core::result<lease_status>> answers;
};

struct settle_item {
  core::run_id run;
  core::cmd_settle how;
};
struct settle_runs {
  std::vector<settle_item> items;
  std::string actor;
};  // each in its own right; at most 1,000
struct settled_item {
  core::run_head head;
  bool replayed = false;
};
struct settled {
  std::vector<core::result<settled_item>> answers;
};

struct control_runs {  // an operator's word on runs; each in its own right; at most 1,000
  std::vector<core::run_id> ids;
  std::variant<core::cmd_cancel, core::cmd_run_now, core::cmd_reprioritise, core::cmd_discard,
               core::cmd_force_release, core::cmd_force_fail>
      what;
  std::string actor;
  core::expectation expected = {};  // of each of them
  bool dry_run = false;             // answers what would be, and changes nothing
};
// Closes runs that need attention and makes their linked successors; each in its own right. Answer: the
// successors; of a dry run the runs themselves, as they would be closed.
struct recover_runs {
  std::vector<core::run_id> ids;
  std::string reason;
  std::string actor;
  core::expectation expected = {};
  bool dry_run = false;
  std::optional<once_key> once = {};
};
// An operator accepts a success that came too late. Answer: the run that has succeeded by it, which is the
// successor of a dead letter.
struct adopt_result {
  core::run_id run;
  std::uint64_t fencing = 0;  // of the attempt; 0: the newest late result
  std::string reason;
  std::string actor;
};
struct adopted {
  core::run_head head;
};
struct controlled {
  std::vector<core::result<core::run_head>> answers;
};

struct redrive_runs {
  std::vector<core::run_id> ids;
  std::optional<std::string> payload;
  std::string actor;
  std::optional<once_key> once;  // among several runs each has a key of its own made of it
  core::expectation expected = {};
  bool dry_run = false;  // answers the runs that would be redriven
};
struct redriven {
  std::vector<core::result<core::run>> answers;  // the successors
  bool replayed = false;                         // all of them had been made by an earlier request
};

// Removes up to 1,000 finished runs by the policy of the node, but for what is given here.
struct prune_runs {
  std::optional<core::span> keep;       // 0: for ever
  std::optional<core::span> keep_dead;  // dead letters
  std::optional<std::uint32_t> keep_per_job;
  bool dry_run = false;
  std::string actor;
};
struct runs_pruned {
  std::uint64_t runs = 0;
  std::vector<core::run_id> ids;  // of a dry run
  bool more = false;              // there may be more than that
};

struct explain_run {
  core::run_head head;
  core::handler_kind handler = core::handler_kind::process;
};
struct session_verdict {
  core::session_id id;
  std::string name;
  std::vector<core::ineligible> reasons;  // empty: it may take the run
};
struct explanation {
  std::vector<core::wait_reason> reasons;
  std::optional<std::size_t> position;
  core::estimate start = {};  // of a queued run
  // Of a queued run: what each session here has against it, those with the least first; at most 50.
  std::vector<session_verdict> sessions = {};
};

struct ask_queue {};
struct queue_state {
  core::board_counts counts;
  core::limit_options limits;
  std::map<std::string, std::size_t> live_by_lane, live_by_agent_type;
  std::size_t waiting_claims = 0;
  std::size_t timers = 0;
  bool ready = false;                     // rebuilt from the store and serving
  bool paused = false;                    // the scheduler as a whole; also when the state could not be read
  std::vector<core::pause> pauses = {};   // that stand, the first hundred
  std::vector<core::pause> planned = {};  // that have not begun, such as windows; at most 20
  std::array<std::size_t, 4> paused_of_scope{};  // things that are paused, by scope
  std::uint64_t max_queued = 0;                  // 0: no limit
  core::pressure pressure = {};
  std::vector<core::learned_delay> delays = {};
  std::optional<hook_state> hook = {};  // where a claim hook is configured
};
// Compare what the dispatcher has in memory with the open runs of the store, and put right what differs.
struct rebuild_index {
  std::string actor;
};
enum class index_fault : std::uint8_t {
  missing,    // open in the store, unknown in memory
  stale,      // in memory, not open in the store
  misplaced,  // known, but in another place: delayed instead of queued, another lease, another turn
};
struct index_difference {
  core::run_id run;
  index_fault what = index_fault::missing;
};
struct index_rebuilt {
  std::uint64_t open = 0, queued = 0, delayed = 0, leased = 0;  // as the store has them
  std::uint64_t missing = 0, stale = 0, misplaced = 0;          // as memory had them; all of it is right now
  std::vector<index_difference> differences;                    // the first hundred
  std::int64_t event = 0;                                       // what the journal says of it
};

struct change_limits {
  core::limit_options limits;
  std::string actor;
};

// To the holder of an attempt that lives in this process: end it.
enum class stop_why : std::uint8_t { cancel = 0, timeout = 1, lease_lost = 2 };
struct stop_attempt {
  core::run_id run;
  std::uint64_t fencing = 0;
  stop_why why = stop_why::cancel;
  core::session_id holder;
};

}  // namespace belfry::messages
