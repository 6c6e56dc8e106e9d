// What watching over a node asks for.
//
// - logs: how serious a line is, 1 debug, 2 info, 3 warn, 4 error; NULL: says nothing.
// - runs: dead letters by the time of their end, to find those that nobody has dealt with; a claim touches
//   none of them. Flag 64: somebody was told of it. Flag 128: the trial run of a new job.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0004_oversight = R"sql(
alter table logs add column level integer;
create index runs_dead on runs(ended) where shelf in (9, 10, 11);
)sql";

}  // namespace belfry::storage::migrations
