// ORPHANS: the node is a subreaper, so escaped descendants of its children become its children when their
// parents die. Somebody has to take their status, or they stay zombies.
//
// Only what is not known to be a leader is taken (`leaders.hpp`): at once when it stands in another process
// group than the node, as everything that a child of ours started does; after a second when it stands in the
// node's own group, because then it may belong to other code of this process that is about to wait for it.
#pragma once

#include <sys/types.h>

#include "platform/process/output_gate.hpp"

namespace belfry::platform {

/// Makes this process the subreaper and makes sure that the kernel keeps the status of its children.
void become_subreaper();

class orphan_reaper {
 public:
  void scan(steady_time now);

 private:
  pid_t seen_ = 0;  // unknown, in our own group, not taken yet
  steady_time seen_at_{};
};

}  // namespace belfry::platform
