#include "core/run/validate.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>

#include "core/text/utf8.hpp"
#include "core/text/word.hpp"
#include "core/time/text.hpp"

namespace belfry::core {
namespace {

using problems = std::vector<field_problem>;

constexpr std::size_t longest_path = 4096;
constexpr std::size_t shown_bytes = 80;
constexpr span longest_timeout = std::chrono::hours{24 * 365};
constexpr span longest_grace = std::chrono::hours{1};
constexpr span least_condition = std::chrono::seconds{1};
constexpr span longest_condition = std::chrono::hours{1};
constexpr span longest_base = std::chrono::hours{24};
constexpr span longest_cap = std::chrono::hours{24 * 7};
constexpr std::uint32_t most_at_a_time = 10'000;

// A part of a JSON pointer (RFC 6901, section 3).
std::string pointer_part(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

void size_at_most(problems& found, const place& pointer, std::size_t size, std::size_t limit) {
  if (size > limit)
    found.push_back({pointer.text(), std::to_string(size) + " bytes",
                     "at most " + std::to_string(limit) + " bytes", "it is too large"});
}

void utf8(problems& found, const place& pointer, std::string_view text) {
  if (!valid_utf8(text))
    found.push_back({pointer.text(), shown(text, shown_bytes), "UTF-8", "it is not valid UTF-8"});
}

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// What the operating system takes as one string: no NUL byte. Values of variables may be secrets and are
// never shown.
void os_text(problems& found, const place& pointer, std::string_view text, bool secret) {
  if (has_nul(text))
    found.push_back({pointer.text(), secret ? "" : shown(text, shown_bytes), "text without NUL bytes",
                     "it has a NUL byte"});
}

void within(problems& found, const place& pointer, span value, span least, span most) {
  if (value < least || value > most)
    found.push_back(
        {pointer.text(), to_text(value), to_text(least) + " to " + to_text(most), "it is out of range"});
}

template <class Number>
void within(problems& found, const place& pointer, Number value, Number least, Number most) {
  // Written so that NaN is out of range as well.
  if (!(value >= least && value <= most)) {
    const auto text = [](Number n) {
      std::string s = std::to_string(n);
      if (s.find('.') != std::string::npos) {
        s.erase(s.find_last_not_of('0') + 1);
        if (s.back() == '.') s.pop_back();
      }
      return s;
    };
    found.push_back({pointer.text(), text(value), text(least) + " to " + text(most), "it is out of range"});
  }
}

void check_environment(problems& found, const process_spec& p, const spec_limits& limits, const place& at) {
  if (p.env.size() > limits.environment)
    found.push_back({at.text(), std::to_string(p.env.size()) + " variables",
                     "at most " + std::to_string(limits.environment), "there are too many"});
  std::set<std::string_view> seen;
  for (const auto& [name, value] : p.env) {
    const auto own = "/" + pointer_part(shown(name, shown_bytes));
    const place pointer = at / own;
    if (name.empty() || name.find('=') != std::string::npos || has_nul(name))
      found.push_back({pointer.text(), shown(name, shown_bytes), "a name without = and NUL bytes",
                       "this cannot be the name of a variable"});
    if (!seen.insert(name).second)
      found.push_back(
          {pointer.text(), shown(name, shown_bytes), "each name once", "the variable is given twice"});
    os_text(found, pointer, value, true);
  }
}

void check_codes(problems& found, const process_spec& p, const place& at) {
  for (const auto code : p.retryable_codes)
    if (std::find(p.success_codes.begin(), p.success_codes.end(), code) != p.success_codes.end())
      found.push_back({(at / "/retryable_codes").text(), std::to_string(code),
                       "codes that are not success codes", "a code cannot be both"});
}

void check_process(problems& found, const process_spec& p, const spec_limits& limits, const place& at) {
  if (p.argv.empty() == p.shell.empty())
    found.push_back({(at / "/argv").text(), p.argv.empty() ? "neither" : "both",
                     "exactly one of argv and shell", "say what is to be started, once"});
  if (!p.argv.empty() && p.argv.front().empty())
    found.push_back(
        {(at / "/argv/0").text(), "", "the name or the path of a program", "the program is empty"});
  if (p.argv.size() > limits.arguments)
    found.push_back({(at / "/argv").text(), std::to_string(p.argv.size()) + " elements",
                     "at most " + std::to_string(limits.arguments), "there are too many"});
  std::size_t bytes = p.shell.size();
  for (std::size_t i = 0; i < p.argv.size(); ++i) {
    bytes += p.argv[i].size() + 1;
    if (has_nul(p.argv[i])) os_text(found, at / ("/argv/" + std::to_string(i)), p.argv[i], false);
  }
  for (const auto& [name, value] : p.env) bytes += name.size() + value.size() + 2;
  if (bytes > limits.argument_bytes)
    found.push_back({at.text(), std::to_string(bytes) + " bytes",
                     "at most " + std::to_string(limits.argument_bytes) + " bytes",
                     "arguments and environment are too large together"});
  os_text(found, at / "/shell", p.shell, false);
  if (!p.cwd.empty() && p.cwd.front() != '/')
    found.push_back({(at / "/cwd").text(), shown(p.cwd, shown_bytes), "an absolute path",
                     "the working directory is relative, to what is unclear"});
  size_at_most(found, at / "/cwd", p.cwd.size(), longest_path);
  os_text(found, at / "/cwd", p.cwd, false);
  check_environment(found, p, limits, at / "/env");
  size_at_most(found, at / "/stdin", p.stdin_text.size(), limits.stdin_bytes);
  if (p.cpu_limit < span{0} || p.cpu_limit % std::chrono::seconds{1} != span{0})
    found.push_back({(at / "/cpu_limit").text(), to_text(p.cpu_limit), "whole seconds, 0 for none",
                     "it is counted in whole seconds"});
  check_codes(found, p, at);
}

void check_needs(problems& found, const requirement& needs, const spec_limits& limits, const place& base) {
  check_word(found, base / "/workspace", needs.workspace, limits.word, blank::fine);
  check_word(found, base / "/channel", needs.channel, limits.word, blank::fine);
  check_words(found, base / "/capabilities", needs.capabilities, limits.capabilities, limits.word);
  check_words(found, base / "/preferred", needs.preferred, limits.capabilities, limits.word);
  check_words(found, base / "/agent_types", needs.agent_types, limits.capabilities, limits.word);
  if (needs.person_only && needs.exact_session)
    found.push_back({(base / "/person_only").text(), "true", "one owner rule",
                     "a session is not a person, so nobody could take it"});
}

void check_retry(problems& found, const retry_policy& retry, const place& base) {
  within<unsigned>(found, base / "/max_attempts", retry.max_attempts, 1, 1000);
  within<unsigned>(found, base / "/max_losses", retry.max_losses, 1, 100);
  within(found, base / "/base", retry.base, span{0}, longest_base);
  within(found, base / "/multiplier", retry.multiplier, 1.0, 10.0);
  within(found, base / "/cap", retry.cap, std::clamp(retry.base, span{0}, longest_base), longest_cap);
  within(found, base / "/jitter", retry.jitter, 0.0, 1.0);
}

// Version 00 of W3C trace context, section 3.2: 00-<32 hex>-<16 hex>-<2 hex>, lower case, ids not all zero.
bool is_traceparent(std::string_view text) {
  constexpr std::string_view shape = "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (shape[i] == 'x' ? !hex : c != '-') return false;
  }
  const auto zero = [](std::string_view part) {
    return part.find_first_not_of('0') == std::string_view::npos;
  };
  return text.substr(0, 2) != "ff" && !zero(text.substr(3, 32)) && !zero(text.substr(36, 16));
}

void normalise_set(std::vector<std::string>& words, bool lower) {
  for (auto& w : words) {
    trim(w);
    if (lower) lower_ascii(w);
  }
  sort_unique(words);
}

}  // namespace

void normalise(run_spec& spec) {
  for (auto* word :
       {&spec.name, &spec.lane, &spec.concurrency_key, &spec.needs.workspace, &spec.needs.channel})
    trim(*word);
  normalise_set(spec.needs.capabilities, true);
  normalise_set(spec.needs.preferred, true);
  normalise_set(spec.needs.agent_types, false);
  normalise_set(spec.tags, false);
  // Who does not know conditions must not get a run that has one.
  const bool asks = spec.handler == handler_kind::none && given(spec.condition);
  std::erase(spec.needs.capabilities, std::string{asks_conditions});
  if (asks) {
    spec.needs.capabilities.emplace_back(asks_conditions);
    sort_unique(spec.needs.capabilities);
  }
  for (auto* p : {&spec.process, &spec.hook}) {
    sort_unique(p->success_codes);
    sort_unique(p->retryable_codes);
  }
}

std::vector<field_problem> check(const run_spec& spec, const spec_limits& limits, const std::string& below) {
  const place base{below};
  problems found;
  check_word(found, base / "/name", spec.name, limits.name, blank::refused);
  switch (spec.handler) {
    case handler_kind::process: check_process(found, spec.process, limits, base / "/handler"); break;
    case handler_kind::none:
      if (given(spec.process))
        found.push_back({(base / "/handler").text(), "none", "the kind process, or no command",
                         "a command is given, but the kind does not run one"});
      break;
    default:
      found.push_back({(base / "/handler/kind").text(), std::to_string(static_cast<unsigned>(spec.handler)),
                       "none, process", "there is no such kind"});
  }
  size_at_most(found, base / "/payload", spec.payload.size(), limits.payload);
  utf8(found, base / "/payload", spec.payload);
  if (static_cast<std::size_t>(spec.prio) >= priority_count)
    found.push_back({(base / "/priority").text(), std::to_string(static_cast<unsigned>(spec.prio)),
                     "urgent, high, normal, low", "there is no such priority"});
  check_word(found, base / "/lane", spec.lane, limits.word, blank::fine);
  check_needs(found, spec.needs, limits, base);
  within(found, base / "/timeout", spec.timeout, span{0}, longest_timeout);
  within(found, base / "/grace", spec.grace, span{0}, longest_grace);
  check_retry(found, spec.retry, base / "/retry");
  check_word(found, base / "/concurrency_key", spec.concurrency_key, limits.word, blank::fine);
  within<unsigned>(found, base / "/concurrency_limit", spec.concurrency_limit, 1, most_at_a_time);
  check_words(found, base / "/tags", spec.tags, limits.tags, limits.tag);
  size_at_most(found, base / "/metadata", spec.metadata.size(), limits.metadata);
  utf8(found, base / "/metadata", spec.metadata);
  if (!spec.traceparent.empty() && !is_traceparent(spec.traceparent))
    found.push_back({(base / "/traceparent").text(), shown(spec.traceparent, shown_bytes),
                     "W3C trace context, version 00", "it is not a traceparent"});
  if (given(spec.hook)) check_process(found, spec.hook, limits, base / "/hook");
  if (given(spec.condition)) {
    process_spec asked;
    asked.argv = spec.condition.argv;
    asked.shell = spec.condition.shell;
    check_process(found, asked, limits, base / "/condition");
    within(found, base / "/condition/timeout", spec.condition.timeout, least_condition, longest_condition);
  }
  return found;
}

}  // namespace belfry::core
