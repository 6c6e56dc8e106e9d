// ADMISSION: whom the TLS door may let in. The desk says which nodes were removed; the door asks on a thread
// of its own, before the desk has heard of a link at all.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace belfry::actors {

class admission {
 public:
  bool admits(const std::string& node) const {
    const std::lock_guard hold{guard_};
    return !removed_.contains(node);
  }
  void refuse_only(std::set<std::string> removed) {
    const std::lock_guard hold{guard_};
    removed_ = std::move(removed);
  }

 private:
  mutable std::mutex guard_;
  std::set<std::string> removed_;
};

}  // namespace belfry::actors
