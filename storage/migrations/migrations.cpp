#include "storage/migrations/migrations.hpp"

#include <array>
#include <string>

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include "storage/migrations/0001_first.hpp"
#include "storage/migrations/0002_worker_protocol.hpp"
#include "storage/migrations/0003_pauses.hpp"
#include "storage/migrations/0004_oversight.hpp"
#include "storage/migrations/0005_due.hpp"
#include "storage/migrations/0006_workers.hpp"
#include "storage/migrations/0007_ladder.hpp"
#include "storage/migrations/0008_wake_sinks.hpp"
#include "storage/migrations/0009_probes.hpp"
#include "storage/migrations/0010_schedules.hpp"
#include "storage/migrations/0011_dead_runs.hpp"
#include "storage/migrations/0012_events.hpp"
#include "storage/migrations/0013_calendars.hpp"
#include "storage/migrations/0014_completions.hpp"
#include "storage/migrations/0015_nodes.hpp"

namespace belfry::storage::migrations {
namespace {

using core::errc;
using core::failure;

constexpr std::int64_t application = 0x626C6672;  // "blfr", in the header of the file: this is ours

constexpr std::array steps_of_release{migration{1, "first", sql_0001_first},
                                      migration{2, "worker_protocol", sql_0002_worker_protocol},
                                      migration{3, "pauses", sql_0003_pauses},
                                      migration{4, "oversight", sql_0004_oversight},
                                      migration{5, "due", sql_0005_due},
                                      migration{6, "workers", sql_0006_workers},
                                      migration{7, "ladder", sql_0007_ladder},
                                      migration{8, "wake_sinks", sql_0008_wake_sinks},
                                      migration{9, "probes", sql_0009_probes},
                                      migration{10, "schedules", sql_0010_schedules},
                                      migration{11, "dead_runs", sql_0011_dead_runs},
                                      migration{12, "events", sql_0012_events},
                                      migration{13, "calendars", sql_0013_calendars},
                                      migration{14, "completions", sql_0014_completions},
                                      migration{15, "nodes", sql_0015_nodes}};

std::int64_t single_number(SQLite::Database& db, const char* sql) { return db.execAndGet(sql).getInt64(); }

void apply(SQLite::Database& db, const migration& step, core::instant now) {
  SQLite::Transaction t{db, SQLite::TransactionBehavior::IMMEDIATE};
  if (step.version == 1) {
    db.exec("pragma application_id = " + std::to_string(application));
    db.exec(
        "create table schema_version (version integer primary key, name text not null, at integer not null) "
        "strict");
  }
  db.exec(std::string{step.sql});
  SQLite::Statement note{db, "insert into schema_version values (?1, ?2, ?3)"};
  note.bind(1, step.version);
  note.bind(2, std::string{step.name});
  note.bind(3, core::micros(now));
  note.exec();
  t.commit();
}

}  // namespace

std::span<const migration> all() { return steps_of_release; }

std::uint32_t version_of(SQLite::Database& db) {
  if (!db.tableExists("schema_version")) return 0;
  return static_cast<std::uint32_t>(single_number(db, "select max(version) from schema_version"));
}

core::result<void> migrate(SQLite::Database& db, std::span<const migration> steps, core::instant now) {
  const auto version = version_of(db);
  if (version == 0 && single_number(db, "select count(*) from sqlite_master") != 0)
    return failure{errc::storage_damaged,
                   "the file is an SQLite database, but not a belfry store; it is left as it is",
                   {},
                   {}};
  if (version != 0 && single_number(db, "pragma application_id") != application)
    return failure{errc::storage_damaged,
                   "the file does not say that it is a belfry store; it is left as it is",
                   {},
                   {}};
  const auto known = steps.back().version;
  if (version > known)
    return failure{errc::schema_newer,
                   "the store has schema " + std::to_string(version) + ", this belfry knows schemas up to " +
                       std::to_string(known) + "; run the belfry that wrote it, or a newer one",
                   {},
                   "belfry --version"};
  for (const auto& step : steps)
    if (step.version > version) apply(db, step, now);
  return {};
}

}  // namespace belfry::storage::migrations
