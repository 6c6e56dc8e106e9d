// What the doctor asks: which runs wait for a time that has passed. Only runs that wait for a time are in the
// index, so that a million others cost it nothing.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0005_due = R"sql(
create index runs_due on runs(due) where due is not null;
)sql";

}  // namespace belfry::storage::migrations
