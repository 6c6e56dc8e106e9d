// LEARNED DELAY: how far apart the calls to a provider had better be, as its limits have taught. One per
// agent type. Each reported limit makes it half as long again, ten successes in a row a tenth shorter; below
// the least it is forgotten. It holds nothing back: workers are told of it with their claims. What holds back
// is a pause with an end (core/pause).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

struct delay_options {
  /// The delay after the first limit, and the least there is. Default 1 s; 1 ms to 1 h.
  span least = std::chrono::seconds{1};
  /// It never grows beyond this. Default 5 min; at least `least`.
  span most = std::chrono::minutes{5};
};
std::vector<field_problem> check(const delay_options& o);

struct learned_delay {
  std::string agent_type;
  span delay{0};  // 0: forgotten
  friend bool operator==(const learned_delay&, const learned_delay&) = default;
};

class learned_delays {
 public:
  static constexpr std::size_t most_types = 1000;
  static constexpr std::uint32_t successes_in_a_row = 10;

  // The delay from now on. A type beyond a thousand is not learned: 0.
  span limited(const std::string& agent_type, const delay_options& o);
  // Whether the delay has changed by it.
  bool succeeded(const std::string& agent_type, const delay_options& o);
  span of(const std::string& agent_type) const;
  std::vector<learned_delay> all() const;
  bool empty() const { return known_.empty(); }

  // As one text: a line "MICROSECONDS TYPE" each. Successes since the last change are not kept.
  std::string encode() const;
  // What can be read of it, and how many lines could not.
  static std::pair<learned_delays, std::size_t> decode(std::string_view text);

 private:
  struct kept {
    span delay{0};
    std::uint32_t successes = 0;
  };
  std::map<std::string, kept> known_;
};

}  // namespace belfry::core
