// Conditions of runs, asked by the node's own executors: under virtual time, with children that are made up.
#include <catch2/catch.hpp>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::run_state;
using tests::exited;
using tests::not_spawned;
using tests::virtual_node;

namespace {

struct asking_node : virtual_node {
  core::run_id asked(core::span patience = 30s) {
    auto spec = process("report");
    spec.process.cwd = "/srv";
    spec.process.env = {{"DAY", "monday"}};
    spec.condition.shell = "test -e ready";
    spec.condition.timeout = patience;
    spec.retry.max_attempts = 2;
    return submit(spec).head.id;
  }
  std::string condition_of(core::run_id id) { return key_of(find(id).head) + "/condition"; }
  std::vector<std::string> log_of(core::run_id id) {
    messages::get_logs q;
    q.id = id;
    const auto page = read(q);
    REQUIRE(page);
    std::vector<std::string> lines;
    for (const auto& l : page->lines) lines.push_back(l.text);
    return lines;
  }
};

}  // namespace

TEST_CASE_METHOD(asking_node, "condition: it is asked first, where the process will be; yes, and it goes on",
                 "[actors][condition]") {
  const auto id = asked();
  REQUIRE(processes.is_running(condition_of(id)));
  REQUIRE(processes.started().size() == 1);
  const auto order = processes.last_started()->order;
  CHECK(order.what.shell == "test -e ready");
  CHECK(order.what.argv.empty());
  CHECK(order.what.cwd == "/srv");
  CHECK(order.what.env == std::vector<std::pair<std::string, std::string>>{{"DAY", "monday"}});
  CHECK(processes.emit(condition_of(id), {"it is there"}));
  CHECK(processes.finish(condition_of(id), exited(0)));
  run();
  REQUIRE(processes.started().size() == 2);
  CHECK(processes.last_started()->order.what.argv == std::vector<std::string>{"true"});
  CHECK(processes.emit(key_of(find(id).head), {"done"}));
  CHECK(processes.finish(key_of(find(id).head), exited(0)));
  run();
  CHECK(state_of(id) == run_state::succeeded);
  CHECK(log_of(id) == std::vector<std::string>{"condition: it is there", "done"});
  CHECK(attempts_of(id).size() == 1);
}

TEST_CASE_METHOD(asking_node, "condition: exit code 1 skips the run, nothing is started and nothing retried",
                 "[actors][condition]") {
  const auto id = asked();
  CHECK(processes.finish(condition_of(id), exited(1)));
  run();
  CHECK(state_of(id) == run_state::skipped);
  CHECK(find(id).head.reason == "condition: exit code 1");
  CHECK(processes.started().size() == 1);
  CHECK(events_of(id).back() == "run_skipped");
  // The executor is free again.
  const auto next = submit(process("next"));
  CHECK(state_of(next.head.id) == run_state::running);
}

TEST_CASE_METHOD(asking_node, "condition: any other end is a failed attempt, which is tried again",
                 "[actors][condition]") {
  const auto id = asked();
  CHECK(processes.finish(condition_of(id), exited(2)));
  run();
  CHECK(state_of(id) == run_state::retrying);
  CHECK(find(id).head.last_class == core::failure_class::error);
  CHECK(find(id).head.reason == "the condition gave no answer: exit code 2");
  advance(2s);
  REQUIRE(processes.is_running(condition_of(id)));
  CHECK(processes.finish(condition_of(id), not_spawned(2, "program not found: check")));
  run();
  CHECK(state_of(id) == run_state::failed);
  CHECK(find(id).head.last_class == core::failure_class::error);
  CHECK(find(id).head.reason.find("program not found") != std::string::npos);
}

TEST_CASE_METHOD(asking_node, "condition: one that takes too long is stopped, and the attempt has failed",
                 "[actors][condition]") {
  const auto id = asked(10s);
  const auto key = condition_of(id);
  advance(9s);
  CHECK(processes.is_running(key));
  advance(1500ms);
  REQUIRE(processes.stops().size() == 1);
  CHECK(processes.stops()[0].key == key);
  CHECK(state_of(id) == run_state::retrying);
  CHECK(find(id).head.last_class == core::failure_class::error);
  CHECK(find(id).head.reason.find("timed out after 10s") != std::string::npos);
}

TEST_CASE_METHOD(asking_node, "condition: a run that is cancelled while it is asked is cancelled",
                 "[actors][condition]") {
  const auto id = asked();
  REQUIRE(cancel(id));
  run();
  advance(100ms);
  CHECK(state_of(id) == run_state::cancelled);
  CHECK(processes.started().size() == 1);
}

TEST_CASE_METHOD(asking_node, "condition: a node that is killed while it is asked asks again",
                 "[actors][condition]") {
  const auto id = asked();
  crash();
  restart();
  run();
  advance(1s);
  REQUIRE(processes.is_running(condition_of(id)));
  CHECK(find(id).head.losses == 1);
  CHECK(processes.finish(condition_of(id), exited(0)));
  run();
  CHECK(processes.finish(key_of(find(id).head), exited(0)));
  run();
  CHECK(state_of(id) == run_state::succeeded);
}
