// Cost of `next()`: nanoseconds per call, each answer being the start of the next call, as when a year of a
// job is walked through. One JSON line per expression.
//
// Common expressions in a zone with clock changes and one without; then what is worst: dates that a search
// has to go far for, several triggers, excluded time. `longest_ns` is the slowest call of 20,000.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "core/schedule/canonical.hpp"

namespace {

using namespace belfry::core;

// Processor time of this thread: neighbours on the machine must not show.
double ns_now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

constexpr instant first = from_micros(1'795'255'200'000'000);
constexpr instant wrap = from_micros(4'102'444'800'000'000);  // 2100: the zone files say no more

instant step(const schedule& s, instant t) {
  const auto f = next(s, t);
  return f && f->at < wrap ? f->at : first;
}

void measure(const char* text, bool common) {
  const auto s = parse_canonical(text, {});
  if (!s) {
    std::fprintf(stderr, "%s: %s\n", text, s.problem().why.c_str());
    std::exit(1);
  }
  auto t = first;
  constexpr int rounds = 1'000'000;
  for (int i = 0; i < rounds / 10; ++i) t = step(*s, t);
  auto began = ns_now();
  for (int i = 0; i < rounds; ++i) t = step(*s, t);
  const auto each = (ns_now() - began) / rounds;
  double longest = 0;
  for (int i = 0; i < 20'000; ++i) {
    began = ns_now();
    t = step(*s, t);
    longest = std::max(longest, ns_now() - began);
  }
  const bool reached = common ? each <= 1'000 : each <= 20'000;
  std::printf(
      "{\"bench\": \"schedule_next\", \"expression\": \"%s\", \"ns\": %.0f, \"per_second\": %.0f, "
      "\"longest_ns\": %.0f, \"target\": \"%s\", \"reached\": %s}\n",
      text, each, 1e9 / each, longest, common ? "1M per second" : "20 us", reached ? "true" : "false");
}

}  // namespace

int main() {
  for (const char* text :
       {"* * * * *", "*/5 * * * *", "*/5 * * * *; zone Europe/Berlin", "0 * * * *; zone America/New_York",
        "0 9 * * 1-5; zone America/New_York", "30 2 * * *; zone Europe/Berlin",
        "0 0 1 * *; zone Europe/Berlin", "*/10 * * * * *", "@every 7m",
        "@days 2 from 2026-11-20 at 09:00; zone Europe/Berlin"})
    measure(text, true);
  for (const char* text :
       {"0 0 29 2 &1; zone Europe/Berlin", "0 0 * 2 1#5; zone Europe/Berlin",
        "30 2 29 2 &1; zone America/New_York; gap skip; overlap both",
        "@years 4 from 2028-01-01 in 2 on 29 at 02:30; zone Europe/Berlin",
        "0 9 * * * | 30 17 * * 5 | 0 0 L * *; zone Europe/Berlin",
        "*/15 * * * *; not times 22:00-06:00; not times 00:00-24:00 on sat,sun; zone Europe/Berlin"})
    measure(text, false);
}
