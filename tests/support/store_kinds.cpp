#include "tests/support/store_kinds.hpp"

#include <random>

namespace belfry::tests::stores {

temporary_folder::temporary_folder() {
  std::random_device random;
  path_ = std::filesystem::temp_directory_path() /
          ("belfry-store-" + std::to_string(random()) + std::to_string(random()));
  std::filesystem::create_directories(path_);
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

core::result<std::unique_ptr<storage::store>> sqlite_kind::open(core::instant now) {
  storage::sqlite_options options;
  options.path = folder_.file("belfry.db");
  options.sync = storage::durability::normal;  // what is tested here does not depend on it
  return storage::open_sqlite(options, now);
}

core::result<std::unique_ptr<storage::store>> memory_kind::open(core::instant now) {
  return storage::open_memory(disk_, now);
}

}  // namespace belfry::tests::stores
