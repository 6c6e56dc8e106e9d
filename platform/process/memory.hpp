// MEMORY of a child, which the kernel does not tell by itself.
//
// ru_maxrss of a child is never less than what the node itself had at its peak: posix_spawn shares the node's
// memory until the exec, and Linux counts that as the child's (exec_mmap, setmax_mm_hiwater_rss). So it is
// believed only above the node's own peak; below that, VmHWM is sampled while the child lives (after 5 ms,
// then ever less often), which is a lower bound. A child that was both small and gone within 5 ms has an
// unknown peak: 0. Rejected: fork (its cost grows with the node), a small spawner process between (later,
// should anybody need it).
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace belfry::platform {

/// Greatest VmHWM of a process and its living descendants (a few levels, a few processes); 0 when it has
/// gone.
std::uint64_t sample_peak_memory(pid_t leader);

/// What the node has added to ru_maxrss of a child that is being started now, with a margin for inexact
/// counters.
std::uint64_t inherited_peak_memory();

}  // namespace belfry::platform
