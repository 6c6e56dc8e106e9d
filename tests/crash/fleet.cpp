#include "tests/crash/fleet.hpp"

#include <signal.h>

namespace belfry::test {

fleet::fleet(fleet_plan plan, real_node& node) : plan_(std::move(plan)), node_(node), chance_(plan_.seed) {
  for (std::size_t i = 0; i < plan_.workers; ++i) workers_.push_back({hire(), {}});
}

// Short leases: what a killed worker held, and what was claimed in an answer that never came, is back soon.
std::unique_ptr<background> fleet::hire() const {
  return start_worker(
      "unix:" + node_.data() + "/belfry.sock",
      {"--agent-type", "fleet", "--slots", std::to_string(plan_.slots), "--lease", "1s", "--heartbeat",
       "200ms", "--wait", "2s", "--patience", "0", "--env", "FLEET=" + plan_.mark},
      plan_.script);
}

void fleet::trouble() {
  auto& m = workers_[chance_() % workers_.size()];
  switch (chance_() % 8) {
    case 0:
    case 1:
    case 2: return kill_worker(m);
    case 3:
    case 4:
    case 5: return stop_worker(m);
    case 6: return kill_node();
    default: return stop_node();
  }
}

void fleet::kill_worker(member& m) {
  m.program->signal(SIGKILL);
  m.program->wait();
  ++counts_.worker_kills;
  said_ += m.program->said();
  m = {hire(), {}};
}

// Sometimes for less than its lease, sometimes for long enough to lose it.
void fleet::stop_worker(member& m) {
  if (m.wake_at) return;
  m.program->signal(SIGSTOP);
  ++counts_.worker_stops;
  m.wake_at = clock::now() + std::chrono::milliseconds{100 + chance_() % 2400};
}

void fleet::kill_node() {
  node_.kill9();
  node_wakes_at_.reset();
  ++counts_.node_kills;
  node_.start();
}

void fleet::stop_node() {
  if (node_wakes_at_) return;
  ::kill(node_.pid(), SIGSTOP);
  ++counts_.node_stops;
  node_wakes_at_ = clock::now() + std::chrono::milliseconds{50 + chance_() % 1500};
}

void fleet::wake_sleepers() {
  const auto now = clock::now();
  for (auto& m : workers_) {
    if (!m.wake_at || *m.wake_at > now) continue;
    m.program->signal(SIGCONT);
    m.wake_at.reset();
  }
  if (node_wakes_at_ && *node_wakes_at_ <= now) {
    ::kill(node_.pid(), SIGCONT);
    node_wakes_at_.reset();
  }
}

void fleet::calm() {
  for (auto& m : workers_) {
    m.program->signal(SIGCONT);
    m.wake_at.reset();
  }
  if (node_wakes_at_) ::kill(node_.pid(), SIGCONT);
  node_wakes_at_.reset();
}

std::vector<int> fleet::dismiss() {
  std::vector<int> codes;
  for (auto& m : workers_) m.program->signal(SIGTERM);
  for (auto& m : workers_) codes.push_back(m.program->wait(15s));
  return codes;
}

std::string fleet::said() const {
  auto all = said_;
  for (const auto& m : workers_) all += m.program->said();
  return all;
}

}  // namespace belfry::test
