// Executors: output, crashes, giving up, stopping.
#include <catch2/catch.hpp>

#include <stdexcept>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::errc;
using core::run_state;
using tests::exited;
using tests::virtual_node;

namespace {

// Executors that throw at the start of a run of the name "bomb", as often as `times` says.
struct fragile_node : virtual_node {
  explicit fragile_node(int often = 1, std::uint32_t executors = 2)
      : fragile_node{std::make_shared<int>(often), executors} {}
  fragile_node(std::shared_ptr<int> often, std::uint32_t executors)
      : virtual_node{with_fault(often, executors)}, times{often} {}
  static actors::node_options with_fault(std::shared_ptr<int> often, std::uint32_t executors) {
    auto o = usual_options();
    o.executor.processes = executors;
    o.executor.fault = [often](const messages::claimed_run& run) {
      if (run.run.head.name == "bomb" && *often > 0 && (*often)-- > 0) throw std::runtime_error("planted");
    };
    return o;
  }
  std::shared_ptr<int> times;

  std::string child_state(const std::string& name) {
    for (const auto& c : status().children)
      if (c.name == name) return c.state;
    return "?";
  }
};

}  // namespace

TEST_CASE_METHOD(fragile_node,
                 "executor: one that throws is started again, its run is tried again, others notice nothing",
                 "[actors][executor]") {
  const auto other = submit(process("bystander"));
  const auto bomb = submit(process("bomb"));
  // Lost at once, not when the lease runs out.
  CHECK(find(bomb.head.id).head.losses == 1);
  CHECK(state_of(bomb.head.id) == run_state::queued);
  CHECK(state_of(other.head.id) == run_state::running);
  advance(100ms);
  CHECK(state_of(bomb.head.id) == run_state::running);
  CHECK(find(bomb.head.id).head.attempt == 2);
  CHECK(processes.finish(key_of(find(bomb.head.id).head)));
  CHECK(processes.finish(key_of(find(other.head.id).head)));
  run();
  CHECK(state_of(bomb.head.id) == run_state::succeeded);
  CHECK(state_of(other.head.id) == run_state::succeeded);
  CHECK(find(other.head.id).head.attempt == 1);
  CHECK(find(other.head.id).head.losses == 0);
  CHECK(count_events(core::event_kind::executor_restarted) == 1);
  CHECK(status().health == "healthy");
  const auto attempts = attempts_of(bomb.head.id);
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].outcome == run_state::lost);
  CHECK(attempts[0].message.find("crashed") != std::string::npos);
}

TEST_CASE_METHOD(virtual_node, "executor: when it dies, so does its child", "[actors][executor]") {
  const auto task = submit(process("task"));
  const auto key = processes.last_started()->key;
  REQUIRE(kill("process-executor"));
  run();
  CHECK(processes.abandoned() == std::vector<std::string>{key});
  CHECK(find(task.head.id).head.losses == 1);
  advance(1s);
  CHECK(state_of(task.head.id) == run_state::running);
  CHECK(processes.running() == 1);
}

TEST_CASE_METHOD(virtual_node, "executor: its run begins again only when its child is really gone",
                 "[actors][executor]") {
  const auto task = submit(process("task"));
  processes.hold_abandoned();
  REQUIRE(kill("process-executor"));
  run();
  advance(5s);
  CHECK(state_of(task.head.id) == run_state::running);
  CHECK(find(task.head.id).head.losses == 0);
  CHECK(processes.running() == 0);
  processes.release_abandoned();
  run();
  CHECK(find(task.head.id).head.losses == 1);
  advance(1s);
  CHECK(processes.running() == 1);
}

TEST_CASE("executor: one that keeps crashing is given up loudly, and the node says so",
          "[actors][executor]") {
  fragile_node node{1000, 2};
  auto spec = virtual_node::process("bomb");
  spec.retry.max_losses = 100;
  const auto bomb = node.submit(spec);
  node.advance(2min);
  CHECK(node.child_state("process-1") == "given_up");
  CHECK(node.child_state("process-2") == "given_up");
  CHECK(node.count_events(core::event_kind::executor_given_up) == 2);
  const auto status = node.status();
  CHECK(status.health == "unhealthy");
  REQUIRE(status.issues.size() == 2);
  CHECK(status.issues.front().rfind("executor_given_up: process-", 0) == 0);
  CHECK(node.state_of(bomb.head.id) == run_state::queued);
  // The rest of the node lives on.
  CHECK(node.fatal.empty());
  const auto who = node.worker("robot");
  node.submit(virtual_node::payload("task"));
  CHECK(node.claim(who).size() == 1);
}

TEST_CASE("executor: given up once is degraded, not unhealthy, as long as another works",
          "[actors][executor]") {
  fragile_node node{6, 2};
  auto spec = virtual_node::process("bomb");
  spec.retry.max_losses = 100;
  // One executor is kept busy by a bystander, so that the other takes every bomb.
  node.submit(virtual_node::process("bystander"));
  node.submit(spec);
  node.advance(20s);
  CHECK(node.status().health == "degraded");
  CHECK(node.status().issues.size() == 1);
  node.processes.finish(node.processes.started().front().key);
  node.run();
  CHECK(node.processes.running() == 1);  // the bomb has become harmless and runs in the one that is left
}

TEST_CASE("executor: a run that kills its executor too often is lost for good", "[actors][executor]") {
  fragile_node node{3, 4};
  const auto bomb = node.submit(virtual_node::process("bomb"));
  node.advance(1min);
  CHECK(node.state_of(bomb.head.id) == run_state::lost);
  CHECK(node.attempts_of(bomb.head.id).size() == 3);
  CHECK(node.status().health == "healthy");
}

TEST_CASE("executor: as many at a time as there are", "[actors][executor]") {
  auto o = virtual_node::usual_options();
  o.executor.processes = 3;
  virtual_node node{o};
  for (int i = 0; i < 10; ++i) node.submit(virtual_node::process("task"));
  CHECK(node.processes.running() == 3);
  CHECK(node.status().processes == 3);
  for (int i = 0; i < 10; ++i) {
    CHECK(node.processes.finish(node.processes.living().front()));
    node.run();
    CHECK(node.processes.running() == static_cast<std::size_t>(std::min(3, 9 - i)));
  }
}

TEST_CASE_METHOD(virtual_node, "executor: output is numbered, kept live, and there before the end is told",
                 "[actors][executor][log]") {
  const auto task = submit(process("talker"));
  const auto key = processes.last_started()->key;
  processes.emit(key, {"a", "b"});
  run();
  auto page = read(messages::get_logs{task.head.id});
  REQUIRE(page);
  CHECK(page->lines.size() == 2);
  CHECK(page->attempt_live);
  processes.emit(key, {"oops"}, core::log_stream::err);
  processes.finish(key);
  run();
  page = read(messages::get_logs{task.head.id});
  REQUIRE(page->lines.size() == 3);
  CHECK(page->lines[2].number == 3);
  CHECK(page->lines[2].stream == core::log_stream::err);
  CHECK_FALSE(page->attempt_live);
}

TEST_CASE("executor: of a flood the tail is kept, and the rest is said to be missing",
          "[actors][executor][log]") {
  auto o = virtual_node::usual_options();
  o.executor.keep_output = 10'000;
  o.executor.output_in_flight = 2'000;
  virtual_node node{o};
  const auto task = node.submit(virtual_node::process("flood"));
  const auto key = node.processes.last_started()->key;
  for (int i = 0; i < 200; ++i) node.processes.emit(key, std::vector<std::string>(5, std::string(99, 'x')));
  auto report = exited(0);
  report.output_bytes = 100'000;
  node.processes.finish(key, report);
  node.run();
  const auto page = node.read(messages::get_logs{task.head.id});
  REQUIRE(page);
  REQUIRE_FALSE(page->lines.empty());
  CHECK(page->lines.back().number == 1000);
  CHECK(page->lines.size() <= 100);
  CHECK(page->lines.size() >= 90);
  const auto attempt = node.attempts_of(task.head.id).front();
  CHECK(attempt.output_bytes == 100'000);
  CHECK(attempt.output_truncated);
}

TEST_CASE_METHOD(virtual_node,
                 "executor: a settle that the store cannot write is tried again, output and all",
                 "[actors][executor]") {
  const auto task = submit(process("task"));
  const auto key = processes.last_started()->key;
  faults.every_commit = core::failure{errc::storage_full, "no room", {}, {}};
  processes.emit(key, {"precious"});
  processes.finish(key);
  run();
  advance(10s);
  faults.every_commit.reset();
  CHECK(state_of(task.head.id) == run_state::running);
  advance(30s);
  CHECK(state_of(task.head.id) == run_state::succeeded);
  const auto page = read(messages::get_logs{task.head.id});
  REQUIRE(page);
  REQUIRE(page->lines.size() == 1);
  CHECK(page->lines.front().text == "precious");
  CHECK(status().health == "healthy");
}

TEST_CASE_METHOD(virtual_node, "executor: after trouble with its claim it comes back by itself",
                 "[actors][executor]") {
  faults.every_commit = core::failure{errc::unavailable, "trouble", {}, {}};
  const auto who = [this] {
    faults.every_commit.reset();
    return worker("robot");
  }();
  CHECK(who);
  submit(process("first"));
  CHECK(processes.running() == 1);
  faults.next_commit = core::failure{errc::unavailable, "trouble", {}, {}};
  CHECK_THROWS(submit(process("refused")));
  submit(process("second"));
  advance(2s);
  CHECK(processes.running() == 2);
}

TEST_CASE_METHOD(virtual_node, "executor: an operator ends its session, and it comes back under another",
                 "[actors][executor]") {
  const auto sessions = read(messages::list_sessions{});
  REQUIRE(sessions);
  REQUIRE(sessions->size() == 2);
  CHECK(sessions->front().local);
  CHECK(sessions->front().agent_type == "process");
  for (const auto& s : *sessions)
    REQUIRE(ask<messages::session_answer>(messages::end_session{s.id, "operator", false, "test"}));
  advance(2s);
  submit(process("task"));
  CHECK(processes.running() == 1);
}

TEST_CASE_METHOD(virtual_node, "stop: what runs may end, what does not is stopped and handed back unharmed",
                 "[actors][stop]") {
  auto spec = process("quick");
  const auto quick = submit(spec);
  const auto slow = submit(process("slow"));
  const auto waiting = submit(process("waiting"));
  REQUIRE(node().stop(10s));
  run();
  CHECK(ask<messages::submitted>(messages::submit_runs{}).refused_with(errc::unavailable));
  CHECK(processes.finish(key_of(find(quick.head.id).head)));
  run();
  CHECK(processes.running() == 1);
  advance(10s);
  REQUIRE(processes.stops().size() == 1);
  CHECK(processes.stops().front().why == platform::stop_reason::shutdown);
  advance(1min);
  CHECK(processes.running() == 0);
  restart();
  CHECK(state_of(quick.head.id) == run_state::succeeded);
  CHECK(find(slow.head.id).head.losses == 0);
  CHECK(find(slow.head.id).head.used == 0);
  CHECK(find(waiting.head.id).head.attempt <= 1);
  const auto handed_back = attempts_of(slow.head.id);
  REQUIRE_FALSE(handed_back.empty());
  CHECK(handed_back.front().message == "node stopping");
  CHECK(count_events(core::event_kind::node_stopping) == 1);
  CHECK(count_events(core::event_kind::node_started) == 2);
}

TEST_CASE_METHOD(virtual_node,
                 "stop: children that do not die are killed with their executors, and lost at the next boot",
                 "[actors][stop]") {
  processes.answer_stops(tests::stop_answer::by_hand);
  const auto stuck = submit(process("stuck"));
  stop(1s);
  CHECK(processes.abandoned().size() == 1);
  restart();
  CHECK(find(stuck.head.id).head.losses == 1);
}

TEST_CASE_METHOD(virtual_node, "stop: claims that wait are answered, later questions are refused",
                 "[actors][stop]") {
  const auto who = worker("robot");
  messages::claim_runs wish;
  wish.who = who;
  wish.wait = 60s;
  auto waiting = send<messages::claimed_runs>(wish);
  run();
  stop();
  REQUIRE(waiting.answered());
  CHECK(waiting.get());
  CHECK(waiting.get()->runs.empty());
  auto late = send<messages::queue_state>(messages::ask_queue{});
  CHECK(late.answered());
  CHECK(late.get().refused_with(errc::unavailable));
}
