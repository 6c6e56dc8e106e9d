#include "api/json/reader.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "api/json/nearest.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api::json {
namespace {

constexpr std::size_t shown_bytes = 80;

void append_token(std::string& out, std::string_view key) {
  out += '/';
  for (const char c : key) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
}

void append_pointer(std::string& out, const place& p) {
  if (p.up == nullptr) {
    out += p.key;
    return;
  }
  append_pointer(out, *p.up);  // at most 64 deep
  if (p.key.data() == nullptr)
    (out += '/') += std::to_string(p.index);
  else
    append_token(out, core::shown(p.key, shown_bytes));
}

template <class N>
std::string range(N least, N most) {
  return std::to_string(least) + " to " + std::to_string(most);
}

std::string shortest(double d) {
  std::array<char, 32> b{};
  return {b.data(), std::to_chars(b.data(), b.data() + b.size(), d).ptr};
}

}  // namespace

std::string pointer_to(const place& p) {
  std::string out;
  append_pointer(out, p);
  return out;
}

std::string pointer_token(std::string_view key) {
  std::string out;
  append_token(out, core::shown(key, shown_bytes));
  return out;
}

std::string value::shown() const { return core::shown(raw(), shown_bytes); }

bool value::wrong(std::string allowed, std::string detail, core::errc code) const {
  found_->add({pointer(), shown(), std::move(allowed), std::move(detail)}, code);
  return false;
}

bool value::expect(kind k) const {
  if (what() == k) return true;
  return wrong(std::string{to_text(k)},
               "it is " + std::string{to_text(what())} + ", not " + std::string{to_text(k)});
}

bool value::note(const core::failure& f) const {
  const std::string allowed = f.problems.empty() ? std::string{} : f.problems.front().allowed;
  return wrong(allowed,
               f.problems.empty() || f.problems.front().detail.empty() ? f.text : f.problems.front().detail);
}

bool value::read(std::string& out) const {
  if (!expect(kind::text)) return false;
  std::string store;
  const auto t = doc_->text(at_, store);
  if (n().escaped && t.find('\0') != std::string_view::npos)
    return wrong("text without the character NUL", "it has a NUL");
  out.assign(t);
  return true;
}

bool value::read(bool& out) const {
  if (!expect(kind::boolean)) return false;
  out = n().whole;
  return true;
}

bool value::read_whole(std::int64_t& out, std::int64_t least, std::int64_t most) const {
  if (what() != kind::number)
    return wrong("a whole number from " + range(least, most), "it is " + std::string{to_text(what())});
  const auto text = raw();
  std::int64_t v = 0;
  bool fits = false;
  if (n().whole) {
    const auto r = std::from_chars(text.data(), text.data() + text.size(), v);
    fits = r.ec == std::errc{};
  } else {  // 3.0 and 1e3 are whole numbers too
    double d = 0;
    const auto r = std::from_chars(text.data(), text.data() + text.size(), d);
    if (r.ec == std::errc{} && d != std::floor(d))
      return wrong("a whole number from " + range(least, most), "it is not whole");
    fits = r.ec == std::errc{} && std::fabs(d) < 9e15;
    if (fits) v = static_cast<std::int64_t>(d);
  }
  if (!fits || v < least || v > most) return wrong(range(least, most), "it is out of range");
  out = v;
  return true;
}

bool value::read(double& out, double least, double most) const {
  if (!expect(kind::number)) return false;
  const auto text = raw();
  double d = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), d);
  if (r.ec != std::errc{} || !(d >= least && d <= most))
    return wrong(shortest(least) + " to " + shortest(most), "it is out of range");
  out = d;
  return true;
}

bool value::read(core::span& out) const {
  if (what() == kind::number && raw() == "0") {
    out = core::span{0};
    return true;
  }
  if (what() != kind::text)
    return wrong("a text such as \"90s\", \"5m\", \"250ms\" or \"PT1M30S\"",
                 "a duration is a text with its unit");
  std::string store;
  const auto s = core::parse_span(doc_->text(at_, store));
  if (!s) return note(s.error());
  out = *s;
  return true;
}

bool value::read(core::instant& out) const {
  if (!expect(kind::text)) return false;
  std::string store;
  const auto t = core::parse_instant(doc_->text(at_, store));
  if (!t) return note(t.error());
  out = *t;
  return true;
}

bool value::read_bytes(std::uint64_t& out) const {
  constexpr std::string_view allowed = "a number of bytes, or a text such as \"64MiB\"";
  std::string store;
  if (what() != kind::number && what() != kind::text)
    return wrong(std::string{allowed}, "it is " + std::string{to_text(what())});
  const auto text = what() == kind::text ? doc_->text(at_, store) : raw();
  const auto bytes = parse_bytes(text);
  if (!bytes) return wrong(std::string{allowed}, "it is not a size");
  out = *bytes;
  return true;
}

bool value::read(std::vector<std::string>& out) const {
  if (!expect(kind::array)) return false;
  out.clear();
  bool all = true;
  each_element([&](const value& v) {
    std::string s;
    if (v.read(s))
      out.push_back(std::move(s));
    else
      all = false;
  });
  return all;
}

void value::read_raw(std::string& out) const {
  out.clear();
  append_compact(out, raw());
}

bool value::unknown_name(std::string_view given, std::span<const std::string_view> names,
                         core::errc code) const {
  std::string detail = "there is no such word";
  if (const auto near = nearest(given, names); !near.empty())
    detail += "; did you mean " + std::string{near} + "?";
  return wrong(one_of(names), std::move(detail), code);
}

void value::unknown_field(std::string_view key, std::span<const std::string_view> known) const {
  std::string detail = "there is no such field";
  if (const auto near = nearest(key, known); !near.empty())
    detail += "; did you mean " + std::string{near} + "?";
  // Only the key is repeated: the value may be a secret under a mistyped name.
  found_->add({pointer(), core::shown(key, shown_bytes), one_of(known), std::move(detail)},
              core::errc::unknown_field);
}

std::span<const std::string_view> priority_names() {
  static constexpr std::array<std::string_view, 4> names{"urgent", "high", "normal", "low"};
  return names;
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  std::uint64_t number = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), number);
  if (r.ec != std::errc{}) return std::nullopt;
  std::string_view unit{r.ptr, static_cast<std::size_t>(text.data() + text.size() - r.ptr)};
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 12> units{{{"", 1},
                                                                              {"B", 1},
                                                                              {"kB", 1000},
                                                                              {"KB", 1000},
                                                                              {"MB", 1'000'000},
                                                                              {"GB", 1'000'000'000},
                                                                              {"KiB", 1ULL << 10U},
                                                                              {"MiB", 1ULL << 20U},
                                                                              {"GiB", 1ULL << 30U},
                                                                              {"TiB", 1ULL << 40U},
                                                                              {"K", 1ULL << 10U},
                                                                              {"M", 1ULL << 20U}}};
  for (const auto& [name, size] : units) {
    if (unit != name) continue;
    if (number > std::numeric_limits<std::int64_t>::max() / size) return std::nullopt;
    return number * size;
  }
  return std::nullopt;
}

}  // namespace belfry::api::json
