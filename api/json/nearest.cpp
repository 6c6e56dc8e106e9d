#include "api/json/nearest.hpp"

#include <algorithm>
#include <vector>

#include "core/text/word.hpp"

namespace belfry::api::json {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({replace, last[j] + 1, now[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

std::string_view nearest(std::string_view given, std::span<const std::string_view> known) {
  constexpr std::size_t longest = 64;  // nobody mistypes more, and the work grows with the square
  if (given.empty() || given.size() > longest) return {};
  std::string lower{given};
  core::lower_ascii(lower);
  std::string_view best;
  std::size_t least = std::max<std::size_t>(1, given.size() / 3) + 1;
  for (const auto name : known) {
    std::string plain{name};
    core::lower_ascii(plain);
    const auto d = edit_distance(lower, plain);
    if (d < least) {
      least = d;
      best = name;
    }
  }
  return best;
}

std::string one_of(std::span<const std::string_view> names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

}  // namespace belfry::api::json
