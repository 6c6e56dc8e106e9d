// FIELDS: the form of every body. A field is a key and a value; the key is twice its tag, one more when the
// value is a text (a length and so many bytes) rather than a number (LEB128). That is enough to pass over a
// field that one does not know. Fields come in any order; of a list each item is a field.
//
// What a message has is said once, in `fields(v, message)`, for both: a `writer` puts every field, a `reader`
// asks each whether the field that it has just read is its own. A number that is 0 and a text that is empty
// are left out; a field whose usual value is another one is put with `always`, so that what is usual is the
// business of nobody's bytes. Tags and their meaning are frozen: new fields get new tags.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/codec/bytes.hpp"
#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/run/run.hpp"
#include "core/time/instant.hpp"

namespace belfry::messages::wire {

using core::codec::damaged;
using tag_number = std::uint64_t;

// Bounds of what is read. They are wider than what the doors take: they keep memory, and not manners.
inline constexpr std::size_t longest_word = 1'024;                  // names, labels, versions
inline constexpr std::size_t longest_line = std::size_t{64} << 10;  // reasons, texts for people
inline constexpr std::size_t longest_value = std::size_t{1} << 20;  // JSON of somebody
inline constexpr std::size_t longest_spec = std::size_t{16} << 20;  // of a run, without its payload
inline constexpr std::size_t most_words = 1'024;                    // labels, capabilities, reasons
inline constexpr std::size_t most_items = 1'000;                    // of one request
inline constexpr std::size_t most_held = 65'536;                    // sessions and runs of one node
inline constexpr std::size_t most_lines = 65'536;                   // of a log, in one call

// Whoever does not know a newer one refuses it.
inline constexpr auto last_errc = core::errc::rate_limited;

// A message or a constant one: `fields` of it is for writers and readers.
template <class T, class Message>
concept like = std::same_as<std::remove_const_t<T>, Message>;

// Messages of which one of several parts has to be there; without it they say nothing.
template <class T>
inline constexpr bool chooses = false;
template <class T>
inline constexpr bool chooses<core::result<T>> = true;

class writer {
 public:
  template <class Int>
  void always(tag_number tag, Int v) {
    bytes_.number(tag << 1U);
    bytes_.number(static_cast<std::uint64_t>(v));
  }
  template <class Int>
  void number(tag_number tag, Int v) {
    if (v != 0) always(tag, v);
  }
  void given(tag_number tag, const std::optional<int>& v) {
    if (v) always(tag, *v);
  }
  void flag(tag_number tag, bool v) {
    if (v) always(tag, 1);
  }
  void time(tag_number tag, core::instant t) { number(tag, core::micros(t)); }
  void given(tag_number tag, const std::optional<core::instant>& t) {
    if (t) always(tag, core::micros(*t));
  }
  void length(tag_number tag, core::span s) { always(tag, s.count()); }
  void given(tag_number tag, const std::optional<core::span>& s) {
    if (s) length(tag, *s);
  }
  template <class Tag>
  void id(tag_number tag, core::strong_id<Tag> v) {
    number(tag, v.value);
  }
  template <class Id>
  void ids(tag_number tag, const std::vector<Id>& list) {
    for (const auto& v : list) always(tag, v.value);
  }
  template <class Enum>
  void choice(tag_number tag, Enum v, Enum /*last*/) {
    always(tag, v);
  }
  void code(tag_number tag, core::errc v) { always(tag, v); }
  template <class Enum>
  void choices(tag_number tag, const std::vector<Enum>& list, Enum /*last*/) {
    for (const auto v : list) always(tag, v);
  }
  void real(tag_number tag, double v) {
    core::codec::out o;
    o.real(v);
    item(tag, o.take());
  }
  void text(tag_number tag, std::string_view t, std::size_t /*longest*/) {
    if (!t.empty()) item(tag, t);
  }
  void texts(tag_number tag, const std::vector<std::string>& list, std::size_t /*most*/) {
    for (const auto& t : list) item(tag, t);
  }
  void hash(tag_number tag, const core::token_hash& h) {
    if (h != core::token_hash{}) item(tag, std::string{h.begin(), h.end()});
  }
  void given(tag_number tag, const std::optional<core::token_hash>& h) {
    if (h) item(tag, std::string{h->begin(), h->end()});
  }
  // What another codec makes of a value; empty: the usual one.
  template <class T, class Encode, class Decode>
  void coded(tag_number tag, const T& v, Encode encode, Decode /*decode*/) {
    text(tag, encode(v), longest_line);
  }
  template <class T>
  void part(tag_number tag, const T& v) {
    writer w;
    fields(w, v);
    item(tag, w.take());
  }
  template <class T>
  void part(tag_number tag, const std::optional<T>& v) {
    if (v) part(tag, *v);
  }
  template <class T>
  void parts(tag_number tag, const std::vector<T>& list, std::size_t /*most*/) {
    for (const auto& v : list) part(tag, v);
  }
  // The first alternative has the tag `first`, the next ones follow it.
  template <class... Ts>
  void one_of(tag_number first, const std::variant<Ts...>& v) {
    std::visit([&](const auto& what) { part(first + v.index(), what); }, v);
  }
  template <class T>
  void outcome(tag_number value, tag_number failure, const core::result<T>& v) {
    if (v)
      part(value, *v);
    else
      part(failure, v.error());
  }
  // Also where it is empty.
  void item(tag_number tag, std::string_view t) {
    bytes_.number(tag << 1U | 1U);
    bytes_.text(t);
  }
  std::string take() { return bytes_.take(); }

 private:
  core::codec::out bytes_;
};

template <class T>
struct blank {
  static T make() { return T{}; }
};
template <class T>
struct blank<core::result<T>> {
  static core::result<T> make() { return core::failure{}; }
};
template <class T>
T nothing() {
  return blank<T>::make();
}

// What cannot be read throws `damaged`. `into` is what is missing's usual value.
template <class T>
void read_part(std::string_view bytes, T& into);

class reader {
 public:
  explicit reader(std::string_view bytes) : left_{bytes} {}
  bool next() {
    if (left_.empty()) return false;
    const auto key = left_.number();
    tag_ = key >> 1U;
    is_text_ = (key & 1U) != 0;
    if (is_text_)
      text_ = left_.text();
    else
      number_ = left_.number();
    return true;
  }
  bool chosen() const { return chosen_; }
  void choose_this() { chosen_ = true; }
  bool is(tag_number tag) const { return tag_ == tag; }

  template <class Int>
  void number(tag_number tag, Int& v) {
    if (is(tag)) v = static_cast<Int>(below(std::numeric_limits<Int>::max()));
  }
  template <class Int>
  void always(tag_number tag, Int& v) {
    number(tag, v);
  }
  void given(tag_number tag, std::optional<int>& v) {
    if (!is(tag)) return;
    const auto n = static_cast<std::int64_t>(below(std::numeric_limits<std::uint64_t>::max()));
    if (n < std::numeric_limits<int>::min() || n > std::numeric_limits<int>::max()) bad("is out of range");
    v = static_cast<int>(n);
  }
  void flag(tag_number tag, bool& v) {
    if (is(tag)) v = below(1) != 0;
  }
  void time(tag_number tag, core::instant& t) {
    if (is(tag)) t = core::from_micros(micros());
  }
  void given(tag_number tag, std::optional<core::instant>& t) {
    if (is(tag)) t = core::from_micros(micros());
  }
  void length(tag_number tag, core::span& s) {
    if (is(tag)) s = core::span{micros()};
  }
  void given(tag_number tag, std::optional<core::span>& s) {
    if (is(tag)) s = core::span{micros()};
  }
  template <class Tag>
  void id(tag_number tag, core::strong_id<Tag>& v) {
    number(tag, v.value);
  }
  template <class Id>
  void ids(tag_number tag, std::vector<Id>& list) {
    if (is(tag)) {
      room(list, most_held);
      list.emplace_back();
      number(tag, list.back().value);
    }
  }
  template <class Enum>
  void choice(tag_number tag, Enum& v, Enum last) {
    if (is(tag)) v = static_cast<Enum>(below(static_cast<std::uint64_t>(last)));
  }
  void code(tag_number tag, core::errc& v) {
    choice(tag, v, last_errc);
    if (is(tag) && number_ == 0) bad("is no code of a failure");
  }
  template <class Enum>
  void choices(tag_number tag, std::vector<Enum>& list, Enum last) {
    if (is(tag)) {
      room(list, most_words);
      list.push_back(last);
      choice(tag, list.back(), last);
    }
  }
  void real(tag_number tag, double& v) {
    if (!is(tag)) return;
    core::codec::in i{within(sizeof v)};
    v = i.real();
    if (!std::isfinite(v)) bad("is no finite number");
  }
  void text(tag_number tag, std::string& t, std::size_t longest) {
    if (is(tag)) t = within(longest);
  }
  void texts(tag_number tag, std::vector<std::string>& list, std::size_t most) {
    if (is(tag)) {
      room(list, most);
      list.emplace_back(within(longest_word));
    }
  }
  void hash(tag_number tag, core::token_hash& h) {
    if (!is(tag)) return;
    const auto bytes = within(h.size());
    if (bytes.size() != h.size()) bad("is no hash of " + std::to_string(h.size()) + " bytes");
    for (std::size_t i = 0; i < h.size(); ++i) h.at(i) = static_cast<std::uint8_t>(bytes[i]);
  }
  void given(tag_number tag, std::optional<core::token_hash>& h) {
    if (is(tag)) hash(tag, h.emplace());
  }
  template <class T, class Encode, class Decode>
  void coded(tag_number tag, T& v, Encode /*encode*/, Decode decode) {
    if (is(tag)) decode(within(longest_line), v);
  }
  template <class T>
  void part(tag_number tag, T& v) {
    if (!is(tag)) return;
    v = nothing<T>();
    read_part(within(std::numeric_limits<std::size_t>::max()), v);
  }
  template <class T>
  void part(tag_number tag, std::optional<T>& v) {
    if (is(tag)) part(tag, v.emplace(nothing<T>()));
  }
  template <class T>
  void parts(tag_number tag, std::vector<T>& list, std::size_t most) {
    if (is(tag)) {
      room(list, most);
      list.push_back(nothing<T>());
      part(tag, list.back());
    }
  }
  template <class... Ts>
  bool one_of(tag_number first, std::variant<Ts...>& v) {
    if (tag_ < first || tag_ - first >= sizeof...(Ts)) return false;
    choose(v, first, std::index_sequence_for<Ts...>{});
    return chosen_ = true;
  }
  template <class T>
  void outcome(tag_number value, tag_number failure, core::result<T>& v) {
    if (is(value)) {
      T read = nothing<T>();
      part(value, read);
      v = core::result<T>{std::move(read)};
      chosen_ = true;
    } else if (is(failure)) {
      core::failure read;
      part(failure, read);
      v = core::result<T>{std::move(read)};
      chosen_ = true;
    }
  }
  std::string_view within(std::size_t longest) const {
    if (!is_text_) bad("is a number and should be a text");
    if (text_.size() > longest) bad("is longer than " + std::to_string(longest) + " bytes");
    return text_;
  }
  [[noreturn]] void bad(const std::string& why) const {
    throw damaged("field " + std::to_string(tag_) + " " + why);
  }

 private:
  template <class Most>
  std::uint64_t below(Most most) const {
    if (is_text_) bad("is a text and should be a number");
    if (number_ > static_cast<std::uint64_t>(most)) bad("is greater than " + std::to_string(most));
    return number_;
  }
  // No time is before `never` or after the end of time, and no length is longer than that: sums stay sums.
  std::int64_t micros() const { return static_cast<std::int64_t>(below(core::micros(core::end_of_time))); }
  template <class T>
  void room(const std::vector<T>& in, std::size_t most) const {
    if (in.size() >= most) bad("has more than " + std::to_string(most) + " items");
  }
  template <class Variant, std::size_t... I>
  void choose(Variant& v, tag_number first, std::index_sequence<I...> /*of*/) {
    (void)((is(first + I) ? (part(first + I, v.template emplace<I>()), true) : false) || ...);
  }

  core::codec::in left_;
  tag_number tag_ = 0;
  bool is_text_ = false;
  bool chosen_ = false;
  std::uint64_t number_ = 0;
  std::string_view text_;
};

template <class T>
void read_part(std::string_view bytes, T& into) {
  reader r{bytes};
  while (r.next()) fields(r, into);
  if constexpr (chooses<T>)
    if (!r.chosen()) throw damaged("a part says nothing that this version knows");
}

}  // namespace belfry::messages::wire
