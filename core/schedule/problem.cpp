#include "core/schedule/problem.hpp"

#include <algorithm>

#include "core/text/utf8.hpp"

namespace belfry::core {

failure refuse(std::string_view noun, std::string_view text, const text_problem& problem) {
  constexpr std::size_t shown_bytes = 60;
  const auto from = std::min(problem.offset, text.size());
  const auto word = shown(text.substr(from, problem.length), shown_bytes);
  std::string allowed;
  for (const auto& form : problem.expected) {
    if (!allowed.empty()) allowed += ", ";
    allowed += form;
  }
  std::string what = "not a " + std::string{noun} + ": " + problem.why;
  what += word.empty() ? " (at the end)" : " ('" + word + "' at byte " + std::to_string(from) + ")";
  failure f{errc::invalid, std::move(what), {}, "belfry schedule parse"};
  f.problems.push_back({"", word.empty() ? shown(text, shown_bytes) : word, std::move(allowed), problem.why});
  return f;
}

}  // namespace belfry::core
