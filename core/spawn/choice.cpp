#include "core/spawn/choice.hpp"

#include <algorithm>

#include "core/text/utf8.hpp"

namespace belfry::core {

std::vector<std::size_t> choose(const std::vector<agent_type>& types, const requirement& needs,
                                handler_kind handler) {
  std::vector<std::size_t> fit;
  for (std::size_t i = 0; i < types.size(); ++i)
    if (types[i].max > 0 && may_take(session_of(types[i], needs), needs, handler)) fit.push_back(i);
  // All of them have what is needed, so that fewer capabilities are fewer superfluous ones.
  std::sort(fit.begin(), fit.end(), [&](std::size_t a, std::size_t b) {
    const auto &x = types[a], &y = types[b];
    if (x.capabilities.size() != y.capabilities.size()) return x.capabilities.size() < y.capabilities.size();
    return x.name < y.name;
  });
  return fit;
}

std::string why_none(const std::vector<agent_type>& types, const requirement& needs, handler_kind handler) {
  constexpr std::size_t longest = 1000;
  if (types.empty()) return "no agent type is configured";
  std::string text;
  for (const auto& t : types) {
    text += (text.empty() ? "" : "; ") + t.name + ": ";
    if (t.max == 0) {
      text += "its max is 0";
      continue;
    }
    std::string reasons;
    for (const auto& no : why_not(session_of(t, needs), needs, handler))
      reasons += (reasons.empty() ? "" : ", ") + no.text;
    text += reasons;
  }
  return text.size() <= longest ? text : std::string{cut_utf8(text, longest)} + "…";
}

}  // namespace belfry::core
