// Jobs that come from the lines of an export: whole, once, and never against what is newer.
#include <rapidcheck/catch.h>

#include <algorithm>

#include "core/job/import.hpp"
#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::import_verdict;
using core::job_state;

namespace {

core::job_definition scheduled(const std::string& name, const std::string& schedule) {
  auto d = a_job(name);
  d.timing.schedule = schedule;
  return d;
}

constexpr auto hourly = "0 * * * *; zone UTC";
const core::job_id far_away{(std::int64_t{1} << 40U) + 7};

core::job_past past(core::job_id id = far_away) {
  core::job_past p;
  p.id = id;
  p.revision = 7;
  p.created_at = start - 1000h;
  p.updated_at = start - 100h;
  p.created_by = "cli:ada";
  p.triggered = 40;
  p.cursor = {start - 30min, 38, {start - 90min, start - 30min}};
  return p;
}

st::put_job line(core::job_definition d, core::job_past p, bool replace = false, bool dry = false) {
  st::put_job c;
  c.definition = std::move(d);
  c.import = std::make_shared<const core::import_terms>(core::import_terms{std::move(p), replace, dry});
  return c;
}

template <class F>
core::job kept(F& f, core::job_id id) {
  auto j = f.read().find_job(id);
  REQUIRE(j.ok());
  return std::move(*j);
}

}  // namespace

TEMPLATE_TEST_CASE("import: a job arrives whole, with its id, and goes on where it was left",
                   "[jobs][import]", sqlite_kind, memory_kind) {
  fixture<TestType> f;  // it is 10:00:00
  const auto r = f.does(line(scheduled("nightly", hourly), past()));
  CHECK(r.imported == import_verdict::created);
  f.reopen();
  const auto j = kept(f, far_away);
  CHECK(core::past_of(j) == past());
  CHECK(*j.definition == scheduled("nightly", hourly));
  CHECK(j.due == start);  // after 9:30, where the other node stopped: neither lost nor made twice
  const auto fired = f.does(st::plan_job{far_away});
  CHECK(fired.runs.size() == 1);
  CHECK(fired.jobs.at(0).cursor.made == 39);
  CHECK(fired.jobs.at(0).due == start + 1h);
  // The same line again: the job has only gone on.
  const auto again = f.does(line(scheduled("nightly", hourly), past()));
  CHECK(again.imported == import_verdict::unchanged);
  CHECK(kept(f, far_away).cursor.made == 39);
}

TEMPLATE_TEST_CASE("import: completed, archived and paused jobs arrive as what they are", "[jobs][import]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto done = past();
  done.state = job_state::completed;
  CHECK(f.does(line(scheduled("once", "@at 2026-11-01T00:00:00.000Z; zone UTC"), done)).imported ==
        import_verdict::created);
  CHECK(kept(f, far_away).state == job_state::completed);
  CHECK(kept(f, far_away).due == core::never);

  auto old = past(core::job_id{far_away.value + 1});
  old.state = job_state::archived;
  CHECK(f.does(line(a_job("once"), old)).imported == import_verdict::created);  // a living one has the name
  CHECK(kept(f, old.id).state == job_state::archived);
  CHECK(f.does(line(a_job("once"), old)).imported == import_verdict::unchanged);

  auto asleep = past(core::job_id{far_away.value + 2});
  asleep.state = job_state::paused;
  asleep.pauses = {{"manual", "operator", "holiday", start - 50h, core::never, "cli:ada"}};
  const auto r = f.does(line(scheduled("asleep", hourly), asleep));
  REQUIRE(r.pauses.size() == 1);
  CHECK(kept(f, asleep.id).pauses == asleep.pauses);
  CHECK(kept(f, asleep.id).due == core::never);
  CHECK(f.refuses(st::trigger_job{asleep.id}).code == errc::invalid_transition);
  // Lifted, what it was asleep for is a range of skips, since where the other node had planned.
  f.does(st::resume_job{asleep.id, "manual", "operator"});
  const auto page = f.read().occurrences_of(asleep.id, core::never, 10);
  REQUIRE(page.ok());
  REQUIRE(page->lines.size() == 1);
  CHECK(page->lines[0].skipped.range.reason == core::skip_reason::paused);
}

TEMPLATE_TEST_CASE("import: what was changed here later is kept, unless it is asked for", "[jobs][import]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.does(line(scheduled("nightly", hourly), past()));
  auto edited = scheduled("nightly", hourly);
  edited.description = "by hand";
  f.does(st::put_job{far_away, 0, edited});
  const auto no = f.does(line(scheduled("nightly", hourly), past()));
  CHECK(no.imported == import_verdict::kept);
  CHECK(no.note.find("--replace") != std::string::npos);
  CHECK(kept(f, far_away).definition->description == "by hand");
  const auto dry = f.does(line(scheduled("nightly", hourly), past(), true, true));
  CHECK(dry.imported == import_verdict::replaced);
  CHECK(kept(f, far_away).definition->description == "by hand");
  CHECK(f.does(line(scheduled("nightly", hourly), past(), true)).imported == import_verdict::replaced);
  CHECK(kept(f, far_away).definition->description.empty());
  CHECK(kept(f, far_away).revision == 9);
  f.reopen();
  CHECK(kept(f, far_away).revision == 9);
  // A newer line of the same job needs no word.
  auto later = past();
  later.updated_at = start + 1000h;
  later.revision = 12;
  CHECK(f.does(line(edited, later)).imported == import_verdict::replaced);
  CHECK(kept(f, far_away).revision == 12);
}

TEMPLATE_TEST_CASE("import: another job's id and another job's name are never taken", "[jobs][import]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto mine = f.does(st::put_job{{}, 0, a_job("mine")}).jobs.at(0);
  // Its id, another birth: the line gets a new id.
  const auto r = f.does(line(a_job("theirs"), past(mine.id)));
  CHECK(r.imported == import_verdict::created);
  CHECK_FALSE(r.note.empty());
  CHECK(r.jobs.at(0).id != mine.id);
  CHECK(kept(f, mine.id).definition->name == "mine");
  // Its name, another id: it is the job of that name, and newer than the line.
  CHECK(f.does(line(scheduled("mine", hourly), past())).imported == import_verdict::kept);
  CHECK(f.does(line(scheduled("mine", hourly), past(), true)).imported == import_verdict::replaced);
  CHECK(kept(f, mine.id).definition->timing.schedule == hourly);
  CHECK(kept(f, mine.id).created_at == mine.created_at);
  CHECK(f.does(line(scheduled("mine", hourly), past(), true)).imported == import_verdict::unchanged);
  // Renamed there to a name that is another's here.
  f.does(line(a_job("first"), past()));
  auto renamed = past();
  renamed.updated_at = start + 1000h;
  CHECK(f.refuses(line(a_job("mine"), renamed)).code == errc::already_exists);
}

TEMPLATE_TEST_CASE("import: a dry run writes nothing and nobody hears of it", "[jobs][import]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto r = f.does(line(scheduled("nightly", hourly), past(), false, true));
  CHECK(r.imported == import_verdict::created);
  CHECK_FALSE(r.jobs.at(0).id);
  CHECK(r.jobs.at(0).due == core::never);
  CHECK_FALSE(f.read().find_job(far_away).ok());
}

TEMPLATE_TEST_CASE("import: what is taken from one store arrives in another as the same",
                   "[jobs][import][property]", sqlite_kind, memory_kind) {
  rc::prop("past_of(import(past_of(x))) == past_of(x)", [] {
    fixture<TestType> f;
    auto p = past(core::job_id{*rc::gen::inRange<std::int64_t>(1, std::int64_t{1} << 60U)});
    p.revision = *rc::gen::inRange<std::uint32_t>(1, 1'000'000);
    p.state = static_cast<job_state>(*rc::gen::inRange(0, 4));
    p.triggered = *rc::gen::inRange<std::int64_t>(0, 1'000'000);
    p.updated_at = start - std::chrono::microseconds{*rc::gen::inRange<std::int64_t>(0, 1'000'000'000)};
    p.cursor.made = *rc::gen::inRange<std::int64_t>(0, 1'000'000);
    p.cursor.covered = start - std::chrono::microseconds{*rc::gen::inRange<std::int64_t>(0, 100'000'000'000)};
    if (p.state == job_state::active) p.pauses.clear();
    if (p.state == job_state::paused)
      p.pauses = {
          {"backoff", "node", *rc::gen::element<std::string>("", "why"), start - 5h, start + 5h, "node"},
          {"manual", "operator", "x", start - 50h, core::never, "cli:ada"}};
    const auto d =
        scheduled("j", *rc::gen::element<std::string>(hourly, "@every 7m; zone UTC",
                                                      "30 2 * * 1-5; zone Europe/Berlin; jitter 5m"));
    REQUIRE(f.does(line(d, p)).imported == import_verdict::created);
    f.reopen();
    const auto j = kept(f, p.id);
    RC_ASSERT(core::past_of(j) == p);
    RC_ASSERT(*j.definition == d);
    RC_ASSERT(f.does(line(*j.definition, core::past_of(j))).imported == import_verdict::unchanged);
  });
}
