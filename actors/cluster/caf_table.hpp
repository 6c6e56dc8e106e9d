// TABLE: the links that there are, for whoever sends from any thread, and the one who is told. The only thing
// that caf_links shares between threads, and so the only thing with locks; nothing waits under them for
// longer than a listener takes.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "actors/cluster/caf_frames.hpp"
#include "actors/cluster/links.hpp"

namespace belfry::actors {

// Bytes that were taken by `send` and that the other side has not acknowledged.
struct link_gate {
  std::atomic<std::size_t> on_way{0};
  std::atomic<bool> up{false};
};

class link_table {
 public:
  struct entry {
    peer_link link;
    std::shared_ptr<link_gate> gate;
  };

  // Runs `make` with a new id, unless the table is shut: nothing is added to a system that is ending.
  void add(const std::function<entry(link_id)>& make) {
    const std::lock_guard guard{rows_lock_};  // tidy-allow(thread): send comes from any thread
    if (shut_) return;
    const auto id = ++last_;
    rows_.emplace(id, make(id));
  }
  std::optional<entry> find(link_id id) const {
    const std::lock_guard guard{rows_lock_};  // tidy-allow(thread): as above
    const auto at = rows_.find(id);
    return at == rows_.end() ? std::nullopt : std::optional{at->second};
  }
  void erase(link_id id) {
    const std::lock_guard guard{rows_lock_};  // tidy-allow(thread): as above
    rows_.erase(id);
  }
  std::size_t size() const {
    const std::lock_guard guard{rows_lock_};  // tidy-allow(thread): as above
    return rows_.size();
  }
  std::vector<entry> shut() {
    std::vector<entry> all;
    const std::lock_guard guard{rows_lock_};  // tidy-allow(thread): as above
    shut_ = true;
    for (auto& [id, row] : rows_) all.push_back(std::move(row));
    rows_.clear();
    return all;
  }

  void listen(link_listener to) {
    const std::lock_guard guard{telling_};  // tidy-allow(thread): nothing is told after silence has returned
    to_ = std::move(to);
  }
  void silence() {
    const std::lock_guard guard{telling_};  // tidy-allow(thread): as above
    to_.reset();
  }
  void tell(const std::function<void(const link_listener&)>& what) {
    const std::lock_guard guard{telling_};  // tidy-allow(thread): as above
    if (to_) what(*to_);
  }

 private:
  mutable std::mutex rows_lock_;  // tidy-allow(thread): as above
  std::map<link_id, entry> rows_;
  link_id last_ = 0;
  bool shut_ = false;
  // Recursive: a listener may call silence.
  std::recursive_mutex telling_;  // tidy-allow(thread): as above
  std::optional<link_listener> to_;
};

}  // namespace belfry::actors
