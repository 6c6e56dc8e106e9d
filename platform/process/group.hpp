// GROUP: a child's process group, from the leader's birth to the proof that nobody is left.
//
// The leader stays a zombie until `reap`, and a zombie keeps its pid and group number from being given to
// somebody else: so signals sent before that can only reach our own. Members whose parent died are ours too
// (the node is a subreaper), and wait4(-group) takes exactly them.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include "platform/ports/processes.hpp"

namespace belfry::platform {

class process_group {
 public:
  explicit process_group(pid_t leader);
  ~process_group();
  process_group(const process_group&) = delete;
  process_group& operator=(const process_group&) = delete;

  pid_t leader() const { return leader_; }
  /// Whether the leader has ended (reaped or not).
  bool leader_ended() const;
  bool leader_reaped() const { return reaped_; }
  void signal(int number) const;
  /// Takes every status that is there. True when the leader is reaped and the group is empty: nobody is left.
  bool reap();

  /// Exit code or signal of the leader, once reaped; both empty if somebody else took its status.
  const core::process_end& end() const { return end_; }
  /// Reads the memory that is used now, for the peak.
  void sample_memory();
  /// Of the leader with the children that it waited for, and of the members that came to us.
  const core::usage& used() const { return used_; }

 private:
  void count(const ::rusage& r);

  pid_t leader_;
  std::uint64_t inherited_memory_;  // ru_maxrss up to here is the node's, not the child's
  bool reaped_ = false;
  core::process_end end_;
  core::usage used_;
};

}  // namespace belfry::platform
