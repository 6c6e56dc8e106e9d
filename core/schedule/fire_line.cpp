#include "core/schedule/fire_line.hpp"

#include <algorithm>
#include <charconv>

namespace belfry::core {

instant earliest(const fire_limit& limit, const std::vector<instant>& starts, instant from) {
  const std::size_t most = limit.most;
  if (most == 0) return from;
  // Any `most` starts within less than a window of each other keep further ones out until a window after the
  // first of them; before them only what comes a window before the last.
  for (auto at = from;;) {
    auto next = at;
    const auto reach = std::lower_bound(starts.begin(), starts.end(), later(at, -limit.window));
    const auto begin = static_cast<std::size_t>(reach - starts.begin());
    for (auto i = begin; i + most <= starts.size(); ++i) {
      const auto first = starts[i];
      if (first >= later(at, limit.window)) break;
      const auto last = std::max(starts[i + most - 1], at);
      if (last - std::min(first, at) < limit.window) next = std::max(next, later(first, limit.window));
    }
    if (next == at) return at;
    at = next;
  }
}

bool keep_limits(const std::vector<fire_line>& lines, planned_time& p, instant now) {
  const auto wanted = std::max(p.start, now);
  auto at = wanted;
  auto by = fire_scope::none;
  for (bool moved = true; moved;) {
    moved = false;
    for (const auto& line : lines) {
      const auto free_at = earliest(line.limit, line.starts, at);
      if (free_at == at) continue;
      at = free_at;
      by = line.scope;
      moved = true;
    }
  }
  if (at == wanted) return true;
  for (const auto& line : lines) {
    const auto ahead = std::upper_bound(line.starts.begin(), line.starts.end(), now);
    if (static_cast<std::size_t>(line.starts.end() - ahead) >= most_put_off) return false;
  }
  p.start = at;
  p.limited = true;
  p.limited_by = by;
  return true;
}

void note_start(fire_line& line, instant start, instant now) {
  auto& starts = line.starts;
  const auto kept = std::upper_bound(starts.begin(), starts.end(), later(now, -line.limit.window));
  starts.erase(starts.begin(), kept);
  starts.insert(std::upper_bound(starts.begin(), starts.end(), start), start);
}

// The first as microseconds, the others as what lies between.
std::string write_starts(const std::vector<instant>& starts) {
  std::string text;
  std::int64_t before = 0;
  for (const auto t : starts) {
    if (!text.empty()) text += ' ';
    text += std::to_string(micros(t) - before);
    before = micros(t);
  }
  return text;
}

std::vector<instant> read_starts(std::string_view text) {
  std::vector<instant> starts;
  std::int64_t at = 0;
  while (!text.empty()) {
    std::int64_t step = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), step);
    if (read.ec != std::errc{} || step < 0 || step > micros(end_of_time) - at) return {};
    starts.push_back(from_micros(at += step));
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    if (!text.empty() && text.front() != ' ') return {};
    if (!text.empty()) text.remove_prefix(1);
  }
  return starts;
}

}  // namespace belfry::core
