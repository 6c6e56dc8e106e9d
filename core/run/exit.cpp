#include "core/run/exit.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/time/text.hpp"

namespace belfry::core {
namespace {

// Numbers of Linux (signal(7), x86 and ARM). Core makes no OS calls, so they stand here instead of in a
// system header.
constexpr int sig_kill = 9;
constexpr int sig_xcpu = 24;
constexpr std::array<std::string_view, 32> signal_names{
    "",     "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
    "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
    "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS"};

// sh: found but not executable, and not found. Trying again does not make a program appear.
constexpr int not_executable = 126;
constexpr int not_found = 127;

std::string signal_text(int number) {
  std::string text = "killed by signal " + std::to_string(number);
  const auto i = static_cast<std::size_t>(number);
  if (number > 0 && i < signal_names.size()) (((text += " (") += signal_names[i]) += ')');
  return text;
}

bool contains(const std::vector<std::uint8_t>& codes, int code) {
  return std::any_of(codes.begin(), codes.end(), [&](std::uint8_t c) { return int{c} == code; });
}

bool lacks_resources(int error) {
  return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
}

exit_verdict bad(failure_class klass, std::string message) {
  return {false, false, klass, std::move(message)};
}

}  // namespace

exit_verdict judge_exit(const process_spec& spec, const process_end& end, span timeout) {
  if (end.spawn_failed) {
    std::string message = end.spawn_text;
    if (message.empty())
      message = "the process could not be started, error number " + std::to_string(end.spawn_errno);
    return bad(lacks_resources(end.spawn_errno) ? failure_class::resource : failure_class::spawn,
               std::move(message));
  }
  if (end.timed_out) return bad(failure_class::timeout, "timed out after " + to_text(timeout));
  if (end.cancelled) return {false, true, failure_class::cancelled, "stopped because it was cancelled"};
  if (end.exit_code) {
    const int code = *end.exit_code;
    if (spec.success_codes.empty() ? code == 0 : contains(spec.success_codes, code))
      return {true, false, failure_class::none, {}};
    std::string message = "exit code " + std::to_string(code);
    if (contains(spec.retryable_codes, code)) return bad(failure_class::error, std::move(message));
    const bool permanent = !spec.retryable_codes.empty() || code == not_executable || code == not_found;
    return bad(permanent ? failure_class::permanent : failure_class::error, std::move(message));
  }
  if (end.signal) {
    const bool starved = *end.signal == sig_kill || *end.signal == sig_xcpu;
    return bad(starved ? failure_class::resource : failure_class::error, signal_text(*end.signal));
  }
  return bad(failure_class::error, "the process ended without an exit code or a signal");
}

}  // namespace belfry::core
