#include "core/run/run.hpp"

#include <array>

namespace belfry::core {

std::string_view to_text(log_stream s) {
  switch (s) {
    case log_stream::out: return "stdout";
    case log_stream::err: return "stderr";
    case log_stream::node: return "node";
  }
  return "unknown";
}

namespace {

constexpr std::array<std::string_view, 5> level_names{"", "debug", "info", "warn", "error"};

}  // namespace

std::string_view to_text(log_level l) {
  const auto i = static_cast<std::size_t>(l);
  return i < level_names.size() ? level_names[i] : std::string_view{"unknown"};
}

std::optional<log_level> log_level_from(std::string_view text) {
  for (std::size_t i = 1; i < level_names.size(); ++i)
    if (level_names[i] == text) return static_cast<log_level>(i);
  return std::nullopt;
}

}  // namespace belfry::core
