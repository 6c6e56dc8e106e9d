#include "storage/sqlite/failures.hpp"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include "storage/codec/bytes.hpp"

namespace belfry::storage::sqlite {
namespace {

using core::errc;

errc code_of(int sqlite_code) {
  switch (sqlite_code & 0xFF) {
    case SQLITE_FULL: return errc::storage_full;
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return errc::storage_damaged;
    // A row that must be unique was there already, or an impossible value: a mistake of ours, not of the
    // disk.
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_ERROR: return errc::internal;
    default: return errc::unavailable;
  }
}

}  // namespace

core::failure to_failure(const std::exception& e, const std::string& doing) {
  const std::string text = "cannot " + doing + ": " + e.what();
  if (const auto* s = dynamic_cast<const SQLite::Exception*>(&e)) {
    const auto code = code_of(s->getExtendedErrorCode());
    return {code, text + " (SQLite " + std::to_string(s->getExtendedErrorCode()) + ")", {}, {}};
  }
  if (dynamic_cast<const codec::damaged*>(&e) != nullptr) return {errc::storage_damaged, text, {}, {}};
  return {errc::internal, text, {}, {}};
}

}  // namespace belfry::storage::sqlite
