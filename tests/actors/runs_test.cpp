// The life of a run through the whole node, under virtual time.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>
#include <map>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::errc;
using core::run_state;
using tests::exited;
using tests::virtual_node;

namespace {

messages::submit_runs one(core::run_spec spec) {
  messages::submit_runs m;
  core::submission s;
  s.spec = std::make_shared<const core::run_spec>(std::move(spec));
  m.runs.push_back(std::move(s));
  m.actor = "test";
  return m;
}

void end_last(virtual_node& node, platform::process_report report) {
  REQUIRE(node.processes.finish(node.processes.last_started()->key, std::move(report)));
  node.run();
}

}  // namespace

TEST_CASE_METHOD(virtual_node, "run: a submitted command runs once and ends as it should", "[actors][run]") {
  const auto run = submit(process("hello"));
  REQUIRE(processes.started().size() == 1);
  CHECK(state_of(run.head.id) == run_state::running);
  const auto key = processes.last_started()->key;
  CHECK(processes.emit(key, {"one", "two"}));
  end_last(*this, exited(0));
  CHECK(state_of(run.head.id) == run_state::succeeded);
  REQUIRE(attempts_of(run.head.id).size() == 1);
  CHECK(attempts_of(run.head.id).front().exit_code == 0);
  const auto page = read(messages::get_logs{run.head.id});
  REQUIRE(page);
  REQUIRE(page->lines.size() == 2);
  CHECK(page->lines[0].number == 1);
  CHECK(page->lines[1].text == "two");
  CHECK(queue().counts.live == 0);
  CHECK(events_of(run.head.id) == std::vector<std::string>{"run_submitted", "run_claimed", "run_succeeded"});
  advance(24h);
  CHECK(processes.started().size() == 1);
}

TEST_CASE_METHOD(virtual_node,
                 "run: one that failed is tried again after its delay, not a microsecond earlier",
                 "[actors][run]") {
  auto spec = process("flaky");
  spec.retry.base = 10s;
  spec.retry.multiplier = 3;
  const auto run = submit(spec);
  end_last(*this, exited(1));
  CHECK(state_of(run.head.id) == run_state::retrying);
  CHECK(find(run.head.id).head.due_at == now() + 10s);
  advance(10s - 1us);
  CHECK(processes.started().size() == 1);
  advance(1us);
  REQUIRE(processes.started().size() == 2);
  end_last(*this, exited(1));
  advance(30s - 1us);
  CHECK(processes.started().size() == 2);
  advance(1us);
  CHECK(processes.started().size() == 3);
  end_last(*this, exited(0));
  CHECK(state_of(run.head.id) == run_state::succeeded);
  CHECK(attempts_of(run.head.id).size() == 3);
}

TEST_CASE_METHOD(virtual_node, "run: when the budget is used up it has failed and stays so",
                 "[actors][run]") {
  auto spec = process("broken");
  spec.retry.max_attempts = 3;
  const auto run = submit(spec);
  for (int i = 0; i < 3; ++i) {
    end_last(*this, exited(3));
    advance(1min);
  }
  CHECK(state_of(run.head.id) == run_state::failed);
  CHECK(processes.started().size() == 3);
  CHECK(find(run.head.id).head.reason == "exit code 3");
  advance(48h);
  CHECK(processes.started().size() == 3);
}

TEST_CASE_METHOD(virtual_node, "run: zero retries means exactly one attempt", "[actors][run]") {
  auto spec = process("once");
  spec.retry.max_attempts = 1;
  const auto run = submit(spec);
  end_last(*this, exited(1));
  CHECK(state_of(run.head.id) == run_state::failed);
}

TEST_CASE_METHOD(virtual_node, "run: a delayed one starts at its instant", "[actors][run]") {
  const auto run = submit(process("later"), 90s);
  CHECK(state_of(run.head.id) == run_state::scheduled);
  advance(90s - 1us);
  CHECK(processes.started().empty());
  advance(1us);
  CHECK(state_of(run.head.id) == run_state::running);
}

TEST_CASE_METHOD(virtual_node, "run: hundreds that are due together all start, none waits for the next tick",
                 "[actors][run]") {
  for (int i = 0; i < 350; ++i) submit(payload("due " + std::to_string(i)), 1h);
  CHECK(queue().timers == 350);
  advance(1h);
  CHECK(queue().counts.ready == 350);
  CHECK(queue().timers == 0);
}

TEST_CASE_METHOD(virtual_node, "run: past its timeout it is asked to stop, and has timed out",
                 "[actors][run]") {
  auto spec = process("slow");
  spec.timeout = 60s;
  spec.retry.max_attempts = 1;
  const auto run = submit(spec);
  advance(60s - 1us);
  CHECK(processes.stops().empty());
  advance(1us);
  REQUIRE(processes.stops().size() == 1);
  CHECK(processes.stops().front().why == platform::stop_reason::timeout);
  CHECK(state_of(run.head.id) == run_state::timed_out);
  CHECK(attempts_of(run.head.id).front().stopped_with == "TERM");
  CHECK(attempts_of(run.head.id).front().ended_at == run.head.created_at + 60s);
}

TEST_CASE_METHOD(virtual_node, "run: one that ignores TERM is killed after its grace", "[actors][run]") {
  processes.answer_stops(tests::stop_answer::ignores_term);
  auto spec = process("stubborn");
  spec.timeout = 60s;
  spec.grace = 7s;
  spec.retry.max_attempts = 1;
  const auto run = submit(spec);
  advance(67s - 1us);
  CHECK(state_of(run.head.id) == run_state::running);
  advance(1us);
  CHECK(state_of(run.head.id) == run_state::timed_out);
  CHECK(attempts_of(run.head.id).front().stopped_with == "KILL");
}

TEST_CASE_METHOD(virtual_node, "run: when even KILL is not heard of, the attempt ends over its holder's head",
                 "[actors][run]") {
  processes.answer_stops(tests::stop_answer::by_hand);
  auto spec = process("unkillable");
  spec.timeout = 60s;
  spec.grace = 5s;
  spec.retry.max_attempts = 1;
  const auto run = submit(spec);
  advance(60s + 5s + options.executor.overdue_after - 1us);
  CHECK(state_of(run.head.id) == run_state::running);
  advance(1us);
  CHECK(state_of(run.head.id) == run_state::timed_out);
  // Its executor says so at last, and nobody believes it any more.
  end_last(*this, exited(0));
  CHECK(state_of(run.head.id) == run_state::timed_out);
  CHECK(attempts_of(run.head.id).size() == 1);
  CHECK(queue().counts.live == 0);
}

TEST_CASE_METHOD(virtual_node, "run: a timeout of zero means none", "[actors][run]") {
  auto spec = process("endless");
  spec.timeout = 0s;
  const auto run = submit(spec);
  advance(72h);
  CHECK(state_of(run.head.id) == run_state::running);
  CHECK(processes.stops().empty());
}

TEST_CASE_METHOD(virtual_node, "run: what an outside worker overstays ends at once", "[actors][run]") {
  const auto who = worker("robot");
  auto spec = payload("task");
  spec.timeout = 60s;
  spec.retry.max_attempts = 1;
  const auto run = submit(spec);
  const auto held = claim(who);
  REQUIRE(held.size() == 1);
  REQUIRE(ask<messages::touched>(
              messages::touch_leases{{{run.head.id, core::cmd_start{tests::proof_of(held.front())}}}})
              ->answers.front());
  advance(60s - 1us);
  CHECK(state_of(run.head.id) == run_state::running);
  advance(1us);
  CHECK(state_of(run.head.id) == run_state::timed_out);
  CHECK(settle(held.front(), core::settle_kind::succeeded).refused_with(errc::conflict));
}

TEST_CASE_METHOD(virtual_node, "run: the same key submits once, and another content is refused",
                 "[actors][run]") {
  auto m = one(process("once"));
  m.once = messages::once_key{"key-1", {1, 2, 3}};
  const auto first = ask<messages::submitted>(m);
  const auto again = ask<messages::submitted>(m);
  REQUIRE(first);
  REQUIRE(again);
  CHECK_FALSE(first->replayed);
  CHECK(again->replayed);
  CHECK(first->runs.front().head.id == again->runs.front().head.id);
  m.once->fingerprint = {4};
  CHECK(ask<messages::submitted>(m).refused_with(errc::idempotency_mismatch));
  CHECK(processes.started().size() == 1);
}

TEST_CASE_METHOD(virtual_node, "run: a submission of none or too many is refused", "[actors][run]") {
  CHECK(ask<messages::submitted>(messages::submit_runs{}).refused_with(errc::invalid));
  auto m = one(process("many"));
  m.runs.resize(1001, m.runs.front());
  CHECK(ask<messages::submitted>(std::move(m)).refused_with(errc::invalid));
}

TEST_CASE_METHOD(virtual_node, "run: cancelled in every state that is open", "[actors][run][cancel]") {
  SECTION("scheduled") {
    const auto run = submit(process("x"), 1h);
    CHECK(cancel(run.head.id)->state == run_state::cancelled);
    advance(2h);
    CHECK(processes.started().empty());
  }
  SECTION("queued") {
    const auto run = submit(payload("x"));
    CHECK(queue().counts.ready == 1);
    CHECK(cancel(run.head.id)->state == run_state::cancelled);
    CHECK(queue().counts.ready == 0);
    CHECK(claim(worker("late")).empty());
  }
  SECTION("claimed by an outside worker, who hears of it with the next heartbeat") {
    const auto who = worker("robot");
    const auto run = submit(payload("x"));
    const auto held = claim(who);
    REQUIRE(held.size() == 1);
    const auto asked = cancel(run.head.id);
    REQUIRE(asked);
    CHECK(asked->state == run_state::claimed);
    CHECK(renew(held.front())->cancel_requested);
    CHECK(settle(held.front(), core::settle_kind::cancelled)->head.state == run_state::cancelled);
  }
  SECTION("running in an executor, which is told at once") {
    const auto run = submit(process("x"));
    REQUIRE(cancel(run.head.id));
    REQUIRE(processes.stops().size() == 1);
    CHECK(processes.stops().front().why == platform::stop_reason::cancel);
    advance(1ms);
    CHECK(state_of(run.head.id) == run_state::cancelled);
    CHECK(queue().counts.live == 0);
  }
  SECTION("running and stubborn, asked twice: stopped once") {
    processes.answer_stops(tests::stop_answer::ignores_term);
    const auto run = submit(process("x"));
    REQUIRE(cancel(run.head.id));
    REQUIRE(cancel(run.head.id));
    CHECK(processes.stops().size() == 1);
    advance(5s);
    CHECK(state_of(run.head.id) == run_state::cancelled);
  }
  SECTION("retrying") {
    const auto run = submit(process("x"));
    end_last(*this, exited(1));
    CHECK(cancel(run.head.id)->state == run_state::cancelled);
    advance(1h);
    CHECK(processes.started().size() == 1);
  }
  SECTION("parked") {
    const auto who = worker("robot");
    const auto run = submit(payload("x"));
    const auto held = claim(who);
    messages::settle_runs m;
    core::cmd_settle how;
    how.proof = tests::proof_of(held.front());
    how.kind = core::settle_kind::parked;
    how.retry_after = 1h;
    m.items.push_back({run.head.id, how});
    REQUIRE(ask<messages::settled>(m)->answers.front()->head.state == run_state::parked);
    CHECK(cancel(run.head.id)->state == run_state::cancelled);
    advance(2h);
    CHECK(queue().counts.ready == 0);
  }
  SECTION("finished: refused") {
    const auto run = submit(process("x"));
    end_last(*this, exited(0));
    CHECK(cancel(run.head.id).refused_with(errc::invalid_transition));
  }
}

TEST_CASE_METHOD(virtual_node, "run: a cancel that meets its claim in one commit is not lost",
                 "[actors][run][cancel]") {
  // Both are in the store's mailbox before it commits: the executor must not run what was cancelled.
  auto spec = process("race");
  const auto racer = submit(spec, 10s);
  auto asked =
      send<messages::controlled>(messages::control_runs{{racer.head.id}, core::cmd_run_now{}, "test"});
  // Stop just before the claim's own commit: the claim has been sent as soon as storage was asked for a step
  // on this run.
  faults.record = true;
  while (true) {
    const bool claimed = !faults.seen.empty() &&
                         std::holds_alternative<storage::step_run>(faults.seen.back().changes.front()) &&
                         std::holds_alternative<core::cmd_claim>(
                             std::get<storage::step_run>(faults.seen.back().changes.front()).command);
    if (claimed || !step()) break;
  }
  auto stop_it = send<messages::controlled>(
      messages::control_runs{{racer.head.id}, core::cmd_cancel{"changed my mind"}, "test"});
  run();
  REQUIRE(stop_it.answered());
  REQUIRE(stop_it.get()->answers.front());
  advance(1s);
  CHECK(state_of(racer.head.id) == run_state::cancelled);
  CHECK(queue().counts.live == 0);
}

TEST_CASE_METHOD(virtual_node, "run: run now, reprioritise and discard", "[actors][run]") {
  const auto later = submit(process("later"), 24h);
  auto now_please =
      ask<messages::controlled>(messages::control_runs{{later.head.id}, core::cmd_run_now{}, "test"});
  REQUIRE(now_please);
  CHECK(processes.started().size() == 1);

  const auto calm = submit(payload("calm"));
  const auto first = submit(payload("first"));
  REQUIRE(ask<messages::controlled>(
      messages::control_runs{{first.head.id}, core::cmd_reprioritise{core::priority::urgent}, "test"}));
  CHECK(claim(worker("robot")).front().run.head.id == first.head.id);

  auto spec = process("dead");
  spec.retry.max_attempts = 1;
  const auto dead = submit(spec);
  end_last(*this, exited(1));
  REQUIRE(ask<messages::controlled>(messages::control_runs{{dead.head.id}, core::cmd_discard{"seen"}, "test"})
              ->answers.front());
  CHECK(find(dead.head.id).head.discarded);
  CHECK(ask<messages::controlled>(messages::control_runs{{calm.head.id}, core::cmd_discard{"no"}, "test"})
            ->answers.front()
            .refused_with(errc::invalid_transition));
}

TEST_CASE_METHOD(virtual_node, "run: a redrive makes one linked successor, and only one", "[actors][run]") {
  auto spec = process("again");
  spec.retry.max_attempts = 1;
  const auto run = submit(spec);
  end_last(*this, exited(1));
  const auto made = ask<messages::redriven>(messages::redrive_runs{{run.head.id}, {}, "test", {}});
  REQUIRE(made);
  REQUIRE(made->answers.front());
  const auto& next = *made->answers.front();
  CHECK(next.head.predecessor == run.head.id);
  CHECK(find(run.head.id).head.successor == next.head.id);
  CHECK(processes.started().size() == 2);
  CHECK(ask<messages::redriven>(messages::redrive_runs{{run.head.id}, {}, "test", {}})
            ->answers.front()
            .refused_with(errc::conflict));
  CHECK(ask<messages::redriven>(messages::redrive_runs{{next.head.id}, {}, "test", {}})
            ->answers.front()
            .refused_with(errc::invalid_transition));
}

TEST_CASE_METHOD(virtual_node, "run: its environment says who it is, and its payload comes on stdin",
                 "[actors][run]") {
  auto spec = process("env");
  spec.payload = "{\"a\":1}";
  spec.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto run = submit(spec);
  const auto& order = processes.last_started()->order;
  const std::map<std::string, std::string> env{order.env.begin(), order.env.end()};
  CHECK(env.at("BELFRY_RUN_ID") == to_string(run.head.id));
  CHECK(env.at("BELFRY_ATTEMPT") == "1");
  CHECK(env.at("BELFRY_FENCING") == "1");
  CHECK(env.count("BELFRY_JOB") == 0);
  CHECK(env.at("TRACEPARENT").substr(0, 36) == spec.traceparent.substr(0, 36));
  CHECK(env.at("TRACEPARENT") != spec.traceparent);
  CHECK(env.at("TRACEPARENT").size() == spec.traceparent.size());
  CHECK(order.input == spec.payload);
  CHECK(order.mark == "test");
  end_last(*this, exited(1));
  advance(1s);
  const auto& second = processes.last_started()->order;
  const std::map<std::string, std::string> again{second.env.begin(), second.env.end()};
  CHECK(again.at("BELFRY_ATTEMPT") == "2");
  CHECK(again.at("TRACEPARENT") != env.at("TRACEPARENT"));
}

TEST_CASE_METHOD(virtual_node, "run: a trace is made when none is given", "[actors][run]") {
  submit(process("env"));
  const auto& env = processes.last_started()->order.env;
  const auto it =
      std::find_if(env.begin(), env.end(), [](const auto& e) { return e.first == "TRACEPARENT"; });
  REQUIRE(it != env.end());
  CHECK(it->second.size() == 55);
  CHECK(it->second.substr(0, 3) == "00-");
  CHECK(it->second.substr(52) == "-01");
}

TEST_CASE_METHOD(virtual_node, "run: a program that is not there fails for good, as spawn", "[actors][run]") {
  processes.use_script([](const std::string&, const platform::process_order&) {
    tests::child_plan plan;
    plan.after = 0s;
    plan.report = tests::not_spawned(ENOENT, "program not found: foo");
    return plan;
  });
  const auto run = submit(process("foo"));
  advance(0s);
  CHECK(state_of(run.head.id) == run_state::failed);
  CHECK(find(run.head.id).head.last_class == core::failure_class::spawn);
  CHECK(find(run.head.id).head.reason == "program not found: foo");
}

TEST_CASE_METHOD(virtual_node, "run: a hook runs as a run of its own when its run has ended",
                 "[actors][run]") {
  auto spec = process("with hook");
  spec.hook.argv = {"notify"};
  const auto run = submit(spec);
  end_last(*this, exited(0));
  REQUIRE(processes.started().size() == 2);
  CHECK(processes.last_started()->order.what.argv.front() == "notify");
  end_last(*this, exited(0));
  CHECK(queue().counts.live == 0);
}
