// PLACES: who may come in while others are there. Numbers only; what is counted lives elsewhere.
//
// Strangers share the places for handshakes, and one address has at most a quarter of them (but two): it
// cannot keep the others out by doing nothing. Nodes share the places for connections; a quarter of those is
// kept for the actors' protocol, so that no node's clients can keep a node out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>

#include "platform/ports/secure_links.hpp"

namespace belfry::platform::links {

class places {
 public:
  places(std::size_t handshakes, std::size_t connections)
      : handshakes_(handshakes),
        share_(std::max<std::size_t>(2, handshakes / 4)),
        connections_(connections),
        for_http_(connections - connections / 4) {}

  // `who`: the host of the stranger, share_of(address). Why not; nullptr: it has a place until `shaken`.
  const char* shake(const std::string& who) {
    if (shaking_ >= handshakes_) return "too many handshakes at a time";
    auto& held = by_address_[who];
    if (held >= share_) return "too many handshakes of this address at a time";
    ++held;
    ++shaking_;
    return nullptr;
  }
  void shaken(const std::string& who) {
    const auto held = by_address_.find(who);
    if (held == by_address_.end()) return;
    --shaking_;
    if (--held->second == 0) by_address_.erase(held);
  }
  bool room(link_protocol p, std::size_t links, std::size_t of_http) const {
    return links < connections_ && (p == link_protocol::actors || of_http < for_http_);
  }
  std::size_t shaking() const { return shaking_; }

 private:
  std::size_t handshakes_, share_, connections_, for_http_;
  std::size_t shaking_ = 0;
  std::map<std::string, std::size_t> by_address_;
};

}  // namespace belfry::platform::links
