// The meter: counts from many threads, bounded labels, Prometheus text.
#include <catch2/catch.hpp>
#include <thread>

#include "platform/ports/metrics.hpp"

namespace belfry::platform {

TEST_CASE("meter: counters, gauges and histograms in text", "[api][metrics]") {
  const auto m = make_meter();
  m->add(metric::runs_submitted_total);
  m->add(metric::runs_submitted_total, 2);
  m->add(metric::runs_completed_total, 1, "succeeded");
  m->set(metric::store_bytes, 4096);
  m->observe(metric::store_commit_seconds, 0.003);
  m->observe(metric::store_commit_seconds, 1e9);
  m->observe(metric::store_batch_size, 5);
  const auto text = m->exposition();
  for (const auto* line :
       {"# HELP belfry_runs_submitted_total Runs that were stored\n",
        "# TYPE belfry_runs_submitted_total counter\n", "belfry_runs_submitted_total 3\n",
        "belfry_runs_completed_total{outcome=\"succeeded\"} 1\n", "belfry_store_bytes 4096\n",
        "belfry_store_commit_seconds_bucket{le=\"0.0025\"} 0\n",
        "belfry_store_commit_seconds_bucket{le=\"0.005\"} 1\n",
        "belfry_store_commit_seconds_bucket{le=\"+Inf\"} 2\n", "belfry_store_commit_seconds_count 2\n",
        "belfry_store_batch_size_bucket{le=\"5\"} 1\n", "belfry_leases_expired_total 0\n",
        "# TYPE belfry_run_seconds histogram\n"}) {
    INFO(line);
    CHECK(text.find(line) != std::string::npos);
  }
  CHECK(text.ends_with('\n'));
}

TEST_CASE("meter: label values are bounded and escaped", "[api][metrics]") {
  const auto m = make_meter();
  for (int i = 0; i < 1000; ++i) m->add(metric::http_requests_total, 1, "v" + std::to_string(i));
  m->add(metric::retries_total, 1, "a\"b\\c\nd");
  const auto text = m->exposition();
  CHECK(text.find("belfry_http_requests_total{code=\"other\"} 872\n") != std::string::npos);
  CHECK(text.find("belfry_retries_total{class=\"a\\\"b\\\\c\\nd\"} 1\n") != std::string::npos);
  CHECK(text.find("v127\"") != std::string::npos);
  CHECK(text.find("v128\"") == std::string::npos);
}

TEST_CASE("meter: nothing is lost between threads", "[api][metrics]") {
  const auto m = make_meter();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        m->add(metric::events_total);
        m->observe(metric::http_request_seconds, 0.001, i % 2 == 0 ? "even" : "odd");
      }
    });
  for (auto& t : threads) t.join();
  const auto text = m->exposition();
  CHECK(text.find("belfry_events_total 80000\n") != std::string::npos);
  CHECK(text.find("belfry_http_request_seconds_count{route=\"odd\"} 40000\n") != std::string::npos);
}

}  // namespace belfry::platform
