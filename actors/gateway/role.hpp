// GATEWAY, the role: what the port asks of the actors, as a closure that the gateway runs.
#pragma once

#include <functional>
#include <memory>

#include "actors/gateway/question.hpp"
#include "messages/interfaces.hpp"

namespace belfry::actors {

class gateway;
struct gateway_call {
  std::function<void(gateway&)> run;
};

using gateway_actor = caf::typed_actor<caf::reacts_to<gateway_call>>;

// To the dispatcher: a claim that is answered at the door itself. The way back through the gateway would be
// one more thread to wake for the one answer that somebody waits for with nothing else to do.
struct claim_at_door {
  messages::claim_runs wish;
  std::shared_ptr<open_question<messages::claimed_runs>> who;
};
using claim_desk = caf::typed_actor<caf::reacts_to<claim_at_door>>;

}  // namespace belfry::actors
