#include "storage/sqlite/copying.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Exception.h>

#include "storage/migrations/migrations.hpp"
#include "storage/sqlite/failures.hpp"
#include "storage/sqlite/soundness.hpp"
#include "storage/sqlite/sqlite_reader.hpp"
#include "storage/sqlite/store_file.hpp"

namespace belfry::storage::sqlite {
namespace {

namespace fs = std::filesystem;
using core::errc;
using core::failure;

failure bad_place(const std::string& to, const std::string& allowed, const std::string& why) {
  failure no{errc::invalid, "the copy cannot be made: " + why, {}, {}};
  no.problems.push_back({"/to", to, allowed, why});
  return no;
}

failure from_errno(const std::string& doing, int error) {
  const auto code = error == ENOSPC || error == EDQUOT ? errc::storage_full
                    : error == EEXIST                  ? errc::already_exists
                                                       : errc::unavailable;
  return {code, "cannot " + doing + ": " + std::strerror(error), {}, {}};
}

class open_file {
 public:
  open_file(const std::string& path, int flags) : fd_{::open(path.c_str(), flags | O_CLOEXEC, 0600)} {}
  ~open_file() {
    if (fd_ >= 0) ::close(fd_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  int fd() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

// Removes the unfinished file, with what SQLite puts beside it, unless it was kept.
class unfinished {
 public:
  explicit unfinished(const std::string& to) : path_{to + ".part"} {}
  ~unfinished() {
    for (const char* end : {"", "-journal", "-wal", "-shm"}) ::unlink((path_ + end).c_str());
  }
  unfinished(const unfinished&) = delete;
  unfinished& operator=(const unfinished&) = delete;
  const std::string& path() const { return path_; }

  core::result<void> begin() const {
    const open_file file{path_, O_WRONLY | O_CREAT | O_EXCL};
    if (!file.open()) return from_errno("make " + path_, errno);
    return {};
  }
  // Synced, then given its name, which nobody may have; then the folder is synced.
  core::result<void> keep_as(const std::string& to) const {
    const open_file file{path_, O_RDONLY};
    if (!file.open() || ::fsync(file.fd()) != 0) return from_errno("sync " + path_, errno);
    if (::link(path_.c_str(), to.c_str()) != 0) return from_errno("give " + to + " its name", errno);
    const open_file folder{fs::path{to}.parent_path().string(), O_RDONLY | O_DIRECTORY};
    if (!folder.open() || ::fsync(folder.fd()) != 0) return from_errno("sync the folder of " + to, errno);
    return {};
  }

 private:
  std::string path_;
};

core::result<void> free_place(const std::string& to) {
  const fs::path path{to};
  if (!path.is_absolute() || to.find('\0') != std::string::npos || !path.has_filename())
    return bad_place(to, "an absolute path of a new file", "it is not an absolute path of a file");
  std::error_code error;
  if (!fs::is_directory(path.parent_path(), error))
    return bad_place(to, "a file in a folder that exists", "there is no such folder");
  if (fs::exists(fs::symlink_status(path, error))) {
    failure no{errc::already_exists, to + " exists already; a copy never replaces a file", {}, {}};
    no.problems.push_back({"/to", to, "a path where nothing is yet", "something is there"});
    return no;
  }
  return {};
}

// What means something in a URI is written by its number.
std::string in_uri(const std::string& path) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (const char c : path) {
    if (c != '%' && c != '?' && c != '#') {
      text += c;
      continue;
    }
    const auto code = static_cast<unsigned char>(c);
    text += {'%', digits[code >> 4U], digits[code & 15U]};
  }
  return text;
}

core::result<std::uint64_t> size_of(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return from_errno("look at " + path, errno);
  return static_cast<std::uint64_t>(facts.st_size);
}

}  // namespace

core::result<core::store_copy> copy_store(const sqlite_options& from, const std::string& to) {
  if (auto free = free_place(to); !free) return free.error();
  const unfinished part{to};
  if (auto begun = part.begin(); !begun) return begun.error();
  try {
    auto source = open_for_reading(from);
    if (!source) return std::move(source).error();
    core::store_copy made;
    {
      SQLite::Database copy{part.path(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX};
      SQLite::Backup{copy, **source}.executeStep(-1);
      copy.exec("pragma journal_mode = delete");  // one file, nothing beside it
      const auto found = examine(copy);
      if (!found.problems.empty())
        return failure{errc::storage_damaged,
                       "the copy is not sound, so none was made: " + found.problems.front(),
                       {},
                       "belfry backup verify"};
      made.schema = found.schema;
      made.runs = found.runs;
      made.last_event = found.last_event;
    }
    const auto bytes = size_of(part.path());
    if (!bytes) return bytes.error();
    made.bytes = *bytes;
    made.path = to;
    if (auto kept = part.keep_as(to); !kept) return kept.error();
    return made;
  } catch (const std::exception& e) {
    return to_failure(e, "copy the store to " + to);
  }
}

}  // namespace belfry::storage::sqlite

namespace belfry::storage {

core::result<core::store_check> check_sqlite_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    return core::failure{core::errc::not_found, "there is no file " + path, {}, {}};
  // Read without its journal, the last commits would be missing.
  if (const auto journal = std::filesystem::file_size(path + "-wal", error); !error && journal > 0)
    return core::failure{core::errc::invalid,
                         path + " has a journal beside it: it is the store of a node, not a copy",
                         {},
                         "belfry backup verify (without FILE), or belfry backup create"};
  try {
    // Nothing is written, not even beside it: a backup may lie on a medium that cannot be written.
    SQLite::Database db{"file:" + sqlite::in_uri(path) + "?immutable=1",
                        SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX | SQLite::OPEN_URI};
    const auto version = migrations::version_of(db);
    if (version > migrations::newest())
      return core::failure{core::errc::schema_newer,
                           path + " was written by a newer belfry (schema " + std::to_string(version) +
                               ", this one knows " + std::to_string(migrations::newest()) + ")",
                           {},
                           "belfry version"};
    if (version == 0)
      return core::failure{core::errc::storage_damaged, path + " is not a store of belfry", {}, {}};
    return sqlite::examine(db);
  } catch (const std::exception& e) {
    return sqlite::to_failure(e, "read " + path);
  }
}

core::result<std::uint32_t> schema_of_sqlite_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    return core::failure{core::errc::not_found, "there is no file " + path, {}, {}};
  try {
    SQLite::Database db{path, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX};
    const auto version = migrations::version_of(db);
    if (version == 0)
      return core::failure{core::errc::storage_damaged, path + " is not a store of belfry", {}, {}};
    return version;
  } catch (const std::exception& e) {
    return sqlite::to_failure(e, "read " + path);
  }
}

std::uint32_t known_schema() { return migrations::newest(); }

std::unique_ptr<reader> read_sqlite_file(const std::string& path) {
  sqlite_options o;
  o.path = path;
  return std::make_unique<sqlite::sqlite_reader>(std::move(o));
}

core::result<void> copy_sqlite_file(const std::string& from, const std::string& to) {
  using namespace sqlite;
  if (auto free = free_place(to); !free) return free.error();
  const unfinished part{to};
  if (auto begun = part.begin(); !begun) return begun.error();
  {
    const open_file source{from, O_RDONLY};
    const open_file target{part.path(), O_WRONLY};
    if (!source.open()) return from_errno("read " + from, errno);
    if (!target.open()) return from_errno("write " + part.path(), errno);
    std::array<char, 1U << 16U> piece{};
    for (;;) {
      const auto got = ::read(source.fd(), piece.data(), piece.size());
      if (got < 0) return from_errno("read " + from, errno);
      if (got == 0) break;
      for (ssize_t done = 0; done < got;) {
        const auto put = ::write(target.fd(), piece.data() + done, static_cast<std::size_t>(got - done));
        if (put < 0) return from_errno("write " + part.path(), errno);
        done += put;
      }
    }
  }
  return part.keep_as(to);
}

}  // namespace belfry::storage
