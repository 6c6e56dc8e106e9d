#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::event_kind;
using core::run_state;

TEMPLATE_TEST_CASE("store: a submitted run is found as it was given, also after a restart", "[runs]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto spec = a_spec("thumbs");
  spec.handler = core::handler_kind::process;
  spec.process.argv = {"sh", "-c", "echo hi"};
  spec.process.env = {{"A", "1"}, {"B", ""}};
  spec.process.success_codes = {0, 3};
  spec.needs.workspace = "team";
  spec.needs.capabilities = {"gpu", "linux"};
  spec.needs.exact_session = core::session_id{5};
  spec.needs.person_only = true;
  spec.lane = "fast";
  spec.prio = core::priority::high;
  spec.tags = {"a", "b"};
  spec.metadata = "{\"m\":1}";
  spec.retry.jitter = 0.25;
  spec.concurrency_key = "db";
  spec.concurrency_limit = 3;
  spec.timeout = 61s;
  const auto made = f.submit(spec);
  CHECK(made.head.state == run_state::queued);
  CHECK(made.head.created_by == "tester");
  const auto check = [&] {
    const auto found = f.read().find_run(made.head.id);
    REQUIRE(found.ok());
    CHECK(found->head == made.head);
    CHECK(*found->spec == spec);
  };
  check();
  f.now += 1h;
  f.reopen();
  check();
}

TEMPLATE_TEST_CASE("store: nothing is seen before its commit, and a rollback leaves nothing", "[runs]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto made = f.apply(st::insert_runs{{a_submission()}});
  REQUIRE(made.ok());
  const auto id = made->runs.at(0).head.id;
  CHECK(f.read().find_run(id).refused_with(errc::not_found));
  f.store().rollback();
  f.commit();
  CHECK(f.read().find_run(id).refused_with(errc::not_found));
  CHECK(f.events().empty());
  const auto facts = f.read().facts();
  REQUIRE(facts.ok());
  CHECK(facts->runs_by_state[static_cast<std::size_t>(run_state::queued)] == 0);
}

TEMPLATE_TEST_CASE("store: claim, start, renew and settle move one run through its life", "[runs]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto made = f.submit();
  const auto id = made.head.id;
  const auto claimed = f.step(id, core::cmd_claim{core::session_id{9}, hash_of(1), 5min, false});
  CHECK(claimed.state == run_state::claimed);
  CHECK(f.head(id) == claimed);
  f.now += 1s;
  const auto started = f.step(id, core::cmd_start{f.proof_of(claimed)});
  CHECK(started.state == run_state::running);
  f.now += 1s;
  const auto renewed = f.step(id, core::cmd_renew{f.proof_of(claimed), 10min});
  CHECK(renewed.held.expires_at == f.now + 10min);
  CHECK(f.head(id) == renewed);
  const auto told = f.step(id, core::cmd_progress{f.proof_of(claimed), 0.5, "half"});
  CHECK(f.head(id) == told);
  f.now += 1s;
  auto how = f.settle(claimed);
  how.used = {1s, 2s, 4096};
  how.exit_code = 0;
  const auto done = f.does(st::step_run{id, how});
  CHECK(done.runs.at(0).head.state == run_state::succeeded);
  CHECK(f.head(id) == done.runs.at(0).head);
  const auto attempts = f.read().attempts_of(id);
  REQUIRE(attempts.ok());
  REQUIRE(attempts->size() == 1);
  CHECK(attempts->front() == done.ended.at(0));
  CHECK(attempts->front().result == "{\"ok\":true}");
  CHECK(f.kinds_after(0) == std::vector{event_kind::run_submitted, event_kind::run_claimed,
                                        event_kind::run_started, event_kind::run_progress,
                                        event_kind::run_succeeded});
  f.reopen();
  CHECK(f.head(id) == done.runs.at(0).head);
}

TEMPLATE_TEST_CASE("store: the same settlement again is answered alike and writes nothing", "[runs]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  const auto held = f.claim(id);
  const auto first = f.does(st::step_run{id, f.settle(held)});
  CHECK(!first.replayed);
  const auto again = f.does(st::step_run{id, f.settle(held)});
  CHECK(again.replayed);
  CHECK(again.runs.at(0).head == first.runs.at(0).head);
  CHECK(again.first_event == 0);
  CHECK(f.read().attempts_of(id)->size() == 1);

  auto other = f.settle(held, core::settle_kind::failed);
  const auto no = f.refuses(st::step_run{id, other});
  CHECK(no.code == errc::conflict);
  CHECK(f.read().attempts_of(id)->size() == 1);
}

TEMPLATE_TEST_CASE("store: a stale write changes nothing and is kept as evidence, though its set fails",
                   "[runs]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  const auto held = f.claim(id);
  auto stale = f.settle(held);
  stale.proof.fencing += 1;
  const auto other = f.submit().head.id;
  const auto before = f.events().size();
  // The set does something useful first; all of it is taken back.
  const auto answer =
      f.store().apply(f.set({st::step_run{other, core::cmd_cancel{"x"}}, st::step_run{id, stale}}));
  CHECK(answer.refused_with(errc::stale_lease));
  f.commit();
  CHECK(f.head(other).state == run_state::queued);
  CHECK(f.head(id) == held);
  const auto late = f.read().evidence_of(id);
  REQUIRE(late.ok());
  REQUIRE(late->size() == 1);
  CHECK(late->front().fencing == stale.proof.fencing);
  const auto events = f.events();
  REQUIRE(events.size() == before + 1);
  CHECK(events.back().kind == event_kind::stale_write);
  CHECK(events.back().run == id);
  CHECK(f.store().last_event() == events.back().seq);
}

TEMPLATE_TEST_CASE("store: a refused set among good ones of one transaction fails alone", "[runs]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto first = f.apply(st::insert_runs{{a_submission()}});
  const auto bad = f.store().apply(
      f.set({st::insert_runs{{a_submission()}}, st::step_run{core::run_id{12345}, core::cmd_cancel{}}}));
  const auto second = f.apply(st::insert_runs{{a_submission()}});
  f.commit();
  REQUIRE(first.ok());
  CHECK(bad.refused_with(errc::not_found));
  REQUIRE(second.ok());
  CHECK(f.listed({}) == std::vector{first->runs[0].head.id, second->runs[0].head.id});
  const auto events = f.events();
  REQUIRE(events.size() == 2);
  CHECK(events[0].seq == 1);
  CHECK(events[1].seq == 2);
}

TEMPLATE_TEST_CASE("store: a batch is one event, and its summary counts its runs", "[runs][batch]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  st::insert_runs change;
  for (int i = 0; i < 5; ++i) change.runs.push_back(a_submission(a_spec("b" + std::to_string(i))));
  change.as_batch = true;
  const auto made = f.does(change);
  REQUIRE(made.batch);
  REQUIRE(made.runs.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(made.runs[i].head.name == "b" + std::to_string(i));
    CHECK(made.runs[i].head.batch == made.batch);
    CHECK(made.runs[i].spec->name == made.runs[i].head.name);
    if (i > 0) CHECK(made.runs[i - 1].head.id < made.runs[i].head.id);
  }
  const auto events = f.events();
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == event_kind::batch_submitted);
  CHECK(events[0].run == made.runs[0].head.id);
  CHECK(events[0].text == core::to_string(made.batch) +
                              " runs=5 first=" + core::to_string(made.runs[0].head.id) +
                              " last=" + core::to_string(made.runs[4].head.id));
  f.now += 1s;
  f.fail_for_good(made.runs[2].head.id);
  const auto b = f.read().find_batch(made.batch);
  REQUIRE(b.ok());
  CHECK(b->total == 5);
  CHECK(b->created_at == start);
  CHECK(b->by_state[static_cast<std::size_t>(run_state::queued)] == 4);
  CHECK(b->by_state[static_cast<std::size_t>(run_state::failed)] == 1);
  CHECK(f.read().find_batch(core::batch_id{4711}).refused_with(errc::not_found));
  // The figure of submitted runs does not depend on how they came.
  const auto facts = f.read().facts();
  REQUIRE(facts.ok());
  for (const auto& [name, count] : facts->totals)
    if (name == core::to_text(event_kind::run_submitted)) CHECK(count == 5);
}

TEMPLATE_TEST_CASE(
    "store: an id given by the caller is the run's; again with equal content it is replayed, else a conflict",
    "[runs]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto s = a_submission();
  s.id = core::run_id{f.submit().head.id.value + 5};
  const auto made = f.does(st::insert_runs{{s}});
  CHECK(made.runs.at(0).head.id == s.id);
  CHECK(!made.replayed);
  const auto again = f.does(st::insert_runs{{s}});
  CHECK(again.replayed);
  CHECK(again.runs.at(0).head == made.runs.at(0).head);
  CHECK(again.first_event == 0);
  auto other = a_submission(a_spec("else"));
  other.id = s.id;
  CHECK(f.refuses(st::insert_runs{{a_submission(), other}}).code == errc::conflict);
  CHECK(f.listed({}).size() == 2);

  auto twice = a_submission();
  twice.id = core::run_id{s.id.value + 1};
  CHECK(f.refuses(st::insert_runs{{twice, twice}}).code == errc::conflict);
  auto future = a_submission();
  future.id = core::run_id{INT64_MAX};
  CHECK(f.refuses(st::insert_runs{{future}}).code == errc::invalid);
  CHECK(f.listed({}).size() == 2);

  // Ids that the store gives pass by the given ones, also after a restart.
  for (int i = 0; i < 10; ++i) CHECK(f.submit().head.id != s.id);
  f.reopen();
  for (int i = 0; i < 10; ++i) CHECK(f.submit().head.id != s.id);
}

TEMPLATE_TEST_CASE("store: ids only grow, also after a restart and when the clock goes back", "[runs]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto last = f.submit().head.id;
  for (int i = 0; i < 20; ++i) {
    if (i == 7) f.now -= 1h;
    if (i % 5 == 4) f.reopen();
    const auto id = f.submit().head.id;
    CHECK(last < id);
    last = id;
  }
}

TEMPLATE_TEST_CASE("store: a run submitted with a time waits for it, is woken, or runs at once when asked",
                   "[runs]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto s = a_submission();
  s.due_at = f.now + 10s;
  const auto made = f.does(st::insert_runs{{s, s}});
  const auto id = made.runs[0].head.id;
  CHECK(made.runs[0].head.state == run_state::scheduled);
  CHECK(f.refuses(st::step_run{id, core::cmd_wake{}}).code == errc::invalid_transition);
  f.now += 10s;
  CHECK(f.step(id, core::cmd_wake{}).state == run_state::queued);
  CHECK(f.head(id).eligible_since == f.now);
  CHECK(f.step(made.runs[1].head.id, core::cmd_run_now{}).state == run_state::queued);
}

TEMPLATE_TEST_CASE(
    "store: a lease that ran out is taken back until the budget is used up; every lost attempt has its "
    "record",
    "[runs]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto spec = a_spec();
  spec.retry.max_losses = 2;
  const auto id = f.submit(spec).head.id;
  const auto first = f.claim(id);
  f.now += 5min;
  const auto back = f.does(st::step_run{id, core::cmd_expire{first.fencing}});
  CHECK(back.runs[0].head.state == run_state::queued);
  CHECK(back.runs[0].head.eligible_since == first.eligible_since);
  CHECK(back.ended.size() == 1);
  CHECK(f.refuses(st::step_run{id, core::cmd_expire{first.fencing}}).code == errc::invalid_transition);
  const auto second = f.claim(id);
  CHECK(second.fencing == first.fencing + 1);
  f.now += 5min;
  const auto lost = f.does(st::step_run{id, core::cmd_lose{second.fencing, "killed", 0.5}});
  CHECK(lost.runs[0].head.state == run_state::lost);
  REQUIRE(lost.runs[0].spec);  // it ended badly: whoever reacts wants to know what it was
  CHECK(*lost.runs[0].spec == spec);
  CHECK(f.read().attempts_of(id)->size() == 2);
  // The first holder comes back much later.
  CHECK(f.refuses(st::step_run{id, f.settle(first)}).code == errc::stale_lease);
  CHECK(f.read().evidence_of(id)->size() == 1);
}

TEMPLATE_TEST_CASE("store: a failed attempt waits for its retry, and the claim brings the spec when wanted",
                   "[runs]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto made = f.submit();
  const auto id = made.head.id;
  const auto answer =
      f.does(st::step_run{id, core::cmd_claim{core::session_id{3}, hash_of(7), 5min, true}, true});
  REQUIRE(answer.runs[0].spec);
  CHECK(*answer.runs[0].spec == *made.spec);
  auto how = f.settle(answer.runs[0].head, core::settle_kind::failed);
  how.message = "boom";
  const auto failed = f.does(st::step_run{id, how});
  CHECK(failed.runs[0].head.state == run_state::retrying);
  CHECK(failed.runs[0].head.reason == "boom");
  CHECK(!failed.runs[0].spec);
  f.now = failed.runs[0].head.due_at;
  CHECK(f.step(id, core::cmd_wake{}).state == run_state::queued);
  CHECK(f.finish(id).attempt == 2);
}

TEMPLATE_TEST_CASE("store: a redrive makes one linked successor with the same content", "[runs][redrive]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto spec = a_spec("redo");
  spec.tags = {"t"};
  const auto old = f.submit(spec).head.id;
  CHECK(f.refuses(st::redrive_run{old}).code == errc::invalid_transition);
  f.fail_for_good(old);
  CHECK(f.listed({.dead_letters = true}) == std::vector{old});
  const auto seq = f.store().last_event();
  const auto made = f.does(st::redrive_run{old, {}});
  REQUIRE(made.runs.size() == 2);
  const auto& next = made.runs[0];
  CHECK(next.head.predecessor == old);
  CHECK(next.head.state == run_state::queued);
  CHECK(*next.spec == spec);
  CHECK(made.runs[1].head.id == old);
  CHECK(made.runs[1].head.successor == next.head.id);
  CHECK(f.head(old).successor == next.head.id);
  CHECK(f.kinds_after(seq) == std::vector{event_kind::run_redriven, event_kind::run_submitted});
  CHECK(f.listed({.dead_letters = true}).empty());
  CHECK(f.refuses(st::redrive_run{old}).code == errc::conflict);
  CHECK(*f.read().find_run(next.head.id)->spec == spec);
  CHECK(f.listed({.tags_any = {"t"}}) == std::vector{old, next.head.id});

  f.finish(next.head.id);
  CHECK(f.refuses(st::redrive_run{next.head.id}).code == errc::invalid_transition);
  const auto again = f.does(st::redrive_run{next.head.id, "{\"n\":2}", true});
  CHECK(again.runs[0].spec->payload == "{\"n\":2}");
  CHECK(f.read().find_run(again.runs[0].head.id)->spec->payload == "{\"n\":2}");
  CHECK(f.refuses(st::redrive_run{core::run_id{99}}).code == errc::not_found);
}

TEMPLATE_TEST_CASE("store: a discarded dead letter is none any more", "[runs]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  f.fail_for_good(id);
  CHECK(f.listed({.dead_letters = true}) == std::vector{id});
  f.step(id, core::cmd_discard{"known"});
  CHECK(f.listed({.dead_letters = true}).empty());
  CHECK(f.listed({.states = {run_state::failed}}) == std::vector{id});
}

TEMPLATE_TEST_CASE("store: the hook of a run is made in the commit that finishes it", "[runs][hook]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto spec = a_spec();
  spec.hook.shell = "notify";
  const auto id = f.submit(spec).head.id;
  auto answer = f.does(st::step_run{id, f.settle(f.claim(id))});
  REQUIRE(answer.also.size() == 1);
  const auto& hook = answer.also[0];
  CHECK(hook.head.parent == id);
  CHECK(hook.head.state == run_state::queued);
  CHECK(hook.spec->process.shell == "notify");
  CHECK(f.head(hook.head.id) == hook.head);
  CHECK(*f.read().find_run(hook.head.id)->spec == *hook.spec);
  // No hook of a hook, none without one, and none before the end.
  CHECK(f.does(st::step_run{hook.head.id, f.settle(f.claim(hook.head.id))}).also.empty());
  const auto plain = f.submit().head.id;
  CHECK(f.does(st::step_run{plain, f.settle(f.claim(plain))}).also.empty());
  const auto cancelled = f.submit(spec).head.id;
  CHECK(f.does(st::step_run{cancelled, core::cmd_cancel{"no"}}).also.size() == 1);
}

TEMPLATE_TEST_CASE("store: cancel asks a holder to stop, and ends what nobody holds", "[runs]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto waiting = f.submit().head.id;
  CHECK(f.step(waiting, core::cmd_cancel{"enough"}).state == run_state::cancelled);
  const auto seq = f.store().last_event();
  CHECK(f.step(waiting, core::cmd_cancel{"enough"}).state == run_state::cancelled);
  CHECK(f.store().last_event() == seq);
  const auto id = f.submit().head.id;
  const auto held = f.claim(id);
  CHECK(f.step(id, core::cmd_cancel{"stop"}).cancel_requested);
  CHECK(f.head(id).cancel_requested);
  CHECK(f.step(id, f.settle(held, core::settle_kind::cancelled)).state == run_state::cancelled);
  CHECK(f.refuses(st::step_run{core::run_id{3}, core::cmd_cancel{}}).code == errc::not_found);
}

TEMPLATE_TEST_CASE("store: evidence is bounded, late writes go on being events", "[runs]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  auto late = f.settle(f.claim(id));
  late.proof.hash = hash_of(99);
  const auto seq = f.store().last_event();
  for (int i = 0; i < 120; ++i) CHECK(f.refuses(st::step_run{id, late}).code == errc::stale_lease);
  CHECK(f.read().evidence_of(id)->size() == 100);
  CHECK(f.kinds_after(seq) == std::vector<event_kind>(120, event_kind::stale_write));
}

TEMPLATE_TEST_CASE(
    "store: the scan of open runs finds each once, in pages, with what the board wants to know",
    "[runs][scan]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  std::vector<core::run_id> open;
  auto later = a_submission();
  later.due_at = f.now + 1h;
  for (int i = 0; i < 40; ++i) {
    const auto id = f.submit().head.id;
    if (i % 4 == 0)
      f.finish(id);
    else
      open.push_back(id);
    if (i % 4 == 1) f.claim(id);
    if (i % 4 == 2) f.finish(id, core::settle_kind::failed);  // retrying
    if (i % 10 == 0) open.push_back(f.does(st::insert_runs{{later}}).runs[0].head.id);
  }
  auto job = a_job();
  job.on_overlap = core::overlap::allow;
  job.max_concurrent = 3;
  auto process = a_job("process");
  process.spec.handler = core::handler_kind::process;
  process.spec.process.shell = "true";
  for (const auto& d : {job, process}) {
    const auto id = f.does(st::put_job{{}, 0, d}).jobs[0].id;
    open.push_back(f.does(st::trigger_job{id}).runs[0].head.id);
  }
  for (const std::size_t limit : {1U, 7U, 1000U}) {
    std::vector<core::run_id> found;
    core::run_id after;
    do {
      const auto page = f.store().scan_open(after, limit);
      REQUIRE(page.ok());
      CHECK(page->items.size() <= limit);
      for (const auto& item : page->items) {
        found.push_back(item.head.id);
        CHECK(item.head == f.head(item.head.id));
      }
      if (!page->next) {
        const auto& last = page->items;
        CHECK(last.back().handler == core::handler_kind::process);
        CHECK(last.back().job_limit == 1);
        if (last.size() > 2) CHECK(last[last.size() - 2].job_limit == 3);
        if (last.size() > 2) CHECK(last.front().job_limit == 0);
      }
      after = page->next;
    } while (after);
    CHECK(found == open);
  }
}

TEMPLATE_TEST_CASE("store: one process at a time", "[open]", sqlite_kind, memory_kind) {
  TestType kind;
  auto first = kind.open(start);
  REQUIRE(first.ok());
  CHECK(kind.open(start).refused_with(errc::store_held));
  first->reset();
  CHECK(kind.open(start).ok());
}

TEMPLATE_TEST_CASE("store: facts tell boots, counts and totals, and survive a restart", "[facts]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.fail_for_good(f.submit().head.id);
  f.submit();
  f.does(st::put_job{{}, 0, a_job()});
  f.now += 1h;
  f.reopen();
  const auto facts = f.read().facts();
  REQUIRE(facts.ok());
  CHECK(facts->kind == TestType::name);
  CHECK(facts->boots == 2);
  CHECK(facts->created_at == start);
  CHECK(facts->jobs == 1);
  CHECK(facts->runs_by_state[static_cast<std::size_t>(run_state::failed)] == 1);
  CHECK(facts->runs_by_state[static_cast<std::size_t>(run_state::queued)] == 1);
  CHECK(facts->last_event == f.store().last_event());
  std::map<std::string, std::int64_t> totals(facts->totals.begin(), facts->totals.end());
  CHECK(totals.size() == core::all_event_kinds().size());
  CHECK(totals["run_submitted"] == 2);
  CHECK(totals["run_failed"] == 1);
  CHECK(totals["run_lost"] == 0);
}

TEMPLATE_TEST_CASE("store: live limits are durable, and the configured ones hold until there are any",
                   "[limits]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const core::limit_options configured{1, 2, 3, 4};
  CHECK(*f.store().limits(configured) == configured);
  const core::limit_options live{10, 0, 7, 9};
  CHECK(!f.does(st::put_limits{live}).replayed);
  const auto again = f.does(st::put_limits{live});
  CHECK(again.replayed);
  CHECK(again.first_event == 0);
  f.reopen();
  CHECK(*f.store().limits(configured) == live);
  CHECK(f.kinds_after(0) == std::vector{event_kind::limits_changed});
}

TEMPLATE_TEST_CASE("store: the journal tells the old and the new value of each limit", "[limits]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.does(st::put_limits{{10, 3, 5, 4}, {0, 3, 5, 4}});
  f.does(st::put_limits{{10, 8, 5, 4}, {0, 3, 5, 4}});
  const auto events = f.events();
  REQUIRE(events.size() == 2);
  CHECK(events[0].text == "global=0->10 per_lane=3 per_batch=5 per_agent_type=4");
  CHECK(events[1].text == "global=10 per_lane=3->8 per_batch=5 per_agent_type=4");
  CHECK(events[1].actor == "tester");
}
