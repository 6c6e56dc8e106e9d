// FILTERS: which runs a list or a bulk operation is about, as flags.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/json/writer.hpp"
#include "app/cli/command.hpp"
#include "app/client/node_client.hpp"

namespace belfry::app {

struct run_filters {
  std::vector<std::string> states, tags, tags_any;
  std::optional<std::string> job, batch, workspace, lane, priority, session, name_has, since, until,
      ended_since, ended_until;
  bool dead = false;
  bool any() const;
};

void declare(command& c, run_filters& f);
void declare_waiting(command& c, run_filters& f);  // those that make sense of queued runs
// Names of jobs become ids only in the node, so they go as they are. --since and --until become instants
// here.
query_text to_query(const run_filters& f, core::instant now);
void write_filter(api::json::writer& w, const run_filters& f, core::instant now);  // an object

}  // namespace belfry::app
