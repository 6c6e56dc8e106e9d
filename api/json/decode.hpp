// DECODE: a body becomes a value, or a refusal that lists everything that is wrong with it.
#pragma once

#include <optional>
#include <string_view>

#include "api/json/reader.hpp"

namespace belfry::api::json {

// f(value, T&) reads the whole body. An empty body counts as {}: every field that must be there says so
// itself.
template <class T, class F>
core::result<T> decode(std::string_view body, F f, T out = {}) {
  const auto blank = body.find_first_not_of(" \t\r\n") == std::string_view::npos;
  const auto doc = document::parse(blank ? std::string_view{"{}"} : body);
  if (!doc) return doc.error();
  problems found;
  const place root;
  f(value{*doc, 0, root, found}, out);
  if (!found.empty()) return found.refusal();
  return out;
}

// A field that must be there and is not.
inline void missing(const value& v, std::string_view name, std::string allowed) {
  auto pointer = v.pointer() + pointer_token(name);
  if (v.what() == kind::object && !v.found().about(pointer))
    v.found().add({std::move(pointer), "", std::move(allowed), "it is missing"});
}

// At most `limit` characters, without control characters.
void check_text(const value& v, std::string_view text, std::size_t limit);
// A short text of a person, such as a reason: at most 500 characters.
void read_reason(const value& v, std::string& out);

}  // namespace belfry::api::json
