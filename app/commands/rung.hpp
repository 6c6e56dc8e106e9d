// The RUNG of the ladder in words: how far it has been climbed for a run that nobody takes.
#pragma once

#include <string>

#include "app/cli/context.hpp"

namespace belfry::app {

// Of the `ladder` member of a run; "rung spawn, count 5, event in 15s".
std::string rung_in_words(view rung, core::instant now);

}  // namespace belfry::app
