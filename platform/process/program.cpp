#include "platform/process/program.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "platform/descriptor.hpp"
#include "platform/errno_text.hpp"

namespace belfry::platform {

namespace {

std::string seen_from(const std::string& cwd, std::string_view path) {
  if (!path.empty() && path.front() == '/') return std::string(path);
  return cwd + "/" + std::string(path);
}

// 0: a regular file that may be executed.
int executable(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return errno;
  if (!S_ISREG(s.st_mode)) return EISDIR;
  return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : EACCES;
}

found_program refused(int error, std::string text) { return {{}, {error, "argv[0]: " + std::move(text)}}; }

}  // namespace

found_program find_program(std::string_view name, std::string_view path, const std::string& cwd) {
  if (name.empty()) return refused(ENOENT, "the program's name is empty");
  const std::string shown(name);
  if (name.find('/') != std::string_view::npos) {
    switch (const int error = executable(seen_from(cwd, name))) {
      case 0: return {shown, {}};
      case EACCES: return refused(EACCES, "not executable: " + shown);
      case EISDIR: return refused(EACCES, "not a program but a directory or device: " + shown);
      case ENOENT:
      case ENOTDIR: return refused(ENOENT, "program not found: " + shown);
      default: return refused(error, shown + ": " + errno_text(error));
    }
  }
  std::string barred;  // there, but not for us
  for (std::string_view rest = path;;) {
    const auto colon = rest.find(':');
    const std::string_view folder = rest.substr(0, colon);
    std::string candidate = folder.empty() ? "./" + shown : std::string(folder) + "/" + shown;
    const int error = executable(seen_from(cwd, candidate));
    if (error == 0) return {std::move(candidate), {}};
    if (error == EACCES && barred.empty()) barred = std::move(candidate);
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  if (!barred.empty()) return refused(EACCES, "not executable: " + barred);
  return refused(ENOENT, "program not found: " + shown + " (in PATH " + std::string(path) + ")");
}

launch_problem check_folder(const std::string& cwd) {
  if (cwd.empty() || cwd.front() != '/') return {EINVAL, "cwd: not an absolute path: " + cwd};
  struct stat s {};
  if (::stat(cwd.c_str(), &s) != 0) {
    if (errno == ENOENT) return {ENOENT, "cwd: does not exist: " + cwd};
    if (errno == ENOTDIR) return {ENOTDIR, "cwd: not a directory: " + cwd};
    return {errno, "cwd: " + cwd + ": " + errno_text(errno)};
  }
  if (!S_ISDIR(s.st_mode)) return {ENOTDIR, "cwd: not a directory: " + cwd};
  if (::faccessat(AT_FDCWD, cwd.c_str(), X_OK, AT_EACCESS) != 0)
    return {EACCES, "cwd: no permission to enter: " + cwd};
  return {};
}

launch_problem explain_exec(const std::string& program, const std::string& cwd, int error) {
  if (error == E2BIG) return {error, "argv: arguments and environment are too long together"};
  const std::string here = "argv[0]: " + program;
  if (error == ENOEXEC)
    return {error, here + " is no program: neither a binary for this machine nor a script with #!"};
  if (error == ETXTBSY) return {error, here + " is being written to"};
  if (error == ENOENT) {  // the file is there, so something that it needs is not
    std::array<char, 256> start{};
    const descriptor file(::open(seen_from(cwd, program).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    const ssize_t n = file ? ::read(file.get(), start.data(), start.size()) : 0;
    std::string_view text(start.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    if (text.substr(0, 2) == "#!") {
      text.remove_prefix(2);
      text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
      const std::string_view interpreter = text.substr(0, text.find_first_of(" \t\r\n"));
      return {error, here + ": its interpreter is not found: " + std::string(interpreter)};
    }
    return {error, here + ": the loader that it needs is not found"};
  }
  return {error, here + " could not be started: " + errno_text(error)};
}

found_program program_cache::find(std::string_view name, std::string_view path, const std::string& cwd,
                                  steady_time now) {
  if (name.find('/') != std::string_view::npos) return {std::string(name), {}};  // exec will tell
  std::string key;
  key.reserve(name.size() + path.size() + cwd.size() + 2);
  key.append(name).append(1, '\0').append(path).append(1, '\0').append(cwd);
  if (const auto it = known_.find(key); it != known_.end() && now < it->second.until)
    return {it->second.path, {}};
  found_program found = find_program(name, path, cwd);
  if (found.problem.error != 0) return found;
  if (known_.size() >= 1024) known_.clear();  // names come from outside
  known_.insert_or_assign(std::move(key), entry{found.path, now + std::chrono::seconds{1}});
  return found;
}

}  // namespace belfry::platform
