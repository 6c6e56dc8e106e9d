// ADMISSION: whom the TLS door may let in. The desk says which nodes were removed; the door asks on a thread
// of its own, before the desk has heard of a link at all. A set is never changed, only replaced.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace belfry::actors {

class admission {
 public:
  bool admits(const std::string& node) const { return !std::atomic_load(&removed_)->contains(node); }
  void refuse_only(std::set<std::string> removed) {
    std::atomic_store(&removed_, std::make_shared<const std::set<std::string>>(std::move(removed)));
  }

 private:
  std::shared_ptr<const std::set<std::string>> removed_ = std::make_shared<const std::set<std::string>>();
};

}  // namespace belfry::actors
