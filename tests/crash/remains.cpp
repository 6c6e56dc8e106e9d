#include "tests/crash/remains.hpp"

#include <cstdlib>
#include <sstream>

#include "tests/support/real_node.hpp"

namespace belfry::test {

std::uint64_t number_from(const char* variable, std::uint64_t usual) {
  const char* text = std::getenv(variable);
  return text != nullptr && *text != '\0' ? std::stoull(text) : usual;
}

bool long_form() {
  const char* text = std::getenv("BELFRY_LONG");
  return text != nullptr && std::string{text} == "1";
}

std::vector<json> all_runs(http_client& http) {
  std::vector<json> runs;
  std::string cursor;
  do {
    const auto page =
        http.get_json("/v1/runs?limit=500&sort=oldest" + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const auto& r : page.at("runs")) runs.push_back(r);
    cursor = page.at("next_cursor").is_string() ? page.at("next_cursor").get<std::string>() : "";
  } while (!cursor.empty());
  return runs;
}

std::vector<diary_entry> read_diary(const std::string& path) {
  std::vector<diary_entry> all;
  std::istringstream in(read_text(path));
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    diary_entry e;
    if (words >> e.run >> e.attempt >> e.fencing) all.push_back(e);
  }
  return all;
}

}  // namespace belfry::test
