// MIDDLEMAN: the broker that speaks BASP over descriptors which we bring. CAF's own broker listens, dials,
// asks its peers for their servers and routes for others; this one does none of it. Both sides of a
// connection begin here with a descriptor: who has dialled waits for the handshake, the other side writes it.
//
// Every header is judged before CAF acts on it, and the payload of a message has to begin as our own frames
// do: of all the types that CAF could make of foreign bytes, one is made. A peer's node id is replaced by one
// of our own, so that two machines with the same id, or one that links again before the old link is gone, are
// two peers.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <caf/actor_system_config.hpp>
#include <caf/io/basp_broker.hpp>

#include "actors/cluster/basp_filter.hpp"
#include "actors/cluster/caf_frames.hpp"
#include "actors/cluster/caf_links.hpp"

namespace belfry::actors {

// The system in which the broker finds what it has to know.
struct link_system_config : caf::actor_system_config {
  explicit link_system_config(const caf_link_options& o);
  caf_link_options options;
};

// What BASP puts in front of the fields of a frame, from this CAF's own mouth.
std::vector<char> link_frame_prologue(caf::actor_system& system);

class caf_middleman : public caf::io::basp_broker {
 public:
  explicit caf_middleman(caf::actor_config& cfg);
  const char* name() const override { return "belfry-links"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

  // Peers are not asked for anything.
  void learned_new_node_directly(const caf::node_id& node, bool known) override;
  void learned_new_node_indirectly(const caf::node_id& node) override;
  void proxy_announced(const caf::node_id& node, caf::actor_id actor) override;
  void finalize_handshake(const caf::node_id& node, caf::actor_id actor,
                          std::set<std::string>& interface) override;

 private:
  using handle = caf::io::connection_handle;
  struct connection {
    link_id id = 0;
    peer_link link;
    std::shared_ptr<link_load> load;
    bool dialled = false;
    bool greeted = false;      // the other side's handshake has come
    std::uint64_t theirs = 0;  // the actor that speaks for the other side; 0: none has yet
    basp_header next;          // of which the payload is awaited
    caf::actor_clock::time_point seen;
  };

  void take(take_socket& s);
  void arrived(caf::io::new_data_msg& m);
  // Why the connection has to end; empty: it goes on.
  std::string judge(const connection& c, const basp_header& h) const;
  std::string act(connection& c, handle h, std::vector<char>* payload);
  std::string shake_hands(connection& c, handle h, const std::vector<char>& payload);
  void look();
  void cut(handle h, const std::string& why);
  void forget(handle h);

  std::map<handle, connection> connections_;
  std::vector<char> prologue_;
  std::uint32_t last_peer_ = 0;
  const caf_link_options& options_;
};

}  // namespace belfry::actors
