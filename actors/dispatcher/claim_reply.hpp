// CLAIM REPLY: to whom a claim is answered: an actor that asked, or somebody at a door. Answered once; one
// that is dropped answers by itself.
#pragma once

#include <memory>
#include <utility>

#include "actors/gateway/question.hpp"
#include "actors/support/promise_guard.hpp"

namespace belfry::actors {

class claim_reply {
 public:
  using answer = core::result<messages::claimed_runs>;
  explicit claim_reply(std::shared_ptr<promise_guard<answer>> asker) : asker_{std::move(asker)} {}
  explicit claim_reply(std::shared_ptr<open_question<messages::claimed_runs>> door)
      : door_{std::move(door)} {}

  void deliver(answer a) {
    if (door_)
      door_->answer(std::move(a));
    else
      asker_->deliver(std::move(a));
  }

 private:
  std::shared_ptr<promise_guard<answer>> asker_;
  std::shared_ptr<open_question<messages::claimed_runs>> door_;
};

}  // namespace belfry::actors
