// COUNTERS: the tallies of a store as rows of `counters`. Numbers stand in rows: append only.
//   1..999 how many events of this kind, ever · 1000 + state: runs in this state · 1100 + priority: queued
//   runs · 2000 greatest id given · 2001 last event 2002, 2003 microseconds that an id was ahead of, or
//   behind, the creation of its run 2004, 2005 the longest and shortest life of a run in microseconds
#pragma once

#include <cstdint>

#include "storage/apply/tallies.hpp"
#include "storage/sqlite/writer.hpp"

namespace belfry::storage::sqlite {

tallies read_tallies(SQLite::Database& db);
// Writes what differs.
void write_tallies(writer& w, const tallies& before, const tallies& now);

}  // namespace belfry::storage::sqlite
