#include "storage/sqlite/run_search.hpp"

#include <algorithm>
#include <set>

#include "storage/apply/lookup.hpp"
#include "storage/sqlite/row_mapping.hpp"

namespace belfry::storage::sqlite {
namespace {

using core::run_state;

// Up to here the runs of a state are looked through rather than those of a workspace.
constexpr std::int64_t few = 20'000;

const std::vector<run_state>& terminal_states() {
  static const std::vector<run_state> states{run_state::succeeded, run_state::failed,    run_state::timed_out,
                                             run_state::lost,      run_state::cancelled, run_state::skipped};
  return states;
}

std::string text_of(std::int64_t v) { return std::to_string(v); }

template <class Id>
std::string equals(std::string_view column, Id id) {
  return std::string{column} + (id.value == 0 ? std::string{" is null"} : " = " + text_of(id.value));
}

std::string marks(std::size_t n) {
  std::string text;
  for (std::size_t i = 0; i < n; ++i) text += i == 0 ? "?" : ", ?";
  return text;
}

std::string has_tags(std::size_t n) {
  return "exists (select 1 from run_tags x where x.run = r.id and x.tag in (" + marks(n) + "))";
}

}  // namespace

run_search::run_search(SQLite::Database& db, const core::run_filter& filter, const tallies& known) : db_{db} {
  choose_sources(filter, known);
  add_conditions(filter, known);
}

void run_search::add_source(std::string index, condition driver) {
  sources_.push_back(
      {"runs r " + std::move(index) + " left join leases l on l.run = r.id", "r.id", std::move(driver)});
}

void run_search::add_shelves(const std::vector<run_state>& states, bool dead_letters) {
  std::set<std::int64_t> shelves;
  for (const auto s : states) {
    shelves.insert(shelf_of(s));
    if (core::ended_badly(s) && !dead_letters) shelves.insert(shelf_of(s) + dealt_with);
  }
  for (const auto shelf : shelves) add_source("indexed by runs_shelf", {"r.shelf = " + text_of(shelf), {}});
}

void run_search::add_tags(const core::run_filter& f) {
  const bool all = !f.tags_all.empty();
  const auto& tags = all ? f.tags_all : f.tags_any;
  const auto count = all ? 1 : tags.size();  // of all tags, any one will do
  for (std::size_t i = 0; i < count; ++i) {
    condition driver{"t.tag = ?", {tags[i]}};
    const std::vector<std::string> earlier(tags.begin(), tags.begin() + static_cast<std::ptrdiff_t>(i));
    if (std::find(earlier.begin(), earlier.end(), tags[i]) != earlier.end()) continue;
    if (!earlier.empty()) {
      driver.sql += " and not " + has_tags(earlier.size());
      driver.texts.insert(driver.texts.end(), earlier.begin(), earlier.end());
    }
    sources_.push_back({"run_tags t cross join runs r on r.id = t.run left join leases l on l.run = r.id",
                        "t.run", std::move(driver)});
  }
}

void run_search::choose_sources(const core::run_filter& f, const tallies& known) {
  auto states = f.states;
  if (states.empty() && (f.ended_from || f.ended_to)) states = terminal_states();
  if (f.dead_letters) {
    if (states.empty()) states = {run_state::failed, run_state::timed_out, run_state::lost};
    std::erase_if(states, [](run_state s) { return !core::ended_badly(s); });
    if (states.empty()) return;  // nothing can be both
  }
  const bool live_only = !states.empty() && std::all_of(states.begin(), states.end(), core::leased);
  std::int64_t standing = 0;
  for (const auto s : states) standing += known.states[static_cast<std::size_t>(s)];
  const bool few_standing = !states.empty() && standing <= few;

  if (f.due_before) {
    add_source("indexed by runs_due", {"r.due < " + text_of(core::micros(*f.due_before)), {}});
  } else if (f.holder || live_only) {
    const std::string held = f.holder ? "l.holder = " + text_of(f.holder->value) : "1";
    sources_.push_back({"leases l cross join runs r on r.id = l.run", "l.run", {held, {}}});
  } else if (f.batch && *f.batch) {
    add_source("indexed by runs_batch", {equals("r.batch", *f.batch), {}});
  } else if (f.job && *f.job) {
    add_source("indexed by runs_job", {equals("r.job", *f.job), {}});
  } else if (few_standing) {
    add_shelves(states, f.dead_letters);
  } else if (!f.tags_all.empty() || !f.tags_any.empty()) {
    add_tags(f);
  } else if (f.lane && !f.lane->empty()) {
    add_source("indexed by runs_lane", {"r.lane = ?", {*f.lane}});
    add_source("indexed by runs_workspace", {"r.workspace = ? and r.lane is null", {*f.lane}});
  } else if (f.workspace && !f.workspace->empty()) {
    add_source("indexed by runs_workspace", {"r.workspace = ?", {*f.workspace}});
  } else if (!states.empty()) {
    add_shelves(states, f.dead_letters);
  } else {
    add_source("not indexed", {"1", {}});
  }
}

void run_search::also(std::string sql, std::vector<std::string> texts) {
  rest_.sql += " and " + std::move(sql);
  rest_.texts.insert(rest_.texts.end(), texts.begin(), texts.end());
}

void run_search::add_conditions(const core::run_filter& f, const tallies& known) {
  if (!f.states.empty()) {
    std::string list;
    for (const auto s : f.states) list += (list.empty() ? "" : ", ") + text_of(static_cast<std::int64_t>(s));
    also("r.state in (" + list + ")");
  }
  if (f.job) also(equals("+r.job", *f.job));
  if (f.batch) also(equals("+r.batch", *f.batch));
  if (f.workspace) also("ifnull(r.workspace, '') = ?", {*f.workspace});
  if (f.lane) also("coalesce(r.lane, r.workspace, '') = ?", {*f.lane});
  if (f.prio) also("r.prio = " + text_of(static_cast<std::int64_t>(*f.prio)));
  if (f.holder) also("l.holder = " + text_of(f.holder->value));
  if (!f.tags_any.empty()) also(has_tags(f.tags_any.size()), f.tags_any);
  for (const auto& tag : f.tags_all) also(has_tags(1), {tag});
  if (!f.name_contains.empty()) also("instr(lower(r.name), ?) > 0", {lower_case(f.name_contains)});
  if (f.created_from) {
    also("r.created >= " + text_of(core::micros(*f.created_from)));
    also("r.id >= " + text_of(least_id_made(*f.created_from - core::span{known.id_behind})));
  }
  if (f.created_to) {
    also("r.created < " + text_of(core::micros(*f.created_to)));
    also("r.id <= " + text_of(greatest_id_made(*f.created_to + core::span{known.id_ahead})));
  }
  if (f.ended_from) {
    also("r.ended >= " + text_of(core::micros(*f.ended_from)));
    also("r.id >= " +
         text_of(least_id_made(*f.ended_from - core::span{known.longest_life + known.id_behind})));
  }
  if (f.ended_to) {
    also("r.ended < " + text_of(core::micros(*f.ended_to)));
    also("r.id <= " +
         text_of(greatest_id_made(*f.ended_to + core::span{known.id_ahead - known.shortest_life})));
  }
  if (f.ended_from || f.ended_to) also("r.ended is not null");
  if (f.dead_letters) also("+r.shelf >= 9 and +r.shelf <= 11");
}

std::unique_ptr<query> run_search::prepare(const source& s, std::string_view select, std::string_view joins,
                                           const std::string& rest) const {
  auto q = std::make_unique<query>(db_, "select " + std::string{select} + " from " + s.from + " " +
                                            std::string{joins} + " where " + s.driver.sql + rest_.sql + rest);
  int at = 0;
  for (const auto& text : s.driver.texts) q->bind(++at, text);
  for (const auto& text : rest_.texts) q->bind(++at, text);
  return q;
}

void run_search::walk(std::string_view columns, std::string_view joins, core::run_sort sort,
                      std::int64_t after, std::size_t at_most,
                      const std::function<bool(const query&)>& each) {
  const bool newest = sort == core::run_sort::newest;
  std::vector<std::unique_ptr<query>> cursors;
  for (const auto& s : sources_) {
    std::string rest;
    if (after != 0) rest = " and " + s.id + (newest ? " < " : " > ") + text_of(after);
    rest += " order by " + s.id + (newest ? " desc" : " asc") + " limit " + std::to_string(at_most);
    auto q = prepare(s, s.id + ", " + std::string{columns}, joins, rest);
    if (q->step()) cursors.push_back(std::move(q));
  }
  const auto later = [newest](const auto& a, const auto& b) {
    return newest ? a->number(0) < b->number(0) : a->number(0) > b->number(0);
  };
  std::make_heap(cursors.begin(), cursors.end(), later);
  for (std::size_t count = 0; count < at_most && !cursors.empty(); ++count) {
    std::pop_heap(cursors.begin(), cursors.end(), later);
    auto& next = cursors.back();
    if (!each(*next)) return;
    if (next->step())
      std::push_heap(cursors.begin(), cursors.end(), later);
    else
      cursors.pop_back();
  }
}

void run_search::group(std::string_view columns, const std::function<void(const query&)>& each) {
  std::string groups;
  for (std::size_t i = 1; i <= static_cast<std::size_t>(std::count(columns.begin(), columns.end(), ',')) + 1;
       ++i)
    groups += (groups.empty() ? " group by " : ", ") + std::to_string(i);
  for (const auto& s : sources_) {
    auto q = prepare(s, std::string{columns} + ", count(*)", "", groups);
    while (q->step()) each(*q);
  }
}

}  // namespace belfry::storage::sqlite
