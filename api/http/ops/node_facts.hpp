// What every node tells of itself, with a store or without one.
#pragma once

#include <optional>

#include "api/http/ops/ops.hpp"
#include "api/json/node.hpp"

namespace belfry::api {

json::machine_facts facts_of(const door& d, const std::optional<core::store_facts>& store);
void answer_health(const exchange_ptr& x, core::result<messages::node_status> s);
void answer_metrics(exchange& x);

}  // namespace belfry::api
