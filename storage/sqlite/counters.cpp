#include "storage/sqlite/counters.hpp"

namespace belfry::storage::sqlite {
namespace {

constexpr std::int64_t first_state = 1000;
constexpr std::int64_t first_priority = 1100;
constexpr std::int64_t last_id = 2000;
constexpr std::int64_t last_event = 2001;
constexpr std::int64_t id_ahead = 2002;
constexpr std::int64_t id_behind = 2003;
constexpr std::int64_t longest_life = 2004;
constexpr std::int64_t shortest_life = 2005;

// Calls `one(number in rows, field)` for every counter.
template <class Tallies, class One>
void each(Tallies& t, One one) {
  for (std::size_t i = 1; i < t.totals.size(); ++i) one(static_cast<std::int64_t>(i), t.totals[i]);
  for (std::size_t i = 0; i < t.states.size(); ++i)
    one(first_state + static_cast<std::int64_t>(i), t.states[i]);
  for (std::size_t i = 0; i < t.queued.size(); ++i)
    one(first_priority + static_cast<std::int64_t>(i), t.queued[i]);
  one(last_id, t.last_id);
  one(last_event, t.last_event);
  one(id_ahead, t.id_ahead);
  one(id_behind, t.id_behind);
  one(longest_life, t.longest_life);
  one(shortest_life, t.shortest_life);
}

}  // namespace

tallies read_tallies(SQLite::Database& db) {
  tallies t;
  query q{db, "select value from counters where id = ?1"};
  each(t, [&](std::int64_t id, std::int64_t& value) {
    const using_query use{q};
    q.bind(1, id);
    if (q.step()) value = q.number(0);
  });
  return t;
}

void write_tallies(writer& w, const tallies& before, const tallies& now) {
  std::array<std::int64_t, event_kind_room + core::run_state_count + core::priority_count + 6> old{};
  std::size_t at = 0;
  each(before, [&](std::int64_t, std::int64_t value) { old.at(at++) = value; });
  at = 0;
  each(now, [&](std::int64_t id, std::int64_t value) {
    if (old.at(at++) != value) w.put_counter(id, value);
  });
}

}  // namespace belfry::storage::sqlite
