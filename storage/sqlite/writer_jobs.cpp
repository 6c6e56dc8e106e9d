// Jobs, sessions, settings, idempotency keys, events.
#include <algorithm>
#include <iterator>

#include "storage/codec/bytes.hpp"
#include "storage/codec/events.hpp"
#include "storage/codec/timing.hpp"
#include "storage/sqlite/row_mapping.hpp"
#include "storage/sqlite/writer.hpp"

namespace belfry::storage::sqlite {
namespace {

constexpr std::uint64_t answer_version = 1;
constexpr std::uint64_t answer_of_event = 2;  // the same, and what became of an event behind it

template <class Id>
void put_ids(codec::out& o, const std::vector<Id>& ids) {
  o.number(ids.size());
  for (const auto id : ids) o.number(static_cast<std::uint64_t>(id.value));
}

template <class Id>
std::vector<Id> take_ids(codec::in& i) {
  std::vector<Id> ids;
  for (auto left = i.number(); left > 0; --left) ids.push_back(Id{i.signed_number()});
  return ids;
}

std::string encode_answer(const remembered& r) {
  codec::out o;
  const bool of_event = r.emitted.seq != 0;
  o.number(of_event ? answer_of_event : answer_version);
  o.number(static_cast<std::uint64_t>(r.batch.value));
  put_ids(o, r.runs);
  put_ids(o, r.jobs);
  put_ids(o, r.sessions);
  if (of_event) codec::put_emitted(o, r.emitted);
  return o.take();
}

void decode_answer(std::string_view bytes, remembered& into) {
  codec::in i{bytes};
  const auto version = i.number();
  if (version != answer_version && version != answer_of_event)
    throw codec::damaged("a stored answer is of a version that this belfry does not know");
  into.batch.value = i.signed_number();
  into.runs = take_ids<core::run_id>(i);
  into.jobs = take_ids<core::job_id>(i);
  into.sessions = take_ids<core::session_id>(i);
  if (version == answer_of_event) into.emitted = codec::take_emitted(i);
}

constexpr std::string_view limits_setting = "limits";

}  // namespace

std::optional<core::job> writer::find_job(core::job_id id) {
  job_row row;
  {
    auto& q = s_.find_job;
    const using_query use{q};
    q.bind(1, id.value);
    if (!q.step()) return std::nullopt;
    row = read_job(q);
  }
  {
    auto& q = s_.job_pauses;
    const using_query use{q};
    q.bind(1, id.value);
    while (q.step()) row.head.pauses.push_back(read_pause(q));
  }
  if (const auto spec = find_spec(row.head.spec, owner::job)) row.definition.spec = *spec;
  row.head.definition = std::make_shared<const core::job_definition>(std::move(row.definition));
  return std::move(row.head);
}

std::optional<core::job_id> writer::job_named(const std::string& name) {
  auto& q = s_.job_named;
  const using_query use{q};
  q.bind(1, name);
  if (!q.step()) return std::nullopt;
  return core::job_id{q.number(0)};
}

void writer::write_job(query& q, const core::job& j) {
  q.bind(1, j.id.value);
  q.bind(2, j.definition->name);
  q.bind(3, std::int64_t{j.revision});
  q.bind(4, j.spec.value);
  q.bind(5, static_cast<std::int64_t>(j.state));
  q.bind(6, core::micros(j.created_at));
  q.bind_or_null(7, j.created_by);
  q.bind(8, core::micros(j.updated_at));
  q.bind(9, j.triggered);
  q.bind_or_null(10, core::micros(j.cursor.covered));
  q.bind(11, j.cursor.made);
  const auto recent = codec::encode_instants(j.cursor.recent);
  if (recent.empty())
    q.bind_null(12);
  else
    q.bind_blob(12, recent.data(), recent.size());
  q.bind_or_null(13, core::micros(j.due));
  q.bind_or_null(14, core::micros(j.cursor.since));
  if (core::counts_successes(j.definition->timing.policy))
    q.bind(15, j.cursor.succeeded);
  else
    q.bind_null(15);
  q.run();
  write_pauses(j);
}

std::vector<core::job_id> writer::ending_jobs() {
  auto& q = s_.ending_jobs;
  const using_query use{q};
  std::vector<core::job_id> all;
  while (q.step()) all.push_back(core::job_id{q.number(0)});
  return all;
}

bool writer::has_occurrence(core::job_id job, core::instant at) {
  auto& q = s_.has_occurrence;
  const using_query use{q};
  q.bind(1, job.value);
  q.bind(2, core::micros(at));
  return q.step();
}

void writer::insert_occurrence(const core::occurrence& o) {
  auto& q = s_.insert_occurrence;
  q.bind(1, o.job.value);
  q.bind(2, core::micros(o.at));
  q.bind(3, o.run.value);
  q.bind(4, core::micros(o.start));
  q.bind(5, codec::flags_of(o));
  q.bind_or_null(6, core::micros(o.meant));
  q.run();
}

void writer::insert_skip(const core::skip_record& s, std::size_t keep) {
  auto& q = s_.insert_skip;
  q.bind(1, s.job.value);
  q.bind(2, core::micros(s.range.first));
  q.bind(3, core::micros(s.range.last));
  q.bind(4, s.range.count);
  q.bind(5, std::int64_t{s.range.at_least});
  q.bind(6, static_cast<std::int64_t>(s.range.reason));
  q.bind_or_null(7, core::micros(s.range.moved_to));
  q.bind(8, core::micros(s.noted_at));
  q.bind_or_null(9, s.range.by);
  q.run();
  s_.trim_skips.bind(1, s.job.value);
  s_.trim_skips.bind(2, static_cast<std::int64_t>(keep));
  s_.trim_skips.run();
}

void writer::write_pauses(const core::job& j) { put_pauses(core::the_job(j.id), j.pauses); }

void writer::put_pauses(const core::pause_target& on, const std::vector<core::pause_entry>& entries) {
  bind_target(s_.remove_pauses, on);
  s_.remove_pauses.run();
  for (const auto& p : entries) {
    auto& q = s_.insert_pause;
    bind_target(q, on);
    q.bind(4, p.reason);
    q.bind(5, p.owner);
    q.bind_or_null(6, p.by);
    q.bind_or_null(7, p.text);
    q.bind(8, core::micros(p.since));
    q.bind_or_null(9, core::micros(p.until));
    q.bind_or_null(10, core::micros(p.deadline));
    q.bind_or_null(11, core::micros(p.drained_at));
    q.bind(12, p.probes ? std::int64_t{1} : std::int64_t{0});
    q.bind(13, p.probe.value);
    q.bind(14, p.ahead ? std::int64_t{1} : std::int64_t{0});
    q.run();
  }
}

core::pause_book writer::find_pauses() {
  core::pause_book book;
  {
    auto& q = s_.all_pauses;
    const using_query use{q};
    while (q.step()) book.standing.push_back({read_pause_target(q, 8), read_pause(q)});
  }
  auto& q = s_.all_past_pauses;
  const using_query use{q};
  while (q.step()) book.past.push_back({read_pause_target(q, 0), q.time(3), q.time(4)});
  return book;
}

void writer::insert_past_pause(const core::past_pause& over, std::size_t keep) {
  auto& q = s_.insert_past_pause;
  bind_target(q, over.on);
  q.bind(4, core::micros(over.since));
  q.bind(5, core::micros(over.ended));
  q.run();
  bind_target(s_.trim_past_pauses, over.on);
  s_.trim_past_pauses.bind(4, static_cast<std::int64_t>(keep));
  s_.trim_past_pauses.run();
}

void writer::insert_job(const core::job& j) {
  write_job(s_.insert_job, j);
  insert_revision(j);
}

void writer::update_job(const core::job& j) { write_job(s_.update_job, j); }

void writer::insert_revision(const core::job& j) {
  auto& q = s_.insert_revision;
  const auto& d = *j.definition;
  q.bind(1, j.id.value);
  q.bind(2, std::int64_t{j.revision});
  q.bind(3, j.spec.value);
  q.bind_or_null(4, d.description);
  q.bind(5, static_cast<std::int64_t>(d.on_overlap));
  q.bind(6, std::int64_t{d.max_concurrent});
  q.bind_or_null(7, d.source);
  const auto timing = codec::encode_timing(d.timing);
  if (timing.empty())
    q.bind_null(8);
  else
    q.bind_blob(8, timing.data(), timing.size());
  q.run();
}

std::optional<core::session> writer::find_session(core::session_id id) {
  auto& q = s_.find_session;
  const using_query use{q};
  q.bind(1, id.value);
  if (!q.step()) return std::nullopt;
  return read_session(q);
}

void writer::put_session(const core::session& s) { sqlite::put_session(s_.put_session, s); }

std::optional<core::spawned_worker> writer::find_worker(core::session_id id) {
  auto& q = s_.find_worker;
  const using_query use{q};
  q.bind(1, id.value);
  if (!q.step()) return std::nullopt;
  return read_worker(q);
}

void writer::put_worker(const core::spawned_worker& w) { sqlite::put_worker(s_.put_worker, w); }
void writer::insert_event(const core::event& e) { events_.add(e); }

bool writer::holds_lease(core::session_id id) {
  auto& q = s_.any_lease_of;
  const using_query use{q};
  q.bind(1, id.value);
  return q.step();
}

std::vector<core::event> writer::events_between(std::int64_t first, std::int64_t last) {
  auto& q = with_events().events_between;
  const using_query use{q};
  q.bind(1, first);
  q.bind(2, last);
  std::vector<core::event> events;
  while (q.step()) events.push_back(read_event(q));
  return events;
}

void writer::put_counter(std::int64_t id, std::int64_t value) {
  s_.put_counter.bind(1, id);
  s_.put_counter.bind(2, value);
  s_.put_counter.run();
}

std::optional<remembered> writer::find_once(const std::string& key) {
  auto& q = s_.find_once;
  const using_query use{q};
  q.bind(1, key);
  if (!q.step()) return std::nullopt;
  remembered r;
  const auto fingerprint = q.text(0);
  if (fingerprint.size() != r.fingerprint.size()) throw codec::damaged("a stored fingerprint cannot be read");
  std::transform(fingerprint.begin(), fingerprint.end(), r.fingerprint.begin(),
                 [](char c) { return static_cast<std::uint8_t>(c); });
  r.at = q.time(1);
  decode_answer(q.text(2), r);
  return r;
}

void writer::insert_once(const std::string& key, const remembered& answer) {
  auto& q = s_.insert_once;
  const auto bytes = encode_answer(answer);
  q.bind(1, key);
  q.bind_blob(2, answer.fingerprint.data(), answer.fingerprint.size());
  q.bind(3, core::micros(answer.at));
  q.bind_blob(4, bytes.data(), bytes.size());
  q.run();
}

std::optional<core::limit_options> writer::find_limits() {
  auto& q = s_.find_setting;
  const using_query use{q};
  q.bind(1, limits_setting);
  if (!q.step()) return std::nullopt;
  return decode_limits(q.text(0));
}

void writer::put_limits(const core::limit_options& limits) {
  const auto text = encode_limits(limits);
  s_.put_setting.bind(1, limits_setting);
  s_.put_setting.bind(2, text);
  s_.put_setting.run();
}

}  // namespace belfry::storage::sqlite
