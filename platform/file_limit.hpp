// FILE LIMIT: the node may raise its own soft RLIMIT_NOFILE; its children get back what the node was started
// with, because programs that use select() or close every possible descriptor suffer from a huge one.
#pragma once

#include <sys/resource.h>

#include <optional>

namespace belfry::platform {

/// The limit to give to children; nothing when the node never raised its own.
std::optional<rlimit> file_limit_of_children();

}  // namespace belfry::platform
