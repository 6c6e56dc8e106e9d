#include "app/imports/source.hpp"

#include <algorithm>
#include <array>

#include "api/json/writer.hpp"
#include "core/run/validate.hpp"
#include "core/schedule/canonical.hpp"
#include "core/text/utf8.hpp"
#include "core/text/word.hpp"

namespace belfry::app {
namespace {

constexpr std::size_t longest_word = 60;
constexpr std::size_t longest_shown = 160;

bool job_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.';
}

bool source_blank(char c) { return c == ' ' || c == '\t'; }

// FNV-1a: the same on every machine and in every version.
std::uint32_t hash_of(std::string_view text) {
  std::uint32_t h = 2166136261U;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 16777619U;
  return h ^ (h >> 15U);
}

std::string hex(std::uint32_t value, int digits) {
  constexpr std::string_view all = "0123456789abcdef";
  std::string out;
  for (int i = digits - 1; i >= 0; --i) out += all[(value >> (4 * static_cast<unsigned>(i))) & 0xFU];
  return out;
}

std::string one_line(std::string_view text) {
  std::string out = core::shown(text, longest_shown);
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

bool assignment(std::string_view word) {
  const auto equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 &&
         std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals),
                     [](char c) { return job_name_character(c) && c != '-' && c != '.'; });
}

// Words that start something else.
bool carrier(std::string_view word) {
  constexpr std::array<std::string_view, 14> known{"cd",    "sudo",    "nice", "ionice", "env",
                                                   "exec",  "test",    "[",    "flock",  "time",
                                                   "sleep", "chronic", ".",    "nohup"};
  return std::find(known.begin(), known.end(), word) != known.end();
}

std::string metadata_of(const import_source& of, const std::string& text) {
  api::json::writer w;
  w.begin_object().key("import").begin_object();
  w.member("from", of.kind).member("origin", of.origin).member("entry", text);
  w.end_object().end_object();
  return w.take();
}

}  // namespace

std::string tag_of(const import_source& s) { return "import:" + s.kind; }

std::string name_word(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (out.size() >= longest_word) break;
    if (job_name_character(c))
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  while (!out.empty() && (out.back() == '-' || out.back() == '.')) out.pop_back();
  const auto first = out.find_first_not_of("-.");
  out.erase(0, first == std::string::npos ? out.size() : first);
  return out.empty() ? "job" : out;
}

std::string program_word(std::string_view command) {
  std::string_view best;
  bool skips = false;  // the arguments of a word that starts something else
  for (std::size_t at = 0; at < command.size();) {
    while (at < command.size() && (source_blank(command[at]) || command[at] == '(' || command[at] == '{'))
      ++at;
    const auto start = at;
    while (at < command.size() && !source_blank(command[at]) && command[at] != ';' && command[at] != '|' &&
           command[at] != '&' && command[at] != ')')
      ++at;
    const auto word = command.substr(start, at - start);
    const bool ends = at < command.size() && !source_blank(command[at]);
    while (at < command.size() &&
           (command[at] == ';' || command[at] == '|' || command[at] == '&' || command[at] == ')'))
      ++at;
    if (!word.empty() && !assignment(word) && word.front() != '-') {
      const auto slash = word.find_last_of('/');
      const auto base = slash == std::string_view::npos ? word : word.substr(slash + 1);
      if (best.empty()) best = base;
      if (!skips) {
        if (!carrier(base)) return name_word(base);
        best = base;
        // "sudo backup": the next word is it; "cd /srv && backup": what comes after the &&.
        skips = base == "cd" || base == "test" || base == "[" || base == "sleep" || base == "." ||
                base == "flock";
      } else if (best == "flock" && base.find("lock") == std::string_view::npos) {
        return name_word(base);
      }
    }
    if (ends) skips = false;
  }
  return name_word(best);
}

std::string import_names::unique(std::string name) {
  const int n = ++given_[name];
  return n == 1 ? name : name + "-" + std::to_string(n);
}

std::string import_names::next(std::string_view word, std::string_view whole) {
  constexpr int digits = 6;
  return unique(prefix_ + std::string{word} + "-" + hex(hash_of(whole), digits));
}

std::string import_names::named(std::string_view word) { return unique(prefix_ + name_word(word)); }

void refuse_entry(import_source& to, std::string from, std::string_view text, std::string why) {
  ++to.entries;
  to.refused.push_back({std::move(from), one_line(text), std::move(why)});
}

std::string told(const core::text_problem& p) {
  std::string out = p.why;
  for (std::size_t i = 0; i < p.expected.size() && i < 6; ++i)
    out += (i == 0 ? " (allowed: " : ", ") + p.expected[i];
  return p.expected.empty() ? out : out + ")";
}

std::string told(const std::vector<core::field_problem>& problems) {
  std::string out;
  for (const auto& p : problems) {
    out += (out.empty() ? "" : "; ") + p.pointer + ": " + p.detail;
    if (!p.allowed.empty()) out += " (allowed: " + p.allowed + ")";
  }
  return out;
}

void add_entry(import_source& to, imported_job job, const core::schedule* when, const std::string& text) {
  const auto no = [&](std::string why) { refuse_entry(to, job.from, text, std::move(why)); };
  if (!core::valid_utf8(text)) return no("it is not UTF-8");
  auto& d = job.definition;
  d.spec.name = d.name;
  d.source = "api";
  if (when != nullptr) {
    if (const auto wrong = core::check(*when, "/schedule"); !wrong.empty()) return no(told(wrong));
    d.timing.schedule = core::canonical(*when);
  }
  d.spec.tags.push_back(tag_of(to));
  d.spec.metadata = metadata_of(to, text);
  core::normalise(d.spec);
  if (const auto wrong = core::check(d, ""); !wrong.empty()) return no(told(wrong));
  ++to.entries;
  to.jobs.push_back(std::move(job));
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    out.push_back(line);
  }
  return out;
}

}  // namespace belfry::app
