#include "app/output/table.hpp"

#include <algorithm>
#include <numeric>

namespace belfry::app {
namespace {

constexpr std::size_t gap = 2;

std::string padded(const std::string& shown, std::size_t width, bool right) {
  const std::size_t has = columns_of(shown);
  const std::string space(width > has ? width - has : 0, ' ');
  return right ? space + shown : shown + space;
}

}  // namespace

std::string table::text(const terminal& on) const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t widest = columns_of(columns_[c].title);
    for (const auto& row : rows_) widest = std::max(widest, columns_of(printable(row[c].text)));
    widths.push_back(widest);
  }
  if (on.width > 0) {
    std::size_t total = std::accumulate(widths.begin(), widths.end(), gap * (widths.size() - 1));
    // The widest column that may shrink gives one column at a time, so that several shrink evenly.
    while (total > on.width) {
      std::size_t pick = widths.size();
      for (std::size_t c = 0; c < widths.size(); ++c)
        if (columns_[c].shrinks > 0 && widths[c] > columns_[c].shrinks &&
            (pick == widths.size() || widths[c] > widths[pick]))
          pick = c;
      if (pick == widths.size()) break;
      --widths[pick];
      --total;
    }
  }
  std::string out;
  const auto line = [&](auto&& text_of) {
    std::string built;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const auto [shown, with] = text_of(c);
      const bool last = c + 1 == columns_.size();
      const std::string fit = fitted(shown, widths[c]);
      const std::string flat = last && !columns_[c].right ? fit : padded(fit, widths[c], columns_[c].right);
      built += on.paint(flat, with) + (last ? "" : std::string(gap, ' '));
    }
    while (!built.empty() && built.back() == ' ') built.pop_back();
    out += built + "\n";
  };
  line([&](std::size_t c) { return std::pair{columns_[c].title, colour::bold}; });
  for (const auto& row : rows_) line([&](std::size_t c) { return std::pair{row[c].text, row[c].with}; });
  return out;
}

void facts::add(std::string name, cell value) {
  if (!value.text.empty()) lines_.emplace_back(std::move(name), std::move(value));
}

std::string facts::text(const terminal& on) const {
  std::size_t left = 0;
  for (const auto& [name, _] : lines_) left = std::max(left, columns_of(name));
  std::string out;
  for (const auto& [name, value] : lines_)
    out += on.paint(padded(name, left, false), colour::dim) + "  " +
           on.paint(printable(value.text), value.with) + "\n";
  return out;
}

}  // namespace belfry::app
