// TABLE: rows in columns that fit the terminal. The column that may shrink gives way first; nothing is cut
// off when stdout is not a terminal, so that `belfry ls | grep` sees whole names.
#pragma once

#include <string>
#include <vector>

#include "app/output/terminal.hpp"

namespace belfry::app {

struct cell {
  std::string text;
  colour with = colour::none;
  cell() = default;
  cell(std::string t, colour c = colour::none) : text(std::move(t)), with(c) {}  // NOLINT: implicit by intent
  cell(const char* t) : text(t) {}                                               // NOLINT
};

struct column {
  std::string title;
  bool right = false;       // numbers
  std::size_t shrinks = 0;  // may be cut down to this many columns; 0: never
};

class table {
 public:
  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}
  void row(std::vector<cell> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  std::string text(const terminal& on) const;

 private:
  std::vector<column> columns_;
  std::vector<std::vector<cell>> rows_;
};

// "name   value" lines, for one thing rather than many.
class facts {
 public:
  void add(std::string name, cell value);  // left out when the value is empty
  std::string text(const terminal& on) const;

 private:
  std::vector<std::pair<std::string, cell>> lines_;
};

}  // namespace belfry::app
