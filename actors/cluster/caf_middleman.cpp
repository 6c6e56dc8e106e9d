#include "actors/cluster/caf_middleman.hpp"

#include <algorithm>
#include <utility>

#include <caf/actor_registry.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/io/basp/header.hpp>
#include <caf/io/basp/version.hpp>
#include <caf/io/middleman.hpp>
#include <caf/message_handler.hpp>
#include <caf/send.hpp>

namespace belfry::actors {
namespace {

// Where a link's actor is published while its handshake is written, which is at once.
constexpr std::uint16_t short_lived_port = 1;

std::string_view view(const std::vector<char>& bytes) { return {bytes.data(), bytes.size()}; }

// Unique among our peers, and nothing else.
caf::node_id local_name_of_peer(std::uint32_t number) {
  caf::node_id::default_data::host_id_type host{};
  host.fill(0xBE);
  return caf::make_node_id(number, host);
}

// Both sides compare it: what shares nothing with us but BASP is no peer.
constexpr auto spoken_here = "belfry-links/1";
// A peer that keeps to its window never has so many times the window before the actor of its link.
constexpr std::size_t windows_waiting = 4;

}  // namespace

std::vector<char> link_frame_prologue(caf::actor_system& system) {
  std::vector<char> bytes;
  caf::binary_serializer sink{system, bytes};
  std::vector<caf::strong_actor_ptr> forwarding;
  auto empty = caf::make_message(link_frame{});
  if (sink(forwarding, empty)) return {};
  bytes.resize(bytes.size() - link_frame_fields - length_of_length(0));
  return bytes;
}

link_system_config::link_system_config(const caf_link_options& o) : options{o} {
  load<caf::io::middleman>();
  add_message_type<link_frame>("belfry.link_frame");
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", o.threads);
  set("scheduler.max-throughput", static_cast<std::size_t>(100));
  set("middleman.app-identifiers", std::vector<std::string>{spoken_here});
  // Frames are read in the broker, one after the other: they come in order, and a broken one ends the link.
  // It also beats and listens for silence by itself (CAF's own default is never), to say which link it was.
  set("middleman.workers", static_cast<std::size_t>(0));
  set("middleman.attach-utility-actors", true);
}

caf_middleman::caf_middleman(caf::actor_config& cfg)
    : basp_broker(cfg),
      prologue_{link_frame_prologue(caf::io::basp_broker::system())},
      options_{dynamic_cast<const link_system_config&>(config()).options} {}

caf::behavior caf_middleman::make_behavior() {
  auto usual = basp_broker::make_behavior();
  delayed_send(this, options_.heartbeat, broker_tick{});
  return caf::message_handler{
      [this](caf::io::new_data_msg& m) { arrived(m); },
      [this](const caf::io::connection_closed_msg& m) { cut(m.handle, "the connection was closed"); },
      [this](take_socket& s) { take(s); },
      [this](const drop_socket& d) {
        const auto at = std::find_if(connections_.begin(), connections_.end(),
                                     [&](const auto& c) { return c.second.id == d.id; });
        if (at != connections_.end()) forget(at->first);
      },
      [this](broker_tick) { look(); }}
      .or_else(std::move(usual));
}

void caf_middleman::on_exit() {
  connections_.clear();
  basp_broker::on_exit();
}

void caf_middleman::learned_new_node_directly(const caf::node_id& node, bool /*known*/) {
  this_context->id = node;
}
void caf_middleman::learned_new_node_indirectly(const caf::node_id& /*node*/) {}
void caf_middleman::proxy_announced(const caf::node_id& /*node*/, caf::actor_id /*actor*/) {}
void caf_middleman::finalize_handshake(const caf::node_id& node, caf::actor_id actor,
                                       std::set<std::string>& /*interface*/) {
  this_context->id = node;
  const auto at = connections_.find(this_context->hdl);
  if (at == connections_.end()) return;
  at->second.theirs = actor;
  caf::anon_send(at->second.link, link_seated{proxies().get_or_put(node, actor)});
}

void caf_middleman::take(take_socket& s) {
  const auto socket = add_scribe(s.socket->release());
  const auto whom = caf::actor_cast<caf::strong_actor_ptr>(s.link);
  system().registry().put(whom->id(), whom);
  connection c;
  c.id = s.id;
  c.link = std::move(s.link);
  c.load = std::move(s.load);
  c.dialled = s.dialled;
  c.seen = clock().now();
  connections_.insert_or_assign(socket, std::move(c));
  set_context(socket);
  if (!s.dialled) {
    instance.add_published_actor(short_lived_port, whom, {});
    instance.write_server_handshake(context(), get_buffer(socket), short_lived_port);
    instance.remove_published_actor(short_lived_port);
    flush(socket);
  }
  configure_read(socket, caf::io::receive_policy::exactly(basp_header_size));
}

void caf_middleman::arrived(caf::io::new_data_msg& m) {
  const auto at = connections_.find(m.handle);
  if (at == connections_.end()) return;
  auto& c = at->second;
  set_context(m.handle);
  c.seen = clock().now();
  std::string why;
  if (c.next.payload == 0) {
    const auto h = read_basp_header(view(m.buf));
    why = judge(c, h);
    if (why.empty() && h.payload != 0) {
      c.next = h;
      configure_read(m.handle, caf::io::receive_policy::exactly(h.payload));
      return;
    }
    // Without a payload there are heartbeats only.
  } else {
    why = act(c, m.handle, &m.buf);
    c.next = {};
    if (why.empty()) configure_read(m.handle, caf::io::receive_policy::exactly(basp_header_size));
  }
  if (!why.empty()) cut(m.handle, why);
}

std::string caf_middleman::judge(const connection& c, const basp_header& h) const {
  if (const auto why = refuse_basp(h, !c.greeted); !why.empty()) return "it sent " + std::string{why};
  switch (h.operation) {
    case basp_operation::server_handshake:
      if (!c.dialled) return "it sent the handshake of the other side";
      if (h.data != caf::io::basp::version) return "it speaks another version of BASP";
      return {};
    case basp_operation::client_handshake:
      return c.dialled ? "it sent the handshake of the other side" : std::string{};
    case basp_operation::direct_message:
      if (h.destination != c.link->id() || (c.theirs != 0 && h.source != c.theirs))
        return "it sent a message to or from an actor that is not the link's";
      if (h.data != caf::make_message_id().integer_value()) return "it sent a request";
      if (c.load->waiting + h.payload > windows_waiting * options_.window + longest_basp_payload)
        return "it sends more than its window";
      return {};
    default: return {};
  }
}

std::string caf_middleman::act(connection& c, handle h, std::vector<char>* payload) {
  switch (c.next.operation) {
    case basp_operation::server_handshake:
    case basp_operation::client_handshake: return shake_hands(c, h, *payload);
    case basp_operation::direct_message: {
      if (!view(*payload).starts_with(view(prologue_))) return "it sent a message that is no frame";
      c.theirs = c.next.source;
      caf::io::basp::header hdr{caf::io::basp::message_type::direct_message,
                                0,
                                c.next.payload,
                                c.next.data,
                                c.next.source,
                                c.next.destination};
      c.load->waiting += c.next.payload;
      if (instance.handle(context(), h, hdr, payload) != caf::io::basp::await_header)
        return "it sent a frame that cannot be read";
      return {};
    }
    default: return {};  // that somebody has a proxy of the link's actor is no news
  }
}

std::string caf_middleman::shake_hands(connection& c, handle h, const std::vector<char>& payload) {
  const bool by_server = c.next.operation == basp_operation::server_handshake;
  const auto name = local_name_of_peer(++last_peer_);
  std::vector<char> ours;
  caf::binary_serializer sink{context(), ours};
  if (by_server) {
    caf::binary_deserializer source{context(), payload};
    caf::node_id node;
    std::vector<std::string> speaks;
    caf::actor_id actor = caf::invalid_actor_id;
    std::set<std::string> interface;
    if (source(node, speaks, actor, interface)) return "its handshake cannot be read";
    if (actor == caf::invalid_actor_id) return "it has no actor for the link";
    interface.clear();
    if (sink(name, speaks, actor, interface)) return "its handshake cannot be read";
  } else if (sink(name)) {
    return "its handshake cannot be read";
  }
  caf::io::basp::header hdr{static_cast<caf::io::basp::message_type>(c.next.operation),
                            c.next.flags,
                            static_cast<std::uint32_t>(ours.size()),
                            c.next.data,
                            c.next.source,
                            c.next.destination};
  c.greeted = true;
  const auto then = instance.handle(context(), h, hdr, &ours);
  if (then == caf::io::basp::incompatible_application_ids) return "it is no belfry of this kind";
  return then == caf::io::basp::await_header ? std::string{} : "its handshake came to nothing";
}

void caf_middleman::look() {
  delayed_send(this, options_.heartbeat, broker_tick{});
  const auto now = clock().now();
  std::vector<handle> silent;
  for (const auto& [h, c] : connections_)
    if (now - c.seen > options_.silence) silent.push_back(h);
  for (const auto& h : silent)
    cut(h, "nothing has come for " + std::to_string(core::millis(options_.silence)) + " ms");
  instance.send_heartbeats(context());
}

void caf_middleman::cut(handle h, const std::string& why) {
  const auto at = connections_.find(h);
  if (at == connections_.end()) return;
  caf::anon_send(at->second.link, link_broken{why});
  forget(h);
}

void caf_middleman::forget(handle h) {
  connections_.erase(h);
  connection_cleanup(h, caf::sec::none);
  close(h);
}

}  // namespace belfry::actors
