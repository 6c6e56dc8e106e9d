#include "storage/sqlite/query.hpp"

#include <SQLiteCpp/Exception.h>

namespace belfry::storage::sqlite {

query::query(SQLite::Database& db, std::string_view sql) : connection_{db.getHandle()} {
  check(sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                           &statement_, nullptr));
}

query::~query() { sqlite3_finalize(statement_); }

void query::fail() const { throw SQLite::Exception(connection_, sqlite3_extended_errcode(connection_)); }

}  // namespace belfry::storage::sqlite
