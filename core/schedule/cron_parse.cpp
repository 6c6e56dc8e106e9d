#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/schedule/cron.hpp"
#include "core/text/utf8.hpp"
#include "core/text/word.hpp"

namespace belfry::core {
namespace {

constexpr std::size_t longest_text = 500;

struct field_rule {
  std::string_view name;
  unsigned low;
  unsigned high;                                  // the greatest number that may be written
  unsigned size;                                  // how many different values there are
  unsigned hash_high;                             // the greatest value that H stands for
  const std::array<std::string_view, 12>* names;  // the value low stands first; empty ones end the list
};

constexpr std::array<std::string_view, 12> weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr field_rule second_field{"second", 0, 59, 60, 59, nullptr};
constexpr field_rule minute_field{"minute", 0, 59, 60, 59, nullptr};
constexpr field_rule hour_field{"hour", 0, 23, 24, 23, nullptr};
constexpr field_rule month_day_field{"day of month", 1, 31, 31, 28, nullptr};
constexpr field_rule month_field{"month", 1, 12, 12, 12, &month_names};
constexpr field_rule weekday_field{"weekday", 0, 7, 7, 6, &weekday_names};

// What a field came to. Problems point into the whole text.
struct field_value {
  std::uint64_t bits = 0;
  bool star = false;  // it began with *, ? or &
  bool last = false;  // L, day of month
  std::array<std::uint8_t, 7> nth{};
  weekday_bits last_weekdays = 0;
};

std::uint64_t mixed_hash(std::uint64_t seed, std::string_view salt) {
  for (const char c : salt) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  seed ^= seed >> 30U;
  seed *= 0xBF58476D1CE4E5B9ULL;
  seed ^= seed >> 27U;
  seed *= 0x94D049BB133111EBULL;
  return seed ^ seed >> 31U;
}

// Reads one field. Case does not matter: the text is in lower case already.
class field_reader {
 public:
  field_reader(const field_rule& rule, std::string_view text, std::size_t offset, const cron_context& context)
      : rule_{rule}, text_{text}, offset_{offset}, context_{context} {}

  parsed<field_value> read() {
    value_.star = text_.front() == '*' || text_.front() == '?';
    if (weekday() && skip('&')) value_.star = true;
    for (bool more = true; more;) {
      if (!item()) return problem_;
      if (at_ < text_.size() && text_[at_] != ',') {
        fail(at_, "something follows that does not belong to the " + name() + " field", {",", "/"});
        return problem_;
      }
      more = at_ < text_.size();
      if (more) ++at_;
    }
    return value_;
  }

 private:
  std::string name() const { return std::string{rule_.name}; }
  std::string range() const { return std::to_string(rule_.low) + " to " + std::to_string(rule_.high); }
  bool weekday() const { return &rule_ == &weekday_field; }
  bool month_day() const { return &rule_ == &month_day_field; }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool skip(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  bool fail(std::size_t at, std::string why, std::vector<std::string> expected) {
    const auto end = text_.find(',', at);
    const auto stop = end == std::string_view::npos ? text_.size() : std::max(end, at);
    problem_ = {offset_ + at, stop - at, std::move(why), std::move(expected)};
    return false;
  }
  std::vector<std::string> forms() const {
    std::vector<std::string> list{"*", range(), "a range such as 1-5", "a step such as */2"};
    if (rule_.names != nullptr) list.push_back(std::string{(*rule_.names)[1]} + " and other names");
    if (month_day()) list.emplace_back("L for the last day");
    if (weekday()) list.emplace_back("mon#2, 5L");
    return list;
  }

  std::optional<unsigned> number() {
    const auto start = at_;
    unsigned v = 0;
    while (peek() >= '0' && peek() <= '9') {
      if (v < 100'000) v = v * 10 + static_cast<unsigned>(peek() - '0');
      ++at_;
    }
    if (at_ == start) return std::nullopt;
    return v;
  }

  // A number or a name within the field's range.
  std::optional<unsigned> one() {
    const auto start = at_;
    if (const auto v = number()) {
      if (*v >= rule_.low && *v <= rule_.high) return v;
      fail(start, std::to_string(*v) + " is out of range for the " + name() + " field", {range()});
      return std::nullopt;
    }
    if (rule_.names != nullptr)
      for (unsigned i = 0; i < rule_.names->size() && !(*rule_.names)[i].empty(); ++i)
        if (text_.substr(at_).starts_with((*rule_.names)[i])) {
          at_ += 3;
          return rule_.low + i;
        }
    if (month_day() && (peek() == 'w' || text_.substr(at_).starts_with("lw")))
      fail(start, "W (the nearest weekday) is not supported; its meaning differs between products", forms());
    else
      fail(start,
           at_ == text_.size() || peek() == ',' ? "a value is missing in the " + name() + " field"
                                                : "this is no value of the " + name() + " field",
           forms());
    return std::nullopt;
  }

  bool item() {
    const auto start = at_;
    if (peek() == '*' || peek() == '?') {
      const bool question = peek() == '?';
      ++at_;
      if (question && !weekday() && !month_day())
        return fail(start, "? stands only for the day of month or the weekday", {"*", range()});
      if (question && peek() == '/') return fail(start, "? has no step", {"*/2"});
      return steps(start, rule_.low, rule_.low + rule_.size - 1, false);
    }
    if (peek() == 'h') return hashed(start);
    if (month_day() && peek() == 'l') {
      if (text_.substr(at_).starts_with("lw")) return one().has_value();
      ++at_;
      value_.last = true;
      if (peek() == '-' || peek() == '/') return fail(start, "L stands alone or in a list", {"L", "15,L"});
      return true;
    }
    const auto first = one();
    if (!first) return false;
    if (month_day() && peek() == 'w')
      return fail(start, "W (the nearest weekday) is not supported; its meaning differs between products",
                  {range(), "L"});
    if (weekday() && skip('l')) {
      value_.last_weekdays |= static_cast<weekday_bits>(1U << *first % 7);
      return true;
    }
    if (weekday() && peek() == '#') return nth(start, *first);
    auto last = *first;
    const bool ranged = skip('-');
    if (ranged) {
      const auto end = one();
      if (!end) return false;
      last = *end;
      if (weekday() && last == 0 && *first > 0) last = 7;  // friday-sunday
      if (last < *first)
        return fail(start, "the range runs backwards", {"two ranges, such as 22-23,0-5", "a list"});
    }
    // As in Vixie's cron a/n means a, a+n, … up to the end of the field.
    if (!ranged && peek() == '/') last = rule_.low + rule_.size - 1;
    return steps(start, *first, std::max(last, *first), ranged);
  }

  bool nth(std::size_t start, unsigned wday) {
    ++at_;
    const auto n = number();
    if (!n || *n < 1 || *n > 5) return fail(start, "after # stands which one of the month it is", {"1 to 5"});
    value_.nth[wday % 7] |= static_cast<std::uint8_t>(1U << *n);
    return true;
  }

  bool hashed(std::size_t start) {
    ++at_;
    unsigned low = rule_.low;
    unsigned high = rule_.hash_high;
    if (skip('(')) {
      const auto a = one();
      if (!a) return false;
      if (!skip('-')) return fail(start, "H( needs a range", {"H(0-29)"});
      const auto b = one();
      if (!b) return false;
      if (!skip(')')) return fail(start, "the parenthesis is not closed", {"H(0-29)"});
      if (*b < *a) return fail(start, "the range runs backwards", {"H(0-29)"});
      low = *a;
      high = *b;
    }
    if (!context_.seed)
      return fail(start, "H is chosen from the name of a job, and there is none here", {range(), "*"});
    const auto hash = mixed_hash(*context_.seed, rule_.name);
    if (peek() != '/') {
      set(low + static_cast<unsigned>(hash % (high - low + 1)));
      return true;
    }
    ++at_;
    const auto step = number();
    if (!step || *step == 0 || *step > high - low + 1)
      return fail(start, "the step is not within the range", {"1 to " + std::to_string(high - low + 1)});
    for (auto v = low + static_cast<unsigned>(hash % *step); v <= high; v += *step) set(v);
    return true;
  }

  bool steps(std::size_t start, unsigned first, unsigned last, bool ranged) {
    unsigned step = 1;
    if (skip('/')) {
      const auto given = number();
      const auto most = ranged ? std::max(last - first, 1U) : rule_.size - 1;
      if (!given || *given == 0 || *given > most)
        return fail(start, "the step is missing, 0 or greater than the range",
                    {"1 to " + std::to_string(most)});
      step = *given;
    }
    for (auto v = first; v <= last; v += step) set(v);
    return true;
  }

  void set(unsigned v) { value_.bits |= std::uint64_t{1} << (weekday() ? v % 7 : v); }

  const field_rule& rule_;
  std::string_view text_;
  std::size_t offset_;
  const cron_context& context_;
  std::size_t at_ = 0;
  field_value value_;
  text_problem problem_;
};

struct macro {
  std::string_view name;
  std::string_view text;
};
constexpr std::array<macro, 7> macros{{{"@hourly", "0 * * * *"},
                                       {"@daily", "0 0 * * *"},
                                       {"@midnight", "0 0 * * *"},
                                       {"@weekly", "0 0 * * 0"},
                                       {"@monthly", "0 0 1 * *"},
                                       {"@yearly", "0 0 1 1 *"},
                                       {"@annually", "0 0 1 1 *"}}};

struct piece {
  std::string_view text;
  std::size_t offset;
};

std::vector<piece> pieces_of(std::string_view text) {
  std::vector<piece> found;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ' || text[at] == '\t') {
      ++at;
      continue;
    }
    const auto start = at;
    while (at < text.size() && text[at] != ' ' && text[at] != '\t') ++at;
    found.push_back({text.substr(start, at - start), start});
  }
  return found;
}

parsed<cron_expression> fields_of(const std::vector<piece>& pieces, std::size_t size,
                                  const cron_context& context) {
  constexpr std::array<const field_rule*, 6> rules{&second_field,    &minute_field, &hour_field,
                                                   &month_day_field, &month_field,  &weekday_field};
  const std::size_t skipped = pieces.size() == 6 ? 0 : 1;
  std::array<field_value, 6> values;
  values[0].bits = 1;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    auto field = field_reader{*rules[i + skipped], pieces[i].text, pieces[i].offset, context}.read();
    if (!field) return field.problem();
    values[i + skipped] = *field;
  }
  const auto& number = values[3];
  const auto& wday = values[5];
  cron_expression cron;
  cron.seconds = values[0].bits;
  cron.minutes = values[1].bits;
  cron.hours = static_cast<std::uint32_t>(values[2].bits);
  cron.months = static_cast<std::uint16_t>(values[4].bits);
  day_fields fields;
  fields.days.month_days = static_cast<std::uint32_t>(number.bits);
  fields.days.last_day = number.last;
  fields.days.weekdays = static_cast<weekday_bits>(wday.bits);
  fields.days.nth = wday.nth;
  fields.days.last_weekdays = wday.last_weekdays;
  fields.both = number.star || wday.star;
  set_days(cron, fields);
  if (!possible(cron)) {
    const auto& at = pieces[3 - skipped];
    const auto end = pieces.back().offset + pieces.back().text.size();
    return text_problem{at.offset, std::min(end, size) - at.offset, "there is no such day in any year", {}};
  }
  return cron;
}

}  // namespace

void set_days(cron_expression& cron, const day_fields& fields) {
  auto days = fields.days;
  normalise(days);
  const bool all_numbers = days.month_days == every_month_day;
  const bool all_weekdays = days.weekdays == every_weekday;
  if (fields.both)
    cron.rule = all_numbers && all_weekdays ? day_rule::every
                : all_numbers               ? day_rule::by_weekday
                : all_weekdays              ? day_rule::by_number
                                            : day_rule::both;
  else
    cron.rule = all_numbers || all_weekdays ? day_rule::every : day_rule::either;
  cron.days = {};
  if (cron.rule == day_rule::by_number || cron.rule == day_rule::either || cron.rule == day_rule::both) {
    cron.days.month_days = days.month_days;
    cron.days.last_day = days.last_day;
  }
  if (cron.rule == day_rule::by_weekday || cron.rule == day_rule::either || cron.rule == day_rule::both) {
    cron.days.weekdays = days.weekdays;
    cron.days.nth = days.nth;
    cron.days.last_weekdays = days.last_weekdays;
  }
}

parsed<cron_expression> parse_cron(std::string_view text, const cron_context& context) {
  if (text.size() > longest_text) return text_problem{longest_text, 0, "it is longer than 500 bytes", {}};
  std::string lower{text};
  lower_ascii(lower);
  const auto pieces = pieces_of(lower);
  if (pieces.empty())
    return text_problem{text.size(), 0, "it is empty", {"five fields", "@hourly", "@daily"}};
  if (pieces[0].text.front() == '@') {
    const auto end = pieces[0].offset + pieces[0].text.size();
    for (const auto& m : macros)
      if (m.name == pieces[0].text) {
        if (pieces.size() > 1)
          return text_problem{pieces[1].offset,
                              text.size() - pieces[1].offset,
                              "nothing may follow " + std::string{m.name},
                              {}};
        return parse_cron(m.text, context);
      }
    std::vector<std::string> known;
    for (const auto& m : macros) known.emplace_back(m.name);
    known.emplace_back("@every 5m");
    return text_problem{pieces[0].offset, end - pieces[0].offset,
                        pieces[0].text == "@reboot" ? "@reboot has no time: a node has no boot of its own"
                                                    : "there is no such macro",
                        std::move(known)};
  }
  constexpr std::string_view names = "minute hour day-of-month month weekday";
  if (pieces.size() < 5)
    return text_problem{
        text.size(), 0, "it has " + std::to_string(pieces.size()) + " of 5 fields", {std::string{names}}};
  if (pieces.size() > 6)
    return text_problem{pieces[6].offset,
                        text.size() - pieces[6].offset,
                        "there are more than 6 fields",
                        {std::string{names}, "second " + std::string{names}}};
  return fields_of(pieces, text.size(), context);
}

}  // namespace belfry::core
