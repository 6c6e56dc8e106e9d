// SOUNDNESS: whether a store is what it should be: SQLite's pages and indexes, and our counters against the
// rows that they summarise.
#pragma once

#include <SQLiteCpp/Database.h>

#include "core/run/views.hpp"

namespace belfry::storage::sqlite {

/// Reads everything, in the caller's transaction. Throws what SQLite throws when not even that can be read.
core::store_check examine(SQLite::Database& db);

}  // namespace belfry::storage::sqlite
