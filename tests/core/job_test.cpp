#include "core/job/job.hpp"

#include <catch2/catch.hpp>

#include "tests/core/a_run.hpp"

using namespace belfry::core;

namespace {
job_definition a_job(std::string name = "nightly.report-1_A") {
  job_definition d;
  d.name = name;
  d.spec = *test::a_spec();
  d.spec.name = std::move(name);
  d.source = "api";
  return d;
}
}  // namespace

TEST_CASE("jobs: names are plain words that are not taken for ids", "[core][job]") {
  for (const std::string name : {"a", "A.b-c_9", "job_1"}) CHECK(check(a_job(name), "").empty());
  CHECK(check(a_job(std::string(100, 'x')), "").empty());
  for (const std::string& name : {std::string{}, std::string(101, 'x'), std::string{"a b"}, std::string{"ä"},
                                  std::string{"a/b"}, std::string{"job_0000000000001"}, std::string{"a\n"}}) {
    INFO(name);
    const auto found = check(a_job(name), "/jobs/0");
    REQUIRE(found.size() == 1);
    CHECK(found[0].pointer == "/jobs/0/name");
  }
}

TEST_CASE("jobs: several runs at a time only with the policy that has them", "[core][job]") {
  auto d = a_job();
  d.max_concurrent = 2;
  CHECK(check(d, "").at(0).pointer == "/max_concurrent");
  d.on_overlap = overlap::allow;
  CHECK(check(d, "").empty());
  d.max_concurrent = 10'000;
  CHECK(check(d, "").empty());
  d.max_concurrent = 10'001;
  CHECK(check(d, "").size() == 1);
  d.max_concurrent = 0;
  CHECK(check(d, "").size() == 1);
  d = a_job();
  d.on_overlap = static_cast<overlap>(9);
  CHECK(check(d, "").at(0).pointer == "/overlap");
}

TEST_CASE("jobs: the spec is checked with the job", "[core][job]") {
  auto d = a_job();
  d.spec.name = "other";
  CHECK(check(d, "").at(0).pointer == "/name");
  d = a_job();
  d.spec.process.cwd = "relative";
  CHECK(check(d, "").at(0).pointer == "/handler/cwd");
  d = a_job();
  d.description = std::string(2001, 'x');
  CHECK(check(d, "").at(0).pointer == "/description");
  d.description = "\xFF";
  CHECK(check(d, "").at(0).pointer == "/description");
  d = a_job();
  d.source = "cron";
  CHECK(check(d, "").at(0).pointer == "/source");
}

TEST_CASE("jobs: states and overlap policies have names", "[core][job]") {
  for (const auto s : {job_state::active, job_state::paused, job_state::completed, job_state::archived})
    CHECK(job_state_from(to_text(s)) == s);
  CHECK_FALSE(job_state_from("deleted").has_value());
  for (const auto o :
       {overlap::skip, overlap::queue_one, overlap::queue_all, overlap::replace, overlap::allow})
    CHECK(overlap_from(to_text(o)) == o);
  CHECK_FALSE(overlap_from("never").has_value());
}
