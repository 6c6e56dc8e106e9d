#include "storage/sqlite/lock_file.hpp"

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include "storage/sqlite/failures.hpp"

namespace belfry::storage::sqlite {
namespace {

std::string holder_in(SQLite::Database& db) {
  try {
    SQLite::Statement q{db, "select holder from held"};
    if (q.executeStep()) return q.getColumn(0).getString();
  } catch (const SQLite::Exception&) {
    // Not written yet, or just being written: the other one is there all the same.
  }
  return {};
}

core::failure held_by(SQLite::Database& db, const std::string& store_path) {
  auto who = holder_in(db);
  if (who.empty()) who = "another process";
  return {core::errc::store_held, "the store " + store_path + " is in use by " + who, {}, {}};
}

}  // namespace

core::result<lock_file> lock_file::take(const std::string& store_path, const std::string& holder) {
  std::unique_ptr<SQLite::Database> db;
  try {
    db = std::make_unique<SQLite::Database>(
        store_path + ".lock", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX);
    db->exec("pragma synchronous = off");  // nothing in it has to survive
    db->exec("begin immediate");
    db->exec("create table if not exists held (holder text not null)");
    db->exec("delete from held");
    {
      SQLite::Statement q{*db, "insert into held values (?1)"};
      q.bind(1, holder);
      q.exec();
    }
    db->exec("commit");
    db->exec("begin immediate");
    return lock_file{std::move(db)};
  } catch (const SQLite::Exception& e) {
    if (db && (e.getErrorCode() == SQLITE_BUSY || e.getErrorCode() == SQLITE_LOCKED))
      return held_by(*db, store_path);
    return to_failure(e, "lock the store " + store_path);
  }
}

}  // namespace belfry::storage::sqlite
