// READER: typed values out of a document. Whatever is wrong is noted with its JSON pointer, what was given
// and what would do, and reading goes on, so that one answer lists all mistakes. Unknown members are refused
// with the nearest known name.
#pragma once

#include <concepts>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json/document.hpp"
#include "api/json/problems.hpp"
#include "core/ids/id.hpp"
#include "core/time/instant.hpp"
#include "core/time/text.hpp"

namespace belfry::api::json {

// Where a value stands; a chain on the stack, made into a pointer only when somebody has to be told.
struct place {
  const place* up = nullptr;
  std::string_view key;     // member name, or the beginning of the pointer where `up` is null
  std::uint32_t index = 0;  // of an element, where key is empty and `up` is not null
};
std::string pointer_to(const place& p);
std::string pointer_token(std::string_view key);  // "/" and the key with ~ and / escaped

class value {
 public:
  value(const document& doc, std::uint32_t at, const place& where, problems& found)
      : doc_(&doc), at_(at), where_(&where), found_(&found) {}

  const node& n() const { return doc_->at(at_); }
  kind what() const { return n().what; }
  bool is_null() const { return what() == kind::null; }
  std::string_view raw() const { return doc_->raw(at_); }
  std::string pointer() const { return pointer_to(*where_); }
  problems& found() const { return *found_; }
  const document& doc() const { return *doc_; }
  std::uint32_t index() const { return at_; }
  const place& where() const { return *where_; }

  // Notes a mistake of this value and answers false.
  bool wrong(std::string allowed, std::string detail, core::errc code = core::errc::invalid) const;
  bool expect(kind k) const;

  // Each answers whether `out` was set.
  bool read(std::string& out) const;  // without NUL
  bool read(bool& out) const;
  bool read(double& out, double least, double most) const;
  bool read_whole(std::int64_t& out, std::int64_t least, std::int64_t most) const;
  template <std::integral T>
  bool read(T& out, T least, T most) const {
    std::int64_t v = 0;
    constexpr auto top = std::numeric_limits<std::int64_t>::max();
    const auto upper = std::cmp_greater(most, top) ? top : static_cast<std::int64_t>(most);
    if (!read_whole(v, static_cast<std::int64_t>(least), upper)) return false;
    out = static_cast<T>(v);
    return true;
  }
  // "90s", "PT1M", or the number 0.
  bool read(core::span& out) const;
  bool read(core::instant& out) const;
  // A number of bytes, or "64MiB", "10 kB".
  bool read_bytes(std::uint64_t& out) const;
  bool read(std::vector<std::string>& out) const;
  template <class Tag>
  bool read(core::strong_id<Tag>& out) const {
    std::string t;
    if (!read(t)) return false;
    const auto id = core::parse_id<core::strong_id<Tag>>(t);
    if (!id) return note(id.error());
    out = *id;
    return true;
  }
  // The JSON text itself, without white space between tokens.
  void read_raw(std::string& out) const;
  // One of the names that `from` knows; `names` are told when it is none of them.
  template <class Enum, class From>
  bool read_name(Enum& out, From from, std::span<const std::string_view> names) const {
    std::string store;
    if (!expect(kind::text)) return false;
    const auto given = doc_->text(at_, store);
    if (const auto e = from(given)) {
      out = *e;
      return true;
    }
    return unknown_name(given, names);
  }
  bool unknown_name(std::string_view given, std::span<const std::string_view> names,
                    core::errc code = core::errc::invalid) const;
  // The first problem of a failure of core, told about this value.
  bool note(const core::failure& f) const;

  // Elements of a list, in order: f(value). Nothing when it is no list.
  template <class F>
  void each_element(F f) const {
    if (!expect(kind::array)) return;
    place here{where_, {}, 0};
    for (auto i = at_ + 1; i < n().next; i = doc_->at(i).next, ++here.index)
      f(value{*doc_, i, here, *found_});
  }
  // Members of an object, in order: f(key, value) answers whether it knows the key; `known` are told when it
  // does not.
  template <class F>
  void each_member(F f, std::span<const std::string_view> known) const {
    if (!expect(kind::object)) return;
    std::string store;
    for (auto i = at_ + 1; i < n().next; i = doc_->at(i + 1).next) {
      const auto key = doc_->text(i, store);
      const place here{where_, key, 0};
      const value v{*doc_, i + 1, here, *found_};
      if (!f(key, v)) v.unknown_field(key, known);
    }
  }
  void unknown_field(std::string_view key, std::span<const std::string_view> known) const;
  std::string shown() const;  // a short piece of the value, for messages

 private:
  const document* doc_;
  std::uint32_t at_;
  const place* where_;
  problems* found_;
};

// A table of the members of an object: what decodes it, and what the API document and the suggestions say.
template <class T>
struct field {
  std::string_view name;
  void (*read)(const value&, T&);
};

template <class T>
bool read_field(std::span<const field<T>> fields, std::string_view key, const value& v, T& out) {
  for (const auto& f : fields) {
    if (f.name != key) continue;
    f.read(v, out);
    return true;
  }
  return false;
}

template <class T>
std::vector<std::string_view> names_of(std::span<const field<T>> fields) {
  std::vector<std::string_view> names;
  for (const auto& f : fields) names.push_back(f.name);
  return names;
}

template <class T, std::size_t N>
void read_object(const value& v, T& out, const field<T> (&fields)[N]) {
  static const auto names = names_of(std::span<const field<T>>{fields});
  v.each_member([&](std::string_view key, const value& m) { return read_field<T>(fields, key, m, out); },
                names);
}

std::span<const std::string_view> priority_names();

// Bytes written by a person: "64MiB", "10MB", "512"; nothing when it is neither.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

}  // namespace belfry::api::json
