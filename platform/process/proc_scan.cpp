#include "platform/process/proc_scan.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>

#include "platform/descriptor.hpp"

namespace belfry::platform {

namespace {

constexpr std::size_t largest_environment = 8 * 1024 * 1024;

// Empty when there is none, or when it is not ours to read.
void read_environment(int proc, const char* pid, std::string& text) {
  text.clear();
  const std::string path = std::string(pid) + "/environ";
  const descriptor file(::openat(proc, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return;
  std::size_t size = 0;
  while (size < largest_environment) {
    text.resize(std::max<std::size_t>(text.size(), size + 8192));
    const ssize_t n = ::read(file.get(), text.data() + size, text.size() - size);
    if (n <= 0) break;
    size += static_cast<std::size_t>(n);
  }
  text.resize(size);
}

struct process_stat {
  bool running = false;
  pid_t group = 0;
};

// "pid (name) state parent group ...": the name may hold anything, the last parenthesis ends it.
std::optional<process_stat> stat_of(int proc, const char* pid) {
  const std::string path = std::string(pid) + "/stat";
  const descriptor file(::openat(proc, path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> memory{};
  const ssize_t n = file ? ::read(file.get(), memory.data(), memory.size()) : 0;
  std::string_view text(memory.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_end + 4 >= text.size()) return std::nullopt;
  const char state = text[name_end + 2];
  text.remove_prefix(name_end + 4);
  text.remove_prefix(std::min(text.find(' ') + 1, text.size()));
  process_stat found{state != 'Z' && state != 'X', 0};
  std::from_chars(text.data(), text.data() + text.size(), found.group);
  return found;
}

template <class Visit>
void each_process(Visit visit) {
  const auto close = [](DIR* d) { ::closedir(d); };
  const std::unique_ptr<DIR, decltype(close)> proc(::opendir("/proc"), close);
  if (!proc) return;
  while (const dirent* entry = ::readdir(proc.get())) {
    const char* const name = entry->d_name;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name, name + std::strlen(name), pid);
    if (error == std::errc{} && *end == '\0' && pid > 1) visit(::dirfd(proc.get()), name, pid);
  }
}

}  // namespace

void scan_processes(const std::function<void(pid_t, std::string_view)>& visit) {
  const pid_t self = ::getpid();
  const uid_t user = ::geteuid();
  std::string variables;
  each_process([&](int proc, const char* name, pid_t pid) {
    struct stat s {};
    if (pid == self || ::fstatat(proc, name, &s, 0) != 0 || s.st_uid != user) return;
    read_environment(proc, name, variables);
    if (!variables.empty()) visit(pid, variables);
  });
}

bool still_running(pid_t pid) {
  const descriptor proc(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto found = stat_of(proc.get(), std::to_string(pid).c_str());
  return found && found->running;
}

bool group_still_running(pid_t group) {
  bool running = false;
  each_process([&](int proc, const char* name, pid_t) {
    if (running) return;
    const auto found = stat_of(proc, name);
    running = found && found->running && found->group == group;
  });
  return running;
}

std::optional<std::string_view> value_in(std::string_view variables, std::string_view name) {
  while (!variables.empty()) {
    const std::string_view entry = variables.substr(0, variables.find('\0'));
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.substr(0, name.size()) == name)
      return entry.substr(name.size() + 1);
    variables.remove_prefix(std::min(entry.size() + 1, variables.size()));
  }
  return std::nullopt;
}

}  // namespace belfry::platform
