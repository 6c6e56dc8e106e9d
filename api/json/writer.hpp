// WRITER: JSON out, appended to one string. It puts the commas; the caller keeps begin and end in balance.
//
// Text is escaped and, where it is not UTF-8, made so with U+FFFD; JSON that is already text (payloads,
// results, metadata) is spliced in as it stands, so that its numbers stay what they were. Rejected for
// answers: a DOM that is dumped, which costs ten times as much per run and changes numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ids/id.hpp"
#include "core/time/instant.hpp"

namespace belfry::api::json {

class writer {
 public:
  explicit writer(std::size_t expected = 256) { out_.reserve(expected); }

  writer& begin_object() { return open('{'); }
  writer& end_object() { return close('}'); }
  writer& begin_array() { return open('['); }
  writer& end_array() { return close(']'); }
  // The key must be plain: it is ours, so it is not escaped.
  writer& key(std::string_view name);

  writer& text(std::string_view value);
  writer& number(std::int64_t value);
  writer& number(std::uint64_t value);
  writer& number(double value);  // null where it is not finite
  writer& boolean(bool value);
  writer& null();
  // JSON text as it stands. The caller knows that it is one value.
  writer& raw(std::string_view json);

  // Members of an object.
  writer& member(std::string_view name, std::string_view value) { return key(name).text(value); }
  writer& member(std::string_view name, const char* value) { return key(name).text(value); }
  writer& member(std::string_view name, bool value) { return key(name).boolean(value); }
  template <class T>
  requires std::is_integral_v<T> &&(!std::is_same_v<T, bool>)writer& member(std::string_view name, T value) {
    if constexpr (std::is_signed_v<T>)
      return key(name).number(static_cast<std::int64_t>(value));
    else
      return key(name).number(static_cast<std::uint64_t>(value));
  }
  writer& member(std::string_view name, double value) { return key(name).number(value); }
  // null when the id is none.
  template <class Tag>
  writer& member(std::string_view name, core::strong_id<Tag> id) {
    key(name);
    if (!id) return null();
    return id_value(Tag::prefix, id.value);
  }
  // RFC 3339; null when never.
  writer& member(std::string_view name, core::instant at);
  // Milliseconds; null when absent.
  writer& member(std::string_view name, std::optional<core::span> s);
  writer& milliseconds(std::string_view name, core::span s) { return key(name).number(core::millis(s)); }
  // null when the text is empty.
  writer& member_or_null(std::string_view name, std::string_view value);
  // Raw JSON; null when the text is empty.
  writer& raw_or_null(std::string_view name, std::string_view json);
  template <class List>
  writer& texts(std::string_view name, const List& values) {
    key(name).begin_array();
    for (const auto& v : values) text(v);
    return end_array();
  }
  writer& id_value(std::string_view prefix, std::int64_t value);

  const std::string& str() const { return out_; }
  std::string take() { return std::move(out_); }
  std::size_t size() const { return out_.size(); }
  void newline() {
    out_ += '\n';
    comma_ = false;
  }  // between the lines of JSON lines

 private:
  writer& open(char c);
  writer& close(char c);
  void separate() {
    if (comma_) out_ += ',';
    comma_ = true;
  }

  std::string out_;
  bool comma_ = false;
};

// The text between quotes, escaped, without the quotes.
void append_escaped(std::string& out, std::string_view text);
// RFC 3339 with milliseconds (microseconds only where they are not zero), as core::to_rfc3339 writes it,
// several times as fast.
void append_instant(std::string& out, core::instant at);

}  // namespace belfry::api::json
