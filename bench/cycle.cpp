// Cost of one cycle: what the board tells, what is chosen, what the ladder proposes, in processor time of
// this thread. One JSON line per shape; the snapshot is taken as the dispatcher takes it.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "core/ladder/ladder.hpp"
#include "core/queue/board.hpp"
#include "core/wake/cycle.hpp"

namespace {

using namespace belfry::core;
using namespace std::chrono_literals;

constexpr instant start = from_micros(1'700'000'000'000'000);

double ms_now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

struct shape {
  const char* name;
  std::size_t runs, sessions, kinds, lanes;
  bool starving;  // all of the runs
  bool keyed;     // each run with a concurrency key of its own
};

session sleeper(std::size_t i, std::size_t kinds) {
  session s;
  s.id = session_id{static_cast<std::int64_t>(i) + 1};
  s.name = "session-" + std::to_string(i);
  s.agent_type = "agent-" + std::to_string(i % 5);
  s.capabilities = {"cap-" + std::to_string(i % kinds), "linux"};
  std::sort(s.capabilities.begin(), s.capabilities.end());
  return s;
}

void measure(const shape& s) {
  board b{board_options{10min, 1, limit_options{0, 0, 0, 0}}};
  for (std::size_t i = 0; i < s.runs; ++i) {
    run_head h;
    h.id = run_id{static_cast<std::int64_t>(i) + 1};
    h.eligible_since = start + span{static_cast<std::int64_t>(i)};
    h.lane = "lane-" + std::to_string(i % s.lanes);
    h.needs.capabilities = {"cap-" + std::to_string(i % s.kinds)};
    if (s.keyed) h.concurrency_key = "key-" + std::to_string(i);
    b.put(h, handler_kind::none, 0);
  }
  std::vector<session> sessions;
  for (std::size_t i = 0; i < s.sessions; ++i) sessions.push_back(sleeper(i, s.kinds));
  ladder l{ladder_options{}, {}};
  wake_memory memory;
  const wake_options options;
  instant now = start + (s.starving ? span{5min} : span{1s});
  const auto one_cycle = [&](bool count, bool wake) {
    judging by;
    by.now = now;
    by.minimum_age = 2min;
    by.at_most = count ? 1000 : 0;
    const auto news = b.judge(by);
    if (count) (void)b.holds(by);
    waiting_snapshot seen;
    seen.at = now;
    for (const auto& who : sessions) seen.sessions.push_back({who, 1, true});
    seen.kinds = b.kinds();
    seen.fronts =
        b.fronts(std::min(sessions.size(), 10'000 / std::max<std::size_t>(seen.kinds.size(), 1)), now);
    for (const auto& run : news.begun) l.begin(run.id, now);
    if (count) l.tick();
    const auto bite = l.bite(1000);
    std::vector<starvation> rows = bite.rows;
    std::uint64_t episode = 0;
    for (auto& row : rows)
      if (row.episode == 0) row.episode = ++episode;
    l.written(bite, rows, {bite.tick, episode, now});
    if (!wake) return std::size_t{0};
    const auto choice =
        choose_wakes(seen, memory, options, [&](run_id run) { return count && l.fans_out(run); });
    for (const auto& w : choice.wakes) memory.acknowledged(w.run, w.who, now);
    return choice.wakes.size();
  };
  if (s.starving)  // the bites in which the rows are written
    for (std::size_t n = 0; n <= s.runs / 1000 + 1; ++n) (void)one_cycle(true, false);
  std::vector<double> took;
  std::size_t woken = 0;
  for (int i = 0; i < 20; ++i) {
    now = now + 15s;
    const double t = ms_now();
    woken = std::max(woken, one_cycle(true, true));
    took.push_back(ms_now() - t);
  }
  std::sort(took.begin(), took.end());
  std::printf(
      "{\"name\":\"cycle/%s\",\"queued\":%zu,\"sessions\":%zu,\"kinds\":%zu,\"woken\":%zu,"
      "\"starved\":%zu,\"median_ms\":%.2f,\"max_ms\":%.2f,\"target_ms\":50,\"reached\":%s}\n",
      s.name, s.runs, s.sessions, s.kinds, woken, l.size(), took[took.size() / 2], took.back(),
      took.back() <= 50 ? "true" : "false");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string only = argc > 1 ? argv[1] : "";
  const std::vector<shape> shapes = {
      {"one-kind", 100'000, 1000, 1, 1, false, false},
      {"lanes-1000", 100'000, 1000, 1, 1000, false, false},
      {"kinds-50", 100'000, 1000, 50, 10, false, false},
      {"kinds-1000", 100'000, 1000, 1000, 10, false, false},
      {"key-each", 100'000, 1000, 10, 10, false, true},
      {"no-session", 100'000, 0, 10, 10, false, false},
      {"all-starving", 100'000, 1000, 10, 10, true, false},
      {"a-million", 1'000'000, 1000, 10, 10, false, false},
  };
  for (const auto& s : shapes)
    if (only.empty() || only == s.name) measure(s);
}
