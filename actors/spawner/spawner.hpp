// SPAWNER: starts a worker for a run that nobody takes, and sees to it that nothing of it is left in the end.
//
// The intent is a row, in the commit that registers the worker's session: the id exists before the process,
// and a run's episode that has been answered is answered the same for ever. The worker gets its session, the
// node's address and a token in its environment and claims for itself; it is never given a run. It lives
// within its node: a node that died takes its workers along (they carry its mark), and the next one settles
// their rows before it starts anybody.
//
// Whoever is ended by the node gives back what it holds first. Each end is one path, walked again from its
// start when the store has trouble: release → end the session → the row.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/gateway/role.hpp"
#include "actors/node/node.hpp"
#include "actors/spawner/role.hpp"
#include "actors/storage/role.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/note.hpp"
#include "actors/support/promise_guard.hpp"
#include "core/spawn/choice.hpp"
#include "core/spawn/worker.hpp"

namespace belfry::actors {

struct spawner_deps {
  storage_client store;
  messages::reader_actor reader;
  messages::worker_registry registry;
  messages::pause_door pauses;
  gateway_actor gateway;  // knows the tokens
  platform::processes* processes = nullptr;
  const platform::clock* clock = nullptr;
  platform::randomness* randomness = nullptr;
  voice says;
  spawner_options options;
  std::string mark;
};

class spawner : public spawner_actor::base {
 public:
  spawner(caf::actor_config& cfg, spawner_deps deps);
  const char* name() const override { return "spawner"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using spawned = core::result<messages::worker_spawned>;
  using spawn_answer = std::shared_ptr<promise_guard<spawned>>;
  using episode = std::pair<core::run_id, std::uint64_t>;

  // Somebody who asked, until there is a process or there will be none.
  struct wish {
    episode of;
    std::string actor;
    core::requirement needs;
    std::vector<std::size_t> fit = {};     // types that will do, the best one first
    std::optional<std::size_t> type = {};  // chosen: it counts as a worker of that from then on
    std::vector<spawn_answer> answers = {};
    bool registered = false;  // it is counted among the workers
  };
  struct entry {
    core::spawned_worker row;
    std::size_t type = 0;
    std::uint64_t wish = 0;
    core::worker_clock clock;  // steady time
    std::string token;         // only to take it out of what the worker writes
    std::deque<std::string> lines;
    bool process = false;  // it has one
    bool lived = false;
    bool peeking = false;
    bool closing = false;
    core::instant again_at = core::never;  // steady; the store had trouble
  };
  struct type_state {
    std::uint32_t failures = 0;
    core::instant not_before = core::never;  // steady
    core::instant shown_not_before = core::never;
    std::string last_failure;
  };

  // spawner.cpp: from the question to the process
  caf::result<spawned> spawn_for(const messages::spawn_worker& asked);
  caf::result<spawned> spawn_named(const messages::spawn_by_hand& asked);
  caf::result<core::result<messages::agent_types_told>> tell_types(const messages::ask_agent_types& asked);
  std::optional<core::failure> not_now() const;
  messages::ask_pauses_of pauses_of(const std::vector<std::size_t>& types,
                                    const core::requirement& needs) const;
  std::optional<core::failure> refuses(std::size_t type, const std::string& workspace) const;
  caf::result<spawned> take(wish w);
  void ask_pauses(std::uint64_t number);
  void choose(std::uint64_t number, const std::vector<std::vector<core::ineligible>>& pauses);
  void begin(std::uint64_t number);
  void start_worker(core::session who, core::spawned_worker row, const std::string& token,
                    std::uint64_t number);
  platform::process_order order_of(const entry& e, const std::string& token) const;
  void answer(std::uint64_t number, const spawned& how);
  void note_unresolvable(const messages::spawn_worker& asked, const std::string& why);

  // life.cpp: from the process to the end
  void recover();
  void adopt_dead(std::vector<core::spawned_worker> rows);
  void started(const worker_started& news);
  void said(const worker_said& news);
  void exited(const worker_exited& news);
  void heard(const messages::session_news& news);
  void look();
  void look_at(core::session_id id, core::instant steady);
  void peek(core::session_id id);
  void retire(core::session_id id, const std::string& why);
  void stop(core::session_id id, core::worker_end why, const std::string& text = {});
  void release(core::session_id id, std::function<void(bool given_back)> then);
  void close(core::session_id id);
  void close_later(core::session_id id);
  void finish(core::session_id id);
  void forget(core::session_id id);
  void write(const entry& e, std::function<void(bool written)> then);
  void enter_state(entry& e, core::worker_state state);
  void count_failure(const entry& e);
  caf::result<messages::workers_drained> drain(core::span patience);
  void drained_if_so();
  void arm();
  entry* find(core::session_id id);
  const core::agent_type& type_of(const entry& e) const;

  spawner_deps deps_;
  std::vector<core::agent_type> types_;  // by name
  std::vector<type_state> states_;       // in the same order
  core::agent_type forgotten_;           // of workers whose type is configured no more
  std::map<core::session_id, entry> entries_;
  std::map<std::uint64_t, wish> wishes_;
  std::uint64_t next_wish_ = 1;
  std::map<episode, messages::worker_spawned> answered_;
  std::set<episode> told_unresolvable_;
  std::string url_;
  bool serving_ = false;
  bool draining_ = false;
  core::instant drain_over_ = core::end_of_time;  // steady
  std::uint32_t drained_ = 0;
  std::vector<std::shared_ptr<promise_guard<messages::workers_drained>>> drain_answers_;
  alarm alarm_;  // of steady time: it counts delays only
};

}  // namespace belfry::actors
