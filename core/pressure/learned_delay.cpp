#include "core/pressure/learned_delay.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/time/text.hpp"

namespace belfry::core {
namespace {

constexpr span longest_delay = std::chrono::hours{24};

span by(span s, std::int64_t numerator, std::int64_t denominator) {
  return span{s.count() / denominator * numerator + s.count() % denominator * numerator / denominator};
}

}  // namespace

std::vector<field_problem> check(const delay_options& o) {
  if (o.least <= o.most) return {};
  return {{"provider.most_delay", to_text(o.most), "at least provider.least_delay (" + to_text(o.least) + ")",
           "the longest delay is shorter than the least"}};
}

span learned_delays::limited(const std::string& agent_type, const delay_options& o) {
  auto it = known_.find(agent_type);
  if (it == known_.end()) {
    if (known_.size() >= most_types) return span{0};
    it = known_.emplace(agent_type, kept{o.least, 0}).first;
  } else {
    it->second.delay = std::clamp(by(it->second.delay, 3, 2), o.least, std::max(o.least, o.most));
  }
  it->second.successes = 0;
  return it->second.delay;
}

bool learned_delays::succeeded(const std::string& agent_type, const delay_options& o) {
  const auto it = known_.find(agent_type);
  if (it == known_.end() || ++it->second.successes < successes_in_a_row) return false;
  it->second.successes = 0;
  it->second.delay = by(it->second.delay, 9, 10);
  if (it->second.delay < o.least) known_.erase(it);
  return true;
}

span learned_delays::of(const std::string& agent_type) const {
  const auto it = known_.find(agent_type);
  return it == known_.end() ? span{0} : it->second.delay;
}

std::vector<learned_delay> learned_delays::all() const {
  std::vector<learned_delay> found;
  found.reserve(known_.size());
  for (const auto& [type, k] : known_) found.push_back({type, k.delay});
  return found;
}

std::string learned_delays::encode() const {
  std::string text;
  for (const auto& [type, k] : known_) text += std::to_string(k.delay.count()) + " " + type + "\n";
  return text;
}

std::pair<learned_delays, std::size_t> learned_delays::decode(std::string_view text) {
  std::pair<learned_delays, std::size_t> out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    std::int64_t us = 0;
    const auto [rest, wrong] = std::from_chars(line.data(), line.data() + line.size(), us);
    const auto read = static_cast<std::size_t>(rest - line.data());
    const bool good = wrong == std::errc{} && us > 0 && us <= longest_delay.count() &&
                      read + 1 < line.size() && line[read] == ' ' && out.first.known_.size() < most_types;
    if (good)
      out.first.known_[std::string{line.substr(read + 1)}] = {span{us}, 0};
    else
      ++out.second;
  }
  return out;
}

}  // namespace belfry::core
