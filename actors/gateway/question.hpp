// QUESTION: what somebody at a door asked and has not been answered. Answered exactly once, whoever dies: it
// is owned by an object that answers when it is destroyed.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "messages/node_port.hpp"

namespace belfry::actors {

// What the node lets through at the moment.
enum class gate : std::uint8_t { closed, starting, serving, stopping, failed };

class intake;

// Shared by the port and by every question that is open.
struct port_state {
  std::atomic<gate> passes{gate::closed};
  std::atomic<std::uint32_t> open_calls{0};
  std::atomic<std::uint32_t> waiting_claims{0};
  std::atomic<std::uint32_t> waiting_polls{0};
  std::uint32_t max_open_calls = 4096;
  std::uint32_t max_waiting_claims = 10'000;
  std::uint32_t max_waiting_polls = 12'000;
  std::shared_ptr<intake> submissions;
};

core::failure refused_by(gate g);

template <class T>
class open_question {
 public:
  open_question(messages::reply<T> reply, std::shared_ptr<port_state> state,
                std::atomic<std::uint32_t>& counter)
      : reply_{std::move(reply)}, state_{std::move(state)}, counter_{&counter} {}
  open_question(const open_question&) = delete;
  open_question& operator=(const open_question&) = delete;
  ~open_question() {
    if (!reply_) return;
    if (asked)
      answer(core::failure{core::errc::aborted,
                           "the node ended while the question was open; whether it took effect is not known",
                           {},
                           {}});
    else
      answer(refused_by(gate::closed));
  }
  void answer(core::result<T> r) {
    const auto reply = std::exchange(reply_, nullptr);
    if (!reply) return;
    counter_->fetch_sub(1);
    reply(std::move(r));
  }

  bool asked = false;  // it has reached whoever acts on it

 private:
  messages::reply<T> reply_;
  std::shared_ptr<port_state> state_;
  std::atomic<std::uint32_t>* counter_;
};

}  // namespace belfry::actors
