// SIM MACHINE: one computer of the simulated cluster: its clocks, and the actor system of the process that
// runs on it. Its steady clock is a little too fast or too slow, its wall clock shows what it likes; true
// time is known to the simulator alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/time/instant.hpp"
#include "tests/support/sim_dice.hpp"
#include "tests/support/virtual_clock.hpp"

namespace caf {
class actor_system;
namespace scheduler {
class test_coordinator;
}
}  // namespace caf

namespace belfry::tests {

class sim_machine {
 public:
  /// `ppm`: by how many millionths its clocks are too fast.
  sim_machine(std::string name, std::int64_t ppm, core::span skew);

  const std::string& name() const { return name_; }
  /// Moves its clocks to this true time.
  void follow(core::instant truth);
  /// The first true time at which its steady clock shows this.
  core::instant truth_of(core::instant steady) const;

  /// A process runs on it from now on, under CAF's test coordinator.
  void boot(caf::actor_system& system);
  void halt();
  bool runs() const { return coordinator_ != nullptr; }
  /// Somebody has something to do and may do it.
  bool ready() const;
  /// One message of one ready actor; says who and what.
  std::string deliver(dice& luck);
  /// True time of its next timer.
  std::optional<core::instant> next_timer() const;
  void ring();

  virtual_clock clock;
  bool frozen = false;  // nothing of the process moves; children and clocks do

 private:
  void set_coordinator();

  std::string name_;
  std::int64_t ppm_;
  caf::scheduler::test_coordinator* coordinator_ = nullptr;
  core::instant origin_{};       // steady time at which the process began
  std::int64_t caf_origin_ = 0;  // and where CAF's clock stood, in nanoseconds
};

}  // namespace belfry::tests
