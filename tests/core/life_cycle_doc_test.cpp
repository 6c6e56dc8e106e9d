#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/run/state.hpp"

using namespace belfry::core;

namespace {

std::string folder() {
#ifdef BELFRY_SOURCE_DIR
  return BELFRY_SOURCE_DIR;
#else
  // tests/core/this_file.cpp is two folders below the source; a relative __FILE__ is relative to it.
  const auto here = std::filesystem::path{__FILE__}.parent_path().parent_path().parent_path();
  return std::filesystem::exists(here / "docs/life-cycle.md") ? here.string() : ".";
#endif
}

// The cells of the table after a marker, without the two lines of its head.
std::vector<std::vector<std::string>> table_after(const std::string& marker) {
  std::ifstream in{folder() + "/docs/life-cycle.md"};
  REQUIRE(in.good());
  std::vector<std::vector<std::string>> rows;
  std::string line;
  while (std::getline(in, line) && line != "<!-- " + marker + " -->") continue;
  while (std::getline(in, line) && line.empty()) continue;
  std::getline(in, line);  // |---|
  while (std::getline(in, line) && line.starts_with("|")) {
    std::vector<std::string> cells;
    for (std::size_t at = 1; at < line.size();) {
      const auto end = line.find('|', at);
      if (end == std::string::npos) break;
      auto cell = line.substr(at, end - at);
      std::erase(cell, '`');
      cell.erase(0, cell.find_first_not_of(' '));
      cell.erase(cell.find_last_not_of(' ') + 1);
      cells.push_back(cell);
      at = end + 1;
    }
    rows.push_back(cells);
  }
  return rows;
}

}  // namespace

TEST_CASE("docs/life-cycle.md: the states are those of the code", "[core][docs]") {
  const auto rows = table_after("states");
  REQUIRE(rows.size() == all_run_states().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto s = all_run_states()[i];
    REQUIRE(rows[i].size() == 3);
    CHECK(rows[i][0] == to_text(s));
    CHECK(rows[i][1] == (terminal(s) ? "terminal" : leased(s) ? "leased" : "open"));
    CHECK_FALSE(rows[i][2].empty());
  }
}

TEST_CASE("docs/life-cycle.md: the transitions are those of the code", "[core][docs]") {
  const auto rows = table_after("transitions");
  REQUIRE(rows.size() == transitions().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& t = transitions()[i];
    INFO(to_text(t.from) << " to " << to_text(t.to));
    CHECK(rows[i] == std::vector<std::string>{std::string{to_text(t.from)}, std::string{to_text(t.to)},
                                              std::string{t.by}});
  }
}

TEST_CASE("docs/life-cycle.md: the failure classes are those of the code", "[core][docs]") {
  const auto rows = table_after("classes");
  REQUIRE(rows.size() == 9);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto c = static_cast<failure_class>(i);
    REQUIRE(rows[i].size() == 3);
    CHECK(rows[i][0] == to_text(c));
    CHECK(rows[i][1] == (class_retries(c) ? "yes" : "no"));
  }
}
