// CLAIM HOOK: asks the hook of the configuration, a command or an address, what it thinks of a claim.
//
// A question is answered within the time of the hook, whatever the hook does: by its verdict, or by what it
// did instead. A process that is told to end may still take a moment; so long it counts as under way, and
// questions beyond the bound wait, within their own time. It holds nothing that matters: when it dies the
// questions that are open fail, and the dispatcher asks again.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/node/node.hpp"
#include "actors/support/alarm.hpp"
#include "actors/support/note.hpp"
#include "actors/support/promise_guard.hpp"
#include "core/queue/deadlines.hpp"
#include "messages/interfaces.hpp"

namespace belfry::actors {

struct claim_hook_deps {
  core::claim_hook_options options;
  messages::reader_actor reader;
  platform::webhooks* calls = nullptr;       // its own: nobody else's calls are given up with it
  platform::processes* processes = nullptr;  // with a command
  const platform::clock* clock = nullptr;
  voice says;
  std::string mark;
  std::function<std::string(const core::hook_question&)> text_of;
  std::function<core::result<core::hook_verdict>(std::string_view)> verdict_of;
};

class claim_hook : public messages::claim_hook_actor::base {
 public:
  claim_hook(caf::actor_config& cfg, claim_hook_deps deps);
  const char* name() const override { return "claim-hook"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using hook_answer = core::result<messages::claim_hook_said>;
  struct question {
    core::hook_question what;
    messages::claim_hook_said said;
    std::size_t reads = 0;  // that have not been answered
    bool out = false;       // the hook has it
    std::shared_ptr<promise_guard<hook_answer>> answer;
  };

  caf::result<hook_answer> ask(const messages::ask_claim_hook& asked);
  void read_run(std::uint64_t number, std::size_t place, core::run_id run);
  void read_job(std::uint64_t number, std::size_t place, core::job_id job);
  void read_done(std::uint64_t number);
  void gathered(std::uint64_t number);
  void put(std::uint64_t number, question& q);
  void run_command(std::uint64_t number, const question& q);
  void call_address(std::uint64_t number, const question& q);
  void spoke(const messages::hook_spoke& news);
  void finish(std::uint64_t number, hook_answer how);
  void look();
  void next();
  static std::string key_of(std::uint64_t number) { return "claim_hook/" + std::to_string(number); }

  claim_hook_deps deps_;
  std::unordered_map<std::uint64_t, question> questions_;
  std::deque<std::uint64_t> waiting_;
  std::unordered_set<std::uint64_t> processes_;  // that live
  std::size_t under_way_ = 0;                    // processes that live, and calls
  core::deadlines ends_;
  std::uint64_t last_ = 0;
  std::string tag_;  // of this life of the actor
  alarm alarm_;
};

}  // namespace belfry::actors
