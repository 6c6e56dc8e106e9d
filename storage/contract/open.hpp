// OPENING a store. Codes: store_held (another process has it: says its pid and since when), schema_newer,
// storage_damaged, unavailable (the directory cannot be used).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "storage/contract/store.hpp"

namespace belfry::storage {

enum class durability : std::uint8_t { full = 0, normal = 1 };

struct sqlite_options {
  /// The store file; its folder must exist. A lock file stands beside it.
  std::string path;
  /// full: a reply means committed and synced. normal: a power cut may lose the last commits. Default full.
  durability sync = durability::full;
  /// 0..255, goes into ids. Default 0.
  std::uint8_t node = 0;
  /// Page cache in KiB. Default 16,384.
  std::uint32_t cache_kib = 16384;
  /// SQLite VFS name; empty: the default one. Tests give the crash VFS. With a name, no lock file is used and
  /// the journal mode runs exclusive.
  std::string vfs;
  /// Bytes free on the disk below which new work is refused (storage_full). Default 32 MiB. 0: not checked.
  std::uint64_t reserve = 32u << 20;
  /// Who holds the store, in plain words, for whoever is refused: "pid 123 since 2026-11-21T10:00:00Z".
  /// Default: nothing known.
  std::string holder;
  /// Bytes free where the store lies; asked at most once per transaction. Empty: the reserve is not checked.
  std::function<std::uint64_t()> disk_free;
  /// Whether this start is noted among those that a crash loop is seen by. Default true.
  bool notes_start = true;
  /// Bytes that the journal has from the start (durability full), so that a commit need not make it longer;
  /// with less than 16 times of that free on the disk, and with 0: it grows. Default 0.
  std::uint64_t journal_room = 0;
  /// Pages in the journal from which `maintain` copies it into the store file. Default 1,000 (4 MiB).
  std::uint32_t checkpoint_pages = 1000;
};

core::result<std::unique_ptr<store>> open_sqlite(const sqlite_options& options, core::instant now);

/// Schema of a store file; nothing is written. Codes: not_found, storage_damaged.
core::result<std::uint32_t> schema_of_sqlite_file(const std::string& path);
/// The newest schema that this program knows.
std::uint32_t known_schema();
/// Reads of a store whose node may be running or not; it must have the schema that this program knows.
std::unique_ptr<reader> read_sqlite_file(const std::string& path);
/// Checks a store file that nobody has open. Codes: not_found, storage_damaged (it is no store),
/// schema_newer.
core::result<core::store_check> check_sqlite_file(const std::string& path);
/// Copies the store file `from` to the new file `to` (synced, 0600), under another name until it is whole.
core::result<void> copy_sqlite_file(const std::string& from, const std::string& to);

// The reference: everything in memory. `memory_disk` is what survives a "crash" of the node; a store opened
// on it sees only what was committed. For tests, simulation and `belfry serve --store memory`.
class memory_disk;
std::shared_ptr<memory_disk> make_memory_disk();
core::result<std::unique_ptr<store>> open_memory(std::shared_ptr<memory_disk> disk, core::instant now,
                                                 std::uint8_t node = 0);

}  // namespace belfry::storage
