#include "tests/support/sim_machine.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tests/support/sim_labels.hpp"

namespace belfry::tests {
namespace {

constexpr std::int64_t million = 1'000'000;
// What a steady clock shows when the simulation begins: no machine has just been switched on.
constexpr core::span switched_on_before = std::chrono::hours{1};
// Nobody waits for longer than that.
constexpr core::span very_long = std::chrono::hours{24 * 100};

}  // namespace

sim_machine::sim_machine(std::string name, std::int64_t ppm, core::span skew)
    : clock(virtual_clock::usual_start + skew - switched_on_before), name_(std::move(name)), ppm_(ppm) {
  clock.advance(switched_on_before);
}

void sim_machine::follow(core::instant truth) {
  const auto shows = core::from_micros(core::micros(truth) * (million + ppm_) / million) + switched_on_before;
  if (shows > clock.steady()) clock.advance(shows - clock.steady());
  if (coordinator_ != nullptr) set_coordinator();
}

core::instant sim_machine::truth_of(core::instant steady) const {
  const auto since = steady - core::instant{} - switched_on_before;
  if (since <= core::span{0}) return {};
  if (since > very_long) return core::end_of_time;
  return core::from_micros((since.count() * million + million + ppm_ - 1) / (million + ppm_));
}

void sim_machine::set_coordinator() {
  coordinator_->clock().current_time = caf::actor_clock::time_point{
      caf::actor_clock::duration_type{caf_origin_ + (clock.steady() - origin_).count() * 1000}};
}

void sim_machine::boot(caf::actor_system& system) {
  coordinator_ = dynamic_cast<caf::scheduler::test_coordinator*>(&system.scheduler());
  if (coordinator_ == nullptr) throw std::logic_error(name_ + " does not run under the test coordinator");
  origin_ = clock.steady();
  caf_origin_ = coordinator_->clock().current_time.time_since_epoch().count();
  frozen = false;
}

void sim_machine::halt() { coordinator_ = nullptr, frozen = false; }

bool sim_machine::ready() const { return coordinator_ != nullptr && !frozen && !coordinator_->jobs.empty(); }

std::string sim_machine::deliver(dice& luck) {
  auto& jobs = coordinator_->jobs;
  const auto i = static_cast<std::ptrdiff_t>(luck.below(jobs.size()));
  std::rotate(jobs.begin(), jobs.begin() + i, jobs.begin() + i + 1);
  std::string what;
  if (auto* actor = dynamic_cast<caf::scheduled_actor*>(jobs.front())) {
    const auto* element = actor->mailbox().peek();
    what = std::string{actor->name()} + "#" + std::to_string(actor->id()) + " " +
           (element != nullptr ? label_of(element->content()) : "starts");
  }
  coordinator_->try_run_once();
  return what;
}

std::optional<core::instant> sim_machine::next_timer() const {
  if (coordinator_ == nullptr || frozen || coordinator_->clock().schedule().empty()) return std::nullopt;
  const auto at = coordinator_->clock().schedule().begin()->first.time_since_epoch().count() - caf_origin_;
  return truth_of(std::max(origin_ + core::span{(at + 999) / 1000}, clock.steady()));
}

void sim_machine::ring() { coordinator_->clock().trigger_timeout(); }

}  // namespace belfry::tests
