// Work of members through the whole node, under virtual time: questions, and what becomes of runs when a
// link, a member or the coordinator dies.
#include "tests/support/member_by_hand.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::errc;
using core::event_kind;
using core::run_state;
using messages::wire::kind;
using tests::coordinator;
using tests::member_by_hand;

namespace {

core::run_spec bound_to(const std::string& capability) {
  auto s = tests::virtual_node::process("task");
  s.needs.capabilities = {capability};
  return s;
}

const core::session* session_in(const std::vector<core::session>& all, core::session_id id) {
  for (const auto& s : all)
    if (s.id == id) return &s;
  return nullptr;
}

std::size_t of_kind(coordinator& c, const member_by_hand& m, kind k) {
  const auto& got = c.wires.at(m.link).got;
  return static_cast<std::size_t>(std::count_if(
      got.begin(), got.end(), [k](const auto& e) { return e.kind == static_cast<std::uint16_t>(k); }));
}

}  // namespace

TEST_CASE("cluster: an executor is registered as one of its node, whatever it asked for",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.self.labels = {"disk=ssd"};
  m.self.capabilities = {"GPU"};
  m.joins();
  messages::register_session q;
  q.who.name = "process-1";
  q.who.agent_type = "king";
  q.who.workspace = "castle";
  q.who.local = true;
  q.who.slots = 50;
  q.who.capabilities = {"crown"};
  const auto r = m.asks(q);
  REQUIRE(r);
  const auto& who = std::get<messages::session_answer>(*r).who;
  CHECK(who.name == "alpha/process-1");
  CHECK(who.agent_type == "process");
  CHECK(who.workspace.empty());
  CHECK_FALSE(who.local);
  CHECK(who.slots == 1);
  CHECK(who.capabilities == std::vector<std::string>{"disk=ssd", "gpu", "node:alpha"});
  CHECK(who.metadata == R"({"node":"alpha"})");
  CHECK(who.wake.via == core::wake_via::none);
  CHECK(c.node_view_of("alpha").sessions == std::vector{who.id});
}

TEST_CASE("cluster: a member performs processes of every workspace, and those that are bound to it",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand a{c, "alpha"}, b{c, "beta"};
  a.joins();
  b.joins();
  const auto at_a = a.seats(), at_b = b.seats();
  auto spec = bound_to("node:beta");
  spec.needs.workspace = "elsewhere";
  const auto run = c.submit(spec);
  auto none = a.asks(member_by_hand::wish(at_a));
  REQUIRE(none);
  CHECK(std::get<messages::claimed_runs>(*none).runs.empty());
  const auto held = b.claims(at_b);
  CHECK(held.run.head.id == run.head.id);
  CHECK(c.state_of(run.head.id) == run_state::running);
  CHECK(c.node_view_of("beta").leases == 1);
  REQUIRE(b.settles(held));
  CHECK(c.state_of(run.head.id) == run_state::succeeded);
  // The answer may have been lost: the same question has the same answer.
  const auto again = b.settles(held);
  REQUIRE(again);
  const auto& item = std::get<messages::settled>(*again).answers.at(0);
  REQUIRE(item);
  CHECK(item->replayed);
}

TEST_CASE("cluster: nobody asks about what is somebody else's", "[actors][cluster]") {
  coordinator c;
  member_by_hand a{c, "alpha"}, b{c, "beta"};
  a.joins();
  b.joins();
  const auto at_a = a.seats();
  const auto outsider = c.worker("robot");
  c.submit(tests::virtual_node::process("task"));
  const auto held = a.claims(at_a);

  CHECK(b.asks(member_by_hand::wish(at_a)).refused_with(errc::forbidden));
  CHECK(b.asks(member_by_hand::wish(outsider)).refused_with(errc::not_found));
  messages::end_session end;
  end.id = outsider;
  CHECK(b.asks(end).refused_with(errc::forbidden));
  end.id = at_a;
  CHECK(b.asks(end).refused_with(errc::forbidden));
  messages::register_session steal;
  steal.who.id = at_a;
  steal.who.name = "process-1";
  CHECK(b.asks(steal).refused_with(errc::forbidden));
  CHECK(b.settles(held).refused_with(errc::forbidden));
  messages::touch_leases touch;
  touch.calls.push_back({held.run.head.id, core::cmd_renew{{held.run.head.fencing, {}}, 1min}});
  CHECK(b.asks(touch).refused_with(errc::forbidden));
  CHECK(c.find(held.run.head.id).head.state == run_state::running);
  REQUIRE(a.settles(held));

  // Nor is an executor of a member taken over by somebody at a door.
  messages::register_session guest;
  guest.who.id = at_a;
  guest.who.name = "alpha/process-1";
  guest.who.agent_type = "person";
  CHECK(c.ask<messages::session_answer>(guest).refused_with(errc::conflict));
}

TEST_CASE("cluster: a claim says how long it had waited when the lease began", "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto who = m.seats();
  const auto number = m.puts(member_by_hand::wish(who, 30s));
  c.run();
  CHECK_FALSE(m.answer_to(number));
  c.advance(700ms);
  m.beat();
  c.submit(tests::virtual_node::process("task"));
  const auto a = m.answer_to(number);
  REQUIRE(a);
  REQUIRE(a->what);
  CHECK(std::get<messages::claimed_runs>(*a->what).runs.size() == 1);
  CHECK(a->waited == core::span{700ms});
}

TEST_CASE("cluster: a claim that waits on a link that died takes no work", "[actors][cluster]") {
  coordinator c;
  member_by_hand a{c, "alpha"}, b{c, "beta"};
  a.joins();
  b.joins();
  const auto at_a = a.seats(), at_b = b.seats();
  a.puts(member_by_hand::wish(at_a, 30s));
  c.run();
  CHECK(c.queue().waiting_claims == 1);
  a.cut();
  CHECK(c.queue().waiting_claims == 0);
  const auto run = c.submit(tests::virtual_node::process("task"));
  CHECK(c.state_of(run.head.id) == run_state::queued);
  CHECK(b.claims(at_b).run.head.id == run.head.id);
}

TEST_CASE("cluster: silence ends the claims that wait, before anything is given to nobody",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  m.puts(member_by_hand::wish(m.seats(), 30s));
  c.run();
  c.advance(2s);
  CHECK(c.queue().waiting_claims == 0);
  CHECK(m.linked());
}

TEST_CASE("cluster: a run that was claimed by a link that died is back at once, and nothing is counted",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto who = m.seats();
  const auto run = c.submit(tests::virtual_node::process("task"));
  m.puts(member_by_hand::wish(who));
  c.wires.cut(m.link);  // the claim is on its way already
  c.run();
  const auto head = c.find(run.head.id).head;
  CHECK(head.state == run_state::queued);
  CHECK(head.losses == 0);
  CHECK(c.queue().counts.live == 0);
  CHECK(c.count_events(event_kind::run_released) + c.count_events(event_kind::run_claimed) >= 1);
}

TEST_CASE("cluster: a run whose answer finds no room on the link is back at once", "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto who = m.seats();
  const auto run = c.submit(tests::virtual_node::process("task"));
  c.wires.at(m.link).full = true;
  m.puts(member_by_hand::wish(who));
  c.run();
  CHECK(c.state_of(run.head.id) == run_state::queued);
  c.wires.at(m.link).full = false;
  CHECK(m.claims(who).run.head.id == run.head.id);
}

TEST_CASE("cluster: an executor that claims again without what it was given has never seen it",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto who = m.seats();
  const auto run = c.submit(tests::virtual_node::process("task"));
  const auto lost = m.claims(who);  // let the answer be lost
  const auto again = m.claims(who);
  CHECK(again.run.head.id == run.head.id);
  CHECK(again.run.head.fencing > lost.run.head.fencing);
  CHECK(again.run.head.losses == 0);
  const auto late = m.settles(lost);
  REQUIRE(late);
  const auto& refusal = std::get<messages::settled>(*late).answers.at(0);
  REQUIRE_FALSE(refusal);
  CHECK(refusal.refused_with(errc::conflict));  // that attempt has its end: it was given back
  REQUIRE(m.settles(again));
}

TEST_CASE("cluster: a claim that overtakes the end of the last run takes nothing from it",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto who = m.seats();
  const auto done = c.submit(tests::virtual_node::process("done"));
  const auto next = c.submit(tests::virtual_node::process("next"));
  const auto held = m.claims(who);
  auto wish = member_by_hand::wish(who, 30s);
  wish.holds = {done.head.id};
  const auto number = m.puts(wish);
  c.run();
  CHECK(c.state_of(done.head.id) == run_state::running);
  CHECK(m.answers_to(number) == 0);  // its one slot is taken
  REQUIRE(m.settles(held));
  CHECK(c.state_of(done.head.id) == run_state::succeeded);
  CHECK(c.find(done.head.id).head.fencing == 1);
  auto a = m.answer_to(number);
  REQUIRE(a);
  const auto& runs = std::get<messages::claimed_runs>(*a->what).runs;
  REQUIRE(runs.size() == 1);
  CHECK(runs.front().run.head.id == next.head.id);
  // Whatever it does not name was lost on the way.
  CHECK(m.claims(who).run.head.id == next.head.id);
  CHECK(c.find(next.head.id).head.fencing == 2);
}

TEST_CASE("cluster: a claim that is only repeated takes no second run, and nothing from its holder",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto who = m.seats();
  const auto wish = member_by_hand::wish(who, 30s);
  const auto number = m.puts(wish);
  c.run();
  m.repeats(number, wish);
  const auto run = c.submit(tests::virtual_node::process("one"));
  const auto other = c.submit(tests::virtual_node::process("two"));
  CHECK(m.answers_to(number) == 1);
  // The answer and another repetition have crossed: the run may be in good hands.
  m.repeats(number, wish);
  CHECK(m.answers_to(number) == 2);
  CHECK(c.state_of(run.head.id) == run_state::running);
  CHECK(c.state_of(other.head.id) == run_state::queued);
  CHECK(c.find(run.head.id).head.fencing == 1);
  // It was not: a claim with another number says so.
  CHECK(m.claims(who).run.head.id == run.head.id);
  CHECK(c.find(run.head.id).head.fencing == 2);
}

TEST_CASE("cluster: a registration that is repeated with its number is the same session",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  messages::register_session q;
  q.who.name = "process-1";
  q.who.agent_type = "process";
  const auto number = m.puts(q);
  m.repeats(number, q);
  m.repeats(number, q);
  CHECK(m.answers_to(number) == 2);  // the first repetition met the question itself
  CHECK(c.node_view_of("alpha").sessions.size() == 1);
}

TEST_CASE("cluster: an executor that registers anew under its name has one session, and the other ends",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto lost = m.seats();
  const auto kept = m.seats();
  CHECK(lost != kept);
  CHECK(c.node_view_of("alpha").sessions == std::vector{kept});
}

TEST_CASE("cluster: back with the same boot, a member keeps what it holds and loses what it never saw",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto one = m.seats("process-1"), two = m.seats("process-2");
  const auto seen = c.submit(tests::virtual_node::process("seen"));
  const auto held = m.claims(one);
  CHECK(held.run.head.id == seen.head.id);
  const auto unseen = c.submit(tests::virtual_node::process("unseen"));
  const auto number = m.puts(member_by_hand::wish(two));
  c.run();
  REQUIRE(m.answer_to(number));  // sent, and let it be lost with the link
  CHECK(c.state_of(unseen.head.id) == run_state::running);
  m.cut();
  const auto w = m.joins();
  CHECK(w.gone.empty());
  CHECK(w.lost.empty());
  CHECK(c.state_of(seen.head.id) == run_state::running);
  const auto back = c.find(unseen.head.id).head;
  CHECK(back.state == run_state::queued);
  CHECK(back.losses == 0);
  REQUIRE(m.settles(held));
  CHECK(m.claims(two).run.head.id == unseen.head.id);
}

TEST_CASE("cluster: a member is told which of its sessions are gone, and which runs are somebody else's",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand a{c, "alpha"}, b{c, "beta"};
  a.joins();
  b.joins();
  const auto at_a = a.seats("process-1"), idle = a.seats("process-2"), at_b = b.seats();
  const auto run = c.submit(tests::virtual_node::process("task"));
  const auto held = a.claims(at_a);
  a.cut();
  REQUIRE(c.ask<messages::session_answer>(messages::end_session{idle, "by hand", false, "test"}));
  b.lives(61s);  // a's lease is over
  const auto taken = b.claims(at_b);
  CHECK(taken.run.head.id == run.head.id);
  const auto w = a.joins();
  CHECK(w.gone == std::vector{idle});
  REQUIRE(w.lost.size() == 1);
  CHECK(w.lost[0].run == run.head.id);
  CHECK(w.lost[0].fencing == held.run.head.fencing);
  REQUIRE(b.settles(taken));
}

TEST_CASE("cluster: with a new boot everything of the old one is lost at once and tried elsewhere",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand a{c, "alpha"}, b{c, "beta"};
  a.joins();
  b.joins();
  const auto at_a = a.seats(), at_b = b.seats();
  const auto run = c.submit(tests::virtual_node::process("task"));
  const auto held = a.claims(at_a);
  a.cut();
  CHECK(c.state_of(run.head.id) == run_state::running);  // a link that is gone ends no lease
  a.reboot(2);
  a.joins();
  CHECK(c.find(run.head.id).head.losses == 1);
  CHECK(c.node_view_of("alpha").sessions.empty());
  b.lives(1s);
  const auto again = b.claims(at_b);
  CHECK(again.run.head.id == run.head.id);
  CHECK(again.run.head.fencing > held.run.head.fencing);
}

TEST_CASE("cluster: leases outlive a restart of the coordinator, and so does the knowledge of boots",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand a{c, "alpha"}, b{c, "beta"};
  a.joins();
  b.joins();
  const auto at_a = a.seats(), at_b = b.seats();
  c.submit(tests::virtual_node::process("one"));
  const auto kept = a.claims(at_a);
  c.submit(tests::virtual_node::process("two"));
  const auto lost = b.claims(at_b);
  c.begin_anew();
  CHECK(c.state_of(kept.run.head.id) == run_state::running);
  a.joins();
  b.reboot(2);
  b.joins();
  CHECK(c.state_of(kept.run.head.id) == run_state::running);
  REQUIRE(a.settles(kept));
  CHECK(c.state_of(kept.run.head.id) == run_state::succeeded);
  CHECK(c.find(lost.run.head.id).head.losses == 1);
}

TEST_CASE("cluster: a wall clock set forward while the coordinator was away takes no lease from a member",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto who = m.seats();
  const auto run = c.submit(tests::virtual_node::process("task"));
  const auto held = m.claims(who);  // for a minute
  c.crash();
  c.jump(1h);
  c.restart();
  c.advance(60s - 1us);
  CHECK(c.state_of(run.head.id) == run_state::running);
  c.advance(20s);
  CHECK(c.find(run.head.id).head.losses == 1);
}

TEST_CASE("cluster: a drain that overtakes a registration drains the new session all the same",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  messages::register_session q;
  q.who.name = "process-1";
  q.who.agent_type = "process";
  const auto number = m.puts(q);
  auto drained = c.send<messages::nodes_seen>(messages::steer_node{"alpha", true, "maintenance", "operator"});
  c.run();
  REQUIRE(drained.answered());
  REQUIRE(drained.get());
  const auto a = m.answer_to(number);
  REQUIRE(a);
  REQUIRE(a->what);
  const auto id = std::get<messages::session_answer>(*a->what).who.id;
  const auto known = c.read(messages::list_sessions{true});
  REQUIRE(known);
  const auto* who = session_in(*known, id);
  REQUIRE(who != nullptr);
  CHECK(who->draining);
}

TEST_CASE("cluster: a session of a node lives as long as its node does", "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto who = m.seats();
  m.lives(5min);
  auto all = c.read(messages::list_sessions{});
  REQUIRE(all);
  REQUIRE(session_in(*all, who) != nullptr);
  CHECK(session_in(*all, who)->state == core::session_state::active);
  c.advance(5min);
  all = c.read(messages::list_sessions{});
  CHECK(session_in(*all, who)->state == core::session_state::stale);
}

TEST_CASE("cluster: a drain is told, kept over restarts, and over when the last lease has ended",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto who = m.seats();
  c.submit(tests::virtual_node::process("task"));
  const auto held = m.claims(who);
  const auto r = c.ask<messages::nodes_seen>(messages::steer_node{"alpha", true, "new disk", "cli:alice"});
  REQUIRE(r);
  CHECK(r->nodes.at(0).node.draining);
  CHECK(r->nodes.at(0).node.reason == "new disk");
  CHECK(r->nodes.at(0).node.by == "cli:alice");
  const auto* told = m.last(kind::steer);
  REQUIRE(told != nullptr);
  CHECK(messages::wire::read_steer(told->body)->draining);
  m.lives(3s);
  CHECK(c.count_events(event_kind::node_drained) == 0);
  CHECK(c.read(messages::list_sessions{})->at(0).state == core::session_state::draining);

  c.begin_anew();
  CHECK(m.joins().draining);
  REQUIRE(m.settles(held));
  m.lives(1s);
  CHECK(c.count_events(event_kind::node_drained) == 1);
  const auto waiting = c.submit(tests::virtual_node::process("waits"));
  m.lives(2s);
  m.self.sessions.clear();
  const auto fresh = m.seats("process-2");  // one that comes later drains too
  auto none = m.asks(member_by_hand::wish(fresh));
  REQUIRE(none);
  CHECK(std::get<messages::claimed_runs>(*none).runs.empty());
  CHECK(c.count_events(event_kind::node_drained) == 1);

  REQUIRE(c.ask<messages::nodes_seen>(messages::steer_node{"alpha", false, "", "cli:alice"}));
  CHECK_FALSE(messages::wire::read_steer(m.last(kind::steer)->body)->draining);
  CHECK(m.claims(fresh).run.head.id == waiting.head.id);
  CHECK(c.count_events(event_kind::node_resumed) == 1);
}

TEST_CASE("cluster: whoever holds an attempt is told to stop it, wherever it is", "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto who = m.seats();
  auto spec = tests::virtual_node::process("task");
  spec.timeout = 20s;
  const auto run = c.submit(spec);
  const auto held = m.claims(who);
  m.lives(20s);
  REQUIRE(of_kind(c, m, kind::stop) == 1);
  auto told = messages::wire::read_stop(m.last(kind::stop)->body);
  REQUIRE(told);
  CHECK(told->what.run == run.head.id);
  CHECK(told->what.fencing == held.run.head.fencing);
  CHECK(told->what.why == messages::stop_why::timeout);
  REQUIRE(c.cancel(run.head.id));
  told = messages::wire::read_stop(m.last(kind::stop)->body);
  CHECK(told->what.why == messages::stop_why::cancel);
}

TEST_CASE("cluster: the attempt of a member is not ended over its head while its lease is good",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto who = m.seats();
  auto spec = tests::virtual_node::process("task");
  spec.timeout = 5s;
  const auto run = c.submit(spec);
  m.claims(who);
  m.cut();  // nobody knows whether its process lives
  const auto patience = 5s + spec.grace + c.options.executor.overdue_after;
  c.advance(patience + 10s);
  CHECK(c.state_of(run.head.id) == core::run_state::running);
  c.advance(1min - patience);  // its lease is one of a minute
  CHECK(c.find(run.head.id).head.losses == 1);
}

TEST_CASE("cluster: what was cancelled while a member was away is told when it is back",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto run = c.submit(tests::virtual_node::process("task"));
  m.claims(m.seats());
  m.cut();
  REQUIRE(c.cancel(run.head.id));
  m.joins();
  const auto* e = m.last(kind::stop);
  REQUIRE(e != nullptr);
  CHECK(messages::wire::read_stop(e->body)->what.run == run.head.id);
}

TEST_CASE("cluster: executors of the coordinator itself are stopped as ever", "[actors][cluster]") {
  auto o = coordinator::usual();
  o.executor.none = false;
  coordinator c{o};
  const auto run = c.submit(tests::virtual_node::process("task"));
  REQUIRE(c.state_of(run.head.id) == run_state::running);
  REQUIRE(c.cancel(run.head.id));
  c.run();
  CHECK(c.processes.stops().size() == 1);
}

TEST_CASE("cluster: a flood of questions is refused beyond its bound, and the link stays",
          "[actors][cluster]") {
  auto o = coordinator::usual();
  o.cluster.max_open = 4;
  coordinator c{o};
  member_by_hand m{c};
  m.joins();
  const auto who = m.seats();
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < 10; ++i) numbers.push_back(m.puts(member_by_hand::wish(who, 30s)));
  c.run();
  std::size_t refused = 0;
  for (const auto n : numbers) {
    const auto a = m.answer_to(n);
    if (a && a->what.refused_with(errc::overloaded)) ++refused;
  }
  CHECK(refused == 6);
  CHECK(m.linked());
  m.lives(31s);
  CHECK(m.asks(member_by_hand::wish(who)).ok());
}
