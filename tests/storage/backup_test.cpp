// Copies of a store: whole while writers go on, checked, and never over a file that exists.
#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
namespace fs = std::filesystem;

namespace {

class stored {
 public:
  explicit stored(std::size_t runs) {
    st::sqlite_options o;
    o.path = path();
    auto opened = st::open_sqlite(o, start);
    REQUIRE(opened);
    store = std::move(*opened);
    for (std::size_t i = 0; i < runs; ++i) add();
  }
  void add() {
    REQUIRE(store->apply({start, "test", {}, {st::insert_runs{{a_submission()}}}}));
    REQUIRE(store->commit());
  }
  std::string path() const { return folder.file("belfry.db"); }

  temporary_folder folder;
  std::unique_ptr<st::store> store;
};

void damage(const std::string& path, std::streamoff at) {
  std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
  file.seekp(at);
  const std::string noise(600, '\xA5');
  file.write(noise.data(), static_cast<std::streamsize>(noise.size()));
}

}  // namespace

TEST_CASE("backup: a copy holds what was committed, stands alone, and opens as a store", "[backup]") {
  stored s{50};
  const auto reads = s.store->open_reader();
  const auto to = s.folder.file("copy.db");
  // What is written but not committed is not in it.
  REQUIRE(s.store->apply({start, "test", {}, {st::insert_runs{{a_submission()}}}}));
  const auto made = reads->copy_to(to);
  REQUIRE(made);
  CHECK(made->runs == 50);
  CHECK(made->last_event == 50);
  CHECK(made->bytes == fs::file_size(to));
  CHECK_FALSE(fs::exists(to + "-wal"));
  CHECK_FALSE(fs::exists(to + ".part"));
  struct stat facts {};
  REQUIRE(::stat(to.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777U) == 0600U);
  const auto found = st::check_sqlite_file(to);
  REQUIRE(found);
  CHECK(found->problems.empty());
  CHECK(found->runs == 50);

  REQUIRE(s.store->commit());
  st::sqlite_options o;
  o.path = s.folder.file("restored.db");
  REQUIRE(st::copy_sqlite_file(to, o.path));
  auto restored = st::open_sqlite(o, start);
  REQUIRE(restored);
  CHECK((*restored)->open_reader()->check()->runs == 50);
  CHECK(s.store->open_reader()->check()->runs == 51);
}

TEST_CASE("backup: a place that will not do is refused, and nothing is left there", "[backup]") {
  stored s{1};
  const auto reads = s.store->open_reader();
  const auto taken = s.folder.file("taken");
  std::ofstream{taken} << "precious";
  CHECK(reads->copy_to(taken).refused_with(errc::already_exists));
  CHECK(fs::file_size(taken) == 8);
  const auto nowhere = reads->copy_to(s.folder.file("no/such/folder/copy.db"));
  REQUIRE(nowhere.refused_with(errc::invalid));
  CHECK(nowhere.error().problems.front().pointer == "/to");
  CHECK(reads->copy_to("relative.db").refused_with(errc::invalid));
  CHECK(reads->copy_to(s.folder.file("")).refused_with(errc::invalid));
  CHECK_FALSE(fs::exists("relative.db"));
  CHECK(st::copy_sqlite_file(s.folder.file("nobody"), s.folder.file("new")).refused_with(errc::unavailable));
  CHECK_FALSE(fs::exists(s.folder.file("new")));
  CHECK_FALSE(fs::exists(s.folder.file("new.part")));
}

TEST_CASE("check: damaged pages and wrong counters are found", "[backup]") {
  stored s{400};
  const auto to = s.folder.file("copy.db");
  REQUIRE(s.store->open_reader()->copy_to(to));
  SECTION("pages") {
    for (std::streamoff at = 8192; at < static_cast<std::streamoff>(fs::file_size(to)); at += 4096)
      damage(to, at + 100);
    const auto found = st::check_sqlite_file(to);
    if (found)
      CHECK_FALSE(found->problems.empty());
    else
      CHECK(found.error().code == errc::storage_damaged);
  }
  SECTION("counters") {
    {
      SQLite::Database db{to, SQLite::OPEN_READWRITE};
      db.exec("delete from runs where id = (select min(id) from runs)");
    }
    const auto found = st::check_sqlite_file(to);
    REQUIRE(found);
    REQUIRE(found->problems.size() == 1);
    CHECK(found->problems.front() == "the counter of runs in state queued says 400, the rows say 399");
  }
  SECTION("somebody else's file") {
    std::ofstream{to, std::ios::trunc} << "these are no pages of a database, whatever the name says";
    CHECK(st::check_sqlite_file(to).refused_with(errc::storage_damaged));
    {
      SQLite::Database{s.folder.file("other"), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE}.exec(
          "create table t (x)");
    }
    CHECK(st::check_sqlite_file(s.folder.file("other")).refused_with(errc::storage_damaged));
    CHECK(st::check_sqlite_file(s.folder.file("nobody")).refused_with(errc::not_found));
  }
  SECTION("the store of a node, with its journal beside it") {
    CHECK(st::check_sqlite_file(s.path()).refused_with(errc::invalid));
  }
}

TEST_CASE("backup: a store in memory has no file, but can be checked", "[backup]") {
  auto store = st::open_memory(st::make_memory_disk(), start);
  REQUIRE(store);
  REQUIRE((*store)->apply({start, "test", {}, {st::insert_runs{{a_submission()}}}}));
  REQUIRE((*store)->commit());
  const auto reads = (*store)->open_reader();
  CHECK(reads->copy_to("/tmp/copy").refused_with(errc::invalid));
  const auto found = reads->check();
  REQUIRE(found);
  CHECK(found->problems.empty());
  CHECK(found->runs == 1);
}
