#include "platform/ports/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>

#include "platform/descriptor.hpp"
#include "platform/errno_text.hpp"

namespace belfry::platform {

namespace {

core::failure problem(int error, const std::string& what) {
  core::failure f;
  f.text = what + ": " + errno_text(error);
  switch (error) {
    case ENOENT: f.code = core::errc::not_found; break;
    case EACCES:
    case EPERM:
    case EROFS: f.code = core::errc::forbidden; break;
    case ENOSPC:
    case EDQUOT: f.code = core::errc::storage_full; break;
    default: f.code = core::errc::unavailable;
  }
  return f;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

core::span as_span(const timeval& t) { return std::chrono::seconds{t.tv_sec} + core::span{t.tv_usec}; }

}  // namespace

core::result<std::string> read_file(const std::string& path, std::size_t at_most) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return problem(errno, "cannot read " + path);
  std::string text;
  std::array<char, 64 * 1024> part{};
  for (;;) {
    const ssize_t n = ::read(file.get(), part.data(), part.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return problem(errno, "cannot read " + path);
    if (n == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(n));
    if (text.size() > at_most) {
      core::failure f;
      f.code = core::errc::too_large;
      f.text = path + " is larger than " + std::to_string(at_most) + " bytes";
      return f;
    }
  }
}

core::result<void> write_file_atomically(const std::string& path, const std::string& text, unsigned mode) {
  const std::string what = "cannot write " + path;
  std::string temporary = path + ".XXXXXX";  // the same folder: rename must not cross file systems
  descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) return problem(errno, what);
  int error = 0;
  if (::fchmod(file.get(), static_cast<mode_t>(mode)) != 0 || !write_all(file.get(), text) ||
      ::fsync(file.get()) != 0)
    error = errno;
  file.reset();
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    return problem(error, what);
  }
  // The new name survives a loss of power only when the folder has been synced too.
  const descriptor folder(::open(parent_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return problem(errno, what);
  return {};
}

core::result<void> make_folder(const std::string& path, unsigned mode) {
  struct stat s {};
  if (::stat(path.c_str(), &s) == 0)
    return S_ISDIR(s.st_mode) ? core::result<void>{} : problem(ENOTDIR, "cannot make the folder " + path);
  if (const std::string parent = parent_of(path); parent != path) {
    if (auto made = make_folder(parent, mode); !made) return made;
  }
  if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) != 0 && errno != EEXIST)
    return problem(errno, "cannot make the folder " + path);
  return {};
}

std::uint64_t disk_free(const std::string& path) {
  struct statvfs s {};
  return ::statvfs(path.c_str(), &s) == 0 ? std::uint64_t{s.f_bavail} * s.f_frsize : 0;
}

std::uint64_t resident_memory() {
  const auto text = read_file("/proc/self/statm", 4096);
  if (!text) return 0;
  const auto space = text->find(' ');
  if (space == std::string::npos) return 0;
  std::uint64_t pages = 0;
  std::from_chars(text->data() + space + 1, text->data() + text->size(), pages);
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

core::span cpu_used() {
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) != 0) return core::span{0};
  return as_span(used.ru_utime) + as_span(used.ru_stime);
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "localhost";
}

std::string user_name() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const uid_t uid = ::geteuid();
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return found->pw_name;
  return std::to_string(uid);
}

std::int64_t process_id() { return ::getpid(); }

std::vector<std::string> list_folder(const std::string& path) {
  std::vector<std::string> names;
  const auto close = [](DIR* d) { ::closedir(d); };
  const std::unique_ptr<DIR, decltype(close)> folder(::opendir(path.c_str()), close);
  if (!folder) return names;
  while (const dirent* entry = ::readdir(folder.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace belfry::platform
