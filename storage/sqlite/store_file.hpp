// STORE FILE: opening it. Lock, pragmas, schema.
#pragma once

#include <memory>
#include <optional>

#include <SQLiteCpp/Database.h>

#include "core/errors/result.hpp"
#include "storage/contract/open.hpp"
#include "storage/sqlite/journal_vfs.hpp"
#include "storage/sqlite/lock_file.hpp"

namespace belfry::storage::sqlite {

// Members are destroyed in reverse: the lock goes last.
struct store_file {
  std::optional<lock_file> lock;         // none with a VFS of its own
  std::unique_ptr<journal_vfs> journal;  // none with durability `normal`
  std::unique_ptr<SQLite::Database> db;
};

core::result<store_file> open_store_file(const sqlite_options& options, core::instant now);
// A connection for reads alone.
core::result<std::unique_ptr<SQLite::Database>> open_for_reading(const sqlite_options& options);

}  // namespace belfry::storage::sqlite
