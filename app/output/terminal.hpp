// TERMINAL: what stands at the other end of stdout, and the colours and widths that follow from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace belfry::app {

enum class colour : std::uint8_t { none, bold, dim, red, green, yellow, blue, cyan };

struct terminal {
  bool tty = false;       // stdout is a terminal
  bool colours = false;   // and nobody asked for none (NO_COLOR, TERM=dumb, --no-color)
  std::size_t width = 0;  // columns; 0: no limit, because nobody looks at it

  std::string paint(std::string_view text, colour with) const;
};

terminal look_at_stdout(bool no_colour);
bool stderr_is_tty();

// Columns that a text takes: code points, wide East Asian ones and emoji twice, combining ones none.
std::size_t columns_of(std::string_view text);
// At most `columns` wide, with "…" when something was cut off. Control characters become '?': names and
// messages of others must not steer this terminal.
std::string fitted(std::string_view text, std::size_t columns);
std::string printable(std::string_view text);

}  // namespace belfry::app
