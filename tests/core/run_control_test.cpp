#include <catch2/catch.hpp>

#include "tests/core/a_run.hpp"

using namespace belfry::core;
using namespace belfry::core::test;

namespace {
// A run that has ended in this state.
a_run ended(run_state s) {
  auto spec = a_spec();
  spec->retry.max_attempts = 1;
  spec->retry.max_losses = 1;
  a_run r{spec};
  if (s == run_state::cancelled) {
    r.tell(cmd_cancel{});
    return r;
  }
  r.claim(true);
  if (s == run_state::lost)
    r.tell(cmd_lose{1, ""});
  else if (s == run_state::succeeded)
    r.tell(r.settle(settle_kind::succeeded));
  else
    r.tell(r.settle(settle_kind::failed,
                    s == run_state::timed_out ? failure_class::timeout : failure_class::error));
  return r;
}
constexpr run_state bad_ends[] = {run_state::failed, run_state::timed_out, run_state::lost};
}  // namespace

TEST_CASE("cancel: what waits ends at once", "[core][run][control]") {
  for (const auto s : {run_state::blocked, run_state::scheduled, run_state::queued, run_state::retrying,
                       run_state::parked, run_state::needs_attention}) {
    a_run r;
    r.head.state = s;
    REQUIRE(r.tell(cmd_cancel{"not needed"}));
    CHECK(r.head.state == run_state::cancelled);
    CHECK(r.head.ended_at == noon);
    CHECK(r.head.reason == "not needed");
    CHECK(r.head.due_at == never);
    CHECK(r.step->finished);
    CHECK(r.told(event_kind::run_cancelled));
  }
}

TEST_CASE("cancel: a worker is asked once, and goes on having its lease", "[core][run][control]") {
  a_run r;
  r.claim(true);
  const auto held = r.head.held;
  REQUIRE(r.tell(cmd_cancel{"enough"}));
  CHECK(r.head.state == run_state::running);
  CHECK(r.head.cancel_requested);
  CHECK(r.head.held == held);
  CHECK(r.told(event_kind::cancel_requested));
  REQUIRE(r.tell(cmd_cancel{"again"}));
  CHECK(r.step->events.empty());
  CHECK(r.head.reason == "enough");
  CHECK(r.tell(cmd_renew{r.proof()}));
}

TEST_CASE("cancel: what has ended stays as it ended", "[core][run][control]") {
  for (const auto s : {run_state::succeeded, run_state::failed, run_state::timed_out, run_state::lost}) {
    auto r = ended(s);
    CHECK_FALSE(r.tell(cmd_cancel{}));
    CHECK(r.refused_with(errc::invalid_transition));
  }
  auto r = ended(run_state::cancelled);
  const auto before = r.head;
  REQUIRE(r.tell(cmd_cancel{"again"}));
  CHECK(r.head == before);
  CHECK(r.step->events.empty());
  CHECK_FALSE(r.step->finished);
}

TEST_CASE("priority: changes while the run waits, not while somebody works on it", "[core][run][control]") {
  a_run r;
  REQUIRE(r.tell(cmd_reprioritise{priority::urgent}));
  CHECK(r.head.prio == priority::urgent);
  REQUIRE(r.step->events.size() == 1);
  CHECK(r.step->events[0].text == "normal -> urgent");
  REQUIRE(r.tell(cmd_reprioritise{priority::urgent}));
  CHECK(r.step->events.empty());
  r.claim();
  CHECK_FALSE(r.tell(cmd_reprioritise{priority::low}));
  CHECK(r.refused_with(errc::invalid_transition));
  auto over = ended(run_state::failed);
  CHECK_FALSE(over.tell(cmd_reprioritise{priority::low}));
}

TEST_CASE("discard: dismisses a dead letter once", "[core][run][control]") {
  for (const auto s : bad_ends) {
    auto r = ended(s);
    REQUIRE(r.head.state == s);
    REQUIRE(r.tell(cmd_discard{"known"}));
    CHECK(r.head.discarded);
    CHECK(r.head.state == s);
    CHECK(r.told(event_kind::run_discarded));
    CHECK_FALSE(r.step->finished);
    REQUIRE(r.tell(cmd_discard{"known"}));
    CHECK(r.step->events.empty());
  }
  auto good = ended(run_state::succeeded);
  CHECK_FALSE(good.tell(cmd_discard{}));
  CHECK(good.refused_with(errc::invalid_transition));
  auto redriven = ended(run_state::failed);
  redriven.head.successor = run_id{9};
  CHECK_FALSE(redriven.tell(cmd_discard{}));
  CHECK(redriven.no->why.text.find(to_string(run_id{9})) != std::string::npos);
}

TEST_CASE("redrive: makes a linked run of the same spec", "[core][run][redrive]") {
  for (const auto s : {run_state::failed, run_state::timed_out, run_state::lost, run_state::cancelled}) {
    auto r = ended(s);
    r.head.job = job_id{3};
    r.head.revision = 2;
    r.head.spec = spec_id{44};
    r.head.discarded = true;
    const auto again = decide_redrive(r.head, r.spec, std::nullopt, "alice");
    REQUIRE(again.ok());
    CHECK(again->spec == r.spec);
    CHECK(again->shared_spec == spec_id{44});
    CHECK(again->job == job_id{3});
    CHECK(again->revision == 2);
    CHECK(again->predecessor == r.head.id);
    CHECK(again->chain == 1);
    CHECK(again->actor == "alice");
    const auto next = make_run(*again, run_id{99}, {}, noon);
    CHECK(next.state == run_state::queued);
    CHECK(next.predecessor == r.head.id);
    CHECK(next.spec == spec_id{44});
    CHECK(next.attempt == 0);
    CHECK(next.fencing == 0);
  }
}

TEST_CASE("redrive: another payload makes a spec of its own", "[core][run][redrive]") {
  const auto r = ended(run_state::failed);
  const auto again = decide_redrive(r.head, r.spec, "{\"page\":2}", "alice");
  REQUIRE(again.ok());
  CHECK(again->spec->payload == "{\"page\":2}");
  CHECK(again->spec->name == r.spec->name);
  CHECK_FALSE(static_cast<bool>(again->shared_spec));
  CHECK(r.spec->payload.empty());
  CHECK(make_run(*again, run_id{99}, {}, noon).spec == spec_id{99});
}

TEST_CASE("redrive: what is open, succeeded, skipped, redriven or at the end of the chain is refused",
          "[core][run][redrive]") {
  a_run open;
  auto no = decide_redrive(open.head, open.spec, std::nullopt, "alice");
  REQUIRE(no.refused_with(errc::invalid_transition));
  CHECK(no.error().command == "belfry run cancel " + to_string(open.head.id));
  open.head.state = run_state::retrying;
  no = decide_redrive(open.head, open.spec, std::nullopt, "alice");
  CHECK(no.error().command == "belfry run-now " + to_string(open.head.id));

  auto good = ended(run_state::succeeded);
  CHECK(decide_redrive(good.head, good.spec, std::nullopt, "alice").refused_with(errc::invalid_transition));
  CHECK(decide_redrive(good.head, good.spec, std::nullopt, "alice", true).ok());
  good.head.state = run_state::skipped;
  CHECK(decide_redrive(good.head, good.spec, std::nullopt, "alice", true)
            .refused_with(errc::invalid_transition));

  auto r = ended(run_state::failed);
  r.head.chain = 9;
  CHECK(decide_redrive(r.head, r.spec, std::nullopt, "alice")->chain == 10);
  r.head.chain = 10;
  CHECK(decide_redrive(r.head, r.spec, std::nullopt, "alice").refused_with(errc::limit_exceeded));
  r.head.successor = run_id{77};
  no = decide_redrive(r.head, r.spec, std::nullopt, "alice");
  REQUIRE(no.refused_with(errc::conflict));
  CHECK(no.error().text.find(to_string(run_id{77})) != std::string::npos);
}

TEST_CASE("making: now, later, and not at all", "[core][run][make]") {
  submission s;
  auto spec = a_spec();
  spec->prio = priority::high;
  spec->needs.workspace = "blue";
  spec->concurrency_key = "db";
  spec->concurrency_limit = 2;
  s.spec = spec;
  s.actor = "alice";
  s.manual = true;
  s.parent = run_id{4};
  auto h = make_run(s, run_id{5}, batch_id{6}, noon);
  CHECK(h.state == run_state::queued);
  CHECK(h.eligible_since == noon);
  CHECK(h.created_at == noon);
  CHECK(h.id == run_id{5});
  CHECK(h.spec == spec_id{5});
  CHECK(h.batch == batch_id{6});
  CHECK(h.parent == run_id{4});
  CHECK(h.prio == priority::high);
  CHECK(h.name == "thumbs");
  CHECK(h.lane == "blue");
  CHECK(h.concurrency_key == "db");
  CHECK(h.concurrency_limit == 2);
  CHECK(h.timeout == 30min);
  CHECK(h.manual);
  CHECK(h.created_by == "alice");
  s.due_at = noon + 1us;
  h = make_run(s, run_id{5}, {}, noon);
  CHECK(h.state == run_state::scheduled);
  CHECK(h.due_at == noon + 1us);
  CHECK(h.eligible_since == never);
  s.due_at = noon;
  CHECK(make_run(s, run_id{5}, {}, noon).state == run_state::queued);
  s.skip_reason = "the previous run is still at work";
  s.shared_spec = spec_id{8};
  h = make_run(s, run_id{5}, {}, noon);
  CHECK(h.state == run_state::skipped);
  CHECK(h.ended_at == noon);
  CHECK(h.reason == s.skip_reason);
  CHECK(h.spec == spec_id{8});
}

TEST_CASE("hooks: the outcome is handed over to a run of its own", "[core][run][hook]") {
  auto spec = a_spec();
  spec->hook.shell = "notify";
  spec->hook.env = {{"BELFRY_HOOK_STATE", "forged"}, {"A", "1"}};
  spec->needs.workspace = "blue";
  spec->lane = "fast";
  spec->prio = priority::high;
  spec->retry.max_attempts = 1;
  a_run r{spec};
  CHECK_FALSE(hook_of(r.head, *spec).has_value());  // not finished
  r.claim(true);
  r.tell(r.settle(settle_kind::failed, failure_class::error, std::string{"exit\0code 3", 11}));
  const auto hook = hook_of(r.head, *spec);
  REQUIRE(hook.has_value());
  CHECK(hook->parent == r.head.id);
  const auto& h = *hook->spec;
  CHECK(h.name == "thumbs.hook");
  CHECK(h.process.shell == "notify");
  CHECK(h.needs.workspace == "blue");
  CHECK(h.lane == "fast");
  CHECK(h.prio == priority::high);
  CHECK(h.timeout == 60s);
  CHECK(h.retry.max_attempts == 4);
  CHECK_FALSE(given(h.hook));
  const std::map<std::string, std::string> env(h.process.env.begin(), h.process.env.end());
  CHECK(env.size() == h.process.env.size());
  CHECK(env.at("A") == "1");
  CHECK(env.at("BELFRY_HOOK_RUN_ID") == to_string(r.head.id));
  CHECK(env.at("BELFRY_HOOK_RUN_NAME") == "thumbs");
  CHECK(env.at("BELFRY_HOOK_STATE") == "failed");
  CHECK(env.at("BELFRY_HOOK_REASON") == "exitcode 3");
  CHECK(env.at("BELFRY_HOOK_ATTEMPT") == "1");

  auto child = r.head;
  child.parent = run_id{1};
  CHECK_FALSE(hook_of(child, *spec).has_value());  // hooks have no hooks
  auto skipped = r.head;
  skipped.state = run_state::skipped;
  CHECK_FALSE(hook_of(skipped, *spec).has_value());
  CHECK_FALSE(hook_of(r.head, *a_spec()).has_value());
}

TEST_CASE("hooks: a long name still makes a valid one", "[core][run][hook]") {
  auto spec = a_spec();
  spec->name.clear();
  for (int i = 0; i < 200; ++i) spec->name += "ö";
  spec->hook.shell = "notify";
  a_run r{spec};
  r.tell(cmd_cancel{});
  const auto name = hook_of(r.head, *spec)->spec->name;
  CHECK(name.size() == 195 * 2 + 5);
  CHECK(name.ends_with("ö.hook"));
}

TEST_CASE("waiting: every open run but a queued one says why it stands where it stands",
          "[core][run][explain]") {
  a_run r;
  const auto code = [&](run_state s, instant now = noon) {
    r.head.state = s;
    const auto why = wait_reason_of(r.head, now);
    if (why) CHECK_FALSE(why->text.empty());
    return why ? why->code : std::string{};
  };
  r.head.due_at = noon + 1h;
  r.head.held.holder = worker;
  r.head.held.expires_at = noon + 5min;
  CHECK(code(run_state::blocked) == "blocked");
  CHECK(code(run_state::scheduled) == "not_before");
  CHECK(code(run_state::scheduled, noon + 1h) == "due");
  CHECK(code(run_state::retrying) == "retry_delay");
  CHECK(code(run_state::parked) == "parked");
  CHECK(code(run_state::needs_attention) == "needs_attention");
  CHECK(code(run_state::claimed) == "claimed");
  CHECK(code(run_state::running) == "running");
  CHECK(code(run_state::running, noon + 5min) == "lease_expired");
  r.head.cancel_requested = true;
  CHECK(code(run_state::running) == "cancel_requested");
  for (const auto s : all_run_states())
    if (terminal(s) || s == run_state::queued) CHECK(code(s).empty());
}
