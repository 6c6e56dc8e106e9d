// FAILURES: what SQLite throws, as failures that somebody can act on. Nothing of SQLite's leaves the room.
#pragma once

#include <exception>
#include <string>

#include "core/errors/result.hpp"

namespace belfry::storage::sqlite {

// SQLITE_FULL → storage_full; IOERR, CORRUPT, NOTADB → storage_damaged; a row that cannot be read →
// storage_damaged; the rest of SQLite → unavailable; anything else → internal. `doing`: "write to the store",
// for the text.
core::failure to_failure(const std::exception& e, const std::string& doing);

}  // namespace belfry::storage::sqlite
