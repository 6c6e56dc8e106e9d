// INTAKE: where submissions wait for the commit that takes them in.
//
// Storage takes everything that waits when it begins a commit, and what comes meanwhile waits for the next. A
// message for each submission on its way to the store, and one for each answer back, cost three context
// switches a request (measured with 64 connections), more than the store itself; an actor between the box and
// the store left the store idle for a fifth of the time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "actors/gateway/question.hpp"
#include "core/pressure/backpressure.hpp"
#include "platform/ports/handoff.hpp"

namespace belfry::actors {

struct waiting_submission {
  messages::submit_runs what;
  std::shared_ptr<open_question<messages::submitted>> who;
};

class intake : public platform::handoff<waiting_submission> {
 public:
  // Why this cannot be taken, or nothing; on the thread of the door. Codes: invalid, overloaded.
  std::optional<core::failure> refuses(const messages::submit_runs& asked) const;

  // By the dispatcher: whether there is room in the queue, in which so many runs wait.
  void room(bool open, std::uint64_t waiting) {
    queued_ = waiting;
    open_ = open;
  }

  // By the dispatcher: whether somebody waits for a run. By storage: whether to offer it new ones before they
  // are committed.
  void claims_wait(bool any) { claims_wait_.store(any, std::memory_order_relaxed); }
  bool claims_wait() const { return claims_wait_.load(std::memory_order_relaxed); }

  // By storage, after each commit: how the queue presses. What a door reads may be of two commits; it is
  // advice, and the store decides.
  void press(const core::pressure& p);
  core::pressure pressure() const;

 private:
  std::atomic<bool> open_{true};
  std::atomic<bool> claims_wait_{false};
  std::atomic<std::uint64_t> queued_{0};
  std::atomic<std::uint64_t> press_at_{0}, press_until_{0}, pressing_{0};
  std::atomic<std::int64_t> pressed_since_{0}, press_wait_{-1}, press_relief_{-1};
  std::atomic<core::pressure_mode> press_mode_{core::pressure_mode::alert};
  std::atomic<core::priority> shed_below_{core::priority::normal};
};

}  // namespace belfry::actors
