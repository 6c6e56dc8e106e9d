// Lists, statistics, events, facts.
#include <algorithm>

#include "storage/apply/match.hpp"
#include "storage/apply/statistics.hpp"
#include "storage/codec/bytes.hpp"
#include "storage/migrations/migrations.hpp"
#include "storage/sqlite/copying.hpp"
#include "storage/sqlite/counters.hpp"
#include "storage/sqlite/reader_parts.hpp"
#include "storage/sqlite/run_search.hpp"
#include "storage/sqlite/soundness.hpp"

namespace belfry::storage::sqlite {
namespace {

constexpr std::string_view spec_join = "left join specs s on s.id = coalesce(r.spec, r.id)";

std::uint64_t file_size(SQLite::Database& db, int which) {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(db.getHandle(), "main", which, static_cast<void*>(&file)) != SQLITE_OK) return 0;
  sqlite3_int64 size = 0;
  if (file == nullptr || file->pMethods == nullptr || file->pMethods->xFileSize(file, &size) != SQLITE_OK)
    return 0;
  return static_cast<std::uint64_t>(size);
}

}  // namespace

core::result<core::run_page> sqlite_reader::list_runs(const core::run_filter& filter,
                                                      const core::page_request& page) {
  return reading<core::run_page>("list runs", [&]() -> core::result<core::run_page> {
    run_search search{*db_, filter, read_tallies(*db_)};
    core::run_page answer;
    const auto columns = std::string{run_columns} + ", s.body";
    search.walk(columns, spec_join, page.sort, page.after, page.limit + 1, [&](const query& q) {
      if (answer.runs.size() == page.limit) {
        answer.next = answer.runs.empty() ? 0 : answer.runs.back().head.id.value;
        return false;
      }
      core::run r;
      r.head = read_run(q, 1).head;
      r.spec =
          std::make_shared<const core::run_spec>(codec::read_spec(q.text(1 + run_column_count), r.head.name));
      answer.runs.push_back(std::move(r));
      return true;
    });
    return answer;
  });
}

core::result<std::vector<core::run_id>> sqlite_reader::ids_of(const core::run_filter& filter,
                                                              std::size_t limit) {
  using answer = std::vector<core::run_id>;
  return reading<answer>("list runs", [&]() -> core::result<answer> {
    run_search search{*db_, filter, read_tallies(*db_)};
    answer ids;
    search.walk("r.state", "", core::run_sort::oldest, 0, limit, [&](const query& q) {
      ids.push_back(core::run_id{q.number(0)});
      return true;
    });
    return ids;
  });
}

core::result<core::run_statistics> sqlite_reader::statistics(const core::run_filter& filter) {
  return reading<core::run_statistics>("calculate statistics", [&]() -> core::result<core::run_statistics> {
    core::run_statistics answer;
    const auto known = read_tallies(*db_);
    if (filter == core::run_filter{}) {
      answer.by_state = known.states;
      answer.queued_by_priority = known.queued;
    } else {
      run_search{*db_, filter, known}.group("r.state, r.prio", [&](const query& q) {
        answer.by_state.at(q.as<std::size_t>(0)) += q.number(2);
        if (q.as<core::run_state>(0) == core::run_state::queued)
          answer.queued_by_priority.at(q.as<std::size_t>(1)) += q.number(2);
      });
    }
    auto finished = filter;
    if (finished.states.empty())
      finished.states = {core::run_state::succeeded, core::run_state::failed,    core::run_state::timed_out,
                         core::run_state::lost,      core::run_state::cancelled, core::run_state::skipped};
    else
      std::erase_if(finished.states, [](core::run_state s) { return !core::terminal(s); });
    if (finished.states.empty()) return answer;
    std::vector<finished_sample> samples;
    run_search{*db_, finished, known}.walk(
        "r.state, r.created, r.eligible, r.ended, a.claimed, a.started, a.ended, r.class, r.reason",
        "left join attempts a on a.run = r.id and a.number = r.attempt", core::run_sort::newest, 0,
        finished_considered, [&](const query& q) {
          finished_sample s;
          s.state = q.as<core::run_state>(1);
          s.created = q.time(2);
          if (!q.null(3)) s.eligible = s.created + core::span{q.number(3)};
          s.ended = q.time(4);
          s.claimed = q.time(5);
          if (!q.null(6)) s.started = s.claimed + core::span{q.number(6)};
          if (!q.null(7)) s.over = s.claimed + core::span{q.number(7)};
          s.id = core::run_id{q.number(0)};
          if (core::ended_badly(s.state)) {
            if (!q.null(8)) s.klass = q.as<core::failure_class>(8);
            s.reason = q.text(9);
          }
          samples.push_back(std::move(s));
          return true;
        });
    summarise(samples, answer);
    return answer;
  });
}

core::result<event_page> sqlite_reader::events_after(std::int64_t seq, std::size_t limit,
                                                     const event_filter& filter) {
  return reading<event_page>("read the journal", [&]() -> core::result<event_page> {
    event_page page;
    page.last_scanned = seq;
    query oldest{*db_, "select min(seq) from events"};
    if (oldest.step() && !oldest.null(0)) page.oldest_kept = oldest.number(0);
    oldest.reset();
    query q{*db_,
            "select " + std::string{event_columns} + " from events where seq > ?1 order by seq limit ?2"};
    q.bind(1, seq);
    q.bind(2, static_cast<std::int64_t>(events_scanned));
    while (page.events.size() < limit && q.step()) {
      auto e = read_event(q);
      page.last_scanned = e.seq;
      if (matches(filter, e)) page.events.push_back(std::move(e));
    }
    return page;
  });
}

core::result<batch_summary> sqlite_reader::find_batch(core::batch_id id) {
  return reading<batch_summary>("read a batch", [&]() -> core::result<batch_summary> {
    query q{*db_, "select state, count(*), min(created) from runs where batch = ?1 group by state"};
    q.bind(1, id.value);
    batch_summary b;
    b.id = id;
    while (q.step()) {
      b.by_state.at(q.as<std::size_t>(0)) = q.number(1);
      b.total += q.number(1);
      if (b.created_at == core::never || q.time(2) < b.created_at) b.created_at = q.time(2);
    }
    if (b.total == 0)
      return core::failure{
          core::errc::not_found, "there is no batch " + core::to_string(id), {}, "belfry run list"};
    return b;
  });
}

core::result<store_facts> sqlite_reader::facts() {
  return reading<store_facts>("read the facts of the store", [&]() -> core::result<store_facts> {
    store_facts f;
    f.kind = "sqlite";
    f.path = options_.path;
    f.durability = options_.sync == durability::full ? "full" : "normal";
    f.schema = migrations::version_of(*db_);
    const auto known = read_tallies(*db_);
    f.bytes = file_size(*db_, SQLITE_FCNTL_FILE_POINTER) + file_size(*db_, SQLITE_FCNTL_JOURNAL_POINTER);
    f.last_event = known.last_event;
    f.runs_by_state = known.states;
    query q{*db_,
            "select (select count(*) from jobs where state <> 3), (select max(number) from boots), (select "
            "min(at) from schema_version)"};
    if (q.step()) {
      f.jobs = q.number(0);
      f.boots = q.as<std::uint32_t>(1);
      f.created_at = q.time(2);
    }
    query booted{*db_, "select at from boots order by number desc limit 10"};
    while (booted.step()) f.booted_at.push_back(booted.time(0));
    query dead{*db_,
               "select count(*), min(ended) from runs indexed by runs_dead where shelf >= 9 and shelf <= 11"};
    if (dead.step()) {
      f.dead_letters = dead.number(0);
      f.oldest_dead_letter = dead.time(1);
    }
    for (const auto kind : core::all_event_kinds())
      f.totals.emplace_back(core::to_text(kind), known.totals.at(static_cast<std::size_t>(kind)));
    return f;
  });
}

core::result<core::store_copy> sqlite_reader::copy_to(const std::string& path) {
  if (!options_.vfs.empty())
    return core::failure{core::errc::invalid, "this store is not a file of its own", {}, {}};
  return copy_store(options_, path);
}

core::result<core::store_check> sqlite_reader::check() {
  return reading<core::store_check>("check the store",
                                    [&]() -> core::result<core::store_check> { return examine(*db_); });
}

}  // namespace belfry::storage::sqlite
