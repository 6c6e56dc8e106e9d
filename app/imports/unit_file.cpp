#include "app/imports/unit_file.hpp"

#include <algorithm>

#include "app/imports/source.hpp"
#include "core/text/utf8.hpp"

namespace belfry::app {
namespace {

core::failure no_unit(std::string why) { return core::failure{core::errc::invalid, std::move(why), {}, {}}; }

bool unit_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && unit_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && unit_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool variable_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// After a backslash: what C and systemd know. Answers how many characters were used; 0: unknown.
std::size_t escaped(std::string_view rest, std::string& out) {
  if (rest.empty()) return 0;
  constexpr std::string_view from = "abfnrtv\\\"'s;", to = "\a\b\f\n\r\t\v\\\"' ;";
  if (const auto at = from.find(rest[0]); at != std::string_view::npos) {
    out += to[at];
    return 1;
  }
  if (rest[0] == 'x' && rest.size() >= 3 && hex_digit(rest[1]) >= 0 && hex_digit(rest[2]) >= 0) {
    const int value = hex_digit(rest[1]) * 16 + hex_digit(rest[2]);
    if (value == 0) return 0;
    out += static_cast<char>(value);
    return 3;
  }
  return 0;
}

struct unit_word {
  std::string text;
  bool quoted = false;
};

core::result<std::vector<unit_word>> split_words(std::string_view line) {
  std::vector<unit_word> out;
  for (std::size_t at = 0; at < line.size();) {
    while (at < line.size() && unit_blank(line[at])) ++at;
    if (at == line.size()) break;
    unit_word w;
    char quote = '\0';
    for (; at < line.size() && (quote != '\0' || !unit_blank(line[at])); ++at) {
      const char c = line[at];
      if (c == '\\') {
        const auto used = escaped(line.substr(at + 1), w.text);
        if (used == 0)
          return no_unit("the backslash sequence at \"" + core::shown(line.substr(at), 20) +
                         "\" is not known");
        if (line[at + 1] == ';') w.quoted = true;
        at += used;
      } else if (quote == '\0' && (c == '"' || c == '\'')) {
        quote = c;
        w.quoted = true;
      } else if (c == quote) {
        quote = '\0';
      } else {
        w.text += c;
      }
    }
    if (quote != '\0') return no_unit("a quote is not closed");
    out.push_back(std::move(w));
  }
  return out;
}

const std::string* value_under(const unit_names& names, std::string_view key) {
  for (const auto& [name, value] : names.env)
    if (name == key) return &value;
  return nullptr;
}

core::failure unknown_variable(std::string_view name) {
  return no_unit("it uses the variable $" + core::shown(name, 40) +
                 ", which no Environment= of the unit sets");
}

// ${NAME} anywhere, $NAME as a word of its own (which becomes as many words as its value has), $$ for $.
std::optional<core::failure> expand(const unit_word& w, const unit_names& names,
                                    std::vector<std::string>& out) {
  const auto& text = w.text;
  if (text.size() > 1 && text[0] == '$' && !w.quoted &&
      std::all_of(text.begin() + 1, text.end(), variable_character)) {
    const auto* value = value_under(names, text.substr(1));
    if (value == nullptr) return unknown_variable(text.substr(1));
    auto parts = read_words(*value);
    if (!parts) return parts.error();
    for (auto& p : *parts) out.push_back(std::move(p));
    return std::nullopt;
  }
  std::string made;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '$') {
      made += text[at];
      continue;
    }
    if (text.substr(at, 2) == "$$") {
      made += '$';
      ++at;
      continue;
    }
    const auto end = text.find('}', at);
    if (text.substr(at, 2) != "${" || end == std::string::npos) {
      made += '$';
      continue;
    }
    const auto name = text.substr(at + 2, end - at - 2);
    const auto* value = value_under(names, name);
    if (value == nullptr) return unknown_variable(name);
    made += *value;
    at = end;
  }
  out.push_back(std::move(made));
  return std::nullopt;
}

// The prefixes of a command; answers whether variables are replaced.
bool take_prefixes(std::string& program, unit_command& c, bool& own_name) {
  bool variables = true;
  std::size_t n = 0;
  for (; n < program.size(); ++n) {
    const char p = program[n];
    if (p == '-')
      c.may_fail = true;
    else if (p == '@')
      own_name = true;
    else if (p == ':')
      variables = false;
    else if (p == '+' || p == '!')
      c.privileged = true;
    else
      break;
  }
  program.erase(0, n);
  return variables;
}

}  // namespace

void unit_file::add(std::string_view text, std::vector<std::string>& mistakes) {
  std::string section, whole;
  bool goes_on = false;
  std::size_t number = 0;
  for (const auto raw : lines_of(text)) {
    ++number;
    auto line = trimmed(raw);
    if (!line.empty() && (line.front() == '#' || line.front() == ';')) continue;  // within a long line too
    if (goes_on)
      whole += " " + std::string{line};
    else
      whole = line;
    goes_on = !whole.empty() && whole.back() == '\\';
    if (goes_on) {
      whole.pop_back();
      continue;
    }
    const std::string_view all = trimmed(whole);
    if (all.empty()) continue;
    if (all.front() == '[' && all.back() == ']') {
      section = all.substr(1, all.size() - 2);
      continue;
    }
    const auto equals = all.find('=');
    if (equals == std::string_view::npos || equals == 0 || section.empty()) {
      mistakes.push_back("line " + std::to_string(number) + " is no assignment: " + core::shown(all, 60));
      continue;
    }
    settings_.push_back(
        {section, std::string{trimmed(all.substr(0, equals))}, std::string{trimmed(all.substr(equals + 1))}});
  }
  if (goes_on) mistakes.emplace_back("the last line goes on after its end");
}

std::string unit_file::one(std::string_view section, std::string_view key) const {
  std::string out;
  for (const auto& s : settings_)
    if (s.section == section && s.key == key) out = s.value;
  return out;
}

std::vector<std::string> unit_file::all(std::string_view section, std::string_view key) const {
  std::vector<std::string> out;
  for (const auto& s : settings_) {
    if (s.section != section || s.key != key) continue;
    if (s.value.empty())
      out.clear();
    else
      out.push_back(s.value);
  }
  return out;
}

std::string stem_of(std::string_view unit) {
  return std::string{unit.substr(0, std::min(unit.find_last_of('.'), unit.size()))};
}
std::string prefix_of(std::string_view unit) {
  const auto stem = stem_of(unit);
  return stem.substr(0, stem.find('@'));
}
std::string instance_of(std::string_view unit) {
  const auto stem = stem_of(unit);
  const auto at = stem.find('@');
  return at == std::string::npos ? std::string{} : stem.substr(at + 1);
}

core::result<std::string> resolved(std::string_view text, const unit_names& names) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%' || at + 1 == text.size()) {
      out += text[at];
      continue;
    }
    const char c = text[++at];
    switch (c) {
      case '%': out += '%'; break;
      case 'n': out += names.unit; break;
      case 'N': out += stem_of(names.unit); break;
      case 'p': out += prefix_of(names.unit); break;
      case 'i': out += instance_of(names.unit); break;
      case 'I': {
        auto instance = instance_of(names.unit);
        if (instance.find('\\') != std::string::npos)
          return no_unit("the specifier %I with an escaped instance");
        std::replace(instance.begin(), instance.end(), '-', '/');
        out += instance;
        break;
      }
      case 'u':
        if (names.user.empty()) return no_unit("the specifier %u is not known here");
        out += names.user;
        break;
      case 'h':
        if (names.home.empty()) return no_unit("the specifier %h is not known here");
        out += names.home;
        break;
      default:
        return no_unit(std::string{"the specifier %"} + core::shown(std::string_view{&c, 1}, 4) +
                       " is not known here");
    }
  }
  return out;
}

core::result<std::vector<std::string>> read_words(std::string_view line) {
  auto words = split_words(line);
  if (!words) return words.error();
  std::vector<std::string> out;
  for (auto& w : *words) out.push_back(std::move(w.text));
  return out;
}

core::result<std::vector<unit_command>> read_exec(std::string_view line, const unit_names& names) {
  auto words = split_words(line);
  if (!words) return words.error();
  std::vector<unit_command> out;
  unit_command now;
  bool variables = true, own_name = false, first = true;
  const auto finish = [&]() -> std::optional<core::failure> {
    if (own_name && now.argv.size() > 1) {
      now.argv.erase(now.argv.begin() + 1);
      now.notes.emplace_back("the name of its own (@) was left out");
    }
    if (now.argv.empty() || now.argv.front().empty()) return no_unit("a command is missing");
    out.push_back(std::move(now));
    now = {};
    first = variables = true;
    own_name = false;
    return std::nullopt;
  };
  for (auto& w : *words) {
    if (w.text == ";" && !w.quoted) {
      if (auto wrong = finish()) return *wrong;
      continue;
    }
    if (first) variables = take_prefixes(w.text, now, own_name);
    first = false;
    auto text = resolved(w.text, names);
    if (!text) return text.error();
    w.text = std::move(*text);
    if (!variables)
      now.argv.push_back(std::move(w.text));
    else if (auto wrong = expand(w, names, now.argv))
      return *wrong;
  }
  if (auto wrong = finish()) return *wrong;
  return out;
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+";
  if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) return std::string{text};
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
  return out + "'";
}

}  // namespace belfry::app
