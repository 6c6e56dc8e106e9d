// MATCH: what a filter means, as a predicate. The memory store reads by it; an SQL store must answer the
// same.
#pragma once

#include <string>
#include <vector>

#include "core/events/event.hpp"
#include "core/run/filter.hpp"
#include "core/run/run.hpp"
#include "core/run/views.hpp"

namespace belfry::storage {

bool matches(const core::run_filter& filter, const core::run_head& head,
             const std::vector<std::string>& tags);
bool matches(const core::event_filter& filter, const core::event& e);

// Events that one page looks at when a filter lets little through; the page says how far it came.
inline constexpr std::size_t events_scanned = 20'000;

}  // namespace belfry::storage
