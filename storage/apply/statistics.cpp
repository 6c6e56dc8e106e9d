#include "storage/apply/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

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

// A clock that went back between two instants tells nothing about their distance.
void add(std::vector<span>& to, core::instant from, core::instant until) {
  if (from != core::never && until != core::never && until >= from) to.push_back(until - from);
}

}  // namespace

void summarise(const std::vector<finished_sample>& samples, core::run_statistics& into) {
  std::vector<span> wait, execution, total;
  std::size_t good = 0, bad = 0;
  for (const auto& s : samples) {
    add(wait, s.eligible, s.claimed);
    add(execution, s.started, s.over);
    add(total, s.created, s.ended);
    if (s.state == core::run_state::succeeded) ++good;
    if (core::ended_badly(s.state)) ++bad;
  }
  into.considered = static_cast<std::int64_t>(samples.size());
  into.wait = distribution_of(std::move(wait));
  into.execution = distribution_of(std::move(execution));
  into.total = distribution_of(std::move(total));
  if (good + bad > 0) into.success_rate = static_cast<double>(good) / static_cast<double>(good + bad);
}

}  // namespace belfry::storage
