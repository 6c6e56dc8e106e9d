// How a session is woken, in words.
#pragma once

#include <string>

#include "app/cli/context.hpp"

namespace belfry::app {

inline std::string woken_by(view wake) {
  std::string text = wake["sink"].text();
  if (wake["url"].there()) text += " " + wake["url"].text();
  std::string words;
  wake["argv"].each([&](view w) { words += (words.empty() ? ": " : " ") + w.text(); });
  return text + words;
}

}  // namespace belfry::app
