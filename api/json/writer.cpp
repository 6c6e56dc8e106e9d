#include "api/json/writer.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "api/json/plain.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api::json {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

// What a byte needs: 0 nothing, 1 an escape, 2 a look at the UTF-8 around it.
constexpr std::array<std::uint8_t, 256> needs = [] {
  std::array<std::uint8_t, 256> t{};
  for (std::size_t i = 0; i < 0x20; ++i) t[i] = 1;
  t['"'] = t['\\'] = t[0x7F] = 1;
  for (std::size_t i = 0x80; i < 256; ++i) t[i] = 2;
  return t;
}();

std::uint8_t byte(char c) { return static_cast<std::uint8_t>(c); }

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u00";
  out += digits[byte(c) >> 4U];
  out += digits[byte(c) & 15U];
}

// Bytes from `at` that are one character, or 0.
std::size_t character(std::string_view text, std::size_t at) {
  const auto first = byte(text[at]);
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (at + length > text.size()) return 0;
  return core::valid_utf8(text.substr(at, length)) ? length : 0;
}

template <class N>
void append_number(std::string& out, N value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  out.append(buffer.data(), end);
}

void put2(char* at, unsigned v) {
  at[0] = static_cast<char>('0' + v / 10);
  at[1] = static_cast<char>('0' + v % 10);
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  std::size_t from = 0;
  for (auto i = skip_plain(text, 0); i < text.size(); i = skip_plain(text, i)) {
    if (needs[byte(text[i])] == 2) {
      const auto length = character(text, i);
      if (length > 0) {
        i += length;
        continue;
      }
      out.append(text, from, i - from);
      out += replacement;
    } else {
      out.append(text, from, i - from);
      append_escape(out, text[i]);
    }
    from = ++i;
  }
  out.append(text, from);
}

void append_instant(std::string& out, core::instant at) {
  using namespace std::chrono;
  if (at > core::end_of_time) at = core::end_of_time;
  if (at < core::never) at = core::never;
  const auto us = core::micros(at);
  const auto seconds = us / 1'000'000;
  const auto fraction = static_cast<unsigned>(us % 1'000'000);
  const auto day = seconds / 86'400;
  const auto second = static_cast<unsigned>(seconds % 86'400);
  const year_month_day date{sys_days{days{day}}};
  std::array<char, 28> b{};
  const auto y = static_cast<unsigned>(static_cast<int>(date.year()));
  put2(&b[0], y / 100);
  put2(&b[2], y % 100);
  b[4] = '-';
  put2(&b[5], static_cast<unsigned>(date.month()));
  b[7] = '-';
  put2(&b[8], static_cast<unsigned>(date.day()));
  b[10] = 'T';
  put2(&b[11], second / 3600);
  b[13] = ':';
  put2(&b[14], second / 60 % 60);
  b[16] = ':';
  put2(&b[17], second % 60);
  b[19] = '.';
  const auto ms = fraction / 1000;
  b[20] = static_cast<char>('0' + ms / 100);
  put2(&b[21], ms % 100);
  std::size_t length = 23;
  if (const auto rest = fraction % 1000; rest != 0) {
    b[23] = static_cast<char>('0' + rest / 100);
    put2(&b[24], rest % 100);
    length = 26;
  }
  b[length++] = 'Z';
  out.append(b.data(), length);
}

writer& writer::open(char c) {
  separate();
  out_ += c;
  comma_ = false;
  return *this;
}

writer& writer::close(char c) {
  out_ += c;
  comma_ = true;
  return *this;
}

writer& writer::key(std::string_view name) {
  separate();
  out_ += '"';
  out_ += name;
  out_ += "\":";
  comma_ = false;
  return *this;
}

writer& writer::text(std::string_view value) {
  separate();
  out_ += '"';
  append_escaped(out_, value);
  out_ += '"';
  return *this;
}

writer& writer::number(std::int64_t value) {
  separate();
  append_number(out_, value);
  return *this;
}

writer& writer::number(std::uint64_t value) {
  separate();
  append_number(out_, value);
  return *this;
}

writer& writer::number(double value) {
  if (!std::isfinite(value)) return null();
  separate();
  append_number(out_, value);
  return *this;
}

writer& writer::boolean(bool value) { return raw(value ? "true" : "false"); }
writer& writer::null() { return raw("null"); }

writer& writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

writer& writer::member(std::string_view name, core::instant at) {
  key(name);
  if (at == core::never) return null();
  separate();
  out_ += '"';
  append_instant(out_, at);
  out_ += '"';
  return *this;
}

writer& writer::member(std::string_view name, std::optional<core::span> s) {
  key(name);
  if (!s) return null();
  return number(core::millis(*s));
}

writer& writer::member_or_null(std::string_view name, std::string_view value) {
  key(name);
  return value.empty() ? null() : text(value);
}

writer& writer::raw_or_null(std::string_view name, std::string_view json) {
  key(name);
  return json.empty() ? null() : raw(json);
}

writer& writer::id_value(std::string_view prefix, std::int64_t value) {
  constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::array<char, 13> digits{};
  auto bits = static_cast<std::uint64_t>(value);
  for (std::size_t i = digits.size(); i-- > 0; bits >>= 5U) digits[i] = alphabet[bits & 31U];
  separate();
  out_ += '"';
  out_ += prefix;
  out_.append(digits.data(), digits.size());
  out_ += '"';
  return *this;
}

}  // namespace belfry::api::json
