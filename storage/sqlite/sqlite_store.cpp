#include "storage/sqlite/sqlite_store.hpp"

#include <utility>

#include <SQLiteCpp/Exception.h>

#include "storage/sqlite/counters.hpp"
#include "storage/sqlite/failures.hpp"
#include "storage/sqlite/sqlite_reader.hpp"

namespace belfry::storage::sqlite {
namespace {

// Without anybody calling `maintain`, the journal is copied by the commit itself at this multiple.
constexpr int patience = 8;
constexpr std::int64_t boots_kept = 100;

core::failure disk_nearly_full(std::uint64_t reserve) {
  return {core::errc::storage_full,
          "less than " + std::to_string(reserve >> 20) +
              " MiB are free on the disk of the store; new work is refused, running work goes on",
          {},
          {}};
}

}  // namespace

sqlite_store::sqlite_store(sqlite_options options, store_file file)
    : options_{std::move(options)}, file_{std::move(file)}, writer_{*file_.db} {
  sqlite3_wal_hook(file_.db->getHandle(), &sqlite_store::after_commit, this);
}

sqlite_store::~sqlite_store() { give_up(); }

void sqlite_store::boot(core::instant now) {
  auto& db = *file_.db;
  db.exec("begin immediate");
  if (options_.notes_start) {
    query note{db, "insert into boots (at) values (?1)"};
    note.bind(1, core::micros(now));
    note.run();
  }
  query forget{db, "delete from boots where number <= (select max(number) from boots) - ?1"};
  forget.bind(1, boots_kept);
  forget.run();
  query greatest{db, "select max(id) from runs"};
  core::run_id newest;
  if (greatest.step()) newest.value = greatest.number(0);
  greatest.reset();
  engine_ = std::make_unique<engine>(writer_, options_.node, read_tallies(db), newest);
  db.exec("commit");
}

std::optional<core::failure> sqlite_store::open_transaction() {
  if (broken_) return broken_;
  if (open_) return std::nullopt;
  writer_.begin();
  open_ = true;
  room_ = options_.reserve == 0 || !options_.disk_free || options_.disk_free() >= options_.reserve;
  return std::nullopt;
}

core::result<receipt> sqlite_store::apply(const change_set& set) {
  try {
    if (auto no = open_transaction()) return std::move(*no);
    if (!room_ && needs_room(set)) return disk_nearly_full(options_.reserve);
    return engine_->apply(set);
  } catch (const std::exception& e) {
    auto no = to_failure(e, "write to the store");
    if (open_) broken_ = no;
    give_up();
    return no;
  }
}

core::result<void> sqlite_store::commit() {
  if (broken_) return *std::exchange(broken_, std::nullopt);
  if (!open_) return {};
  try {
    write_tallies(writer_, engine_->durable(), engine_->pending());
    writer_.commit();
    open_ = false;
    engine_->committed();
    return {};
  } catch (const std::exception& e) {
    auto no = to_failure(e, "commit");
    give_up();
    return no;
  }
}

void sqlite_store::rollback() {
  give_up();
  broken_.reset();
}

void sqlite_store::give_up() {
  open_ = false;
  writer_.forget();
  if (engine_) engine_->given_up();
  auto* db = file_.db->getHandle();
  // SQLite has rolled back by itself after some failures. One that fails here leaves the file as it was
  // before, too.
  if (sqlite3_get_autocommit(db) == 0) sqlite3_exec(db, "rollback", nullptr, nullptr, nullptr);
}

core::result<open_page> sqlite_store::scan_open(core::run_id after, std::size_t limit) {
  try {
    return writer_.open_runs(after, limit);
  } catch (const std::exception& e) {
    return to_failure(e, "read the open runs");
  }
}

core::result<core::limit_options> sqlite_store::limits(const core::limit_options& configured) {
  try {
    return writer_.find_limits().value_or(configured);
  } catch (const std::exception& e) {
    return to_failure(e, "read the limits");
  }
}

core::result<core::pause_book> sqlite_store::pauses() {
  try {
    auto book = writer_.find_pauses();
    book.delays = engine_->delays();
    return book;
  } catch (const std::exception& e) {
    return to_failure(e, "read the pauses");
  }
}

core::result<std::vector<core::event>> sqlite_store::events_between(std::int64_t first, std::int64_t last) {
  last = std::min(last, engine_->durable().last_event);
  if (first > last) return std::vector<core::event>{};
  // What was committed just now is asked for at once, and is still here.
  const auto& told = engine_->last_committed_events();
  if (!told.empty() && told.front().seq <= first && last <= told.back().seq) {
    const auto from = told.begin() + (first - told.front().seq);
    return std::vector<core::event>(from, from + (last - first + 1));
  }
  try {
    return writer_.events_between(first, last);
  } catch (const std::exception& e) {
    return to_failure(e, "read the journal");
  }
}

int sqlite_store::after_commit(void* self, sqlite3*, const char*, int pages) {
  auto* s = static_cast<sqlite_store*>(self);
  s->journal_pages_ = pages;
  if (pages >= patience * static_cast<int>(s->options_.checkpoint_pages)) s->maintain();
  return SQLITE_OK;
}

void sqlite_store::maintain() {
  if (journal_pages_ < static_cast<int>(options_.checkpoint_pages)) return;
  // Passive: waits for nobody. What a reader still needs stays in the journal until the next time.
  sqlite3_wal_checkpoint_v2(file_.db->getHandle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  journal_pages_ = 0;
}

std::unique_ptr<reader> sqlite_store::open_reader() {
  if (!options_.vfs.empty()) return std::make_unique<sqlite_reader>(options_, *file_.db);
  return std::make_unique<sqlite_reader>(options_);
}

}  // namespace belfry::storage::sqlite

namespace belfry::storage {

core::result<std::unique_ptr<store>> open_sqlite(const sqlite_options& options, core::instant now) {
  auto file = sqlite::open_store_file(options, now);
  if (!file) return std::move(file).error();
  try {
    auto s = std::make_unique<sqlite::sqlite_store>(options, std::move(*file));
    s->boot(now);
    return std::unique_ptr<store>{std::move(s)};
  } catch (const std::exception& e) {
    return sqlite::to_failure(e, "open the store " + options.path);
  }
}

}  // namespace belfry::storage
