#include <string>

#include "storage/codec/ladder.hpp"
#include "storage/sqlite/reader_parts.hpp"
#include "storage/sqlite/row_mapping.hpp"

namespace belfry::storage::sqlite {
namespace {

std::string note_named(SQLite::Database& db, const char* name) {
  query q{db, "select value from settings where name = ?1"};
  q.bind(1, std::string_view{name});
  return q.step() ? std::string{q.text(0)} : std::string{};
}

std::string select_starvation(const char* rest) {
  return "select " + std::string{starvation_columns} + " from starvation " + rest;
}

}  // namespace

core::result<std::optional<core::starvation>> sqlite_reader::starvation_of(core::run_id id) {
  using answer = std::optional<core::starvation>;
  return reading<answer>("read the ladder", [&]() -> core::result<answer> {
    query q{*db_, select_starvation("where run = ?1")};
    q.bind(1, id.value);
    if (!q.step()) return answer{};
    return answer{read_starvation(q)};
  });
}

core::result<std::vector<core::starvation>> sqlite_reader::starvations(core::run_id after,
                                                                       std::size_t limit) {
  using answer = std::vector<core::starvation>;
  return reading<answer>("read the ladder", [&]() -> core::result<answer> {
    query q{*db_, select_starvation("where run > ?1 order by run limit ?2")};
    q.bind(1, after.value);
    q.bind(2, static_cast<std::int64_t>(limit));
    answer rows;
    while (q.step()) rows.push_back(read_starvation(q));
    return rows;
  });
}

core::result<core::ladder_clock> sqlite_reader::ladder_clock() {
  return reading<core::ladder_clock>("read the ladder", [&]() -> core::result<core::ladder_clock> {
    return codec::decode_clock(note_named(*db_, codec::clock_note));
  });
}

core::result<core::cycle_statistics> sqlite_reader::cycle_statistics() {
  return reading<core::cycle_statistics>("read the figures", [&]() -> core::result<core::cycle_statistics> {
    return codec::decode_statistics(note_named(*db_, codec::statistics_note));
  });
}

}  // namespace belfry::storage::sqlite
