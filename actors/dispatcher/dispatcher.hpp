// DISPATCHER: who gets which run next. It owns the board; it decides every claim and the store confirms it.
//
// All it holds is derived: rebuilt at boot from the open runs, kept right by the one stream of committed
// heads (follow), and compared with the store whenever somebody asks for that (compare). A claim picks from
// the board, reserves, and sends one change set per run, so that one bad row fails alone; many claims are on
// their way at once and share a commit. When there is nothing, a claim that may wait stands in a line, first
// come first served, and is tried again whenever a run became ready, a lease ended, a session or a limit
// changed. While some wait, the store offers new runs before their commit, so that one commit takes a run in
// and gives it out. Rejected: polling the store for work; deciding on a copy of the row (the store decides,
// in its transaction).
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/dispatcher/claim_reply.hpp"
#include "actors/dispatcher/hooked_claims.hpp"
#include "actors/dispatcher/roster.hpp"
#include "actors/gateway/intake.hpp"
#include "actors/gateway/role.hpp"
#include "actors/node/node.hpp"
#include "actors/storage/role.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/life.hpp"
#include "actors/support/note.hpp"
#include "actors/support/promise_guard.hpp"
#include "core/events/event.hpp"
#include "core/pause/pauses.hpp"
#include "core/queue/board.hpp"
#include "core/spawn/agent_type.hpp"

namespace belfry::actors {

struct dispatcher_deps {
  storage_client store;
  storage_actor reads;  // the same actor: scan and limits
  messages::time_listener timekeeper;
  messages::lease_listener sweeper;
  messages::due_listener planner;
  std::shared_ptr<actors::intake> intake;
  messages::attempt_stopper executors;  // may be nobody
  const platform::clock* clock = nullptr;
  platform::randomness* randomness = nullptr;
  voice says;
  core::board_options board;
  std::vector<core::agent_type> agent_types = {};  // whom the node can start
  std::size_t max_waiting_claims = 10'000;
  std::uint64_t max_queued = 0;        // 0: no limit
  core::claim_hook_options hook = {};  // asked through whoever `judge_with` names
};

// A rebuild while claims are served.
struct comparing {
  std::vector<core::run_id> known;  // what memory had when it began and no page has passed yet, by id
  std::size_t passed = 0;
  messages::index_rebuilt found;
  std::string actor;
  std::shared_ptr<promise_guard<core::result<messages::index_rebuilt>>> answer;
};

using dispatcher_at_door = messages::dispatcher_actor::extend_with<claim_desk>;

class dispatcher : public dispatcher_at_door::base {
 public:
  dispatcher(caf::actor_config& cfg, dispatcher_deps deps);
  const char* name() const override { return "dispatcher"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using claim_answer = claim_reply::answer;
  using claim_promise = std::shared_ptr<claim_reply>;
  struct waiting_claim {
    messages::claim_runs wish;
    core::instant until = core::never;
    claim_promise answer;
    std::uint64_t question = 0;  // to the claim hook; 0: none is under way
  };
  // An open run that is not in the line: delayed, or held by somebody.
  struct elsewhere {
    core::handler_kind handler = core::handler_kind::process;
    core::session_id holder;  // 0: delayed
    std::uint64_t fencing = 0;
    bool started = false;
    bool cancel_asked = false;
  };
  // Of a live lease: what a drain wants to know. As many as there are slots.
  struct held_run {
    core::job_id job;
    core::session_id holder;
    std::string name, workspace;
    core::instant claimed_at = core::never, deadline_at = core::never, expires_at = core::never;
  };
  struct rebuilding {
    std::vector<core::session_id> dead;
    messages::queue_rebuilt counts;
    std::shared_ptr<promise_guard<core::result<messages::queue_rebuilt>>> answer;
  };

  // claims.cpp
  caf::result<claim_answer> claim(const messages::claim_runs& wish);
  void claim(const messages::claim_runs& wish, const claim_promise& answer);
  bool try_claim(const messages::claim_runs& wish, const claim_promise& answer);
  void commit_claim(const messages::claim_runs& wish, const std::vector<core::run_id>& ids,
                    const claim_promise& answer);
  void confirm(const messages::claim_runs& wish, std::vector<messages::claimed_run> picked,
               commit_results& results, const claim_promise& answer);
  void hand_back(std::vector<messages::claimed_run> won, const claim_promise& answer);
  void unpick(const messages::claim_runs& wish, core::run_id run, bool again);
  enum class asking : std::uint8_t { hook, nobody };
  void serve_waiting(asking whom = asking::hook);
  void note_waits();
  void end_waits(core::instant now);
  void end_wait(std::list<waiting_claim>::iterator w);
  void drop_waits_of(core::session_id who);
  void end_waits_of(core::session_id who);
  messages::claimed_runs nothing_for(core::session_id who);
  core::span delay_of(core::session_id who);
  void arrive(const core::session& who);
  void watch(const messages::watch_claims& asked);

  // offers.cpp
  void take_offer(const messages::offer_runs& offer);

  // hooks.cpp
  enum class hook_step : std::uint8_t {
    claimed,  // the answer is on its way
    waits,    // for the hook, or for its turn to ask it
    nothing,  // to ask about or to take, now
  };
  bool passes_hook(const core::session& who) const;
  core::claim_wish wish_of(const seat& at, std::uint32_t max, core::priority at_least) const;
  void claim_through_hook(const messages::claim_runs& wish, const claim_promise& answer, core::instant until);
  hook_step try_through_hook(waiting_claim& w);
  void go_on_through_hook(std::list<waiting_claim>::iterator w);
  bool claim_these(const messages::claim_runs& wish, const std::vector<core::run_id>& runs,
                   std::uint32_t want, const claim_promise& answer);
  void hook_answered(std::uint64_t number, core::session_id who,
                     core::result<messages::claim_hook_said>& said);
  void hook_ruled(core::session_id who, const messages::claim_hook_said& said,
                  const core::hook_ruling& ruling, std::vector<core::run_id>& allowed, std::uint32_t& most,
                  core::instant now);
  void hook_failed(core::session_id who, const std::string& why, core::instant now);
  void note_hook(core::event_kind kind, const std::string& text);
  std::vector<core::ineligible> hook_on_session(const core::session& who, core::instant now) const;
  std::vector<core::ineligible> hook_on(const core::session& who, core::run_id run, core::job_id job,
                                        core::handler_kind handler, core::instant now) const;
  void explain_hook(const seat& at, core::instant now, messages::session_explanation& told);
  messages::hook_state hook_seen() const;

  // follow.cpp
  void follow(const messages::runs_committed& heads);
  void outlive(core::job_id archived);
  void follow(const core::run_head& head, const core::run_spec* spec,
              std::optional<core::handler_kind> handler);
  void take_from_holder(core::run_id run);
  void enter_line(const core::run_head& head, core::handler_kind handler);
  void enter_delay(const core::run_head& head, core::handler_kind handler);
  void enter_lease(const core::run_head& head, core::handler_kind handler, core::span grace);
  void leave(const core::run_head& head);
  void tell_what_changed();
  void measure(const core::run_head& head);

  // rebuild.cpp
  caf::result<core::result<messages::queue_rebuilt>> rebuild(const messages::rebuild_queue& asked);
  void scan_from(core::run_id after);
  commit_changes strangers_in(const storage::open_page& page) const;
  void go_on_scanning(core::run_id next);
  void lose_dead();
  void lose_held_by(core::session_id who, const std::string& reason);

  // compare.cpp
  caf::result<core::result<messages::index_rebuilt>> rebuild(const messages::rebuild_index& asked);
  void compare_from(core::run_id after);
  void compare(const storage::open_page& page);
  void compare(const storage::open_page::item& item);
  bool agrees(const storage::open_page::item& item);
  bool has(core::run_id run) const;
  void found(core::run_id run, messages::index_fault what);
  void forget(core::run_id run);
  void end_comparing(core::result<messages::index_rebuilt> answer);
  void note_rebuilt();

  // pauses.cpp
  using pauses_answer = core::result<messages::pauses_seen>;
  caf::result<pauses_answer> pause(const messages::set_pause& asked);
  caf::result<pauses_answer> limit(const messages::set_pause& asked, core::pause_entry entry);
  caf::result<pauses_answer> lift(const messages::lift_pause& asked);
  caf::result<pauses_answer> write_pauses(storage::change_set set, std::optional<core::pause_target> of);
  caf::result<pauses_answer> change_pauses(storage::change what, const core::pause_target& on,
                                           const std::string& actor);
  messages::pauses_seen look(const std::optional<core::pause_target>& on) const;
  std::size_t running_under(const core::pause_target& on) const;
  void read_pauses();
  void read_pauses_again();
  void take_pauses(const core::result<core::pause_book>& book);
  void follow(const std::vector<core::learned_delay>& delays);
  void pauses_changed(core::instant now);
  void pauses_over(core::instant now);
  void end_drains();
  void write_of_pause(storage::change what);

  // waiting.cpp
  messages::waiting_seen look(const messages::look_at_waiting& asked);
  core::result<messages::backlog_seen> look(const messages::look_at_backlog& asked) const;
  void note_change();
  core::instant patience_now() const;

  // explain.cpp
  messages::explanation where(const core::run_head& head, core::instant now) const;
  core::wait_reason nobody_has(const core::requirement& needs, core::handler_kind handler) const;
  core::result<messages::explanation> explain(const messages::explain_run& asked);
  core::result<messages::session_explanation> explain(const messages::explain_session& asked);
  core::result<messages::capable> who_could(const messages::ask_capable& asked) const;
  std::vector<core::ineligible> held_for(const core::run_head& head, core::handler_kind handler,
                                         const seat& at);
  messages::queue_state state() const;
  caf::result<core::result<messages::queue_state>> change(const messages::change_limits& asked);

  dispatcher_deps deps_;
  core::pauses pauses_;                       // what is not known yet counts as paused
  std::map<std::string, core::span> delays_;  // learned, by agent type
  core::board board_;
  core::paces paces_;
  roster roster_;
  std::unordered_map<core::run_id, elsewhere> elsewhere_;
  std::unordered_map<core::run_id, held_run> held_;  // live leases
  std::unordered_map<core::job_id, std::uint32_t> job_limits_;
  std::deque<core::job_id> archived_;  // oldest first; their limits are in job_limits_
  std::list<waiting_claim> waiting_;
  std::unordered_set<core::run_id> tentative_;  // claimed out of an offer, and not committed yet
  std::unique_ptr<hooked_claims> hook_;  // null: there is no claim hook, and a claim pays nothing for it
  alarm alarm_;
  life_signs life_;
  messages::claim_listener taken_to_;
  std::unordered_set<core::session_id> woken_;  // their claims are told
  messages::watch_times times_;                 // gathered during one message
  messages::watch_leases leases_;
  std::optional<rebuilding> rebuilding_;
  std::optional<comparing> comparing_;
  core::instant pauses_end_ = core::never;  // the next one to begin or to lift itself
  bool leases_ended_ = false;               // since drains were looked at
  bool all_paused_ = false;                 // when pauses were looked at last
  messages::waiting_listener listener_;
  core::instant patience_zero_;  // what the wall clock said when the steady one was at zero, at the start
  bool change_told_ = false;     // and not looked at since
  bool ready_ = false;
  bool closed_ = false;
  bool intake_open_ = true;
};

}  // namespace belfry::actors
