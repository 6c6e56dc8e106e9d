// Jobs that wait for events. A row of `event_holds` for each of them, also when nothing is held: the node
// finds them there when it starts. `newest` is what storage/codec/events writes. `event_depths` has the runs
// that an event has started: how many such runs led there.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0012_events = R"sql(
create table event_holds (
  job integer primary key,
  held integer not null,
  first_held integer,
  fires integer,
  depth integer not null,
  limited integer not null,
  newest blob,
  newest_at integer,
  aside integer not null,
  aside_first integer,
  aside_last integer
) strict;
create table event_depths (
  run integer primary key,
  depth integer not null
) strict;
)sql";

}  // namespace belfry::storage::migrations
