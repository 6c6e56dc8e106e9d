#include "storage/apply/lookup.hpp"

#include <algorithm>

#include "core/ids/id.hpp"
#include "core/text/utf8.hpp"

namespace belfry::storage {
namespace {

constexpr std::size_t digits = 13;
constexpr std::size_t bits_per_digit = 5;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

core::failure not_an_id(std::string_view prefix, std::string_view text, std::string_view why) {
  core::failure f{core::errc::invalid, "not an id: " + std::string{why}, {}, {}};
  f.problems.push_back({"/id", core::shown(text, 40), std::string{prefix} + " and 6 to 13 digits or letters",
                        std::string{why}});
  return f;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool name_contains(std::string_view name, std::string_view piece) {
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  return piece.empty() ||
         std::search(name.begin(), name.end(), piece.begin(), piece.end(), same) != name.end();
}

bool looks_like_id(std::string_view prefix, std::string_view text) {
  return text.size() >= prefix.size() && lower_case(text.substr(0, prefix.size())) == prefix;
}

core::result<id_span> ids_meant(std::string_view prefix, std::string_view text) {
  if (!looks_like_id(prefix, text))
    return not_an_id(prefix, text, "it does not begin with " + std::string{prefix});
  const auto body = text.substr(prefix.size());
  if (body.size() < least_digits)
    return not_an_id(prefix, text, "the beginning of an id needs at least 6 characters");
  if (body.size() > digits) return not_an_id(prefix, text, "it has more than 13 characters after the prefix");
  const std::string filled = std::string{prefix} + std::string{body} + std::string(digits - body.size(), '0');
  // A beginning of zeros alone fills up to the id zero, which is none.
  const bool zeros = filled.find_first_not_of("0oO", prefix.size()) == std::string::npos;
  std::int64_t first = 0;
  if (!zeros || body.size() == digits) {
    const auto parsed = core::parse_id_text(prefix, filled);
    if (!parsed) return parsed.error();
    first = *parsed;
  }
  const auto open_bits = bits_per_digit * (digits - body.size());
  return id_span{first, first | static_cast<std::int64_t>((std::uint64_t{1} << open_bits) - 1)};
}

core::failure nothing_named(std::string_view noun, std::string_view text) {
  return {core::errc::not_found,
          "there is no " + std::string{noun} + " \"" + core::shown(text, 80) + "\"",
          {},
          "belfry " + std::string{noun} + " list"};
}

core::result<std::int64_t> the_one(std::string_view noun, std::string_view prefix, std::string_view text,
                                   const std::vector<std::int64_t>& found) {
  if (found.size() == 1) return found.front();
  if (found.empty()) return nothing_named(noun, text);
  std::string list;
  for (std::size_t i = 0; i < found.size() && i < candidates_shown; ++i)
    (list += list.empty() ? "" : ", ") += core::id_text(prefix, found[i]);
  if (found.size() > candidates_shown) list += ", …";
  core::failure f{
      core::errc::ambiguous, "several ids begin with " + core::shown(text, 40) + ": " + list, {}, {}};
  f.problems.push_back({"/id", core::shown(text, 40), list, "more than one " + std::string{noun} + " fits"});
  return f;
}

}  // namespace belfry::storage
