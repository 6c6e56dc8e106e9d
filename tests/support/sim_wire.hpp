// SIM WIRE: what must hold of what nodes say to each other, whatever becomes of it on the way.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "actors/cluster/links.hpp"
#include "tests/support/sim_invariants.hpp"

namespace belfry::tests {

class sim_wire {
 public:
  explicit sim_wire(sim_invariants& truth) : truth_(truth) {}

  /// The coordinator; everybody else is a member.
  std::string home;
  std::size_t max_open = 64;  // as members are told
  /// Planted: a hello tells of nothing that is held; an end is told again with other words.
  bool forgets_held = false, other_words = false;

  /// Before it is sent; may change it where a fault is planted.
  bool sees(const std::string& from, const std::string& to, actors::envelope& e);
  /// A new process: whatever it had asked is forgotten.
  void began(const std::string& member) { open_[member].clear(); }
  std::size_t most_open() const { return most_; }

 private:
  void asks(const std::string& member, actors::envelope& e);

  sim_invariants& truth_;
  std::map<std::string, std::set<std::uint64_t>> open_;  // numbers of questions without an answer
  std::map<std::pair<core::run_id, std::uint64_t>, std::string> ends_;  // as they were told first
  std::size_t most_ = 0;
};

}  // namespace belfry::tests
