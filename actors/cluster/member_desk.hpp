// MEMBER DESK: the one actor of a member that knows of the coordinator. Below it runs what runs on a single
// node, unchanged: the executors claim here, register here, write here, and are answered from afar.
//
// It keeps the leases: it renews all of them with one question, counts them on its own clock, and has a
// process stopped in time when it cannot. An executor's own heartbeats are answered from what is known, so
// that neither a lost link nor a wall clock that was set is of any interest below.
//
// Order matters where it can be seen: the output of an attempt is told before its end. Nothing else waits for
// anything: a claim that is open, or a settle that is refused for an hour, holds up no renewal.
//
// Rejected: safe_until in the process executor, which would need the instants of questions that it did not
// send, a timer per attempt, and a second path for the executors of a node that has its store.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/cluster/member.hpp"
#include "actors/cluster/member_attempt.hpp"
#include "actors/cluster/member_questions.hpp"
#include "actors/cluster/member_role.hpp"
#include "actors/executor_supervisor/role.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/note.hpp"
#include "actors/support/promise_guard.hpp"

namespace belfry::actors {

// What any thread may read of it: never changed, only replaced.
class member_board {
 public:
  member_status read() const { return *std::atomic_load(&status_); }
  void show(member_status s) {
    std::atomic_store(&status_, std::make_shared<const member_status>(std::move(s)));
  }

 private:
  std::shared_ptr<const member_status> status_ = std::make_shared<const member_status>();
};

struct member_desk_deps {
  member_options options;  // with the number of processes settled
  links* wire = nullptr;
  const platform::clock* clock = nullptr;
  platform::randomness* randomness = nullptr;
  platform::processes* processes = nullptr;
  voice says;
  std::string boot;
  std::shared_ptr<member_board> board;
  std::function<void(const core::failure&)> fatal;
  std::function<void(core::instant)> doomed_at;
  std::function<void()> left;  // once: everything below has ended
};

class member_desk : public member_desk_actor::base {
 public:
  member_desk(caf::actor_config& cfg, member_desk_deps deps);
  const char* name() const override { return "member-desk"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  // dialling: no link; greeting: hello is on its way; out: never again.
  enum class stage : std::uint8_t { dialling, greeting, joined, out };
  using claims_answer = core::result<messages::claimed_runs>;
  using session_said = core::result<messages::session_answer>;
  template <class T>
  using asker = std::shared_ptr<promise_guard<T>>;
  using tell_result = std::function<void(core::result<storage::receipt>)>;
  struct leaving_session {
    messages::end_session what;
    asker<session_said> answer;
  };
  struct gathering;  // the answers of one commit_changes

  // ---- the link (member_link.cpp)
  void heard(member_link_news& news);
  void rose(const member_link_up& news);
  void said(member_link_said& news);
  void dial(core::instant now);
  void dial_later(core::instant now, const std::string& why);
  void cut(const std::string& why);
  void lose_link(const std::string& why);
  void welcomed(const std::string& body);
  void turned_away(const std::string& body);
  void give_up(core::failure why);
  void steer(bool draining, const std::string& reason);
  bool send(messages::wire::kind what, std::uint64_t number, std::string body, bool soon = false);
  messages::wire::hello hello() const;
  void look_at_link(core::instant now);
  core::instant link_due(core::instant now) const;

  // ---- questions and sessions (member_desk.cpp)
  caf::result<claims_answer> claim(const messages::claim_runs& wish);
  void claimed(const messages::claim_runs& wish, const asker<claims_answer>& answer,
               core::result<messages::wire::reply>& reply, asked_when when);
  void close_claims();
  caf::result<session_said> enter(const messages::register_session& asked);
  caf::result<session_said> leave(const messages::end_session& asked);
  void sessions_may_leave();
  void ask(messages::wire::question what, question_kind kind, core::span patience,
           asked_question::answered then);
  void send_question(std::uint64_t number, core::instant now);
  void send_due(core::instant now);
  void answered(std::uint64_t number, const std::string& body);
  bool may_claim(core::session_id who) const;
  asked_questions::claim_rule claim_rule() const {
    return [this](core::session_id who) { return may_claim(who); };
  }

  // ---- what is held (member_leases.cpp)
  caf::result<commit_results> commit(commit_changes& asked);
  void change(const storage::change& what, const tell_result& tell);
  void next_step(member_attempt& a);
  void told(core::run_id run, std::uint64_t fencing, core::result<storage::receipt> answer);
  void renew(core::instant now);
  void renewed(const std::vector<std::pair<core::run_id, std::uint64_t>>& which,
               core::result<messages::wire::reply>& reply, asked_when when);
  void stop_now(member_attempt& a, messages::stop_why why);
  void taken_away(const messages::wire::held_run& which);
  void hand_back(member_attempt& a, const std::string& why, std::optional<core::span> delay = {});
  void look_at_attempts(core::instant now);
  void forget(member_attempt& a);
  member_attempt* find(core::run_id run, std::uint64_t fencing);
  void tell_doom();
  std::uint32_t running() const;

  // ---- its life (member_desk.cpp)
  void look();
  void arm();
  void stop(core::span deadline);
  void leave_if_told(core::instant now);
  void end_executors();
  void show();
  core::instant now() const { return deps_.clock->through_sleep(); }

  member_desk_deps deps_;
  executor_supervisor_actor head_;
  core::membership_options membership_;
  stage stage_ = stage::dialling;
  link_id link_ = 0;
  std::string coordinator_, cluster_, address_, trouble_;
  core::instant heard_at_ = core::never;  // anything on this link
  core::instant beat_at_ = core::never;
  core::instant stage_until_ = core::end_of_time;  // of a dial, of a hello
  core::instant dial_at_ = core::never;
  std::optional<core::instant> duplicate_since_;
  std::uint32_t failures_ = 0;
  std::size_t turn_ = 0;
  std::uint64_t dial_ = 0, beat_ = 0, registration_ = 0;
  bool draining_ = false;

  asked_questions open_;
  std::list<member_attempt> attempts_;
  std::set<core::session_id> sessions_;
  std::list<leaving_session> leaving_;
  core::instant doom_ = core::never;

  bool stopping_ = false, drained_ = false, good_bye_said_ = false, ending_ = false;
  core::instant leave_by_ = core::end_of_time;
  alarm alarm_;
};

}  // namespace belfry::actors
