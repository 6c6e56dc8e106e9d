// Power loss at every write, and by chance: what was acknowledged is there, what was not is there whole or
// not at all.
#include <SQLiteCpp/SQLiteCpp.h>

#include <map>
#include <random>
#include <set>

#include "tests/support/crash_vfs.hpp"
#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::run_state;

namespace {

const std::string path = "/disk/belfry.db";

st::sqlite_options options_on(const crash_vfs& disk, st::durability sync = st::durability::full,
                              std::uint64_t journal_room = 0) {
  st::sqlite_options o;
  o.journal_room = journal_room;
  o.path = path;
  o.vfs = disk.name();
  o.sync = sync;
  o.checkpoint_pages = 20;  // often, so that the power goes in the middle of one as well
  return o;
}

st::change_set set_of(std::vector<st::change> changes, core::instant now = start) {
  st::change_set s;
  s.now = now;
  s.actor = "tester";
  s.changes = std::move(changes);
  return s;
}

std::unique_ptr<st::store> opened(const crash_vfs& disk, st::durability sync = st::durability::full) {
  auto s = st::open_sqlite(options_on(disk, sync), start);
  INFO((s.ok() ? std::string{} : s.error().text));
  REQUIRE(s.ok());
  return std::move(*s);
}

std::string integrity(const crash_vfs& disk) {
  SQLite::Database db{path, SQLite::OPEN_READWRITE, 0, disk.name()};
  db.exec("pragma locking_mode = exclusive");
  return db.execAndGet("pragma integrity_check").getString();
}

void check_counters(st::store& s) {
  auto r = s.open_reader();
  std::array<std::int64_t, core::run_state_count> counted{};
  const auto all = r->list_runs({}, {100'000, 0, core::run_sort::oldest});
  REQUIRE(all.ok());
  for (const auto& run : all->runs) ++counted[static_cast<std::size_t>(run.head.state)];
  CHECK(r->facts()->runs_by_state == counted);
  std::int64_t seq = 0;
  const auto events = r->events_after(0, 100'000, {});
  for (const auto& e : events->events) CHECK(e.seq == ++seq);
}

struct prepared {
  core::run_id running, queued;
  core::lease_proof proof;
  core::job_id job;
};

// A little history on the disk: one run at work, one waiting, a job.
prepared history(st::store& s) {
  prepared p;
  auto made = s.apply(set_of({st::insert_runs{{a_submission(), a_submission()}}}));
  REQUIRE(made.ok());
  p.running = made->runs[0].head.id;
  p.queued = made->runs[1].head.id;
  const auto claimed = s.apply(
      set_of({st::step_run{p.running, core::cmd_claim{core::session_id{1}, hash_of(7), 5min, true}}}));
  REQUIRE(claimed.ok());
  p.proof = {claimed->runs[0].head.fencing, hash_of(7)};
  auto d = a_job();
  d.on_overlap = core::overlap::replace;
  const auto job = s.apply(set_of({st::put_job{{}, 0, d}}));
  REQUIRE(job.ok());
  p.job = job->jobs[0].id;
  REQUIRE(s.commit().ok());
  return p;
}

// Much at once: every table has a part in it.
st::change_set everything(const prepared& p) {
  core::cmd_settle how;
  how.proof = p.proof;
  auto spec = a_spec("new");
  spec.payload = "\"" + std::string(9000, 'p') + "\"";
  spec.tags = {"t"};
  auto set =
      set_of({st::insert_runs{{a_submission(spec), a_submission(spec)}, true}, st::step_run{p.running, how},
              st::step_run{p.queued, core::cmd_cancel{"x"}}, st::trigger_job{p.job, {}, false, core::never},
              st::append_log{{{p.running, 1, 1, start, core::log_stream::out, "line"}}}},
             start + 1s);
  set.once = st::idempotency{"key", {}};
  return set;
}

}  // namespace

TEST_CASE(
    "crash: the power goes at every single write and sync of a change set, which is kept whole or not at all",
    "[crash]") {
  // A commit is few writes, so each is torn in several ways.
  constexpr std::uint64_t ways = 16;
  bool committed = false;
  std::size_t kept = 0, lost = 0;
  for (std::uint64_t turn = 0; !committed || turn % ways != 0; ++turn) {
    const auto at = turn / ways;
    const auto disk = crash_vfs::create("every-write", 1000 + turn);
    prepared p;
    {
      auto s = opened(*disk);
      p = history(*s);
      disk->fail_after(at);
      const auto answer = s->apply(everything(p));
      committed = answer.ok() && s->commit().ok();
      disk->freeze();
    }
    disk->crash();
    INFO("power off at operation " << at);
    auto s = opened(*disk);
    auto r = s->open_reader();
    REQUIRE(r->find_run(p.running).ok());  // acknowledged before
    const bool done = r->find_run(p.running)->head.state == run_state::succeeded;
    if (committed) CHECK(done);
    CHECK((r->find_run(p.queued)->head.state == run_state::cancelled) == done);
    CHECK(r->attempts_of(p.running)->size() == (done ? 1U : 0U));
    CHECK(r->find_job(p.job)->triggered == (done ? 1 : 0));
    CHECK(r->ids_of({.tags_any = {"t"}}, 10)->size() == (done ? 2U : 0U));
    CHECK(r->logs(p.running, 0, 0, 10, 0)->lines.size() == (done ? 1U : 0U));
    const auto again = s->apply(everything(p));  // by its key: the first answer again, or done now
    REQUIRE(again.ok());
    CHECK(again->replayed == done);
    REQUIRE(s->commit().ok());
    CHECK(r->find_run(p.running)->head.state == run_state::succeeded);
    check_counters(*s);
    ++(done ? kept : lost);
    r.reset();
    s.reset();
    CHECK(integrity(*disk) == "ok");
  }
  CHECK(lost > ways);
  CHECK(kept >= ways);
}

TEST_CASE("crash: the power goes at every write of the first opening, which then goes through", "[crash]") {
  bool through = false;
  for (std::uint64_t at = 0; !through; ++at) {
    const auto disk = crash_vfs::create("first-opening", at);
    disk->fail_after(at);
    {
      const auto s = st::open_sqlite(options_on(*disk), start);
      through = s.ok();
      disk->freeze();
    }
    disk->crash();
    INFO("power off at operation " << at);
    auto s = opened(*disk);
    history(*s);
  }
}

namespace {

struct outcome {
  std::size_t acknowledged = 0, missing = 0, damaged = 0, crashes = 0;
};

enum class acknowledges { after_commit, before_commit };

// Some lives of one store: random work, then the power goes at a random moment. Nothing that was acknowledged
// may be missing later.
outcome lives(const std::string& name, std::uint64_t seed, st::durability sync, acknowledges when) {
  outcome o;
  const auto disk = crash_vfs::create(name, seed * 7919);
  std::mt19937_64 random{seed};
  std::map<core::run_id, run_state> promised;  // what somebody was told
  auto now = start;
  for (int life = 0; life < 4; ++life) {
    {
      auto s = st::open_sqlite(options_on(*disk, sync, seed % 2 == 0 ? 0 : 96 * 1024), now);
      if (!s.ok()) {
        ++o.damaged;
        return o;
      }
      for (const auto& [id, state] : promised) {
        const auto found = (*s)->open_reader()->find_run(id);
        // A run can have come further than was told, never less far.
        if (!found.ok() ||
            (found->head.state != state && !(core::terminal(found->head.state) && !core::terminal(state))))
          ++o.missing;
      }
      promised.clear();
      disk->fail_after(random() % 200);
      std::vector<core::run_id> mine;
      for (;;) {
        std::map<core::run_id, run_state> told;
        bool ok = true;
        for (auto sets = 1 + random() % 4; ok && sets > 0; --sets) {
          now += 1ms;
          st::change c = st::insert_runs{{a_submission()}};
          if (!mine.empty() && random() % 2 == 0)
            c = st::step_run{mine[random() % mine.size()], core::cmd_cancel{"x"}};
          const auto answer = (*s)->apply(set_of({c}, now));
          ok = answer.ok();
          if (!ok) break;
          for (const auto& r : answer->runs) {
            told[r.head.id] = r.head.state;
            if (r.head.state == run_state::queued) mine.push_back(r.head.id);
          }
        }
        if (when == acknowledges::before_commit)
          for (const auto& [id, state] : told) promised[id] = state;
        if (!ok || !(*s)->commit().ok()) break;
        for (const auto& [id, state] : told) promised[id] = state;
        (*s)->maintain();
      }
      o.acknowledged += promised.size();
      disk->freeze();
    }
    disk->crash();
    ++o.crashes;
    if (integrity(*disk) != "ok") ++o.damaged;
  }
  return o;
}

outcome many_lives(const std::string& name, std::uint64_t seeds, st::durability sync, acknowledges when) {
  outcome all;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto o = lives(name, seed, sync, when);
    if (o.missing + o.damaged > 0)
      UNSCOPED_INFO(name << ": seed " << seed << " missing " << o.missing << " damaged " << o.damaged);
    all.acknowledged += o.acknowledged;
    all.missing += o.missing;
    all.damaged += o.damaged;
    all.crashes += o.crashes;
  }
  return all;
}

}  // namespace

TEST_CASE("crash: hundreds of power losses lose nothing that was acknowledged", "[crash]") {
  const auto all = many_lives("full", 150, st::durability::full, acknowledges::after_commit);
  CHECK(all.crashes >= 500);
  CHECK(all.acknowledged > 1000);
  CHECK(all.missing == 0);
  CHECK(all.damaged == 0);
}

TEST_CASE("crash: the harness notices whoever acknowledges too early, and durability normal", "[crash]") {
  const auto early = many_lives("early", 40, st::durability::full, acknowledges::before_commit);
  CHECK(early.missing > 0);
  CHECK(early.damaged == 0);
  const auto normal = many_lives("normal", 40, st::durability::normal, acknowledges::after_commit);
  CHECK(normal.missing > 0);
  CHECK(normal.damaged == 0);  // it may lose, but never damage
}

TEST_CASE("crash: same seed, same outcome", "[crash]") {
  const auto a = lives("same", 42, st::durability::normal, acknowledges::before_commit);
  const auto b = lives("same", 42, st::durability::normal, acknowledges::before_commit);
  CHECK(a.acknowledged == b.acknowledged);
  CHECK(a.missing == b.missing);
}

TEST_CASE(
    "disk full: the open transaction is lost and says so, the store goes on serving, and recovers when there "
    "is room",
    "[full]") {
  const auto disk = crash_vfs::create("full-disk", 1);
  auto s = opened(*disk);
  const auto p = history(*s);
  std::size_t full = 0;
  for (std::uint64_t at = 0; at < 30; ++at) {
    disk->fail_after(at, disk_fault::disk_full);
    const auto answer = s->apply(everything(p));
    const auto done = s->commit();
    if (answer.ok() && done.ok()) break;
    ++full;
    CHECK((!answer.ok() ? answer.error().code : done.error().code) == errc::storage_full);
    // Whatever was applied in the same transaction meanwhile is told the same, and nothing of it stays.
    CHECK(s->open_reader()->find_run(p.running)->head.state == run_state::running);
    CHECK(s->commit().ok());  // there is nothing left to commit
    check_counters(*s);
  }
  CHECK(full > 0);
  disk->heal();
  CHECK(s->apply(everything(p)).ok());
  CHECK(s->commit().ok());
  CHECK(s->open_reader()->find_run(p.running)->head.state == run_state::succeeded);
  check_counters(*s);
}

TEST_CASE("disk errors are storage_damaged, and the next transaction begins anew", "[full]") {
  const auto disk = crash_vfs::create("bad-disk", 1);
  auto s = opened(*disk);
  const auto p = history(*s);
  disk->fail_after(0, disk_fault::io_error);
  REQUIRE(s->apply(everything(p)).ok());
  CHECK(s->commit().refused_with(errc::storage_damaged));
  disk->heal();
  CHECK(s->open_reader()->find_run(p.running)->head.state == run_state::running);
  REQUIRE(s->apply(everything(p)).ok());
  CHECK(s->commit().ok());
  check_counters(*s);
}

TEST_CASE("damage: a store file that cannot be read is refused, and a damaged page is an answer, not a crash",
          "[damage]") {
  const auto disk = crash_vfs::create("damaged", 1);
  std::vector<core::run_id> ids;
  {
    auto s = opened(*disk);
    for (int i = 0; i < 200; ++i) {
      const auto made = s->apply(set_of({st::insert_runs{{a_submission()}}}));
      ids.push_back(made->runs[0].head.id);
    }
    REQUIRE(s->commit().ok());
  }
  REQUIRE(disk->size_of(path) > 8192);
  for (std::size_t page = 1; page * 4096 < disk->size_of(path); ++page)
    for (std::size_t i = 0; i < 8; ++i) disk->flip_bit(path, page * 4096 + i);
  if (auto s = st::open_sqlite(options_on(*disk), start); s.ok()) {
    auto r = (*s)->open_reader();
    std::size_t refused = 0;
    for (const auto id : ids) refused += r->find_run(id).ok() ? 0U : 1U;
    CHECK(refused > 0);
    (void)(*s)->apply(set_of({st::insert_runs{{a_submission()}}}));
    (void)(*s)->commit();
  } else {
    CHECK(s.error().code == errc::storage_damaged);
  }
  for (std::size_t i = 0; i < 16; ++i) disk->flip_bit(path, i);  // the header
  const auto s = st::open_sqlite(options_on(*disk), start);
  CHECK(s.refused_with(errc::storage_damaged));
}
