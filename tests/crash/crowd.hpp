// CROWD: clients of a node, each a thread with its own connection: submitters, outside workers, watchers.
// They go on over any number of deaths of the node and write every promise into the ledger.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/crash/ledger.hpp"

namespace belfry::test {

struct crowd_plan {
  std::size_t submitters = 2;
  std::size_t workers = 3;
  std::size_t watchers = 1;
  std::uint64_t seed = 1;
  std::string diary;                  // process runs append "id attempt fencing" to this file
  std::size_t most_unfinished = 300;  // beyond it nobody submits
};

class crowd {
 public:
  crowd(crowd_plan plan, ledger& book);
  ~crowd();
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;

  void let_in(const endpoint& where) { gate_.open(where); }
  // Nobody is let in again until the next let_in, and whoever is inside finds the node dead.
  void shut() { gate_.close(); }
  bool gathered(std::chrono::milliseconds deadline) { return gate_.all_waiting(deadline); }
  // No more submissions: only what is there is worked off.
  void last_orders() { closing_ = true; }
  // What nobody answered before the kill is said again; alone with the node.
  void repeat_open(http_client& http);

 private:
  void submitter(std::size_t index);
  void worker(std::size_t index);
  void watcher(std::size_t index);
  std::uint64_t seed_of(std::size_t index) const { return plan_.seed * 1'000'003U + index; }

  crowd_plan plan_;
  ledger& book_;
  gate gate_;
  std::atomic<bool> closing_{false};
  std::atomic<std::uint64_t> next_wish_{0};
  std::vector<std::thread> threads_;
};

}  // namespace belfry::test
