// LOG: lines on stderr: for people on a terminal, JSON elsewhere. Events, not prose: key first, then fields
// ("lease-expired run=… fencing=4"). spdlog is seen by log.cpp only. Safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/options/configuration.hpp"

namespace belfry::app {

void start_log(const logging_options& options);
void log_line(log_level level, std::string_view line);

// "key word… a=1 b="two words" rest" taken apart: the key, its fields, and what is neither.
struct log_parts {
  std::string key;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string rest;
};
log_parts take_apart(std::string_view line);
std::string as_json_line(std::string_view instant, std::string_view level, std::string_view line);

}  // namespace belfry::app
