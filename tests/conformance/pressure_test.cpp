// What both stores do about a queue that is too long, limits of providers, and what these teach.
#include <algorithm>

#include "core/pause/probe.hpp"
#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests::stores;
using core::errc;
using core::event_kind;
using core::run_state;

namespace {

using core::pressure_mode;
using core::priority;

st::store_rules rule(std::uint64_t at, pressure_mode mode, std::uint64_t until = 0) {
  st::store_rules r;
  r.backpressure = {at, until, mode, priority::normal};
  return r;
}

st::insert_runs from_outside(std::size_t n, priority prio = priority::normal) {
  st::insert_runs c;
  for (std::size_t i = 0; i < n; ++i) {
    auto spec = a_spec();
    spec.prio = prio;
    c.runs.push_back(a_submission(spec));
  }
  c.as_batch = n > 1;
  c.outside = true;
  return c;
}

template <class F>
std::size_t count_of(F& f, event_kind k) {
  const auto all = f.events();
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const core::event& e) { return e.kind == k; }));
}

template <class F>
core::session_id session_of_type(F& f, const std::string& type) {
  core::session who;
  who.name = "a";
  who.agent_type = type;
  return f.does(st::put_session{who}).sessions.at(0).id;
}

core::pause_entry limit_until(core::instant until, std::string reason = "quota") {
  core::pause_entry e;
  e.reason = std::move(reason);
  e.owner = "anthropic";
  e.text = "429";
  e.until = until;
  e.probes = true;
  return e;
}

const auto claude = core::the_agent_type("claude");

}  // namespace

TEMPLATE_TEST_CASE(
    "backpressure: an episode is told once, in the commits that begin and end it, over restarts",
    "[pressure]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.store().follow(rule(3, pressure_mode::alert));
  const auto a = f.submit().head.id, b = f.submit().head.id;
  CHECK_FALSE(core::pressing(f.store().pressure(f.now)));
  const auto third = f.does(from_outside(1));
  CHECK(third.last_event > third.first_event);
  CHECK(core::pressing(f.store().pressure(f.now)));
  CHECK(f.store().pressure(f.now).queued == 3);
  f.does(from_outside(1));
  f.reopen();
  f.store().follow(rule(3, pressure_mode::alert));
  f.does(from_outside(1));
  CHECK(core::pressing(f.store().pressure(f.now)));
  CHECK(count_of(f, event_kind::backpressure_started) == 1);
  CHECK(count_of(f, event_kind::backpressure_ended) == 0);
  f.finish(a);
  f.finish(b);
  f.finish(f.submit().head.id);
  f.finish(third.runs.at(0).head.id);
  CHECK(count_of(f, event_kind::backpressure_ended) == 0);  // two are left, and 80 % of 3 is 2
  f.finish(f.listed([] {
              core::run_filter q;
              q.states = {run_state::queued};
              return q;
            }())
               .front());
  CHECK(count_of(f, event_kind::backpressure_ended) == 1);
  CHECK_FALSE(core::pressing(f.store().pressure(f.now)));
  f.reopen();
  f.store().follow(rule(3, pressure_mode::alert));
  CHECK_FALSE(core::pressing(f.store().pressure(f.now)));
}

TEMPLATE_TEST_CASE("backpressure: what is given up with its transaction begins no episode", "[pressure]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.store().follow(rule(1, pressure_mode::reject));
  REQUIRE(f.apply(from_outside(1)));
  f.store().rollback();
  CHECK_FALSE(core::pressing(f.store().pressure(f.now)));
  CHECK(f.apply(from_outside(1)));
  f.commit();
  CHECK(count_of(f, event_kind::backpressure_started) == 1);
}

TEMPLATE_TEST_CASE("backpressure: the run that fills the queue and the first refused one are neighbours",
                   "[pressure]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.store().follow(rule(3, pressure_mode::reject));
  // All in one transaction, as submissions that come together.
  CHECK(f.apply(from_outside(1)));
  CHECK(f.apply(from_outside(1)));
  CHECK(f.apply(from_outside(1)));
  const auto no = f.apply(from_outside(1));
  CHECK(no.refused_with(errc::overloaded));
  CHECK(no.error().retry_ms > 0);
  f.commit();
  CHECK(f.refuses(from_outside(2)).code == errc::overloaded);
  // A request is judged as a whole, by the queue before it.
  fixture<TestType> g;
  g.store().follow(rule(3, pressure_mode::reject));
  CHECK(g.does(from_outside(10)).runs.size() == 10);
  CHECK(g.refuses(from_outside(1)).code == errc::overloaded);
}

TEMPLATE_TEST_CASE("backpressure: the node's own work, repetitions and operators are never refused",
                   "[pressure]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.store().follow(rule(2, pressure_mode::reject));
  const auto job = f.does(st::put_job{{}, 0, a_job()}).jobs.at(0).id;
  const auto dead = f.fail_for_good(f.submit().head.id);
  auto first = f.set({from_outside(2)});
  first.once = st::idempotency{"submit again", {}};
  REQUIRE(f.store().apply(first));
  f.commit();
  REQUIRE(core::pressing(f.store().pressure(f.now)));
  const auto again = f.store().apply(first);
  REQUIRE(again);
  CHECK(again->replayed);
  f.commit();
  CHECK(f.does(st::trigger_job{job}).runs.size() == 1);
  CHECK(f.does(st::redrive_run{dead.id}).runs.size() == 2);
  CHECK(f.does(st::insert_runs{{a_submission()}}).runs.size() == 1);
}

TEMPLATE_TEST_CASE("backpressure: a batch with one run of a class that is shed is refused whole",
                   "[pressure]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.store().follow(rule(1, pressure_mode::shed));
  f.submit();
  CHECK(f.does(from_outside(1, priority::normal)).runs.size() == 1);
  auto mixed = from_outside(2, priority::high);
  mixed.runs.push_back(from_outside(1, priority::low).runs.front());
  CHECK(f.refuses(mixed).code == errc::overloaded);
  CHECK(f.does(from_outside(2, priority::high)).runs.size() == 2);
}

TEMPLATE_TEST_CASE("limit: an agent type is held until its time, over restarts, and then for one probe",
                   "[pressure][probe]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto who = session_of_type(f, "claude"), other = session_of_type(f, "codex");
  const auto a = f.submit().head.id, b = f.submit().head.id, c = f.submit().head.id;
  const auto told = f.does(st::put_pause{claude, limit_until(f.now + 10min)});
  CHECK(told.pauses.size() == 1);
  CHECK(told.delays.size() == 1);
  CHECK(count_of(f, event_kind::provider_limited) == 1);
  const auto claim_by = [](core::run_id id, core::session_id by) {
    return st::step_run{id, core::cmd_claim{by, hash_of(7), 5min, true}};
  };
  CHECK(f.refuses(claim_by(a, who)).code == errc::paused);
  CHECK(f.claim(c, other).state == run_state::running);
  f.reopen();
  CHECK(f.refuses(claim_by(a, who)).code == errc::paused);
  f.now += 10min;
  const auto probe = f.does(claim_by(a, who));
  CHECK(probe.pauses.at(0).entries.at(0).probe == a);
  CHECK(f.refuses(claim_by(b, who)).code == errc::paused);
  f.reopen();
  CHECK(f.refuses(claim_by(b, who)).code == errc::paused);
  SECTION("the probe works, and the pause is lifted in the commit of its success") {
    const auto done = f.does(st::step_run{a, f.settle(probe.runs.at(0).head)});
    CHECK(done.pauses.at(0).entries.empty());
    CHECK(f.claim(b, who).state == run_state::running);
    CHECK(f.store().pauses()->standing.empty());
  }
  SECTION("the probe is lost, and the next claim is the next probe") {
    f.step(a, core::cmd_lose{probe.runs.at(0).head.fencing, "gone"});
    CHECK(f.claim(b, who).state == run_state::running);
    CHECK(f.refuses(claim_by(a, who)).code == errc::paused);
  }
  SECTION("the probe's session is forgotten before its lease runs out: no latch") {
    f.does(st::end_session{who, "left"});
    f.step(a, core::cmd_lose{probe.runs.at(0).head.fencing, "gone"});
    const auto next = session_of_type(f, "claude");
    CHECK(f.claim(b, next).state == run_state::running);
  }
  SECTION("the probe meets the limit again, and everybody waits on") {
    auto how = f.settle(probe.runs.at(0).head, core::settle_kind::parked);
    how.klass = core::failure_class::rate_limited;
    how.retry_after = 30min;
    f.step(a, how);
    f.now += 29min;
    CHECK(f.refuses(claim_by(b, who)).code == errc::paused);
    f.now += 1min;
    CHECK(f.claim(b, who).state == run_state::running);
  }
}

TEMPLATE_TEST_CASE("limit: said with the end of an attempt it holds the whole type of the holder",
                   "[pressure][probe]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto who = session_of_type(f, "claude");
  const auto a = f.submit().head.id, b = f.submit().head.id;
  auto how = f.settle(f.claim(a, who), core::settle_kind::parked);
  how.limits_type = static_cast<std::uint8_t>(core::limit_kind::quota);
  how.resource = "anthropic quota";
  how.retry_after = 10min;
  how.message = "used up";
  const auto parked = f.step(a, how);
  CHECK(parked.state == run_state::parked);
  const auto standing = f.store().pauses()->standing;
  REQUIRE(standing.size() == 1);
  CHECK(standing.front().on == claude);
  CHECK(standing.front().why.reason == "quota");
  CHECK(standing.front().why.owner == "anthropic_quota");
  CHECK(standing.front().why.until == f.now + 10min);
  CHECK(f.refuses(st::step_run{b, core::cmd_claim{who, hash_of(7), 5min, true}}).code == errc::paused);
}

TEMPLATE_TEST_CASE("limit: throttle and quota stand apart, and the latest end of each wins",
                   "[pressure][probe]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.does(st::put_pause{claude, limit_until(f.now + 1h)});
  f.does(st::put_pause{claude, limit_until(f.now + 1min)});
  f.does(st::put_pause{claude, limit_until(f.now + 1min, "throttle")});
  const auto standing = f.store().pauses()->standing;
  REQUIRE(standing.size() == 2);
  CHECK(standing.at(0).why.until == f.now + 1h);
  CHECK(standing.at(1).why.until == f.now + 1min);
}

TEMPLATE_TEST_CASE("limit: a pause that somebody set by hand under the same name stays as it is",
                   "[pressure][probe]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto by_hand = limit_until(core::never);
  by_hand.probes = false;
  f.does(st::put_pause{claude, by_hand});
  f.does(st::put_pause{claude, limit_until(f.now + 1min)});
  const auto standing = f.store().pauses()->standing;
  REQUIRE(standing.size() == 1);
  CHECK(standing.front().why.until == core::never);
  CHECK_FALSE(standing.front().why.probes);
  CHECK(count_of(f, event_kind::provider_limited) == 1);
}

TEMPLATE_TEST_CASE("learned delay: limits make it longer, successes shorter, restarts keep it",
                   "[pressure][delay]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto who = session_of_type(f, "claude");
  const auto limited = [&] {
    const auto held = f.claim(f.submit().head.id, who);
    auto how = f.settle(held, core::settle_kind::failed);
    how.klass = core::failure_class::rate_limited;
    f.step(held.id, how);
  };
  const auto delay = [&] {
    const auto all = f.store().pauses()->delays;
    return all.empty() ? core::span{0} : all.front().delay;
  };
  limited();
  CHECK(delay() == 1s);
  limited();
  CHECK(delay() == 1500ms);
  f.reopen();
  CHECK(delay() == 1500ms);
  for (int i = 0; i < 10; ++i) {
    const auto id = f.submit().head.id;
    f.step(id, f.settle(f.claim(id, who)));
  }
  CHECK(delay() == 1350ms);
  CHECK(count_of(f, event_kind::provider_delay_changed) == 3);
}

TEMPLATE_TEST_CASE("learned delay: a change that is given up teaches nothing", "[pressure][delay]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  REQUIRE(f.apply(st::put_pause{claude, limit_until(f.now + 1h)}));
  f.store().rollback();
  CHECK(f.store().pauses()->delays.empty());
  CHECK(f.store().pauses()->standing.empty());
}
