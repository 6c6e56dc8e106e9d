// LIVE PROCESSES: real children for tests. Everything is waited for with a deadline; nothing sleeps and
// hopes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "platform/ports/clock.hpp"
#include "platform/process/reactor.hpp"

namespace belfry::tests {

using namespace std::chrono_literals;

/// True as soon as `condition` holds; false when it does not within `patience`.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience = 10s);

/// Whether a process lives (a zombie does not).
bool alive(pid_t pid);

/// A folder that goes away with the test.
class temporary_folder {
 public:
  temporary_folder();
  ~temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  void write(const std::string& name, const std::string& text, unsigned mode = 0644) const;

 private:
  std::string path_;
};

/// The first line of a file once it is complete, for scripts that do `echo $$ > file`.
std::optional<std::string> line_of(const std::string& path, std::chrono::milliseconds patience = 10s);
pid_t pid_in(const std::string& path);

struct finished {
  platform::process_report report;
  std::vector<platform::output_line> lines;
  std::size_t callbacks = 0;

  std::string text(
      core::log_stream stream = core::log_stream::out) const;  // lines of a stream, each with "\n"
  std::size_t bytes() const;
};

platform::process_order shell(const std::string& script);
platform::process_order program(std::vector<std::string> argv);

/// With the run and fencing number by which escapees are hunted; unlike those of any other test program.
platform::process_order as_run(platform::process_order order, const std::string& id);

class live_processes {
 public:
  explicit live_processes(const platform::process_options& options = {},
                          platform::process_probe probe = platform::probe_processes,
                          const platform::output_limits& limits = {});
  ~live_processes();

  void start(const std::string& key, platform::process_order order);
  /// Waits for the end; fails the test when it does not come.
  finished wait(const std::string& key, std::chrono::milliseconds patience = 20s);
  finished run(platform::process_order order, std::chrono::milliseconds patience = 20s);
  bool ended(const std::string& key);
  std::size_t ends(const std::string& key);
  std::size_t line_count(const std::string& key);
  void stop(const std::string& key, platform::stop_reason why = platform::stop_reason::timeout);
  platform::processes& port() { return *processes_; }
  void close() { processes_.reset(); }

 private:
  struct watched {
    finished so_far;
    std::size_t ends = 0;
  };
  std::unique_ptr<platform::clock> time_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, watched> all_;
  int numbered_ = 0;
  std::unique_ptr<platform::processes> processes_;
};

}  // namespace belfry::tests
