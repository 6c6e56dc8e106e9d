// What both stores do about pauses: durable sets, claims refused inside the transaction, backoff.
#include <algorithm>

#include "core/pause/pauses.hpp"
#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests::stores;
using core::errc;
using core::event_kind;
using core::run_state;

namespace {

core::pause_entry because(std::string reason, std::string owner = "operator",
                          core::instant until = core::never) {
  core::pause_entry e;
  e.reason = std::move(reason);
  e.owner = std::move(owner);
  e.until = until;
  return e;
}

core::run_spec spec_in(const std::string& workspace) {
  auto s = a_spec();
  s.needs.workspace = workspace;
  return s;
}

st::step_run claim_of(core::run_id id, core::session_id by = core::session_id{77}) {
  return {id, core::cmd_claim{by, hash_of(7), 5min, true}};
}

template <class F>
std::vector<core::pause> standing(F& f) {
  auto book = f.store().pauses();
  REQUIRE(book.ok());
  return book->standing;
}

}  // namespace

TEMPLATE_TEST_CASE("pauses: a claim of a held run is refused inside the transaction, whatever holds it",
                   "[pause]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  core::session who;
  who.name = "a";
  who.agent_type = "python";
  who = f.does(st::put_session{who}).sessions.at(0);
  const auto plain = f.submit().head.id, blue = f.submit(spec_in("blue")).head.id;
  const auto on =
      GENERATE(core::whole_scheduler(), core::the_workspace("blue"), core::the_agent_type("python"));
  f.does(st::put_pause{on, because("manual")});
  const auto no = f.refuses(claim_of(blue, who.id));
  CHECK(no.code == errc::paused);
  CHECK(no.text.find("tester") != std::string::npos);
  CHECK(no.text.find("belfry scheduler resume") != std::string::npos);
  f.reopen();
  CHECK(f.refuses(claim_of(blue, who.id)).code == errc::paused);
  CHECK(f.head(blue).state == run_state::queued);
  CHECK(f.apply(claim_of(plain, who.id)).ok() == (on.scope == core::pause_scope::workspace));
  f.commit();
  f.does(st::lift_pause{on, "manual"});
  CHECK(f.claim(blue, who.id).state == run_state::running);
}

TEMPLATE_TEST_CASE("pauses: the pause of a job holds its queued runs; what was forced through it runs",
                   "[pause][jobs]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto job = f.does(st::put_job{{}, 0, a_job()}).jobs.at(0).id;
  const auto first = f.does(st::trigger_job{job}).runs.at(0).head.id;
  const auto paused = f.does(st::pause_job{job, because("manual")});
  CHECK(paused.pauses.at(0).on == core::the_job(job));
  CHECK(f.refuses(claim_of(first)).code == errc::paused);
  const auto forced = f.does(st::trigger_job{job, {}, true}).runs.at(0).head;
  CHECK(forced.forced);
  f.reopen();
  CHECK(f.head(forced.id).forced);
  CHECK(f.claim(forced.id).state == run_state::running);
  f.does(st::resume_job{job, "manual"});
  CHECK(f.claim(first).state == run_state::running);
}

TEMPLATE_TEST_CASE("pauses: of a job they are one set, whichever way they were set", "[pause][jobs]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto job = f.does(st::put_job{{}, 0, a_job()}).jobs.at(0).id;
  f.does(st::put_pause{core::the_job(job), because("quota", "node")});
  CHECK(f.read().find_job(job)->state == core::job_state::paused);
  CHECK(f.refuses(st::trigger_job{job}).command ==
        "belfry scheduler resume --job " + core::to_string(job) + " --reason quota --owner node");
  f.does(st::pause_job{job, because("manual")});
  CHECK(f.does(st::resume_job{job, "quota"}).replayed);  // of the operators there is none
  f.does(st::lift_pause{core::the_job(job), "quota", "node"});
  CHECK(f.read().find_job(job)->pauses.size() == 1);
  // An archived job can still be let go: it may have runs.
  f.does(st::archive_job{job});
  f.does(st::lift_pause{core::the_job(job), "manual"});
  CHECK(standing(f).empty());
  CHECK(f.refuses(st::put_pause{core::the_job(core::job_id{4}), because("manual")}).code == errc::not_found);
}

TEMPLATE_TEST_CASE("pauses: reason and owner make one; each survives a restart as it was set", "[pause]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto full = because("drain", "deploy-bot", f.now + 1h);
  full.text = "update";
  full.deadline = f.now + 60s;
  f.does(st::put_pause{core::whole_scheduler(), full});
  f.does(st::put_pause{core::whole_scheduler(), because("manual")});
  f.does(st::put_pause{core::whole_scheduler(), because("manual", "deploy-bot")});
  f.does(st::put_pause{core::the_workspace("blue"), because("quota")});
  const auto before = standing(f);
  REQUIRE(before.size() == 4);
  CHECK(before.at(0).why.deadline == f.now + 60s);
  CHECK(before.at(0).why.by == "tester");
  f.reopen();
  CHECK(standing(f) == before);
  f.does(st::lift_pause{core::whole_scheduler(), "manual"});
  CHECK(standing(f).size() == 3);
  CHECK(f.does(st::lift_pause{core::whole_scheduler(), "manual"}).replayed);
  f.does(st::note_drained{core::whole_scheduler()});
  CHECK(f.does(st::note_drained{core::whole_scheduler()}).replayed);
  f.reopen();
  CHECK(standing(f).at(0).why.drained_at == f.now);
}

TEMPLATE_TEST_CASE("pauses: one is over at its instant, for claims before anybody has swept it", "[pause]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  f.does(st::put_pause{core::whole_scheduler(), because("maintenance", "operator", f.now + 10s)});
  f.now += 9s;
  CHECK(f.refuses(claim_of(id)).code == errc::paused);
  CHECK(f.does(st::lift_pause{core::whole_scheduler(), "maintenance", "operator", true}).replayed);
  f.now += 1s;
  CHECK(f.claim(id).state == run_state::running);
  f.now += 5s;
  f.does(st::lift_pause{core::whole_scheduler(), "maintenance", "operator", true});
  const auto past = f.store().pauses()->past;
  REQUIRE(past.size() == 1);
  CHECK(past.at(0).ended - past.at(0).since == 10s);
}

TEMPLATE_TEST_CASE("pauses: what was lifted is remembered, the newest thousand of each target", "[pause]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.does(st::put_pause{core::the_workspace("w"), because("manual")});
  f.does(st::lift_pause{core::the_workspace("w"), "manual"});
  for (int i = 0; i < 1010; ++i) {
    f.now += 1s;
    REQUIRE(f.apply(st::put_pause{core::whole_scheduler(), because("manual")}).ok());
    f.now += 1s;
    REQUIRE(f.apply(st::lift_pause{core::whole_scheduler(), "manual"}).ok());
  }
  f.commit();
  f.reopen();
  const auto past = f.store().pauses()->past;
  CHECK(past.size() == 1001);
  CHECK(past.back().ended == f.now);
}

TEMPLATE_TEST_CASE("pauses: a set that is refused, and a commit that is lost, leave no pause behind",
                   "[pause]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  const auto refused = f.store().apply(
      f.set({st::put_pause{core::whole_scheduler(), because("manual")}, st::trigger_job{core::job_id{4}}}));
  CHECK_FALSE(refused.ok());
  REQUIRE(f.apply(st::put_pause{core::whole_scheduler(), because("manual")}).ok());
  CHECK(f.apply(claim_of(id)).error().code == errc::paused);  // in the same transaction
  f.store().rollback();
  CHECK(standing(f).empty());
  CHECK(f.claim(id).state == run_state::running);
}

TEMPLATE_TEST_CASE("pauses: the journal says who paused what, and that it was lifted", "[pause]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto before = f.events().size();
  auto why = because("maintenance");
  why.text = "disk";
  f.does(st::put_pause{core::the_workspace("blue"), why});
  f.does(st::put_pause{core::the_workspace("blue"), why});
  f.does(st::lift_pause{core::the_workspace("blue"), "maintenance"});
  auto drain = because("drain");
  drain.deadline = f.now;
  f.does(st::put_pause{core::whole_scheduler(), drain});
  f.does(st::note_drained{core::whole_scheduler()});
  auto events = f.events();
  events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(before));
  std::vector<event_kind> kinds;
  for (const auto& e : events) kinds.push_back(e.kind);
  CHECK(kinds ==
        std::vector{event_kind::paused, event_kind::resumed, event_kind::drain_started, event_kind::drained});
  CHECK(events.at(0).text == "workspace \"blue\": maintenance by tester: disk");
  CHECK(events.at(0).actor == "tester");
}

TEMPLATE_TEST_CASE(
    "backoff: three resource failures in a row hold the scheduler; success resets, nothing of others is "
    "lifted",
    "[pause][backoff]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto fail = [&] {
    const auto id = f.submit().head.id;
    f.finish(id, core::settle_kind::failed, core::failure_class::resource);
  };
  fail();
  fail();
  CHECK(standing(f).empty());
  fail();
  REQUIRE(standing(f).size() == 1);
  const auto first = standing(f).at(0).why;
  CHECK(first.reason == "backoff");
  CHECK(first.owner == "node");
  CHECK(first.until == f.now + 500ms);
  const auto told = f.events();
  CHECK(std::any_of(told.end() - 2, told.end(), [](const auto& e) { return e.kind == event_kind::paused; }));
  const auto waiting = f.submit().head.id;
  CHECK(f.refuses(claim_of(waiting)).code == errc::paused);
  f.reopen();
  CHECK(f.refuses(claim_of(waiting)).code == errc::paused);
  f.now += 500ms;
  CHECK(f.claim(waiting).state == run_state::running);

  f.does(st::put_pause{core::whole_scheduler(), because("manual")});
  f.does(st::lift_pause{core::whole_scheduler(), "manual"});
  f.finish(f.submit().head.id);  // success
  fail();
  fail();
  CHECK(standing(f).at(0).why.until <= f.now);  // the old one, over and not swept
  fail();
  CHECK(standing(f).at(0).why.until == f.now + 500ms);
}

TEMPLATE_TEST_CASE("backoff: of several deadlines the latest wins", "[pause][backoff]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  std::vector<core::run_head> running;
  for (int i = 0; i < 6; ++i) running.push_back(f.claim(f.submit().head.id));
  for (const auto& h : running) {
    auto how = f.settle(h, core::settle_kind::failed);
    how.klass = core::failure_class::resource;
    f.step(h.id, how);
  }
  CHECK(standing(f).at(0).why.until == f.now + 4s);  // 500 ms, 1 s, 2 s, 4 s
  CHECK(standing(f).size() == 1);
}
