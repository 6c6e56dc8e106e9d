// When jobs are due. `timing` of a revision is what storage/codec/timing writes; null: only by hand. A job's
// row has how far its occurrences are planned: `covered`, `made` and `recent` (core::plan_cursor), and the
// next one in `due`. An occurrence that became a run is one row, and the key is what makes it happen once.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0010_schedules = R"sql(
alter table job_revisions add column timing blob;
alter table jobs add column covered integer;
alter table jobs add column made integer not null default 0;
alter table jobs add column recent blob;
alter table jobs add column due integer;
create table occurrences (
  job integer not null,
  at integer not null,
  run integer not null,
  start integer not null,
  flags integer not null,
  primary key (job, at)
) strict, without rowid;
create table skips (
  number integer primary key,
  job integer not null,
  first integer not null,
  last integer not null,
  count integer not null,
  at_least integer not null,
  reason integer not null,
  moved_to integer,
  noted integer not null
) strict;
create index skips_of_job on skips (job, last);
)sql";

}  // namespace belfry::storage::migrations
