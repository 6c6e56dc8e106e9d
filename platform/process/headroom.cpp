#include "platform/process/headroom.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "platform/ports/files.hpp"

namespace belfry::platform {

namespace {

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> number_of(const std::string& path) {
  const auto text = read_file(path, 4096);
  return text ? number_in(*text) : std::nullopt;
}

// "0.40 0.30 0.20 1/467 12345": 467 threads exist on this machine.
std::optional<std::uint64_t> threads_of_machine() {
  const auto text = read_file("/proc/loadavg", 4096);
  if (!text) return std::nullopt;
  const auto slash = text->find('/');
  return slash == std::string::npos ? std::nullopt : number_in(std::string_view(*text).substr(slash + 1));
}

// Exact and slow: the kernel counts threads per real user.
std::uint64_t threads_of_user(uid_t user) {
  std::uint64_t threads = 0;
  for (const std::string& name : list_folder("/proc")) {
    if (!number_in(name)) continue;
    struct stat s {};
    if (::stat(("/proc/" + name).c_str(), &s) != 0 || s.st_uid != user) continue;
    const auto status = read_file("/proc/" + name + "/status", 64 * 1024);
    if (!status) continue;
    const auto at = status->find("\nThreads:\t");
    if (at != std::string::npos) threads += number_in(std::string_view(*status).substr(at + 10)).value_or(1);
  }
  return threads;
}

// Version 2 has one line "0::/path", version 1 a line "N:pids:/path".
std::string pids_cgroup() {
  const auto text = read_file("/proc/self/cgroup", 64 * 1024);
  if (!text) return {};
  std::string_view rest = *text;
  std::string unified;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.substr(0, 3) == "0::") unified = "/sys/fs/cgroup" + std::string(line.substr(3));
    if (const auto at = line.find(":pids:"); at != std::string_view::npos)
      return "/sys/fs/cgroup/pids" + std::string(line.substr(at + 6));
  }
  return unified;
}

}  // namespace

std::vector<process_numbers> probe_processes(const process_options& options) {
  std::vector<process_numbers> numbers;
  const auto all = threads_of_machine();
  rlimit own{};
  if (all && ::geteuid() != 0 && ::getrlimit(RLIMIT_NPROC, &own) == 0 && own.rlim_cur != RLIM_INFINITY) {
    process_numbers n{*all, own.rlim_cur, "ulimit -u of " + user_name()};
    if (too_crowded({n}, 0, options)) n.used = threads_of_user(::getuid());
    numbers.push_back(std::move(n));
  }
  if (all) {
    if (const auto most = number_of("/proc/sys/kernel/pid_max"))
      numbers.push_back({*all, *most, "kernel.pid_max"});
    if (const auto most = number_of("/proc/sys/kernel/threads-max"))
      numbers.push_back({*all, *most, "kernel.threads-max"});
  }
  if (const std::string group = pids_cgroup(); !group.empty()) {
    const auto used = number_of(group + "/pids.current");
    const auto most = number_of(group + "/pids.max");  // "max" is no number: no limit
    if (used && most) numbers.push_back({*used, *most, "pids.max of cgroup " + group});
  }
  return numbers;
}

std::optional<std::string> too_crowded(const std::vector<process_numbers>& numbers, std::uint64_t extra,
                                       const process_options& options) {
  for (const process_numbers& n : numbers) {
    const std::uint64_t used = n.used + extra;
    const std::uint64_t spare = n.limit > used ? n.limit - used : 0;
    const bool crowded =
        static_cast<double>(used) >= options.max_process_share * static_cast<double>(n.limit);
    if (!crowded && spare >= options.min_free_processes) continue;
    return "too few processes left: " + std::to_string(used) + " of " + std::to_string(n.limit) +
           " in use (" + n.source + "); raise that limit, or run less at a time";
  }
  return std::nullopt;
}

std::optional<std::string> headroom_guard::refuses(std::uint64_t running, steady_time now) {
  if (!read_at_ || now >= *read_at_ + std::chrono::seconds{1}) {
    numbers_ = probe_(options_);
    running_then_ = running;
    read_at_ = now;
  }
  const std::uint64_t extra = running > running_then_ ? running - running_then_ : 0;
  return too_crowded(numbers_, extra, options_);
}

}  // namespace belfry::platform
