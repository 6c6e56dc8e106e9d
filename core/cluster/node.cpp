#include "core/cluster/node.hpp"

#include <algorithm>
#include <array>

#include "core/time/text.hpp"

namespace belfry::core {
namespace {

using namespace std::chrono_literals;

constexpr span shortest_beat = 50ms, longest_beat = 10s;
constexpr span longest_silence = 1h;  // whoever wants more wants no cluster
constexpr int beats_before_suspicion = 4;

constexpr span first_pause = 200ms, longest_pause = 10s;
constexpr span smallest_margin = 200ms, greatest_margin = 5s;

bool letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string_view to_text(node_role r) {
  switch (r) {
    case node_role::coordinator: return "coordinator";
    case node_role::member: return "member";
  }
  return "unknown";
}

std::string_view to_text(node_state s) {
  switch (s) {
    case node_state::up: return "up";
    case node_state::suspect: return "suspect";
    case node_state::lost: return "lost";
    case node_state::left: return "left";
  }
  return "unknown";
}

node_state judge_silence(instant seen, instant now, const membership_options& o) {
  if (now >= later(seen, o.lost_after)) return node_state::lost;
  return now >= later(seen, o.suspect_after) ? node_state::suspect : node_state::up;
}

instant next_judgement(instant seen, instant now, const membership_options& o) {
  switch (judge_silence(seen, now, o)) {
    case node_state::up: return later(seen, o.suspect_after);
    case node_state::suspect: return later(seen, o.lost_after);
    case node_state::lost:
    case node_state::left: break;
  }
  return never;
}

span dial_pause(std::uint32_t failures, double unit) {
  if (failures == 0) return span{0};
  constexpr std::uint32_t most_doublings = 6;  // 200 ms · 2^6 is beyond the longest
  const auto whole =
      std::min(longest_pause, first_pause * (std::int64_t{1} << std::min(failures - 1, most_doublings)));
  const auto part = std::clamp(unit, 0.0, 1.0);
  return whole / 2 + span{static_cast<std::int64_t>(static_cast<double>((whole / 2).count()) * part)};
}

instant lease_safe_until(instant asked, span waited, span lease) {
  return later(later(asked, std::max(waited, span{0})), std::max(lease, span{0}));
}

instant lease_stop_at(instant safe_until, span lease, span grace) {
  const auto whole = std::max(lease, span{0});
  const auto margin = std::clamp(whole / 10, smallest_margin, greatest_margin);
  const auto before = margin + std::clamp(grace, span{0}, whole);
  // A short lease with a long grace would have its process stopped before it has begun.
  return later(safe_until, -std::min(before, whole - whole / 3));
}

std::vector<field_problem> check(const membership_options& o, const std::string& base) {
  std::vector<field_problem> found;
  if (o.beat < shortest_beat || o.beat > longest_beat)
    found.push_back({base + "/beat", to_text(o.beat), to_text(shortest_beat) + " to " + to_text(longest_beat),
                     "how often a node says that it lives"});
  const auto least = std::clamp(o.beat, shortest_beat, longest_beat) * beats_before_suspicion;
  if (o.suspect_after < least || o.suspect_after > longest_silence)
    found.push_back({base + "/suspect_after", to_text(std::max(o.suspect_after, span{0})),
                     to_text(least) + " (four beats) to " + to_text(longest_silence),
                     "a beat that is late or lost is no reason to suspect"});
  if (o.lost_after <= o.suspect_after || o.lost_after > longest_silence)
    found.push_back({base + "/lost_after", to_text(std::max(o.lost_after, span{0})),
                     "more than suspect_after, at most " + to_text(longest_silence),
                     "a node is suspect before it is lost"});
  return found;
}

std::vector<field_problem> check_node_name(std::string_view name, const std::string& pointer) {
  constexpr std::size_t longest = 63;
  const bool fits = !name.empty() && name.size() <= longest && letter_or_digit(name.front()) &&
                    letter_or_digit(name.back()) && std::all_of(name.begin(), name.end(), [](char c) {
                      return letter_or_digit(c) || c == '-' || c == '.';
                    });
  if (fits) return {};
  // It comes from strangers and goes into logs: what is not printable is not repeated.
  std::string shown{name.substr(0, longest)};
  for (auto& c : shown)
    if (c < ' ' || c > '~') c = '?';
  return {{pointer, std::move(shown), "1 to 63 of a-z, 0-9, '-' and '.', a letter or digit first and last",
           "the name of a node stands in its certificate and in the names of its sessions"}};
}

std::string boot_uuid(std::uint64_t high, std::uint64_t low) {
  constexpr std::string_view digits = "0123456789abcdef";
  high = (high & 0xFFFF'FFFF'FFFF'0FFFULL) | 0x4000ULL;               // version 4
  low = (low & 0x3FFF'FFFF'FFFF'FFFFULL) | 0x8000'0000'0000'0000ULL;  // the variant of RFC 9562
  std::string text;
  text.reserve(36);
  for (const auto half : std::array{high, low})
    for (int shift = 60; shift >= 0; shift -= 4) {
      if (text.size() == 8 || text.size() == 13 || text.size() == 18 || text.size() == 23) text += '-';
      text += digits[static_cast<std::size_t>((half >> shift) & 0xFU)];
    }
  return text;
}

}  // namespace belfry::core
