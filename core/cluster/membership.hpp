// MEMBERSHIP: what the coordinator decides about its members, with values and a `now` alone: who is let in,
// what becomes of the sessions and leases of a node that is back, and what its executors are registered as.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cluster/node.hpp"
#include "core/run/run.hpp"
#include "core/session/session.hpp"

namespace belfry::core {

/// Words of a node: so many labels, and so many capabilities, at most.
inline constexpr std::size_t most_node_words = 24;

// A hello, and what is known when it comes.
struct greeting {
  std::uint16_t version = 0;
  cluster_node said;        // as its hello says
  std::string certificate;  // the name that its certificate says
  std::string own_name;     // of the coordinator
  std::string own_version;  // of belfry, for the text of a refusal
  bool known = false;
  bool removed = false;
  std::size_t nodes = 0;  // that are known, removed ones too
  std::size_t max_nodes = 256;
  std::string linked_boot;  // of the process that has a link under this name; empty: none has
  instant heard = never;    // of that one, steady
  instant now = never;      // steady
};

// Why it is not let in; nothing: it is. A duplicate is refused only while the other one has been heard of
// within suspect_after: a link that is silent for longer is the dead one's, and is taken over. The same boot
// is the same process, which has given up its old link before we did. Code of a duplicate: conflict,
// which may pass; the others do not.
std::optional<failure> refuse_hello(const greeting& g, const membership_options& o);

// ---- sessions of a node's executors: "NAME/process-1", which perform processes. Nobody who registers at a
// door can name what it performs, so a stranger's "NAME/x" is none of them.

bool belongs_to(const session& s, std::string_view node);
// What is registered for a member, whatever it asked for. Problems: of the words of the node.
session session_of_node(const session& asked, const cluster_node& node);
std::vector<field_problem> check_words_of(const cluster_node& node);

// ---- a node that is back

// A run that the node says it has in its hands.
struct run_in_hand {
  session_id session;
  run_id run;
  std::uint64_t fencing = 0;
  friend bool operator==(const run_in_hand&, const run_in_hand&) = default;
};
struct homecoming {
  std::string node;
  bool new_boot = false;
  std::vector<session> sessions;  // all that the store knows, of anybody, gone ones too
  std::vector<run_head> leases;   // likewise, live ones
  std::vector<session_id> said;   // of its executors, as it says
  std::vector<run_in_hand> held;
};
struct reconciliation {
  // Given back unharmed: the node has never seen them. Their answers were lost with the old link, and answers
  // of an old link are heard by nobody: not by the link, which is down, nor by the member, which has
  // forgotten their numbers.
  std::vector<run_head> unseen;
  std::vector<run_head> lost;          // of an earlier boot, whose session is gone already: lost at once
  std::vector<session_id> crashed;     // of an earlier boot: they end, and what they hold is lost at once
  std::vector<session_id> orphaned;    // of this boot, of which the node knows nothing: they end
  std::vector<session_id> here;        // of this boot, and known to both
  std::vector<session_id> gone;        // that the node has to forget
  std::vector<run_in_hand> taken;      // somebody else's by now
  std::vector<run_head> asked_to_end;  // in its hands, and cancelled while it was away
};
reconciliation reconcile(const homecoming& h);

// How long after its question a lease was granted: `elapsed` from question to answer by the steady clock,
// `since` what the wall clock has shown since the lease began. A wall clock that was set back meanwhile lets
// the lease expire later as well; one that was set forward makes the answer smaller. Never more than the
// truth.
span waited_for(span elapsed, span since);

}  // namespace belfry::core
