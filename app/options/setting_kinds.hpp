// KINDS of settings: how a whole number, a truth, a length of time, a size, a text, a list or a choice is
// read and shown.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <sstream>
#include <string>
#include <utility>

#include "app/options/settings.hpp"
#include "app/output/words.hpp"
#include "core/time/text.hpp"

namespace belfry::app {

inline std::string kind_of(const given_value& v) {
  constexpr std::array<const char*, 5> names{"true or false", "a whole number", "a number with a point",
                                             "a text", "a list"};
  return names[v.index()];
}

inline std::optional<std::string> must_be(const std::string& allowed, const given_value& v) {
  std::string shown = kind_of(v);
  if (const auto* text = std::get_if<std::string>(&v)) shown = "\"" + *text + "\"";
  if (const auto* number = std::get_if<std::int64_t>(&v)) shown = std::to_string(*number);
  if (const auto* truth = std::get_if<bool>(&v)) shown = *truth ? "true" : "false";
  return "given " + shown + ", allowed: " + allowed;
}

// at(configuration) -> the member. T is the type of the member.
template <class T, class At>
setting whole(std::string key, At at, std::int64_t least, std::int64_t most, std::string says) {
  const std::string allowed = std::to_string(least) + " to " + std::to_string(most);
  return {std::move(key), std::move(says), allowed,
          [at](const configuration& c) { return std::to_string(at(const_cast<configuration&>(c))); },
          [at, least, most, allowed](configuration& c, const given_value& v,
                                     bool as_text) -> std::optional<std::string> {
            std::int64_t number = 0;
            if (const auto* n = std::get_if<std::int64_t>(&v)) {
              number = *n;
            } else if (const auto* text = std::get_if<std::string>(&v); text != nullptr && as_text) {
              const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
              if (error != std::errc{} || end != text->data() + text->size()) return must_be(allowed, v);
            } else {
              return must_be("a whole number, " + allowed, v);
            }
            if (number < least || number > most) return must_be(allowed, v);
            at(c) = static_cast<T>(number);
            return std::nullopt;
          }};
}

template <class At>
setting real(std::string key, At at, double least, double most, std::string says) {
  const auto digits = [](double d) {
    std::ostringstream out;
    out << d;
    return out.str().find('.') == std::string::npos ? out.str() + ".0" : out.str();
  };
  const std::string allowed = digits(least) + " to " + digits(most);
  return {std::move(key), std::move(says), allowed,
          [at, digits](const configuration& c) { return digits(at(const_cast<configuration&>(c))); },
          [at, least, most, allowed](configuration& c, const given_value& v,
                                     bool as_text) -> std::optional<std::string> {
            double number = std::nan("");
            if (const auto* d = std::get_if<double>(&v)) number = *d;
            if (const auto* n = std::get_if<std::int64_t>(&v)) number = static_cast<double>(*n);
            if (const auto* text = std::get_if<std::string>(&v); text != nullptr && as_text) {
              const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
              if (error != std::errc{} || end != text->data() + text->size()) return must_be(allowed, v);
            }
            if (!(number >= least && number <= most)) return must_be(allowed, v);
            at(c) = number;
            return std::nullopt;
          }};
}

template <class At>
setting truth(std::string key, At at, std::string says) {
  return {std::move(key), std::move(says), "true or false",
          [at](const configuration& c) { return at(const_cast<configuration&>(c)) ? "true" : "false"; },
          [at](configuration& c, const given_value& v, bool as_text) -> std::optional<std::string> {
            if (const auto* b = std::get_if<bool>(&v))
              at(c) = *b;
            else if (const auto* text = std::get_if<std::string>(&v);
                     text != nullptr && as_text && (*text == "true" || *text == "1"))
              at(c) = true;
            else if (text != nullptr && as_text && (*text == "false" || *text == "0"))
              at(c) = false;
            else
              return must_be("true or false", v);
            return std::nullopt;
          }};
}

template <class At>
setting length(std::string key, At at, core::span least, core::span most, std::string says) {
  const std::string allowed = "a time from " + core::to_text(least) + " to " + core::to_text(most);
  return {
      std::move(key), std::move(says), allowed,
      [at](const configuration& c) { return toml_text(core::to_text(at(const_cast<configuration&>(c)))); },
      [at, least, most, allowed](configuration& c, const given_value& v, bool) -> std::optional<std::string> {
        const auto* text = std::get_if<std::string>(&v);
        const auto* number = std::get_if<std::int64_t>(&v);
        const auto parsed = core::parse_span(text != nullptr                     ? *text
                                             : number != nullptr && *number == 0 ? "0"
                                                                                 : "");
        if (!parsed || *parsed < least || *parsed > most) return must_be(allowed + ", such as \"90s\"", v);
        at(c) = *parsed;
        return std::nullopt;
      }};
}

template <class T, class At>
setting size(std::string key, At at, std::uint64_t factor, std::uint64_t least, std::uint64_t most,
             std::string says) {
  const std::string allowed = "a size from " + size_text(least) + " to " + size_text(most);
  return {
      std::move(key), std::move(says), allowed,
      [at, factor](const configuration& c) {
        return toml_text(size_text(static_cast<std::uint64_t>(at(const_cast<configuration&>(c))) * factor));
      },
      [at, factor, least, most, allowed](configuration& c, const given_value& v,
                                         bool) -> std::optional<std::string> {
        const auto* text = std::get_if<std::string>(&v);
        const auto* number = std::get_if<std::int64_t>(&v);
        const auto parsed = parse_size(text != nullptr     ? *text
                                       : number != nullptr ? std::to_string(*number)
                                                           : "");
        if (!parsed || *parsed < least || *parsed > most) return must_be(allowed + ", such as \"64MiB\"", v);
        at(c) = static_cast<T>(*parsed / factor);
        return std::nullopt;
      }};
}

template <class At>
setting words(std::string key, At at, std::string allowed, std::string says) {
  return {std::move(key), std::move(says), allowed,
          [at](const configuration& c) { return toml_text(at(const_cast<configuration&>(c))); },
          [at, allowed](configuration& c, const given_value& v, bool) -> std::optional<std::string> {
            const auto* text = std::get_if<std::string>(&v);
            if (text == nullptr || text->find('\0') != std::string::npos || text->size() > 4096)
              return must_be(allowed, v);
            at(c) = *text;
            return std::nullopt;
          }};
}

template <class At>
setting list(std::string key, At at, std::string allowed, std::string says) {
  return {std::move(key), std::move(says), allowed,
          [at](const configuration& c) {
            std::string out;
            for (const auto& each : at(const_cast<configuration&>(c)))
              out += (out.empty() ? "" : ", ") + toml_text(each);
            return "[" + out + "]";
          },
          [at, allowed](configuration& c, const given_value& v, bool as_text) -> std::optional<std::string> {
            if (const auto* many = std::get_if<std::vector<std::string>>(&v)) {
              at(c) = *many;
              return std::nullopt;
            }
            const auto* text = std::get_if<std::string>(&v);
            if (text == nullptr || !as_text) return must_be(allowed, v);
            at(c).clear();
            std::istringstream in(*text);
            for (std::string part; std::getline(in, part, ',');)
              if (!part.empty()) at(c).push_back(part);
            return std::nullopt;
          }};
}

template <class E, class At, std::size_t N>
setting choice(std::string key, At at, std::array<std::pair<const char*, E>, N> names, std::string says) {
  std::string allowed;
  for (std::size_t i = 0; i < N; ++i)
    allowed += (i == 0 ? "" : i + 1 == N ? " or " : ", ") + std::string(names[i].first);
  return {std::move(key), std::move(says), allowed,
          [at, names](const configuration& c) {
            for (const auto& [name, value] : names)
              if (value == at(const_cast<configuration&>(c))) return toml_text(name);
            return std::string("\"\"");
          },
          [at, names, allowed](configuration& c, const given_value& v, bool) -> std::optional<std::string> {
            const auto* text = std::get_if<std::string>(&v);
            for (const auto& [name, value] : names) {
              if (text == nullptr || *text != name) continue;
              at(c) = value;
              return std::nullopt;
            }
            return must_be(allowed, v);
          }};
}

}  // namespace belfry::app
