#include "app/commands/rung.hpp"

#include "app/output/words.hpp"

namespace belfry::app {

std::string rung_in_words(view rung, core::instant now) {
  std::string text = "rung " + rung["rung"].text() + ", count " + rung["count"].text();
  if (rung["held"].truth()) return text + ", held";
  if (rung["next_rung"].there())
    text += ", " + rung["next_rung"].text() + " " + ago(rung["next_rung_at"].text(), now);
  return text;
}

}  // namespace belfry::app
