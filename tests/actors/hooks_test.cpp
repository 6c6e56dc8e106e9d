// Claims that pass a claim hook, in a whole node, in virtual time.
#include <catch2/catch.hpp>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace std::chrono_literals;
using core::errc;

namespace {

actors::node_options asked_by_address() {
  auto o = virtual_node::usual_options();
  o.executor.none = true;
  o.board.limits = {0, 0, 0, 0};
  o.claim_hook.url = "http://hook.test/claims";
  o.claim_hook.secret = "whsec_x";
  return o;
}

actors::node_options asked_by_command() {
  auto o = asked_by_address();
  o.claim_hook.url.clear();
  o.claim_hook.secret.clear();
  o.claim_hook.command = {"may-claim", "--quick"};
  return o;
}

struct hooks_node : virtual_node {
  explicit hooks_node(actors::node_options o = asked_by_address()) : virtual_node{std::move(o)} {}

  core::run work(const std::string& name = "w") { return submit(payload(name)); }
  pending<messages::claimed_runs> ask_for_work(core::session_id who, core::span wait = 30s,
                                               std::uint32_t max = 1) {
    messages::claim_runs m;
    m.who = who;
    m.wait = wait;
    m.max = max;
    auto p = send<messages::claimed_runs>(m);
    run();
    return p;
  }
  std::size_t asked() const { return hook_calls.orders.size(); }
  // Time passes until another question is put.
  void next_question() {
    const auto before = asked();
    for (int i = 0; i < 200 && asked() == before; ++i) advance(100ms);
    REQUIRE(asked() > before);
  }
  // The last question is answered so.
  void hook_says(std::string what) {
    hook_calls.answer_with_body(asked() - 1, std::move(what));
    run();
  }
  std::vector<std::string> why_not(const core::run& r, core::session_id who) {
    std::vector<std::string> codes;
    for (const auto& v : explain(r.head.id).sessions)
      if (v.id == who)
        for (const auto& no : v.reasons) codes.push_back(no.code);
    return codes;
  }
  messages::session_explanation why_nothing(core::session_id who) {
    auto e = ask<messages::session_explanation>(messages::explain_session{who, std::nullopt, {}});
    REQUIRE(e);
    return *e;
  }
  messages::hook_state hook() {
    const auto q = queue();
    REQUIRE(q.hook);
    return *q.hook;
  }
};

struct open_hooks_node : hooks_node {
  static actors::node_options options() {
    auto o = asked_by_address();
    o.claim_hook.on_error = core::hook_error::open;
    return o;
  }
  open_hooks_node() : hooks_node{options()} {}
};

struct command_hooks_node : hooks_node {
  command_hooks_node() : hooks_node{asked_by_command()} {}
  // Every question is answered so, at once.
  void hook_writes(std::vector<std::string> lines, int code = 0) {
    processes.use_script([lines, code](const std::string&, const platform::process_order&) {
      child_plan plan;
      plan.after = 10ms;
      plan.report = exited(code);
      plan.output = lines;
      return plan;
    });
  }
};

}  // namespace

TEST_CASE_METHOD(hooks_node, "claim hook: it is asked first, and what it allows is handed over",
                 "[actors][hook]") {
  const auto who = worker("alice");
  const auto r = work("build");
  auto claim = ask_for_work(who);
  REQUIRE(asked() == 1);
  CHECK_FALSE(claim.answered());
  CHECK(state_of(r.head.id) == core::run_state::queued);
  const auto& q = hook_calls.orders.front();
  CHECK(q.url == "http://hook.test/claims");
  CHECK(q.secret == "whsec_x");
  CHECK(q.timeout >= 2s);
  CHECK(q.keep == 64U << 10U);
  CHECK(q.body == "ask " + to_string(who) + " max 1: " + to_string(r.head.id) + "=build");
  CHECK(why_not(r, who) == std::vector<std::string>{"hook_asked"});
  hook_says("allow");
  REQUIRE(claim.answered());
  REQUIRE(claim.get()->runs.size() == 1);
  CHECK(claim.get()->runs.front().run.head.id == r.head.id);
  CHECK(settle(claim.get()->runs.front(), core::settle_kind::succeeded));
  CHECK(hook().asked == 1);
  CHECK(hook().allowed == 1);
  CHECK(hook().under_way == 0);
}

TEST_CASE_METHOD(hooks_node, "claim hook: a claim waits for its answer, also when it does not wait for work",
                 "[actors][hook]") {
  const auto who = worker("alice");
  auto none = ask_for_work(who, 0s);
  CHECK(asked() == 0);  // about nothing nobody is asked
  REQUIRE(none.answered());
  const auto r = work();
  auto claim = ask_for_work(who, 0s);
  CHECK_FALSE(claim.answered());
  advance(1s);
  hook_says("allow");
  REQUIRE(claim.answered());
  CHECK(claim.get()->runs.size() == 1);
  CHECK(state_of(r.head.id) == core::run_state::claimed);
}

TEST_CASE_METHOD(hooks_node,
                 "claim hook: what it refuses is not handed over, and not asked about in a circle",
                 "[actors][hook]") {
  const auto who = worker("alice");
  const auto r = work();
  auto claim = ask_for_work(who, 30s);
  hook_says("refuse not on a Sunday");
  CHECK_FALSE(claim.answered());
  CHECK(why_not(r, who) == std::vector<std::string>{"hook_refused"});
  const auto told = explain(r.head.id);
  REQUIRE(told.reasons.size() == 1);
  CHECK(told.reasons.front().code == "hook_refused");
  CHECK(told.reasons.front().text.find("not on a Sunday") != std::string::npos);
  const auto why = why_nothing(who);
  REQUIRE(why.reasons.size() == 1);
  CHECK(why.reasons.front().code == "hook_refused");
  REQUIRE(why.hook_refusals.size() == 1);
  CHECK(why.hook_refusals.front().run == r.head.id);
  CHECK(why.hook_refusals.front().reason == "not on a Sunday");
  // Whatever else happens, the same pair is left alone for 5 s.
  auto again = ask_for_work(who, 0s);
  REQUIRE(again.answered());
  CHECK(again.get()->runs.empty());
  advance(4999ms);
  CHECK(asked() == 1);
  advance(1ms);
  REQUIRE(asked() == 2);
  hook_says("allow");
  REQUIRE(claim.answered());
  CHECK(claim.get()->runs.size() == 1);
  CHECK(why_nothing(who).hook_refusals.empty());  // it has thought better of it
  CHECK(hook().refused == 1);
}

TEST_CASE_METHOD(hooks_node, "claim hook: a refusal is of this session, and told of for a minute",
                 "[actors][hook]") {
  const auto alice = worker("alice"), bob = worker("bob");
  const auto r = work();
  auto first = ask_for_work(alice, 0s);
  hook_says("refuse alice is on holiday");
  REQUIRE(first.answered());
  CHECK(first.get()->runs.empty());
  CHECK(why_not(r, bob).empty());
  auto other = ask_for_work(bob, 0s);
  REQUIRE(asked() == 2);
  hook_says("allow");
  CHECK(other.get()->runs.size() == 1);
  const auto second = work();
  CHECK(why_not(second, alice).empty());
  advance(59s);
  CHECK(why_nothing(alice).hook_refusals.size() == 1);
  advance(1s);
  CHECK(why_nothing(alice).hook_refusals.empty());
}

TEST_CASE_METHOD(hooks_node, "claim hook: it may narrow to some of the runs", "[actors][hook]") {
  const auto who = worker("alice", 3);
  const auto a = work("a"), b = work("b"), c = work("c");
  auto claim = ask_for_work(who, 30s, 2);
  REQUIRE(asked() == 1);
  // It is shown more than are wanted, so that it has a choice.
  CHECK(hook_calls.orders.front().body.find(to_string(c.head.id)) != std::string::npos);
  hook_says("narrow " + to_string(c.head.id));
  REQUIRE(claim.answered());
  REQUIRE(claim.get()->runs.size() == 1);
  CHECK(claim.get()->runs.front().run.head.id == c.head.id);
  CHECK(why_not(a, who) == std::vector<std::string>{"hook_refused"});
  CHECK(why_not(b, who) == std::vector<std::string>{"hook_refused"});
  CHECK(hook().narrowed == 1);
}

TEST_CASE_METHOD(hooks_node, "claim hook: it may narrow to a number", "[actors][hook]") {
  const auto who = worker("alice", 3);
  const auto a = work("a"), b = work("b");
  auto claim = ask_for_work(who, 30s, 3);
  hook_says("max 1");
  REQUIRE(claim.answered());
  REQUIRE(claim.get()->runs.size() == 1);
  CHECK(claim.get()->runs.front().run.head.id == a.head.id);
  CHECK(why_not(b, who).empty());
}

TEST_CASE_METHOD(hooks_node, "claim hook: what is refused does not hide what stands behind it",
                 "[actors][hook]") {
  const auto who = worker("alice");
  std::vector<core::run> runs;
  for (int i = 0; i < 25; ++i) runs.push_back(work("r" + std::to_string(i)));
  auto claim = ask_for_work(who, 30s);
  hook_says("refuse the first ten");
  REQUIRE(asked() == 2);
  hook_says("refuse the next ten");
  REQUIRE(asked() == 3);
  hook_says("allow");
  REQUIRE(claim.answered());
  CHECK(claim.get()->runs.front().run.head.id == runs[20].head.id);
}

TEST_CASE("claim hook: a run that has gone while it was asked is not given twice, and nothing is lost",
          "[actors][hook]") {
  auto o = asked_by_address();
  o.claim_hook.agent_types = {"person"};
  hooks_node n{o};
  const auto slow = n.worker("slow");
  const auto quick = n.worker("quick", 1, "trusted");  // nobody is asked about it
  const auto r = n.work();
  auto claim = n.ask_for_work(slow, 30s);
  REQUIRE(n.asked() == 1);
  auto won = n.ask_for_work(quick, 0s);
  REQUIRE(won.answered());
  REQUIRE(won.get()->runs.size() == 1);
  n.hook_says("allow");
  CHECK_FALSE(claim.answered());
  CHECK(n.find(r.head.id).head.held.holder == quick);
  CHECK(n.find(r.head.id).head.fencing == 1);
  const auto next = n.work();
  REQUIRE(n.asked() == 2);
  n.hook_says("allow");
  REQUIRE(claim.answered());
  CHECK(claim.get()->runs.front().run.head.id == next.head.id);
}

TEST_CASE_METHOD(hooks_node, "claim hook: a pause that came while it was asked holds the run",
                 "[actors][hook]") {
  const auto who = worker("alice");
  const auto r = work();
  auto claim = ask_for_work(who, 10s);
  REQUIRE(ask<messages::pauses_seen>(messages::set_pause{{}, {"manual", {}, "", core::never}, "test"}));
  hook_says("allow");
  CHECK_FALSE(claim.answered());
  CHECK(state_of(r.head.id) == core::run_state::queued);
  advance(10s);
  REQUIRE(claim.answered());
  CHECK(claim.get()->runs.empty());
}

TEST_CASE_METHOD(hooks_node,
                 "claim hook: one that hangs hands nothing over, and is asked again after a pause",
                 "[actors][hook]") {
  const auto who = worker("alice");
  const auto r = work();
  auto claim = ask_for_work(who, 60s);
  advance(1999ms);
  CHECK(hook().under_way == 1);
  advance(1ms);
  CHECK(hook().failed == 1);
  CHECK(why_not(r, who) == std::vector<std::string>{"hook_failed"});
  CHECK(explain(r.head.id).reasons.front().code == "hook_failed");
  const auto why = why_nothing(who);
  REQUIRE(why.reasons.size() == 1);
  CHECK(why.reasons.front().code == "hook_failed");
  CHECK(why.reasons.front().text.find("did not answer within 2s") != std::string::npos);
  CHECK(hook().failing_since != core::never);
  CHECK_FALSE(claim.answered());
  // 500 ms, 1 s, 2 s, … after each failure.
  advance(499ms);
  CHECK(asked() == 1);
  advance(1ms);
  CHECK(asked() == 2);
  advance(2s + 999ms);
  CHECK(asked() == 2);
  advance(1ms);
  REQUIRE(asked() == 3);
  // Of a claim that does not wait nobody asks meanwhile.
  advance(2s);
  auto impatient = ask_for_work(who, 0s);
  REQUIRE(impatient.answered());
  REQUIRE_FALSE(impatient.get()->reasons.empty());
  CHECK(impatient.get()->reasons.front().code == "hook_failed");
  CHECK(asked() == 3);
  advance(2s);
  REQUIRE(asked() == 4);
  hook_says("allow");
  REQUIRE(claim.answered());
  CHECK(claim.get()->runs.size() == 1);
  CHECK(count_events(core::event_kind::claim_hook_failed) == 1);
  CHECK(count_events(core::event_kind::claim_hook_recovered) == 1);
  CHECK(hook().failing_since == core::never);
  CHECK(why_nothing(who).reasons.front().code == "no_free_slot");
}

TEST_CASE_METHOD(hooks_node,
                 "claim hook: a wait that ends while it is asked ends with nothing, and the run stays",
                 "[actors][hook]") {
  const auto who = worker("alice");
  auto claim = ask_for_work(who, 10s);
  advance(9s);
  const auto r = work();
  REQUIRE(asked() == 1);
  advance(1s);
  REQUIRE(claim.answered());
  CHECK(claim.get()->runs.empty());
  hook_says("allow");
  CHECK(state_of(r.head.id) == core::run_state::queued);
  CHECK(queue().counts.ready == 1);
  CHECK(queue().counts.reserved == 0);
}

TEST_CASE_METHOD(open_hooks_node,
                 "claim hook: open, a hook that hangs holds nothing back for longer than its time",
                 "[actors][hook]") {
  const auto who = worker("alice");
  const auto r = work();
  auto claim = ask_for_work(who, 0s);
  advance(2s);
  REQUIRE(claim.answered());
  REQUIRE(claim.get()->runs.size() == 1);
  CHECK(claim.get()->runs.front().run.head.id == r.head.id);
  CHECK(hook().failed == 1);
  CHECK(hook().open);
  CHECK(count_events(core::event_kind::claim_hook_failed) == 1);
  for (int i = 0; i < 5; ++i) {
    REQUIRE(settle(claim.get()->runs.front(), core::settle_kind::succeeded));
    (void)work();
    claim = ask_for_work(who, 0s);
    hook_calls.answer(asked() - 1, 500);
    run();
    REQUIRE(claim.answered());
    REQUIRE(claim.get()->runs.size() == 1);
  }
  CHECK(count_events(core::event_kind::claim_hook_failed) == 1);  // once a minute at most
}

TEST_CASE_METHOD(hooks_node, "claim hook: a bad answer is none", "[actors][hook]") {
  const auto who = worker("alice");
  const auto r = work();
  const auto other = work("other");
  auto claim = ask_for_work(who, 60s);
  const auto failed_by = [&](const std::string& text) {
    CHECK_FALSE(claim.answered());
    CHECK(hook().last_failure.find(text) != std::string::npos);
    CHECK(queue().counts.ready == 2);
    next_question();
  };
  hook_says("maybe");
  failed_by("cannot be read");
  hook_calls.answer(asked() - 1, 503);
  run();
  failed_by("status 503");
  hook_calls.answer(asked() - 1, 0, "could not connect");
  run();
  failed_by("could not connect");
  hook_says("narrow run_0000000000009");
  failed_by("was not in question");
  hook_says("narrow");  // to nothing is a word
  CHECK(why_not(r, who).back() == "hook_refused");
  CHECK(why_not(other, who).back() == "hook_refused");
}

TEST_CASE_METHOD(hooks_node,
                 "claim hook: when its actor dies the claim goes on, and the next question is put",
                 "[actors][hook]") {
  const auto who = worker("alice");
  const auto r = work();
  auto claim = ask_for_work(who, 60s);
  REQUIRE(asked() == 1);
  REQUIRE(kill("claim-hook"));
  run();
  CHECK_FALSE(claim.answered());
  CHECK(hook().failed == 1);
  CHECK(fatal.empty());
  next_question();
  hook_says("allow");
  REQUIRE(claim.answered());
  REQUIRE(claim.get()->runs.size() == 1);
  CHECK(claim.get()->runs.front().run.head.id == r.head.id);
  hook_calls.answer_with_body(0, "allow");  // nobody waits for it
  run();
}

TEST_CASE_METHOD(hooks_node, "claim hook: a session that ends while it is asked takes nothing with it",
                 "[actors][hook]") {
  const auto who = worker("alice");
  const auto r = work();
  auto claim = ask_for_work(who, 60s);
  REQUIRE(ask<messages::session_answer>(messages::end_session{who, "bye", false, "test"}));
  REQUIRE(claim.answered());
  CHECK(claim.get().refused_with(errc::not_found));
  hook_says("refuse too late");
  CHECK(state_of(r.head.id) == core::run_state::queued);
  CHECK(hook().under_way == 0);
}

TEST_CASE("claim hook: so many questions at a time, the others wait their turn", "[actors][hook]") {
  auto o = asked_by_address();
  o.claim_hook.concurrency = 1;
  hooks_node n{o};
  const auto alice = n.worker("alice"), bob = n.worker("bob");
  (void)n.work("a");
  (void)n.work("b");
  auto first = n.ask_for_work(alice, 30s), second = n.ask_for_work(bob, 30s);
  CHECK(n.asked() == 1);
  n.hook_says("allow");
  CHECK(first.answered());
  REQUIRE(n.asked() == 2);
  CHECK_FALSE(second.answered());
  n.hook_says("allow");
  REQUIRE(second.answered());
  CHECK(second.get()->runs.size() == 1);
}

TEST_CASE("claim hook: whoever is not concerned pays nothing", "[actors][hook]") {
  auto o = asked_by_address();
  o.executor.none = false;
  o.claim_hook.handlers = {"process"};
  SECTION("by the handler") {
    hooks_node n{o};
    (void)n.work();
    CHECK(n.ask_for_work(n.worker("alice"), 0s).get()->runs.size() == 1);
    CHECK(n.asked() == 0);
  }
  SECTION("the executors of the node") {
    o.claim_hook.handlers.clear();
    hooks_node n{o};
    const auto r = n.submit(virtual_node::process("p"));
    CHECK(n.state_of(r.head.id) == core::run_state::running);
    CHECK(n.asked() == 0);
  }
  SECTION("unless it applies to all") {
    o.claim_hook.applies_to = core::hook_scope::all;
    hooks_node n{o};
    const auto r = n.submit(virtual_node::process("p"));
    CHECK(n.state_of(r.head.id) == core::run_state::queued);
    REQUIRE(n.asked() > 0);
    for (std::size_t i = 0; i < n.asked(); ++i) n.hook_calls.answer_with_body(i, "allow");
    n.run();
    CHECK(n.state_of(r.head.id) == core::run_state::running);
  }
  SECTION("by the job") {
    o.claim_hook.handlers.clear();
    o.claim_hook.jobs = {"nightly"};
    hooks_node n{o};
    const auto who = n.worker("alice", 9);
    const auto make = [&](const std::string& name) {
      messages::put_job m;
      m.definition.name = name;
      m.definition.spec = virtual_node::payload(name);
      m.definition.spec.retry.jitter = 0;
      m.actor = "test";
      const auto made = n.ask<messages::job_stored>(m);
      REQUIRE(made);
      messages::trigger_job t;
      t.id = made->job.id;
      t.actor = "test";
      REQUIRE(n.ask<messages::submitted>(t));
    };
    (void)n.work("direct");
    CHECK(n.ask_for_work(who, 0s).get()->runs.size() == 1);
    make("hourly");
    auto other = n.ask_for_work(who, 0s);
    REQUIRE(other.answered());
    CHECK(other.get()->runs.size() == 1);
    CHECK(n.asked() == 0);
    make("nightly");
    auto claim = n.ask_for_work(who, 0s);
    REQUIRE(n.asked() == 1);
    n.hook_says("allow");
    CHECK(claim.get()->runs.size() == 1);
  }
}

TEST_CASE_METHOD(command_hooks_node, "claim hook: a command reads the question and writes the answer",
                 "[actors][hook]") {
  hook_writes({"allow"});
  const auto who = worker("alice");
  const auto r = work("build");
  auto claim = ask_for_work(who, 0s);
  advance(10ms);
  REQUIRE(claim.answered());
  REQUIRE(claim.get()->runs.size() == 1);
  const auto& child = processes.started().front();
  CHECK(child.order.what.argv == std::vector<std::string>{"may-claim", "--quick"});
  CHECK(child.order.input == "ask " + to_string(who) + " max 1: " + to_string(r.head.id) + "=build");
  CHECK(child.order.mark == "test");
}

TEST_CASE_METHOD(command_hooks_node,
                 "claim hook: a command that crashes, or writes without end, is a failure",
                 "[actors][hook]") {
  const auto who = worker("alice");
  (void)work();
  auto claim = ask_for_work(who, 60s);
  const auto child = processes.living().front();
  processes.emit(child, {"no rights"}, core::log_stream::err);
  processes.finish(child, exited(3));
  run();
  CHECK(hook().last_failure.find("exit code 3: no rights") != std::string::npos);
  CHECK_FALSE(claim.answered());
  advance(500ms);
  REQUIRE(processes.living().size() == 1);
  const auto loud = processes.living().front();
  for (int i = 0; i < 70; ++i) processes.emit(loud, {std::string(1000, 'x')});
  processes.finish(loud);
  run();
  CHECK(hook().last_failure.find("more than 65536 bytes") != std::string::npos);
  hook_writes({"allow"});
  advance(2s);
  REQUIRE(claim.answered());
  CHECK(claim.get()->runs.size() == 1);
}

TEST_CASE_METHOD(command_hooks_node,
                 "claim hook: a command that hangs is killed, and counts until it is gone",
                 "[actors][hook]") {
  options.claim_hook.concurrency = 1;
  restart();
  processes.answer_stops(stop_answer::ignores_term);
  const auto who = worker("alice");
  (void)work();
  auto claim = ask_for_work(who, 60s);
  advance(2s);
  REQUIRE(processes.stops().size() == 1);
  CHECK(processes.stops().front().why == platform::stop_reason::timeout);
  CHECK(hook().failed == 1);
  advance(600ms);  // asked again, but the old one still lives
  CHECK(processes.started().size() == 1);
  hook_writes({"allow"});
  advance(1s);
  CHECK(processes.started().size() == 2);
  REQUIRE(claim.answered());
  CHECK(claim.get()->runs.size() == 1);
}

TEST_CASE_METHOD(hooks_node, "claim hook: whoever was refused a run is not woken for it", "[actors][hook]") {
  std::vector<messages::wake_target> woken;
  deliver = [&](const messages::deliver_wakes& m) {
    messages::wakes_delivered all;
    for (const auto& t : m.targets) {
      woken.push_back(t);
      all.answers.emplace_back(core::failure{errc::unavailable, "it sleeps too well", {}, {}});
    }
    return all;
  };
  options.claim_hook.retry_after = 10min;
  restart();
  const auto alice = worker("alice");
  const auto r = work();
  auto claim = ask_for_work(alice, 0s);
  hook_says("refuse never");
  woken.clear();
  advance(90s);
  CHECK(woken.empty());
  const auto bob = worker("bob");
  advance(20s);
  REQUIRE_FALSE(woken.empty());
  for (const auto& t : woken) CHECK(t.session == bob);
  CHECK(state_of(r.head.id) == core::run_state::queued);
}

TEST_CASE_METHOD(hooks_node, "claim hook: an orderly stop answers whoever waits for it", "[actors][hook]") {
  const auto who = worker("alice");
  const auto r = work();
  auto claim = ask_for_work(who, 60s);
  REQUIRE(asked() == 1);
  stop();
  REQUIRE(claim.answered());
  restart();
  CHECK(state_of(r.head.id) == core::run_state::queued);
  auto again = ask_for_work(who, 0s);
  hook_says("allow");
  CHECK(again.get()->runs.size() == 1);
}

TEST_CASE_METHOD(hooks_node, "claim hook: a node that is killed while it asks has lost nothing",
                 "[actors][hook]") {
  const auto who = worker("alice");
  const auto r = work();
  auto claim = ask_for_work(who, 60s);
  REQUIRE(asked() == 1);
  restart();
  CHECK(state_of(r.head.id) == core::run_state::queued);
  auto again = ask_for_work(who, 60s);
  REQUIRE(asked() == 2);
  hook_calls.answer_with_body(0, "allow");
  run();
  CHECK(state_of(r.head.id) == core::run_state::queued);
  hook_says("allow");
  REQUIRE(again.answered());
  CHECK(again.get()->runs.size() == 1);
  CHECK(find(r.head.id).head.fencing == 1);
}
