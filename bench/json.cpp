// Cost of the JSON at the door: ns per run decoded, from a single body and in a batch of 1,000, and per
// answer written. One JSON line per case. The target is 10,000 ns per run of a batch.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "api/json/document.hpp"
#include "api/json/leases.hpp"
#include "api/json/runs.hpp"
#include "api/json/submissions.hpp"

namespace {

using namespace belfry;

constexpr core::instant now = core::from_micros(1'795'255'200'000'000);

// Processor time of this thread: neighbours on the machine must not show.
double ns_now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

// Medians of several rounds, each long enough to be measured.
void measure(const char* name, double items, std::size_t bytes, const std::function<void()>& work) {
  constexpr int rounds = 9;
  constexpr double round_ns = 60e6;
  work();
  std::vector<double> per_item;
  for (int r = 0; r < rounds; ++r) {
    std::size_t n = 0;
    const double from = ns_now();
    double to = from;
    for (; to - from < round_ns; to = ns_now(), ++n) work();
    per_item.push_back((to - from) / static_cast<double>(n) / items);
  }
  std::sort(per_item.begin(), per_item.end());
  std::printf(
      "{\"bench\":\"json\",\"case\":\"%s\",\"bytes\":%zu,\"ns_per_item\":%.0f,\"least\":%.0f,\"most\":%.0f}"
      "\n",
      name, bytes, per_item[rounds / 2], per_item.front(), per_item.back());
  std::fflush(stdout);
}

void must(bool good) {
  if (!good) std::abort();
}

const std::string small_run =
    R"({"name":"thumbs","handler":{"kind":"process","argv":["/bin/true"]},"payload":{"image":"s3://bucket/key.png","width":320,"height":200,"note":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},"priority":"normal","lane":"images"})";
const std::string full_run =
    R"({"name":"thumbs","handler":{"kind":"process","argv":["sh","-c","echo hi"],"cwd":"/srv","env":{"A":"1","B":"2"},"limits":{"cpu":"10s","memory":"64MiB"}},"payload":{"n":1},"priority":"high","workspace":"team","lane":"images","capabilities":["gpu","big"],"delay":"3s","timeout":"60s","retry":{"max_attempts":4,"base":"1s"},"tags":["a","b","c"],"metadata":{"origin":"bench"}})";

core::run a_run() {
  auto d = api::json::read_submission(full_run, now);
  core::submission s;
  s.spec = d->spec;
  s.actor = "http";
  core::run r{core::make_run(s, core::run_id{std::int64_t{1} << 58}, {}, now), d->spec};
  return r;
}

}  // namespace

int main() {
  std::string batch = "{\"runs\":[";
  for (int i = 0; i < 1000; ++i) (batch += i == 0 ? "" : ",") += small_run;
  batch += "]}";
  const auto run = a_run();
  messages::claimed_runs claims;
  for (int i = 0; i < 100; ++i) claims.runs.push_back({run, std::string(43, 't')});

  measure("parse_small", 1, small_run.size(), [] { must(api::json::document::parse(small_run).ok()); });
  measure("submit_small", 1, small_run.size(), [] { must(api::json::read_submission(small_run, now).ok()); });
  measure("submit_full", 1, full_run.size(), [] { must(api::json::read_submission(full_run, now).ok()); });
  measure("batch_of_1000", 1000, batch.size(), [&] { must(api::json::read_batch(batch, now).ok()); });
  measure("write_submitted", 1, 0, [&] {
    api::json::writer w{384};
    api::json::write_submitted(w, run, true);
    must(w.size() > 0);
  });
  measure("write_list_row", 1, 0, [&] {
    api::json::writer w{1024};
    api::json::write_run(w, run);
    must(w.size() > 0);
  });
  measure("write_claims_of_100", 100, 0, [&] {
    api::json::writer w{60'000};
    api::json::write_claims(w, claims);
    must(w.size() > 0);
  });
}
