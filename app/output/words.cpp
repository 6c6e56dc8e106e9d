#include "app/output/words.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <limits>

#include "core/time/text.hpp"

namespace belfry::app {
namespace {

// Two units at most: nobody needs the seconds of a day.
std::string coarse(std::int64_t seconds) {
  struct unit {
    std::int64_t size;
    char name;
  };
  constexpr std::array<unit, 4> units{{{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}};
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (seconds < units[i].size && i + 1 < units.size()) continue;
    std::string text = std::to_string(seconds / units[i].size) + units[i].name;
    if (i + 1 == units.size()) return text;
    const std::int64_t rest = seconds % units[i].size / units[i + 1].size;
    if (rest > 0) text += std::to_string(rest) + units[i + 1].name;
    return text;
  }
  return "0s";
}

std::string decimal(double value, const char* unit) {
  std::array<char, 48> buffer{};
  const bool whole = value >= 9.95 || value - std::floor(value) < 0.05;
  std::snprintf(buffer.data(), buffer.size(), whole ? "%.0f%s" : "%.1f%s", value, unit);
  return buffer.data();
}

}  // namespace

core::instant now() { return std::chrono::time_point_cast<core::span>(std::chrono::system_clock::now()); }

std::string ago(core::instant at, core::instant now) {
  if (at == core::never) return "";
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - at).count();
  if (seconds >= 1) return coarse(seconds) + " ago";
  if (seconds <= -1) return "in " + coarse(-seconds);
  return "now";
}

std::string ago(std::string_view rfc3339, core::instant now) {
  if (rfc3339.empty()) return "";
  const auto at = core::parse_instant(rfc3339);
  return at ? ago(*at, now) : std::string(rfc3339);
}

std::string lasting(std::int64_t milliseconds) {
  if (milliseconds < 1000) return std::to_string(milliseconds) + "ms";
  if (milliseconds < 60'000) return decimal(static_cast<double>(milliseconds) / 1000.0, "s");
  return coarse(milliseconds / 1000);
}

std::string sized(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> units{" B", " KiB", " MiB", " GiB", " TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1023.5 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return decimal(value, units[unit]);
}

core::result<std::uint64_t> parse_size(std::string_view text) {
  const core::failure wrong{
      core::errc::invalid, "a size is a whole number with an optional unit: 4096, 500k, 64MiB, 2GiB", {}, {}};
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return wrong;
  std::string unit(end, text.data() + text.size());
  for (char& c : unit)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  struct row {
    std::string_view name;
    std::uint64_t factor;
  };
  constexpr std::array<row, 14> units{{{"", 1},
                                       {"b", 1},
                                       {"k", 1024},
                                       {"kb", 1000},
                                       {"kib", 1024},
                                       {"m", 1024 * 1024},
                                       {"mb", 1'000'000},
                                       {"mib", 1024 * 1024},
                                       {"g", 1ULL << 30U},
                                       {"gb", 1'000'000'000},
                                       {"gib", 1ULL << 30U},
                                       {"t", 1ULL << 40U},
                                       {"tb", 1'000'000'000'000},
                                       {"tib", 1ULL << 40U}}};
  for (const auto& each : units) {
    if (unit != each.name) continue;
    if (number > std::numeric_limits<std::uint64_t>::max() / each.factor) return wrong;
    return number * each.factor;
  }
  return wrong;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 4> units{"KiB", "MiB", "GiB", "TiB"};
  std::string unit;
  for (const char* each : units) {
    if (bytes == 0 || bytes % 1024 != 0) break;
    bytes /= 1024;
    unit = each;
  }
  return std::to_string(bytes) + unit;
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string all;
  for (const auto& part : parts) {
    if (!all.empty()) all += between;
    all += part;
  }
  return all;
}

colour colour_of_state(std::string_view state) {
  if (state == "succeeded" || state == "healthy" || state == "active" || state == "up") return colour::green;
  if (state == "failed" || state == "timed_out" || state == "lost" || state == "unhealthy" ||
      state == "given_up")
    return colour::red;
  if (state == "retrying" || state == "needs_attention" || state == "degraded" || state == "paused" ||
      state == "stale")
    return colour::yellow;
  if (state == "running" || state == "claimed") return colour::cyan;
  if (state == "cancelled" || state == "skipped" || state == "gone" || state == "archived")
    return colour::dim;
  return colour::none;
}

}  // namespace belfry::app
