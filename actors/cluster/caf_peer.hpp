// PEER: the actor of one link. It puts envelopes into frames and back, keeps the window, and says up, came
// and down. The broker feeds it; it is the only actor that the peer can reach, and all that it does to a
// frame that makes no sense is to end the link.
//
// It lives in the thread of the sockets, as the broker does, so that a frame wakes no thread on its way. What
// is posted in one go leaves in one frame, and what may wait leaves with it: a frame costs several times what
// an envelope in it does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/resumable.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/cluster/caf_frames.hpp"
#include "actors/cluster/caf_links.hpp"
#include "actors/cluster/caf_table.hpp"

namespace belfry::actors {

struct caf_peer_deps {
  link_id id = 0;
  std::string node, address;
  bool dialled = false;
  std::shared_ptr<link_table> table;
  std::shared_ptr<link_gate> gate;
  std::shared_ptr<link_load> load;
  caf::actor broker;
  caf_link_options options;
  std::size_t frame_overhead = 0;             // of a payload, beside the fields
  std::function<void(core::failure)> failed;  // of who dialled, until it is up
};

class caf_peer : public peer_link::base {
 public:
  caf_peer(caf::actor_config& cfg, caf_peer_deps deps);
  const char* name() const override { return "peer-link"; }
  behavior_type make_behavior() override;
  void on_exit() override;

  void enqueue(caf::strong_actor_ptr from, caf::message_id id, caf::message what,
               caf::execution_unit* where) override;
  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* where) override;
  void launch(caf::execution_unit* where, bool lazy, bool hidden) override;
  caf::resumable::subtype_t subtype() const override { return caf::resumable::io_actor; }

 private:
  caf::execution_unit* sockets();
  // A long body on its way out or in.
  struct transfer {
    envelope what;
    std::uint64_t number = 0;
    std::size_t at = 0;  // out: sent so far; in: how long it will be
  };

  void seat(caf::strong_actor_ptr who);
  void came(link_frame& f);
  void piece_came(const link_frame& f);
  void bundle_came(const link_frame& f);
  void deliver(envelope e);
  void taken_there(std::uint64_t bytes);
  void took(std::size_t bytes);
  void say_taken();
  void post(link_post p);
  void flush();
  void pump();
  void transmit(link_frame f, std::size_t weight);
  void finish(const std::string& why, bool tell_broker);

  caf_peer_deps deps_;
  far_link far_;
  bool up_ = false, finished_ = false;
  std::uint64_t sent_ = 0, acknowledged_ = 0;  // bytes: written, and of those taken by the other side
  std::uint64_t taken_ = 0, told_ = 0;         // bytes: taken here, and of those said
  bool alarm_ = false;
  std::vector<envelope> held_;  // that will go together
  std::size_t held_weight_ = 0;
  bool flushing_ = false, waiting_ = false;  // word of that, or an alarm for it, is on its way
  std::deque<transfer> out_;
  std::uint64_t last_transfer_ = 0;
  std::map<std::uint64_t, transfer> in_;
};

}  // namespace belfry::actors
