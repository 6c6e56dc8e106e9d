// The store against SQLite's bare C API: the same rows, the same schema, prepared statements, WAL,
// synchronous=FULL, one commit per batch. JSON lines.
//
//   bench_store raw FOLDER          the limit alone
//   bench_store rates FOLDER [N]    store and limit, in turn; of batches of N alone
//   bench_store alone FOLDER N      the store alone in batches of N, for a profiler
//   bench_store history FOLDER [N]  reads and retention over N (1,000,000) finished runs
//   bench_store size FOLDER [N]     bytes per queued run, and a scan of N (1,000,000) open runs as at boot
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "storage/codec/bytes.hpp"
#include "storage/contract/open.hpp"

namespace {

using namespace belfry;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr core::instant start = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21};

double processor_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

struct stopwatch {
  std::chrono::steady_clock::time_point from = std::chrono::steady_clock::now();
  double cpu_from = processor_seconds();
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
  }
  double cpu_seconds() const { return processor_seconds() - cpu_from; }
};

core::run_spec a_spec() {
  core::run_spec s;
  s.name = "noop";
  s.handler = core::handler_kind::none;
  s.payload = "\"" + std::string(198, 'p') + "\"";  // 200 bytes
  return s;
}

void check(int code, sqlite3* db, const char* what) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
  std::fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
  std::exit(1);
}

struct lap {
  double p50 = 0, p99 = 0, per_second = 0, cpu_us = 0;
};

// Latencies of single commits, and the rate over all of them.
lap lap_of(std::vector<double> seconds, double cpu, std::size_t rows) {
  double sum = 0;
  for (const auto s : seconds) sum += s;
  std::sort(seconds.begin(), seconds.end());
  return {seconds[seconds.size() / 2] * 1e6, seconds[seconds.size() * 99 / 100] * 1e6,
          static_cast<double>(rows) / sum, cpu * 1e6 / static_cast<double>(rows)};
}

// What both sides can do.
class side {
 public:
  virtual ~side() = default;
  virtual void insert(std::size_t n) = 0;  // one commit
  virtual void claim(std::size_t n) = 0;
  virtual void settle(std::size_t n) = 0;
};

std::string text_of(std::uint8_t c, std::size_t n) { return std::string(n, static_cast<char>(c)); }

class raw_side final : public side {
 public:
  explicit raw_side(const std::string& path) {
    storage::sqlite_options options;
    options.path = path;
    if (auto made = storage::open_sqlite(options, start); !made) {  // for its schema
      std::fprintf(stderr, "%s\n", made.error().text.c_str());
      std::exit(1);
    }
    check(sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr), db_,
          "open");
    run("pragma journal_mode = wal");
    run("pragma synchronous = full; pragma cache_size = -16384; pragma temp_store = memory; pragma "
        "wal_autocheckpoint = 1000;"
        " pragma secure_delete = off");
    begin_ = prepare("begin immediate");
    commit_ = prepare("commit");
    run_ = prepare(
        "insert into runs (id, shelf, state, prio, handler, flags, name, created, created_by, timeout, "
        "eligible)"
        " values (?1, 2, 2, 2, 0, 0, 'noop', ?2, 'bench', 1800000000, 0)");
    spec_ = prepare("insert into specs (id, payload, body) values (?1, ?2, ?3)");
    event_ = prepare(
        "insert into events (seq, at, kind, run, fencing, attempt, actor) values (?1, ?2, ?3, ?4, ?5, ?5, "
        "'bench')");
    claim_ = prepare(
        "update runs set state = 4, attempt = ifnull(attempt, 0) + 1, fencing = ifnull(fencing, 0) + 1 where "
        "id = ?1 and state = 2");
    lease_ = prepare(
        "insert into leases (run, holder, hash, claimed, started, expires) values (?1, 77, ?2, ?3, 0, "
        "300000000)");
    settle_ = prepare(
        "update runs set state = 8, shelf = 8, ended = ?2, progress = 1 where id = ?1 and state = 4 and "
        "fencing = 1");
    unlease_ = prepare("delete from leases where run = ?1");
    attempt_ = prepare(
        "insert into attempts (run, number, fencing, holder, outcome, claimed, started, ended)"
        " values (?1, 1, 1, 77, 8, ?2, 0, 1000)");
  }
  ~raw_side() override {
    for (auto* s : all_) sqlite3_finalize(s);
    sqlite3_close(db_);
  }

  void insert(std::size_t n) override {
    step(begin_);
    for (std::size_t i = 0; i < n; ++i) {
      const auto id = next_id();
      sqlite3_bind_int64(run_, 1, id);
      sqlite3_bind_int64(run_, 2, core::micros(start) + id / 1000);
      step(run_);
      sqlite3_bind_int64(spec_, 1, id);
      sqlite3_bind_text(spec_, 2, payload_.data(), static_cast<int>(payload_.size()), SQLITE_STATIC);
      sqlite3_bind_blob(spec_, 3, body_.data(), static_cast<int>(body_.size()), SQLITE_STATIC);
      step(spec_);
      event(1, id, 0);
      ids_.push_back(id);
    }
    step(commit_);
  }
  void claim(std::size_t n) override {
    step(begin_);
    for (std::size_t i = 0; i < n; ++i) {
      const auto id = ids_[claimed_++];
      sqlite3_bind_int64(claim_, 1, id);
      step(claim_);
      sqlite3_bind_int64(lease_, 1, id);
      sqlite3_bind_blob(lease_, 2, hash_.data(), static_cast<int>(hash_.size()), SQLITE_STATIC);
      sqlite3_bind_int64(lease_, 3, core::micros(start));
      step(lease_);
      event(4, id, 1);
    }
    step(commit_);
  }
  void settle(std::size_t n) override {
    step(begin_);
    for (std::size_t i = 0; i < n; ++i) {
      const auto id = ids_[settled_++];
      sqlite3_bind_int64(attempt_, 1, id);
      sqlite3_bind_int64(attempt_, 2, core::micros(start));
      step(attempt_);
      sqlite3_bind_int64(settle_, 1, id);
      sqlite3_bind_int64(settle_, 2, core::micros(start));
      step(settle_);
      sqlite3_bind_int64(unlease_, 1, id);
      step(unlease_);
      event(6, id, 1);
    }
    step(commit_);
  }

 private:
  std::int64_t next_id() { return ++last_; }
  void run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), db_, sql); }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* s = nullptr;
    check(sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, nullptr), db_, sql);
    all_.push_back(s);
    return s;
  }
  void step(sqlite3_stmt* s) {
    check(sqlite3_step(s), db_, "step");
    sqlite3_reset(s);
  }
  void event(int kind, std::int64_t id, int attempt) {
    sqlite3_bind_int64(event_, 1, ++seq_);
    sqlite3_bind_int64(event_, 2, core::micros(start) + seq_);
    sqlite3_bind_int(event_, 3, kind);
    sqlite3_bind_int64(event_, 4, id);
    attempt == 0 ? sqlite3_bind_null(event_, 5) : sqlite3_bind_int(event_, 5, attempt);
    step(event_);
  }

  sqlite3* db_ = nullptr;
  std::vector<sqlite3_stmt*> all_;
  sqlite3_stmt *begin_, *commit_, *run_, *spec_, *event_, *claim_, *lease_, *settle_, *unlease_, *attempt_;
  std::string payload_ = a_spec().payload, body_ = storage::codec::encode_spec(a_spec()),
              hash_ = text_of(7, 32);
  std::vector<std::int64_t> ids_;
  std::size_t claimed_ = 0, settled_ = 0;
  std::int64_t last_ = std::int64_t{217'000'000'000} << 21, seq_ = 0;
};

class store_side final : public side {
 public:
  explicit store_side(const std::string& path, bool batches = false) : batches_{batches} {
    storage::sqlite_options options;
    options.path = path;
    auto opened = storage::open_sqlite(options, start);
    if (!opened) {
      std::fprintf(stderr, "%s\n", opened.error().text.c_str());
      std::exit(1);
    }
    store_ = std::move(*opened);
  }
  storage::store& store() { return *store_; }

  void insert(std::size_t n) override {
    if (batches_) {
      storage::insert_runs change;
      change.as_batch = true;
      for (std::size_t i = 0; i < n; ++i) change.runs.push_back(a_submission());
      apply(change);
    } else {
      for (std::size_t i = 0; i < n; ++i) apply(storage::insert_runs{{a_submission()}, false});
    }
    commit();
  }
  void claim(std::size_t n) override {
    core::token_hash hash;
    hash.fill(7);
    for (std::size_t i = 0; i < n; ++i)
      apply(storage::step_run{ids_[claimed_++], core::cmd_claim{core::session_id{77}, hash, 5min, true},
                              want_spec});
    commit();
  }
  void settle(std::size_t n) override {
    core::cmd_settle how;
    how.proof.fencing = 1;
    how.proof.hash.fill(7);
    for (std::size_t i = 0; i < n; ++i) apply(storage::step_run{ids_[settled_++], how, false});
    commit();
  }
  bool want_spec = true;

 private:
  core::submission a_submission() {
    core::submission s;
    s.spec = spec_;
    return s;
  }
  void apply(storage::change c) {
    storage::change_set set;
    set.now = start + core::span{++tick_};
    set.actor = "bench";
    const bool made = std::holds_alternative<storage::insert_runs>(c);
    set.changes.push_back(std::move(c));
    auto answer = store_->apply(set);
    if (!answer) {
      std::fprintf(stderr, "%s\n", answer.error().text.c_str());
      std::exit(1);
    }
    if (made)
      for (const auto& r : answer->runs) ids_.push_back(r.head.id);
  }
  void commit() {
    if (auto done = store_->commit(); !done) {
      std::fprintf(stderr, "%s\n", done.error().text.c_str());
      std::exit(1);
    }
    store_->maintain();
  }

  bool batches_;
  std::unique_ptr<storage::store> store_;
  std::shared_ptr<const core::run_spec> spec_ = std::make_shared<const core::run_spec>(a_spec());
  std::vector<core::run_id> ids_;
  std::size_t claimed_ = 0, settled_ = 0;
  std::int64_t tick_ = 0;
};

void wipe(const std::string& path) {
  for (const auto* end : {"", "-wal", "-shm", ".lock", ".lock-journal"}) fs::remove(path + end);
}

lap measure(std::size_t batch, std::size_t rows, const std::function<void(std::size_t)>& once) {
  std::vector<double> seconds;
  const stopwatch all;
  for (std::size_t done = 0; done < rows; done += batch) {
    const stopwatch t;
    once(batch);
    seconds.push_back(t.seconds());
  }
  return lap_of(std::move(seconds), all.cpu_seconds(), rows);
}

void say(const std::string& name, std::size_t batch, const lap& l) {
  std::printf(
      "{\"bench\":\"store\",\"name\":\"%s\",\"batch\":%zu,\"durability\":\"full\",\"per_second\":%.0f,"
      "\"commit_p50_us\":%.0f,\"commit_p99_us\":%.0f,\"cpu_us_per_row\":%.2f}\n",
      name.c_str(), batch, l.per_second, l.p50, l.p99, l.cpu_us);
  std::fflush(stdout);
}

std::size_t rows_for(std::size_t batch) {
  return batch == 1 ? 3000 : batch == 10 ? 20'000 : batch == 100 ? 60'000 : 100'000;
}

struct rates {
  lap insert, claim, settle;
};

rates run_side(side& s, std::size_t batch) {
  const auto rows = rows_for(batch);
  rates r;
  r.insert = measure(batch, rows, [&](std::size_t n) { s.insert(n); });
  r.claim = measure(batch, rows, [&](std::size_t n) { s.claim(n); });
  r.settle = measure(batch, rows, [&](std::size_t n) { s.settle(n); });
  return r;
}

int raw_only(const std::string& path) {
  wipe(path);
  raw_side s{path};
  const auto r = run_side(s, 1000);
  say("raw_insert", 1000, r.insert);
  say("raw_claim", 1000, r.claim);
  say("raw_settle", 1000, r.settle);
  return 0;
}

double middle(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int both(const std::string& path, std::size_t only) {
  constexpr int rounds = 3;  // in turn, so that a neighbour on the machine meets both
  for (const std::size_t batch :
       only != 0 ? std::vector<std::size_t>{only} : std::vector<std::size_t>{1, 10, 100, 1000}) {
    std::map<std::string, std::vector<double>> ratios, cpu;
    rates raw, ours;
    for (int i = 0; i < rounds; ++i) {
      wipe(path);
      {
        raw_side s{path};
        raw = run_side(s, batch);
      }
      wipe(path);
      {
        store_side s{path};
        ours = run_side(s, batch);
      }
      ratios["insert"].push_back(ours.insert.per_second / raw.insert.per_second);
      cpu["insert"].push_back(raw.insert.cpu_us / ours.insert.cpu_us);
      ratios["claim"].push_back(ours.claim.per_second / raw.claim.per_second);
      cpu["claim"].push_back(raw.claim.cpu_us / ours.claim.cpu_us);
      ratios["settle"].push_back(ours.settle.per_second / raw.settle.per_second);
      cpu["settle"].push_back(raw.settle.cpu_us / ours.settle.cpu_us);
    }
    say("raw_insert", batch, raw.insert);
    say("store_insert", batch, ours.insert);
    say("raw_claim", batch, raw.claim);
    say("store_claim", batch, ours.claim);
    say("raw_settle", batch, raw.settle);
    say("store_settle", batch, ours.settle);
    wipe(path);
    store_side batches{path, true};
    say("store_insert_as_batch", batch,
        measure(batch, rows_for(batch), [&](std::size_t n) { batches.insert(n); }));
    std::printf(
        "{\"bench\":\"store\",\"name\":\"ratio\",\"batch\":%zu,\"insert\":%.2f,\"claim\":%.2f,\"settle\":%."
        "2f,\"cpu_insert\":%.2f,"
        "\"cpu_claim\":%.2f,\"cpu_settle\":%.2f}\n",
        batch, middle(ratios["insert"]), middle(ratios["claim"]), middle(ratios["settle"]),
        middle(cpu["insert"]), middle(cpu["claim"]), middle(cpu["settle"]));
    std::fflush(stdout);
  }
  wipe(path);
  return 0;
}

int alone(const std::string& path, std::size_t batch) {
  wipe(path);
  store_side s{path};
  const auto r = run_side(s, batch);
  say("store_insert", batch, r.insert);
  say("store_claim", batch, r.claim);
  say("store_settle", batch, r.settle);
  return 0;
}

int size(const std::string& path, std::size_t n) {
  for (const bool batches : {true, false}) {
    wipe(path);
    store_side s{path, batches};
    for (std::size_t done = 0; done < n; done += 1000) s.insert(1000);
    auto reader = s.store().open_reader();
    const auto bytes = reader->facts()->bytes - fs::file_size(path + "-wal");
    std::printf(
        "{\"bench\":\"store\",\"name\":\"bytes_per_queued_run\",\"as_batch\":%s,\"runs\":%zu,\"bytes\":%.0f}"
        "\n",
        batches ? "true" : "false", n, static_cast<double>(bytes) / static_cast<double>(n));
    const stopwatch t;
    std::size_t found = 0;
    core::run_id after;
    do {
      const auto page = s.store().scan_open(after, 10'000);
      found += page->items.size();
      after = page->next;
    } while (after);
    std::printf("{\"bench\":\"store\",\"name\":\"scan_open\",\"runs\":%zu,\"seconds\":%.2f}\n", found,
                t.seconds());
    std::fflush(stdout);
  }
  wipe(path);
  return 0;
}

// Finished runs of 100 jobs and none, some failed, few cancelled, some tagged, in three workspaces.
void make_history(storage::store& s, std::size_t n, core::instant& now) {
  std::vector<std::shared_ptr<const core::run_spec>> specs;
  for (int i = 0; i < 300; ++i) {
    auto spec = a_spec();
    spec.name = "task-" + std::to_string(i);
    spec.needs.workspace = i % 10 == 0 ? "" : i % 97 == 0 ? "rare" : "usual";
    if (i % 3 == 0) spec.tags = {i % 99 == 0 ? "few" : "many"};
    specs.push_back(std::make_shared<const core::run_spec>(std::move(spec)));
  }
  const auto apply = [&](storage::change c) {
    storage::change_set set;
    set.now = now += core::span{20};
    set.actor = "bench";
    set.changes.push_back(std::move(c));
    auto answer = s.apply(set);
    if (!answer) std::exit(1);
    return std::move(*answer);
  };
  core::token_hash hash;
  hash.fill(7);
  for (std::size_t done = 0; done < n; done += 1000) {
    for (std::size_t i = 0; i < 1000; ++i) {
      core::submission one;
      one.spec = specs[(done + i * 7) % specs.size()];
      const auto id = apply(storage::insert_runs{{one}, false}).runs[0].head.id;
      if (i % 500 == 3) {
        apply(storage::step_run{id, core::cmd_cancel{"bench"}, false});
        continue;
      }
      apply(storage::step_run{id, core::cmd_claim{core::session_id{77}, hash, 5min, true}, false});
      core::cmd_settle how;
      how.proof = {1, hash};
      if (i % 10 == 5) {
        how.kind = core::settle_kind::failed;
        how.klass = core::failure_class::permanent;
      }
      apply(storage::step_run{id, how, false});
    }
    if (!s.commit()) std::exit(1);
    s.maintain();
  }
}

int history(const std::string& path, std::size_t n) {
  wipe(path);
  store_side side_of{path};
  auto& s = side_of.store();
  auto now = start;
  make_history(s, n, now);
  auto r = s.open_reader();
  const auto timed = [&](const char* name, const std::function<void()>& what) {
    std::vector<double> ms;
    for (int i = 0; i < 5; ++i) {
      const stopwatch t;
      what();
      ms.push_back(t.seconds() * 1e3);
    }
    std::printf("{\"bench\":\"store\",\"name\":\"%s\",\"finished_runs\":%zu,\"ms\":%.2f}\n", name, n,
                middle(ms));
    std::fflush(stdout);
  };
  const auto list = [&](const char* name, core::run_filter f) {
    timed(name, [&] { (void)r->list_runs(f, {}); });
  };
  core::run_filter f;
  list("list_newest", f);
  f.states = {core::run_state::failed};
  list("list_failed", f);
  f.states = {core::run_state::cancelled};
  list("list_cancelled", f);
  f.states = {core::run_state::running};
  list("list_running", f);
  f = {};
  f.dead_letters = true;
  list("list_dead_letters", f);
  f = {};
  f.workspace = "rare";
  list("list_rare_workspace", f);
  f = {};
  f.tags_all = {"few"};
  list("list_rare_tag", f);
  f = {};
  f.name_contains = "TASK-299";
  list("list_name_contains", f);
  f = {};
  f.ended_from = now - 1s;
  list("list_ended_lately", f);
  f = {};
  f.created_to = start + 1s;
  list("list_old", f);
  timed("find_by_name", [&] { (void)r->find_run_by_text("task-123"); });
  timed("find_by_name_missing", [&] { (void)r->find_run_by_text("missing!"); });
  core::run_filter rare;
  rare.workspace = "rare";
  timed("statistics_all", [&] { (void)r->statistics({}); });
  timed("statistics_rare_workspace", [&] { (void)r->statistics(rare); });
  timed("facts", [&] { (void)r->facts(); });

  // Retention in bites of 500: how long intake is held up.
  std::vector<double> bites;
  double cpu = 0;
  std::size_t pruned = 0;
  for (int i = 0; i < 200; ++i) {
    storage::change_set set;
    set.now = now + 24h;
    set.changes = {storage::prune_history{now + 1h, now, 100, 500, false}};
    const stopwatch t;
    const auto answer = s.apply(set);
    if (!answer || !s.commit()) return 1;
    bites.push_back(t.seconds() * 1e3);
    cpu += t.cpu_seconds();
    s.maintain();
    pruned += answer->pruned;
    if (answer->pruned == 0) break;
  }
  std::sort(bites.begin(), bites.end());
  std::printf(
      "{\"bench\":\"store\",\"name\":\"prune_bite_of_500\",\"bites\":%zu,\"pruned\":%zu,\"p50_ms\":%.2f,"
      "\"p99_ms\":%.2f,\"cpu_us_per_run\":%.1f}\n",
      bites.size(), pruned, bites[bites.size() / 2], bites[bites.size() * 99 / 100],
      cpu * 1e6 / static_cast<double>(pruned));
  r.reset();
  wipe(path);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const fs::path folder = argc > 2 ? argv[2] : ".";
  const auto path = (folder / "bench-store.db").string();
  if (what == "raw") return raw_only(path);
  if (what == "rates") return both(path, argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0);
  if (what == "alone") return alone(path, argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1000);
  if (what == "history") return history(path, argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1'000'000);
  if (what == "size") return size(path, argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1'000'000);
  std::fprintf(stderr, "bench_store raw|rates|alone|history|size FOLDER [N]\n");
  return 2;
}
