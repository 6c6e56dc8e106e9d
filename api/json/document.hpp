// DOCUMENT: a JSON text, checked from end to end in one pass and indexed by byte ranges.
//
// Strict RFC 8259: UTF-8 only, no lone surrogates, no key twice in an object, nested at most 64 deep, one
// value and nothing after it. Each value knows its bytes, so that what is opaque to the node (payload,
// metadata, result) is cut out unchanged: 1e400 and 12345678901234567890 stay what they were. No recursion
// anywhere, so depth costs no stack. Rejected: a DOM of nlohmann, which crashes when a deep value is copied
// and rounds large numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"

namespace belfry::api::json {

enum class kind : std::uint8_t { null, boolean, number, text, array, object };
std::string_view to_text(kind k);  // "a number", "an object", for messages

struct node {
  std::uint32_t begin = 0;  // bytes of the value in the source; a text with its quotes
  std::uint32_t end = 0;
  std::uint32_t next = 0;   // index behind the last descendant
  std::uint32_t count = 0;  // elements or members
  kind what = kind::null;
  bool escaped = false;  // text: has an escape
  bool whole = false;    // number: no point and no exponent; boolean: true
};

struct parse_limits {
  std::uint32_t depth = 64;
  std::size_t bytes = 64U << 20;
};

// Nodes stand in the order of the text; an object's members are a key (kind text) followed by its value.
class document {
 public:
  // The source must outlive the document. errc::malformed says the line and column, and what was expected
  // there; errc::too_large the limit.
  static core::result<document> parse(std::string_view source, const parse_limits& limits = {});

  const node& at(std::uint32_t i) const { return nodes_[i]; }
  std::string_view source() const { return source_; }
  std::string_view raw(std::uint32_t i) const {
    return source_.substr(nodes_[i].begin, nodes_[i].end - nodes_[i].begin);
  }
  // The text of a text node without quotes and with its escapes resolved; `store` is used only where there
  // are escapes.
  std::string_view text(std::uint32_t i, std::string& store) const;
  std::size_t size() const { return nodes_.size(); }

 private:
  friend class parser;
  std::string_view source_;
  std::vector<node> nodes_;
};

// Copies a JSON value without the white space between its tokens. The value must be well-formed.
void append_compact(std::string& out, std::string_view json);

}  // namespace belfry::api::json
