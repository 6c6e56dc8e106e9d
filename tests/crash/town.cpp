#include "tests/crash/town.hpp"

#include <signal.h>

namespace belfry::test {

void town::kill_member(const std::string& name) {
  ++counts_.member_kills;
  asleep_.erase(name);
  all_.member(name).kill9();
  all_.member(name).launch();
}

void town::stop_member(const std::string& name) {
  if (asleep_.contains(name)) return;
  ++counts_.member_stops;
  ::kill(all_.member(name).pid(), SIGSTOP);
  asleep_[name] = clock::now() + between(100, 5000);  // some beyond the lease, some not
}

void town::cut_link(const std::string& name) {
  if (cut_.contains(name)) return;
  ++counts_.cuts;
  all_.link(name).cut();
  cut_[name] = clock::now() + between(100, 5000);
}

void town::kill_coordinator() {
  if (coordinator_wakes_) return;
  ++counts_.coordinator_kills;
  all_.coordinator().kill9();
  all_.coordinator().start();
}

void town::stop_coordinator() {
  if (coordinator_wakes_) return;
  ++counts_.coordinator_stops;
  ::kill(all_.coordinator().pid(), SIGSTOP);
  coordinator_wakes_ = clock::now() + between(50, 3000);
}

void town::trouble() {
  switch (chance_() % 12) {
    case 0:
    case 1:
    case 2: return kill_member(somebody());
    case 3:
    case 4:
    case 5: return stop_member(somebody());
    case 6:
    case 7: return cut_link(somebody());
    case 8:
    case 9: ++counts_.severed; return all_.link(somebody()).sever();
    case 10: return kill_coordinator();
    default: return stop_coordinator();
  }
}

void town::wake_sleepers() {
  const auto now = clock::now();
  if (coordinator_wakes_ && now >= *coordinator_wakes_) {
    ::kill(all_.coordinator().pid(), SIGCONT);
    coordinator_wakes_.reset();
  }
  for (auto it = asleep_.begin(); it != asleep_.end();) {
    if (now < it->second) {
      ++it;
      continue;
    }
    ::kill(all_.member(it->first).pid(), SIGCONT);
    it = asleep_.erase(it);
  }
  for (auto it = cut_.begin(); it != cut_.end();) {
    if (now < it->second) {
      ++it;
      continue;
    }
    all_.link(it->first).mend();
    it = cut_.erase(it);
  }
}

void town::calm() {
  if (coordinator_wakes_) *coordinator_wakes_ = clock::now();
  for (auto& [name, at] : asleep_) at = clock::now();
  for (auto& [name, at] : cut_) at = clock::now();
  wake_sleepers();
  for (const auto& name : all_.members())
    if (all_.member(name).ended()) all_.member(name).launch();
}

}  // namespace belfry::test
