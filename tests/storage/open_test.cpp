// Opening: who holds it, what it is, how old it is.
#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "storage/migrations/migrations.hpp"
#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
namespace mig = belfry::storage::migrations;

namespace {

st::sqlite_options options_at(const std::string& path, const std::string& holder = {}) {
  st::sqlite_options o;
  o.path = path;
  o.holder = holder;
  return o;
}

void change_file(const std::string& path, const char* sql) {
  SQLite::Database db{path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  db.exec(sql);
}

}  // namespace

TEST_CASE("open: a second opening is refused and told who holds the store", "[open]") {
  temporary_folder folder;
  const auto path = folder.file("b.db");
  auto first = st::open_sqlite(options_at(path, "pid 4711 since 2026-11-21T10:00:00Z"), start);
  REQUIRE(first.ok());
  const auto second = st::open_sqlite(options_at(path, "pid 2"), start);
  REQUIRE(second.refused_with(errc::store_held));
  CHECK(second.error().text.find("pid 4711 since 2026-11-21T10:00:00Z") != std::string::npos);
  // The first one is not disturbed by the attempt.
  CHECK(st::open_sqlite(options_at(path, "pid 3"), start).refused_with(errc::store_held));
  first->reset();
  CHECK(st::open_sqlite(options_at(path), start).ok());
}

TEST_CASE("open: another process holds it until it is gone, however it ends", "[open]") {
  temporary_folder folder;
  const auto path = folder.file("b.db");
  std::array<int, 2> ready{};
  REQUIRE(pipe(ready.data()) == 0);
  const auto child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto held = st::open_sqlite(options_at(path, "pid " + std::to_string(getpid())), start);
    char ok = held.ok() ? 'y' : 'n';
    (void)!write(ready[1], &ok, 1);
    for (;;) pause();
  }
  char ok = '?';
  REQUIRE(read(ready[0], &ok, 1) == 1);
  CHECK(ok == 'y');
  const auto refused = st::open_sqlite(options_at(path), start);
  CHECK(refused.refused_with(errc::store_held));
  if (!refused.ok()) CHECK(refused.error().text.find("pid " + std::to_string(child)) != std::string::npos);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  CHECK(st::open_sqlite(options_at(path), start).ok());
}

TEST_CASE("open: a newer schema is refused with both numbers, and nothing is changed", "[open][migrations]") {
  temporary_folder folder;
  const auto path = folder.file("b.db");
  { REQUIRE(st::open_sqlite(options_at(path), start).ok()); }
  change_file(path, "insert into schema_version values (77, 'of the future', 0)");
  const auto refused = st::open_sqlite(options_at(path), start);
  REQUIRE(refused.refused_with(errc::schema_newer));
  CHECK(refused.error().text.find("77") != std::string::npos);
  CHECK(refused.error().text.find(std::to_string(mig::newest())) != std::string::npos);
  change_file(path, "delete from schema_version where version = 77");
  CHECK(st::open_sqlite(options_at(path), start).ok());
}

TEST_CASE("open: a database of somebody else is left as it is", "[open]") {
  temporary_folder folder;
  const auto path = folder.file("other.db");
  change_file(path, "create table precious (x)");
  CHECK(st::open_sqlite(options_at(path), start).refused_with(errc::storage_damaged));
  SQLite::Database db{path, SQLite::OPEN_READONLY};
  CHECK(db.execAndGet("select count(*) from sqlite_master").getInt() == 1);
  // Also one that happens to have a table of that name.
  const auto same = folder.file("same.db");
  change_file(same, "create table schema_version (version integer); insert into schema_version values (1)");
  CHECK(st::open_sqlite(options_at(same), start).refused_with(errc::storage_damaged));
}

TEST_CASE("open: a file that is no database, a folder that is not there", "[open]") {
  temporary_folder folder;
  const auto path = folder.file("text.db");
  FILE* f = std::fopen(path.c_str(), "w");
  REQUIRE(f != nullptr);
  for (int i = 0; i < 1000; ++i) std::fputs("this is not a database\n", f);
  std::fclose(f);
  CHECK(st::open_sqlite(options_at(path), start).refused_with(errc::storage_damaged));
  CHECK(st::open_sqlite(options_at(folder.file("nowhere/b.db")), start).refused_with(errc::unavailable));
}

TEST_CASE("migrations: an older store is brought up step by step, each in a transaction of its own",
          "[migrations]") {
  temporary_folder folder;
  SQLite::Database db{folder.file("b.db"), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  const auto released = mig::all();
  std::vector<mig::migration> steps(released.begin(), released.end());
  REQUIRE(mig::migrate(db, steps, start).ok());
  CHECK(mig::version_of(db) == mig::newest());
  db.exec("insert into settings values ('a', 'b')");

  const auto next = mig::newest() + 1;
  steps.push_back(
      {next, "second", "alter table settings add column more text; update settings set more = value || '!'"});
  steps.push_back({next + 1, "broken", "create table fresh (x); this is not sql"});
  CHECK_THROWS_AS(mig::migrate(db, steps, start + 1h), SQLite::Exception);
  CHECK(mig::version_of(db) == next);  // the good one stays
  CHECK(!db.tableExists("fresh"));     // of the broken one nothing
  CHECK(db.execAndGet("select more from settings").getString() == "b!");

  steps.back() = {next + 1, "repaired", "create table fresh (x)"};
  REQUIRE(mig::migrate(db, steps, start + 2h).ok());
  CHECK(mig::version_of(db) == next + 1);
  REQUIRE(mig::migrate(db, steps, start + 2h).ok());  // again: nothing to do
  CHECK(db.execAndGet("select group_concat(name) from schema_version").getString() ==
        "first,worker_protocol,pauses,oversight,due,workers,ladder,wake_sinks,probes,schedules,dead_runs,"
        "events,calendars,completions,nodes,second,repaired");
  // And the released belfry does not touch it any more.
  CHECK(mig::migrate(db, released, start).refused_with(errc::schema_newer));
}

TEST_CASE("migrations: numbered without gaps from 1, and those that were released are frozen",
          "[migrations]") {
  std::uint32_t expected = 0;
  for (const auto& m : mig::all()) CHECK(m.version == ++expected);
  // FNV-1a of the released texts: a released migration is never edited, another one is added.
  const auto hash = [](std::string_view text) {
    std::uint64_t h = 14695981039346656037U;
    for (const char c : text) h = (h ^ static_cast<std::uint8_t>(c)) * 1099511628211U;
    return h;
  };
  CHECK(hash(mig::all()[0].sql) == 1543251870404352131U);
}

TEST_CASE("schema: no statement that writes runs builds a table of its own on the way", "[migrations]") {
  temporary_folder folder;
  SQLite::Database db{folder.file("b.db"), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  REQUIRE(mig::migrate(db, mig::all(), start).ok());
  const auto steps_of = [&db](const std::string& sql) {
    std::string all;
    SQLite::Statement q{db, "explain " + sql};
    while (q.executeStep()) all += q.getColumn(1).getString() + " ";
    return all;
  };
  const auto insert = steps_of(
      "insert into runs (id, shelf, state, prio, handler, flags, name, created) values (1, 2, 3, 4, 5, 6, "
      "'a', 7)");
  CHECK(insert.find("IdxInsert") != std::string::npos);
  CHECK(insert.find("OpenEphemeral") == std::string::npos);
  CHECK(steps_of("update runs set shelf = 9, ended = 1 where id = 1").find("OpenEphemeral") ==
        std::string::npos);
  // And what asks for dead letters still finds its index.
  SQLite::Statement plan{db,
                         "explain query plan select id from runs indexed by runs_dead where shelf >= 9 and "
                         "shelf <= 11 and ended < 5"};
  REQUIRE(plan.executeStep());
  CHECK(plan.getColumn(3).getString().find("runs_dead") != std::string::npos);
}

TEST_CASE("reserve: with little room on the disk new work is refused, running work goes on", "[full]") {
  temporary_folder folder;
  std::uint64_t room = 1u << 30;
  auto o = options_at(folder.file("b.db"));
  o.disk_free = [&] { return room; };
  auto s = st::open_sqlite(o, start);
  REQUIRE(s.ok());
  const auto set = [](st::change c) {
    st::change_set x;
    x.now = start;
    x.changes = {std::move(c)};
    return x;
  };
  const auto made = (*s)->apply(set(st::insert_runs{{a_submission()}}));
  REQUIRE(made.ok());
  REQUIRE((*s)->commit().ok());
  room = 1u << 20;
  CHECK((*s)->apply(set(st::insert_runs{{a_submission()}})).refused_with(errc::storage_full));
  CHECK((*s)->apply(set(st::put_job{{}, 0, a_job()})).refused_with(errc::storage_full));
  CHECK((*s)->apply(set(st::step_run{made->runs[0].head.id, core::cmd_cancel{"x"}})).ok());
  CHECK((*s)->commit().ok());
  room = 1u << 30;
  CHECK((*s)->apply(set(st::insert_runs{{a_submission()}})).ok());
  CHECK((*s)->commit().ok());
}

TEST_CASE("readers: a read sees committed state while a transaction is open, and cannot write", "[readers]") {
  fixture<sqlite_kind> f;
  const auto id = f.submit().head.id;
  auto second = f.store().open_reader();
  REQUIRE(f.apply(st::step_run{id, core::cmd_cancel{"x"}}).ok());
  CHECK(second->find_run(id)->head.state == core::run_state::queued);
  f.commit();
  CHECK(second->find_run(id)->head.state == core::run_state::cancelled);
}

TEST_CASE("journal: the write-ahead file stays small, with and without anybody who maintains it", "[wal]") {
  for (const bool maintained : {true, false}) {
    temporary_folder folder;
    auto o = options_at(folder.file("b.db"));
    o.checkpoint_pages = 50;
    o.sync = st::durability::normal;
    auto s = st::open_sqlite(o, start);
    REQUIRE(s.ok());
    for (int i = 0; i < 3000; ++i) {
      st::change_set x;
      x.now = start;
      x.changes = {st::insert_runs{{a_submission()}}};
      REQUIRE((*s)->apply(x).ok());
      if (i % 5 == 0) REQUIRE((*s)->commit().ok());
      if (maintained) (*s)->maintain();
    }
    REQUIRE((*s)->commit().ok());
    const auto pages = std::filesystem::file_size(folder.file("b.db-wal")) / 4096;
    CHECK(pages < (maintained ? 150 : 500));  // making the schema alone takes a hundred
  }
}
