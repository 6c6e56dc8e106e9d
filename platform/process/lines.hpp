// LINES: cuts a byte stream into lines of valid UTF-8, whatever a program writes.
//
// Promises: no line is longer than `longest` bytes (a longer one is split between characters); "\n" and
// "\r\n" end a line; every NUL and every maximal ill-formed part (Unicode 15, section 3.9, "substitution of
// maximal subparts") becomes one U+FFFD; how the bytes were cut into reads does not show.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "platform/ports/processes.hpp"

namespace belfry::platform {

class line_splitter {
 public:
  static constexpr std::size_t longest = 16 * 1024;

  explicit line_splitter(core::log_stream stream) : stream_(stream) {}

  /// Appends the lines that `bytes` completes, stamped with `at`.
  void feed(std::string_view bytes, core::instant at, std::vector<output_line>& out);
  /// The stream has ended (or is interrupted): appends the line that has no end yet, if there is one.
  void finish(core::instant at, std::vector<output_line>& out);

 private:
  struct target {
    core::instant at;
    std::vector<output_line>& out;
  };
  void append(std::string_view part, const target& to);
  void sanitise(std::string_view part, const target& to);
  void decode(unsigned char byte, const target& to);
  void put(std::string_view text, const target& to);
  void close_character(const target& to);
  void end_line(const target& to);

  core::log_stream stream_;
  std::string text_;              // of the open line, already safe
  bool carriage_return_ = false;  // seen last; dropped when a newline follows
  // The open character: bytes so far, how many are missing, and what the next may be.
  std::array<char, 4> character_{};
  std::size_t have_ = 0;
  std::size_t missing_ = 0;
  unsigned char lowest_ = 0x80;
  unsigned char highest_ = 0xBF;
};

}  // namespace belfry::platform
