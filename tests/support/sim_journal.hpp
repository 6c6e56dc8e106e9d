// SIM JOURNAL: the life of every run as the journal alone tells it. An independent second account: it is
// compared with the rows, and each event must be a legal continuation of what was told before.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/events/event.hpp"
#include "core/run/state.hpp"

namespace belfry::tests {

class sim_journal {
 public:
  struct life {
    std::uint32_t states = 0;  // bit set of the states that the run may be in
    std::uint64_t fencing = 0;
    std::uint32_t attempt = 0, losses = 0;
    bool may_be(core::run_state s) const { return (states >> static_cast<unsigned>(s) & 1U) != 0; }
  };

  /// What is wrong with this event, if anything is.
  std::optional<std::string> take(const core::event& e);
  const life* find(core::run_id id) const;
  std::int64_t last() const { return last_; }
  /// How often the store's cumulative totals should say that this happened.
  std::int64_t total(core::event_kind k) const { return totals_[static_cast<std::size_t>(k)]; }

 private:
  life* living(core::run_id id);

  std::int64_t last_ = 0;
  std::map<core::run_id, life> runs_;
  std::map<core::run_id, core::run_id> batches_;  // first → last
  std::array<std::int64_t, 256> totals_{};        // as many as a kind has numbers
};

}  // namespace belfry::tests
