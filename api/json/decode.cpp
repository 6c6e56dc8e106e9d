#include "api/json/decode.hpp"

#include "core/text/word.hpp"

namespace belfry::api::json {

void check_text(const value& v, std::string_view text, std::size_t limit) {
  std::vector<core::field_problem> found;
  core::check_word(found, v.pointer(), text, limit, core::blank::fine);
  for (auto& p : found) v.found().add(std::move(p));
}

void read_reason(const value& v, std::string& out) {
  constexpr std::size_t longest = 500;
  if (v.read(out)) check_text(v, out, longest);
}

}  // namespace belfry::api::json
