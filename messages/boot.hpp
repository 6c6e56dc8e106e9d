// BOOT AND STOP: the order recover → rebuild → serve, and back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/errors/result.hpp"
#include "core/session/session.hpp"
#include "messages/node.hpp"

namespace belfry::messages {

// To the session registry: end the sessions that died with the last process, and say who is left.
struct load_sessions {};
struct sessions_loaded {
  std::vector<core::session> alive;    // outside sessions; they keep their leases
  std::vector<core::session_id> dead;  // executors of a former process; their leases are lost
};

// To the dispatcher: read all open runs, lose what the dead held, then serve claims.
struct rebuild_queue {
  sessions_loaded sessions;
};
struct queue_rebuilt {
  std::uint64_t open = 0, queued = 0, delayed = 0, leased = 0, lost = 0;
};

// To the lease sweeper: take back what ran out while nobody looked, answer when that is done, then watch.
struct start_sweeping {};
struct swept {
  std::uint64_t expired = 0;
};

// To the timekeeper: from now on it acts on what it was told.
struct start_timers {};

// To the dispatcher: answer the claims that wait, and give nothing more.
struct close_claims {};

// To the supervisor, from node::start and node::stop.
struct boot_node {};
struct stop_node {
  core::span deadline{0};
};

// To the supervisor: how a child of somebody else is (executors), and how the store is.
struct child_changed {
  child_status child;
};
struct store_changed {
  bool serving = true;
  bool damaged = false;
  core::failure why;
};

}  // namespace belfry::messages
