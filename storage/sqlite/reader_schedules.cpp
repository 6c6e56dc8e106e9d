// What became of occurrences, and which jobs have something planned.
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
        query q{*db_, "select id, due from jobs where id > ?1 and due is not null order by id limit ?2"};
        q.bind(1, after.value);
        q.bind(2, static_cast<std::int64_t>(limit));
        std::vector<core::job_due> found;
        while (q.step()) found.push_back({core::job_id{q.number(0)}, q.time(1)});
        return found;
      });
}

}  // namespace belfry::storage::sqlite
