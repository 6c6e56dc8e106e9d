#include "platform/process/lines.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace belfry::platform {

namespace {
constexpr std::string_view replacement = "\xEF\xBF\xBD";

std::size_t plain_prefix(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && text[n] > 0) ++n;  // char is signed here: 1..127
  return n;
}
static_assert(static_cast<char>(0x80) < 0, "plain_prefix relies on a signed char");
}  // namespace

void line_splitter::feed(std::string_view bytes, core::instant at, std::vector<output_line>& out) {
  const target to{at, out};
  while (!bytes.empty()) {
    const void* const newline = std::memchr(bytes.data(), '\n', bytes.size());
    if (newline == nullptr) return append(bytes, to);
    const auto size = static_cast<std::size_t>(static_cast<const char*>(newline) - bytes.data());
    append(bytes.substr(0, size), to);
    end_line(to);
    bytes.remove_prefix(size + 1);
  }
}

void line_splitter::finish(core::instant at, std::vector<output_line>& out) {
  if (!text_.empty() || missing_ > 0 || carriage_return_) end_line({at, out});
}

void line_splitter::append(std::string_view part, const target& to) {
  if (part.empty()) return;
  if (std::exchange(carriage_return_, false)) sanitise("\r", to);
  if (part.back() == '\r') {
    carriage_return_ = true;
    part.remove_suffix(1);
  }
  sanitise(part, to);
}

void line_splitter::sanitise(std::string_view part, const target& to) {
  while (!part.empty()) {
    std::size_t plain = missing_ == 0 ? plain_prefix(part) : 0;
    if (plain == 0) {
      decode(static_cast<unsigned char>(part.front()), to);
      part.remove_prefix(1);
      continue;
    }
    while (plain > 0) {  // in pieces that fit the line
      if (text_.size() == longest) put({}, to);
      const std::size_t fits = std::min(plain, longest - text_.size());
      text_.append(part.substr(0, fits));
      part.remove_prefix(fits);
      plain -= fits;
    }
  }
}

void line_splitter::decode(unsigned char byte, const target& to) {
  if (missing_ > 0) {
    if (byte >= lowest_ && byte <= highest_) {
      character_[have_++] = static_cast<char>(byte);
      lowest_ = 0x80;
      highest_ = 0xBF;
      if (--missing_ == 0) put({character_.data(), have_}, to);
      return;
    }
    close_character(to);
  }
  if (byte > 0 && byte < 0x80) {
    const char plain = static_cast<char>(byte);
    return put({&plain, 1}, to);
  }
  if (byte < 0xC2 || byte > 0xF4)
    return put(replacement, to);  // NUL, stray continuation, overlong, out of range
  missing_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
  lowest_ = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;   // no overlong forms
  highest_ = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;  // no surrogates, nothing above U+10FFFF
  character_[0] = static_cast<char>(byte);
  have_ = 1;
}

void line_splitter::put(std::string_view text, const target& to) {
  if (text_.size() + std::max<std::size_t>(text.size(), 1) > longest)
    to.out.push_back({to.at, stream_, std::exchange(text_, {})});
  text_.append(text);
}

void line_splitter::close_character(const target& to) {
  if (std::exchange(missing_, 0) > 0) put(replacement, to);
}

void line_splitter::end_line(const target& to) {
  close_character(to);
  carriage_return_ = false;
  to.out.push_back({to.at, stream_, std::exchange(text_, {})});
}

}  // namespace belfry::platform
