#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::event_kind;
using core::rung;

namespace {

core::starvation row_of(core::run_id run, std::uint64_t base = 0) {
  core::starvation s;
  s.run = run;
  s.began = start;
  s.base = base;
  return s;
}

}  // namespace

TEMPLATE_TEST_CASE("ladder: rows are given episodes, stay over a restart, and are listed by run", "[ladder]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto a = f.submit().head.id, b = f.submit().head.id;
  const auto made = f.does(st::climb_ladder{1, {row_of(b), row_of(a)}, {}});
  REQUIRE(made.starving.size() == 2);
  CHECK(made.starving[0].episode == 1);
  CHECK(made.starving[1].episode == 2);
  CHECK(made.ladder.tick == 1);
  CHECK(made.ladder.ticked_at == f.now);
  CHECK(made.first_event == 0);
  f.reopen();
  const auto all = f.read().starvations({}, 10);
  REQUIRE(all);
  REQUIRE(all->size() == 2);
  CHECK(all->front().run == a);
  CHECK(f.read().starvations(a, 10)->size() == 1);
  CHECK(*f.read().starvation_of(b) == made.starving[0]);
  CHECK_FALSE(*f.read().starvation_of(core::run_id{1}));
  CHECK(f.read().ladder_clock()->episodes == 2);
}

TEMPLATE_TEST_CASE("ladder: every field of a row comes back", "[ladder]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto run = f.submit().head.id;
  auto row = f.does(st::climb_ladder{9, {row_of(run, 8)}, {}}).starving.at(0);
  row.fired = rung::spawn;
  row.spawned = true;
  row.held = 5;
  f.does(st::climb_ladder{9, {row}, {}});
  f.reopen();
  CHECK(**f.read().starvation_of(run) == row);
  row.held.reset();
  f.does(st::climb_ladder{9, {row}, {}});
  CHECK(**f.read().starvation_of(run) == row);
}

TEMPLATE_TEST_CASE("ladder: the event of its rung is written once per episode", "[ladder]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto run = f.submit().head.id;
  f.now += 3min;
  auto row = f.does(st::climb_ladder{1, {row_of(run)}, {}}).starving.at(0);
  const auto before = f.store().last_event();
  row.fired = rung::event;
  f.does(st::climb_ladder{6, {row}, {}});
  f.does(st::climb_ladder{6, {row}, {}});
  f.reopen();
  row.fired = rung::fan_out;  // an old reading takes nothing back
  const auto kept = f.does(st::climb_ladder{5, {row}, {}});
  CHECK(kept.starving.at(0).fired == rung::event);
  CHECK(kept.ladder.tick == 6);
  CHECK(f.kinds_after(before) == std::vector{event_kind::run_starved});
}

TEMPLATE_TEST_CASE("ladder: the commit of a claim ends the episode", "[ladder]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto run = f.submit().head.id, other = f.submit().head.id;
  f.does(st::climb_ladder{1, {row_of(run), row_of(other)}, {}});
  f.reopen();
  f.claim(run);
  CHECK_FALSE(*f.read().starvation_of(run));
  CHECK(*f.read().starvation_of(other));
  // A claim that is never committed ends nothing.
  REQUIRE(f.apply(st::step_run{other, core::cmd_claim{core::session_id{7}, hash_of(1), 5min, false}}));
  f.store().rollback();
  CHECK(*f.read().starvation_of(other));
  f.claim(other);
  CHECK_FALSE(*f.read().starvation_of(other));
}

TEMPLATE_TEST_CASE("ladder: a cancel ends the episode, another priority does not", "[ladder]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto run = f.submit().head.id;
  f.does(st::climb_ladder{1, {row_of(run)}, {}});
  f.step(run, core::cmd_reprioritise{core::priority::urgent});
  CHECK(*f.read().starvation_of(run));
  f.step(run, core::cmd_cancel{"enough"});
  CHECK_FALSE(*f.read().starvation_of(run));
}

TEMPLATE_TEST_CASE("ladder: needs attention is a compare-and-set on queued", "[ladder]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto lost = f.submit().head.id, taken = f.submit().head.id;
  f.does(st::climb_ladder{1, {row_of(lost), row_of(taken)}, {}});
  const auto held = f.claim(taken);
  const auto seq = f.store().last_event();
  const auto gone = f.step(lost, core::cmd_give_up{"nobody took it"});
  CHECK(gone.state == core::run_state::needs_attention);
  CHECK(gone.reason == "nobody took it");
  CHECK_FALSE(*f.read().starvation_of(lost));
  CHECK(f.refuses(st::step_run{taken, core::cmd_give_up{"nobody took it"}}).code ==
        core::errc::invalid_transition);
  CHECK(f.head(taken) == held);
  CHECK(f.refuses(st::step_run{lost, core::cmd_give_up{"again"}}).code == core::errc::invalid_transition);
  CHECK(f.kinds_after(seq) == std::vector{event_kind::needs_attention});
  CHECK(f.step(lost, core::cmd_cancel{"looked at"}).state == core::run_state::cancelled);
}

TEMPLATE_TEST_CASE("ladder: rows of runs that are not queued are passed over", "[ladder]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto held = f.submit().head.id;
  f.claim(held);
  CHECK(f.does(st::climb_ladder{1, {row_of(held), row_of(core::run_id{5})}, {}}).starving.empty());
  const auto run = f.submit().head.id;
  auto row = f.does(st::climb_ladder{1, {row_of(run)}, {}}).starving.at(0);
  CHECK(f.does(st::climb_ladder{2, {row_of(run)}, {}}).starving.at(0) == row);  // it goes on as it was
  auto old = row;
  old.episode += 7;
  f.does(st::climb_ladder{2, {}, {old}});
  CHECK(*f.read().starvation_of(run));
  f.does(st::climb_ladder{2, {}, {row}});
  CHECK_FALSE(*f.read().starvation_of(run));
  row.fired = rung::spawn;  // its episode is over, and does not come back
  CHECK(f.does(st::climb_ladder{3, {row}, {}}).starving.empty());
  CHECK(f.does(st::climb_ladder{4, {row_of(run, 3)}, {}}).starving.at(0).episode > row.episode);
}

TEMPLATE_TEST_CASE("ladder: a refused set leaves the rows as they were", "[ladder]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto run = f.submit().head.id;
  f.does(st::climb_ladder{1, {row_of(run)}, {}});
  const auto answer = f.store().apply(f.set(
      {st::step_run{run, core::cmd_cancel{"x"}}, st::step_run{core::run_id{5}, core::cmd_cancel{"x"}}}));
  REQUIRE_FALSE(answer);
  f.commit();
  CHECK(*f.read().starvation_of(run));
  f.claim(run);
  CHECK_FALSE(*f.read().starvation_of(run));
}

TEMPLATE_TEST_CASE("ladder: the figures of the cycles are kept, a reset is an event", "[ladder]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  CHECK(*f.read().cycle_statistics() == core::cycle_statistics{});
  core::cycle_statistics sums;
  sums.since = start;
  sums.cycles = 12;
  sums.wakes_attempted = 5;
  sums.longest = 1234us;
  sums.last_error = "the disk was full, for a while";
  f.does(st::keep_statistics{sums});
  f.reopen();
  CHECK(*f.read().cycle_statistics() == sums);
  const auto seq = f.store().last_event();
  f.does(st::keep_statistics{{}, true});
  CHECK(f.kinds_after(seq) == std::vector{event_kind::statistics_reset});
}
