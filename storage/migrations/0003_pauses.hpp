// Pauses of everything that can be paused, not of jobs only, and the intervals in which things were paused.
//
// - pauses: one row per target, reason and owner. `scope` 0 scheduler, 1 workspace, 2 job, 3 agent type;
// `job`
//   is 0 and `name` empty where they do not apply. A drain has a `deadline`, and `drained` once nothing ran.
//   Job pauses of before had one owner column, the actor: it is `who` now, and they belong to the operators.
// - runs.flags: 32 is added when the run was forced through a pause of its job.
// - past_pauses: what was lifted; time in it does not count as waiting. The newest thousand of each target.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0003_pauses = R"sql(
create table pauses_of_all (
  scope integer not null,
  job integer not null,
  name text not null,
  reason text not null,
  owner text not null,
  who text,
  text text,
  since integer not null,
  until integer,
  deadline integer,
  drained integer,
  primary key (scope, job, name, reason, owner)
) strict, without rowid;
insert into pauses_of_all (scope, job, name, reason, owner, who, text, since)
  select 2, job, '', reason, 'operator', owner, text, since from pauses;
drop table pauses;
alter table pauses_of_all rename to pauses;

create table past_pauses (
  number integer primary key,
  scope integer not null,
  job integer not null,
  name text not null,
  since integer not null,
  ended integer not null
) strict;
create index past_pauses_target on past_pauses(scope, job, name);
)sql";

}  // namespace belfry::storage::migrations
