#include "actors/cluster/caf_links.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/logger.hpp>
#include <caf/send.hpp>

#include "actors/cluster/caf_middleman.hpp"
#include "actors/cluster/caf_peer.hpp"
#include "messages/wire/wire.hpp"

namespace belfry::actors {
namespace {

constexpr int heartbeats_in_silence = 4;
constexpr std::size_t longest_piece = std::size_t{512} << 10;

caf_link_options sound(caf_link_options o) {
  o.heartbeat = std::max<core::span>(o.heartbeat, std::chrono::milliseconds{10});
  o.silence = std::max(o.silence, o.heartbeat * heartbeats_in_silence);
  o.piece = std::clamp<std::size_t>(o.piece, 1, longest_piece);
  o.threads = std::max<std::size_t>(o.threads, 1);
  return o;
}

class real_caf_links final : public caf_links {
 public:
  real_caf_links(platform::secure_links& through, caf_link_options options)
      : options_{sound(options)},
        through_{through},
        config_{options_},
        system_{config_},
        broker_{system_.middleman().named_broker<caf_middleman>(caf::atom("belfry"))},
        overhead_{link_frame_prologue(system_).size()} {}

  ~real_caf_links() override {
    table_->silence();
    for (auto& row : table_->shut()) caf::anon_send_exit(row.link, caf::exit_reason::user_shutdown);
    broker_ = nullptr;
  }
  real_caf_links(const real_caf_links&) = delete;
  real_caf_links& operator=(const real_caf_links&) = delete;

  void listen(link_listener to) override { table_->listen(std::move(to)); }
  void silence() override { table_->silence(); }

  bool send(link_id to, envelope e) override { return post(to, std::move(e), false); }
  bool send_soon(link_id to, envelope e) override { return post(to, std::move(e), true); }

  bool post(link_id to, envelope e, bool soon) {
    if (e.body.size() > messages::wire::longest_body || e.kind >= least_own_kind) return false;
    const auto row = table_->find(to);
    if (!row || !row->gate->up) return false;
    const auto weight = weight_of(e);
    auto on_way = row->gate->on_way.load();
    do {
      if (on_way >= options_.window) return false;
    } while (!row->gate->on_way.compare_exchange_weak(on_way, on_way + weight));
    caf::anon_send(row->link, link_post{std::move(e), soon});
    return true;
  }

  void close(link_id which, std::string why) override {
    if (const auto row = table_->find(which)) caf::anon_send(row->link, link_close{std::move(why)});
  }

  // What is called later holds the table, which is shut by the time that this is gone.
  void dial(std::string address, std::function<void(core::failure)> failed) override {
    const auto done = [this, table = table_,
                       failed = std::move(failed)](core::result<platform::secure_link> made) {
      if (made)
        table->add([&](link_id id) { return begin(id, std::move(*made), true, failed); });
      else
        table->tell([&](const link_listener&) { failed(made.error()); });
    };
    through_.dial(address, platform::link_protocol::actors, "", options_.dial, done);
  }

  core::result<std::string> listen_on(const std::string& address,
                                      std::function<void(platform::secure_link)> others) override {
    return through_.listen(address,
                           [this, table = table_, others = std::move(others)](platform::secure_link link) {
                             if (link.protocol == platform::link_protocol::actors)
                               table->add([&](link_id id) { return begin(id, std::move(link), false, {}); });
                             else if (others)
                               others(std::move(link));
                           });
  }

  void adopt(platform::secure_link link) override {
    table_->add([&](link_id id) { return begin(id, std::move(link), false, {}); });
  }

  standing seen() const override { return {table_->size(), system_.registry().running()}; }

 private:
  link_table::entry begin(link_id id, platform::secure_link link, bool dialled,
                          std::function<void(core::failure)> failed) {
    caf_peer_deps deps;
    deps.id = id;
    deps.node = std::move(link.node);
    deps.address = std::move(link.address);
    deps.dialled = dialled;
    deps.table = table_;
    deps.gate = std::make_shared<link_gate>();
    deps.load = std::make_shared<link_load>();
    deps.broker = broker_;
    deps.options = options_;
    deps.frame_overhead = overhead_;
    deps.failed = std::move(failed);
    const auto gate = deps.gate;
    const auto load = deps.load;
    const auto peer = system_.spawn<caf_peer>(std::move(deps));
    // The spawn has left a reference to the system's logger with this thread, which is the platform's and
    // outlives the system: its destructor would wait for it for ever.
    caf::logger::set_current_actor_system(nullptr);
    auto socket = std::make_shared<platform::descriptor>(std::move(link.local));
    caf::anon_send(broker_, take_socket{id, std::move(socket), peer, load, dialled});
    return {peer, gate};
  }

  caf_link_options options_;
  platform::secure_links& through_;
  std::shared_ptr<link_table> table_ = std::make_shared<link_table>();
  link_system_config config_;
  mutable caf::actor_system system_;
  caf::actor broker_;
  std::size_t overhead_;
};

}  // namespace

std::unique_ptr<caf_links> make_caf_links(platform::secure_links& through, caf_link_options options) {
  return std::make_unique<real_caf_links>(through, options);
}

}  // namespace belfry::actors
