#include "storage/memory/memory_reader.hpp"

#include <algorithm>
#include <limits>

#include "core/schedule/canonical.hpp"
#include "storage/apply/lookup.hpp"
#include "storage/apply/match.hpp"
#include "storage/apply/occurrences.hpp"
#include "storage/apply/statistics.hpp"
#include "storage/codec/ladder.hpp"

namespace belfry::storage::memory {
namespace {

using core::errc;
using core::failure;

failure no_run(core::run_id id) {
  return {errc::not_found, "there is no run " + core::to_string(id), {}, "belfry run list"};
}

bool fits(const tables& t, const core::run_filter& filter, const run_row& row) {
  static const std::vector<std::string> none;
  if (!row.tagged) return matches(filter, row.head, none);
  return matches(filter, row.head, t.specs.find(row.head.spec)->tags);
}

// Runs that fit, in the order of ids, from beyond `after`, until `each` answers false.
template <class Each>
void walk(const tables& t, const core::run_filter& filter, core::run_sort sort, std::int64_t after,
          Each each) {
  const auto look = [&](core::run_id, const run_row& row) { return !fits(t, filter, row) || each(row); };
  if (sort == core::run_sort::oldest) return t.runs.up(core::run_id{after + 1}, look);
  t.runs.down(core::run_id{after == 0 ? std::numeric_limits<std::int64_t>::max() : after - 1}, look);
}

template <class Map, class Id = core::run_id>
std::vector<std::int64_t> ids_between(const Map& map, id_span span) {
  std::vector<std::int64_t> found;
  map.down(Id{span.last}, [&](Id id, const auto&) {
    if (id.value < span.first || found.size() > candidates_shown) return false;
    found.push_back(id.value);
    return true;
  });
  return found;
}

}  // namespace

core::result<core::run> memory_reader::find_run(core::run_id id) {
  const auto t = disk_->read();
  const auto row = t->runs.find(id);
  if (!row) return no_run(id);
  return core::run{row->head, t->specs.find(row->head.spec)};
}

core::result<core::run> memory_reader::find_run_by_text(const std::string& text) {
  constexpr auto prefix = core::run_tag::prefix;
  const auto t = disk_->read();
  std::string digits = text;
  if (!looks_like_id(prefix, text)) {
    core::run_id named;
    t->runs.down([&](core::run_id id, const run_row& row) {
      if (row.head.name == text) named = id;
      return !named;
    });
    if (named) return find_run(named);
    digits = std::string{prefix} + text;
    if (!ids_meant(prefix, digits)) return nothing_named("run", text);
  }
  const auto meant = ids_meant(prefix, digits);
  if (!meant) return meant.error();
  const auto one = the_one("run", prefix, text, ids_between(t->runs, *meant));
  if (!one) return one.error();
  return find_run(core::run_id{*one});
}

core::result<std::vector<std::string>> memory_reader::names_of(const std::vector<core::run_id>& runs) {
  const auto t = disk_->read();
  std::vector<std::string> names;
  names.reserve(runs.size());
  for (const auto run : runs) {
    const auto row = t->runs.find(run);
    names.push_back(row ? row->head.name : std::string{});
  }
  return names;
}

core::result<core::run_page> memory_reader::list_runs(const core::run_filter& filter,
                                                      const core::page_request& page) {
  const auto t = disk_->read();
  core::run_page answer;
  walk(*t, filter, page.sort, page.after, [&](const run_row& row) {
    if (answer.runs.size() == page.limit) {
      answer.next = answer.runs.empty() ? 0 : answer.runs.back().head.id.value;
      return false;
    }
    auto spec = *t->specs.find(row.head.spec);
    spec.payload.clear();
    answer.runs.push_back({row.head, std::make_shared<const core::run_spec>(std::move(spec))});
    return true;
  });
  return answer;
}

core::result<std::vector<core::run_id>> memory_reader::ids_of(const core::run_filter& filter,
                                                              std::size_t limit) {
  const auto t = disk_->read();
  std::vector<core::run_id> ids;
  walk(*t, filter, core::run_sort::oldest, 0, [&](const run_row& row) {
    if (ids.size() == limit) return false;
    ids.push_back(row.head.id);
    return true;
  });
  return ids;
}

core::result<std::vector<core::attempt_record>> memory_reader::attempts_of(core::run_id id) {
  std::vector<core::attempt_record> found;
  disk_->read()->attempts.up({id, 0}, [&](const auto& key, const core::attempt_record& a) {
    if (key.first != id) return false;
    found.push_back(a);
    return true;
  });
  return found;
}

core::result<std::vector<core::evidence>> memory_reader::evidence_of(core::run_id id) {
  std::vector<core::evidence> found;
  disk_->read()->evidence.up({id, 0}, [&](const auto& key, const core::evidence& e) {
    if (key.first != id) return false;
    found.push_back(e);
    return true;
  });
  return found;
}

core::result<std::vector<core::attempt_record>> memory_reader::late_results_of(core::run_id id) {
  std::vector<core::attempt_record> found;
  disk_->read()->late.up({id, 0}, [&](const auto& key, const core::attempt_record& a) {
    if (key.first != id) return false;
    found.push_back(a);
    return true;
  });
  return found;
}

core::result<std::optional<core::checkpoint>> memory_reader::checkpoint_of(core::run_id id) {
  const auto found = disk_->read()->checkpoints.find(id);
  return found ? std::optional{*found} : std::nullopt;
}

core::result<log_page> memory_reader::logs(core::run_id id, const log_request& which) {
  const auto t = disk_->read();
  const auto row = t->runs.find(id);
  if (!row) return no_run(id);
  log_page page;
  page.last_attempt = row->head.attempt;
  page.attempt_live = leased(row->head.state) && (which.attempt == 0 || which.attempt == page.last_attempt);
  const bool tail = which.tail > 0;
  const auto limit = tail ? std::min(which.tail, which.limit) : which.limit;
  t->logs.up({id, which.after_attempt, which.after_number}, [&](const auto&, const core::log_line& line) {
    if (line.run != id) return false;
    if (line.attempt == which.after_attempt && line.number == which.after_number) return true;
    if (which.attempt != 0 && line.attempt != which.attempt) return line.attempt < which.attempt;
    if (line.level < which.least) return true;
    if (!tail && page.lines.size() == limit) return false;
    page.lines.push_back(line);
    return true;
  });
  if (page.lines.size() > limit)
    page.lines.erase(page.lines.begin(), page.lines.end() - static_cast<std::ptrdiff_t>(limit));
  t->log_sizes.up({id, which.after_attempt}, [&](const auto& key, const log_size& size) {
    if (key.first != id) return false;
    const auto attempt = key.second;
    if (which.attempt != 0 && attempt != which.attempt) return attempt < which.attempt;
    if (!page.lines.empty() && attempt > page.lines.front().attempt) return false;
    // Numbers count from 1, so the first line that is kept tells how many are not.
    std::uint64_t dropped = size.dropped;
    t->logs.up({id, attempt, 0}, [&](const auto&, const core::log_line& line) {
      if (line.run == id && line.attempt == attempt) dropped = line.number - 1;
      return false;
    });
    page.dropped_lines +=
        dropped - (attempt == which.after_attempt ? std::min(dropped, which.after_number) : 0);
    return true;
  });
  return page;
}

core::result<core::job> memory_reader::find_job(core::job_id id) {
  const auto j = disk_->read()->jobs.find(id);
  if (!j) return failure{errc::not_found, "there is no job " + core::to_string(id), {}, "belfry job list"};
  return *j;
}

core::result<core::job> memory_reader::find_job_by_text(const std::string& text) {
  constexpr auto prefix = core::job_tag::prefix;
  const auto t = disk_->read();
  core::job_id living, archived;
  t->jobs.up([&](core::job_id id, const core::job& j) {
    if (j.definition->name == text) (j.state == core::job_state::archived ? archived : living) = id;
    return true;
  });
  if (living || archived) return find_job(living ? living : archived);
  const bool full = looks_like_id(prefix, text);
  const auto meant = ids_meant(prefix, full ? text : std::string{prefix} + text);
  if (!meant) return full ? meant.error() : nothing_named("job", text);
  const auto one =
      the_one("job", prefix, text, ids_between<decltype(t->jobs), core::job_id>(t->jobs, *meant));
  if (!one) return one.error();
  return find_job(core::job_id{*one});
}

core::result<job_page> memory_reader::list_jobs(bool archived_too, const std::string& piece,
                                                std::size_t limit, std::int64_t after) {
  job_page page;
  disk_->read()->jobs.up(core::job_id{after + 1}, [&](core::job_id, const core::job& j) {
    if (!archived_too && j.state == core::job_state::archived) return true;
    if (!name_contains(j.definition->name, piece)) return true;
    if (page.jobs.size() == limit) {
      page.next = page.jobs.empty() ? 0 : page.jobs.back().id.value;
      return false;
    }
    page.jobs.push_back(j);
    return true;
  });
  return page;
}

core::result<core::occurrence_page> memory_reader::occurrences_of(core::job_id id, core::instant before,
                                                                  std::size_t limit) {
  const auto t = disk_->read();
  const auto upto = before == core::never ? core::end_of_time + core::span{1} : before;
  std::vector<core::occurrence_line> made, skipped;
  t->occurrences.up({id, core::never}, [&](const auto& key, const core::occurrence& o) {
    if (key.first != id || key.second >= upto) return false;
    const auto run = t->runs.find(o.run);
    if (run) made.push_back({o, run->head.state, run->head.reason, {}});
    return true;
  });
  t->skips.up({id, 0}, [&](const auto& key, const core::skip_record& s) {
    if (key.first != id) return false;
    if (s.range.last < upto) skipped.push_back({{}, core::run_state::queued, {}, s});
    return true;
  });
  std::reverse(made.begin(), made.end());
  std::sort(skipped.begin(), skipped.end(), [](const auto& a, const auto& b) {
    return std::pair{a.at(), a.skipped.number} > std::pair{b.at(), b.skipped.number};
  });
  if (made.size() > limit + 1) made.resize(limit + 1);
  if (skipped.size() > limit + 1) skipped.resize(limit + 1);
  return page_of(std::move(made), std::move(skipped), limit);
}

core::result<std::vector<core::job_due>> memory_reader::due_jobs(core::job_id after, std::size_t limit) {
  std::vector<core::job_due> found;
  disk_->read()->jobs.up(core::job_id{after.value + 1}, [&](core::job_id id, const core::job& j) {
    if (j.due != core::never)
      found.push_back({id, j.due, core::timing_number_of(j.definition->timing.schedule)});
    return found.size() < limit;
  });
  return found;
}

core::result<std::vector<core::event_waiter>> memory_reader::event_waiters(core::job_id after,
                                                                           std::size_t limit) {
  const auto t = disk_->read();
  std::vector<core::event_waiter> found;
  t->holds.up(core::job_id{after.value + 1}, [&](core::job_id id, const core::event_hold& hold) {
    if (const auto j = t->jobs.find(id))
      found.push_back({id, j->definition->name, j->state, j->definition->timing.schedule, hold});
    return found.size() < limit;
  });
  return found;
}

core::result<core::scheduled_page> memory_reader::scheduled_jobs(core::job_id after, std::size_t limit,
                                                                 const std::string& key) {
  const auto t = disk_->read();
  core::scheduled_page page;
  std::size_t looked = 0;
  t->jobs.up(core::job_id{after.value + 1}, [&](core::job_id id, const core::job& j) {
    ++looked;
    const auto& schedule = j.definition->timing.schedule;
    const bool member = !schedule.empty() &&
                        (j.state == core::job_state::active || j.state == core::job_state::paused) &&
                        (key.empty() || core::timing_key_of(schedule) == key);
    if (member) {
      core::scheduled_job found{id, j.definition->name, j.state, schedule, j.due, core::never, {}, {}};
      t->occurrences.down({id, core::end_of_time}, [&](const auto& at, const core::occurrence&) {
        if (at.first == id) found.fired = at.second;
        return false;
      });
      t->of_job.down({id, core::run_id{std::numeric_limits<std::int64_t>::max()}},
                     [&](const auto& at, const nothing&) {
                       if (at.first == id) found.last_run = at.second;
                       return false;
                     });
      if (found.last_run)
        if (const auto row = t->runs.find(found.last_run)) found.last_state = row->head.state;
      page.jobs.push_back(std::move(found));
    }
    if (page.jobs.size() < limit && looked < schedules_looked_at) return true;
    page.next = id;
    return false;
  });
  return page;
}

core::result<std::vector<core::calendar_facts>> memory_reader::list_calendars(
    const std::vector<std::string>& names, bool content) {
  const auto t = disk_->read();
  std::vector<core::calendar_facts> all;
  t->calendars.up([&](const std::string& name, const core::named_calendar& c) {
    if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end()) return true;
    core::calendar_facts f;
    f.calendar = c;
    if (!content) f.calendar.content = f.calendar.previous = nullptr;
    t->calendar_uses.up({name, core::job_id{}}, [&](const auto& key, std::uint32_t revision) {
      if (key.first != name) return false;
      ++f.used_by;
      if (revision < c.revision) ++f.planning;
      if (const auto j = t->jobs.find(key.second); j && f.jobs.size() < calendar_users_told)
        f.jobs.push_back({key.second, j->definition->name});
      return true;
    });
    t->windows.up([&](const std::string&, const core::window& w) {
      if (core::names_calendar(w.schedule, name)) f.windows.push_back(w.name);
      return true;
    });
    all.push_back(std::move(f));
    return true;
  });
  return all;
}

core::result<std::vector<core::window>> memory_reader::list_windows() {
  std::vector<core::window> all;
  disk_->read()->windows.up([&](const std::string&, const core::window& w) {
    all.push_back(w);
    return true;
  });
  return all;
}

core::result<std::vector<core::cluster_node>> memory_reader::list_nodes() {
  std::vector<core::cluster_node> all;
  disk_->read()->nodes.up([&](const std::string&, const core::cluster_node& n) {
    all.push_back(n);
    return true;
  });
  return all;
}

core::result<std::vector<core::session>> memory_reader::list_sessions(bool gone_too) {
  std::vector<core::session> found;
  disk_->read()->sessions.up([&](core::session_id, const core::session& s) {
    if (gone_too || s.state != core::session_state::gone) found.push_back(s);
    return true;
  });
  return found;
}

core::result<std::vector<core::run_head>> memory_reader::leases_of(core::session_id who) {
  const auto t = disk_->read();
  std::vector<core::run_head> found;
  t->open.up([&](core::run_id id, const nothing&) {
    const auto row = t->runs.find(id);
    if (leased(row->head.state) && (!who || row->head.held.holder == who)) found.push_back(row->head);
    return true;
  });
  return found;
}

core::result<core::session> memory_reader::find_session(core::session_id id) {
  const auto s = disk_->read()->sessions.find(id);
  if (!s)
    return failure{errc::not_found, "there is no session " + core::to_string(id), {}, "belfry session list"};
  return *s;
}

core::result<std::vector<core::spawned_worker>> memory_reader::list_workers(const worker_filter& filter) {
  std::vector<core::spawned_worker> found;
  disk_->read()->workers.down([&](core::session_id, const core::spawned_worker& w) {
    if (found.size() == filter.limit) return false;
    if ((!filter.run || w.run == filter.run) &&
        (filter.agent_type.empty() || w.agent_type == filter.agent_type) &&
        (filter.ended_too || w.state != core::worker_state::ended))
      found.push_back(w);
    return true;
  });
  return found;
}

core::result<event_page> memory_reader::events_after(std::int64_t seq, std::size_t limit,
                                                     const event_filter& filter) {
  const auto t = disk_->read();
  event_page page;
  page.last_scanned = seq;
  t->events.up([&](std::int64_t oldest, const core::event&) {
    page.oldest_kept = oldest;
    return false;
  });
  std::size_t looked = 0;
  t->events.up(seq + 1, [&](std::int64_t number, const core::event& e) {
    if (page.events.size() == limit || looked++ == events_scanned) return false;
    page.last_scanned = number;
    if (matches(filter, e)) page.events.push_back(e);
    return true;
  });
  return page;
}

core::result<batch_summary> memory_reader::find_batch(core::batch_id id) {
  batch_summary b;
  b.id = id;
  core::run_filter filter;
  filter.batch = id;
  const auto t = disk_->read();
  walk(*t, filter, core::run_sort::oldest, 0, [&](const run_row& row) {
    ++b.by_state.at(static_cast<std::size_t>(row.head.state));
    if (b.total++ == 0 || row.head.created_at < b.created_at) b.created_at = row.head.created_at;
    return true;
  });
  if (b.total == 0)
    return failure{errc::not_found, "there is no batch " + core::to_string(id), {}, "belfry run list"};
  return b;
}

core::result<core::run_statistics> memory_reader::statistics(const core::run_filter& filter) {
  const auto t = disk_->read();
  core::run_statistics answer;
  std::vector<finished_sample> samples;
  walk(*t, filter, core::run_sort::newest, 0, [&](const run_row& row) {
    const auto& h = row.head;
    ++answer.by_state.at(static_cast<std::size_t>(h.state));
    if (h.state == core::run_state::queued) ++answer.queued_by_priority.at(static_cast<std::size_t>(h.prio));
    if (!terminal(h.state) || samples.size() == finished_considered) return true;
    finished_sample s;
    s.state = h.state;
    s.created = h.created_at;
    s.eligible = h.eligible_since;
    s.ended = h.ended_at;
    if (const auto a = t->attempts.find({h.id, h.attempt})) {
      s.claimed = a->claimed_at;
      s.started = a->started_at;
      s.over = a->ended_at;
    }
    s.id = h.id;
    if (core::ended_badly(h.state)) {
      s.klass = h.last_class;
      s.reason = h.reason;
    }
    samples.push_back(std::move(s));
    return true;
  });
  summarise(samples, answer);
  return answer;
}

core::result<std::optional<core::starvation>> memory_reader::starvation_of(core::run_id id) {
  const auto row = disk_->read()->starving.find(id);
  return row ? std::optional{*row} : std::nullopt;
}

core::result<std::vector<core::starvation>> memory_reader::starvations(core::run_id after,
                                                                       std::size_t limit) {
  std::vector<core::starvation> rows;
  disk_->read()->starving.up(core::run_id{after.value + 1}, [&](core::run_id, const core::starvation& row) {
    if (rows.size() < limit) rows.push_back(row);
    return rows.size() < limit;
  });
  return rows;
}

core::result<core::ladder_clock> memory_reader::ladder_clock() {
  const auto text = disk_->read()->notes.find(codec::clock_note);
  return codec::decode_clock(text ? std::string_view{*text} : std::string_view{});
}

core::result<core::cycle_statistics> memory_reader::cycle_statistics() {
  const auto text = disk_->read()->notes.find(codec::statistics_note);
  return codec::decode_statistics(text ? std::string_view{*text} : std::string_view{});
}

core::result<store_facts> memory_reader::facts() {
  const auto t = disk_->read();
  store_facts f;
  f.kind = "memory";
  f.durability = "none";
  f.last_event = t->counted.last_event;
  f.runs_by_state = t->counted.states;
  t->jobs.up([&](core::job_id, const core::job& j) {
    f.jobs += j.state == core::job_state::archived ? 0 : 1;
    return true;
  });
  t->runs.up([&](core::run_id, const run_row& row) {
    const auto& h = row.head;
    if (!core::ended_badly(h.state) || h.successor || h.discarded) return true;
    if (f.dead_letters++ == 0 || h.ended_at < f.oldest_dead_letter) f.oldest_dead_letter = h.ended_at;
    return true;
  });
  for (const auto kind : core::all_event_kinds())
    f.totals.emplace_back(core::to_text(kind), t->counted.totals.at(static_cast<std::size_t>(kind)));
  f.boots = t->boots;
  f.booted_at = t->booted_at;
  f.created_at = t->created_at;
  return f;
}

core::result<core::store_copy> memory_reader::copy_to(const std::string&) {
  return core::failure{core::errc::invalid, "a store in memory has no file that could be copied", {}, {}};
}

core::result<core::store_check> memory_reader::check() {
  const auto t = disk_->read();
  core::store_check found;
  found.last_event = t->counted.last_event;
  std::array<std::int64_t, core::run_state_count> states{};
  t->runs.up([&](core::run_id, const run_row& row) {
    ++states.at(static_cast<std::size_t>(row.head.state));
    ++found.runs;
    return true;
  });
  for (std::size_t i = 0; i < states.size(); ++i)
    if (states.at(i) != t->counted.states.at(i))
      found.problems.push_back("the counter of runs in state " +
                               std::string{core::to_text(static_cast<core::run_state>(i))} + " says " +
                               std::to_string(t->counted.states.at(i)) + ", the rows say " +
                               std::to_string(states.at(i)));
  return found;
}

}  // namespace belfry::storage::memory
