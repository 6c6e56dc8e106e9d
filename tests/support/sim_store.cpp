#include "tests/support/sim_store.hpp"

#include <utility>

namespace belfry::tests {
namespace {

core::failure gone() { return {core::errc::unavailable, "the node is dead", {}, {}}; }

}  // namespace

sim_store::sim_store(std::unique_ptr<storage::store> real, std::shared_ptr<store_wire> wire)
    : real_{std::move(real)}, wire_{std::move(wire)}, told_{real_->last_event()} {
  wire_->real = real_;
}

sim_store::~sim_store() = default;

void sim_store::look_at_disk() {
  if (wire_->dead && wire_->dead()) wire_->cut = true;
}

core::result<storage::receipt> sim_store::apply(const storage::change_set& set) {
  if (wire_->cut) return gone();
  ++wire_->sets;
  wire_->open = true;
  auto answer = real_->apply(set);
  look_at_disk();
  if (wire_->watcher != nullptr) wire_->watcher->applied(set, answer);
  return answer;
}

core::result<void> sim_store::commit() {
  if (wire_->cut) return gone();
  wire_->open = false;
  if (wire_->commit_fault)
    if (auto why = wire_->commit_fault()) {
      real_->rollback();
      if (wire_->watcher != nullptr) wire_->watcher->lost();
      return std::move(*why);
    }
  ++wire_->commits;
  auto answer = real_->commit();
  look_at_disk();
  if (wire_->watcher == nullptr) return answer;
  if (!answer) {
    wire_->watcher->lost();
    return answer;
  }
  const auto last = real_->last_event();
  std::vector<core::event> events;
  if (last > told_)
    if (auto read = real_->events_between(told_ + 1, last)) events = std::move(*read);
  told_ = last;
  wire_->watcher->committed(events);
  return answer;
}

void sim_store::rollback() {
  if (wire_->cut) return;
  wire_->open = false;
  real_->rollback();
  if (wire_->watcher != nullptr) wire_->watcher->lost();
}

core::result<storage::open_page> sim_store::scan_open(core::run_id after, std::size_t limit) {
  if (wire_->cut) return gone();
  return real_->scan_open(after, limit);
}

core::result<core::pause_book> sim_store::pauses() {
  if (wire_->cut) return gone();
  return real_->pauses();
}

core::result<core::limit_options> sim_store::limits(const core::limit_options& configured) {
  if (wire_->cut) return gone();
  return real_->limits(configured);
}

core::result<std::vector<core::event>> sim_store::events_between(std::int64_t first, std::int64_t last) {
  if (wire_->cut) return gone();
  return real_->events_between(first, last);
}

void sim_store::maintain() {
  if (!wire_->cut) real_->maintain();
}

}  // namespace belfry::tests
