#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>

#include "storage/apply/engine.hpp"
#include "storage/codec/bytes.hpp"
#include "storage/sqlite/row_mapping.hpp"
#include "storage/sqlite/writer.hpp"

namespace belfry::storage::sqlite {
namespace {

constexpr std::size_t shared_spec_room = 1024;

std::vector<run_row> read_runs(query& q) {
  std::vector<run_row> rows;
  while (q.step()) rows.push_back(read_run(q));
  return rows;
}

bool same_but_lease(const core::run_head& a, const core::run_head& b) {
  // What an update writes, the lease apart: a heartbeat changes nothing here.
  return a.state == b.state && a.prio == b.prio && a.successor == b.successor && a.attempt == b.attempt &&
         a.used == b.used && a.losses == b.losses && a.fencing == b.fencing &&
         a.eligible_since == b.eligible_since && a.due_at == b.due_at && a.ended_at == b.ended_at &&
         a.cancel_requested == b.cancel_requested && a.discarded == b.discarded &&
         a.last_class == b.last_class && a.reason == b.reason && a.progress == b.progress &&
         a.progress_text == b.progress_text && a.aged == b.aged;
}

}  // namespace

writer::writer(SQLite::Database& db)
    : s_{db},
      runs_{db, "runs", new_run_columns, new_run_column_count, bind_run},
      specs_{db, "specs", spec_columns, spec_column_count, bind_spec},
      events_{db, "events", event_columns, event_column_count, bind_event} {}

void writer::write_pending() {
  runs_.write();
  specs_.write();
  events_.write();
}

void writer::forget() {
  runs_.forget();
  specs_.forget();
  events_.forget();
  held_.clear();
}

void writer::undo() {
  forget();  // `mark` wrote what came before it
  s_.undo.run();
  s_.keep.run();  // "rollback to" leaves the savepoint open
}

std::optional<run_row> writer::find_run(core::run_id id) {
  if (auto held = held_.find(id)) return held;
  auto& q = with_runs().find_run;
  const using_query use{q};
  q.bind(1, id.value);
  if (!q.step()) return std::nullopt;
  return read_run(q);
}

bool writer::has_run(core::run_id id) {
  auto& q = with_runs().has_run;
  const using_query use{q};
  q.bind(1, id.value);
  return q.step();
}

void writer::insert_run(const run_row& row, const std::vector<std::string>& tags) {
  runs_.add({row, codec::encode_needs(row.head.needs)});
  for (const auto& tag : tags) {
    s_.insert_tag.bind(1, tag);
    s_.insert_tag.bind(2, row.head.id.value);
    s_.insert_tag.run();
  }
  if (leased(row.head.state)) throw std::logic_error("a run cannot be made with a lease");
}

void writer::update_run(const run_row& before, const run_row& after) {
  const auto& old = before.head;
  const auto& now = after.head;
  if (leased(now.state) && after.unreadable.empty())
    held_.note(after);
  else
    held_.drop(now.id);
  if (!same_but_lease(old, now)) {
    const auto shelf = shelf_of(now);
    const bool moves = shelf != shelf_of(old);
    auto& q = moves ? with_runs().update_run_and_shelf : with_runs().update_run;
    bind_update(q, before, after);
    if (moves) q.bind(run_update_shelf, shelf);
    q.run();
    // The condition names the state and the fencing number that were read in this transaction.
    if (q.changes() != 1) throw std::logic_error(core::to_string(now.id) + " is not as it was read");
  }
  if (leased(now.state)) {
    if (leased(old.state) && old.held == now.held) return;
    auto& q = leased(old.state) ? s_.update_lease : s_.insert_lease;
    bind_lease(q, now.id, now.held);
    q.run();
  } else if (leased(old.state)) {
    s_.remove_lease.bind(1, now.id.value);
    s_.remove_lease.run();
  }
}

void writer::remove_run(const run_row& row) {
  const auto id = row.head.id.value;
  held_.drop(row.head.id);
  if (row.tagged) {
    const auto spec =
        find_spec(row.head.spec, row.head.spec.value == row.head.id.value ? owner::run : owner::job);
    // The rare one whose tags are not known looks at every tag.
    if (!spec || !spec->unreadable.empty()) {
      s_.remove_all_tags.bind(1, id);
      s_.remove_all_tags.run();
    }
    for (const auto& tag : spec ? spec->tags : std::vector<std::string>{}) {
      s_.remove_tags.bind(1, tag);
      s_.remove_tags.bind(2, id);
      s_.remove_tags.run();
    }
  }
  std::array<query*, 7> statements{&with_runs().remove_run, &s_.remove_attempts,  &s_.remove_evidence,
                                   &s_.remove_logs,         &s_.remove_log_sizes, &s_.remove_late,
                                   &s_.remove_checkpoint};
  for (auto* q : statements) {
    q->bind(1, id);
    q->run();
  }
  if (row.head.job) {
    s_.remove_occurrence.bind(1, row.head.job.value);
    s_.remove_occurrence.bind(2, id);
    s_.remove_occurrence.run();
    s_.remove_depth.bind(1, id);
    s_.remove_depth.run();
  }
  if (row.head.spec.value != id) return;
  with_specs().remove_spec.bind(1, id);
  with_specs().remove_spec.run();
}

std::vector<run_row> writer::open_runs_of(core::job_id job) {
  auto& q = with_runs().open_runs_of;
  const using_query use{q};
  q.bind(1, job.value);
  return read_runs(q);
}

std::optional<core::attempt_record> writer::attempt_by_fencing(core::run_id run, std::uint64_t fencing) {
  auto& q = s_.find_attempt;
  const using_query use{q};
  q.bind(1, run.value);
  q.bind(2, static_cast<std::int64_t>(fencing));
  if (!q.step()) return std::nullopt;
  return read_attempt(q);
}

void writer::insert_attempt(const core::attempt_record& record) {
  sqlite::insert_attempt(s_.insert_attempt, record);
}

std::vector<core::attempt_record> writer::last_attempts(core::run_id run, std::size_t limit) {
  auto& q = s_.last_attempts;
  const using_query use{q};
  q.bind(1, run.value);
  q.bind(2, static_cast<std::int64_t>(limit));
  std::vector<core::attempt_record> found;
  while (q.step()) found.push_back(read_attempt(q));
  std::reverse(found.begin(), found.end());
  return found;
}

void writer::insert_late(const core::attempt_record& said) { sqlite::insert_attempt(s_.insert_late, said); }

std::optional<core::attempt_record> writer::newest_late(core::run_id run, std::uint64_t fencing) {
  auto& q = s_.newest_late;
  const using_query use{q};
  q.bind(1, run.value);
  q.bind(2, static_cast<std::int64_t>(fencing));
  if (!q.step()) return std::nullopt;
  return read_attempt(q);
}

std::optional<core::checkpoint> writer::find_checkpoint(core::run_id run) {
  auto& q = s_.find_checkpoint;
  const using_query use{q};
  q.bind(1, run.value);
  if (!q.step()) return std::nullopt;
  return core::checkpoint{q.as<std::uint32_t>(0), q.time(1), std::string{q.text(2)}};
}

void writer::put_checkpoint(core::run_id run, const core::checkpoint& c) {
  auto& q = s_.put_checkpoint;
  q.bind(1, run.value);
  q.bind(2, std::int64_t{c.attempt});
  q.bind(3, core::micros(c.at));
  q.bind(4, c.value);
  q.run();
}

std::size_t writer::evidence_count(core::run_id run) {
  auto& q = s_.count_evidence;
  const using_query use{q};
  q.bind(1, run.value);
  return q.step() ? q.as<std::size_t>(0) : 0;
}

void writer::insert_evidence(const core::evidence& late, std::size_t number) {
  auto& q = s_.insert_evidence;
  q.bind(1, late.run.value);
  q.bind(2, static_cast<std::int64_t>(number));
  q.bind(3, static_cast<std::int64_t>(late.fencing));
  q.bind(4, core::micros(late.at));
  q.bind(5, late.kind);
  q.bind_or_null(6, late.text);
  q.run();
}

std::shared_ptr<const core::run_spec> writer::read_spec(core::spec_id id) {
  auto& q = with_specs().find_spec;
  const using_query use{q};
  q.bind(1, id.value);
  if (!q.step()) return nullptr;
  auto spec = std::make_shared<core::run_spec>(codec::read_spec(q.text(1), {}));
  spec->payload = q.text(0);
  return spec;
}

std::shared_ptr<const core::run_spec> writer::find_spec(core::spec_id id, owner whose) {
  if (whose == owner::run) return read_spec(id);
  if (const auto known = shared_specs_.find(id); known != shared_specs_.end()) return known->second;
  auto spec = read_spec(id);
  if (!spec) return nullptr;
  if (shared_specs_.size() >= shared_spec_room) shared_specs_.erase(shared_specs_.begin());
  shared_specs_.emplace(id, spec);
  return spec;
}

void writer::insert_spec(core::spec_id id, const core::run_spec& spec) {
  specs_.add({id, spec.payload, codec::encode_spec(spec)});
}

open_page writer::open_runs(core::run_id after, std::size_t limit) {
  runs_.write();
  std::array<query*, 6> shelves{&s_.open_shelf_0, &s_.open_shelf_1, &s_.open_shelf_2,
                                &s_.open_shelf_5, &s_.open_shelf_6, &s_.open_shelf_7};
  std::map<core::run_id, query*> heads;  // next row of each cursor
  struct reset_all {
    std::array<query*, 6>& all;
    ~reset_all() {
      for (auto* q : all) q->reset();
    }
  } const use{shelves};
  for (auto* q : shelves) {
    q->bind(1, after.value);
    if (q->step()) heads.emplace(core::run_id{q->number(0)}, q);
  }
  std::unordered_map<core::job_id, std::uint32_t> limits;
  const auto limit_of = [&](core::job_id job) -> std::uint32_t {
    if (!job) return 0;
    const auto [at, fresh] = limits.try_emplace(job, 0);
    if (!fresh) return at->second;
    auto& q = s_.job_limit;
    const using_query use_limit{q};
    q.bind(1, job.value);
    core::job_definition d;
    if (q.step()) {
      d.on_overlap = q.as<core::overlap>(0);
      d.max_concurrent = q.as<std::uint32_t>(1);
    }
    return at->second = job_limit_of(d);
  };
  open_page page;
  while (!heads.empty() && page.items.size() < limit) {
    auto* q = heads.begin()->second;
    heads.erase(heads.begin());
    auto row = read_run(*q);
    const auto job = row.head.job;
    const auto holder = row.head.held.holder;
    const auto session = holder ? find_session(holder) : std::nullopt;
    page.items.push_back(
        {std::move(row.head), row.handler, limit_of(job), session ? session->agent_type : std::string{}});
    if (q->step()) heads.emplace(core::run_id{q->number(0)}, q);
  }
  if (!heads.empty() && !page.items.empty()) page.next = page.items.back().head.id;
  return page;
}

}  // namespace belfry::storage::sqlite
