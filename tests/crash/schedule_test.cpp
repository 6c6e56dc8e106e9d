// The promise: every planned time of a job is a run or a record of why not, exactly once, whatever kills the
// node. A job of every second, a node that is killed at random moments, and a count at the end.
#include <catch2/catch.hpp>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>

#include "core/time/text.hpp"
#include "tests/support/real_node.hpp"

namespace belfry::test {
namespace {

std::int64_t second_of(const json& text) {
  const auto t = core::parse_instant(text.get<std::string>());
  if (!t) throw std::runtime_error("no time: " + text.dump());
  return core::micros(*t) / 1'000'000;
}

std::vector<json> all_occurrences(real_node& node, const std::string& job) {
  std::vector<json> found;
  std::string cursor;
  do {
    const auto page = node.http().get_json("/v1/jobs/" + job + "/occurrences?limit=20" +
                                           (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const auto& line : page.at("occurrences")) found.push_back(line);
    cursor = page.at("next_cursor").is_null() ? "" : page.at("next_cursor").get<std::string>();
  } while (!cursor.empty());
  return found;
}

}  // namespace

TEST_CASE("schedules: killed at random moments, every planned time is a run or has its reason, once",
          "[crash][schedule]") {
  const bool thorough = std::getenv("BELFRY_LONG") != nullptr;
  const char* given = std::getenv("BELFRY_SEED");
  const auto seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 dice{seed};
  real_node node;
  const json policies[] = {
      {{"catch_up", "once"}}, {{"catch_up", "all"}, {"catch_up_max", 2}}, {{"catch_up", "skip"}}};
  std::vector<std::string> jobs;
  for (const auto& policy : policies) {
    json body{{"name", "each-second-" + policy.at("catch_up").get<std::string>()},
              {"handler", {{"argv", {"true"}}}},
              {"schedule", "@every 1s"},
              {"on_time", "200ms"},
              {"overlap", "queue_all"}};
    body.update(policy);
    jobs.push_back(node.http().post("/v1/jobs", body).parsed().at("id").get<std::string>());
  }
  const int rounds = thorough ? 100 : 6;
  for (int i = 0; i < rounds; ++i) {
    short_pause(std::chrono::milliseconds{dice() % 2'500});
    node.kill9();
    short_pause(std::chrono::milliseconds{dice() % 2'500});
    node.start();
  }
  std::uint64_t runs = 0, skips = 0;
  for (const auto& id : jobs) {
    // Told while it was paused, nothing moves any more.
    REQUIRE(node.http().post("/v1/jobs/" + id + ":pause", json::object()).ok());
    std::set<std::int64_t> made;
    std::int64_t counted = 0, first = 0, last = 0;
    for (const auto& line : all_occurrences(node, id)) {
      const bool run = line.at("outcome") == "run";
      const auto from = second_of(line.at(run ? "at" : "first")),
                 upto = second_of(line.at(run ? "at" : "last"));
      if (run) CHECK(made.insert(from).second);
      counted += run ? 1 : line.at("count").get<std::int64_t>();
      first = first == 0 ? from : std::min(first, from);
      last = std::max(last, upto);
    }
    INFO(id << " made " << made.size() << " of " << counted << " from " << first << " to " << last);
    CHECK(counted == last - first + 1);
    CHECK(first <= second_of(node.http().get_json("/v1/jobs/" + id).at("created_at")) + 1);
    // Its runs are those, and no others.
    std::size_t listed = 0;
    for (std::string cursor;;) {
      const auto page =
          node.http().get_json("/v1/runs?limit=500&job=" + id + (cursor.empty() ? "" : "&cursor=" + cursor));
      listed += page.at("runs").size();
      if (page.at("next_cursor").is_null()) break;
      cursor = page.at("next_cursor").get<std::string>();
    }
    CHECK(listed == made.size());
    runs += made.size();
    skips += static_cast<std::uint64_t>(counted) - made.size();
  }
  std::printf("schedules: %d kills, seed %llu: %llu runs, %llu skipped with a reason\n", rounds,
              static_cast<unsigned long long>(seed), static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(skips));
}

}  // namespace belfry::test
