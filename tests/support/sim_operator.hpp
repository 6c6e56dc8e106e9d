// SIM OPERATOR: somebody who drains nodes, lets them work again, removes them and lets them back in. What he
// was told is kept in a book, by which the simulator judges what the nodes are given.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/sim_town.hpp"

namespace belfry::tests {

/// What an operator may rely on: he was told so, and has not asked for the contrary since.
struct node_word {
  bool drained = false, removed = false;
  core::instant since = core::never;  // when he was told, steady
};
using node_book = std::map<std::string, node_word>;

class sim_operator final : public sim_guest {
 public:
  /// `lies`, a planted fault: a drain is noted that nobody was asked for.
  sim_operator(std::string name, node_book& book, bool lies)
      : sim_guest(std::move(name)), book_(book), lies_(lies) {}
  void act(sim_town& town) override;
  void life_ended(sim_town& town) override;
  /// In the end every node may work again, but for one that may stay drained.
  bool content() const { return !busy_ && to_free_.empty() && decided_; }

 private:
  void drain(sim_town& town, const std::string& node);
  void resume(sim_town& town, const std::string& node);
  void remove(sim_town& town, const std::string& node);
  void readmit(sim_town& town, const std::string& node);
  void free_next(sim_town& town);
  void done(sim_town& town);

  node_book& book_;
  bool lies_;
  bool busy_ = false, decided_ = false;
  std::vector<std::string> to_free_;
  std::string keep_drained_;
};

}  // namespace belfry::tests
