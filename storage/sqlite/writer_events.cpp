// What jobs that wait for events hold back, and how deep the runs are that events have started.
#include "storage/codec/events.hpp"
#include "storage/sqlite/writer.hpp"

namespace belfry::storage::sqlite {

std::vector<core::job_id> writer::event_jobs() {
  auto& q = s_.event_jobs;
  const using_query use{q};
  std::vector<core::job_id> all;
  while (q.step()) all.push_back(core::job_id{q.number(0)});
  return all;
}

std::optional<core::event_hold> writer::find_hold(core::job_id job) {
  auto& q = s_.find_hold;
  const using_query use{q};
  q.bind(1, job.value);
  if (!q.step()) return std::nullopt;
  return read_hold(q, 0);
}

void writer::put_hold(core::job_id job, const core::event_hold& hold) {
  auto& q = s_.put_hold;
  const auto newest = codec::encode_event(hold.newest);
  q.bind(1, job.value);
  q.bind(2, hold.wait.held);
  q.bind_or_null(3, core::micros(hold.wait.first_held));
  q.bind_or_null(4, core::micros(hold.wait.fires_at));
  q.bind(5, std::int64_t{hold.depth});
  q.bind(6, std::int64_t{hold.limited ? 1 : 0});
  if (newest.empty())
    q.bind_null(7);
  else
    q.bind_blob(7, newest.data(), newest.size());
  q.bind_or_null(8, core::micros(hold.newest_at));
  q.bind(9, hold.aside);
  q.bind_or_null(10, core::micros(hold.aside_first));
  q.bind_or_null(11, core::micros(hold.aside_last));
  q.run();
}

void writer::remove_hold(core::job_id job) {
  s_.remove_hold.bind(1, job.value);
  s_.remove_hold.run();
}

std::uint16_t writer::depth_of(core::run_id run) {
  auto& q = s_.find_depth;
  const using_query use{q};
  q.bind(1, run.value);
  return q.step() ? q.as<std::uint16_t>(0) : std::uint16_t{0};
}

void writer::put_depth(core::run_id run, std::uint16_t depth) {
  s_.put_depth.bind(1, run.value);
  s_.put_depth.bind(2, std::int64_t{depth});
  s_.put_depth.run();
}

}  // namespace belfry::storage::sqlite
