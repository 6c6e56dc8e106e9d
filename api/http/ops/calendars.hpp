// The calendars that a schedule names, for operations that have to know what they exclude.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/http/ops/ops.hpp"
#include "api/json/schedules.hpp"

namespace belfry::api {

// f(exchange, finder), which finds those of the names that there are. Refuses by itself when the node cannot
// be asked.
void with_calendars(const exchange_ptr& x, const std::vector<std::string>& names,
                    std::function<void(const exchange_ptr&, json::calendar_finder)> f);

}  // namespace belfry::api
