// STATEMENTS: everything that the writer ever says to SQLite, prepared once.
#pragma once

#include <SQLiteCpp/Database.h>

#include "storage/sqlite/query.hpp"

namespace belfry::storage::sqlite {

struct statements {
  explicit statements(SQLite::Database& db);

  query begin, commit, rollback, mark, keep, undo;

  query find_run, has_run, update_run, update_run_and_shelf, open_runs_of;
  query insert_lease, update_lease, remove_lease;
  query find_spec, insert_tag;
  query find_attempt, insert_attempt, count_evidence, insert_evidence;
  query last_attempts, insert_late, newest_late, find_checkpoint, put_checkpoint;

  query find_job, job_named, insert_job, update_job, insert_revision, job_pauses, insert_pause, remove_pauses,
      has_occurrence, insert_occurrence, remove_occurrence, insert_skip, trim_skips, all_pauses,
      all_past_pauses, insert_past_pause, trim_past_pauses, job_limit;
  query ending_jobs, event_jobs, find_hold, put_hold, remove_hold, find_depth, put_depth, remove_depth;
  query find_calendar, put_calendar, remove_calendar, count_calendars, calendar_use, put_calendar_use,
      remove_calendar_uses, calendar_users, find_window, put_window, remove_window, all_windows;
  query find_node, put_node;
  query find_session, put_session, any_lease_of;
  query find_worker, put_worker, remove_workers;
  query events_between;
  query insert_log, find_log_size, put_log_size, oldest_lines, remove_lines;
  query find_starvation, put_starvation, remove_starvation, starving;
  query find_once, insert_once;
  query find_setting, put_setting, put_counter;

  query runs_between, dead_letters, jobs_after, newest_finished, finished_of, latest_result, open_hook,
      spec_in_use;
  query remove_run, remove_spec, remove_tags, remove_all_tags, remove_attempts, remove_evidence, remove_logs,
      remove_log_sizes;
  query remove_late, remove_checkpoint;
  query remove_revision, oldest_events, remove_events, oldest_keys, remove_keys, remove_gone_sessions;

  query open_shelf_0, open_shelf_1, open_shelf_2, open_shelf_5, open_shelf_6, open_shelf_7;
};

}  // namespace belfry::storage::sqlite
