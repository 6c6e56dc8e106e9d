#include "tests/support/sim_crash_disk.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <exception>

namespace belfry::tests {
namespace {

const std::string path = "/store.db";

// Two disks of one seed may exist at a time.
std::string fresh_name() {
  static std::size_t disks = 0;
  return "power-" + std::to_string(++disks);
}

}  // namespace

crash_sim_disk::crash_sim_disk(std::uint64_t seed, crash_disk_options options)
    : vfs_(crash_vfs::create(fresh_name(), seed)), options_(options), luck_(seed ^ 0x5DEECE66DULL) {}

core::result<std::unique_ptr<storage::store>> crash_sim_disk::open(core::instant now) {
  const bool dies = luck_.chance(options_.dies_writing);
  // Now and then already while it is opened: migrations, recovery.
  if (dies && luck_.chance(0.1)) vfs_->fail_after(luck_.below(30));
  storage::sqlite_options o;
  o.path = path;
  o.vfs = vfs_->name();
  o.sync = options_.sync;
  o.reserve = 0;
  o.cache_kib = 512;
  o.checkpoint_pages = options_.checkpoint_pages;
  auto opened = storage::open_sqlite(o, now);
  if (opened && dies && !vfs_->frozen()) vfs_->fail_after(luck_.between(1, options_.most_writes));
  return opened;
}

void crash_sim_disk::lose_power() {
  vfs_->crash();
  vfs_->heal();
}

// Every second time: looking at it is a recovery too, and the store is to be opened on a crashed disk as
// well.
std::optional<std::string> crash_sim_disk::damage() {
  if (luck_.chance(0.5) || !vfs_->exists(path)) return std::nullopt;
  ++checked_;
  try {
    SQLite::Database db{path, SQLite::OPEN_READWRITE, 0, vfs_->name()};
    db.exec("pragma locking_mode = exclusive");
    for (const auto* pragma : {"pragma integrity_check", "pragma foreign_key_check"}) {
      SQLite::Statement check{db, pragma};
      if (!check.executeStep()) continue;
      const auto said = check.getColumn(0).getString();
      if (said != "ok") return std::string{pragma} + " says: " + said;
    }
  } catch (const std::exception& e) {
    return std::string{"the store cannot be read: "} + e.what();
  }
  return std::nullopt;
}

}  // namespace belfry::tests
