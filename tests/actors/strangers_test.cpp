// What another belfry wrote, tokens that were lost, dead letters that nobody deals with: in a whole node, in
// virtual time.
#include <catch2/catch.hpp>

#include "storage/memory/tables.hpp"
#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace std::chrono_literals;
using core::errc;
using core::event_kind;
using core::run_state;

namespace {

constexpr auto stranger = static_cast<core::handler_kind>(7);

// What another belfry, or a bad disk, leaves behind while no node runs.
template <class Change>
void change_rows(virtual_node& node, Change change) {
  node.crash();
  auto t = std::make_shared<storage::memory::tables>(*node.disk->read());
  change(*t);
  node.disk->write(std::move(t));
  node.restart();
  node.run();
}

void make_handler(virtual_node& node, core::run_id id, core::handler_kind kind) {
  change_rows(node, [&](storage::memory::tables& t) {
    auto row = *t.runs.find(id);
    row.handler = kind;
    t.runs.set(id, row);
  });
}

template <class Command>
core::result<messages::lease_status> say(virtual_node& node, const messages::claimed_run& c,
                                         Command command) {
  command.proof = proof_of(c);
  messages::touch_leases m;
  m.calls.push_back({c.run.head.id, std::move(command)});
  auto r = node.ask<messages::touched>(std::move(m));
  REQUIRE(r.ok());
  return r->answers.front();
}

messages::session_view look(virtual_node& node, core::session_id id) {
  const auto seen = node.ask<messages::sessions_seen>(messages::look_at_sessions{id, true});
  REQUIRE(seen.ok());
  REQUIRE(seen->sessions.size() == 1);
  return seen->sessions.front();
}

}  // namespace

TEST_CASE("strangers: a run of a kind that this belfry does not know is parked at boot, others go on",
          "[actors][strangers]") {
  virtual_node node;
  const auto strange = node.submit(virtual_node::payload("strange")).head.id;
  const auto usual = node.submit(virtual_node::payload("usual")).head.id;
  make_handler(node, strange, stranger);
  REQUIRE(node.status().ready);
  CHECK(node.state_of(strange) == run_state::parked);
  const auto why = node.explain(strange);
  REQUIRE(why.reasons.size() == 1);
  CHECK(why.reasons.front().code == "handler_unknown");
  CHECK(why.reasons.front().text.find("handler:7") != std::string::npos);
  const auto won = node.claim(node.worker("robot", 5), 5);
  REQUIRE(won.size() == 1);
  CHECK(won.front().run.head.id == usual);
  node.advance(24h);
  CHECK(node.state_of(strange) == run_state::parked);

  // Again: nothing is told twice.
  node.crash();
  node.restart();
  node.run();
  CHECK(node.count_events(event_kind::run_parked) == 1);
}

TEST_CASE("strangers: a belfry that knows the kind takes the run up again", "[actors][strangers]") {
  virtual_node node;
  const auto id = node.submit(virtual_node::payload("strange")).head.id;
  make_handler(node, id, stranger);
  REQUIRE(node.state_of(id) == run_state::parked);
  make_handler(node, id, core::handler_kind::none);
  CHECK(node.state_of(id) == run_state::queued);
  CHECK(node.claim(node.worker("robot")).size() == 1);
}

TEST_CASE("strangers: a run that cannot be read ends as a dead letter, and whoever asked gets the next one",
          "[actors][strangers]") {
  virtual_node node;
  const auto bad = node.submit(virtual_node::payload("bad")).head.id;
  const auto good = node.submit(virtual_node::payload("good")).head.id;
  change_rows(node, [&](storage::memory::tables& t) {
    auto spec = *t.specs.find(core::spec_id{bad.value});
    spec.unreadable = "a field of tomorrow";
    t.specs.set(core::spec_id{bad.value}, spec);
  });
  const auto who = node.worker("robot", 2);
  auto won = node.claim(who, 2);
  REQUIRE(won.size() == 1);
  CHECK(won.front().run.head.id == good);
  const auto ended = node.find(bad).head;
  CHECK(ended.state == run_state::failed);
  CHECK(ended.reason.find("a field of tomorrow") != std::string::npos);
  CHECK(node.status().health == "healthy");
  // The slot that was reserved for it is free.
  node.submit(virtual_node::payload("third"));
  CHECK(node.claim(who, 2).size() == 1);
  CHECK(node.queue().counts.reserved == 0);
}

TEST_CASE("dead letters: one that nobody deals with is told of once, also after a crash",
          "[actors][strangers][dead]") {
  auto o = virtual_node::usual_options();
  o.alarms.dead_letter_age = 1h;
  virtual_node node{o};
  const auto who = node.worker("robot", 2);
  node.submit(virtual_node::payload("dies"));
  node.submit(virtual_node::payload("dismissed"));
  const auto held = node.claim(who, 2);
  REQUIRE(held.size() == 2);
  for (const auto& one : held)
    REQUIRE(node.settle(one, core::settle_kind::failed, core::failure_class::permanent).ok());
  messages::control_runs discard;
  discard.ids = {held[1].run.head.id};
  discard.what = core::cmd_discard{"seen"};
  REQUIRE(node.ask<messages::controlled>(discard).ok());
  node.advance(59min);
  CHECK(node.count_events(event_kind::dead_letter_aged) == 0);
  node.advance(6min);
  CHECK(node.count_events(event_kind::dead_letter_aged) == 1);
  node.advance(3h);
  node.crash();
  node.restart();
  node.advance(3h);
  CHECK(node.count_events(event_kind::dead_letter_aged) == 1);
  const auto facts = node.read(messages::get_facts{});
  REQUIRE(facts.ok());
  CHECK(facts->dead_letters == 1);
}

TEST_CASE("reissue: a session that comes back without its tokens goes on with what it holds",
          "[actors][strangers][sessions]") {
  virtual_node node;
  const auto who = node.worker("robot", 2);
  node.submit(virtual_node::payload("first"));
  const auto old = node.claim(who).front();
  REQUIRE(say(node, old, core::cmd_start{}).ok());
  node.crash();
  node.restart();
  node.run();
  messages::reissue_leases m;
  m.who = who;
  m.runs = {old.run.head.id};
  m.actor = "test";
  const auto anew = node.ask<messages::claimed_runs>(m);
  REQUIRE(anew.ok());
  REQUIRE(anew->runs.size() == 1);
  const auto& fresh = anew->runs.front();
  CHECK(fresh.token != old.token);
  CHECK(fresh.run.head.fencing == old.run.head.fencing + 1);
  CHECK(fresh.run.head.attempt == 1);
  REQUIRE(fresh.run.spec);

  CHECK(say(node, old, core::cmd_renew{}).refused_with(errc::stale_lease));
  CHECK(say(node, fresh, core::cmd_renew{}).ok());
  // The sweeper watches the new lease, and not the old one.
  node.advance(4min);
  CHECK(say(node, fresh, core::cmd_renew{}).ok());
  node.advance(4min);
  CHECK(node.state_of(old.run.head.id) == run_state::running);
  CHECK(look(node, who).leases.size() == 1);
  REQUIRE(node.settle(fresh, core::settle_kind::succeeded).ok());
  CHECK(node.attempts_of(old.run.head.id).size() == 1);
  CHECK(look(node, who).leases.empty());

  // What it does not hold any more is left out.
  const auto none = node.ask<messages::claimed_runs>(m);
  REQUIRE(none.ok());
  CHECK(none->runs.empty());
}

TEST_CASE("progress: a session tells how long its work will take, and nothing rather than a wrong number",
          "[actors][strangers][sessions]") {
  virtual_node node;
  const auto who = node.worker("robot");
  node.submit(virtual_node::payload("long"));
  const auto held = node.claim(who).front();
  REQUIRE(say(node, held, core::cmd_start{}).ok());
  CHECK_FALSE(look(node, who).rests.at(0).in);
  node.advance(40s);
  REQUIRE(say(node, held, core::cmd_progress{{}, 0.25, "page 3 of 12"}).ok());
  CHECK(look(node, who).rests.at(0).in == core::span{120s});
  node.advance(10s);
  CHECK(look(node, who).rests.at(0).in == core::span{110s});
  CHECK(look(node, who).leases.at(0).progress_text == "page 3 of 12");
  // A line of the log is a sign of work, and says nothing of how far it is.
  core::cmd_log lines;
  lines.lines.emplace_back();
  REQUIRE(say(node, held, lines).ok());
  CHECK(look(node, who).rests.at(0).in == core::span{110s});
  node.advance(31s);
  CHECK_FALSE(look(node, who).rests.at(0).in);
}

TEST_CASE("capable: whether anybody here could take such a run, busy or not",
          "[actors][strangers][sessions]") {
  virtual_node node;
  messages::register_session m;
  m.who.name = "painter";
  m.who.agent_type = "person";
  m.who.capabilities = {"gpu"};
  m.who.handlers = {core::handler_kind::none};
  m.actor = "test";
  const auto there = node.ask<messages::session_answer>(m);
  REQUIRE(there.ok());
  messages::ask_capable asked;
  for (const auto* word : {"gpu", "tpu"}) {
    messages::wanted w;
    w.needs.capabilities = {word};
    asked.runs.push_back(w);
  }
  auto told = node.ask<messages::capable>(asked);
  REQUIRE(told.ok());
  CHECK(told->somebody == std::vector<bool>{true, false});
  REQUIRE(node.ask<messages::sessions_seen>(
                  messages::heartbeat_session{there->who.id, true, std::nullopt, "test"})
              .ok());
  CHECK(node.ask<messages::capable>(asked)->somebody == std::vector<bool>{true, false});
}
