// Pauses that end with a trial: `probes` 1, and `probe` is the run that tries, 0 when there is none.
// `ahead` 1: it was set for a time to come.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0009_probes = R"sql(
alter table pauses add column probes integer not null default 0;
alter table pauses add column probe integer not null default 0;
alter table pauses add column ahead integer not null default 0;
)sql";

}  // namespace belfry::storage::migrations
