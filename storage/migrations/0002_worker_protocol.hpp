// What the worker protocol keeps: checkpoints, results that came too late, and who asked a session to pause.
//
// - checkpoints: the last one of a run, whichever attempt stored it.
// - late_results: like attempts, but of a success that was refused because its lease was over; one per
//   attempt, the first. An operator can adopt it.
// - sessions: `draining` was asked for by an operator, `paused` by the session; `state` follows from both.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0002_worker_protocol = R"sql(
create table checkpoints (
  run integer primary key,
  attempt integer not null,
  at integer not null,
  value text not null
) strict;

create table late_results (
  run integer not null,
  number integer not null,
  fencing integer not null,
  holder integer,
  outcome integer not null,
  class integer,
  claimed integer not null,
  started integer,
  ended integer not null,
  message text,
  exit_code integer,
  signal integer,
  stopped_with text,
  user_cpu integer,
  system_cpu integer,
  peak_memory integer,
  result text,
  output_bytes integer,
  output_truncated integer,
  primary key (run, number)
) strict, without rowid;

alter table sessions add column draining integer not null default 0;
alter table sessions add column paused integer not null default 0;
alter table sessions add column metadata text;
)sql";

}  // namespace belfry::storage::migrations
