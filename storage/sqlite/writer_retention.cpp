#include "storage/sqlite/row_mapping.hpp"
#include "storage/sqlite/writer.hpp"

namespace belfry::storage::sqlite {
namespace {

std::vector<run_row> read_runs(query& q) {
  std::vector<run_row> rows;
  while (q.step()) rows.push_back(read_run(q));
  return rows;
}

}  // namespace

std::vector<run_row> writer::runs_between(core::run_id after, std::int64_t up_to, std::size_t limit) {
  auto& q = with_runs().runs_between;
  const using_query use{q};
  q.bind(1, after.value);
  q.bind(2, up_to);
  q.bind(3, static_cast<std::int64_t>(limit));
  return read_runs(q);
}

std::vector<run_row> writer::dead_letters(core::instant before, std::size_t limit) {
  auto& q = with_runs().dead_letters;
  const using_query use{q};
  q.bind(1, core::micros(before));
  q.bind(2, static_cast<std::int64_t>(limit));
  return read_runs(q);
}

std::vector<core::job_id> writer::jobs_after(core::job_id after, std::size_t limit) {
  auto& q = s_.jobs_after;
  const using_query use{q};
  q.bind(1, after.value);
  q.bind(2, static_cast<std::int64_t>(limit));
  std::vector<core::job_id> ids;
  while (q.step()) ids.push_back(core::job_id{q.number(0)});
  return ids;
}

std::optional<core::run_id> writer::newest_finished(core::job_id job, std::size_t skip) {
  auto& q = with_runs().newest_finished;
  const using_query use{q};
  q.bind(1, job.value);
  q.bind(2, static_cast<std::int64_t>(skip));
  if (!q.step()) return std::nullopt;
  return core::run_id{q.number(0)};
}

std::vector<run_row> writer::finished_of(core::job_id job, core::run_id up_to, std::size_t limit) {
  auto& q = with_runs().finished_of;
  const using_query use{q};
  q.bind(1, job.value);
  q.bind(2, up_to.value);
  q.bind(3, static_cast<std::int64_t>(limit));
  return read_runs(q);
}

std::optional<core::run_id> writer::latest_result(core::job_id job) {
  auto& q = with_runs().latest_result;
  const using_query use{q};
  q.bind(1, job.value);
  if (!q.step()) return std::nullopt;
  return core::run_id{q.number(0)};
}

bool writer::has_open_hook(core::run_id parent) {
  auto& q = with_runs().open_hook;
  const using_query use{q};
  q.bind(1, parent.value);
  return q.step();
}

bool writer::spec_in_use(core::job_id job, core::spec_id spec) {
  auto& q = with_runs().spec_in_use;
  const using_query use{q};
  q.bind(1, job.value);
  q.bind(2, spec.value);
  return q.step();
}

void writer::remove_revision(core::job_id job, core::spec_id spec) {
  s_.remove_revision.bind(1, job.value);
  s_.remove_revision.bind(2, spec.value);
  s_.remove_revision.run();
  with_specs().remove_spec.bind(1, spec.value);
  with_specs().remove_spec.run();
  shared_specs_.erase(spec);
}

std::vector<std::pair<std::int64_t, core::instant>> writer::oldest_events(std::size_t limit) {
  auto& q = with_events().oldest_events;
  const using_query use{q};
  q.bind(1, static_cast<std::int64_t>(limit));
  std::vector<std::pair<std::int64_t, core::instant>> events;
  while (q.step()) events.emplace_back(q.number(0), q.time(1));
  return events;
}

void writer::remove_events(std::int64_t up_to) {
  with_events().remove_events.bind(1, up_to);
  with_events().remove_events.run();
}

std::size_t writer::remove_once(core::instant before, std::size_t at_most) {
  std::int64_t up_to = 0;
  std::size_t count = 0;
  {
    auto& q = s_.oldest_keys;
    const using_query use{q};
    q.bind(1, static_cast<std::int64_t>(at_most));
    while (q.step() && q.time(1) < before) {
      up_to = q.number(0);
      ++count;
    }
  }
  if (count == 0) return 0;
  s_.remove_keys.bind(1, up_to);
  s_.remove_keys.run();
  return count;
}

std::size_t writer::remove_gone_sessions(core::instant before, std::size_t at_most) {
  auto& q = s_.remove_gone_sessions;
  q.bind(1, core::micros(before));
  q.bind(2, static_cast<std::int64_t>(at_most));
  q.run();
  const auto removed = static_cast<std::size_t>(q.changes());
  if (removed > 0) s_.remove_workers.run();
  return removed;
}

}  // namespace belfry::storage::sqlite
