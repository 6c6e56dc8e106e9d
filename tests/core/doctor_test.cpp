#include <catch2/catch.hpp>

#include <algorithm>

#include "core/diagnostics/catalogue.hpp"
#include "core/doctor/doctor.hpp"
#include "tests/core/a_run.hpp"

using namespace belfry::core;
using namespace belfry::core::test;

namespace {

doctor_facts a_well_node() {
  doctor_facts f;
  f.now = noon;
  f.disk_path = "/data";
  f.disk_free = 1ULL << 40U;
  f.disk_alarm = 256ULL << 20U;
  f.disk_reserve = 32ULL << 20U;
  f.store.emplace();
  f.store->facts.kind = "sqlite";
  f.store->facts.durability = "full";
  return f;
}

std::vector<std::string> codes(const diagnosis& d) {
  std::vector<std::string> all;
  for (const auto& f : d.findings) all.push_back(f.code);
  return all;
}

using words = std::vector<std::string>;

run_head a_head(run_state s, instant at) {
  a_run r;
  r.head.state = s;
  r.head.eligible_since = at;
  r.head.ended_at = at;
  return r.head;
}

session a_python(std::int64_t id) {
  session s;
  s.id = session_id{id};
  s.agent_type = "python";
  s.capabilities = {"gpu"};
  return s;
}

// Every finding has a code that is known and, where the catalogue has one, a command.
void check_known(const diagnosis& d) {
  for (const auto& f : d.findings) {
    INFO(f.code);
    const auto* known = find_diagnostic(diagnostic_area::doctor, f.code);
    REQUIRE(known != nullptr);
    CHECK(f.command.empty() == known->command.empty());
    CHECK_FALSE(f.text.empty());
  }
}

}  // namespace

TEST_CASE("doctor: a claim hook that fails is an error when it is closed, a warning when it is open",
          "[core][doctor][hook]") {
  auto f = a_well_node();
  CHECK(codes(diagnose(f)).empty());
  f.hook_failing_since = noon;
  f.hook_failure = "exit code 3";
  auto d = diagnose(f);
  check_known(d);
  REQUIRE(codes(d) == words{"claim_hook_failing"});
  CHECK(d.findings.front().grade == severity::error);
  CHECK(d.findings.front().text == "the claim hook fails: exit code 3");
  f.hook_open = true;
  d = diagnose(f);
  CHECK(d.findings.front().grade == severity::warning);
  CHECK(d.findings.front().evidence.size() == 2);
}

TEST_CASE("doctor: a node that is well has no findings", "[core][doctor]") {
  const auto d = diagnose(a_well_node());
  CHECK(d.health == "healthy");
  CHECK(d.findings.empty());
}

TEST_CASE(
    "doctor: information leaves a node healthy, a warning makes it degraded, a critical finding unhealthy",
    "[core][doctor]") {
  auto f = a_well_node();
  f.store->facts.durability = "normal";
  CHECK(diagnose(f).health == "healthy");
  CHECK(codes(diagnose(f)) == words{"durability_normal"});
  f.disk_free = 100ULL << 20U;
  CHECK(diagnose(f).health == "degraded");
  CHECK(codes(diagnose(f)) == words{"disk_low", "durability_normal"});
  f.disk_free = 10ULL << 20U;
  CHECK(diagnose(f).health == "unhealthy");
  CHECK(codes(diagnose(f)).front() == "disk_full");
  check_known(diagnose(f));
}

TEST_CASE("doctor: late timers, a late sweeper and a stale scheduler are told of with their evidence",
          "[core][doctor]") {
  auto f = a_well_node();
  f.store->overdue = {2, false, {a_head(run_state::scheduled, noon)}};
  f.leases = {{run_id{7'000'000}, worker, noon - 1min}};
  f.last_cycle = noon - 59s;
  CHECK(codes(diagnose(f)) == words{"leases_overdue", "overdue_runs"});
  f.last_cycle = noon - 61s;
  const auto d = diagnose(f);
  CHECK(codes(d).front() == "scheduler_stale");
  CHECK(d.health == "unhealthy");
  CHECK(d.findings[1].evidence.at(0).find(to_string(run_id{7'000'000})) != std::string::npos);
  check_known(d);
  // Of a node that does not run nobody expects that its timers ring.
  f.offline = true;
  f.leases.clear();
  f.last_cycle.reset();
  CHECK(diagnose(f).findings.empty());
}

TEST_CASE("doctor: what fits nobody and what nobody takes are two findings", "[core][doctor]") {
  auto f = a_well_node();
  auto fits = a_head(run_state::queued, noon - 3min);
  fits.needs.capabilities = {"gpu"};
  auto unfit = a_head(run_state::queued, noon - 1s);
  unfit.id = run_id{2'000'000};
  unfit.needs.capabilities = {"welding"};
  auto fresh = fits;
  fresh.eligible_since = noon - 1min;
  f.store->oldest = {{fits, handler_kind::none}, {unfit, handler_kind::none}, {fresh, handler_kind::none}};
  doctor_session busy{a_python(4), session_health::live, {}};
  busy.who.prompting = true;
  f.sessions = {busy};
  auto d = diagnose(f);
  CHECK(codes(d) == words{"no_capable_session", "starved"});
  CHECK(d.findings[0].command == "belfry run explain " + to_string(unfit.id));
  CHECK(d.findings[1].evidence.size() == 1);
  // With a ladder, its word counts: a line that moves is not starved.
  f.cycle_interval = 15s;
  CHECK(codes(diagnose(f)) == words{"no_capable_session"});
  f.starving = 2;
  CHECK(codes(diagnose(f)) == words{"no_capable_session", "starved"});
  f.last_cycle = noon - 50s;
  CHECK(codes(diagnose(f)) == words{"no_capable_session", "starved"});
  f.last_cycle = noon - 5min;
  CHECK(codes(diagnose(f)).front() == "scheduler_stale");
  f.last_cycle.reset();
  f.cycle_interval = span{0};
  f.starving = 0;
  f.sessions.front().who.state = session_state::gone;
  d = diagnose(f);
  CHECK(codes(d) == words{"no_capable_session"});
  CHECK(d.findings[0].evidence.size() == 3);
  check_known(d);
}

TEST_CASE("doctor: dead letters are information until one of them is old", "[core][doctor]") {
  auto f = a_well_node();
  f.store->dead = {1000, true, {a_head(run_state::failed, noon - 23h)}};
  CHECK(codes(diagnose(f)) == words{"dead_letters"});
  CHECK(diagnose(f).health == "healthy");
  CHECK(diagnose(f).findings[0].text == "1000 or more dead letters");
  f.now = noon + 2h;
  CHECK(codes(diagnose(f)) == words{"dead_letters_aging"});
  f.store->attention = {1, false, {a_head(run_state::needs_attention, noon)}};
  CHECK(codes(diagnose(f)).front() == "needs_attention");
  check_known(diagnose(f));
}

TEST_CASE("doctor: a job that fails again and again gets louder, and who paused one is named",
          "[core][doctor]") {
  auto f = a_well_node();
  f.store->failing = {{job_id{1}, "once", 2, run_id{5}, ""}};
  CHECK(diagnose(f).findings.empty());
  f.store->failing = {{job_id{1}, "backup", 3, run_id{5'000'000}, "exit code 9"}};
  auto d = diagnose(f);
  REQUIRE(codes(d) == words{"job_failing"});
  CHECK(d.findings[0].grade == severity::warning);
  CHECK(d.findings[0].command == "belfry job stats backup");
  f.store->failing[0].in_a_row = 10;
  CHECK(diagnose(f).findings[0].grade == severity::error);
  f.store->failing.clear();
  f.store->held = {
      {job_id{2}, "mail", {{"breaker", "node", "", noon}, {"manual", "alice", "holiday", noon}}}};
  d = diagnose(f);
  CHECK(codes(d) == words{"breaker_open", "job_paused"});
  CHECK(d.findings[1].text == "mail is paused, manual by alice: holiday");
  CHECK(d.findings[1].command == command_to_lift(the_job(job_id{2}), "manual", "alice"));
  check_known(d);
}

TEST_CASE("doctor: a paused scheduler is told of with its owner and the command that lifts it",
          "[core][doctor]") {
  auto f = a_well_node();
  pause_entry why;
  why.reason = "manual";
  why.text = "holiday";
  why.since = noon;
  why.by = "cli:alice";
  f.pauses = {{whole_scheduler(), why}, {the_workspace("blue"), why}, {the_job(job_id{3}), why}};
  const auto d = diagnose(f);
  REQUIRE(codes(d) == words{"scheduler_paused", "workspace_paused"});
  CHECK(d.health == "degraded");
  CHECK(d.findings[0].text.find("alice") != std::string::npos);
  CHECK(d.findings[0].command == command_to_lift(whole_scheduler(), "manual", ""));
}

TEST_CASE("doctor: sessions that are late, silent or gone with leases, and runs that stand still",
          "[core][doctor]") {
  auto f = a_well_node();
  f.sessions = {{a_python(1), session_health::suspect, {}},
                {a_python(2), session_health::missing, {}},
                {a_python(3), session_health::orphaned, {}},
                {a_python(4), session_health::stalled, {run_id{9'000'000}}},
                {a_python(5), session_health::live, {}}};
  const auto d = diagnose(f);
  CHECK(codes(d) == words{"session_orphaned", "session_missing", "run_stalled", "session_suspect"});
  CHECK(d.findings[2].command == "belfry run explain " + to_string(run_id{9'000'000}));
  CHECK(d.findings[1].command == "belfry session remove " + to_string(session_id{2}));
  check_known(d);
}

TEST_CASE("doctor: a thousand of one kind are ten lines and a number", "[core][doctor]") {
  auto f = a_well_node();
  for (std::int64_t i = 1; i <= 1000; ++i) f.sessions.push_back({a_python(i), session_health::missing, {}});
  const auto d = diagnose(f);
  REQUIRE(d.findings.size() == 10);
  const auto more = std::count_if(d.findings.begin(), d.findings.end(), [](const finding& x) {
    return std::find(x.evidence.begin(), x.evidence.end(), "and 990 more like this") != x.evidence.end();
  });
  CHECK(more == 1);
}

TEST_CASE("doctor: what the node says of itself, parts that are silent, a queue near its limit, a clock",
          "[core][doctor]") {
  auto f = a_well_node();
  f.issues = {"storage_full: no room", "executor_given_up: process-3 crashed"};
  f.parts = {{"process-2", "restarting", "bad", 2}, {"dispatcher", "up", "", 0}};
  f.silent = {"the queue did not answer: aborted"};
  f.max_queued = 100;
  f.waiting = 80;
  f.clock_drift = -5min;
  auto d = diagnose(f);
  CHECK(d.health == "degraded");
  for (const char* code : {"store_trouble", "executor_given_up", "part_restarting", "node_silent",
                           "queue_nearly_full", "clock_jumped"}) {
    INFO(code);
    const auto all = codes(d);
    CHECK(std::count(all.begin(), all.end(), code) == 1);
  }
  check_known(d);
  f.unhealthy = true;
  f.waiting = 100;
  d = diagnose(f);
  CHECK(d.health == "unhealthy");
  const auto all = codes(d);
  CHECK(std::count(all.begin(), all.end(), "queue_full") == 1);
  f = a_well_node();
  f.stopping = true;
  CHECK(codes(diagnose(f)) == words{"node_stopping"});
  f.stopping = false;
  f.ready = false;
  CHECK(codes(diagnose(f)) == words{"node_starting"});
}

TEST_CASE("diagnostics: each code once per area, with words; commands name what they are about",
          "[core][doctor]") {
  for (const auto& d : all_diagnostics()) {
    INFO(d.code);
    REQUIRE(find_diagnostic(d.area, d.code) != nullptr);
    CHECK(find_diagnostic(d.area, d.code)->meaning == d.meaning);
    CHECK_FALSE(d.meaning.empty());
    CHECK_FALSE(d.lift.empty());
    const auto same = std::count_if(all_diagnostics().begin(), all_diagnostics().end(),
                                    [&](const auto& o) { return o.area == d.area && o.code == d.code; });
    CHECK(same == 1);
  }
  const auto* d = find_diagnostic(diagnostic_area::session, "session_draining");
  REQUIRE(d != nullptr);
  CHECK(command_of(*d, {}) == "belfry session resume SESSION");
  CHECK(command_of(*d, {{}, "ses_1", {}}) == "belfry session resume ses_1");
  CHECK(find_diagnostic(diagnostic_area::wait, "session_draining") == nullptr);
}

TEST_CASE("doctor: a queue that presses is a warning, and an error when somebody is refused",
          "[core][doctor][pressure]") {
  auto f = a_well_node();
  f.pressure.rule = {10, 0, pressure_mode::alert, priority::normal};
  f.pressure.queued = 12;
  CHECK(codes(diagnose(f)).empty());
  f.pressure.since = noon - 1min;
  auto d = diagnose(f);
  REQUIRE(codes(d) == words{"backpressure"});
  CHECK(d.findings.front().grade == severity::warning);
  CHECK(d.findings.front().text.find("12 runs are queued") == 0);
  check_known(d);
  f.pressure.rule.mode = pressure_mode::reject;
  CHECK(diagnose(f).findings.front().grade == severity::error);
}

TEST_CASE("doctor: the limit of a provider is told with what it waits for", "[core][doctor][pressure]") {
  auto f = a_well_node();
  pause_entry e{"quota", "anthropic", "429", noon - 1h, noon + 1h};
  e.probes = true;
  const auto evidence = [&] {
    f.pauses = {{the_agent_type("claude"), e}};
    const auto d = diagnose(f);
    REQUIRE(codes(d) == words{"provider_limited"});
    CHECK(d.findings.front().command ==
          "belfry scheduler resume --agent-type claude --reason quota --owner anthropic");
    return d.findings.front().evidence.back();
  };
  CHECK(evidence().find("a probe goes first at ") == 0);
  e.until = noon;
  CHECK(evidence() == "its time is over: the next claim is a probe");
  e.probe = run_id{7};
  CHECK(evidence() == to_string(run_id{7}) + " tries whether it is over");
}
