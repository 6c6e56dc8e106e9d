// One row that cannot be read is one run's trouble: the store goes on, and says why.
#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>

#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::run_state;

namespace {

struct at_file {
  temporary_folder folder;
  std::unique_ptr<st::store> store;
  std::unique_ptr<st::reader> reader;

  at_file() { open(); }
  void open() {
    reader.reset();
    store.reset();
    st::sqlite_options o;
    o.path = folder.file("b.db");
    auto opened = st::open_sqlite(o, start);
    REQUIRE(opened.ok());
    store = std::move(*opened);
    reader = store->open_reader();
  }
  // While nobody has the store open, as another belfry or a bad disk would.
  void change(const std::string& sql) {
    reader.reset();
    store.reset();
    SQLite::Database{folder.file("b.db"), SQLite::OPEN_READWRITE}.exec(sql);
    open();
  }
  st::receipt does(st::change c) {
    auto answer = store->apply({start, "tester", {}, {std::move(c)}});
    INFO((answer.ok() ? std::string{} : answer.error().text));
    REQUIRE(answer.ok());
    REQUIRE(store->commit().ok());
    return std::move(*answer);
  }
  core::run_id submit(core::run_spec spec = a_spec()) {
    return does(st::insert_runs{{a_submission(std::move(spec))}}).runs.at(0).head.id;
  }
  core::run_head claim(core::run_id id) {
    return does(st::step_run{id, core::cmd_claim{core::session_id{77}, hash_of(7), 5min, true}, true})
        .runs.at(0)
        .head;
  }
};

std::string row_of(core::run_id id) { return std::to_string(id.value); }

}  // namespace

TEST_CASE("unreadable: a spec of a newer belfry ends its run as a dead letter, and others go on",
          "[unreadable]") {
  at_file f;
  auto tagged = a_spec("of tomorrow");
  tagged.tags = {"blue"};
  const auto bad = f.submit(tagged);
  const auto good = f.submit(a_spec("of today"));
  // Version 1, and a field with a tag that nobody knows; then a version that nobody knows; then no bytes.
  const auto body = GENERATE(as<std::string>{}, "x'01CE1005'", "x'02'", "x''");
  f.change("update specs set body = " + body + " where id = " + row_of(bad));

  const auto page = f.reader->list_runs({}, {});
  REQUIRE(page.ok());
  CHECK(page->runs.size() == 2);
  REQUIRE(f.store->scan_open({}, 10).ok());
  const auto one = f.reader->find_run(bad);
  REQUIRE(one.ok());
  CHECK_FALSE(one->spec->unreadable.empty());

  const auto ended = f.claim(bad);
  CHECK(ended.state == run_state::failed);
  CHECK(ended.last_class == core::failure_class::permanent);
  CHECK(ended.reason.find("cannot be read") != std::string::npos);
  CHECK(ended.attempt == 0);
  CHECK(f.claim(good).state == run_state::running);

  core::run_filter dead;
  dead.dead_letters = true;
  CHECK(f.reader->list_runs(dead, {})->runs.size() == 1);
  const auto no = f.store->apply({start, "tester", {}, {st::redrive_run{bad, {}}}});
  CHECK(no.refused_with(errc::conflict));

  // Retention takes it with everything that it has.
  f.does(st::prune_history{start + 1h, start + 1h, 1, 500, false, true});
  f.reader.reset();
  f.store.reset();
  SQLite::Database db{f.folder.file("b.db"), SQLite::OPEN_READONLY};
  CHECK(db.execAndGet("select count(*) from run_tags").getInt() == 0);
}

TEST_CASE("unreadable: a definition that is not there at all ends its run too", "[unreadable]") {
  at_file f;
  const auto bad = f.submit();
  f.change("delete from specs where id = " + row_of(bad));
  CHECK(f.reader->list_runs({}, {}).ok());
  const auto ended = f.claim(bad);
  CHECK(ended.state == run_state::failed);
  CHECK(ended.reason.find("missing") != std::string::npos);
}

TEST_CASE("unreadable: needs of a newer belfry are not taken for none", "[unreadable]") {
  at_file f;
  auto spec = a_spec();
  spec.needs.workspace = "here";
  spec.needs.capabilities = {"gpu"};
  const auto bad = f.submit(spec);
  f.change("update runs set needs = '2z1:x' where id = " + row_of(bad));
  const auto page = f.store->scan_open({}, 10);
  REQUIRE(page.ok());
  CHECK(page->items.at(0).head.needs.workspace == "here");
  CHECK(f.reader->list_runs({}, {}).ok());
  CHECK(f.claim(bad).state == run_state::failed);
}

TEST_CASE("unreadable: what is being worked on can still be settled", "[unreadable]") {
  at_file f;
  const auto id = f.submit();
  const auto held = f.claim(id);
  f.change("update specs set body = x'02' where id = " + row_of(id));
  core::cmd_settle done;
  done.proof = {held.fencing, held.held.hash};
  done.kind = core::settle_kind::failed;
  done.klass = core::failure_class::permanent;
  CHECK(f.does(st::step_run{id, done}).runs.at(0).head.state == run_state::failed);
}

TEST_CASE("unreadable: a job whose definition cannot be read is refused to run, is listed, and replaced",
          "[unreadable]") {
  at_file f;
  const auto job = f.does(st::put_job{{}, 0, a_job("nightly")}).jobs.at(0);
  f.change("update specs set body = x'02' where id = " + std::to_string(job.spec.value));
  const auto listed = f.reader->list_jobs(false, "", 10, 0);
  REQUIRE(listed.ok());
  CHECK(listed->jobs.size() == 1);
  const auto no = f.store->apply({start, "tester", {}, {st::trigger_job{job.id, {}}}});
  REQUIRE(no.refused_with(errc::conflict));
  CHECK(no.error().text.find("nightly") != std::string::npos);
  f.does(st::put_job{job.id, 0, a_job("nightly")});
  CHECK(f.does(st::trigger_job{job.id, {}}).runs.at(0).head.state == run_state::queued);
}

TEST_CASE(
    "unreadable: learned delays and the note of an episode begin anew, are told of once, and stop nobody",
    "[unreadable][pressure]") {
  at_file f;
  core::pause_entry limit{"quota", "anthropic", "429", core::never, start + 1h};
  limit.probes = true;
  for (const auto* type : {"claude", "codex"}) f.does(st::put_pause{core::the_agent_type(type), limit});
  REQUIRE(f.store->pauses()->delays.size() == 2);
  f.change(
      "update settings set value = 'rubbish' || char(10) || '1000000 codex' where name = 'provider_delays';"
      "insert into settings (name, value) values ('backpressure', 'rubbish')");
  CHECK(f.store->pauses()->delays == std::vector<core::learned_delay>{{"codex", 1s}});
  CHECK_FALSE(core::pressing(f.store->pressure(start)));
  f.submit();
  f.submit();
  const auto page = f.reader->events_after(0, 1000, {});
  REQUIRE(page.ok());
  CHECK(std::count_if(page->events.begin(), page->events.end(), [](const core::event& e) {
          return e.kind == core::event_kind::provider_delays_reset;
        }) == 1);
}
