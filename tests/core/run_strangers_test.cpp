// Runs that this belfry cannot read or does not know, tokens that are issued anew, dead letters that age.
#include <catch2/catch.hpp>

#include "core/run/handlers.hpp"
#include "tests/core/a_run.hpp"

using namespace belfry::core;
using namespace belfry::core::test;

namespace {

constexpr auto stranger = static_cast<handler_kind>(7);

run_step ask(const run_head& head, const run_command& command, handler_kind kind, instant now = noon,
             std::string_view unreadable = {}) {
  const auto spec = a_spec();
  run_context context{spec.get(), nullptr};
  context.handler = kind;
  context.unreadable = unreadable;
  auto answer = decide(head, context, command, "test", now);
  INFO((std::holds_alternative<run_refusal>(answer) ? std::get<run_refusal>(answer).why.text : ""));
  REQUIRE(std::holds_alternative<run_step>(answer));
  return std::get<run_step>(std::move(answer));
}

run_head of_kind(handler_kind kind, instant due = never) {
  auto spec = a_spec();
  spec->handler = kind;
  submission s;
  s.spec = spec;
  s.due_at = due;
  return make_run(s, run_id{1'000'000}, batch_id{}, noon);
}

}  // namespace

TEST_CASE("unreadable: a claim ends the run as a dead letter with the reason, and uses up no attempt",
          "[core][run][strangers]") {
  const a_run r;
  const auto step = ask(r.head, cmd_claim{worker, a_hash(1), 5min, true}, handler_kind::process, noon,
                        "a field of tomorrow");
  CHECK(step.next.state == run_state::failed);
  CHECK(step.finished);
  CHECK(step.next.last_class == failure_class::permanent);
  CHECK(step.next.reason == "what is stored of it cannot be read: a field of tomorrow");
  CHECK(step.next.attempt == 0);
  CHECK(step.next.fencing == 0);
  CHECK_FALSE(step.ended);
  REQUIRE(step.events.size() == 1);
  CHECK(step.events.front().kind == event_kind::run_failed);
  CHECK(legal(r.head.state, step.next.state));
}

TEST_CASE("unreadable: a placeholder is not redriven, the belfry that can read it does that",
          "[core][run][strangers]") {
  a_run r;
  r.head.state = run_state::failed;
  auto spec = a_spec();
  spec->unreadable = "a field of tomorrow";
  const auto no = decide_redrive(r.head, spec, std::nullopt, "test");
  REQUIRE(no.refused_with(errc::conflict));
  CHECK(no.error().text.find("a field of tomorrow") != std::string::npos);
}

TEST_CASE("handlers: a kind without a name here is unknown and still has a resource", "[core][strangers]") {
  CHECK(known(handler_kind::process));
  CHECK(known(handler_kind::none));
  CHECK_FALSE(known(stranger));
  CHECK(resource_of(stranger) == "handler:7");
  CHECK(resource_of(handler_kind::process) == "handler:process");
}

TEST_CASE("unknown handler: a run is parked without a time, and says for what", "[core][run][strangers]") {
  const auto made = of_kind(stranger);
  CHECK(made.state == run_state::parked);
  CHECK(made.due_at == never);
  const auto why = wait_reason_of(made, noon);
  REQUIRE(why);
  CHECK(why->code == "handler_unknown");
  CHECK(why->text.find("handler:7") != std::string::npos);

  auto queued = made;
  queued.state = run_state::queued;  // written by a belfry that knew the kind
  const auto parked = ask(queued, cmd_meet_handler{}, stranger);
  CHECK(parked.next.state == run_state::parked);
  CHECK(parked.next.reason.find("handler:7") != std::string::npos);
  REQUIRE(parked.events.size() == 1);
  CHECK(parked.events.front().kind == event_kind::run_parked);
  CHECK(legal(run_state::queued, run_state::parked));
}

TEST_CASE("unknown handler: whatever would queue the run parks it", "[core][run][strangers]") {
  auto due = of_kind(stranger, noon + 1min);
  REQUIRE(due.state == run_state::scheduled);
  const auto woken = ask(due, cmd_wake{}, stranger, noon + 1min);
  CHECK(woken.next.state == run_state::parked);
  CHECK(woken.next.due_at == never);
  REQUIRE(woken.events.size() == 1);
  CHECK(woken.events.front().kind == event_kind::run_parked);

  a_run held;
  held.claim(true);
  const auto lost = ask(held.head, cmd_lose{1, "gone", 0.5}, stranger);
  CHECK(lost.next.state == run_state::parked);
  REQUIRE(lost.ended);
  CHECK(lost.ended->outcome == run_state::lost);

  run_context context;
  context.handler = stranger;
  const auto now = decide(woken.next, context, cmd_run_now{}, "test", noon);
  REQUIRE(std::holds_alternative<run_refusal>(now));
  CHECK(std::get<run_refusal>(now).why.text.find("handler:7") != std::string::npos);
}

TEST_CASE("unknown handler: a belfry that knows the kind queues the run again", "[core][run][strangers]") {
  auto parked = of_kind(stranger);
  const auto back = ask(parked, cmd_meet_handler{}, handler_kind::none, noon + 1h);
  CHECK(back.next.state == run_state::queued);
  CHECK(back.next.eligible_since == noon + 1h);
  CHECK(back.next.reason.empty());
  REQUIRE(back.events.size() == 1);
  CHECK(back.events.front().kind == event_kind::run_queued);
  // One that a worker parked until a time is none of these.
  auto until = parked;
  until.due_at = noon + 2h;
  CHECK(ask(until, cmd_meet_handler{}, handler_kind::none).next == until);
  const a_run usual;
  CHECK(ask(usual.head, cmd_meet_handler{}, handler_kind::process).next == usual.head);
}

TEST_CASE("reissue: the holder gets a new token and number for the same attempt; the old one is stale",
          "[core][run][lease][strangers]") {
  a_run r;
  r.claim(true);
  const auto old = r.proof();
  const auto before = r.head;
  r.now += 1min;
  REQUIRE(r.tell(cmd_reissue{worker, a_hash(9), 10min}));
  CHECK(r.head.fencing == 2);
  CHECK(r.head.attempt == before.attempt);
  CHECK(r.head.state == run_state::running);
  CHECK(r.head.held.started_at == before.held.started_at);
  CHECK(r.head.held.deadline_at == before.held.deadline_at);
  CHECK(r.head.held.expires_at == r.now + 10min);
  CHECK(r.told(event_kind::lease_reissued));

  REQUIRE_FALSE(r.tell(cmd_renew{old}));
  CHECK(r.refused_with(errc::stale_lease));
  // The new number with the old token is no better.
  REQUIRE_FALSE(r.tell(cmd_renew{{2, old.hash}}));
  CHECK(r.refused_with(errc::stale_lease));
  cmd_settle late;
  late.proof = old;
  REQUIRE_FALSE(r.tell(late));
  CHECK(r.refused_with(errc::stale_lease));
  CHECK(r.tell(cmd_renew{{2, a_hash(9)}}));
  auto done = late;
  done.proof = {2, a_hash(9)};
  REQUIRE(r.tell(done));
  CHECK(r.head.state == run_state::succeeded);
  CHECK(r.records.at(2).number == 1);
}

TEST_CASE("reissue: only to the holder of a live lease", "[core][run][lease][strangers]") {
  a_run r;
  REQUIRE_FALSE(r.tell(cmd_reissue{worker, a_hash(9)}));
  CHECK(r.refused_with(errc::invalid_transition));
  r.claim();
  REQUIRE_FALSE(r.tell(cmd_reissue{session_id{8}, a_hash(9)}));
  CHECK(r.refused_with(errc::invalid_transition));
  REQUIRE_FALSE(r.tell(cmd_reissue{worker, a_hash(9), 2ms}));
  CHECK(r.refused_with(errc::invalid));
  r.now = r.head.held.expires_at;
  REQUIRE_FALSE(r.tell(cmd_reissue{worker, a_hash(9)}));
  CHECK(r.refused_with(errc::invalid_transition));
}

TEST_CASE("age: a dead letter is told of once, one that is dealt with never", "[core][run][strangers]") {
  a_run r;
  r.claim(true);
  r.tell(r.settle(settle_kind::failed, failure_class::permanent, "no such table"));
  REQUIRE(r.head.state == run_state::failed);
  const auto letter = r.head;
  REQUIRE(r.tell(cmd_age{}));
  CHECK(r.told(event_kind::dead_letter_aged));
  CHECK(r.head.aged);
  CHECK(r.step->events.front().text.find("no such table") != std::string::npos);
  REQUIRE(r.tell(cmd_age{}));
  CHECK(r.step->events.empty());

  auto dealt_with = letter;
  dealt_with.discarded = true;
  CHECK(ask(dealt_with, cmd_age{}, handler_kind::process).events.empty());
  dealt_with = letter;
  dealt_with.successor = run_id{9};
  CHECK(ask(dealt_with, cmd_age{}, handler_kind::process).events.empty());
  const a_run open;
  CHECK(ask(open.head, cmd_age{}, handler_kind::process).events.empty());
}
