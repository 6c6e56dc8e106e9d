#include "storage/apply/occurrences.hpp"

#include <algorithm>
#include <iterator>

namespace belfry::storage {

core::occurrence_page page_of(std::vector<core::occurrence_line> made,
                              std::vector<core::occurrence_line> skipped, std::size_t limit) {
  core::occurrence_page page;
  std::merge(std::make_move_iterator(made.begin()), std::make_move_iterator(made.end()),
             std::make_move_iterator(skipped.begin()), std::make_move_iterator(skipped.end()),
             std::back_inserter(page.lines), [](const auto& a, const auto& b) { return a.at() > b.at(); });
  if (page.lines.size() > limit) {
    page.lines.resize(limit);
    if (!page.lines.empty()) page.next = page.lines.back().at();
  }
  return page;
}

}  // namespace belfry::storage
