// STORAGE: the only writer. Whatever waits in the mailbox becomes one transaction; nobody waits for a timer.
//
// Each change set is applied when it arrives, its answer is kept; one flush message, sent to itself behind
// everything that is queued by then, commits, and only then do answers leave. A commit that fails is a
// failure for everybody in it, and the next one begins afresh. After the commit the heads go to the follower
// (the dispatcher) before any answer goes out. While claims wait, it hears of new runs before the commit, and
// its claims go into the same one (docs/decisions/0067). Rejected: a timer that gathers a batch (latency for
// nothing), one message per head.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "actors/gateway/intake.hpp"
#include "actors/node/node.hpp"
#include "actors/storage/role.hpp"
#include "actors/support/note.hpp"
#include "actors/support/promise_guard.hpp"

namespace belfry::actors {

struct storage_deps {
  std::unique_ptr<storage::store> store;
  std::shared_ptr<intake> submissions;
  const platform::clock* clock = nullptr;
  voice says;
  commit_options options;
  messages::child_listener supervisor;  // told when the store stops or starts serving
  storage::store_rules rules = {};
};

class storage_writer : public storage_actor::base {
 public:
  storage_writer(caf::actor_config& cfg, std::shared_ptr<storage_deps> deps);
  const char* name() const override { return "storage"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  struct question {
    promise_guard<commit_results> answer;
    commit_results results;
    std::vector<std::shared_ptr<open_question<messages::submitted>>> doors;  // or these, one for each result
    void deliver();
  };

  void take_submissions();
  void offer(const commit_results& results);
  void tell_pressure();
  void note_submitted(const std::vector<question>& answered);

  caf::result<commit_results> take(const commit_changes& asked);
  core::result<storage::receipt> apply(const storage::change_set& set);
  void flush_soon();
  bool commit();
  void fail_all(const core::failure& why);
  void tell_follower(const std::vector<question>& answered);
  void tell_early(const commit_results& results);
  void tell_hub(const std::vector<question>& answered);
  void judge(const core::failure* why);
  void try_room_again();

  std::shared_ptr<storage_deps> deps_;
  std::vector<question> open_;
  std::size_t sets_ = 0;
  std::size_t bytes_ = 0;
  bool flush_sent_ = false;
  std::uint64_t offers_ = 0;
  bool offered_ = false;            // the last of them is in the open transaction, and not heard yet
  core::instant offer_not_before_;  // steady
  std::vector<core::run_id> logs_;  // that grew in the open transaction
  bool evidence_ = false;           // a refusal in it may have written an event that no receipt names
  messages::follower_actor follower_;
  journal_listener hub_;
  std::int64_t last_event_ = 0;
  std::uint64_t commits_ = 0;
  bool keeping_up_ = false;  // a keep_up is on its way
  bool full_ = false;        // the disk was full: no new work until an attempt of our own was written
  bool serving_ = true;
  bool damaged_ = false;
};

}  // namespace belfry::actors
