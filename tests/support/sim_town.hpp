// SIM TOWN: what guests of the simulated world (clients, outside workers) see of it: the doors of the node,
// time, chance, and the oracle that notes what they were told.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/node_port.hpp"
#include "tests/support/sim_dice.hpp"
#include "tests/support/sim_oracle.hpp"
#include "tests/support/virtual_clock.hpp"

namespace belfry::tests {

/// Every question to the node, and how often it was answered: once, also by a node that dies in peace.
class call_ledger {
 public:
  std::size_t asked(std::string_view who, std::string_view what, bool may_wait) {
    calls_.push_back({std::string{who}, std::string{what}, 0, may_wait});
    return calls_.size() - 1;
  }
  /// How often it has been answered now.
  unsigned answered(std::size_t number) { return ++calls_[number].answers; }
  const std::string& what(std::size_t number) const { return calls_[number].what; }
  /// The first question without an answer; those that may wait for work are passed over if `waiting_too` is
  /// false.
  std::optional<std::string> open(bool waiting_too) const {
    for (const auto& c : calls_)
      if (c.answers == 0 && (waiting_too || !c.may_wait)) return c.who + " asked " + c.what;
    return std::nullopt;
  }
  void forget() { calls_.clear(); }

 private:
  struct call {
    std::string who, what;
    unsigned answers = 0;
    bool may_wait = false;
  };
  std::vector<call> calls_;
};

class sim_town {
 public:
  sim_town(std::uint64_t seed, virtual_clock& time) : luck(seed), clock(time), oracle(truth) {}
  virtual ~sim_town() = default;
  sim_town(const sim_town&) = delete;
  sim_town& operator=(const sim_town&) = delete;

  /// Asks the node. `then` is called with the answer, unless the node dies first: then the guest is told by
  /// life_ended.
  template <class Answer, class Message, class Then>
  void ask(std::string_view who, std::string_view what, Message m, Then then, bool may_wait = false) {
    note_ask(who, what);
    const auto call = ledger.asked(who, what, may_wait);
    const auto asked_in = life();
    messages::reply<Answer> reply = [this, call, asked_in,
                                     then = std::move(then)](core::result<Answer> answer) {
      if (life() != asked_in) return;  // the ledger was closed with that life
      if (ledger.answered(call) > 1)
        return truth.report("answer", "a question was answered twice: " + ledger.what(call));
      if (!cut_off()) then(std::move(answer));
    };
    if constexpr (requires { typename Message::answer; })
      port().ask(std::move(m), std::move(reply));
    else
      port().call(std::move(m), std::move(reply));
  }

  virtual messages::node_port& port() = 0;
  virtual std::uint64_t life() const = 0;
  /// The node of this life is dying or its disk is dead: answers do not reach anybody any more.
  virtual bool cut_off() const = 0;
  /// Nothing bad happens any more: whoever still does damage is to stop.
  virtual bool calm() const = 0;
  virtual void note_ask(std::string_view who, std::string_view what) = 0;

  dice luck;
  virtual_clock& clock;
  sim_invariants truth;
  sim_oracle oracle;
  call_ledger ledger;
};

class sim_guest {
 public:
  explicit sim_guest(std::string name) : name_(std::move(name)) {}
  virtual ~sim_guest() = default;
  /// Does the next thing; called when `next_at` has come, or earlier.
  virtual void act(sim_town& town) = 0;
  /// The node died: answers that are still out will never come.
  virtual void life_ended(sim_town& town) = 0;
  /// Steady time at which it wants to act.
  core::instant next_at() const { return next_at_; }
  const std::string& name() const { return name_; }

 protected:
  void rest(sim_town& town, core::span least, core::span most) {
    next_at_ = town.clock.steady() + town.luck.between(least, most);
  }
  core::instant next_at_ = core::never;

 private:
  std::string name_;
};

/// Whether a failure leaves open what happened.
inline bool leaves_open(const core::failure& f) {
  return f.code == core::errc::aborted || f.code == core::errc::timed_out;
}

}  // namespace belfry::tests
