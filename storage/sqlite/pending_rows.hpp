// PENDING ROWS: rows of one table on their way into the open transaction, written several at a time.
//
// An insert of one row opens and closes a cursor on the table and on each of its indexes, which costs more
// than the row (runs have seven indexes): sixteen at once take half of the time. They are written when
// sixteen are there, before anything else is asked of their table, and before the commit.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/sqlite/query.hpp"

namespace belfry::storage::sqlite {

// "insert into TABLE (COLUMNS) values (…), (…)": `columns` parameters for each of `rows` rows.
std::string insert_of(std::string_view table, std::string_view names, int columns, int rows);

template <class Row>
class pending_rows {
 public:
  // Binds one row, its first column at `first`; what it binds lives as long as the row.
  using binder = void (*)(query& q, const Row& row, int first);

  pending_rows(SQLite::Database& db, std::string_view table, std::string_view names, int columns, binder bind)
      : many_{db, insert_of(table, names, columns, most)},
        some_{db, insert_of(table, names, columns, few)},
        one_{db, insert_of(table, names, columns, 1)},
        columns_{columns},
        bind_{bind} {
    rows_.reserve(most);
  }

  void add(Row row) {
    rows_.push_back(std::move(row));
    if (rows_.size() == most) write();
  }
  // Throws when one of them cannot be written; then all of them are dropped, and the transaction is over.
  void write() {
    if (rows_.empty()) return;
    const drop_all after{rows_};
    std::size_t at = 0;
    while (at < rows_.size()) {
      const auto left = rows_.size() - at;
      at += left >= most ? put(many_, at, most) : left >= few ? put(some_, at, few) : put(one_, at, 1);
    }
  }
  // The transaction they were meant for is over.
  void forget() { rows_.clear(); }

 private:
  static constexpr int most = 16;
  static constexpr int few = 4;
  struct drop_all {
    std::vector<Row>& rows;
    ~drop_all() { rows.clear(); }
  };

  std::size_t put(query& q, std::size_t from, int count) {
    for (int i = 0; i < count; ++i) bind_(q, rows_[from + static_cast<std::size_t>(i)], 1 + i * columns_);
    q.run();
    return static_cast<std::size_t>(count);
  }

  query many_, some_, one_;
  int columns_;
  binder bind_;
  std::vector<Row> rows_;
};

}  // namespace belfry::storage::sqlite
