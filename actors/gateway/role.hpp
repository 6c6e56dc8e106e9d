// GATEWAY, the role: what the port asks of the actors, as a closure that the gateway runs.
#pragma once

#include <functional>

#include "messages/interfaces.hpp"

namespace belfry::actors {

class gateway;
struct gateway_call {
  std::function<void(gateway&)> run;
};

using gateway_actor = caf::typed_actor<caf::reacts_to<gateway_call>>;

}  // namespace belfry::actors
