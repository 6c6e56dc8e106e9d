// MIGRATIONS: numbered, append-only, each in a transaction of its own. A store that was written by a newer
// belfry is refused; nothing is guessed.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <SQLiteCpp/Database.h>

#include "core/errors/result.hpp"
#include "core/time/instant.hpp"

namespace belfry::storage::migrations {

struct migration {
  std::uint32_t version = 0;
  std::string_view name;
  std::string_view sql;
};

std::span<const migration> all();
inline std::uint32_t newest() { return all().back().version; }

// Version of the store; 0: empty. Throws what SQLite throws.
std::uint32_t version_of(SQLite::Database& db);
// Brings the store to the newest of `steps`. Codes: schema_newer, storage_damaged (a database of somebody
// else).
core::result<void> migrate(SQLite::Database& db, std::span<const migration> steps, core::instant now);

}  // namespace belfry::storage::migrations
