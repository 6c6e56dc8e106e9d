// DEADLINES: one heap of instants; the owner sleeps until the first. Entries may be superseded: the newest
// deadline of a key wins, older heap entries are skipped when they surface.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <unordered_map>
#include <vector>

#include "core/time/instant.hpp"

namespace belfry::core {

class deadlines {
 public:
  void set(std::int64_t key, instant at);  // replaces
  void clear(std::int64_t key);
  std::optional<instant> next();  // earliest live deadline
  // Takes out what is due (at <= now), oldest first, at most `limit`.
  std::vector<std::int64_t> take_due(instant now, std::size_t limit);
  std::size_t size() const { return at_.size(); }

 private:
  struct item {
    instant at;
    std::int64_t key;
    friend bool operator>(const item& a, const item& b) { return a.at != b.at ? a.at > b.at : a.key > b.key; }
  };
  std::priority_queue<item, std::vector<item>, std::greater<>> heap_;
  std::unordered_map<std::int64_t, instant> at_;
};

}  // namespace belfry::core
