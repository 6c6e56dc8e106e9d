// NODE MESSAGES: health, events, what the supervisor says of its children.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/events/event.hpp"
#include "core/ids/id.hpp"
#include "core/time/instant.hpp"

namespace belfry::messages {

struct child_status {
  std::string name;
  std::string state;
  std::uint32_t restarts = 0;
  std::string note;
};  // state: up, restarting, given_up
struct ask_node {};
struct node_status {
  bool ready = false;
  bool stopping = false;
  std::string health;  // "healthy", "degraded", "unhealthy"
  std::vector<std::string>
      issues;  // each with a code first: "executor_given_up: process-3 crashed 6 times in 30 s"
  core::instant started_at = core::never;
  std::vector<child_status> children;
  std::size_t processes = 0;  // children of executors running now
};

// From storage after each commit; from event_hub to whoever watches: the journal has grown up to `last`.
struct events_committed {
  std::vector<core::event> events;
};
struct log_grew {
  core::run_id run;
};

}  // namespace belfry::messages
