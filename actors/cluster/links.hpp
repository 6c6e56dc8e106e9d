// LINKS: envelopes between nodes, without a word of how they travel. The real ones are CAF over descriptors
// that the platform has authenticated (caf_links); the simulator has its own, which lose, delay and reorder.
//
// What is promised: nothing but this. An envelope may be lost, late, or overtaken by another; it comes at
// most once, whole, and from the peer that is named. Nothing here blocks. `send` refuses when more than a
// window of bytes is on its way to that peer: whoever sends keeps it, or answers `overloaded`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "core/errors/result.hpp"

namespace belfry::actors {

// Numbered, append only: messages/wire/wire.hpp has the kinds. `number` pairs an answer with its question.
struct envelope {
  std::uint16_t version = 0;
  std::uint16_t kind = 0;
  std::uint64_t number = 0;
  std::string body;
  friend bool operator==(const envelope&, const envelope&) = default;
};

using link_id = std::uint64_t;  // of one connection, never used again in this process; 0: none

// Called on a thread of the links, one at a time per link: up, then came any number of times, then down once.
struct link_listener {
  std::function<void(link_id, std::string node, std::string address)> up;  // `node`: as its certificate says
  std::function<void(link_id, envelope)> came;
  std::function<void(link_id, std::string why)> down;
};

class links {
 public:
  virtual ~links() = default;
  // Whom to tell; once, before anything else. Nothing is told after `silence` has returned.
  virtual void listen(link_listener to) = 0;
  virtual void silence() = 0;
  // Whether it was taken: false when there is no such link or its window is full. Any thread.
  virtual bool send(link_id to, envelope e) = 0;
  // As `send`, for what nobody waits for: it may stay for some milliseconds, to go with whatever goes next.
  virtual bool send_soon(link_id to, envelope e) { return send(to, std::move(e)); }
  virtual void close(link_id which, std::string why) = 0;
  // A member's side: connects to one of the addresses in turn. The outcome comes as `up`, or here, why not.
  virtual void dial(std::string address, std::function<void(core::failure)> failed) = 0;
};

}  // namespace belfry::actors
