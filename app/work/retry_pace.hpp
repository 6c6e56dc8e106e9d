// RETRY PACE: when to ask a node again that did not answer, or asked for patience. Pure.
//
// 100 ms doubling to 2 s, ±30 %, so that a hundred workers of a node that comes back do not ask in step. A
// Retry-After is obeyed, up to half a minute. The cap is low because the lease of a run that is being done
// goes on running out while its worker waits.
#pragma once

#include <optional>

#include "core/time/instant.hpp"

namespace belfry::app {

class retry_pace {
 public:
  /// `patience` zero: never gives up.
  explicit retry_pace(core::span patience) : patience_(patience) {}

  /// How long to wait before the next try; nothing when patience is over. `unit` in [0, 1) is chance.
  std::optional<core::span> failed(core::instant now, std::optional<core::span> asked_for, double unit);
  void succeeded();
  bool failing() const { return since_ != core::never; }

 private:
  core::span patience_;
  core::instant since_ = core::never;  // of the first failure in a row
  core::span next_{0};
};

}  // namespace belfry::app
