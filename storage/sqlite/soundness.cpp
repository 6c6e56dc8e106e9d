#include "storage/sqlite/soundness.hpp"

#include <string>

#include "storage/migrations/migrations.hpp"
#include "storage/sqlite/counters.hpp"
#include "storage/sqlite/query.hpp"

namespace belfry::storage::sqlite {
namespace {

constexpr std::size_t most_problems = 100;

void compare(std::vector<std::string>& problems, const std::string& what, std::int64_t counted,
             std::int64_t there) {
  if (counted == there) return;
  problems.push_back("the counter of " + what + " says " + std::to_string(counted) + ", the rows say " +
                     std::to_string(there));
}

}  // namespace

core::store_check examine(SQLite::Database& db) {
  core::store_check found;
  query pages{db, "pragma integrity_check(" + std::to_string(most_problems) + ")"};
  while (pages.step())
    if (pages.text(0) != "ok") found.problems.emplace_back(pages.text(0));
  found.schema = migrations::version_of(db);
  query size{db, "select page_count * page_size from pragma_page_count(), pragma_page_size()"};
  if (size.step()) found.bytes = size.as<std::uint64_t>(0);

  const auto counted = read_tallies(db);
  std::array<std::int64_t, core::run_state_count> states{};
  query by_state{db, "select state, count(*) from runs group by state"};
  while (by_state.step()) {
    const auto state = by_state.number(0);
    if (state < 0 || state >= static_cast<std::int64_t>(states.size())) {
      found.problems.push_back("there are runs in the unknown state " + std::to_string(state));
      continue;
    }
    states.at(static_cast<std::size_t>(state)) = by_state.number(1);
    found.runs += by_state.number(1);
  }
  for (std::size_t i = 0; i < states.size(); ++i)
    compare(found.problems, "runs in state " + std::string{core::to_text(static_cast<core::run_state>(i))},
            counted.states.at(i), states.at(i));
  query events{db, "select coalesce(max(seq), 0) from events"};
  if (events.step()) found.last_event = events.number(0);
  if (found.last_event > counted.last_event)
    compare(found.problems, "the last event", counted.last_event, found.last_event);
  return found;
}

}  // namespace belfry::storage::sqlite
