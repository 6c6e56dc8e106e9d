// LOCK FILE: one process per store. `<path>.lock` is a tiny SQLite database in which the holder keeps a write
// transaction open for life: a second one cannot begin its own, but can read who is there. The lock is the
// kernel's, so it is gone with the process, however that ends; the file stays and means nothing by itself.
#pragma once

#include <memory>
#include <string>

#include <SQLiteCpp/Database.h>

#include "core/errors/result.hpp"

namespace belfry::storage::sqlite {

class lock_file {
 public:
  // Codes: store_held (says who has it), unavailable (the file cannot be made), storage_damaged.
  static core::result<lock_file> take(const std::string& store_path, const std::string& holder);

 private:
  explicit lock_file(std::unique_ptr<SQLite::Database> db) : db_{std::move(db)} {}
  std::unique_ptr<SQLite::Database> db_;
};

}  // namespace belfry::storage::sqlite
