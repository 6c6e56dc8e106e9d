// FOLDER: the data folder of a node: made, held by one node at a time, and marked.
#pragma once

#include <memory>
#include <string>

#include "core/errors/result.hpp"

namespace belfry::app {

// Held for as long as it lives. store_held says which process has it.
class folder_lock {
 public:
  static core::result<std::unique_ptr<folder_lock>> take(const std::string& folder);
  // Whether nobody holds it; nothing is made or written.
  static core::result<void> look(const std::string& folder);
  ~folder_lock();
  folder_lock(const folder_lock&) = delete;
  folder_lock& operator=(const folder_lock&) = delete;

 private:
  explicit folder_lock(int fd) : fd_(fd) {}
  int fd_;
};

core::result<void> make_data_folder(const std::string& folder);
// What the children of a node on this folder carry in BELFRY_NODE: made once, and bound to the place, so that
// the node on a copy of the folder does not kill the processes of the node on the original.
core::result<std::string> mark_of(const std::string& folder);

// Tells systemd, when it asked to be told (NOTIFY_SOCKET): "READY=1", "STOPPING=1".
void notify_manager(const std::string& state);

}  // namespace belfry::app
