// DICE: everything that the simulator leaves to chance, from one seed. Own arithmetic, so that a seed means
// the same with every standard library.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "core/time/instant.hpp"

namespace belfry::tests {

class dice {
 public:
  explicit dice(std::uint64_t seed) : engine_{seed * 0x9E3779B97F4A7C15ULL + 0x2545F4914F6CDD1DULL} {}

  std::uint64_t bits() { return engine_(); }
  /// 0..n-1; the bias of the remainder does not matter here.
  std::uint64_t below(std::uint64_t n) { return n < 2 ? 0 : bits() % n; }
  /// least..most, both included.
  std::uint64_t between(std::uint64_t least, std::uint64_t most) { return least + below(most - least + 1); }
  core::span between(core::span least, core::span most) {
    return least + core::span{static_cast<std::int64_t>(
                       below(static_cast<std::uint64_t>((most - least).count()) + 1))};
  }
  double unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  bool chance(double p) { return p > 0 && unit() < p; }
  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[below(all.size())];
  }
  /// An index, each with the probability that its weight has among all.
  std::size_t weighted(const std::vector<std::uint32_t>& weights) {
    std::uint64_t sum = 0;
    for (const auto w : weights) sum += w;
    auto at = below(sum);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (at < weights[i]) return i;
      at -= weights[i];
    }
    return weights.size() - 1;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace belfry::tests
