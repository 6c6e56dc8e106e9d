// GATEWAY: the actor behind the port. It asks whom a question concerns, for as long as it takes, and hands
// the answer back.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/event_hub/role.hpp"
#include "actors/gateway/port.hpp"
#include "actors/gateway/role.hpp"
#include "actors/support/failures.hpp"

namespace belfry::actors {

// Whom the gateway asks. Empty handles: nobody is there yet.
struct doors {
  messages::lease_desk_actor lease_desk;
  messages::operator_desk_actor operator_desk;
  messages::job_registry_actor jobs;
  messages::session_door sessions;
  messages::wake_door wakes;
  messages::dispatcher_actor dispatcher;
  claim_desk claims = {};
  messages::node_client node;
  messages::spawner_door spawner = {};
  messages::cycle_door cycles;
  messages::ladder_door ladder;
  messages::node_door nodes = {};
  event_hub_client hub;
  std::vector<messages::reader_actor> readers;
};

class gateway : public gateway_actor::base {
 public:
  explicit gateway(caf::actor_config& cfg) : gateway_actor::base(cfg) {}
  const char* name() const override { return "gateway"; }
  behavior_type make_behavior() override {
    return {[this](gateway_call& call) { call.run(*this); }};
  }
  void on_exit() override {
    doors_ = {};
    early_.clear();
  }

  // To be called by closures, in the gateway's own time.
  const doors& open_doors() const { return doors_; }
  void use(doors d) {
    doors_ = std::move(d);
    if (doors_.hub)
      for (auto& entry : std::exchange(early_, {})) caf::anon_send(doors_.hub, add_watch{entry});
  }
  void use_reader(std::size_t index, messages::reader_actor r) {
    if (index < doors_.readers.size()) doors_.readers[index] = std::move(r);
  }
  // The last one is for what takes long, so that nobody waits behind a backup.
  messages::reader_actor reader_for(bool takes_long) {
    const auto all = doors_.readers.size();
    if (all == 0) return {};
    return takes_long || all == 1 ? doors_.readers.back() : doors_.readers[next_++ % (all - 1)];
  }
  void watch(std::shared_ptr<watch_entry> entry) {
    if (doors_.hub)
      caf::anon_send(doors_.hub, add_watch{std::move(entry)});
    else
      early_.push_back(std::move(entry));
  }
  void unwatch(const std::shared_ptr<watch_entry>& entry) {
    std::erase(early_, entry);
    if (doors_.hub) caf::anon_send(doors_.hub, drop_watch{entry});
  }

  // Sessions whose worker the node has started: their words come with a token.
  void know_token(core::session_id id, const core::token_hash& token) { tokens_[id] = token; }
  void forget_token(core::session_id id) { tokens_.erase(id); }
  // Why nobody may speak for the session who shows this.
  std::optional<core::failure> refuses(core::session_id who,
                                       const std::optional<core::token_hash>& shown) const;

  void hand_on(messages::claim_runs m, const std::shared_ptr<open_question<messages::claimed_runs>>& q) {
    if (!doors_.claims) return q->answer(refused_by(gate::starting));
    caf::anon_send(doors_.claims, claim_at_door{std::move(m), q});
  }
  template <class Who, class M, class T>
  void ask(const Who& who, M m, const std::shared_ptr<open_question<T>>& q, const char* whom) {
    if (!who) return q->answer(refused_by(gate::starting));
    request(who, caf::infinite, std::move(m))
        .then([q](core::result<T>& r) { q->answer(std::move(r)); },
              [q, whom](caf::error& e) { q->answer(failure_of(e, whom)); });
  }

 private:
  doors doors_;
  std::vector<std::shared_ptr<watch_entry>> early_;  // watches from before the hub was there
  std::size_t next_ = 0;
  std::unordered_map<core::session_id, core::token_hash> tokens_;
};

}  // namespace belfry::actors
