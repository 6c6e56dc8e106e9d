// Cost of the board: ns per put and per pick, bytes per queued run, microseconds for an explanation against
// 50 sessions of the run that is last in line. One JSON line per shape and number of runs.
//
// A pick is the whole way of a claimed run through the board: pick, confirm, end. The shapes are what makes a
// board slow: one long line, many lanes, a full batch at the head of the line, every run with a key of its
// own, runs that arrive in no order, runs that have aged.
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "core/queue/board.hpp"

namespace {

using namespace belfry::core;

constexpr std::int64_t start_us = 1'700'000'000'000'000;

struct shape {
  const char* name;
  std::function<void(run_head&, std::size_t)> make;
  std::int64_t waited_us = 0;  // before the first pick
  bool shuffled = false;
  std::uint32_t claim_at_most = 1;
};

run_head head_of(std::size_t i) {
  run_head h;
  h.id = run_id{static_cast<std::int64_t>(i) + 1};
  h.eligible_since = from_micros(start_us + static_cast<std::int64_t>(i));
  h.lane = "default-lane-name";
  h.needs.workspace = "workspace";
  return h;
}

std::size_t allocated() {
  const auto m = mallinfo2();
  return m.uordblks + m.hblkhd;
}

// Processor time of this thread: neighbours on the machine must not show.
double ns_now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

void measure(const shape& s, std::size_t n) {
  std::vector<run_head> heads;
  heads.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    heads.push_back(head_of(i));
    if (s.make) s.make(heads.back(), i);
  }
  std::vector<std::size_t> sequence(n);
  for (std::size_t i = 0; i < n; ++i) sequence[i] = i;
  if (s.shuffled) std::shuffle(sequence.begin(), sequence.end(), std::mt19937_64{7});

  board_options o;
  o.limits = {0, 0, 5, 0};
  const std::size_t before = allocated();
  board b{o};
  double t = ns_now();
  for (const std::size_t i : sequence) b.put(heads[i], handler_kind::process, 0);
  const double put_ns = (ns_now() - t) / static_cast<double>(n);
  const double bytes = static_cast<double>(allocated() - before) / static_cast<double>(n);

  claim_wish wish;
  wish.who.id = session_id{1};
  wish.who.local = true;
  wish.who.agent_type = "process";
  wish.who.handlers = {handler_kind::process};
  wish.max = wish.free_slots = s.claim_at_most;
  const instant now = from_micros(start_us + static_cast<std::int64_t>(n) + s.waited_us);
  // What `run explain` asks of the board, for the run at the end of the line: the longest way.
  t = ns_now();
  const auto last = heads[sequence.back()].id;
  std::size_t explained = b.reasons(last, now).size() + b.position(last).value_or(0);
  for (int i = 0; i < 50; ++i) explained += b.reasons_for(last, wish, now).size();
  const double explain_us = explained == 0 ? 0 : (ns_now() - t) / 1000;

  std::size_t picked = 0;
  t = ns_now();
  for (;;) {
    const auto ids = b.pick(wish, now);
    if (ids.empty()) break;
    for (const run_id id : ids) {
      b.live(heads[static_cast<std::size_t>(id.value - 1)], "process");
      b.ended(id);
    }
    picked += ids.size();
  }
  const double pick_ns = (ns_now() - t) / static_cast<double>(n);
  if (picked != n) {
    std::fprintf(stderr, "%s: %zu of %zu runs were picked\n", s.name, picked, n);
    std::exit(1);
  }
  std::printf(
      "{\"name\":\"board/%s\",\"n\":%zu,\"put_ns\":%.0f,\"pick_ns\":%.0f,\"bytes_per_run\":%.1f,"
      "\"explain_us\":%.0f}\n",
      s.name, n, put_ns, pick_ns, bytes, explain_us);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string only = argc > 1 ? argv[1] : "";
  const std::vector<shape> shapes = {
      {.name = "one-lane", .make = {}},
      {.name = "one-lane-claims-of-100", .make = {}, .claim_at_most = 100},
      {.name = "one-lane-aged", .make = {}, .waited_us = 3'600'000'000},
      {.name = "no-order", .make = {}, .shuffled = true},
      {.name = "lanes-1000",
       .make = [](run_head& h, std::size_t i) { h.lane = "lane-" + std::to_string(i % 1000); }},
      {.name = "needs-1000",
       .make = [](run_head& h,
                  std::size_t i) { h.lane = h.needs.workspace = "workspace-" + std::to_string(i % 1000); }},
      {.name = "full-batch-first",
       .make = [](run_head& h, std::size_t i) { h.batch = batch_id{i % 2 == 0 ? 1 : 0}; }},
      {.name = "key-each",
       .make = [](run_head& h, std::size_t i) { h.concurrency_key = "key-" + std::to_string(i); }},
      {.name = "batch-of-keys",
       .make =
           [](run_head& h, std::size_t i) {
             h.batch = batch_id{1};
             h.concurrency_key = "key-" + std::to_string(i);
           }},
  };
  for (const auto& s : shapes)
    for (const std::size_t n : {10'000u, 100'000u, 1'000'000u})
      if (only.empty() || only == s.name) measure(s, n);
}
