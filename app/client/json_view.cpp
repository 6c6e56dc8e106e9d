#include "app/client/json_view.hpp"

#include <charconv>
#include <cstdlib>

#include "api/json/writer.hpp"

namespace belfry::app {

view view::operator[](std::string_view key) const {
  if (!is(api::json::kind::object)) return {};
  std::string store;
  for (auto i = at_ + 1; i < doc_->at(at_).next; i = doc_->at(i + 1).next)
    if (doc_->text(i, store) == key) return {doc_, i + 1};
  return {};
}

std::string view::text() const {
  if (!there()) return {};
  if (!is(api::json::kind::text)) return compact(raw());
  std::string store;
  return std::string(doc_->text(at_, store));
}

std::int64_t view::number() const {
  if (!is(api::json::kind::number)) return 0;
  const auto digits = raw();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc{} && end == digits.data() + digits.size()) return value;
  return static_cast<std::int64_t>(real());
}

double view::real() const {
  return is(api::json::kind::number) ? std::strtod(std::string(raw()).c_str(), nullptr) : 0.0;
}

core::result<json_text> json_text::parse(std::string text) {
  json_text out;
  out.text_ = std::make_shared<const std::string>(std::move(text));
  api::json::parse_limits limits;
  limits.depth = 256;  // a payload may be 64 deep inside an answer
  limits.bytes = 1U << 30U;
  auto doc = api::json::document::parse(*out.text_, limits);
  if (!doc) return doc.error();
  out.doc_ = std::make_shared<const api::json::document>(std::move(*doc));
  return out;
}

std::string indented(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  bool in_text = false;
  const auto line = [&] { out += "\n" + std::string(depth * 2, ' '); };
  const auto next_token = [&](std::size_t i) {
    while (i < json.size() && (json[i] == ' ' || json[i] == '\n' || json[i] == '\r' || json[i] == '\t')) ++i;
    return i;
  };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text) {
      out += c;
      if (c == '\\' && i + 1 < json.size())
        out += json[++i];
      else if (c == '"')
        in_text = false;
      continue;
    }
    switch (c) {
      case ' ':
      case '\n':
      case '\r':
      case '\t': break;
      case '"':
        in_text = true;
        out += c;
        break;
      case '{':
      case '[': {
        const std::size_t after = next_token(i + 1);
        out += c;
        if (after < json.size() && (json[after] == '}' || json[after] == ']')) {
          out += json[after];
          i = after;
          break;
        }
        ++depth;
        line();
        break;
      }
      case '}':
      case ']':
        depth -= depth > 0 ? 1 : 0;
        line();
        out += c;
        break;
      case ',':
        out += c;
        line();
        break;
      case ':': out += ": "; break;
      default: out += c;
    }
  }
  return out;
}

std::string compact(std::string_view json) {
  std::string out;
  api::json::append_compact(out, json);
  return out;
}

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  api::json::append_escaped(out, text);
  return out + "\"";
}

}  // namespace belfry::app
