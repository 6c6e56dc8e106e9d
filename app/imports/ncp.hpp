// NCP: the schedules of the tool ncp, which runs tools of MCP servers: its jobs.json (version 1) and
// schedule.json (version 2.0.0).
//
// A task becomes a job that runs `ncp run TOOL --params JSON`. It keeps its name, its limit of executions
// less those that it had, and its end; one that was paused or broken arrives paused, one that is completed is
// told.
#pragma once

#include <string>
#include <string_view>

#include "app/imports/source.hpp"

namespace belfry::app {

struct ncp_options {
  std::string origin;
  std::string zone = "UTC";  // of tasks that name none: ncp goes by the zone of its machine
  std::string program = "ncp";
  std::string prefix;
};

// errc::malformed, or errc::invalid for a version that is neither.
core::result<import_source> read_ncp(std::string_view text, const ncp_options& options);

}  // namespace belfry::app
