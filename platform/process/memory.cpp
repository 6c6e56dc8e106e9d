#include "platform/process/memory.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "platform/descriptor.hpp"

namespace belfry::platform {

namespace {

constexpr int most_levels = 3;
constexpr int most_processes = 16;

using page = std::array<char, 4096>;

std::string_view proc_text(const std::string& path, page& memory) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const ssize_t n = file ? ::read(file.get(), memory.data(), memory.size()) : 0;
  return {memory.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
}

std::uint64_t sample(pid_t pid, int levels, int& processes) {
  if (--processes < 0) return 0;
  page memory{};
  const std::string folder = "/proc/" + std::to_string(pid);
  std::string_view text = proc_text(folder + "/status", memory);
  std::uint64_t peak = 0;
  if (const auto at = text.find("\nVmHWM:"); at != std::string_view::npos) {
    text.remove_prefix(at + 7);
    text.remove_prefix(std::min(text.find_first_of("0123456789"), text.size()));
    std::from_chars(text.data(), text.data() + text.size(), peak);
    peak *= 1024;
  }
  if (levels == 0) return peak;
  text = proc_text(folder + "/task/" + std::to_string(pid) + "/children", memory);
  while (!text.empty()) {
    pid_t child = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), child);
    if (error != std::errc{} || processes <= 0) break;
    peak = std::max(peak, sample(child, levels - 1, processes));
    text.remove_prefix(std::min(static_cast<std::size_t>(end - text.data()) + 1, text.size()));
  }
  return peak;
}

}  // namespace

std::uint64_t sample_peak_memory(pid_t leader) {
  int processes = most_processes;
  return sample(leader, most_levels, processes);
}

std::uint64_t inherited_peak_memory() {
  constexpr std::uint64_t margin = 1024 * 1024;
  rusage own{};
  ::getrusage(RUSAGE_SELF, &own);
  return static_cast<std::uint64_t>(own.ru_maxrss) * 1024 + margin;
}

}  // namespace belfry::platform
