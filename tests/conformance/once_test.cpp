#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;

namespace {

st::idempotency key(const std::string& k, std::uint8_t fingerprint) {
  st::idempotency i;
  i.key = k;
  i.fingerprint.fill(fingerprint);
  return i;
}

}  // namespace

TEMPLATE_TEST_CASE(
    "idempotency: the same request again has the first answer, another one with its key is refused", "[once]",
    sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto set = f.set({st::insert_runs{{a_submission(), a_submission()}, true}});
  set.once = key("POST /runs k1", 1);
  const auto first = f.store().apply(set);
  REQUIRE(first.ok());
  CHECK(!first->replayed);
  // In the same transaction already.
  const auto second = f.store().apply(set);
  REQUIRE(second.ok());
  CHECK(second->replayed);
  f.commit();
  f.claim(first->runs[0].head.id);
  f.reopen();
  const auto third = f.store().apply(set);
  REQUIRE(third.ok());
  CHECK(third->replayed);
  CHECK(third->batch == first->batch);
  REQUIRE(third->runs.size() == 2);
  CHECK(third->runs[0].head.id == first->runs[0].head.id);
  CHECK(third->runs[0].head.state == core::run_state::running);
  CHECK(*third->runs[1].spec == *first->runs[1].spec);
  CHECK(third->first_event == 0);
  set.once = key("POST /runs k1", 2);
  CHECK(f.store().apply(set).refused_with(errc::idempotency_mismatch));
  set.once = key("POST /runs k2", 2);
  const auto other = f.store().apply(set);
  REQUIRE(other.ok());
  CHECK(!other->replayed);
  f.commit();
  CHECK(f.listed({}).size() == 4);
}

TEMPLATE_TEST_CASE("idempotency: what the door has to refuse is refused, unless it is a repetition", "[once]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const core::failure no{errc::invalid, "not here", {}, {}};
  auto runs = f.set({st::insert_runs{{a_submission()}, false}});
  runs.once = key("k1", 1);
  const auto first = f.store().apply(runs);
  REQUIRE(first.ok());
  std::get<st::insert_runs>(runs.changes.front()).refusal = no;
  CHECK(f.store().apply(runs)->runs.at(0).head.id == first->runs.at(0).head.id);
  runs.once.reset();
  CHECK(f.store().apply(runs).refused_with(errc::invalid));
  auto named = a_submission();
  named.id = core::run_id{first->runs.at(0).head.id.value + 5};
  CHECK(f.store().apply(f.set({st::insert_runs{{named}, false, no}})).refused_with(errc::invalid));
  REQUIRE(f.store().apply(f.set({st::insert_runs{{named}, false}})).ok());
  CHECK(f.store().apply(f.set({st::insert_runs{{named}, false, no}}))->replayed);
  auto job = f.set({st::put_job{{}, 0, a_job(), false, no}});
  job.once = key("k2", 1);
  CHECK(f.store().apply(job).refused_with(errc::invalid));
  std::get<st::put_job>(job.changes.front()).refusal.reset();
  REQUIRE(f.store().apply(job).ok());
  std::get<st::put_job>(job.changes.front()).refusal = no;
  CHECK(f.store().apply(job)->replayed);
  f.commit();
  CHECK(f.listed({}).size() == 2);
}

TEMPLATE_TEST_CASE("idempotency: a refused request leaves its key free, and so does a lost transaction",
                   "[once]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto bad = f.set({st::step_run{core::run_id{5}, core::cmd_cancel{}}});
  bad.once = key("k", 1);
  CHECK(f.store().apply(bad).refused_with(errc::not_found));
  auto good = f.set({st::put_job{{}, 0, a_job()}});
  good.once = key("k", 2);
  REQUIRE(f.store().apply(good).ok());
  f.store().rollback();
  const auto made = f.store().apply(good);
  REQUIRE(made.ok());
  CHECK(!made->replayed);
  f.commit();
  const auto again = f.store().apply(good);
  REQUIRE(again.ok());
  CHECK(again->replayed);
  CHECK(again->jobs.at(0).id == made->jobs.at(0).id);
  f.commit();
}

TEMPLATE_TEST_CASE(
    "idempotency: sessions and triggers are remembered too; keys are forgotten when they are old", "[once]",
    sqlite_kind, memory_kind) {
  fixture<TestType> f;
  core::session who;
  who.name = "w";
  auto set = f.set({st::put_session{who}});
  set.once = key("a", 1);
  const auto made = f.store().apply(set);
  REQUIRE(made.ok());
  f.commit();
  CHECK(f.store().apply(set)->sessions.at(0).id == made->sessions.at(0).id);
  f.now += 1h;
  set.now = f.now;
  set.once = key("b", 1);
  REQUIRE(f.store().apply(set).ok());
  f.commit();
  CHECK(f.does(st::prune_keys{start, 100}).pruned == 0);
  CHECK(f.does(st::prune_keys{start + 1s, 100}).pruned == 1);
  set.once = key("a", 7);
  CHECK(!f.store().apply(set)->replayed);
  set.once = key("b", 1);
  CHECK(f.store().apply(set)->replayed);
  f.commit();
}
