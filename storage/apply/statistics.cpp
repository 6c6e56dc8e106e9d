#include "storage/apply/statistics.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <numeric>
#include <string_view>
#include <utility>

#include "core/text/utf8.hpp"

namespace belfry::storage {
namespace {

using core::span;

span quantile(const std::vector<span>& sorted, double q) {
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

core::distribution distribution_of(std::vector<span> values) {
  core::distribution d;
  if (values.empty()) return d;
  std::sort(values.begin(), values.end());
  const auto sum = std::accumulate(values.begin(), values.end(), span{0});
  d.average = sum / static_cast<span::rep>(values.size());
  d.least = values.front();
  d.most = values.back();
  d.p50 = quantile(values, 0.50);
  d.p95 = quantile(values, 0.95);
  d.p99 = quantile(values, 0.99);
  return d;
}

bool word_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool digit(char c) { return c >= '0' && c <= '9'; }

// Samples come newest first.
std::vector<core::failure_pattern> patterns_in(const std::vector<finished_sample>& samples) {
  std::map<std::pair<core::failure_class, std::string>, core::failure_pattern> all;
  for (const auto& s : samples) {
    if (!core::ended_badly(s.state)) continue;
    auto text = pattern_of(s.reason);
    auto& one = all[{s.klass, text}];
    if (one.count++ == 0) one = {s.klass, std::move(text), 1, s.id};
  }
  std::vector<core::failure_pattern> most;
  for (auto& [key, one] : all) most.push_back(std::move(one));
  std::stable_sort(most.begin(), most.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  if (most.size() > patterns_told) most.resize(patterns_told);
  return most;
}

// A clock that went back between two instants tells nothing about their distance.
void add(std::vector<span>& to, core::instant from, core::instant until) {
  if (from != core::never && until != core::never && until >= from) to.push_back(until - from);
}

}  // namespace

std::string pattern_of(const std::string& reason) {
  constexpr std::size_t longest = 160;
  constexpr std::size_t short_number = 3;  // exit codes and the like tell failures apart
  std::string out;
  for (std::size_t i = 0; i < reason.size() && out.size() < longest;) {
    std::size_t end = i;
    while (end < reason.size() && word_character(reason[end])) ++end;
    if (end == i) {
      out += reason[i++];
      continue;
    }
    const auto word = std::string_view{reason}.substr(i, end - i);
    const bool differs = word.size() > short_number && std::any_of(word.begin(), word.end(), digit);
    out += differs ? std::string_view{"#"} : word;
    i = end;
  }
  return std::string{core::cut_utf8(out, longest)};
}

void summarise(const std::vector<finished_sample>& samples, core::run_statistics& into) {
  std::vector<span> wait, execution, total;
  std::size_t good = 0, bad = 0;
  for (const auto& s : samples) {
    add(wait, s.eligible, s.claimed);
    add(execution, s.started, s.over);
    add(total, s.created, s.ended);
    if (s.started != core::never) {
      const auto hours = std::chrono::floor<std::chrono::hours>(s.started.time_since_epoch()).count();
      ++into.started_by_hour.at(static_cast<std::size_t>((hours % 24 + 24) % 24));
    }
    if (s.state == core::run_state::succeeded) ++good;
    if (core::ended_badly(s.state)) ++bad;
  }
  into.considered = static_cast<std::int64_t>(samples.size());
  into.wait = distribution_of(std::move(wait));
  into.execution = distribution_of(std::move(execution));
  into.total = distribution_of(std::move(total));
  into.failures = patterns_in(samples);
  if (good + bad > 0) into.success_rate = static_cast<double>(good) / static_cast<double>(good + bad);
}

}  // namespace belfry::storage
