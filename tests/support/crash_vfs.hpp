// CRASH VFS: a disk in memory on which the power can go. SQLite writes to it by name like to any other VFS.
//
// What is written is seen at once, but is safe only after a sync of its file. When the power goes, each
// 512-byte sector that was written and not synced is there or not, by a seeded throw of the dice; so is a
// file that was made and not synced yet, and one that was removed without a sync of its folder. Files can
// also run full or fail, at a chosen write. Same seed, same writes: same outcome.
//
// One connection per file (there is no shared memory): `sqlite_options::vfs` runs the journal in exclusive
// mode. One thread. Several disks may exist at a time, each under a name of its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace belfry::tests {

enum class disk_fault : std::uint8_t {
  power_off,  // the write in question and all that follow do not happen, until crash()
  disk_full,  // SQLITE_FULL for what would make a file longer, until heal()
  io_error,   // SQLITE_IOERR, until heal()
};

class crash_vfs {
 public:
  // Registers a VFS of this name with SQLite; unregistered with the last owner.
  static std::shared_ptr<crash_vfs> create(const std::string& name, std::uint64_t seed);
  ~crash_vfs();
  crash_vfs(const crash_vfs&) = delete;
  crash_vfs& operator=(const crash_vfs&) = delete;

  const std::string& name() const { return name_; }

  void freeze();  // from now on nothing reaches the disk; every write fails
  bool frozen() const { return frozen_; }
  void crash();  // the power goes and comes back: only what was safe, and some of the rest
  void fail_after(std::uint64_t operations,
                  disk_fault fault = disk_fault::power_off);  // so many writes and syncs are good
  void heal();                                                // no more faults

  std::uint64_t writes() const { return writes_; }
  std::uint64_t syncs() const { return syncs_; }
  std::uint64_t operations() const { return writes_ + syncs_; }
  std::uint64_t crashes() const { return crashes_; }
  bool exists(const std::string& path) const { return files_.contains(path); }
  std::size_t size_of(const std::string& path) const;
  void flip_bit(const std::string& path, std::size_t offset);  // damage

 private:
  friend struct crash_vfs_calls;
  struct write {
    std::int64_t offset = 0;
    std::string bytes;
  };  // offset < 0: a truncation to -offset - 1
  struct file {
    std::string seen, safe;
    std::vector<write> unsafe;
    bool entered = false;         // its name is safe
    const void* owner = nullptr;  // that holds the write lock
  };
  using file_ptr = std::shared_ptr<file>;

  crash_vfs(std::string name, std::uint64_t seed);
  // What becomes of one operation: an SQLite code.
  int operate(bool grows, int failure);
  bool dice() { return (random_() & 1U) != 0; }
  static void play(std::string& bytes, const write& w);
  void lose(file& f);

  std::string name_;
  std::mt19937_64 random_;
  std::map<std::string, file_ptr> files_;
  std::map<std::string, file_ptr> removed_;  // without a sync of the folder: they may come back
  bool frozen_ = false;
  bool armed_ = false;
  std::uint64_t good_left_ = 0;
  disk_fault fault_ = disk_fault::power_off;
  std::uint64_t writes_ = 0, syncs_ = 0, crashes_ = 0;
  struct registration;
  std::unique_ptr<registration> registered_;
};

}  // namespace belfry::tests
