// One run, its attempts, evidence and logs; jobs and sessions.
#include "storage/sqlite/sqlite_reader.hpp"

#include <algorithm>

#include "storage/apply/lookup.hpp"
#include "storage/codec/bytes.hpp"
#include "storage/sqlite/reader_parts.hpp"
#include "storage/sqlite/store_file.hpp"

namespace belfry::storage::sqlite {
namespace {

std::string sql(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const auto p : parts) text += p;
  return text;
}

constexpr const char* reading_run = "read a run";
constexpr const char* reading_job = "read a job";

}  // namespace

core::result<SQLite::Database*> sqlite_reader::connection() {
  if (db_ == nullptr) {
    auto opened = open_for_reading(options_);
    if (!opened) return std::move(opened).error();
    own_ = std::move(*opened);
    db_ = own_.get();
  }
  return db_;
}

std::shared_ptr<const core::run_spec> sqlite_reader::spec_of(core::spec_id id, bool with_payload) {
  query q{*db_, "select body, payload from specs where id = ?1"};
  q.bind(1, id.value);
  if (!q.step()) return nullptr;
  auto spec = std::make_shared<core::run_spec>(codec::read_spec(q.text(0), {}));
  if (with_payload) spec->payload = q.text(1);
  return spec;
}

core::result<core::run> sqlite_reader::find_run(core::run_id id) {
  return reading<core::run>(reading_run, [&]() -> core::result<core::run> {
    query q{*db_, sql({"select ", run_columns, " from ", run_tables, " where r.id = ?1"})};
    q.bind(1, id.value);
    if (!q.step())
      return core::failure{
          core::errc::not_found, "there is no run " + core::to_string(id), {}, "belfry run list"};
    auto head = read_run(q).head;
    auto spec = spec_of(head.spec, true);
    return core::run{std::move(head), std::move(spec)};
  });
}

core::result<std::vector<std::string>> sqlite_reader::names_of(const std::vector<core::run_id>& runs) {
  using answer = std::vector<std::string>;
  return reading<answer>("read names of runs", [&]() -> core::result<answer> {
    query q{*db_, "select name from runs where id = ?1"};
    answer names;
    names.reserve(runs.size());
    for (const auto run : runs) {
      q.bind(1, run.value);
      names.emplace_back(q.step() ? q.text(0) : std::string_view{});
      q.reset();
    }
    return names;
  });
}

std::vector<std::int64_t> sqlite_reader::numbers(std::string_view text, std::int64_t first,
                                                 std::int64_t last) {
  query q{*db_, text};
  q.bind(1, first);
  q.bind(2, last);
  std::vector<std::int64_t> found;
  while (q.step()) found.push_back(q.number(0));
  return found;
}

core::result<core::run> sqlite_reader::find_run_by_text(const std::string& text) {
  constexpr auto prefix = core::run_tag::prefix;
  constexpr std::string_view between =
      "select id from runs where id between ?1 and ?2 order by id desc limit 6";
  auto id = reading<std::int64_t>(reading_run, [&]() -> core::result<std::int64_t> {
    if (looks_like_id(prefix, text)) {
      const auto meant = ids_meant(prefix, text);
      if (!meant) return meant.error();
      return the_one("run", prefix, text, numbers(between, meant->first, meant->last));
    }
    query named{*db_, "select id from runs not indexed where name = ?1 order by id desc limit 1"};
    named.bind(1, text);
    if (named.step()) return named.number(0);
    // The digits of an id alone will do where no run has that name.
    const auto meant = ids_meant(prefix, std::string{prefix} + text);
    if (!meant) return nothing_named("run", text);
    return the_one("run", prefix, text, numbers(between, meant->first, meant->last));
  });
  if (!id) return std::move(id).error();
  return find_run(core::run_id{*id});
}

core::result<std::vector<core::attempt_record>> sqlite_reader::attempts_of(core::run_id id) {
  using answer = std::vector<core::attempt_record>;
  return reading<answer>("read attempts", [&]() -> core::result<answer> {
    query q{*db_, sql({"select ", attempt_columns, " from attempts where run = ?1 order by number"})};
    q.bind(1, id.value);
    answer found;
    while (q.step()) found.push_back(read_attempt(q));
    return found;
  });
}

core::result<std::vector<core::evidence>> sqlite_reader::evidence_of(core::run_id id) {
  using answer = std::vector<core::evidence>;
  return reading<answer>("read evidence", [&]() -> core::result<answer> {
    query q{*db_, "select run, fencing, at, kind, text from evidence where run = ?1 order by number"};
    q.bind(1, id.value);
    answer found;
    while (q.step())
      found.push_back({core::run_id{q.number(0)}, q.as<std::uint64_t>(1), q.time(2), std::string{q.text(3)},
                       std::string{q.text(4)}});
    return found;
  });
}

core::result<std::vector<core::attempt_record>> sqlite_reader::late_results_of(core::run_id id) {
  using answer = std::vector<core::attempt_record>;
  return reading<answer>("read late results", [&]() -> core::result<answer> {
    query q{*db_, sql({"select ", attempt_columns, " from late_results where run = ?1 order by number"})};
    q.bind(1, id.value);
    answer found;
    while (q.step()) found.push_back(read_attempt(q));
    return found;
  });
}

core::result<std::optional<core::checkpoint>> sqlite_reader::checkpoint_of(core::run_id id) {
  using answer = std::optional<core::checkpoint>;
  return reading<answer>("read a checkpoint", [&]() -> core::result<answer> {
    query q{*db_, "select attempt, at, value from checkpoints where run = ?1"};
    q.bind(1, id.value);
    if (!q.step()) return answer{};
    return answer{core::checkpoint{q.as<std::uint32_t>(0), q.time(1), std::string{q.text(2)}}};
  });
}

core::result<log_page> sqlite_reader::logs(core::run_id id, const log_request& which) {
  return reading<log_page>("read logs", [&]() -> core::result<log_page> {
    log_page page;
    query head{*db_, "select state, attempt from runs where id = ?1"};
    head.bind(1, id.value);
    if (!head.step())
      return core::failure{
          core::errc::not_found, "there is no run " + core::to_string(id), {}, "belfry run list"};
    page.last_attempt = head.as<std::uint32_t>(1);
    page.attempt_live =
        leased(head.as<core::run_state>(0)) && (which.attempt == 0 || which.attempt == page.last_attempt);
    head.reset();

    const bool tail = which.tail > 0;
    const auto limit = tail ? std::min(which.tail, which.limit) : which.limit;
    query q{
        *db_,
        sql({"select ", log_columns,
             " from logs where run = ?1 and (attempt, number) > (?2, ?3) and (?4 = 0 or attempt = ?4)"
             " and (?6 = 0 or level >= ?6)",
             tail ? " order by attempt desc, number desc limit ?5" : " order by attempt, number limit ?5"})};
    q.bind(1, id.value);
    q.bind(2, std::int64_t{which.after_attempt});
    q.bind(3, static_cast<std::int64_t>(which.after_number));
    q.bind(4, std::int64_t{which.attempt});
    q.bind(5, static_cast<std::int64_t>(limit));
    q.bind(6, static_cast<std::int64_t>(which.least));
    while (q.step()) page.lines.push_back(read_log(q));
    if (tail) std::reverse(page.lines.begin(), page.lines.end());

    // Numbers count from 1, so the first line that is kept tells how many are not, whoever dropped them: the
    // store, or the executor when they came faster than they could be stored.
    query dropped{*db_,
                  "select attempt, (select min(number) from logs l where l.run = s.run and l.attempt = "
                  "s.attempt) - 1 from log_sizes s"
                  " where run = ?1 and attempt >= ?2 and (?3 = 0 or attempt = ?3)"};
    dropped.bind(1, id.value);
    dropped.bind(2, std::int64_t{which.after_attempt});
    dropped.bind(3, std::int64_t{which.attempt});
    while (dropped.step()) {
      const auto attempt = dropped.as<std::uint32_t>(0);
      if (!page.lines.empty() && attempt > page.lines.front().attempt) continue;
      const auto count = dropped.as<std::uint64_t>(1);
      // The oldest lines of an attempt are dropped, so those up to the cursor had been read.
      const auto seen = attempt == which.after_attempt ? std::min(count, which.after_number) : 0;
      page.dropped_lines += count - seen;
    }
    return page;
  });
}

core::job sqlite_reader::complete(job_row row) {
  query q{*db_, sql({"select ", pause_columns,
                     " from pauses where scope = 2 and job = ?1 order by reason, owner"})};
  q.bind(1, row.head.id.value);
  while (q.step()) row.head.pauses.push_back(read_pause(q));
  if (const auto spec = spec_of(row.head.spec, true)) row.definition.spec = *spec;
  row.head.definition = std::make_shared<const core::job_definition>(std::move(row.definition));
  return std::move(row.head);
}

core::result<core::job> sqlite_reader::find_job(core::job_id id) {
  return reading<core::job>(reading_job, [&]() -> core::result<core::job> {
    query q{*db_, sql({"select ", job_columns, " from ", job_tables, " where j.id = ?1"})};
    q.bind(1, id.value);
    if (!q.step())
      return core::failure{
          core::errc::not_found, "there is no job " + core::to_string(id), {}, "belfry job list"};
    return complete(read_job(q));
  });
}

core::result<core::job> sqlite_reader::find_job_by_text(const std::string& text) {
  constexpr auto prefix = core::job_tag::prefix;
  constexpr std::string_view between =
      "select id from jobs where id between ?1 and ?2 order by id desc limit 6";
  auto id = reading<std::int64_t>(reading_job, [&]() -> core::result<std::int64_t> {
    // A job may be named like the beginning of an id, and the name is what its owner knows. An archived one
    // comes last.
    query named{*db_, "select id from jobs where name = ?1 order by state = 3, id desc limit 1"};
    named.bind(1, text);
    if (named.step()) return named.number(0);
    const bool full = looks_like_id(prefix, text);
    const auto meant = ids_meant(prefix, full ? text : std::string{prefix} + text);
    if (!meant) return full ? meant.error() : nothing_named("job", text);
    return the_one("job", prefix, text, numbers(between, meant->first, meant->last));
  });
  if (!id) return std::move(id).error();
  return find_job(core::job_id{*id});
}

core::result<job_page> sqlite_reader::list_jobs(bool archived_too, const std::string& name_contains,
                                                std::size_t limit, std::int64_t after) {
  return reading<job_page>("list jobs", [&]() -> core::result<job_page> {
    query q{*db_, sql({"select ", job_columns, " from ", job_tables,
                       " where j.id > ?1 and (?2 or j.state <> 3) and (?3 = '' or instr(lower(j.name), ?3) > "
                       "0) order by j.id limit ?4"})};
    const auto piece = lower_case(name_contains);
    q.bind(1, after);
    q.bind(2, archived_too ? 1 : std::int64_t{0});
    q.bind(3, piece);
    q.bind(4, static_cast<std::int64_t>(limit) + 1);
    std::vector<job_row> rows;
    while (q.step()) rows.push_back(read_job(q));
    job_page page;
    for (auto& row : rows) {
      if (page.jobs.size() == limit) {
        page.next = page.jobs.back().id.value;
        break;
      }
      page.jobs.push_back(complete(std::move(row)));
    }
    return page;
  });
}

core::result<std::vector<core::session>> sqlite_reader::list_sessions(bool gone_too) {
  using answer = std::vector<core::session>;
  return reading<answer>("list sessions", [&]() -> core::result<answer> {
    query q{*db_, sql({"select ", session_columns, " from sessions where ?1 or state <> 4 order by id"})};
    q.bind(1, gone_too ? 1 : std::int64_t{0});
    answer found;
    while (q.step()) found.push_back(read_session(q));
    return found;
  });
}

core::result<core::session> sqlite_reader::find_session(core::session_id id) {
  return reading<core::session>("read a session", [&]() -> core::result<core::session> {
    query q{*db_, sql({"select ", session_columns, " from sessions where id = ?1"})};
    q.bind(1, id.value);
    if (!q.step())
      return core::failure{
          core::errc::not_found, "there is no session " + core::to_string(id), {}, "belfry session list"};
    return read_session(q);
  });
}

core::result<std::vector<core::run_head>> sqlite_reader::leases_of(core::session_id who) {
  using answer = std::vector<core::run_head>;
  return reading<answer>("list leases", [&]() -> core::result<answer> {
    query q{*db_,
            sql({"select ", run_columns,
                 " from leases l cross join runs r on r.id = l.run where ?1 = 0 or l.holder = ?1 order by "
                 "r.id"})};
    q.bind(1, who.value);
    answer found;
    while (q.step()) found.push_back(read_run(q).head);
    return found;
  });
}

core::result<std::vector<core::spawned_worker>> sqlite_reader::list_workers(const worker_filter& filter) {
  using answer = std::vector<core::spawned_worker>;
  return reading<answer>("list workers", [&]() -> core::result<answer> {
    query q{*db_, sql({"select ", worker_columns,
                       " from workers where (?1 = 0 or run = ?1) and (?2 = '' or agent_type = ?2)"
                       " and (?3 or state <> 4) order by session desc limit ?4"})};
    q.bind(1, filter.run.value);
    q.bind(2, filter.agent_type);
    q.bind(3, filter.ended_too ? 1 : std::int64_t{0});
    q.bind(4, static_cast<std::int64_t>(filter.limit));
    answer found;
    while (q.step()) found.push_back(read_worker(q));
    return found;
  });
}

}  // namespace belfry::storage::sqlite
