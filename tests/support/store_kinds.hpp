// STORE KINDS: what the conformance suite runs on. A kind opens a store, opens it again on what survived, and
// names itself.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "storage/contract/open.hpp"

namespace belfry::tests::stores {

// A folder of its own in the temporary directory, gone with the object.
class temporary_folder {
 public:
  temporary_folder();
  ~temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

class sqlite_kind {
 public:
  static constexpr const char* name = "sqlite";
  core::result<std::unique_ptr<storage::store>> open(core::instant now);

 private:
  temporary_folder folder_;
};

class memory_kind {
 public:
  static constexpr const char* name = "memory";
  core::result<std::unique_ptr<storage::store>> open(core::instant now);

 private:
  std::shared_ptr<storage::memory_disk> disk_ = storage::make_memory_disk();
};

}  // namespace belfry::tests::stores
