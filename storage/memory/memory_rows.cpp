#include "storage/memory/memory_rows.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <stdexcept>

namespace belfry::storage::memory {
namespace {

constexpr core::run_id no_run{0};
constexpr core::run_id greatest_run{std::numeric_limits<std::int64_t>::max()};

template <class Map, class Key>
auto copy_of(const Map& map, const Key& key) {
  const auto found = map.find(key);
  using value = std::remove_cvref_t<decltype(*found)>;
  return found ? std::optional<value>{*found} : std::nullopt;
}

// Keys of `map` from `first` on, as long as `belongs` says so.
template <class Map, class Key, class Belongs>
std::vector<Key> keys_from(const Map& map, const Key& first, Belongs belongs) {
  std::vector<Key> keys;
  map.up(first, [&](const Key& key, const auto&) {
    if (!belongs(key)) return false;
    keys.push_back(key);
    return true;
  });
  return keys;
}

}  // namespace

std::optional<run_row> memory_rows::find_run(core::run_id id) { return copy_of(now.runs, id); }

void memory_rows::insert_run(const run_row& row, const std::vector<std::string>&) {
  const auto& h = row.head;
  if (has_run(h.id)) throw std::logic_error(core::to_string(h.id) + " is there already");
  now.runs.set(h.id, row);
  if (!terminal(h.state)) now.open.set(h.id, nothing{});
  if (h.job) now.of_job.set({h.job, h.id}, nothing{});
  if (h.parent) now.hooks.set({h.parent, h.id}, nothing{});
}

void memory_rows::update_run(const run_row& before, const run_row& after) {
  const auto there = now.runs.find(after.head.id);
  if (!there || there->head.state != before.head.state || there->head.fencing != before.head.fencing)
    throw std::logic_error(core::to_string(after.head.id) + " is not as it was read");
  now.runs.set(after.head.id, after);
  if (terminal(after.head.state)) now.open.erase(after.head.id);
}

void memory_rows::remove_run(const run_row& row) {
  const auto& h = row.head;
  now.runs.erase(h.id);
  now.open.erase(h.id);
  if (h.job) {
    now.of_job.erase({h.job, h.id});
    std::optional<core::instant> planned;
    now.occurrences.up({h.job, core::never}, [&](const auto& key, const core::occurrence& o) {
      if (key.first == h.job && o.run == h.id) planned = key.second;
      return key.first == h.job && !planned;
    });
    if (planned) now.occurrences.erase({h.job, *planned});
  }
  if (h.parent) now.hooks.erase({h.parent, h.id});
  if (h.spec.value == h.id.value) now.specs.erase(h.spec);
  const auto of_run = [&](const auto& key) { return std::get<0>(key) == h.id; };
  for (const auto& key : keys_from(now.attempts, std::pair{h.id, std::uint32_t{0}}, of_run))
    now.attempts.erase(key);
  for (const auto& key : keys_from(now.evidence, std::pair{h.id, std::size_t{0}}, of_run))
    now.evidence.erase(key);
  for (const auto& key : keys_from(now.late, std::pair{h.id, std::uint32_t{0}}, of_run)) now.late.erase(key);
  now.checkpoints.erase(h.id);
  now.depths.erase(h.id);
  for (const auto& key : keys_from(now.logs, std::tuple{h.id, std::uint32_t{0}, std::uint64_t{0}}, of_run))
    now.logs.erase(key);
  for (const auto& key : keys_from(now.log_sizes, std::pair{h.id, std::uint32_t{0}}, of_run))
    now.log_sizes.erase(key);
}

std::vector<run_row> memory_rows::open_runs_of(core::job_id job) {
  std::vector<run_row> found;
  now.of_job.up({job, no_run}, [&](const auto& key, const nothing&) {
    if (key.first != job) return false;
    if (now.open.contains(key.second)) found.push_back(*now.runs.find(key.second));
    return true;
  });
  return found;
}

std::optional<core::attempt_record> memory_rows::attempt_by_fencing(core::run_id run, std::uint64_t fencing) {
  std::optional<core::attempt_record> found;
  now.attempts.up({run, 0}, [&](const auto& key, const core::attempt_record& a) {
    if (key.first == run && a.fencing == fencing) found = a;
    return key.first == run && !found;
  });
  return found;
}

void memory_rows::insert_attempt(const core::attempt_record& record) {
  if (now.attempts.contains({record.run, record.number}))
    throw std::logic_error("attempt " + std::to_string(record.number) + " of " + core::to_string(record.run) +
                           " has a record already");
  now.attempts.set({record.run, record.number}, record);
}

std::vector<core::attempt_record> memory_rows::last_attempts(core::run_id run, std::size_t limit) {
  std::vector<core::attempt_record> found;
  now.attempts.up({run, 0}, [&](const auto& key, const core::attempt_record& a) {
    if (key.first == run) found.push_back(a);
    return key.first == run;
  });
  if (found.size() > limit) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(limit));
  return found;
}

std::optional<core::attempt_record> memory_rows::newest_late(core::run_id run, std::uint64_t fencing) {
  std::optional<core::attempt_record> found;
  now.late.up({run, 0}, [&](const auto& key, const core::attempt_record& a) {
    if (key.first == run && (fencing == 0 || a.fencing == fencing)) found = a;
    return key.first == run;
  });
  return found;
}

std::optional<core::checkpoint> memory_rows::find_checkpoint(core::run_id run) {
  return copy_of(now.checkpoints, run);
}

bool memory_rows::holds_lease(core::session_id id) {
  bool holds = false;
  now.open.up([&](core::run_id run, const nothing&) {
    const auto row = now.runs.find(run);
    holds = leased(row->head.state) && row->head.held.holder == id;
    return !holds;
  });
  return holds;
}

std::size_t memory_rows::evidence_count(core::run_id run) {
  return keys_from(now.evidence, std::pair{run, std::size_t{0}},
                   [&](const auto& key) { return key.first == run; })
      .size();
}

std::optional<core::job> memory_rows::find_job(core::job_id id) { return copy_of(now.jobs, id); }

std::optional<core::job_id> memory_rows::job_named(const std::string& name) {
  std::optional<core::job_id> found;
  now.jobs.up([&](core::job_id id, const core::job& j) {
    if (j.state != core::job_state::archived && j.definition->name == name) found = id;
    return !found;
  });
  return found;
}

bool memory_rows::has_occurrence(core::job_id job, core::instant at) {
  return now.occurrences.contains({job, at});
}

void memory_rows::insert_occurrence(const core::occurrence& o) {
  if (has_occurrence(o.job, o.at)) throw std::logic_error("the occurrence is there already");
  now.occurrences.set({o.job, o.at}, o);
}

void memory_rows::insert_skip(const core::skip_record& s, std::size_t keep) {
  auto numbered = s;
  numbered.number = ++now.skip_number;
  now.skips.set({s.job, numbered.number}, numbered);
  const auto all = keys_from(now.skips, std::pair{s.job, std::int64_t{0}},
                             [&](const auto& key) { return key.first == s.job; });
  for (std::size_t i = 0; i + keep < all.size(); ++i) now.skips.erase(all[i]);
}

std::size_t memory_rows::count_calendars() {
  std::size_t n = 0;
  now.calendars.up([&](const auto&, const auto&) { return ++n > 0; });
  return n;
}

void memory_rows::remove_calendar_uses(core::job_id job) {
  std::vector<std::pair<std::string, core::job_id>> found;
  now.calendar_uses.up([&](const auto& key, const auto&) {
    if (key.second == job) found.push_back(key);
    return true;
  });
  for (const auto& key : found) now.calendar_uses.erase(key);
}

// By revision, then by job, as the other stores.
std::vector<core::job_id> memory_rows::calendar_users(const std::string& name, std::uint32_t below,
                                                      std::size_t limit) {
  std::vector<std::pair<std::uint32_t, core::job_id>> found;
  now.calendar_uses.up({name, core::job_id{}}, [&](const auto& key, std::uint32_t revision) {
    if (key.first != name) return false;
    if (revision < below) found.emplace_back(revision, key.second);
    return true;
  });
  std::sort(found.begin(), found.end());
  std::vector<core::job_id> ids;
  for (const auto& [revision, id] : found)
    if (ids.size() < limit) ids.push_back(id);
  return ids;
}

std::vector<core::window> memory_rows::all_windows() {
  std::vector<core::window> all;
  now.windows.up([&](const auto&, const core::window& w) {
    all.push_back(w);
    return true;
  });
  return all;
}

std::optional<core::cluster_node> memory_rows::find_node(const std::string& name) {
  return copy_of(now.nodes, name);
}

std::optional<core::session> memory_rows::find_session(core::session_id id) {
  return copy_of(now.sessions, id);
}

std::optional<core::spawned_worker> memory_rows::find_worker(core::session_id id) {
  return copy_of(now.workers, id);
}

bool memory_rows::insert_log(const core::log_line& line) {
  const std::tuple key{line.run, line.attempt, line.number};
  if (now.logs.contains(key)) return false;
  now.logs.set(key, line);
  return true;
}

log_size memory_rows::find_log_size(core::run_id run, std::uint32_t attempt) {
  return copy_of(now.log_sizes, std::pair{run, attempt}).value_or(log_size{});
}

std::vector<line_size> memory_rows::oldest_lines(core::run_id run, std::uint32_t attempt, std::size_t limit) {
  std::vector<line_size> found;
  now.logs.up({run, attempt, 0}, [&](const auto&, const core::log_line& line) {
    if (line.run != run || line.attempt != attempt || found.size() == limit) return false;
    found.push_back({line.number, log_bytes(line)});
    return true;
  });
  return found;
}

void memory_rows::remove_lines(core::run_id run, std::uint32_t attempt, std::uint64_t up_to) {
  const auto belongs = [&](const auto& key) {
    return std::get<0>(key) == run && std::get<1>(key) == attempt && std::get<2>(key) <= up_to;
  };
  for (const auto& key : keys_from(now.logs, std::tuple{run, attempt, std::uint64_t{0}}, belongs))
    now.logs.erase(key);
}

std::optional<remembered> memory_rows::find_once(const std::string& key) { return copy_of(now.once, key); }

void memory_rows::insert_once(const std::string& key, const remembered& answer) {
  now.once.set(key, answer);
  now.once_order.set(++now.once_number, key);
}

core::pause_book memory_rows::find_pauses() {
  core::pause_book book;
  const auto add = [&](const core::pause_target& on, const std::vector<core::pause_entry>& entries) {
    for (const auto& e : entries) book.standing.push_back({on, e});
  };
  now.pauses.up([&](const core::pause_target& on, const std::vector<core::pause_entry>& entries) {
    add(on, entries);
    return true;
  });
  now.jobs.up([&](core::job_id id, const core::job& j) {
    add(core::the_job(id), j.pauses);
    return true;
  });
  // In the order of the targets, as any store has them.
  std::stable_sort(book.standing.begin(), book.standing.end(),
                   [](const core::pause& a, const core::pause& b) { return a.on < b.on; });
  now.past_pauses.up([&](std::int64_t, const core::past_pause& over) {
    book.past.push_back(over);
    return true;
  });
  return book;
}

void memory_rows::put_pauses(const core::pause_target& on, const std::vector<core::pause_entry>& entries) {
  if (entries.empty())
    now.pauses.erase(on);
  else
    now.pauses.set(on, entries);
}

void memory_rows::insert_past_pause(const core::past_pause& over, std::size_t keep) {
  now.past_pauses.set(++now.past_pause_number, over);
  std::size_t newer = 0;
  std::vector<std::int64_t> old;
  now.past_pauses.down([&](std::int64_t number, const core::past_pause& p) {
    if (p.on == over.on && ++newer > keep) old.push_back(number);
    return true;
  });
  for (const auto number : old) now.past_pauses.erase(number);
}

std::vector<run_row> memory_rows::runs_between(core::run_id after, std::int64_t up_to, std::size_t limit) {
  std::vector<run_row> found;
  if (after.value >= up_to) return found;
  now.runs.up(core::run_id{after.value + 1}, [&](core::run_id id, const run_row& row) {
    if (id.value > up_to || found.size() == limit) return false;
    found.push_back(row);
    return true;
  });
  return found;
}

std::vector<run_row> memory_rows::dead_letters(core::instant before, std::size_t limit) {
  std::vector<run_row> found;
  now.runs.up([&](core::run_id, const run_row& row) {
    const auto& h = row.head;
    if (core::ended_badly(h.state) && !h.successor && !h.discarded && !h.aged && h.ended_at < before)
      found.push_back(row);
    return true;
  });
  std::stable_sort(found.begin(), found.end(),
                   [](const run_row& a, const run_row& b) { return a.head.ended_at < b.head.ended_at; });
  if (found.size() > limit) found.resize(limit);
  return found;
}

std::vector<core::job_id> memory_rows::jobs_after(core::job_id after, std::size_t limit) {
  std::vector<core::job_id> found;
  now.jobs.up(core::job_id{after.value + 1}, [&](core::job_id id, const core::job&) {
    if (found.size() == limit) return false;
    found.push_back(id);
    return true;
  });
  return found;
}

template <class Each>
void memory_rows::newest_of(core::job_id job, Each each) {
  now.of_job.down({job, greatest_run}, [&](const auto& key, const nothing&) {
    return key.first == job && each(*now.runs.find(key.second));
  });
}

std::optional<core::run_id> memory_rows::newest_finished(core::job_id job, std::size_t skip) {
  std::optional<core::run_id> found;
  newest_of(job, [&](const run_row& row) {
    if (terminal(row.head.state) && skip-- == 0) found = row.head.id;
    return !found;
  });
  return found;
}

std::vector<run_row> memory_rows::finished_of(core::job_id job, core::run_id up_to, std::size_t limit) {
  std::vector<run_row> found;
  now.of_job.up({job, no_run}, [&](const auto& key, const nothing&) {
    if (key.first != job || up_to < key.second || found.size() == limit) return false;
    auto row = *now.runs.find(key.second);
    if (terminal(row.head.state)) found.push_back(std::move(row));
    return true;
  });
  return found;
}

std::optional<core::run_id> memory_rows::latest_result(core::job_id job) {
  std::optional<core::run_id> found;
  newest_of(job, [&](const run_row& row) {
    if (terminal(row.head.state) && row.head.state != core::run_state::skipped) found = row.head.id;
    return !found;
  });
  return found;
}

bool memory_rows::has_open_hook(core::run_id parent) {
  bool found = false;
  now.hooks.up({parent, no_run}, [&](const auto& key, const nothing&) {
    if (key.first != parent) return false;
    found = now.open.contains(key.second);
    return !found;
  });
  return found;
}

bool memory_rows::spec_in_use(core::job_id job, core::spec_id spec) {
  bool found = false;
  newest_of(job, [&](const run_row& row) {
    found = row.head.spec == spec;
    return !found;
  });
  return found;
}

std::vector<std::pair<std::int64_t, core::instant>> memory_rows::oldest_events(std::size_t limit) {
  std::vector<std::pair<std::int64_t, core::instant>> found;
  now.events.up([&](std::int64_t seq, const core::event& e) {
    if (found.size() == limit) return false;
    found.emplace_back(seq, e.at);
    return true;
  });
  return found;
}

void memory_rows::remove_events(std::int64_t up_to) {
  for (const auto seq : keys_from(now.events, std::int64_t{0}, [&](std::int64_t s) { return s <= up_to; }))
    now.events.erase(seq);
}

std::size_t memory_rows::remove_once(core::instant before, std::size_t at_most) {
  std::vector<std::pair<std::int64_t, std::string>> old;
  now.once_order.up([&](std::int64_t number, const std::string& key) {
    if (old.size() == at_most || now.once.find(key)->at >= before) return false;
    old.emplace_back(number, key);
    return true;
  });
  for (const auto& [number, key] : old) {
    now.once_order.erase(number);
    now.once.erase(key);
  }
  return old.size();
}

std::size_t memory_rows::remove_gone_sessions(core::instant before, std::size_t at_most) {
  std::set<core::session_id> holding;  // their leases count by their agent type
  now.open.up([&](core::run_id id, nothing) {
    const auto row = now.runs.find(id);
    if (row != nullptr && core::leased(row->head.state)) holding.insert(row->head.held.holder);
    return true;
  });
  std::vector<core::session_id> old;
  now.sessions.up([&](core::session_id id, const core::session& s) {
    if (s.state == core::session_state::gone && s.last_seen < before && holding.count(id) == 0)
      old.push_back(id);
    return old.size() < at_most;
  });
  for (const auto id : old) {
    now.sessions.erase(id);
    now.workers.erase(id);
  }
  return old.size();
}

}  // namespace belfry::storage::memory
