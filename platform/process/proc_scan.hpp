// PROC SCAN: the processes of this user, by the environment that they were started with.
//
// The environment is what a process cannot lose by setsid, daemonising or closing its descriptors. It is that
// of the exec: a program that clears it (env -i) on purpose and leaves its group cannot be found.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace belfry::platform {

/// Calls `visit` for every living process of this user but this one and pid 1. Zombies have no environment
/// and are left out. `variables` is a sequence of "NAME=value" texts, each followed by NUL.
void scan_processes(const std::function<void(pid_t pid, std::string_view variables)>& visit);

/// Whether a process still runs; a zombie does not, one that is being torn down does.
bool still_running(pid_t pid);
/// Whether anybody in this process group still runs. Reads every process of the machine: not for the usual
/// path.
bool group_still_running(pid_t group);

/// The value of `name`, where the name is exact.
std::optional<std::string_view> value_in(std::string_view variables, std::string_view name);

}  // namespace belfry::platform
