// FORWARDING: what a member's door does with a request that is not about the member itself.
#pragma once

#include <memory>

#include "api/http/upstream.hpp"

namespace belfry::api {

class engine;
class exchange;

class forwarding {
 public:
  virtual ~forwarding() = default;
  // Answers it, sooner or later. On the strand of its connection.
  virtual void take(const std::shared_ptr<exchange>& x) = 0;
  virtual member_seen seen() const = 0;
  virtual void stop() = 0;  // lets go of what is kept for the next request
};

// `to` must live until the engine has stopped.
std::shared_ptr<forwarding> forward_to(upstream& to, forwarding_limits limits, engine& by);

}  // namespace belfry::api
