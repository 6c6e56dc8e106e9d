// The index of dead letters says its shelves as a range. As a list it had SQLite build and drop a table of
// three numbers in every statement that inserts or changes runs, a tenth of what a submission costs.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0011_dead_runs = R"sql(
drop index runs_dead;
create index runs_dead on runs(ended) where shelf >= 9 and shelf <= 11;
)sql";

}  // namespace belfry::storage::migrations
