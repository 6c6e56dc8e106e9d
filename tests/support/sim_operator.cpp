#include "tests/support/sim_operator.hpp"

#include <utility>

namespace belfry::tests {

using namespace std::chrono_literals;
using core::result;
using messages::nodes_seen;

namespace {

// Asked again it would be answered otherwise.
bool worth_repeating(const core::failure& f) { return leaves_open(f) || core::retryable(f.code); }

}  // namespace

void sim_operator::act(sim_town& town) {
  rest(town, 0ms, town.calm() ? 500ms : 4s);
  if (busy_) return;
  if (town.calm()) return free_next(town);
  auto& luck = town.luck;
  std::vector<std::string> names;
  for (const auto& [name, word] : book_) names.push_back(name);
  const auto& node = luck.one_of(names);
  const auto& word = book_.at(node);
  if (word.removed) return readmit(town, node);
  if (word.drained && luck.chance(0.6)) return resume(town, node);
  if (luck.chance(0.15)) return remove(town, node);
  drain(town, node);
}

void sim_operator::life_ended(sim_town&) { busy_ = false; }

void sim_operator::done(sim_town& town) {
  busy_ = false;
  rest(town, 0ms, 2s);
}

void sim_operator::drain(sim_town& town, const std::string& node) {
  if (lies_) {
    book_.at(node) = {true, false, town.clock.steady()};
    return;
  }
  busy_ = true;
  town.ask<nodes_seen>(name(), "drain " + node, messages::steer_node{node, true, "maintenance", name()},
                       [this, &town, node](const result<nodes_seen>& answer) {
                         done(town);
                         if (answer)
                           book_.at(node).drained = true, book_.at(node).since = town.clock.steady();
                       });
}

void sim_operator::resume(sim_town& town, const std::string& node) {
  busy_ = true;
  book_.at(node).drained = false;
  town.ask<nodes_seen>(name(), "resume " + node, messages::steer_node{node, false, {}, name()},
                       [this, &town](const result<nodes_seen>&) { done(town); });
}

void sim_operator::remove(sim_town& town, const std::string& node) {
  busy_ = true;
  messages::remove_node m{node, town.luck.chance(0.6), false, "not needed", name()};
  town.ask<nodes_seen>(name(), m.force ? "remove with force " + node : "remove " + node, m,
                       [this, &town, node](const result<nodes_seen>& answer) {
                         done(town);
                         if (answer)
                           book_.at(node).removed = true, book_.at(node).since = town.clock.steady();
                       });
}

void sim_operator::readmit(sim_town& town, const std::string& node) {
  busy_ = true;
  book_.at(node).removed = false;
  town.ask<nodes_seen>(name(), "readmit " + node, messages::remove_node{node, false, true, {}, name()},
                       [this, &town](const result<nodes_seen>&) { done(town); });
}

// Whether it had been removed or drained need not be known: a refusal is as good as a yes.
void sim_operator::free_next(sim_town& town) {
  if (!decided_) {
    decided_ = true;
    for (const auto& [name, word] : book_) to_free_.push_back(name);
    if (town.luck.chance(0.3)) keep_drained_ = to_free_.back();
  }
  if (to_free_.empty()) return;
  const auto node = to_free_.back();
  book_.at(node) = {};
  busy_ = true;
  town.ask<nodes_seen>(name(), "readmit " + node, messages::remove_node{node, false, true, {}, name()},
                       [this, &town, node](const result<nodes_seen>& answer) {
                         done(town);
                         if (!answer && worth_repeating(answer.error())) return;
                         busy_ = true;
                         const bool stays = node == keep_drained_;
                         town.ask<nodes_seen>(name(), (stays ? "drain " : "resume ") + node,
                                              messages::steer_node{node, stays, "maintenance", name()},
                                              [this, &town, node, stays](const result<nodes_seen>& told) {
                                                done(town);
                                                if (!told && worth_repeating(told.error())) return;
                                                if (told)
                                                  book_.at(node) = {stays, false, town.clock.steady()};
                                                std::erase(to_free_, node);
                                              });
                       });
}

}  // namespace belfry::tests
