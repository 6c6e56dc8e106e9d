#include "storage/sqlite/store_file.hpp"

#include <filesystem>
#include <optional>
#include <string>

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include "storage/migrations/migrations.hpp"
#include "storage/sqlite/failures.hpp"

namespace belfry::storage::sqlite {
namespace {

constexpr int busy_milliseconds = 5000;

// A database cannot be in WAL mode and in an older journal without saying so: what was asked for is read
// back.
void want(SQLite::Database& db, const std::string& pragma, const std::string& value) {
  const auto got = db.execAndGet("pragma " + pragma + " = " + value).getString();
  if (got != value)
    throw SQLite::Exception("pragma " + pragma + " is " + got + " instead of " + value, SQLITE_CANTOPEN);
}

// What SQLite is told before its first use in the process: not to keep statistics of its memory, which nobody
// reads and which cost a lock for every allocation. Too late is no harm.
void set_up_library() {
  static const int done = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)done;
}

// The small allocations of a running statement come from here instead of the heap. Must be the first thing
// that is said to a connection.
constexpr int small_size = 1200;
constexpr int small_pieces = 400;

void set_up(SQLite::Database& db, const sqlite_options& o) {
  sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_LOOKASIDE, nullptr, small_size, small_pieces);
  if (!o.vfs.empty()) want(db, "locking_mode", "exclusive");
  // A new file becomes a WAL file through one last transaction with a rollback journal. Should that journal
  // come back after a power loss (its folder was not synced), the whole store would be rolled back to
  // nothing: `extra` syncs it.
  db.exec("pragma synchronous = extra");
  want(db, "journal_mode", "wal");
  db.exec(o.sync == durability::full ? "pragma synchronous = full" : "pragma synchronous = normal");
  db.exec("pragma cache_size = -" + std::to_string(o.cache_kib));
  db.exec("pragma temp_store = memory");
  db.exec("pragma mmap_size = 0");
  db.exec("pragma secure_delete = off");     // on in Debian; nothing secret is stored in the clear
  db.exec("pragma wal_autocheckpoint = 0");  // `maintain` does it, when replies are out
  db.exec("pragma journal_size_limit = 67108864");
  db.exec("pragma trusted_schema = off");
}

// On a small disk the journal grows as it needs to.
constexpr std::uint64_t disk_for_room = 16;

std::uint64_t room_for_journal(const sqlite_options& o) {
  if (o.journal_room > 0 && o.disk_free && o.disk_free() / disk_for_room < o.journal_room) return 0;
  return o.journal_room;
}

// A journal without its store: somebody was interrupted who moved both away. SQLite would make an empty store
// and drop the journal, and with it the last commits of the store that was moved.
std::optional<core::failure> refuse_torn(const sqlite_options& o) {
  if (!o.vfs.empty()) return std::nullopt;
  std::error_code error;
  const auto journal = o.path + "-wal";
  if (std::filesystem::exists(o.path, error)) return std::nullopt;
  if (const auto size = std::filesystem::file_size(journal, error); error || size == 0) return std::nullopt;
  return core::failure{core::errc::storage_damaged,
                       "there is " + journal +
                           ", but not the store that it belongs to; a restore was "
                           "interrupted, or the store was removed. Nothing was changed",
                       {},
                       "belfry backup restore FILE --replace, or put the store back beside its journal"};
}

}  // namespace

core::result<store_file> open_store_file(const sqlite_options& options, core::instant now) {
  set_up_library();
  store_file file;
  const std::string doing = "open the store " + options.path;
  try {
    if (options.vfs.empty()) {
      auto lock = lock_file::take(options.path, options.holder);
      if (!lock) return std::move(lock).error();
      file.lock = std::move(*lock);
    }
    if (auto torn = refuse_torn(options)) return std::move(*torn);
    if (options.sync == durability::full)
      file.journal = std::make_unique<journal_vfs>(options.vfs, room_for_journal(options));
    file.db = std::make_unique<SQLite::Database>(
        options.path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX, busy_milliseconds,
        file.journal ? file.journal->name() : options.vfs);
    set_up(*file.db, options);
    if (auto migrated = migrations::migrate(*file.db, migrations::all(), now); !migrated) {
      auto no = std::move(migrated).error();
      no.text = "cannot " + doing + ": " + no.text;
      return no;
    }
    return file;
  } catch (const std::exception& e) {
    return to_failure(e, doing);
  }
}

core::result<std::unique_ptr<SQLite::Database>> open_for_reading(const sqlite_options& options) {
  try {
    auto db = std::make_unique<SQLite::Database>(options.path, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX,
                                                 busy_milliseconds);
    db->exec("pragma query_only = on");
    db->exec("pragma cache_size = -" + std::to_string(options.cache_kib / 4));
    db->exec("pragma temp_store = memory");
    return db;
  } catch (const std::exception& e) {
    return to_failure(e, "open the store " + options.path + " for reading");
  }
}

}  // namespace belfry::storage::sqlite
