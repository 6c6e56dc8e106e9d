#include <algorithm>

#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::run_state;
using ids = std::vector<core::run_id>;

namespace {

// A little town of runs, every one different.
template <class Kind>
struct town : fixture<Kind> {
  town() {
    auto& f = *this;
    auto spec = a_spec("Alpha");
    spec.needs.workspace = "red";
    spec.tags = {"a", "b"};
    alpha = f.submit(spec).head.id;
    f.now += 1s;
    spec = a_spec("beta");
    spec.needs.workspace = "red";
    spec.lane = "fast";
    spec.tags = {"b"};
    spec.prio = core::priority::urgent;
    beta = f.submit(spec).head.id;
    f.now += 1s;
    spec = a_spec("gamma");
    spec.lane = "red";
    spec.tags = {"c"};
    gamma = f.submit(spec).head.id;
    f.now += 1s;
    delta = f.submit(a_spec("delta-alphabet")).head.id;
    f.now += 1s;
    const auto job = f.does(st::put_job{{}, 0, a_job("epsilon")}).jobs[0].id;
    epsilon = f.does(st::trigger_job{job}).runs[0].head.id;
    the_job = job;
    f.now += 1s;
    const auto made =
        f.does(st::insert_runs{{a_submission(a_spec("zeta")), a_submission(a_spec("eta"))}, true});
    zeta = made.runs[0].head.id;
    eta = made.runs[1].head.id;
    the_batch = made.batch;
    f.now += 1s;
    f.fail_for_good(beta);
    f.now += 1s;
    f.finish(gamma);
    f.now += 1s;
    f.claim(delta, core::session_id{5});
    f.claim(zeta, core::session_id{6});
    f.finish(eta, core::settle_kind::failed);  // retrying
  }
  core::run_id alpha, beta, gamma, delta, epsilon, zeta, eta;
  core::job_id the_job;
  core::batch_id the_batch;
};

}  // namespace

TEMPLATE_TEST_CASE("lists: every filter alone", "[lists]", sqlite_kind, memory_kind) {
  town<TestType> f;
  CHECK(f.listed({}) == ids{f.alpha, f.beta, f.gamma, f.delta, f.epsilon, f.zeta, f.eta});
  CHECK(f.listed({}, core::run_sort::newest) ==
        ids{f.eta, f.zeta, f.epsilon, f.delta, f.gamma, f.beta, f.alpha});
  CHECK(f.listed({.states = {run_state::queued}}) == ids{f.alpha, f.epsilon});
  CHECK(f.listed({.states = {run_state::running}}) == ids{f.delta, f.zeta});
  CHECK(f.listed({.states = {run_state::running, run_state::queued, run_state::failed}}) ==
        ids{f.alpha, f.beta, f.delta, f.epsilon, f.zeta});
  CHECK(f.listed({.states = {run_state::retrying, run_state::succeeded}}) == ids{f.gamma, f.eta});
  CHECK(f.listed({.states = {run_state::lost}}).empty());
  CHECK(f.listed({.job = f.the_job}) == ids{f.epsilon});
  CHECK(f.listed({.job = core::job_id{}}) == ids{f.alpha, f.beta, f.gamma, f.delta, f.zeta, f.eta});
  CHECK(f.listed({.batch = f.the_batch}) == ids{f.zeta, f.eta});
  CHECK(f.listed({.workspace = "red"}) == ids{f.alpha, f.beta});
  CHECK(f.listed({.workspace = ""}) == ids{f.gamma, f.delta, f.epsilon, f.zeta, f.eta});
  CHECK(f.listed({.lane = "red"}) == ids{f.alpha, f.gamma});
  CHECK(f.listed({.lane = "fast"}) == ids{f.beta});
  CHECK(f.listed({.lane = ""}) == ids{f.delta, f.epsilon, f.zeta, f.eta});
  CHECK(f.listed({.prio = core::priority::urgent}) == ids{f.beta});
  CHECK(f.listed({.holder = core::session_id{5}}) == ids{f.delta});
  CHECK(f.listed({.tags_any = {"a", "c", "a"}}) == ids{f.alpha, f.gamma});
  CHECK(f.listed({.tags_any = {"b", "a"}}) == ids{f.alpha, f.beta});
  CHECK(f.listed({.tags_all = {"b", "a"}}) == ids{f.alpha});
  CHECK(f.listed({.tags_any = {"a"}, .tags_all = {"b"}}) == ids{f.alpha});
  CHECK(f.listed({.tags_all = {"b", "zzz"}}).empty());
  CHECK(f.listed({.name_contains = "ALPHA"}) == ids{f.alpha, f.delta});
  CHECK(f.listed({.created_from = start + 1s, .created_to = start + 3s}) == ids{f.beta, f.gamma});
  CHECK(f.listed({.created_to = start}).empty());
  CHECK(f.listed({.ended_from = start + 6s, .ended_to = start + 7s}) == ids{f.beta});
  CHECK(f.listed({.ended_from = start + 6s}) == ids{f.beta, f.gamma});
  CHECK(f.listed({.dead_letters = true}) == ids{f.beta});
}

TEMPLATE_TEST_CASE("lists: time ranges hold though the clock goes back, and for ids that callers gave",
                   "[lists]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto long_ago = f.submit().head.id;
  f.now += 10h;
  const auto before = f.submit().head.id;
  f.now -= 3h;
  const auto after = f.submit().head.id;
  f.finish(before);  // ended hours before it was made
  f.finish(long_ago);
  auto given = a_submission();
  given.id = core::run_id{4711};
  f.does(st::insert_runs{{given}});
  CHECK(f.listed({.created_to = start + 1s}) == ids{long_ago});
  CHECK(f.listed({.created_from = start + 9h}) == ids{before});
  CHECK(f.listed({.created_from = start + 7h, .created_to = start + 8h}) == ids{given.id, after});
  CHECK(f.listed({.ended_to = start + 8h}) == ids{long_ago, before});
  CHECK(f.listed({.ended_from = start + 7h}) == ids{long_ago, before});
  CHECK(f.listed({.ended_from = start + 8h}).empty());
}

TEMPLATE_TEST_CASE("lists: filters together", "[lists]", sqlite_kind, memory_kind) {
  town<TestType> f;
  CHECK(f.listed({.states = {run_state::queued}, .workspace = "red"}) == ids{f.alpha});
  CHECK(f.listed({.states = {run_state::running}, .batch = f.the_batch}) == ids{f.zeta});
  CHECK(f.listed({.states = {run_state::queued}, .holder = core::session_id{5}}).empty());
  CHECK(f.listed({.job = f.the_job, .name_contains = "zeta"}).empty());
  CHECK(f.listed({.lane = "red", .tags_any = {"a"}}) == ids{f.alpha});
  CHECK(f.listed({.states = {run_state::succeeded}, .dead_letters = true}).empty());
  CHECK(f.listed({.states = {run_state::failed, run_state::succeeded}, .dead_letters = true}) == ids{f.beta});
  CHECK(f.listed({.prio = core::priority::urgent, .tags_any = {"b"}, .ended_from = start}) == ids{f.beta});
}

TEMPLATE_TEST_CASE("lists: specs come without payloads, a run alone comes with it", "[lists]", sqlite_kind,
                   memory_kind) {
  town<TestType> f;
  const auto page = f.read().list_runs({.tags_all = {"a"}}, {});
  REQUIRE(page.ok());
  const auto& r = page->runs.at(0);
  CHECK(r.head == f.head(f.alpha));
  CHECK(r.spec->payload.empty());
  CHECK(r.spec->tags == std::vector<std::string>{"a", "b"});
  CHECK(f.read().find_run(f.alpha)->spec->payload == "{\"n\":1}");
}

TEMPLATE_TEST_CASE("lists: pages neither repeat nor leave out a run while others are made", "[lists][paging]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  ids made;
  for (int i = 0; i < 23; ++i) {
    made.push_back(f.submit().head.id);
    if (i % 3 == 0) f.finish(made.back());
    if (i % 3 == 1) f.claim(made.back());
  }
  for (const auto sort : {core::run_sort::newest, core::run_sort::oldest}) {
    ids found;
    core::page_request page{5, 0, sort};
    const auto until = f.submit().head.id;
    do {
      const auto got = f.read().list_runs({}, page);
      REQUIRE(got.ok());
      for (const auto& r : got->runs) found.push_back(r.head.id);
      page.after = got->next;
      f.submit();
    } while (page.after != 0 && found.back() != until);
    std::erase_if(found, [&](auto id) { return std::find(made.begin(), made.end(), id) == made.end(); });
    auto want = made;
    if (sort == core::run_sort::newest) std::reverse(want.begin(), want.end());
    CHECK(found == want);
  }
  // The last page says so.
  const auto all = f.read().list_runs({.states = {run_state::succeeded}}, {8, 0, core::run_sort::oldest});
  CHECK(all->runs.size() == 8);
  CHECK(all->next == 0);
}

TEMPLATE_TEST_CASE("lists: ids of a bulk operation are the oldest that fit", "[lists]", sqlite_kind,
                   memory_kind) {
  town<TestType> f;
  CHECK(*f.read().ids_of({.states = {run_state::queued, run_state::running}}, 3) ==
        ids{f.alpha, f.delta, f.epsilon});
  CHECK(f.read().ids_of({.workspace = "none"}, 10)->empty());
}

TEMPLATE_TEST_CASE(
    "lists: a run is found by id, the beginning of one, digits alone, or the newest of its name",
    "[lists][text]", sqlite_kind, memory_kind) {
  town<TestType> f;
  auto& r = f.read();
  const auto text = core::to_string(f.alpha);
  CHECK(r.find_run_by_text(text)->head.id == f.alpha);
  std::string lower = text;
  for (auto& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  CHECK(r.find_run_by_text(lower)->head.id == f.alpha);
  CHECK(r.find_run_by_text(text.substr(4))->head.id == f.alpha);
  CHECK(r.find_run_by_text(text.substr(0, text.size() - 2))->head.id == f.alpha);
  CHECK(r.find_run_by_text("epsilon")->head.id == f.epsilon);
  CHECK(r.find_run_by_text("epsilo").refused_with(errc::not_found));
  const auto newer = f.submit(a_spec("Alpha")).head.id;
  CHECK(r.find_run_by_text("Alpha")->head.id == newer);
  const auto several = r.find_run_by_text(text.substr(0, 10));
  REQUIRE(several.refused_with(errc::ambiguous));
  CHECK(several.error().problems.at(0).allowed.find("run_") != std::string::npos);
  CHECK(r.find_run_by_text("run_0000").refused_with(errc::invalid));
  CHECK(r.find_run_by_text("run_000000").refused_with(errc::not_found));
  CHECK(r.find_run_by_text("").refused_with(errc::not_found));
  CHECK(r.find_run(core::run_id{1}).refused_with(errc::not_found));
}

TEMPLATE_TEST_CASE("statistics: counts and quantiles of what fits the filter", "[statistics]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  for (int i = 1; i <= 20; ++i) {
    auto spec = a_spec();
    spec.tags = {i % 2 == 0 ? "even" : "odd"};
    const auto id = f.submit(spec).head.id;
    f.now += std::chrono::seconds{i};
    const auto held = f.claim(id);
    f.now += 2s;
    auto how = f.settle(held, i % 5 == 0 ? core::settle_kind::failed : core::settle_kind::succeeded);
    how.klass = i % 5 == 0 ? core::failure_class::permanent : core::failure_class::none;
    f.step(id, how);
  }
  auto urgent = a_spec();
  urgent.prio = core::priority::urgent;
  f.submit(urgent);
  f.step(f.submit().head.id, core::cmd_cancel{"no"});
  f.submit();
  const auto all = f.read().statistics({});
  REQUIRE(all.ok());
  CHECK(all->by_state[static_cast<std::size_t>(run_state::succeeded)] == 16);
  CHECK(all->by_state[static_cast<std::size_t>(run_state::failed)] == 4);
  CHECK(all->by_state[static_cast<std::size_t>(run_state::queued)] == 2);
  CHECK(all->queued_by_priority[0] == 1);
  CHECK(all->queued_by_priority[2] == 1);
  CHECK(all->considered == 21);
  CHECK(all->wait.least == 1s);
  CHECK(all->wait.most == 20s);
  CHECK(all->wait.p50 == 10s);
  CHECK(all->wait.p95 == 19s);
  CHECK(all->execution.average == 2s);
  CHECK(all->total.least == 0s);  // the cancelled one
  CHECK(all->success_rate == 0.8);
  const auto even = f.read().statistics({.tags_any = {"even"}});
  REQUIRE(even.ok());
  CHECK(even->considered == 10);
  CHECK(even->wait.least == 2s);
  CHECK(even->by_state[static_cast<std::size_t>(run_state::queued)] == 0);
  const auto none = f.read().statistics({.states = {run_state::lost}});
  REQUIRE(none.ok());
  CHECK(none->considered == 0);
  CHECK(!none->wait.average);
  CHECK(!none->success_rate);
  CHECK(f.read().statistics({.states = {run_state::queued}})->queued_by_priority[0] == 1);
}

TEMPLATE_TEST_CASE("lists: names of runs come in the order that was asked for", "[lists]", sqlite_kind,
                   memory_kind) {
  town<TestType> f;
  const auto names = f.read().names_of({f.gamma, core::run_id{1}, f.alpha, f.gamma, f.epsilon});
  REQUIRE(names.ok());
  CHECK(*names == std::vector<std::string>{"gamma", "", "Alpha", "gamma", "epsilon"});
  CHECK(f.read().names_of({})->empty());
}
