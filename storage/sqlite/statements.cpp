#include "storage/sqlite/statements.hpp"

#include <string>

#include "storage/sqlite/row_mapping.hpp"

namespace belfry::storage::sqlite {
namespace {

template <class... Parts>
std::string sql(const Parts&... parts) {
  std::string text;
  ((text += parts), ...);
  return text;
}

std::string select_runs(std::string_view rest) {
  return sql("select ", run_columns, " from ", run_tables, " ", rest);
}

// One cursor per shelf of open runs: each answers in the order of ids, and the reader merges them.
std::string open_shelf(int shelf) {
  return sql("select ", run_columns,
             " from runs r indexed by runs_shelf left join leases l on l.run = r.id where r.shelf = ",
             std::to_string(shelf), " and r.id > ?1 order by r.id");
}

}  // namespace

statements::statements(SQLite::Database& db)
    : begin{db, "begin immediate"},
      commit{db, "commit"},
      rollback{db, "rollback"},
      mark{db, "savepoint one_set"},
      keep{db, "release one_set"},
      undo{db, "rollback to one_set"},

      find_run{db, select_runs("where r.id = ?1")},
      has_run{db, "select 1 from runs where id = ?1"},
      update_run{db, sql("update runs set ", run_update, run_update_condition)},
      update_run_and_shelf{db, sql("update runs set ", run_update, ", shelf = ?19", run_update_condition)},
      open_runs_of{db, select_runs("where r.job = ?1 and r.shelf < 8 order by r.id")},

      insert_lease{db,
                   "insert into leases (run, holder, hash, claimed, started, expires, deadline) values (?1, "
                   "?2, ?3, ?4, ?5, ?6, ?7)"},
      update_lease{db,
                   "update leases set holder = ?2, hash = ?3, claimed = ?4, started = ?5, expires = ?6, "
                   "deadline = ?7 where run = ?1"},
      remove_lease{db, "delete from leases where run = ?1"},

      find_spec{db, "select payload, body from specs where id = ?1"},
      insert_tag{db, "insert or ignore into run_tags (tag, run) values (?1, ?2)"},

      find_attempt{db, sql("select ", attempt_columns, " from attempts where run = ?1 and fencing = ?2")},
      insert_attempt{db, sql("insert into attempts (", attempt_columns,
                             ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
                             "?16, ?17, ?18, ?19)")},
      count_evidence{db, "select count(*) from evidence where run = ?1"},
      insert_evidence{
          db, "insert into evidence (run, number, fencing, at, kind, text) values (?1, ?2, ?3, ?4, ?5, ?6)"},

      last_attempts{
          db, sql("select ", attempt_columns, " from attempts where run = ?1 order by number desc limit ?2")},
      insert_late{db, sql("insert or ignore into late_results (", attempt_columns,
                          ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
                          "?16, ?17, ?18, ?19)")},
      newest_late{db,
                  sql("select ", attempt_columns,
                      " from late_results where run = ?1 and (?2 = 0 or fencing = ?2) order by number desc "
                      "limit 1")},
      find_checkpoint{db, "select attempt, at, value from checkpoints where run = ?1"},
      put_checkpoint{db,
                     "insert or replace into checkpoints (run, attempt, at, value) values (?1, ?2, ?3, ?4)"},

      find_job{db, sql("select ", job_columns, " from ", job_tables, " where j.id = ?1")},
      job_named{db, "select id from jobs where name = ?1 and state <> 3"},
      insert_job{
          db,
          "insert into jobs (id, name, revision, spec, state, created, created_by, updated, triggered, "
          "covered, made, recent, due, since, succeeded)"
          " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"},
      update_job{db,
                 "update jobs set name = ?2, revision = ?3, spec = ?4, state = ?5, created = ?6, created_by "
                 "= ?7, updated = ?8,"
                 " triggered = ?9, covered = ?10, made = ?11, recent = ?12, due = ?13, since = ?14, "
                 "succeeded = ?15 where id = ?1"},
      insert_revision{
          db,
          "insert into job_revisions (job, revision, spec, description, on_overlap, max_concurrent, source, "
          "timing)"
          " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
      job_pauses{db, sql("select ", pause_columns,
                         " from pauses where scope = 2 and job = ?1 order by reason, owner")},
      insert_pause{db,
                   "insert into pauses (scope, job, name, reason, owner, who, text, since, until, deadline, "
                   "drained, probes, probe, ahead) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                   "?12, ?13, ?14)"},
      remove_pauses{db, "delete from pauses where scope = ?1 and job = ?2 and name = ?3"},
      has_occurrence{db, "select 1 from occurrences where job = ?1 and at = ?2"},
      insert_occurrence{
          db,
          "insert into occurrences (job, at, run, start, flags, meant) values (?1, ?2, ?3, ?4, ?5, "
          "?6)"},
      remove_occurrence{db, "delete from occurrences where job = ?1 and run = ?2"},
      insert_skip{db,
                  "insert into skips (job, first, last, count, at_least, reason, moved_to, noted, by_what) "
                  "values (?1, "
                  "?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
      trim_skips{
          db,
          "delete from skips where job = ?1 and number <= (select number from skips where job = ?1 order "
          "by number desc limit 1 offset ?2)"},
      all_pauses{db, sql("select ", pause_columns, " from pauses order by scope, job, name, reason, owner")},
      all_past_pauses{db, "select scope, job, name, since, ended from past_pauses order by number"},
      insert_past_pause{
          db, "insert into past_pauses (scope, job, name, since, ended) values (?1, ?2, ?3, ?4, ?5)"},
      trim_past_pauses{db,
                       "delete from past_pauses where scope = ?1 and job = ?2 and name = ?3 and number <= "
                       "(select number from past_pauses where scope = ?1 and job = ?2 and name = ?3 order by "
                       "number desc limit 1 offset ?4)"},
      job_limit{db, sql("select v.on_overlap, v.max_concurrent from ", job_tables, " where j.id = ?1")},

      ending_jobs{db,
                  "select id from jobs where (state = 0 and due is null and covered is not null) or (state "
                  "in (0, 1) and succeeded is not null) order by id"},
      event_jobs{db, "select job from event_holds order by job"},
      find_hold{db, sql("select ", hold_columns, " from event_holds where job = ?1")},
      put_hold{db, sql("insert or replace into event_holds (job, ", hold_columns,
                       ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")},
      remove_hold{db, "delete from event_holds where job = ?1"},
      find_depth{db, "select depth from event_depths where run = ?1"},
      put_depth{db, "insert or replace into event_depths (run, depth) values (?1, ?2)"},
      remove_depth{db, "delete from event_depths where run = ?1"},

      find_calendar{db, sql("select ", calendar_columns, " from calendars where name = ?1")},
      put_calendar{db, sql("insert or replace into calendars (", calendar_columns,
                           ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")},
      remove_calendar{db, "delete from calendars where name = ?1"},
      count_calendars{db, "select count(*) from calendars"},
      calendar_use{db, "select revision from calendar_uses where calendar = ?1 and job = ?2"},
      put_calendar_use{db,
                       "insert or replace into calendar_uses (calendar, job, revision) values (?1, ?2, ?3)"},
      remove_calendar_uses{db, "delete from calendar_uses where job = ?1"},
      calendar_users{db,
                     "select job from calendar_uses where calendar = ?1 and revision < ?2 order by revision, "
                     "job limit ?3"},
      find_window{db, sql("select ", window_columns, " from windows where name = ?1")},
      put_window{db, sql("insert or replace into windows (", window_columns,
                         ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)")},
      remove_window{db, "delete from windows where name = ?1"},
      all_windows{db, sql("select ", window_columns, " from windows order by name")},

      find_node{db, sql("select ", node_columns, " from nodes where name = ?1")},
      put_node{db, sql("insert or replace into nodes (", node_columns,
                       ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)")},

      find_session{db, sql("select ", session_columns, " from sessions where id = ?1")},
      put_session{
          db, sql("insert or replace into sessions (", session_columns,
                  ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)")},
      any_lease_of{db, "select 1 from leases where holder = ?1 limit 1"},
      find_worker{db, sql("select ", worker_columns, " from workers where session = ?1")},
      put_worker{db, sql("insert or replace into workers (", worker_columns,
                         ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")},
      remove_workers{db,
                     "delete from workers where state = 4 and not exists (select 1 from sessions where "
                     "sessions.id = workers.session)"},

      events_between{db,
                     sql("select ", event_columns, " from events where seq between ?1 and ?2 order by seq")},

      insert_log{db,
                 "insert or ignore into logs (run, attempt, number, at, stream, text, level) values (?1, ?2, "
                 "?3, ?4, ?5, ?6, ?7)"},
      find_log_size{db, "select bytes, lines, dropped from log_sizes where run = ?1 and attempt = ?2"},
      put_log_size{db,
                   "insert or replace into log_sizes (run, attempt, bytes, lines, dropped) values (?1, ?2, "
                   "?3, ?4, ?5)"},
      oldest_lines{db,
                   "select number, octets from (select number, length(cast(text as blob)) as octets from logs"
                   " where run = ?1 and attempt = ?2 order by number limit ?3)"},
      remove_lines{db, "delete from logs where run = ?1 and attempt = ?2 and number <= ?3"},

      find_starvation{db, sql("select ", starvation_columns, " from starvation where run = ?1")},
      put_starvation{db, sql("insert or replace into starvation (", starvation_columns,
                             ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7)")},
      remove_starvation{db, "delete from starvation where run = ?1"},
      starving{db, "select run from starvation"},

      find_once{db, "select fingerprint, at, answer from idempotency where key = ?1"},
      insert_once{db, "insert into idempotency (key, fingerprint, at, answer) values (?1, ?2, ?3, ?4)"},

      find_setting{db, "select value from settings where name = ?1"},
      put_setting{db, "insert or replace into settings (name, value) values (?1, ?2)"},
      put_counter{db,
                  "insert into counters (id, value) values (?1, ?2) on conflict (id) do update set value = "
                  "excluded.value"},

      runs_between{db, select_runs("where r.id > ?1 and r.id <= ?2 order by r.id limit ?3")},
      // Flag 64: somebody was told of it.
      dead_letters{db, sql("select ", run_columns,
                           " from runs r indexed by runs_dead left join leases l on l.run = r.id "
                           "where r.shelf >= 9 and r.shelf <= 11 and r.ended < ?1 and r.flags & 64 = 0 "
                           "order by r.ended limit ?2")},
      jobs_after{db, "select id from jobs where id > ?1 order by id limit ?2"},
      newest_finished{db,
                      "select id from runs where job = ?1 and shelf >= 8 order by id desc limit 1 offset ?2"},
      finished_of{db, select_runs("where r.job = ?1 and r.shelf >= 8 and r.id <= ?2 order by r.id limit ?3")},
      latest_result{
          db, "select id from runs where job = ?1 and shelf >= 8 and state <> 13 order by id desc limit 1"},
      open_hook{db, "select 1 from runs where parent = ?1 and shelf < 8"},
      spec_in_use{db, "select 1 from runs where job = ?1 and spec = ?2 limit 1"},

      remove_run{db, "delete from runs where id = ?1"},
      remove_spec{db, "delete from specs where id = ?1"},
      remove_tags{db, "delete from run_tags where tag = ?1 and run = ?2"},
      remove_all_tags{db, "delete from run_tags where run = ?1"},
      remove_attempts{db, "delete from attempts where run = ?1"},
      remove_evidence{db, "delete from evidence where run = ?1"},
      remove_logs{db, "delete from logs where run = ?1"},
      remove_log_sizes{db, "delete from log_sizes where run = ?1"},
      remove_late{db, "delete from late_results where run = ?1"},
      remove_checkpoint{db, "delete from checkpoints where run = ?1"},

      remove_revision{db, "delete from job_revisions where job = ?1 and spec = ?2"},
      oldest_events{db, "select seq, at from events order by seq limit ?1"},
      remove_events{db, "delete from events where seq <= ?1"},
      oldest_keys{db, "select number, at from idempotency order by number limit ?1"},
      remove_keys{db, "delete from idempotency where number <= ?1"},
      remove_gone_sessions{db,
                           "delete from sessions where id in (select id from sessions where state = 4 and "
                           "seen < ?1 and not exists (select 1 from leases where holder = sessions.id) "
                           "order by id limit ?2)"},

      open_shelf_0{db, open_shelf(0)},
      open_shelf_1{db, open_shelf(1)},
      open_shelf_2{db, open_shelf(2)},
      open_shelf_5{db, open_shelf(5)},
      open_shelf_6{db, open_shelf(6)},
      open_shelf_7{db, open_shelf(7)} {}

}  // namespace belfry::storage::sqlite
