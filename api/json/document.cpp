#include "api/json/document.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "api/json/escapes.hpp"
#include "api/json/plain.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api::json {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// 0 goes on inside a string; 1 ends it; 2 begins an escape; 3 is not allowed; 4 begins a character of several
// bytes.
constexpr std::array<std::uint8_t, 256> string_class = [] {
  std::array<std::uint8_t, 256> t{};
  for (std::size_t i = 0; i < 0x20; ++i) t[i] = 3;
  t['"'] = 1;
  t['\\'] = 2;
  for (std::size_t i = 0x80; i < 256; ++i) t[i] = 4;
  return t;
}();

}  // namespace

std::string_view to_text(kind k) {
  switch (k) {
    case kind::null: return "null";
    case kind::boolean: return "a boolean";
    case kind::number: return "a number";
    case kind::text: return "a text";
    case kind::array: return "a list";
    case kind::object: return "an object";
  }
  return "something";
}

std::string_view document::text(std::uint32_t i, std::string& store) const {
  const auto& n = nodes_[i];
  const auto inner = source_.substr(n.begin + 1, n.end - n.begin - 2);
  if (!n.escaped) return inner;
  store.clear();
  unescape(store, inner);
  return store;
}

// One pass, its own stack. `fail_` keeps the first mistake.
class parser {
 public:
  parser(std::string_view s, const parse_limits& limits) : s_(s), limits_(limits) {
    doc_.source_ = s;
    doc_.nodes_.reserve(std::min<std::size_t>(s.size() / 8 + 8, 1U << 16));
  }

  core::result<document> run() {
    if (s_.size() > limits_.bytes)
      return core::failure{core::errc::too_large,
                           "the body has " + std::to_string(s_.size()) + " bytes; the limit is " +
                               std::to_string(limits_.bytes),
                           {},
                           {}};
    skip();
    if (done()) return fail("the body is empty; expected a JSON value");
    if (!document_value()) return error();
    skip();
    if (!done()) return fail("something follows the JSON value");
    return std::move(doc_);
  }

 private:
  using index = std::uint32_t;
  bool done() const { return at_ >= s_.size(); }
  void skip() {
    while (at_ < s_.size() && is_space(s_[at_])) ++at_;
  }

  core::failure fail(std::string_view what) {
    miss(what);
    return error();
  }
  bool miss(std::string_view what) {
    if (what_.empty()) {
      what_ = what;
      where_ = at_;
    }
    return false;
  }
  core::failure error() const {
    const auto before = s_.substr(0, std::min(where_, s_.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto newline = before.rfind('\n');
    const auto column = newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
    std::string text = "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + what_;
    // One character is enough to find the place; more could repeat a secret.
    if (where_ < s_.size()) text += ", found " + core::shown(s_.substr(where_, character_bytes()), 4);
    return {core::errc::malformed, std::move(text), {}, {}};
  }

  std::size_t character_bytes() const {
    const auto first = static_cast<std::uint8_t>(s_[where_]);
    return first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1;
  }

  index add(kind what) {
    doc_.nodes_.push_back({static_cast<index>(at_), 0, 0, 0, what, false, false});
    return static_cast<index>(doc_.nodes_.size() - 1);
  }
  void finish(index i) {
    doc_.nodes_[i].end = static_cast<index>(at_);
    doc_.nodes_[i].next = static_cast<index>(doc_.nodes_.size());
  }

  // The whole value at the cursor, containers by the stack.
  bool document_value() {
    if (!value()) return false;
    while (!open_.empty()) {
      const index top = open_.back();
      const bool object = doc_.nodes_[top].what == kind::object;
      skip();
      if (done()) return miss(object ? "the body ends inside an object" : "the body ends inside a list");
      const char closing = object ? '}' : ']';
      if (s_[at_] == closing) {
        if (after_comma_) return miss("a comma with nothing behind it");
        ++at_;
        finish(top);
        if (object && !unique_keys(top)) return false;
        open_.pop_back();
        continue;
      }
      if (doc_.nodes_[top].count > 0 && !after_comma_) {
        if (s_[at_] != ',') return miss(object ? "expected , or }" : "expected , or ]");
        ++at_;
        after_comma_ = true;
        continue;
      }
      after_comma_ = false;
      ++doc_.nodes_[top].count;
      if (object && !key()) return false;
      if (!value()) return false;
    }
    return true;
  }

  bool key() {
    if (s_[at_] != '"') return miss("expected a key in quotes");
    if (!string()) return false;
    skip();
    if (done() || s_[at_] != ':') return miss("expected : behind the key");
    ++at_;
    skip();
    return true;
  }

  // A scalar is read to its end; a container is opened.
  bool value() {
    if (done()) return miss("the body ends where a value is expected");
    switch (s_[at_]) {
      case '"': return string();
      case '{': return container(kind::object);
      case '[': return container(kind::array);
      case 't': return literal("true", kind::boolean, true);
      case 'f': return literal("false", kind::boolean, false);
      case 'n': return literal("null", kind::null, false);
      default: return number();
    }
  }

  bool container(kind what) {
    if (open_.size() >= limits_.depth)
      return miss("nested deeper than " + std::to_string(limits_.depth) + " levels");
    open_.push_back(add(what));
    ++at_;
    return true;
  }

  bool literal(std::string_view word, kind what, bool whole) {
    if (s_.substr(at_, word.size()) != word) return miss("expected a JSON value");
    const auto i = add(what);
    at_ += word.size();
    doc_.nodes_[i].whole = whole;
    finish(i);
    return true;
  }

  bool digits() {
    const auto from = at_;
    while (!done() && is_digit(s_[at_])) ++at_;
    return at_ > from;
  }

  bool number() {
    if (s_[at_] != '-' && !is_digit(s_[at_])) return miss("expected a JSON value");
    const auto i = add(kind::number);
    bool whole = true;
    if (s_[at_] == '-') ++at_;
    if (!done() && s_[at_] == '0')
      ++at_;
    else if (!digits())
      return miss("expected a digit");
    if (!done() && is_digit(s_[at_])) return miss("a number may not begin with 0");
    if (!done() && s_[at_] == '.') {
      whole = false;
      ++at_;
      if (!digits()) return miss("expected a digit behind the point");
    }
    if (!done() && (s_[at_] == 'e' || s_[at_] == 'E')) {
      whole = false;
      ++at_;
      if (!done() && (s_[at_] == '+' || s_[at_] == '-')) ++at_;
      if (!digits()) return miss("expected a digit in the exponent");
    }
    doc_.nodes_[i].whole = whole;
    finish(i);
    return true;
  }

  bool string() {
    const auto i = add(kind::text);
    bool escaped = false;
    ++at_;
    for (;;) {
      at_ = skip_plain(s_, at_);
      if (done()) return miss("the body ends inside a text");
      switch (string_class[static_cast<std::uint8_t>(s_[at_])]) {
        case 0: ++at_; break;  // DEL
        case 1:
          ++at_;
          doc_.nodes_[i].escaped = escaped;
          finish(i);
          return true;
        case 2:
          escaped = true;
          if (!escape()) return false;
          break;
        case 3: return miss("a control character inside a text; write it as an escape");
        default:
          if (!character()) return miss("not valid UTF-8");
          break;
      }
    }
  }

  bool escape() {
    const char c = at_ + 1 < s_.size() ? s_[at_ + 1] : '\0';
    if (c != '\0' && std::strchr("\"\\/bfnrt", c) != nullptr) {
      at_ += 2;
      return true;
    }
    if (c != 'u') return miss("there is no such escape");
    const int high = hex4(s_, at_ + 2);
    if (high < 0) return miss("expected four hexadecimal digits behind \\u");
    if (high >= 0xDC00 && high < 0xE000) return miss("a lone surrogate");
    if (high >= 0xD800 && high < 0xDC00) {
      const int low = s_.substr(at_ + 6, 2) == "\\u" ? hex4(s_, at_ + 8) : -1;
      if (low < 0xDC00 || low >= 0xE000) return miss("a lone surrogate");
      at_ += 6;
    }
    at_ += 6;
    return true;
  }

  bool character() {
    const auto first = static_cast<std::uint8_t>(s_[at_]);
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (at_ + length > s_.size() || !core::valid_utf8(s_.substr(at_, length))) return false;
    at_ += length;
    return true;
  }

  // Few keys are compared in pairs, many are sorted.
  bool unique_keys(index object) {
    const auto count = doc_.nodes_[object].count;
    if (count < 2) return true;
    keys_.clear();
    bool escaped = false;
    for (index i = object + 1; i < doc_.nodes_[object].next; i = doc_.nodes_[i + 1].next) {
      escaped = escaped || doc_.nodes_[i].escaped;
      keys_.push_back(doc_.raw(i));
    }
    if (escaped) {  // "a" and "\u0061" are the same key
      resolved_.assign(keys_.size(), {});
      for (std::size_t k = 0; k < keys_.size(); ++k) {
        unescape(resolved_[k], keys_[k]);
        keys_[k] = resolved_[k];
      }
    }
    if (count <= 16) {
      for (std::size_t a = 1; a < keys_.size(); ++a)
        for (std::size_t b = 0; b < a; ++b)
          if (keys_[a] == keys_[b]) return twice(object, keys_[a]);
      return true;
    }
    std::sort(keys_.begin(), keys_.end());
    const auto same = std::adjacent_find(keys_.begin(), keys_.end());
    return same == keys_.end() || twice(object, *same);
  }

  bool twice(index object, std::string_view key) {
    what_ = "the key " + core::shown(key, 60) + " stands twice in this object";
    where_ = doc_.nodes_[object].begin;
    return false;
  }

  std::string_view s_;
  const parse_limits& limits_;
  document doc_;
  std::size_t at_ = 0;
  std::vector<index> open_;
  bool after_comma_ = false;
  std::vector<std::string_view> keys_;
  std::vector<std::string> resolved_;
  std::string what_;
  std::size_t where_ = 0;
};

core::result<document> document::parse(std::string_view source, const parse_limits& limits) {
  return parser{source, limits}.run();
}

}  // namespace belfry::api::json
