#include "core/job/outlook.hpp"

#include <catch2/catch.hpp>

using namespace belfry;
using namespace std::chrono_literals;

namespace {

const core::instant now = core::from_micros(1'700'000'000'000'000);

core::job a_job(core::overlap policy) {
  auto d = std::make_shared<core::job_definition>();
  d->name = "nightly";
  d->on_overlap = policy;
  core::job j;
  j.definition = std::move(d);
  return j;
}

const std::vector<core::open_run> waits{{core::run_id{1}, true}, {core::run_id{2}, false}};
const std::vector<core::open_run> runs{{core::run_id{1}, true}};

}  // namespace

TEST_CASE("outlook: a job that nothing holds makes a run", "[job]") {
  for (const auto policy : {core::overlap::skip, core::overlap::queue_one, core::overlap::queue_all,
                            core::overlap::replace, core::overlap::allow})
    CHECK(core::outlook(a_job(policy), {}, now).code == "made");
}

TEST_CASE("outlook: what has not ended counts as the overlap policy says", "[job]") {
  CHECK(core::outlook(a_job(core::overlap::skip), runs, now).code == "overlap_skip");
  CHECK(core::outlook(a_job(core::overlap::queue_one), runs, now).code == "made");
  const auto one = core::outlook(a_job(core::overlap::queue_one), waits, now);
  CHECK(one.code == "overlap_skip");
  CHECK(one.text.find(core::to_string(core::run_id{2})) != std::string::npos);
  CHECK(core::outlook(a_job(core::overlap::queue_all), waits, now).code == "made");
  CHECK(core::outlook(a_job(core::overlap::allow), waits, now).code == "made");
  const auto instead = core::outlook(a_job(core::overlap::replace), waits, now);
  CHECK(instead.code == "replaces");
  CHECK(instead.text.find("cancels 2 that have") != std::string::npos);
}

TEST_CASE("outlook: a pause, an end and a definition that cannot be read come first", "[job]") {
  auto j = a_job(core::overlap::skip);
  j.pauses.push_back({"manual", "operator", "on holiday", now - 1h, now + 1h, "cli:ann"});
  const auto paused = core::outlook(j, runs, now);
  CHECK(paused.code == "job_paused");
  CHECK(paused.text == "it is paused: manual by cli:ann: on holiday; a trigger is refused");
  CHECK(core::outlook(j, {}, now + 1h).code == "made");
  j = a_job(core::overlap::skip);
  j.state = core::job_state::completed;
  CHECK(core::outlook(j, {}, now).code == "job_completed");
  j.state = core::job_state::archived;
  CHECK(core::outlook(j, {}, now).code == "job_archived");
  auto broken = std::make_shared<core::job_definition>(*j.definition);
  broken->spec.unreadable = "damaged";
  j.state = core::job_state::active;
  j.definition = broken;
  CHECK(core::outlook(j, {}, now).code == "definition_unreadable");
}
