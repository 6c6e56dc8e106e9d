// Wakes in a whole node, in virtual time: given out, heard, claimed, late.
#include <catch2/catch.hpp>
#include <limits>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace std::chrono_literals;
using core::errc;
using messages::wake_fate;

namespace {

using waiting = core::result<messages::waiting_wakes>;

struct wakes_node : virtual_node {
  explicit wakes_node(actors::node_options o = outside_only()) : virtual_node{std::move(o)} {}
  static actors::node_options outside_only() {
    auto o = usual_options();
    o.executor.none = true;
    o.board.limits = {0, 0, 0, 0};
    return o;
  }
  core::run work(const std::string& name = "w") { return submit(payload(name)); }
  core::result<messages::wake_sent> wake(core::session_id who, const core::run& run) {
    auto all = hand_to_desk({{{run.head.id, who, run.head.prio, false, run.head.name}}});
    REQUIRE(all.answers.size() == 1);
    return all.answers.front();
  }
  pending<messages::waiting_wakes> poll(core::session_id who, core::span wait = 30s,
                                        core::wake_id after = {}) {
    auto p = send<messages::waiting_wakes>(messages::await_wakes{who, after, 100, wait});
    run();
    return p;
  }
  core::result<messages::wake_heard> hear(core::session_id who, core::wake_id id) {
    auto all = ask<messages::wakes_heard>(messages::acknowledge_wakes{who, {id}});
    if (!all) return all.error();
    return all->answers.front();
  }
  core::result<messages::session_answer> enter(core::wake_sink sink, core::session_id id = {}) {
    messages::register_session m;
    m.who.id = id;
    m.who.name = "woken";
    m.who.agent_type = "person";
    m.who.slots = 9;
    m.who.wake = std::move(sink);
    m.actor = "test";
    return ask<messages::session_answer>(std::move(m));
  }
  core::session_id hooked() {
    core::wake_sink s;
    s.via = core::wake_via::webhook;
    s.url = "http://example.org/";
    s.secret = "whsec_x";
    return enter(s)->who.id;
  }
  static core::wake_sink nudge(core::span timeout = 5s) {
    core::wake_sink s;
    s.via = core::wake_via::command;
    s.argv = {"nudge", "--now"};
    s.timeout = timeout;
    return s;
  }
};

actors::node_options with_commands() {
  auto o = wakes_node::outside_only();
  o.wakes.commands = true;
  o.wakes.max_commands = 2;
  o.wakes.max_webhooks = 3;
  return o;
}

struct commands_node : wakes_node {
  commands_node() : wakes_node{with_commands()} {}
};

}  // namespace

TEST_CASE_METHOD(wakes_node, "wake: a session that waits is answered, and acknowledges", "[actors][wake]") {
  const auto who = worker("w");
  auto waits = poll(who);
  CHECK_FALSE(waits.answered());
  const auto run = work("thumbs");
  const auto sent = wake(who, run);
  REQUIRE(sent.ok());
  REQUIRE(waits.answered());
  REQUIRE(waits.get()->wakes.size() == 1);
  const auto& w = waits.get()->wakes.front();
  CHECK(w.id == sent->id);
  CHECK(w.run == run.head.id);
  CHECK(w.name == "thumbs");
  CHECK(w.acknowledge_by == now() + 10s);
  CHECK(poll(who).get()->wakes.size() == 1);    // until it says that it has heard
  CHECK_FALSE(poll(who, 1s, w.id).answered());  // but not to those who have it
  CHECK_FALSE(hear(who, w.id)->repeated);
  CHECK(hear(who, w.id)->repeated);
  CHECK(poll(who, 0s).get()->wakes.empty());
  REQUIRE(wake_news().size() == 1);
  CHECK(wake_news().front().id == w.id);
  CHECK(wake_news().front().fate == wake_fate::acknowledged);
  advance(1min);
  CHECK(wake_news().size() == 1);
  CHECK(events_of(run.head.id) ==
        std::vector<std::string>{"run_submitted", "wake_sent", "wake_acknowledged"});
}

TEST_CASE_METHOD(wakes_node, "wake: nobody was there, and ten seconds later it has failed",
                 "[actors][wake]") {
  const auto who = worker("w");
  const auto run = work();
  const auto id = wake(who, run)->id;
  advance(9s);
  CHECK(poll(who, 0s).get()->wakes.size() == 1);  // it came late, and not too late
  CHECK(wake_news().empty());
  advance(1s);
  REQUIRE(wake_news().size() == 1);
  CHECK(wake_news().front().fate == wake_fate::failed);
  CHECK(wake_news().front().text == "not acknowledged within 10000 ms");
  CHECK(poll(who, 0s).get()->wakes.empty());
  CHECK(hear(who, id).refused_with(errc::invalid_transition));
  CHECK(hear(who, core::wake_id{77}).refused_with(errc::not_found));
  CHECK(hear(worker("other"), id).refused_with(errc::not_found));
  CHECK(events_of(run.head.id).back() == "wake_failed");
  CHECK(wake(who, run)->id != id);
}

TEST_CASE_METHOD(wakes_node, "wake: whoever claims the run has heard", "[actors][wake]") {
  const auto who = worker("w", 5);
  const auto run = work();
  const auto other = work("other");
  const auto id = wake(who, run)->id;
  REQUIRE(claim(who, 1).front().run.head.id == run.head.id);
  REQUIRE(wake_news().size() == 1);
  CHECK(wake_news().front().fate == wake_fate::claimed);
  CHECK(wake_news().front().id == id);
  CHECK(hear(who, id)->repeated);
  CHECK(claim(who, 1).front().run.head.id == other.head.id);  // it was not woken for that one
  advance(1min);
  CHECK(wake_news().size() == 1);
}

TEST_CASE_METHOD(wakes_node, "wake: for a run that the session holds already, it counts as claimed",
                 "[actors][wake]") {
  const auto who = worker("w");
  const auto run = work();
  REQUIRE(claim(who).size() == 1);
  CHECK(wake(who, run).ok());
  REQUIRE(wake_news().size() == 1);
  CHECK(wake_news().front().fate == wake_fate::claimed);
}

TEST_CASE_METHOD(wakes_node, "wake: a claim by somebody else is no answer", "[actors][wake]") {
  const auto who = worker("w");
  const auto other = worker("other");
  const auto run = work();
  CHECK(wake(who, run).ok());
  REQUIRE(claim(other).size() == 1);
  CHECK(wake_news().empty());
  advance(10s);
  CHECK(wake_news().front().fate == wake_fate::failed);
}

TEST_CASE_METHOD(wakes_node, "wake: the same again is the same wake", "[actors][wake]") {
  const auto who = worker("w");
  const auto run = work();
  const auto id = wake(who, run)->id;
  advance(4s);
  CHECK(wake(who, run)->id == id);
  advance(6s);
  CHECK(wake_news().size() == 1);
  CHECK(events_of(run.head.id).size() == 3);
}

TEST_CASE_METHOD(wakes_node, "wakes: a batch has an answer per target, in order", "[actors][wake]") {
  const auto a = worker("a");
  const auto b = worker("b");
  core::wake_sink none;
  none.via = core::wake_via::none;
  const auto deaf = enter(none)->who.id;
  const auto run = work();
  const auto all = hand_to_desk(
      {{{run.head.id, a}, {run.head.id, core::session_id{99}}, {run.head.id, deaf}, {run.head.id, b}}});
  REQUIRE(all.answers.size() == 4);
  CHECK(all.answers[0].ok());
  CHECK(all.answers[1].refused_with(errc::not_found));
  CHECK(all.answers[2].refused_with(errc::unavailable));
  CHECK(all.answers[3].ok());
  messages::deliver_wakes many;
  many.targets.assign(1001, {run.head.id, a});
  const auto answers = hand_to_desk(many).answers;
  REQUIRE(answers.size() == 1001);
  CHECK(answers[999].ok());
  CHECK(answers[1000].refused_with(errc::overloaded));
}

TEST_CASE("wakes: the node's own executors are never woken", "[actors][wake]") {
  virtual_node n;
  const auto run = n.submit(virtual_node::payload("w"));
  const auto all = n.ask<messages::sessions_seen>(messages::look_at_sessions{{}, false});
  REQUIRE(!all->sessions.empty());
  CHECK(all->sessions.front().who.wake.via == core::wake_via::none);
  CHECK(n.hand_to_desk({{{run.head.id, all->sessions.front().who.id}}})
            .answers.front()
            .refused_with(errc::unavailable));
}

TEST_CASE_METHOD(wakes_node, "wake: a session that goes takes its wakes and its polls with it",
                 "[actors][wake]") {
  const auto who = worker("w");
  auto waits = poll(who, 30s);
  const auto behind = core::wake_id{std::numeric_limits<std::int64_t>::max()};
  auto other = poll(who, 30s, behind);
  CHECK(wake(who, work()).ok());
  CHECK(waits.answered());
  CHECK(ask<messages::session_answer>(messages::end_session{who, "bye", false, "test"}).ok());
  REQUIRE(wake_news().size() == 1);
  CHECK(wake_news().front().text == "the session has gone");
  REQUIRE(other.answered());
  CHECK(other.get().refused_with(errc::not_found));
  CHECK(poll(who).get().refused_with(errc::not_found));
  CHECK(wake(who, work()).refused_with(errc::not_found));
}

TEST_CASE_METHOD(wakes_node, "wakes: a node that begins anew has none, and knows how to wake",
                 "[actors][wake]") {
  const auto who = worker("w");
  const auto hook = hooked();
  const auto run = work();
  const auto id = wake(who, run)->id;
  restart();
  advance(1ms);  // ids tell the time
  CHECK(poll(who, 0s).get()->wakes.empty());
  CHECK(hear(who, id).refused_with(errc::not_found));
  CHECK(wake_news().empty());
  CHECK(wake(who, run)->id != id);
  CHECK(wake(hook, run).ok());
  REQUIRE(webhooks.orders.size() == 1);
  CHECK(webhooks.orders.front().secret == "whsec_x");
}

TEST_CASE_METHOD(wakes_node, "wake: whoever polls lives", "[actors][wake]") {
  const auto who = worker("w");
  for (int i = 0; i < 10; ++i) {
    auto waits = poll(who, 60s);
    advance(1min);
    REQUIRE(waits.answered());
    CHECK(waits.get()->wakes.empty());
  }
  const auto seen = ask<messages::sessions_seen>(messages::look_at_sessions{who, false});
  CHECK(seen->sessions.front().who.state == core::session_state::active);
  advance(5min);
  CHECK(ask<messages::sessions_seen>(messages::look_at_sessions{who, false})->sessions.front().who.state ==
        core::session_state::stale);
  CHECK(poll(who, 0s).get().ok());
  CHECK(ask<messages::sessions_seen>(messages::look_at_sessions{who, false})->sessions.front().who.state ==
        core::session_state::active);
}

TEST_CASE_METHOD(wakes_node, "polls: all of a session are told, the fifth takes the place of the first",
                 "[actors][wake]") {
  const auto who = worker("w");
  std::vector<pending<messages::waiting_wakes>> polls;
  for (int i = 0; i < 5; ++i) polls.push_back(poll(who));
  REQUIRE(polls[0].answered());
  CHECK(polls[0].get()->wakes.empty());
  CHECK_FALSE(polls[1].answered());
  CHECK(wake(who, work()).ok());
  for (int i = 1; i < 5; ++i) CHECK(polls[static_cast<std::size_t>(i)].get()->wakes.size() == 1);
  for (const auto wait : {-1s, 61s}) CHECK(poll(who, wait).get().refused_with(errc::invalid));
}

TEST_CASE_METHOD(wakes_node, "polls: those who wait when the node stops are answered", "[actors][wake]") {
  const auto who = worker("w");
  auto waits = poll(who);
  stop();
  REQUIRE(waits.answered());
  CHECK(waits.answers() == 1);
}

TEST_CASE_METHOD(wakes_node, "wakes: the limits of the node and of a session refuse the rest",
                 "[actors][wake]") {
  const auto who = worker("w");
  messages::deliver_wakes many;
  for (int i = 0; i < 101; ++i) many.targets.push_back({work().head.id, who});
  const auto all = hand_to_desk(many).answers;
  CHECK(all[99].ok());
  CHECK(all[100].refused_with(errc::overloaded));
}

TEST_CASE_METHOD(wakes_node, "wakes: many facts share few commits, and a store in trouble costs no wake",
                 "[actors][wake]") {
  std::vector<core::session_id> all;
  const auto run = work();
  messages::deliver_wakes many;
  for (int i = 0; i < 500; ++i) many.targets.push_back({run.head.id, worker("w" + std::to_string(i))});
  const auto before = faults.commits;
  CHECK(hand_to_desk(many).answers.size() == 500);
  CHECK(faults.commits - before <= 2);
  CHECK(count_events(core::event_kind::wake_sent) == 500);
  advance(10s);
  CHECK(count_events(core::event_kind::wake_failed) == 500);
  CHECK(wake_news().size() == 500);
  faults.next_commit = core::failure{errc::unavailable, "a bad day", {}, {}};
  CHECK(hand_to_desk(many).answers.front().ok());
  advance(10s);
  CHECK(wake_news().size() == 1000);
}

TEST_CASE_METHOD(commands_node, "webhook: 2xx has heard, everything else has not", "[actors][wake]") {
  const auto who = hooked();
  const auto run = work("thumbs");
  const auto id = wake(who, run)->id;
  REQUIRE(webhooks.orders.size() == 1);
  const auto& order = webhooks.orders.front();
  CHECK(order.url == "http://example.org/");
  CHECK(order.id == core::to_string(id));
  CHECK(order.at == now());
  CHECK(order.timeout == 5s);
  CHECK(order.body == "webhook " + core::to_string(id) + " " + core::to_string(run.head.id) + " thumbs");
  webhooks.answer(0, 204);
  this->run();
  REQUIRE(wake_news().size() == 1);
  CHECK(wake_news().back().fate == wake_fate::acknowledged);
  CHECK(wake(who, run).ok());
  webhooks.answer(1, 302);
  this->run();
  CHECK(wake_news().back().text == "the webhook was answered with status 302");
  CHECK(wake(who, run).ok());
  webhooks.answer(2, 0, "no answer within 5000 ms");
  this->run();
  CHECK(wake_news().back().text == "the webhook failed: no answer within 5000 ms");
  CHECK(wake_news().back().fate == wake_fate::failed);
  // A claim comes before the answer.
  CHECK(wake(who, run).ok());
  CHECK(claim(who).size() == 1);
  webhooks.answer(3, 500);
  this->run();
  REQUIRE(wake_news().size() == 4);
  CHECK(wake_news().back().fate == wake_fate::claimed);
}

TEST_CASE_METHOD(commands_node, "webhook: only so many are under way", "[actors][wake]") {
  const auto who = hooked();
  for (int i = 0; i < 3; ++i) CHECK(wake(who, work()).ok());
  CHECK(wake(who, work()).refused_with(errc::overloaded));
  webhooks.answer(1, 200);
  run();
  CHECK(wake(who, work()).ok());
}

TEST_CASE_METHOD(wakes_node, "command: a session may not name one unless the node allows it",
                 "[actors][wake]") {
  const auto refused = enter(nudge());
  REQUIRE(refused.refused_with(errc::forbidden));
  CHECK(refused.error().problems.front().pointer == "/wake/sink");
  auto own = nudge();
  own.from_node = true;
  const auto who = enter(own)->who.id;
  CHECK(wake(who, work()).ok());
  CHECK(processes.started().size() == 1);
}

TEST_CASE_METHOD(commands_node, "command: gets the wake, and its exit code is the answer", "[actors][wake]") {
  const auto who = enter(nudge())->who.id;
  const auto run = work("thumbs");
  const auto id = wake(who, run)->id;
  REQUIRE(processes.started().size() == 1);
  const auto first = processes.started().front();
  CHECK(first.key == "wake/" + core::to_string(id));
  CHECK(first.order.what.argv == std::vector<std::string>{"nudge", "--now"});
  CHECK(first.order.input ==
        "command " + core::to_string(id) + " " + core::to_string(run.head.id) + " thumbs");
  CHECK(first.order.mark == "test");
  const std::vector<std::pair<std::string, std::string>> env{{"BELFRY_SESSION", core::to_string(who)},
                                                             {"BELFRY_RUN_ID", core::to_string(run.head.id)},
                                                             {"BELFRY_WAKE", core::to_string(id)},
                                                             {"BELFRY_PRIORITY", "normal"}};
  CHECK(first.order.env == env);
  REQUIRE(processes.finish(first.key));
  this->run();
  CHECK(wake_news().back().fate == wake_fate::acknowledged);
  CHECK(wake(who, run).ok());
  REQUIRE(processes.finish(processes.last_started()->key, exited(3)));
  this->run();
  CHECK(wake_news().back().fate == wake_fate::failed);
  CHECK(wake_news().back().text == "the command failed: exit code 3");
}

TEST_CASE_METHOD(commands_node, "command: one that does not end is stopped, and the wake has failed",
                 "[actors][wake]") {
  const auto who = enter(nudge(2s))->who.id;
  CHECK(wake(who, work()).ok());
  processes.answer_stops(stop_answer::ignores_term);
  CHECK(wake(who, work()).ok());
  CHECK(wake(who, work()).refused_with(errc::overloaded));
  advance(2s);
  CHECK(processes.stops().size() == 2);
  CHECK(processes.stops().front().why == platform::stop_reason::timeout);
  advance(2s);
  CHECK(processes.running() == 0);
  CHECK(wake_news().size() == 2);
  CHECK(wake_news().back().fate == wake_fate::failed);
  CHECK(wake(who, work()).ok());
  stop();
  CHECK(processes.running() == 0);
}

TEST_CASE_METHOD(wakes_node, "wake by hand: the session hears it, the coordinator does not",
                 "[actors][wake]") {
  const auto who = worker("w");
  const auto run = work();
  const auto sent = ask<messages::wake_sent>(
      messages::wake_by_hand{{run.head.id, who, core::priority::normal, false, "w"}, "me"});
  REQUIRE(sent.ok());
  CHECK(poll(who, 0s).get()->wakes.size() == 1);
  (void)wake_news();
  CHECK(hear(who, sent->id).ok());
  CHECK(wake_news().empty());
  CHECK(events_of(run.head.id).back() == "wake_acknowledged");
}

TEST_CASE_METHOD(wakes_node, "wakes: a desk that dies ends the node", "[actors][wake]") {
  CHECK(kill("wake-desk"));
  run();
  CHECK(fatal.size() == 1);
}

TEST_CASE_METHOD(wakes_node, "wakes: the last ones of a run are told with what became of them",
                 "[actors][wake]") {
  const auto who = worker("deaf", 3), other = hooked();
  const auto run = work();
  const auto told = [&] { return *ask<messages::wakes_seen>(messages::look_at_wakes{run.head.id}); };
  const auto born = told().since;
  CHECK(born != core::never);
  CHECK(told().wakes.empty());
  CHECK(wake(who, run).ok());
  REQUIRE(told().wakes.size() == 1);
  CHECK(told().wakes.front().outcome == core::wake_outcome::waiting);
  CHECK(told().wakes.front().session == who);
  advance(10s);
  CHECK(told().wakes.front().outcome == core::wake_outcome::failed);
  CHECK(told().wakes.front().text == "not acknowledged within 10000 ms");
  CHECK(told().wakes.front().ended_at == told().wakes.front().sent_at + 10s);
  CHECK(wake(other, run).ok());
  webhooks.answer(webhooks.orders.size() - 1, 200);
  this->run();
  CHECK(wake(who, run).ok());
  CHECK(claim(who).size() == 1);
  CHECK_FALSE(wake(core::session_id{77}, run).ok());
  const auto all = told();
  REQUIRE(all.wakes.size() == 4);
  CHECK(all.all == 4);
  CHECK(all.wakes[0].outcome == core::wake_outcome::refused);
  CHECK(all.wakes[0].text.find("there is no session") == 0);
  CHECK(all.wakes[1].outcome == core::wake_outcome::claimed);
  CHECK(all.wakes[2].outcome == core::wake_outcome::acknowledged);
  CHECK(all.wakes[2].session == other);

  // A new process knows of none, and says since when that is.
  advance(1min);
  restart();
  CHECK(told().wakes.empty());
  CHECK(told().since > born);
}
