// WAKE DESK: gives wakes to the sinks of sessions, and says once what became of each.
//
// A wake waits in the box until its session acknowledges it, claims its run, or its time is over. Sessions
// that poll are answered from the box; webhooks and commands go out through the ports and come back as a
// word. The dispatcher tells of claims, of sessions with a wake out only. The journal is written behind the
// wakes, many facts in a commit: a wake is advice, and the quicker it is the better.
//
// All of it is memory. After a restart no wake is out, and whoever wakes does so again.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/node/node.hpp"
#include "actors/storage/role.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/life.hpp"
#include "actors/support/note.hpp"
#include "actors/support/promise_guard.hpp"
#include "core/events/event.hpp"
#include "core/session/wake_box.hpp"
#include "core/session/wake_log.hpp"

namespace belfry::actors {

struct wake_desk_deps {
  storage_client store;
  messages::claim_watcher claims;
  platform::webhooks* webhooks = nullptr;    // may be null
  platform::processes* processes = nullptr;  // may be null
  const platform::clock* clock = nullptr;
  voice says;
  wake_delivery_options options;
  std::string mark;
  std::function<std::string(const messages::wake_view&, core::wake_via)> text_of;  // may be empty
};

class wake_desk : public messages::wake_desk_actor::base {
 public:
  wake_desk(caf::actor_config& cfg, wake_desk_deps deps);
  const char* name() const override { return "wake-desk"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using poll_answer = core::result<messages::waiting_wakes>;
  struct poll {
    std::int64_t number = 0;
    core::wake_id after;
    std::uint32_t max = 0;
    std::shared_ptr<promise_guard<poll_answer>> answer;
  };
  using outcome = core::wake_outcome;

  // wake_desk.cpp
  core::result<messages::wake_sent> wake_one(const messages::wake_target& target, bool by_hand,
                                             core::instant now);
  void finish(const core::open_wake& what, outcome how, const std::string& text, const std::string& actor);
  void taken(const messages::runs_taken& news);
  core::result<messages::wakes_heard> acknowledge(const messages::acknowledge_wakes& asked);
  void arrive(const core::session& who);
  void leave(const messages::session_gone& news);
  void look();
  void done_for_now();
  void note(core::event_kind kind, const core::open_wake& what, std::string text, std::string actor);
  void write();

  // polls.cpp
  caf::result<poll_answer> await(const messages::await_wakes& asked);
  messages::waiting_wakes waiting_for(core::session_id who, core::wake_id after, std::size_t most) const;
  void serve_polls_of(core::session_id who);
  void end_poll(std::int64_t number);
  void close();

  // sinks.cpp
  core::result<void> may_send(const core::wake_sink& sink) const;
  void hand_out(const core::open_wake& what, const core::wake_sink& sink);
  void call_webhook(const core::open_wake& what, const core::wake_sink& sink);
  void run_command(const core::open_wake& what, const core::wake_sink& sink);
  void answered(const messages::sink_spoke& news);
  void stop_late_commands(core::instant now);
  static std::string key_of(core::wake_id id);
  static messages::wake_view view_of(const core::open_wake& w);

  wake_desk_deps deps_;
  core::wake_box box_;
  core::wake_log log_;  // what became of them, for people
  core::instant since_ = core::never;
  std::unordered_map<core::session_id, core::wake_sink> sinks_;
  messages::wake_listener listener_;
  messages::watch_claims claims_;               // gathered during one message
  std::unordered_set<core::session_id> fresh_;  // were sent something during this message

  std::unordered_map<core::session_id, std::vector<poll>> polls_;  // oldest first
  std::unordered_map<std::int64_t, core::session_id> pollers_;     // by number
  core::deadlines patience_;                                       // of polls
  std::int64_t last_poll_ = 0;
  bool closed_ = false;

  std::size_t webhooks_out_ = 0;
  std::unordered_map<core::wake_id, core::session_id> commands_;  // that run
  core::deadlines command_ends_;

  std::vector<core::event> facts_;  // for the journal
  bool writing_ = false;
  std::uint64_t facts_lost_ = 0;
  life_signs life_;
  alarm alarm_;
};

}  // namespace belfry::actors
