// SPAWN: processes per second with captured output, against `xargs -P2` doing the same in the same run.
//
//   bench_spawn [count] [rounds]
//
// One JSON object per line: a line per round and kind, then one with the medians and the ratio (wanted: >=
// 0.85).
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "platform/ports/clock.hpp"
#include "platform/ports/processes.hpp"

namespace {

using namespace belfry;
using std::chrono::steady_clock;

double seconds_since(steady_clock::time_point t) {
  return std::chrono::duration<double>(steady_clock::now() - t).count();
}

// Runs `count` orders, `width` at a time, and returns how many per second.
double rate(platform::processes& runner, const platform::process_order& order, std::size_t count,
            std::size_t width) {
  std::mutex mutex;
  std::condition_variable all_done;
  std::size_t begun = 0;
  std::size_t ended = 0;
  std::size_t bad = 0;
  std::function<void()> next = [&] {
    std::string key;
    {
      const std::lock_guard hold(mutex);
      if (begun == count) return;
      key = "bench-" + std::to_string(begun++);
    }
    const auto over = [&](const platform::process_report& r) {
      next();
      const std::lock_guard hold(mutex);
      if (r.end.exit_code != 0) ++bad;
      if (++ended == count) all_done.notify_all();
    };
    runner.start(std::move(key), order, {[](std::vector<platform::output_line>) {}, over});
  };
  const auto begin = steady_clock::now();
  for (std::size_t i = 0; i < width; ++i) next();
  std::unique_lock hold(mutex);
  all_done.wait(hold, [&] { return ended == count; });
  if (bad > 0) std::fprintf(stderr, "%zu of %zu runs went wrong\n", bad, count);
  return static_cast<double>(count) / seconds_since(begin);
}

double xargs_rate(const std::string& program, std::size_t count) {
  const std::string command = "seq " + std::to_string(count) + " | xargs -P2 -n1 " + program + " > /dev/null";
  const auto begin = steady_clock::now();
  if (std::system(command.c_str()) != 0) std::fprintf(stderr, "xargs failed\n");
  return static_cast<double>(count) / seconds_since(begin);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void report(const char* kind, double per_second) {
  std::printf("{\"bench\":\"spawn\",\"kind\":\"%s\",\"per_second\":%.0f}\n", kind, per_second);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 4000;
  const std::size_t rounds = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 5;
  const auto time = platform::system_clock();
  const auto runner = platform::real_processes({}, *time);
  platform::process_order silent;
  silent.what.argv = {"/bin/true"};
  silent.mark = "bench";
  silent.env = {{"BELFRY_RUN_ID", "run_0000000000000"},
                {"BELFRY_JOB", ""},
                {"BELFRY_ATTEMPT", "1"},
                {"BELFRY_FENCING", "1"}};
  platform::process_order talking = silent;
  talking.what.argv = {"/bin/echo", "one line"};

  std::vector<double> xargs;
  std::vector<double> four;
  std::vector<double> eight;
  std::vector<double> echo;
  std::vector<double> xargs_echo;
  for (std::size_t i = 0; i < rounds; ++i) {  // interleaved: what disturbs the machine disturbs all kinds
    report("xargs -P2 true", xargs.emplace_back(xargs_rate("/bin/true", count)));
    report("true, 4 at a time", four.emplace_back(rate(*runner, silent, count, 4)));
    report("true, 8 at a time", eight.emplace_back(rate(*runner, silent, count, 8)));
    report("xargs -P2 echo", xargs_echo.emplace_back(xargs_rate("/bin/echo one line", count)));
    report("echo, 8 at a time", echo.emplace_back(rate(*runner, talking, count, 8)));
  }
  std::printf(
      "{\"bench\":\"spawn\",\"kind\":\"medians\",\"count\":%zu,\"rounds\":%zu,\"xargs\":%.0f,\"true_4\":%.0f,"
      "\"true_8\":%.0f,\"echo_8\":%.0f,\"ratio_4\":%.3f,\"ratio_8\":%.3f,\"ratio_echo\":%.3f,\"wanted\":0.85}"
      "\n",
      count, rounds, median(xargs), median(four), median(eight), median(echo), median(four) / median(xargs),
      median(eight) / median(xargs), median(echo) / median(xargs_echo));
}
