// What became of occurrences, which jobs have something planned, and which wait for events.
#include <string>

#include "storage/apply/occurrences.hpp"
#include "storage/codec/timing.hpp"
#include "storage/sqlite/reader_parts.hpp"
#include "storage/sqlite/row_mapping.hpp"

namespace belfry::storage::sqlite {

core::result<core::occurrence_page> sqlite_reader::occurrences_of(core::job_id id, core::instant before,
                                                                  std::size_t limit) {
  return reading<core::occurrence_page>("list occurrences", [&]() -> core::result<core::occurrence_page> {
    const auto upto = before == core::never ? core::micros(core::end_of_time) + 1 : core::micros(before);
    const auto most = static_cast<std::int64_t>(limit) + 1;
    std::vector<core::occurrence_line> made, skipped;
    query runs{*db_,
               "select o.at, o.run, o.start, o.flags, r.state, r.reason, o.meant from occurrences o join "
               "runs r on r.id = "
               "o.run where o.job = ?1 and o.at < ?2 order by o.at desc limit ?3"};
    runs.bind(1, id.value);
    runs.bind(2, upto);
    runs.bind(3, most);
    while (runs.step()) {
      core::occurrence_line line;
      line.made.job = id;
      line.made.at = runs.time(0);
      line.made.run.value = runs.number(1);
      line.made.start = runs.time(2);
      codec::read_flags(runs.number(3), line.made);
      line.state = runs.as<core::run_state>(4);
      line.reason = runs.text(5);
      line.made.meant = runs.time(6);
      made.push_back(std::move(line));
    }
    query ranges{*db_,
                 "select " + std::string{skip_columns} +
                     " from skips where job = ?1 and last < ?2 order by last desc, number desc limit ?3"};
    ranges.bind(1, id.value);
    ranges.bind(2, upto);
    ranges.bind(3, most);
    while (ranges.step()) {
      core::occurrence_line line;
      line.skipped = read_skip(ranges);
      skipped.push_back(std::move(line));
    }
    return page_of(std::move(made), std::move(skipped), limit);
  });
}

core::result<std::vector<core::job_due>> sqlite_reader::due_jobs(core::job_id after, std::size_t limit) {
  return reading<std::vector<core::job_due>>(
      "read due jobs", [&]() -> core::result<std::vector<core::job_due>> {
        query q{*db_,
                "select j.id, j.due, v.timing from jobs j join job_revisions v on v.job = j.id and "
                "v.revision = j.revision where j.id > ?1 and j.due is not null order by j.id limit ?2"};
        q.bind(1, after.value);
        q.bind(2, static_cast<std::int64_t>(limit));
        std::vector<core::job_due> found;
        while (q.step())
          found.push_back({core::job_id{q.number(0)}, q.time(1),
                           core::timing_number_of(codec::schedule_in_timing(q.text(2)))});
        return found;
      });
}

core::result<std::vector<core::event_waiter>> sqlite_reader::event_waiters(core::job_id after,
                                                                           std::size_t limit) {
  using answer = std::vector<core::event_waiter>;
  return reading<answer>("list jobs that wait for events", [&]() -> core::result<answer> {
    query q{*db_, "select e.job, j.name, j.state, v.timing, " + std::string{hold_columns} +
                      " from event_holds e join jobs j on j.id = e.job join job_revisions v on v.job = j.id "
                      "and v.revision = j.revision where e.job > ?1 order by e.job limit ?2"};
    q.bind(1, after.value);
    q.bind(2, static_cast<std::int64_t>(limit));
    answer found;
    while (q.step()) {
      core::event_waiter w;
      w.job.value = q.number(0);
      w.name = q.text(1);
      w.state = q.as<core::job_state>(2);
      w.schedule = codec::decode_timing(q.text(3)).schedule;
      w.hold = read_hold(q, 4);
      found.push_back(std::move(w));
    }
    return found;
  });
}

core::result<core::scheduled_page> sqlite_reader::scheduled_jobs(core::job_id after, std::size_t limit,
                                                                 const std::string& key) {
  return reading<core::scheduled_page>("read timing groups", [&]() -> core::result<core::scheduled_page> {
    query q{*db_,
            "select j.id, j.name, j.state, v.timing, j.due from jobs j join job_revisions v on v.job = j.id "
            "and v.revision = j.revision where j.id > ?1 order by j.id limit ?2"};
    query fired{*db_, "select max(at) from occurrences where job = ?1"};
    query newest{*db_, "select id, state from runs where job = ?1 order by id desc limit 1"};
    q.bind(1, after.value);
    q.bind(2, static_cast<std::int64_t>(schedules_looked_at));
    core::scheduled_page page;
    std::size_t looked = 0;
    while (q.step()) {
      const core::job_id id{q.number(0)};
      ++looked;
      const auto state = q.as<core::job_state>(2);
      const auto schedule = codec::schedule_in_timing(q.text(3));
      const bool member = !schedule.empty() &&
                          (state == core::job_state::active || state == core::job_state::paused) &&
                          (key.empty() || core::timing_key_of(schedule) == key);
      if (member) {
        core::scheduled_job j;
        j.id = id;
        j.name = q.text(1);
        j.state = state;
        j.schedule = schedule;
        j.due = q.time(4);
        fired.bind(1, id.value);
        if (fired.step()) j.fired = fired.time(0);
        fired.reset();
        newest.bind(1, id.value);
        if (newest.step()) {
          j.last_run.value = newest.number(0);
          j.last_state = newest.as<core::run_state>(1);
        }
        newest.reset();
        page.jobs.push_back(std::move(j));
      }
      if (page.jobs.size() == limit || looked == schedules_looked_at) {
        page.next = id;
        break;
      }
    }
    return page;
  });
}

}  // namespace belfry::storage::sqlite
