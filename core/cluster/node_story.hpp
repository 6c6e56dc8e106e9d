// STORY OF A NODE: what is kept of a node of the cluster for good, and what the journal says of it. The store
// reads the row, asks `decide_node` and writes the answer, as it does for runs.
//
// Only facts are kept: that a node joined with a boot, that it was lost or left, what operators said of it.
// Whether it lives now is nobody's row: the coordinator judges it by its own steady clock, and judges anew
// after a restart. A beat is written nowhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/cluster/node.hpp"
#include "core/events/event.hpp"

namespace belfry::core {

enum class node_word : std::uint8_t {
  joined = 0,  // a hello was accepted: `node` as it says; the same boot again is a return
  suspected = 1,
  returned = 2,  // from suspicion or loss, over the same link
  lost = 3,
  left = 4,
  draining = 5,  // an operator's, likewise resumed, removed, readmitted
  resumed = 6,
  drained = 7,
  removed = 8,
  readmitted = 9,
};

struct node_news {
  node_word word = node_word::joined;
  cluster_node node;    // but for `joined` only the name counts, and seen_at where it is later
  std::string because;  // for the journal; of an operator kept with the node
};

struct node_decision {
  cluster_node next;
  bool changed = false;             // the row
  std::optional<event_kind> event;  // and what is said of it
  std::string text;
};

// `before`: the row, if there is one. Saying again what stands changes nothing and tells nothing. Codes:
// invalid (a name that is none), not_found, invalid_transition (a removed node joins).
result<node_decision> decide_node(const std::optional<cluster_node>& before, const node_news& news,
                                  const std::string& actor, instant now);

}  // namespace belfry::core
