// What the escalation ladder keeps: one row per starved run, removed by the commit that takes the run out of
// the queue. `base` is the tick of the ladder's clock at which the count was zero; the clock itself, and the
// figures of the cycles, are settings.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0007_ladder = R"sql(
create table starvation (
  run integer primary key,
  episode integer not null,
  began integer not null,
  base integer not null,
  fired integer not null,
  spawned integer not null,
  held integer
) strict;
)sql";

}  // namespace belfry::storage::migrations
