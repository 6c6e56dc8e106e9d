// AGENT TYPES in the configuration: [agent_types.NAME], one table per kind of worker. Only a file declares
// them; flags and the environment have no word for a table.
#pragma once

#include <string>
#include <vector>

#include "app/options/load.hpp"

namespace toml {
inline namespace v3 {
class table;
}
}  // namespace toml

namespace belfry::app {

inline constexpr const char* agent_types_area = "agent_types";

// The keys of one table, as settings of a configuration whose only agent type is the one in question; "env"
// takes a list of NAME=VALUE.
const std::vector<setting>& agent_type_settings();

// Reads all tables; what is wrong goes to the mistakes.
void read_agent_types(loaded& out, const std::string& file, const toml::table& tables);
// Values with their origins; of variables only the names.
void tell_agent_types(api::told_configuration& told, const loaded& settings, const configuration& values);

std::string agent_types_example();    // for the example file, commented out
std::string agent_types_reference();  // for the documentation

}  // namespace belfry::app
