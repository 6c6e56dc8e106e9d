// docs/diagnostics.md is the catalogue, code by code; and no code that the sources say is missing in it.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/diagnostics/catalogue.hpp"

using namespace belfry::core;
namespace fs = std::filesystem;

namespace {

std::string source_folder() {
  const auto here = fs::path{__FILE__}.parent_path().parent_path().parent_path();
  return fs::exists(here / "docs/diagnostics.md") ? here.string() : ".";
}

std::string text_of(const fs::path& file) {
  std::ifstream in{file};
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

std::string row_of(const diagnostic& d) {
  const auto cell = [](std::string_view text) { return " " + std::string{text} + " |"; };
  return "| `" + std::string{d.code} + "` |" + cell(d.meaning) + cell(d.lift) +
         (d.command.empty() ? std::string{"  |"} : cell("`" + std::string{d.command} + "`"));
}

// First texts of {"code", … in lists of reasons, or of found("code", … and about("code", …
std::set<std::string> codes_in(const fs::path& file, const std::string& pattern) {
  const auto text = text_of(file);
  std::set<std::string> codes;
  const std::regex shape{pattern};
  for (auto it = std::sregex_iterator{text.begin(), text.end(), shape}; it != std::sregex_iterator{}; ++it)
    codes.insert((*it)[1].str());
  return codes;
}

}  // namespace

TEST_CASE("docs/diagnostics.md: every code of the catalogue, in its order, and no other", "[core][docs]") {
  const auto page = text_of(source_folder() + "/docs/diagnostics.md");
  for (const auto area : {diagnostic_area::wait, diagnostic_area::session, diagnostic_area::doctor}) {
    auto at = page.find("<!-- " + std::string{to_text(area)} + " -->");
    REQUIRE(at != std::string::npos);
    const auto end = page.find("\n## ", at);
    const auto section = page.substr(at, end == std::string::npos ? end : end - at);
    std::vector<std::string> rows;
    std::istringstream lines{section};
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("| `")) rows.push_back(line);
    std::vector<std::string> expected;
    for (const auto& d : all_diagnostics())
      if (d.area == area) expected.push_back(row_of(d));
    CHECK(rows == expected);
  }
}

TEST_CASE("diagnostics: every code that the sources say is in the catalogue", "[core][docs]") {
  const auto root = source_folder();
  struct source {
    const char* file;
    diagnostic_area area;
    const char* pattern;
    std::size_t least;
  };
  const std::vector<source> sources{
      {"core/run/machine_make.cpp", diagnostic_area::wait, R"x(wait_reason\{\s*"([a-z_]+)")x", 5},
      {"core/run/machine_make.cpp", diagnostic_area::wait, R"x(delayed\(\s*"([a-z_]+)")x", 3},
      {"core/queue/board.cpp", diagnostic_area::wait, R"x(\{\s*"([a-z_]+)",)x", 3},
      {"core/queue/ready_view.cpp", diagnostic_area::wait, R"x(\{\s*"([a-z_]+)",)x", 4},
      {"actors/dispatcher/explain.cpp", diagnostic_area::wait, R"x(\{\s*"([a-z_]+)",)x", 4},
      {"core/pause/pauses.cpp", diagnostic_area::wait, R"x(return "([a-z_]+_paused)")x", 4},
      {"core/pause/pauses.cpp", diagnostic_area::session, R"x(return "([a-z_]+_paused)")x", 4},
      {"core/session/session.cpp", diagnostic_area::session, R"x(no\(\s*"([a-z_]+)")x", 8},
      {"core/session/session.cpp", diagnostic_area::session, R"x(return "(session_[a-z]+)")x", 4},
      {"core/queue/board.cpp", diagnostic_area::session, R"x(\{\s*"([a-z_]+)",)x", 3},
      {"core/doctor/doctor.cpp", diagnostic_area::doctor, R"x((?:found|about)\(\s*"([a-z_]+)")x", 20},
      {"app/commands/doctor.cpp", diagnostic_area::doctor, R"x(add\(\s*"([a-z_]+)")x", 6},
  };
  for (const auto& s : sources) {
    const auto codes = codes_in(root + "/" + s.file, s.pattern);
    INFO(s.file << " " << s.pattern);
    CHECK(codes.size() >= s.least);
    for (const auto& code : codes) {
      INFO(code);
      CHECK(find_diagnostic(s.area, code) != nullptr);
    }
  }
}
