// How the journal reaches the disk: a commit in one piece, into a file that has its length already.
#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <filesystem>

#include "storage/sqlite/journal_vfs.hpp"
#include "tests/support/crash_vfs.hpp"
#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;

namespace {

constexpr std::uint64_t room = 1U << 20;

st::change_set submissions(std::size_t count, std::size_t payload = 10) {
  st::change_set s;
  s.now = start;
  s.actor = "tester";
  auto spec = a_spec();
  spec.payload = "\"" + std::string(payload, 'x') + "\"";
  s.changes = {st::insert_runs{std::vector<core::submission>(count, a_submission(spec))}};
  return s;
}

std::unique_ptr<st::store> opened(const st::sqlite_options& o) {
  auto s = st::open_sqlite(o, start);
  INFO((s.ok() ? std::string{} : s.error().text));
  REQUIRE(s.ok());
  return std::move(*s);
}

std::size_t queued(st::store& s) {
  return static_cast<std::size_t>(
      s.open_reader()->facts()->runs_by_state[static_cast<std::size_t>(core::run_state::queued)]);
}

}  // namespace

TEST_CASE("journal: it has its room from the start, and does not grow while that lasts", "[journal]") {
  temporary_folder folder;
  st::sqlite_options o;
  o.path = folder.file("b.db");
  o.journal_room = room;
  const auto size = [&o] { return std::filesystem::file_size(o.path + "-wal"); };
  {
    auto s = opened(o);
    CHECK(size() == room);
    for (int i = 0; i < 20; ++i) {
      REQUIRE(s->apply(submissions(3)).ok());
      REQUIRE(s->commit().ok());
    }
    CHECK(size() == room);
    REQUIRE(s->apply(submissions(1000, 2000)).ok());
    REQUIRE(s->commit().ok());
    CHECK(size() > room);
    CHECK(queued(*s) == 1060);
  }
  auto s = opened(o);
  CHECK(queued(*s) == 1060);
  CHECK(size() == room);
}

TEST_CASE("journal: on a small disk it grows as it needs to", "[journal]") {
  temporary_folder folder;
  st::sqlite_options o;
  o.path = folder.file("b.db");
  o.reserve = 0;
  o.journal_room = room;
  o.disk_free = [] { return std::uint64_t{15} * room; };
  auto s = opened(o);
  REQUIRE(s->apply(submissions(1)).ok());
  REQUIRE(s->commit().ok());
  CHECK(std::filesystem::file_size(o.path + "-wal") < room);
}

TEST_CASE("journal: room that the disk does not have is given back, and the store opens", "[journal]") {
  const auto disk = crash_vfs::create("no-room", 1);
  st::sqlite_options o;
  o.path = "/disk/b.db";
  o.vfs = disk->name();
  o.reserve = 0;
  opened(o).reset();
  o.journal_room = room;
  disk->fail_after(5, disk_fault::disk_full);
  {
    st::sqlite::journal_vfs vfs{disk->name(), room};
    SQLite::Database db{o.path, SQLite::OPEN_READWRITE, 0, vfs.name()};
    db.exec("pragma locking_mode = exclusive");
    CHECK(db.execAndGet("select count(*) from runs").getInt() == 0);
    CHECK(disk->size_of(o.path + "-wal") == 0);
  }
  disk->heal();
  auto s = opened(o);
  REQUIRE(s->apply(submissions(1)).ok());
  REQUIRE(s->commit().ok());
}

TEST_CASE("journal: a commit goes out in one piece, however many pages it has", "[journal]") {
  const auto disk = crash_vfs::create("one-piece", 1);
  st::sqlite_options o;
  o.path = "/disk/b.db";
  o.vfs = disk->name();
  auto s = opened(o);
  REQUIRE(s->apply(submissions(1)).ok());
  REQUIRE(s->commit().ok());
  for (const std::size_t runs : {1U, 20U}) {
    const auto writes = disk->writes(), syncs = disk->syncs();
    REQUIRE(s->apply(submissions(runs, 300)).ok());
    REQUIRE(s->commit().ok());
    CHECK(disk->writes() - writes == 1);
    CHECK(disk->syncs() - syncs == 1);
  }
}

TEST_CASE("journal: a transaction that does not fit the cache is read back while it is open, and kept whole",
          "[journal]") {
  temporary_folder folder;
  st::sqlite_options o;
  o.path = folder.file("b.db");
  o.cache_kib = 100;
  {
    auto s = opened(o);
    for (int i = 0; i < 4; ++i) REQUIRE(s->apply(submissions(1000, 1500)).ok());
    CHECK(queued(*s) == 0);
    REQUIRE(s->commit().ok());
    CHECK(queued(*s) == 4000);
    REQUIRE(s->apply(submissions(1000, 1500)).ok());
    s->rollback();
    REQUIRE(s->apply(submissions(1)).ok());
    REQUIRE(s->commit().ok());
    CHECK(queued(*s) == 4001);
  }
  CHECK(queued(*opened(o)) == 4001);
  SQLite::Database db{o.path, SQLite::OPEN_READWRITE};
  CHECK(db.execAndGet("pragma integrity_check").getString() == "ok");
}

TEST_CASE("journal: a sync that fails fails the commit, and the next one is good", "[journal]") {
  const auto disk = crash_vfs::create("failing", 1);
  st::sqlite_options o;
  o.path = "/disk/b.db";
  o.vfs = disk->name();
  auto s = opened(o);
  for (const std::uint64_t good : {0U, 1U}) {  // the write, the sync
    REQUIRE(s->apply(submissions(1)).ok());
    disk->fail_after(good, disk_fault::io_error);
    CHECK_FALSE(s->commit().ok());
    disk->heal();
    CHECK(queued(*s) == 0);
  }
  REQUIRE(s->apply(submissions(2)).ok());
  REQUIRE(s->commit().ok());
  CHECK(queued(*s) == 2);
}
