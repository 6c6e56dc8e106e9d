#include "storage/sqlite/journal_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace belfry::storage::sqlite {

namespace {

constexpr std::size_t most_gathered = 1U << 20;  // a larger commit is put out as it grows
// SQLite's own VFS takes the lowest 17 bits of an amount for the whole.
constexpr sqlite3_int64 piece = 64 * 1024;

// What SQLite allocates for an open journal; the file of the VFS below follows right behind it.
struct journal_file {
  sqlite3_file base;
  std::string* gathered;  // to be written at `from`
  sqlite3_int64 from;
};

journal_file& of(sqlite3_file* f) { return *reinterpret_cast<journal_file*>(f); }
sqlite3_file* below(sqlite3_file* f) { return reinterpret_cast<sqlite3_file*>(&of(f) + 1); }

sqlite3_int64 gathered_end(const journal_file& j) {
  return j.from + static_cast<sqlite3_int64>(j.gathered->size());
}

int write_pieces(sqlite3_file* file, const std::string& bytes, sqlite3_int64 from) {
  const auto size = static_cast<sqlite3_int64>(bytes.size());
  for (sqlite3_int64 at = 0; at < size; at += piece) {
    const auto amount = static_cast<int>(std::min(size - at, piece));
    if (const int no = file->pMethods->xWrite(file, bytes.data() + at, amount, from + at)) return no;
  }
  return SQLITE_OK;
}

// What cannot be written is forgotten: SQLite is told, and takes the transaction back.
int put_out(sqlite3_file* f) {
  auto& j = of(f);
  if (j.gathered->empty()) return SQLITE_OK;
  const int outcome = write_pieces(below(f), *j.gathered, j.from);
  j.gathered->clear();
  return outcome;
}

// No commit is in what is left by now: each was followed by its sync.
int close(sqlite3_file* f) {
  auto* file = below(f);
  delete of(f).gathered;
  return file->pMethods->xClose(file);
}

int read(sqlite3_file* f, void* to, int amount, sqlite3_int64 offset) {
  const auto& j = of(f);
  const bool overlaps = offset < gathered_end(j) && offset + amount > j.from;
  if (overlaps)
    if (const int no = put_out(f)) return no;
  auto* file = below(f);
  return file->pMethods->xRead(file, to, amount, offset);
}

int write(sqlite3_file* f, const void* bytes, int amount, sqlite3_int64 offset) {
  auto& j = of(f);
  const auto size = static_cast<std::size_t>(amount);
  if (!j.gathered->empty() && (offset != gathered_end(j) || j.gathered->size() + size > most_gathered))
    if (const int no = put_out(f)) return no;
  try {
    if (j.gathered->empty()) j.from = offset;
    j.gathered->append(static_cast<const char*>(bytes), size);
  } catch (const std::bad_alloc&) {
    return SQLITE_IOERR_NOMEM;
  }
  return SQLITE_OK;
}

int truncate(sqlite3_file* f, sqlite3_int64 length) {
  if (const int no = put_out(f)) return no;
  auto* file = below(f);
  return file->pMethods->xTruncate(file, length);
}

int sync(sqlite3_file* f, int flags) {
  if (const int no = put_out(f)) return no;
  auto* file = below(f);
  return file->pMethods->xSync(file, flags);
}

int file_size(sqlite3_file* f, sqlite3_int64* length) {
  auto* file = below(f);
  const int outcome = file->pMethods->xFileSize(file, length);
  if (outcome == SQLITE_OK && !of(f).gathered->empty()) *length = std::max(*length, gathered_end(of(f)));
  return outcome;
}

int lock(sqlite3_file* f, int level) { return below(f)->pMethods->xLock(below(f), level); }
int unlock(sqlite3_file* f, int level) { return below(f)->pMethods->xUnlock(below(f), level); }
int reserved(sqlite3_file* f, int* held) { return below(f)->pMethods->xCheckReservedLock(below(f), held); }
int control(sqlite3_file* f, int what, void* with) {
  return below(f)->pMethods->xFileControl(below(f), what, with);
}
int sector_size(sqlite3_file* f) { return below(f)->pMethods->xSectorSize(below(f)); }
int abilities(sqlite3_file* f) { return below(f)->pMethods->xDeviceCharacteristics(below(f)); }

constexpr sqlite3_io_methods methods_of_a_journal() {
  sqlite3_io_methods m{};
  m.iVersion = 1;
  m.xClose = close;
  m.xRead = read;
  m.xWrite = write;
  m.xTruncate = truncate;
  m.xSync = sync;
  m.xFileSize = file_size;
  m.xLock = lock;
  m.xUnlock = unlock;
  m.xCheckReservedLock = reserved;
  m.xFileControl = control;
  m.xSectorSize = sector_size;
  m.xDeviceCharacteristics = abilities;
  return m;
}
constexpr sqlite3_io_methods journal_methods = methods_of_a_journal();

// A journal works as well without; what did not fit is given back.
void make_room(sqlite3_file* file, sqlite3_int64 room) {
  sqlite3_int64 had = 0;
  if (file->pMethods->xFileSize(file, &had) != SQLITE_OK) return;
  const std::string zeros(static_cast<std::size_t>(piece), '\0');
  for (auto at = had; at < room; at += piece) {
    const auto amount = static_cast<int>(std::min(room - at, piece));
    if (file->pMethods->xWrite(file, zeros.data(), amount, at) == SQLITE_OK) continue;
    file->pMethods->xTruncate(file, had);
    return;
  }
}

}  // namespace

struct journal_vfs::registration {
  sqlite3_vfs vfs{};
  sqlite3_vfs* under = nullptr;
  std::string name;
  sqlite3_int64 room = 0;

  static const registration& of(sqlite3_vfs* v) { return *static_cast<registration*>(v->pAppData); }

  static int open(sqlite3_vfs* v, sqlite3_filename path, sqlite3_file* f, int flags, int* flags_given) {
    auto* under = of(v).under;
    if ((flags & SQLITE_OPEN_WAL) == 0) return under->xOpen(under, path, f, flags, flags_given);
    auto& j = sqlite::of(f);
    j.base.pMethods = nullptr;
    j.from = 0;
    auto* file = below(f);
    file->pMethods = nullptr;
    const int outcome = under->xOpen(under, path, file, flags, flags_given);
    if (outcome != SQLITE_OK) {
      if (file->pMethods != nullptr) file->pMethods->xClose(file);
      return outcome;
    }
    j.gathered = new (std::nothrow) std::string;
    if (j.gathered == nullptr) {
      file->pMethods->xClose(file);
      return SQLITE_NOMEM;
    }
    j.base.pMethods = &journal_methods;
    if ((flags & SQLITE_OPEN_READONLY) == 0) make_room(file, of(v).room);
    return SQLITE_OK;
  }

  // The others are passed on. Extensions are not: the store loads none.
  static int remove(sqlite3_vfs* v, const char* path, int synced) {
    return of(v).under->xDelete(of(v).under, path, synced);
  }
  static int access(sqlite3_vfs* v, const char* path, int flags, int* answer) {
    return of(v).under->xAccess(of(v).under, path, flags, answer);
  }
  static int full_path(sqlite3_vfs* v, const char* path, int size, char* whole) {
    return of(v).under->xFullPathname(of(v).under, path, size, whole);
  }
  static int randomness(sqlite3_vfs* v, int size, char* bytes) {
    return of(v).under->xRandomness(of(v).under, size, bytes);
  }
  static int nap(sqlite3_vfs* v, int us) { return of(v).under->xSleep(of(v).under, us); }
  static int day(sqlite3_vfs* v, double* now) { return of(v).under->xCurrentTime(of(v).under, now); }
  static int milliseconds(sqlite3_vfs* v, sqlite3_int64* now) {
    return of(v).under->xCurrentTimeInt64(of(v).under, now);
  }
  static int last_error(sqlite3_vfs* v, int size, char* text) {
    auto* under = of(v).under;
    return under->xGetLastError != nullptr ? under->xGetLastError(under, size, text) : 0;
  }
};

journal_vfs::journal_vfs(const std::string& parent, std::uint64_t room) {
  auto* under = sqlite3_vfs_find(parent.empty() ? nullptr : parent.c_str());
  if (under == nullptr) throw std::runtime_error("SQLite knows no VFS \"" + parent + "\"");
  static std::atomic<unsigned> made{0};
  auto r = std::make_unique<registration>();
  r->name = "belfry-journal-" + std::to_string(++made);
  r->room = static_cast<sqlite3_int64>(room);
  r->under = under;
  auto& v = r->vfs;
  v.iVersion = std::min(under->iVersion, 2);
  v.szOsFile = static_cast<int>(sizeof(journal_file)) + under->szOsFile;
  v.mxPathname = under->mxPathname;
  v.zName = r->name.c_str();
  v.pAppData = r.get();
  v.xOpen = registration::open;
  v.xDelete = registration::remove;
  v.xAccess = registration::access;
  v.xFullPathname = registration::full_path;
  v.xRandomness = registration::randomness;
  v.xSleep = registration::nap;
  v.xCurrentTime = registration::day;
  v.xGetLastError = registration::last_error;
  if (v.iVersion >= 2) v.xCurrentTimeInt64 = registration::milliseconds;
  if (sqlite3_vfs_register(&v, 0) != SQLITE_OK) throw std::runtime_error("SQLite takes no further VFS");
  registered_ = std::move(r);
}

journal_vfs::~journal_vfs() { sqlite3_vfs_unregister(&registered_->vfs); }

const std::string& journal_vfs::name() const { return registered_->name; }

}  // namespace belfry::storage::sqlite
