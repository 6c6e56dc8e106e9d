#include "tests/support/crash_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace belfry::tests {

struct crash_vfs::registration {
  sqlite3_vfs vfs{};
};

// SQLite's side of it: C functions that find their disk and file again.
struct crash_vfs_calls {
  // What SQLite allocates per open file.
  struct handle {
    sqlite3_file base;
    crash_vfs* disk;
    crash_vfs::file_ptr* file;
  };

  static handle& of(sqlite3_file* f) { return *reinterpret_cast<handle*>(f); }
  static crash_vfs& of(sqlite3_vfs* v) { return *static_cast<crash_vfs*>(v->pAppData); }
  static std::size_t size(sqlite3_int64 n) { return static_cast<std::size_t>(n); }

  static int close(sqlite3_file* f) {
    auto& h = of(f);
    if ((*h.file)->owner == &h) (*h.file)->owner = nullptr;
    delete h.file;
    return SQLITE_OK;
  }

  static int read(sqlite3_file* f, void* to, int amount, sqlite3_int64 offset) {
    const auto& bytes = (*of(f).file)->seen;
    const auto wanted = size(amount);
    const auto there = size(offset) < bytes.size() ? std::min(wanted, bytes.size() - size(offset)) : 0;
    auto* out = static_cast<char*>(to);
    std::copy_n(bytes.data() + (there == 0 ? 0 : size(offset)), there, out);
    std::fill(out + there, out + wanted, '\0');  // SQLite relies on the zeros
    return there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }

  static int write(sqlite3_file* f, const void* from, int amount, sqlite3_int64 offset) {
    auto& h = of(f);
    auto& file = **h.file;
    const bool grows = size(offset) + size(amount) > file.seen.size();
    if (const int no = h.disk->operate(grows, SQLITE_IOERR_WRITE)) return no;
    ++h.disk->writes_;
    crash_vfs::write w{offset, std::string(static_cast<const char*>(from), size(amount))};
    crash_vfs::play(file.seen, w);
    file.unsafe.push_back(std::move(w));
    return SQLITE_OK;
  }

  static int truncate(sqlite3_file* f, sqlite3_int64 length) {
    auto& h = of(f);
    if (const int no = h.disk->operate(false, SQLITE_IOERR_TRUNCATE)) return no;
    ++h.disk->writes_;
    crash_vfs::write w{-length - 1, {}};
    crash_vfs::play((*h.file)->seen, w);
    (*h.file)->unsafe.push_back(std::move(w));
    return SQLITE_OK;
  }

  static int sync(sqlite3_file* f, int) {
    auto& h = of(f);
    if (const int no = h.disk->operate(false, SQLITE_IOERR_FSYNC)) return no;
    ++h.disk->syncs_;
    auto& file = **h.file;
    for (const auto& w : file.unsafe) crash_vfs::play(file.safe, w);
    file.unsafe.clear();
    file.entered = true;
    return SQLITE_OK;
  }

  static int file_size(sqlite3_file* f, sqlite3_int64* out) {
    *out = static_cast<sqlite3_int64>((*of(f).file)->seen.size());
    return SQLITE_OK;
  }

  // One writer per file: whoever forgot to close the store before opening it again is told.
  static int lock(sqlite3_file* f, int level) {
    auto& file = **of(f).file;
    if (level < SQLITE_LOCK_RESERVED) return SQLITE_OK;
    if (file.owner != nullptr && file.owner != &of(f)) return SQLITE_BUSY;
    file.owner = &of(f);
    return SQLITE_OK;
  }
  static int unlock(sqlite3_file* f, int level) {
    auto& file = **of(f).file;
    if (level < SQLITE_LOCK_RESERVED && file.owner == &of(f)) file.owner = nullptr;
    return SQLITE_OK;
  }
  static int reserved(sqlite3_file* f, int* out) {
    *out = (*of(f).file)->owner != nullptr ? 1 : 0;
    return SQLITE_OK;
  }

  static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector_size(sqlite3_file*) { return 512; }
  // A write does not harm bytes beside it, as on the file systems that belfry runs on.
  static int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static int open(sqlite3_vfs* v, const char* name, sqlite3_file* f, int flags, int* out_flags) {
    static const sqlite3_io_methods methods{
        1,       close,    read,    write,       truncate,        sync,    file_size, lock,
        unlock,  reserved, control, sector_size, characteristics, nullptr, nullptr,   nullptr,
        nullptr, nullptr,  nullptr};
    auto& disk = of(v);
    auto& h = of(f);
    h.base.pMethods = nullptr;  // nothing to close when the opening fails
    crash_vfs::file_ptr file;
    if (name == nullptr) {
      file = std::make_shared<crash_vfs::file>();  // a temporary one
    } else if (const auto at = disk.files_.find(name); at != disk.files_.end()) {
      file = at->second;
    } else {
      if ((flags & SQLITE_OPEN_CREATE) == 0 || disk.frozen_) return SQLITE_CANTOPEN;
      file = disk.files_[name] = std::make_shared<crash_vfs::file>();
    }
    h.disk = &disk;
    h.file = new crash_vfs::file_ptr{std::move(file)};
    h.base.pMethods = &methods;
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* v, const char* name, int sync_folder) {
    auto& disk = of(v);
    if (disk.frozen_) return SQLITE_IOERR_DELETE;
    const auto at = disk.files_.find(name);
    if (at == disk.files_.end()) return SQLITE_IOERR_DELETE_NOENT;
    if (sync_folder == 0)
      disk.removed_[name] = at->second;
    else
      disk.removed_.erase(name);
    disk.files_.erase(at);
    return SQLITE_OK;
  }

  static int access(sqlite3_vfs* v, const char* name, int, int* out) {
    *out = of(v).files_.contains(name) ? 1 : 0;
    return SQLITE_OK;
  }
  static int full_path(sqlite3_vfs*, const char* name, int room, char* out) {
    sqlite3_snprintf(room, out, "%s", name);
    return SQLITE_OK;
  }
  static int randomness(sqlite3_vfs* v, int amount, char* out) {
    for (int i = 0; i < amount; ++i) out[i] = static_cast<char>(of(v).random_());
    return amount;
  }
  static int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
  static int now(sqlite3_vfs*, double* out) {
    *out = 2461000.5;  // some day in 2026, always the same
    return SQLITE_OK;
  }
  static int last_error(sqlite3_vfs*, int, char*) { return 0; }
};

crash_vfs::crash_vfs(std::string name, std::uint64_t seed)
    : name_{std::move(name)}, random_{seed}, registered_{std::make_unique<registration>()} {
  auto& v = registered_->vfs;
  v.iVersion = 1;
  v.szOsFile = static_cast<int>(sizeof(crash_vfs_calls::handle));
  v.mxPathname = 512;
  v.zName = name_.c_str();
  v.pAppData = this;
  v.xOpen = crash_vfs_calls::open;
  v.xDelete = crash_vfs_calls::remove;
  v.xAccess = crash_vfs_calls::access;
  v.xFullPathname = crash_vfs_calls::full_path;
  v.xRandomness = crash_vfs_calls::randomness;
  v.xSleep = crash_vfs_calls::sleep;
  v.xCurrentTime = crash_vfs_calls::now;
  v.xGetLastError = crash_vfs_calls::last_error;
  if (sqlite3_vfs_register(&v, 0) != SQLITE_OK)
    throw std::runtime_error("SQLite did not take the VFS " + name_);
}

crash_vfs::~crash_vfs() { sqlite3_vfs_unregister(&registered_->vfs); }

std::shared_ptr<crash_vfs> crash_vfs::create(const std::string& name, std::uint64_t seed) {
  if (sqlite3_vfs_find(name.c_str()) != nullptr)
    throw std::logic_error("there is a VFS named " + name + " already");
  return std::shared_ptr<crash_vfs>{new crash_vfs{name, seed}};
}

int crash_vfs::operate(bool grows, int failure) {
  if (frozen_) return failure;
  if (!armed_) return SQLITE_OK;
  if (good_left_ > 0) {
    --good_left_;
    return SQLITE_OK;
  }
  switch (fault_) {
    case disk_fault::power_off: frozen_ = true; return failure;
    case disk_fault::disk_full: return grows ? SQLITE_FULL : SQLITE_OK;
    case disk_fault::io_error: return failure;
  }
  return failure;
}

void crash_vfs::freeze() { frozen_ = true; }

void crash_vfs::heal() { armed_ = false; }

void crash_vfs::fail_after(std::uint64_t operations, disk_fault fault) {
  armed_ = true;
  good_left_ = operations;
  fault_ = fault;
}

void crash_vfs::play(std::string& bytes, const write& w) {
  if (w.offset < 0) return bytes.resize(static_cast<std::size_t>(-w.offset - 1));
  const auto from = static_cast<std::size_t>(w.offset);
  if (bytes.size() < from + w.bytes.size()) bytes.resize(from + w.bytes.size());
  std::copy(w.bytes.begin(), w.bytes.end(), bytes.begin() + w.offset);
}

void crash_vfs::lose(file& f) {
  constexpr std::size_t sector = 512;
  for (const auto& w : f.unsafe) {
    if (w.offset < 0) {
      if (dice()) play(f.safe, w);
      continue;
    }
    // Sectors are those of the disk, whatever the writes were.
    auto at = static_cast<std::size_t>(w.offset);
    const auto end = at + w.bytes.size();
    while (at < end) {
      const auto next = std::min(end, (at / sector + 1) * sector);
      if (dice())
        play(f.safe, {static_cast<std::int64_t>(at),
                      w.bytes.substr(at - static_cast<std::size_t>(w.offset), next - at)});
      at = next;
    }
  }
  f.unsafe.clear();
  f.seen = f.safe;
}

void crash_vfs::crash() {
  ++crashes_;
  for (auto& [name, gone] : removed_)
    if (dice()) files_.try_emplace(name, gone);
  removed_.clear();
  std::map<std::string, file_ptr> left;
  for (auto& [name, f] : files_) {
    // Whoever still has the file open keeps the old one, which is no longer on the disk.
    auto now = std::make_shared<file>(*f);
    now->owner = nullptr;
    lose(*now);
    if (!now->entered && dice()) continue;
    now->entered = true;
    left.emplace(name, std::move(now));
  }
  files_ = std::move(left);
  frozen_ = false;
  armed_ = false;
}

std::size_t crash_vfs::size_of(const std::string& path) const {
  const auto at = files_.find(path);
  return at == files_.end() ? 0 : at->second->seen.size();
}

void crash_vfs::flip_bit(const std::string& path, std::size_t offset) {
  auto& f = *files_.at(path);
  for (auto* bytes : {&f.seen, &f.safe})
    if (offset < bytes->size()) (*bytes)[offset] = static_cast<char>((*bytes)[offset] ^ 1);
}

}  // namespace belfry::tests
