#include "app/output/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace belfry::app {
namespace {

bool set_and_not_empty(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

std::size_t width_of_terminal() {
  if (const char* columns = std::getenv("COLUMNS")) {
    const long given = std::strtol(columns, nullptr, 10);
    if (given > 0) return static_cast<std::size_t>(given);
  }
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

// The next code point and its length in bytes; a stray byte counts as one.
struct point {
  char32_t code;
  std::size_t bytes;
};
point next_point(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  std::size_t bytes = 1;
  char32_t code = first;
  if (first >= 0x80 && first < 0xC0) return {0xFFFD, 1};
  if (first >= 0xF0)
    bytes = 4, code = first & 0x07U;
  else if (first >= 0xE0)
    bytes = 3, code = first & 0x0FU;
  else if (first >= 0xC0)
    bytes = 2, code = first & 0x1FU;
  if (bytes > text.size()) return {0xFFFD, 1};
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((at(i) & 0xC0U) != 0x80U) return {0xFFFD, 1};
    code = (code << 6U) | (at(i) & 0x3FU);
  }
  return {code, bytes};
}

// The wide ranges of Unicode's East Asian Width that occur in practice; a wrong column costs a crooked table
// only.
std::size_t columns_of(char32_t c) {
  if (c >= 0x300 && c <= 0x36F) return 0;
  if (c == 0x200B || c == 0x200D || (c >= 0xFE00 && c <= 0xFE0F)) return 0;
  const bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
                    (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
                    (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
                    (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
  return wide ? 2 : 1;
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

terminal look_at_stdout(bool no_colour) {
  terminal t;
  t.tty = isatty(STDOUT_FILENO) == 1;
  if (t.tty) t.width = width_of_terminal();
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::strcmp(term, "dumb") == 0;
  t.colours = t.tty && !no_colour && !dumb && !set_and_not_empty("NO_COLOR");
  return t;
}

bool stderr_is_tty() { return isatty(STDERR_FILENO) == 1; }

std::string terminal::paint(std::string_view text, colour with) const {
  if (!colours || with == colour::none) return std::string(text);
  const char* code = "";
  switch (with) {
    case colour::none: break;
    case colour::bold: code = "1"; break;
    case colour::dim: code = "2"; break;
    case colour::red: code = "31"; break;
    case colour::green: code = "32"; break;
    case colour::yellow: code = "33"; break;
    case colour::blue: code = "34"; break;
    case colour::cyan: code = "36"; break;
  }
  return std::string("\x1b[") + code + "m" + std::string(text) + "\x1b[0m";
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const auto p = next_point(text);
    columns += columns_of(p.code);
    text.remove_prefix(p.bytes);
  }
  return columns;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto p = next_point(text);
    if (p.code == U'\n' || p.code == U'\t')
      out += ' ';
    else if (is_control(p.code) || (p.code == 0xFFFD && p.bytes == 1))
      out += '?';
    else
      out += text.substr(0, p.bytes);
    text.remove_prefix(p.bytes);
  }
  return out;
}

std::string fitted(std::string_view text, std::size_t columns) {
  std::string clean = printable(text);
  if (columns == 0 || columns_of(clean) <= columns) return clean;
  std::string out;
  std::size_t used = 0;
  std::string_view left = clean;
  while (!left.empty()) {
    const auto p = next_point(left);
    const std::size_t takes = columns_of(p.code);
    if (used + takes + 1 > columns) break;
    out += left.substr(0, p.bytes);
    used += takes;
    left.remove_prefix(p.bytes);
  }
  return out + "…";
}

}  // namespace belfry::app
