#include "core/events/named_event.hpp"

#include <algorithm>
#include <array>

#include "core/events/event.hpp"
#include "core/text/utf8.hpp"
#include "core/time/text.hpp"

namespace belfry::core {
namespace {

constexpr std::size_t longest_name = 100;
constexpr std::string_view name_allowed = "1 to 100 letters, digits, '-', '_' and '.'";

using enum event_kind;
constexpr std::array awaited_kinds{run_started,  run_succeeded, run_failed,         run_timed_out,
                                   run_lost,     run_cancelled, run_skipped,        run_parked,
                                   run_retrying, run_discarded, needs_attention,    dead_letter_aged,
                                   job_created,  job_replaced,  job_archived,       job_paused,
                                   job_resumed,  job_completed, occurrences_skipped};

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.';
}

std::string why_no_name(std::string_view name) {
  if (name.empty()) return "an event needs a name";
  if (name.size() > longest_name) return "it has " + std::to_string(name.size()) + " characters";
  if (!std::all_of(name.begin(), name.end(), plain)) return "it has a character that is not allowed";
  return {};
}

std::string underscored(std::string_view name) {
  std::string out{name};
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return out;
}

// belfry's own name that this one is, or would be taken for.
std::optional<std::string> own_name(std::string_view name) {
  auto own = underscored(name);
  if (own == run_ended_event || event_kind_from(own)) return own;
  return std::nullopt;
}

std::string awaited_names() {
  std::string text{run_ended_event};
  for (const auto k : awaited_kinds) (text += ", ") += to_text(k);
  return text;
}

// A value that can stand without quotes.
bool bare(std::string_view v) {
  return !v.empty() && std::none_of(v.begin(), v.end(), [](char c) {
    return (c >= 0 && c <= ' ') || c == '"' || c == '\\' || c == 0x7F;
  });
}

void append_quoted(std::string& out, std::string_view v) {
  out += '"';
  for (const char c : v) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

// Fields have no control characters, reasons of runs may.
void append_json(std::string& out, std::string_view v) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  for (const char c : v) {
    const auto b = static_cast<unsigned char>(c);
    if (b < 0x20) {
      out += "\\u00";
      out += digits[b >> 4U];
      out += digits[b & 15U];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

struct checker {
  std::vector<field_problem>& found;
  const std::string& base;
  void no(const std::string& field, std::string value, std::string allowed, std::string why) const {
    found.push_back({base + field, std::move(value), std::move(allowed), std::move(why)});
  }

  void name(const std::string& given) const {
    if (auto why = why_no_name(given); !why.empty())
      return no("/name", shown(given, 80), std::string{name_allowed}, std::move(why));
    if (const auto own = own_name(given))
      no("/name", given, "a name of yours, such as deploy.finished",
         "belfry itself tells of " + *own + "; jobs that wait for it would take this for its word");
  }

  void field(const std::string& key, const std::string& value) const {
    const auto at = "/fields/" + shown(key, 80);
    if (auto why = why_no_name(key); !why.empty())
      no(at, shown(key, 80), std::string{name_allowed}, "of its key: " + why);
    if (value.size() > longest_event_value)
      no(at, std::to_string(value.size()) + " bytes", "at most 1024 bytes", "it is too long");
    else if (!valid_utf8(value))
      no(at, shown(value, 80), "UTF-8", "it is not valid UTF-8");
    else if (std::any_of(value.begin(), value.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; }))
      no(at, shown(value, 80), "one line without control characters", "it has a control character");
  }
};

}  // namespace

std::vector<field_problem> check(const named_event& e, const std::string& base) {
  std::vector<field_problem> found;
  const checker look{found, base};
  look.name(e.name);
  if (e.fields.size() > most_event_fields)
    look.no("/fields", std::to_string(e.fields.size()), "at most 32", "there are too many");
  std::size_t bytes = 0;
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : e.fields) {
    look.field(key, value);
    bytes += key.size() + value.size();
    keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  if (const auto twice = std::adjacent_find(keys.begin(), keys.end()); twice != keys.end())
    look.no("/fields", shown(*twice, 80), "each key once", "it is given twice");
  if (found.empty() && bytes > most_event_bytes)
    look.no("/fields", std::to_string(bytes) + " bytes", "at most 16384 bytes of keys and values together",
            "they are too long");
  return found;
}

std::optional<field_problem> check_awaited_name(std::string_view name) {
  const bool open = name.ends_with('*');
  const auto stem = open ? name.substr(0, name.size() - 1) : name;
  if (open && stem.empty()) return std::nullopt;  // whatever is emitted
  if (auto why = why_no_name(stem); !why.empty())
    return field_problem{"", shown(name, 80), std::string{name_allowed} + ", and a * at the end if wanted",
                         std::move(why)};
  const auto own = own_name(stem);
  if (!own || open) return std::nullopt;
  const auto kind = event_kind_from(*own);
  if (*own != run_ended_event && !awaitable(*kind))
    return field_problem{"", std::string{name}, awaited_names(),
                         "belfry starts no jobs by its own event " + *own};
  if (*own != stem)
    return field_problem{"", std::string{name}, *own, "belfry's own event is written otherwise"};
  return std::nullopt;
}

bool awaitable(event_kind k) {
  return std::find(awaited_kinds.begin(), awaited_kinds.end(), k) != awaited_kinds.end();
}

bool ends_a_run(event_kind k) {
  return k == run_succeeded || k == run_failed || k == run_timed_out || k == run_lost || k == run_cancelled;
}

std::string to_text(const named_event& e) {
  auto out = e.name;
  for (const auto& [key, value] : e.fields) {
    out += ' ' + key + '=';
    if (bare(value))
      out += value;
    else
      append_quoted(out, value);
  }
  return out;
}

std::optional<named_event> parse_named_event(std::string_view line) {
  named_event e;
  const auto end = std::min(line.find(' '), line.size());
  e.name = line.substr(0, end);
  line.remove_prefix(end);
  while (!line.empty()) {
    line.remove_prefix(1);  // the blank
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || e.fields.size() >= most_event_fields) return std::nullopt;
    std::string key{line.substr(0, equals)}, value;
    line.remove_prefix(equals + 1);
    if (!line.starts_with('"')) {
      const auto stop = std::min(line.find(' '), line.size());
      value = line.substr(0, stop);
      line.remove_prefix(stop);
    } else {
      std::size_t at = 1;
      for (; at < line.size() && line[at] != '"'; ++at) {
        if (line[at] == '\\') ++at;
        if (at < line.size()) value += line[at];
      }
      if (at >= line.size()) return std::nullopt;
      line.remove_prefix(at + 1);
      if (!line.empty() && line.front() != ' ') return std::nullopt;
    }
    if (!why_no_name(key).empty()) return std::nullopt;
    e.fields.emplace_back(std::move(key), std::move(value));
  }
  if (!why_no_name(e.name).empty()) return std::nullopt;
  return e;
}

std::string payload_of(const named_event& e, instant at, std::int64_t count, instant first) {
  std::string out = R"({"event":{"name":)";
  append_json(out, e.name);
  out += R"(,"at":")" + to_rfc3339(at) + R"(","fields":{)";
  bool more = false;
  for (const auto& [key, value] : e.fields) {
    if (more) out += ',';
    more = true;
    append_json(out, key);
    out += ':';
    append_json(out, value);
  }
  return out + R"(}},"count":)" + std::to_string(count) + R"(,"first_at":")" + to_rfc3339(first) + "\"}";
}

}  // namespace belfry::core
