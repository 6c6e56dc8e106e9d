// Nodes of the cluster, by name, one row for each that ever joined: what its last hello said, and what
// operators said of it. `state` is what was last written of it, never a verdict of now; `seen` is written
// with it and not at each beat.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0015_nodes = R"sql(
create table nodes (
  name text primary key,
  boot text,
  state integer not null,
  draining integer not null,
  removed integer not null,
  address text,
  version text,
  labels text,
  capabilities text,
  executors integer not null,
  joined integer not null,
  seen integer not null,
  changed integer not null,
  first integer not null,
  reason text,
  who text
) strict;
)sql";

}  // namespace belfry::storage::migrations
