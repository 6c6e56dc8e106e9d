// HELD RUNS: rows of runs under a lease, as they were written last. Whoever took a run comes back with its
// end, and a row that the writer itself has written need not be read again: reading one costs as much as
// writing it. Only the writer writes runs (one process per store), so nothing else can change them; what a
// transaction that failed has written is forgotten with everything else.
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>

#include "storage/apply/rows.hpp"

namespace belfry::storage::sqlite {

class held_runs {
 public:
  std::optional<run_row> find(core::run_id id) const {
    const auto known = rows_.find(id.value);
    return known == rows_.end() ? std::nullopt : std::optional<run_row>{known->second};
  }
  void note(const run_row& row) {
    if (rows_.size() >= room) rows_.clear();
    rows_.insert_or_assign(row.head.id.value, row);
  }
  void drop(core::run_id id) { rows_.erase(id.value); }
  void clear() { rows_.clear(); }

 private:
  static constexpr std::size_t room = 8192;  // some 5 MB
  std::unordered_map<std::int64_t, run_row> rows_;
};

}  // namespace belfry::storage::sqlite
