// QUERY: one prepared statement, bound by position, without a copy of what is bound. The thinnest layer over
// SQLite's own calls: a row is read and written with some forty of them, and SQLiteCpp's column objects cost
// more than the column.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <SQLiteCpp/Database.h>
#include <sqlite3.h>

#include "core/time/instant.hpp"

namespace belfry::storage::sqlite {

class query {
 public:
  query(SQLite::Database& db, std::string_view sql);
  ~query();
  query(const query&) = delete;
  query& operator=(const query&) = delete;

  // Texts and blobs must live until the statement has been run.
  void bind(int at, std::int64_t value) { check(sqlite3_bind_int64(statement_, at, value)); }
  void bind_null(int at) { check(sqlite3_bind_null(statement_, at)); }
  void bind_real(int at, double value) { check(sqlite3_bind_double(statement_, at, value)); }
  void bind(int at, std::string_view text) {
    check(sqlite3_bind_text64(statement_, at, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  void bind_blob(int at, const void* data, std::size_t size) {
    check(sqlite3_bind_blob64(statement_, at, data, size, SQLITE_STATIC));
  }
  // NULL for nothing.
  void bind_or_null(int at, std::int64_t value) { value == 0 ? bind_null(at) : bind(at, value); }
  void bind_or_null(int at, std::string_view text) { text.empty() ? bind_null(at) : bind(at, text); }

  // Next row, if any; throws. After the last one the statement is ready to be used again.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    reset_after(code);
    return false;
  }
  // Runs a statement that answers no rows.
  void run() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return reset();
    reset_after(code);
  }
  void reset() { sqlite3_reset(statement_); }
  int changes() const { return sqlite3_changes(connection_); }

  bool null(int at) const { return sqlite3_column_type(statement_, at) == SQLITE_NULL; }
  std::int64_t number(int at) const { return sqlite3_column_int64(statement_, at); }  // 0 for NULL
  template <class T>
  T as(int at) const {
    return static_cast<T>(sqlite3_column_int64(statement_, at));
  }
  double real(int at) const { return sqlite3_column_double(statement_, at); }
  std::string_view text(int at) const {  // until the next step
    const auto* data = sqlite3_column_blob(statement_, at);
    if (data == nullptr) return {};
    return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_, at))};
  }
  core::instant time(int at) const { return core::from_micros(number(at)); }

 private:
  void check(int code) {
    if (code != SQLITE_OK) fail();
  }
  void reset_after(int code) {
    const int again = sqlite3_reset(statement_);
    if (code != SQLITE_DONE || again != SQLITE_OK) fail();
  }
  [[noreturn]] void fail() const;

  sqlite3* connection_;
  sqlite3_stmt* statement_ = nullptr;
};

// A query in use: reset when it goes out of scope, whatever happens.
class using_query {
 public:
  explicit using_query(query& q) : q_{q} {}
  ~using_query() { q_.reset(); }
  using_query(const using_query&) = delete;
  using_query& operator=(const using_query&) = delete;

 private:
  query& q_;
};

}  // namespace belfry::storage::sqlite
