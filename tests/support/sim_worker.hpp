// SIM WORKER: an outside session. It claims, begins, reports, completes; or it vanishes, comes back late with
// an old token, completes twice, hands back, parks, tries a wrong token.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "tests/support/sim_town.hpp"

namespace belfry::tests {

class sim_worker final : public sim_guest {
 public:
  /// `able`: may take everything that the world's clients submit for outside workers of the workspace.
  sim_worker(std::string name, std::string workspace, bool able)
      : sim_guest(std::move(name)), workspace_(std::move(workspace)), able_(able) {}
  void act(sim_town& town) override;
  void life_ended(sim_town& town) override;

  /// Set while a claim of it waits for work.
  const std::optional<messages::claim_runs>& waiting() const { return claiming_; }
  std::optional<core::session_id> session() const { return session_; }
  std::uint32_t slots() const { return slots_; }

 private:
  enum class plan : std::uint8_t { finish, fail, release, park, vanish, late, twice, otherwise, wrong_token };
  using key = std::pair<core::run_id, std::uint64_t>;
  struct held {
    plan how = plan::finish;
    core::token_hash hash{};
    core::span lease{0};
    core::instant beat_at = core::never, end_at = core::never;  // steady
    bool started = false, busy = false, cancel = false, settled = false;
    std::optional<core::cmd_settle> said;  // repeated as it is until it is answered
  };

  void enlist(sim_town& town);
  void claim(sim_town& town);
  void take(sim_town& town, messages::claimed_run won, core::span lease, bool started);
  void work(sim_town& town, const key& k, held& h);
  void touch(sim_town& town, const key& k, decltype(messages::lease_call::what) what, const char* text);
  void settle(sim_town& town, const key& k, held& h);
  void settled(sim_town& town, const key& k, bool again, const core::result<messages::settled_item>& item);
  void leave(sim_town& town);
  core::cmd_settle words(sim_town& town, const key& k, const held& h) const;

  std::string workspace_;
  bool able_;
  bool enlisting_ = false, leaving_ = false;
  std::uint32_t slots_ = 1;
  std::optional<core::session_id> session_;
  std::optional<messages::claim_runs> claiming_;
  std::map<key, held> held_;
};

}  // namespace belfry::tests
