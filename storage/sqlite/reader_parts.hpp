// PARTS of the reader, for its own files only.
#pragma once

#include <exception>

#include "storage/sqlite/failures.hpp"
#include "storage/sqlite/sqlite_reader.hpp"

namespace belfry::storage::sqlite {

// One committed state for all statements of a read. On the writer's connection its transaction is the state.
class sqlite_reader::snapshot {
 public:
  explicit snapshot(SQLite::Database& db) : db_{db}, own_{sqlite3_get_autocommit(db.getHandle()) != 0} {
    if (own_) db_.exec("begin");
  }
  ~snapshot() {
    if (own_) sqlite3_exec(db_.getHandle(), "rollback", nullptr, nullptr, nullptr);  // nothing was written
  }
  snapshot(const snapshot&) = delete;
  snapshot& operator=(const snapshot&) = delete;

 private:
  SQLite::Database& db_;
  bool own_;
};

template <class T, class Read>
core::result<T> sqlite_reader::reading(const char* what, Read read) {
  try {
    auto db = connection();
    if (!db) return std::move(db).error();
    const snapshot one{**db};
    return read();
  } catch (const std::exception& e) {
    return to_failure(e, what);
  }
}

}  // namespace belfry::storage::sqlite
