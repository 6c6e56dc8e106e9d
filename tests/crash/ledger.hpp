// LEDGER: what the outside knows for sure about a node that is killed again and again: every answer that was
// given is a promise, and whatever breaks one is written down here. Used by many threads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/http_client.hpp"

namespace belfry::test {

// How a run stood when somebody was told that it had ended. It stands like that for ever.
struct last_word {
  std::string state;
  std::uint32_t attempt = 0;
  std::uint64_t fencing = 0;
  friend bool operator==(const last_word&, const last_word&) = default;
};
std::string shown(const last_word& w);

// A submission; all its runs have the same name, which nobody else uses.
struct wish {
  std::string name;
  std::size_t count = 1;
  std::string key;  // Idempotency-Key; empty: none
  std::string target;
  json body;
  std::vector<std::string> ids;  // empty until it was acknowledged
};

// The end of an attempt, as an outside worker said it.
struct verdict {
  std::string run;
  std::uint64_t fencing = 0;
  std::string verb;  // complete, fail, release, park
  json body;
  bool bulk = false;
};

class ledger {
 public:
  void broken(const std::string& what);
  std::vector<std::string> all_broken() const;

  void acknowledge(wish w);
  void leave_open(wish w);  // no answer came
  std::vector<wish> take_open_wishes();
  std::vector<wish> wishes() const;                              // acknowledged
  std::map<std::string, std::string> acknowledged_runs() const;  // id to name
  std::optional<std::string> some_run(std::mt19937_64& chance) const;

  // A claim was answered: nobody else may ever be given this fencing number of this run.
  void claimed(const std::string& run, std::uint64_t fencing, const std::string& token);
  void leave_open(verdict v);
  std::vector<verdict> take_open_verdicts();
  // Somebody was told that the run is in this state; only ends are remembered.
  void told(const std::string& run, const last_word& w);
  std::map<std::string, last_word> finished() const;
  std::size_t unfinished() const;

  std::vector<std::string> tokens() const;

  std::atomic<std::uint64_t> answers{0};
  std::atomic<std::uint64_t> submitted{0}, claims{0}, completions{0}, repeats{0}, refused{0};

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> broken_;
  std::vector<wish> kept_, open_;
  std::vector<std::string> order_;
  std::map<std::string, std::string> runs_;
  std::map<std::pair<std::string, std::uint64_t>, std::string> claims_;
  std::vector<verdict> verdicts_;
  std::map<std::string, last_word> finished_;
};

// GATE: lets the crowd at the node, and gathers it again after a kill.
class gate {
 public:
  explicit gate(std::size_t crowd) : crowd_(crowd) {}
  void open(endpoint where);
  void close();
  void end();  // everybody goes home
  bool all_waiting(std::chrono::milliseconds deadline);
  // Blocks until it is opened once more than `seen`; false: go home.
  bool enter(std::uint64_t& seen, endpoint& where);
  bool is_open(std::uint64_t seen) const { return open_ && epoch_ == seen; }

 private:
  std::size_t crowd_;
  std::mutex mutex_;
  std::condition_variable changed_;
  endpoint where_;
  std::atomic<std::uint64_t> epoch_{0};
  std::atomic<bool> open_{false};
  bool end_ = false;
  std::size_t waiting_ = 0;
};

}  // namespace belfry::test
