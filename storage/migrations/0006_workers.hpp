// Workers that the node starts by itself: one row per process, kept as long as its session. A run's
// starvation (its episode) starts at most one that came to be.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0006_workers = R"sql(
create table workers (
  session integer primary key,
  run integer,
  episode integer not null,
  agent_type text not null,
  workspace text,
  state integer not null,
  reason integer not null,
  pid integer,
  token blob not null,
  created integer not null,
  since integer not null,
  ttl integer not null,
  text text
) strict;
create index workers_by_run on workers (run) where run is not null;
create index workers_open on workers (session) where state <> 4;
)sql";

}  // namespace belfry::storage::migrations
