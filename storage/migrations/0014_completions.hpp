// Jobs that are completed by so many successes: how many there were. Null: the job does not count them.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0014_completions = R"sql(
alter table jobs add column succeeded integer;
)sql";

}  // namespace belfry::storage::migrations
