// The first schema. Frozen once released: what changes later is another migration.
//
// - runs: the head that changes. Narrow: a claim or a settlement rewrites one such row. NULL stands for
// nothing, zero and
//   the usual value. Times are microseconds since 1970; `eligible` counts from `created`. `shelf` is the
//   state as far as lists are concerned: 2 for queued, claimed and running, else the state; 16 is added when
//   a bad end is dealt with (redriven or discarded). It is the only indexed column that changes, so a claim
//   touches no index. `flags`: 1 by hand, 2 cancel asked for, 4 discarded, 8 has a hook, 16 has tags.
// - leases: live ones only, one per leased run. Started, expires and deadline count from `claimed`.
// - specs: what is to be done; immutable. The id is the run's, or that of a job's revision.
// - attempts: one row per ended attempt, written once; started and ended count from `claimed`.
// - events: the journal. `counters`: see storage/sqlite/counters.hpp.
#pragma once

#include <string_view>

namespace belfry::storage::migrations {

inline constexpr std::string_view sql_0001_first = R"sql(
create table runs (
  id integer primary key,
  shelf integer not null,
  state integer not null,
  prio integer not null,
  handler integer not null,
  flags integer not null,
  name text not null,
  created integer not null,
  created_by text,
  timeout integer,
  spec integer,
  job integer,
  revision integer,
  batch integer,
  workspace text,
  lane text,
  needs text,
  ckey text,
  climit integer,
  parent integer,
  predecessor integer,
  successor integer,
  chain integer,
  attempt integer,
  used integer,
  losses integer,
  fencing integer,
  eligible integer,
  due integer,
  ended integer,
  class integer,
  reason text,
  progress real,
  progress_text text
) strict;
create index runs_shelf on runs(shelf);
create index runs_job on runs(job) where job is not null;
create index runs_job_open on runs(job) where job is not null and shelf < 8;
create index runs_batch on runs(batch) where batch is not null;
create index runs_workspace on runs(workspace) where workspace is not null;
create index runs_lane on runs(lane) where lane is not null;
create index runs_parent on runs(parent) where parent is not null;

create table leases (
  run integer primary key,
  holder integer not null,
  hash blob not null,
  claimed integer not null,
  started integer,
  expires integer not null,
  deadline integer
) strict;

create table specs (
  id integer primary key,
  payload text,
  body blob not null
) strict;

create table run_tags (
  tag text not null,
  run integer not null,
  primary key (tag, run)
) strict, without rowid;

create table attempts (
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

create table evidence (
  run integer not null,
  number integer not null,
  fencing integer not null,
  at integer not null,
  kind text not null,
  text text,
  primary key (run, number)
) strict, without rowid;

create table logs (
  run integer not null,
  attempt integer not null,
  number integer not null,
  at integer not null,
  stream integer not null,
  text text not null,
  primary key (run, attempt, number)
) strict, without rowid;

create table log_sizes (
  run integer not null,
  attempt integer not null,
  bytes integer not null,
  lines integer not null,
  dropped integer not null,
  primary key (run, attempt)
) strict, without rowid;

create table events (
  seq integer primary key,
  at integer not null,
  kind integer not null,
  run integer,
  job integer,
  fencing integer,
  attempt integer,
  actor text,
  text text
) strict;

create table jobs (
  id integer primary key,
  name text not null,
  revision integer not null,
  spec integer not null,
  state integer not null,
  created integer not null,
  created_by text,
  updated integer not null,
  triggered integer not null
) strict;
create unique index jobs_name on jobs(name) where state <> 3;

create table job_revisions (
  job integer not null,
  revision integer not null,
  spec integer not null,
  description text,
  on_overlap integer not null,
  max_concurrent integer not null,
  source text,
  primary key (job, revision)
) strict, without rowid;

create table pauses (
  job integer not null,
  reason text not null,
  owner text,
  text text,
  since integer not null,
  primary key (job, reason)
) strict, without rowid;

create table sessions (
  id integer primary key,
  name text not null,
  agent_type text,
  workspace text,
  channel text,
  capabilities text,
  handlers text,
  slots integer not null,
  state integer not null,
  prompting integer not null,
  local integer not null,
  created integer not null,
  seen integer not null
) strict;

create table idempotency (
  number integer primary key,
  key text not null unique,
  fingerprint blob not null,
  at integer not null,
  answer blob not null
) strict;

create table settings (
  name text primary key,
  value text not null
) strict, without rowid;

create table counters (
  id integer primary key,
  value integer not null
) strict;

create table boots (
  number integer primary key,
  at integer not null
) strict;
)sql";

}  // namespace belfry::storage::migrations
