// CHOICE of an agent type for a run that nobody takes.
//
// A type will do when the session that it would make may take the run, by the rule that also answers claims
// (core/session/session.hpp). Of those, the one with the fewest superfluous capabilities comes first, so that
// the able ones stay free for what only they can do; then the name decides. Preferred capabilities are not
// looked at: they are worth waiting for, not worth starting somebody more expensive.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/spawn/agent_type.hpp"

namespace belfry::core {

// Indices of the types that will do, the best one first; empty: nobody can be started for it.
std::vector<std::size_t> choose(const std::vector<agent_type>& types, const requirement& needs,
                                handler_kind handler);

// Why none will do: every rule that each type fails, in words for a person.
std::string why_none(const std::vector<agent_type>& types, const requirement& needs, handler_kind handler);

}  // namespace belfry::core
