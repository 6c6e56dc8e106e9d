// REMAINS: what the trials of this suite look at afterwards, and how they are told how long to go on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/http_client.hpp"

namespace belfry::test {

// From the environment: BELFRY_SEED, BELFRY_ROUNDS …
std::uint64_t number_from(const char* variable, std::uint64_t usual);
bool long_form();  // BELFRY_LONG=1

std::vector<json> all_runs(http_client& http);

// What commands have written when they began, in order: "run attempt fencing" per line.
struct diary_entry {
  std::string run;
  std::uint64_t attempt = 0, fencing = 0;
};
std::vector<diary_entry> read_diary(const std::string& path);

}  // namespace belfry::test
