// RUN SEARCH: a filter as SQL. The planner has no statistics, so the index that drives is chosen here, from
// what the filter names and how many runs stand in a state. A search has one or more sources; each answers in
// the order of ids, none repeats a run of another, and the reader merges them: a page costs a page, wherever
// the runs stand.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <SQLiteCpp/Database.h>

#include "core/run/filter.hpp"
#include "storage/apply/tallies.hpp"
#include "storage/sqlite/query.hpp"

namespace belfry::storage::sqlite {

class run_search {
 public:
  // `tallies` as committed: how many runs stand in a state, and how far ids are from creation times.
  run_search(SQLite::Database& db, const core::run_filter& filter, const tallies& known);

  // Calls `each` in the order of ids, from beyond `after` (0: from the start), until it answers false.
  // `columns` may name r (runs) and l (leases); the id is added as the first column. `joins` come after those
  // two.
  void walk(std::string_view columns, std::string_view joins, core::run_sort sort, std::int64_t after,
            std::size_t at_most, const std::function<bool(const query&)>& each);
  // Calls `each` with every group of every source.
  void group(std::string_view columns, const std::function<void(const query&)>& each);

 private:
  struct condition {
    std::string sql;
    std::vector<std::string> texts;
  };
  struct source {
    std::string from;
    std::string id;
    condition driver;
  };

  void choose_sources(const core::run_filter& f, const tallies& known);
  void add_source(std::string index, condition driver);
  void add_shelves(const std::vector<core::run_state>& states, bool dead_letters);
  void add_tags(const core::run_filter& f);
  void add_conditions(const core::run_filter& f, const tallies& known);
  void also(std::string sql, std::vector<std::string> texts = {});
  std::unique_ptr<query> prepare(const source& s, std::string_view select, std::string_view joins,
                                 const std::string& rest) const;

  SQLite::Database& db_;
  std::vector<source> sources_;
  condition rest_;
};

}  // namespace belfry::storage::sqlite
