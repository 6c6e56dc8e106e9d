#include "core/calendar/calendar.hpp"

#include <algorithm>

#include "core/schedule/tokens.hpp"
#include "core/text/utf8.hpp"

namespace belfry::core {
namespace {

constexpr std::size_t longest_text = std::size_t{4} << 20U;
constexpr std::size_t longest_name = 60;
constexpr std::chrono::days longest_range{400};
constexpr std::string_view date_forms = "a date such as 2026-12-25, or 2026-12-24..2027-01-01";

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.';
}
bool separates(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ','; }

std::optional<local_days> date_of(std::string_view text) {
  const auto tokens = tokens_of(text);
  token_cursor in{text, tokens};
  const auto d = take_date(in);
  return d && in.done() ? d : std::nullopt;
}

}  // namespace

std::string_view to_text(calendar_source s) { return s == calendar_source::ics ? "ics" : "dates"; }

std::vector<field_problem> check_plan_name(const std::string& name, const std::string& pointer) {
  if (!name.empty() && name.size() <= longest_name && std::all_of(name.begin(), name.end(), name_character))
    return {};
  return {{pointer, shown(name, 80), "1 to 60 letters, digits, '-', '_' and '.'", "it is no such name"}};
}

std::vector<field_problem> check(const named_calendar& c) {
  auto found = check_plan_name(c.name, "/name");
  if (!c.content) {
    found.push_back({"", "", "dates or the text of an iCalendar file", "there is nothing in it"});
    return found;
  }
  const auto periods = c.content->local.size() + c.content->fixed.size();
  if (periods == 0)
    found.push_back({"", "", "at least one date or event", "nothing would be excluded by it"});
  if (periods > most_calendar_periods)
    found.push_back({"", std::to_string(periods) + " periods",
                     "at most " + std::to_string(most_calendar_periods), "there are too many"});
  return found;
}

parsed<calendar> parse_dates(std::string_view text) {
  if (text.size() > longest_text) return text_problem{longest_text, 0, "it is greater than 4 MiB", {}};
  calendar c;
  for (std::size_t at = 0; at < text.size();) {
    if (separates(text[at])) {
      ++at;
      continue;
    }
    if (text[at] == '#') {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    auto end = at;
    while (end < text.size() && !separates(text[end]) && text[end] != '#') ++end;
    const auto word = text.substr(at, end - at);
    const auto dots = std::min(word.find(".."), word.size());
    const auto from = date_of(word.substr(0, dots));
    const auto to = dots < word.size() ? date_of(word.substr(dots + 2)) : from;
    if (!from || !to) return text_problem{at, word.size(), "this is no date", {std::string{date_forms}}};
    if (*to < *from || *to - *from >= longest_range)
      return text_problem{at, word.size(), "the range runs backwards or is longer than 400 days", {}};
    if (c.local.size() >= most_calendar_periods)
      return text_problem{at, word.size(), "there are more than 50000 dates", {}};
    c.local.push_back({*from, *to + std::chrono::days{1}});
    at = end;
  }
  normalise(c);
  return c;
}

std::size_t line_at(std::string_view text, std::size_t offset) {
  const auto head = text.substr(0, std::min(offset, text.size()));
  return 1 + static_cast<std::size_t>(std::count(head.begin(), head.end(), '\n'));
}

}  // namespace belfry::core
