// Calendars and maintenance windows. `content` and `previous` are what storage/codec/calendar writes;
// `previous` stands while jobs are planned by it. A use is a job that names a calendar, with the revision
// that it is planned by. The next opening of a window stands among the pauses too. `since` of a job is
// core::plan_cursor's; `meant` of an occurrence is the time that it was postponed from; `by_what` of a skip
// is the exclusion.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0013_calendars = R"sql(
create table calendars (
  name text primary key,
  source integer not null,
  revision integer not null,
  content blob not null,
  previous blob,
  periods integer not null,
  left_out integer not null,
  created integer not null,
  created_by text,
  changed integer not null,
  changed_by text
) strict;
create table calendar_uses (
  calendar text not null,
  job integer not null,
  revision integer not null,
  primary key (calendar, job)
) strict, without rowid;
create index uses_by_revision on calendar_uses (calendar, revision, job);
create index uses_of_job on calendar_uses (job);
create table windows (
  name text primary key,
  schedule text not null,
  length integer not null,
  scope integer not null,
  target text not null,
  drain integer not null,
  text text,
  revision integer not null,
  created integer not null,
  created_by text,
  changed integer not null,
  changed_by text,
  opens integer,
  closes integer
) strict;
alter table jobs add column since integer;
alter table occurrences add column meant integer;
alter table skips add column by_what text;
)sql";

}  // namespace belfry::storage::migrations
