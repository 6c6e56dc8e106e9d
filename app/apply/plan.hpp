// PLAN: what applying declarations would change, worked out before anything is changed.
#pragma once

#include <string>
#include <vector>

#include "app/apply/declarations.hpp"
#include "app/client/node_client.hpp"

namespace belfry::app {

struct changed_field {
  std::string path;    // "retry.max_attempts"
  std::string before;  // JSON; empty: not there
  std::string after;
};

struct planned_step {
  enum class deed : std::uint8_t { create, replace, unchanged, archive, submit } what;
  std::string name;
  std::string body;
  std::vector<changed_field> changes;
  std::uint32_t revision = 0;  // that was compared with
  std::int64_t times = 1;
  std::string once;
};

// The fields in which two JSON objects differ, in the order of their paths.
std::vector<changed_field> differences(const std::string& before, const std::string& after);
std::vector<planned_step> make_plan(const declarations& wanted, node_client& node, bool prune,
                                    bool with_runs);
std::string sign_of(planned_step::deed d);
std::string word_of(planned_step::deed d);

}  // namespace belfry::app
