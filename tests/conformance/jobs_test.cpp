#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::event_kind;
using core::overlap;
using core::run_state;

TEMPLATE_TEST_CASE(
    "jobs: stored, found by id, name and the beginning of an id, with every revision's spec kept", "[jobs]",
    sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto d = a_job("backup");
  d.description = "every night";
  d.on_overlap = overlap::allow;
  d.max_concurrent = 4;
  d.spec.tags = {"x"};
  const auto made = f.does(st::put_job{{}, 0, d}).jobs.at(0);
  CHECK(made.revision == 1);
  CHECK(made.state == core::job_state::active);
  f.reopen();
  const auto text = core::to_string(made.id);
  for (const auto& asked : {text, std::string{"backup"}, text.substr(0, text.size() - 3)}) {
    const auto found = f.read().find_job_by_text(asked);
    REQUIRE(found.ok());
    CHECK(found->id == made.id);
    CHECK(*found->definition == d);
    CHECK(found->created_by == "tester");
  }
  CHECK(f.read().find_job_by_text("nothing").refused_with(errc::not_found));
  CHECK(f.read().find_job(core::job_id{1}).refused_with(errc::not_found));

  const auto old = f.does(st::trigger_job{made.id}).runs.at(0);
  f.now += 1s;
  d.spec.payload = "{\"n\":2}";
  const auto next = f.does(st::put_job{made.id, 1, d}).jobs.at(0);
  CHECK(next.revision == 2);
  CHECK(next.spec != made.spec);
  CHECK(next.updated_at == f.now);
  const auto fresh = f.does(st::trigger_job{made.id}).runs.at(0);
  CHECK(fresh.head.revision == 2);
  CHECK(f.read().find_run(old.head.id)->spec->payload == "{\"n\":1}");
  CHECK(f.read().find_run(fresh.head.id)->spec->payload == "{\"n\":2}");
  CHECK(f.read().find_job(made.id)->triggered == 2);
}

TEMPLATE_TEST_CASE("jobs: a name is taken once, a revision is checked, the same definition changes nothing",
                   "[jobs]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto a = f.does(st::put_job{{}, 0, a_job("a")}).jobs.at(0);
  const auto b = f.does(st::put_job{{}, 0, a_job("b")}).jobs.at(0);
  CHECK(f.refuses(st::put_job{{}, 0, a_job("a")}).code == errc::already_exists);
  CHECK(f.refuses(st::put_job{b.id, 0, a_job("a")}).code == errc::already_exists);
  CHECK(f.refuses(st::put_job{b.id, 7, a_job("c")}).code == errc::precondition_failed);
  CHECK(f.refuses(st::put_job{core::job_id{9}, 0, a_job("c")}).code == errc::not_found);
  const auto same = f.does(st::put_job{b.id, 1, a_job("b")});
  CHECK(same.replayed);
  CHECK(same.jobs.at(0).revision == 1);
  CHECK(same.first_event == 0);
  const auto renamed = f.does(st::put_job{b.id, 1, a_job("c")});
  CHECK(renamed.jobs.at(0).revision == 2);
  f.does(st::put_job{{}, 0, a_job("b")});
  f.does(st::archive_job{a.id});
  const auto again = f.does(st::put_job{{}, 0, a_job("a")}).jobs.at(0);
  CHECK(again.id != a.id);
  CHECK(f.read().find_job_by_text("a")->id == again.id);
}

TEMPLATE_TEST_CASE("jobs: an archived job is out of lists and cannot be used", "[jobs]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto id = f.does(st::put_job{{}, 0, a_job()}).jobs.at(0).id;
  CHECK(f.does(st::archive_job{id}).jobs.at(0).state == core::job_state::archived);
  CHECK(f.does(st::archive_job{id}).replayed);
  CHECK(f.refuses(st::trigger_job{id}).code == errc::not_found);
  CHECK(f.refuses(st::put_job{id, 0, a_job("other")}).code == errc::not_found);
  CHECK(f.refuses(st::pause_job{id, {"manual", "me", "", core::never}}).code == errc::not_found);
  CHECK(f.refuses(st::resume_job{id, "manual"}).code == errc::not_found);
  CHECK(f.refuses(st::archive_job{core::job_id{3}}).code == errc::not_found);
  CHECK(f.read().list_jobs(false, "", 10, 0)->jobs.empty());
  CHECK(f.read().list_jobs(true, "", 10, 0)->jobs.size() == 1);
  CHECK(f.read().find_job_by_text("nightly")->id == id);
}

TEMPLATE_TEST_CASE("jobs: reasons to pause are a set; each is lifted by itself", "[jobs][pause]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto id = f.does(st::put_job{{}, 0, a_job()}).jobs.at(0).id;
  auto paused = f.does(st::pause_job{id, {"manual", "alice", "maintenance", core::never}}).jobs.at(0);
  CHECK(paused.state == core::job_state::paused);
  CHECK(paused.pauses.at(0).since == f.now);
  CHECK(f.does(st::pause_job{id, {"manual", "alice", "maintenance", core::never}}).replayed);
  paused = f.does(st::pause_job{id, {"breaker", "node", "5 failures", core::never}}).jobs.at(0);
  CHECK(paused.pauses.size() == 2);
  f.reopen();
  CHECK(f.read().find_job(id)->pauses == paused.pauses);
  const auto no = f.refuses(st::trigger_job{id});
  CHECK(no.code == errc::invalid_transition);
  CHECK(no.text.find("alice") != std::string::npos);
  CHECK(no.text.find("maintenance") != std::string::npos);
  CHECK(no.command.find("--reason breaker --owner node") != std::string::npos);
  CHECK(f.does(st::trigger_job{id, {}, true}).runs.at(0).head.state == run_state::queued);
  CHECK(f.does(st::resume_job{id, "manual", "alice"}).jobs.at(0).state == core::job_state::paused);
  CHECK(f.does(st::resume_job{id, "manual", "alice"}).replayed);
  CHECK(f.does(st::resume_job{id, "breaker", "node"}).jobs.at(0).state == core::job_state::active);
  const auto born = f.does(st::put_job{{}, 0, a_job("asleep"), true}).jobs.at(0);
  CHECK(born.state == core::job_state::paused);
  CHECK(f.refuses(st::trigger_job{born.id}).code == errc::invalid_transition);
}

TEMPLATE_TEST_CASE("jobs: a trigger makes a run of the current revision, with its own payload when given",
                   "[jobs][trigger]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto d = a_job();
  d.on_overlap = overlap::queue_all;
  const auto j = f.does(st::put_job{{}, 0, d}).jobs.at(0);
  const auto seq = f.store().last_event();
  const auto made = f.does(st::trigger_job{j.id});
  const auto& r = made.runs.at(0);
  CHECK(r.head.job == j.id);
  CHECK(r.head.revision == 1);
  CHECK(r.head.spec == j.spec);
  CHECK(r.head.manual);
  CHECK(*r.spec == d.spec);
  CHECK(made.jobs.at(0).triggered == 1);
  CHECK(f.kinds_after(seq) == std::vector{event_kind::job_triggered, event_kind::run_submitted});
  const auto own = f.does(st::trigger_job{j.id, "{\"mine\":true}"}).runs.at(0);
  CHECK(own.head.spec.value == own.head.id.value);
  CHECK(f.read().find_run(own.head.id)->spec->payload == "{\"mine\":true}");
  const auto later = f.does(st::trigger_job{j.id, {}, false, f.now + 1h}).runs.at(0);
  CHECK(later.head.state == run_state::scheduled);
  CHECK(f.refuses(st::trigger_job{core::job_id{5}}).code == errc::not_found);
  CHECK(f.listed({.job = j.id}).size() == 3);
}

TEMPLATE_TEST_CASE("jobs: overlap skip, queue_one, queue_all and allow", "[jobs][trigger]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto job = [&](overlap o) {
    auto d = a_job(std::string{core::to_text(o)});
    d.on_overlap = o;
    return f.does(st::put_job{{}, 0, d}).jobs.at(0).id;
  };
  const auto state = [](const st::receipt& r) { return r.runs.at(0).head.state; };

  const auto skip = job(overlap::skip);
  const auto first = f.does(st::trigger_job{skip}).runs[0].head.id;
  const auto skipped = f.does(st::trigger_job{skip});
  CHECK(state(skipped) == run_state::skipped);
  CHECK(skipped.runs[0].head.reason.find(core::to_string(first)) != std::string::npos);
  CHECK(f.events().back().kind == event_kind::run_skipped);
  CHECK(state(f.does(st::trigger_job{skip, {}, true})) == run_state::queued);

  const auto one = job(overlap::queue_one);
  f.claim(f.does(st::trigger_job{one}).runs[0].head.id);
  CHECK(state(f.does(st::trigger_job{one})) == run_state::queued);
  CHECK(state(f.does(st::trigger_job{one})) == run_state::skipped);

  const auto all = job(overlap::queue_all);
  for (int i = 0; i < 3; ++i) CHECK(state(f.does(st::trigger_job{all})) == run_state::queued);
  const auto allow = job(overlap::allow);
  for (int i = 0; i < 3; ++i) CHECK(state(f.does(st::trigger_job{allow})) == run_state::queued);
  // A job whose run is over is free again.
  f.finish(first);
  CHECK(f.read().find_job(skip)->triggered == 3);
}

TEMPLATE_TEST_CASE("jobs: overlap replace cancels what waits and asks what runs to stop", "[jobs][trigger]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto d = a_job();
  d.on_overlap = overlap::replace;
  d.spec.hook.shell = "notify";
  const auto id = f.does(st::put_job{{}, 0, d}).jobs.at(0).id;
  const auto running = f.does(st::trigger_job{id}).runs[0].head.id;
  f.claim(running);
  const auto waiting = f.does(st::trigger_job{id});
  CHECK(waiting.also.size() == 1);
  CHECK(waiting.also[0].head.id == running);
  CHECK(waiting.also[0].head.cancel_requested);
  const auto last = f.does(st::trigger_job{id});
  // The waiting one is cancelled and its hook is due; the running one has been asked already.
  REQUIRE(last.also.size() == 2);
  CHECK(last.also[0].head.id == waiting.runs[0].head.id);
  CHECK(last.also[0].head.state == run_state::cancelled);
  CHECK(last.also[1].head.parent == waiting.runs[0].head.id);
  CHECK(last.runs.at(0).head.state == run_state::queued);
  CHECK(f.head(waiting.runs[0].head.id).state == run_state::cancelled);
  CHECK(f.head(waiting.runs[0].head.id).reason == "replaced by " + core::to_string(last.runs[0].head.id));
}

TEMPLATE_TEST_CASE("jobs: lists go by id, in pages, by a piece of the name", "[jobs][lists]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  std::vector<core::job_id> ids;
  for (int i = 0; i < 7; ++i)
    ids.push_back(f.does(st::put_job{{}, 0, a_job("Job-" + std::to_string(i))}).jobs.at(0).id);
  f.does(st::pause_job{ids[2], {"manual", "a", "b", core::never}});
  std::vector<core::job_id> found;
  std::int64_t after = 0;
  do {
    const auto page = f.read().list_jobs(false, "job", 3, after);
    REQUIRE(page.ok());
    for (const auto& j : page->jobs) {
      found.push_back(j.id);
      CHECK(j.pauses.size() == (j.id == ids[2] ? 1 : 0));
      CHECK(j.definition->spec.payload == "{\"n\":1}");
    }
    after = page->next;
  } while (after != 0);
  CHECK(found == ids);
  CHECK(f.read().list_jobs(false, "OB-3", 10, 0)->jobs.at(0).id == ids[3]);
  CHECK(f.read().list_jobs(false, "x", 10, 0)->jobs.empty());
}
