#include <algorithm>
#include <array>

#include "api/json/nearest.hpp"
#include "api/json/spec.hpp"
#include "core/run/handlers.hpp"
#include "core/run/validate.hpp"
#include "core/text/utf8.hpp"
#include "core/text/word.hpp"

namespace belfry::api::json {
namespace {

using core::process_spec;
using core::requirement;
using core::retry_policy;
using core::run_spec;

constexpr std::array<std::string_view, 3> backoffs{"fixed", "linear", "exponential"};
constexpr std::array<std::string_view, 4> owner_kinds{"any", "agent_type", "session", "person"};

void read_codes(const value& v, std::vector<std::uint8_t>& out) {
  out.clear();
  v.each_element([&](const value& e) {
    std::uint8_t code = 0;
    if (e.read<std::uint8_t>(code, 0, 255)) out.push_back(code);
  });
}

// Values may be secrets, so a wrong one is not shown.
void read_environment(const value& v, process_spec& p) {
  p.env.clear();
  if (!v.expect(kind::object)) return;
  std::string store;
  for (auto i = v.index() + 1; i < v.n().next; i = v.doc().at(i + 1).next) {
    std::string name{v.doc().text(i, store)};
    const auto& n = v.doc().at(i + 1);
    const auto text = n.what == kind::text ? v.doc().text(i + 1, store) : std::string_view{};
    if (n.what != kind::text || text.find('\0') != std::string_view::npos) {
      const place at{&v.where(), name, 0};
      v.found().add(
          {pointer_to(at), "", "a text without the character NUL", "the value of a variable is a text"});
      continue;
    }
    p.env.emplace_back(std::move(name), text);
  }
}

void read_limits(const value& v, process_spec& p) {
  static constexpr field<process_spec> fields[] = {
      {"cpu", [](const value& m, process_spec& s) { m.read(s.cpu_limit); }},
      {"memory", [](const value& m, process_spec& s) { m.read_bytes(s.memory_limit); }},
      {"files", [](const value& m, process_spec& s) { m.read<std::uint32_t>(s.file_limit, 0, 1U << 20U); }},
  };
  read_object(v, p, fields);
}

bool plain_word(std::string_view word, std::size_t most) {
  return word.size() <= most && word.find_first_not_of(' ') != std::string_view::npos &&
         std::none_of(word.begin(), word.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; });
}

// A set of words: what is wrong with one of them is told with its place, which sorting will lose.
void read_words(const value& v, std::vector<std::string>& out, std::size_t longest) {
  out.clear();
  v.each_element([&](const value& e) {
    std::string word;
    if (!e.read(word)) return;
    if (!plain_word(word, longest)) {
      std::vector<core::field_problem> wrong;
      core::check_word(wrong, e.pointer(), word, longest, core::blank::refused);
      for (auto& p : wrong) e.found().add(std::move(p));
    }
    out.push_back(std::move(word));
  });
}

struct handler_draft {
  core::handler_kind kind = core::handler_kind::process;
  bool known = true;
  process_spec process;
};

void read_kind(const value& m, handler_draft& h) {
  std::string store;
  if (!m.expect(kind::text)) return;
  const auto given = m.doc().text(m.index(), store);
  if (const auto* known = core::find_handler(given)) {
    h.kind = known->kind;
    return;
  }
  std::vector<std::string_view> names;
  for (const auto& each : core::all_handlers()) names.push_back(each.name);
  h.known = m.unknown_name(given, names, core::errc::unknown_handler);
}

void read_handler(const value& v, handler_draft& h) {
  static constexpr field<handler_draft> fields[] = {
      {"kind", read_kind},
      {"argv", [](const value& m, handler_draft& d) { m.read(d.process.argv); }},
      {"shell", [](const value& m, handler_draft& d) { m.read(d.process.shell); }},
      {"cwd", [](const value& m, handler_draft& d) { m.read(d.process.cwd); }},
      {"env", [](const value& m, handler_draft& d) { read_environment(m, d.process); }},
      {"stdin", [](const value& m, handler_draft& d) { m.read(d.process.stdin_text); }},
      {"limits", [](const value& m, handler_draft& d) { read_limits(m, d.process); }},
      {"success_codes", [](const value& m, handler_draft& d) { read_codes(m, d.process.success_codes); }},
      {"retryable_codes", [](const value& m, handler_draft& d) { read_codes(m, d.process.retryable_codes); }},
  };
  read_object(v, h, fields);
}

struct retry_draft {
  retry_policy policy;
  bool attempts_given = false;
  bool retries_given = false;
};

void attempts_once(const value& m, const retry_draft& d) {
  if (d.attempts_given && d.retries_given)
    m.wrong("max_attempts or retries, not both", "max_attempts is retries + 1, so one of them is enough");
}

void read_retry(const value& v, run_spec& s) {
  static constexpr field<retry_draft> fields[] = {
      {"max_attempts",
       [](const value& m, retry_draft& d) {
         m.read<std::uint16_t>(d.policy.max_attempts, 1, 1000);
         d.attempts_given = true;
         attempts_once(m, d);
       }},
      {"retries",
       [](const value& m, retry_draft& d) {
         std::uint16_t n = 0;
         if (m.read<std::uint16_t>(n, 0, 999)) d.policy.max_attempts = static_cast<std::uint16_t>(n + 1);
         d.retries_given = true;
         attempts_once(m, d);
       }},
      {"max_losses",
       [](const value& m, retry_draft& d) { m.read<std::uint16_t>(d.policy.max_losses, 1, 100); }},
      {"backoff",
       [](const value& m, retry_draft& d) { m.read_name(d.policy.kind, core::backoff_kind_from, backoffs); }},
      {"base", [](const value& m, retry_draft& d) { m.read(d.policy.base); }},
      {"multiplier", [](const value& m, retry_draft& d) { m.read(d.policy.multiplier, 1, 10); }},
      {"cap", [](const value& m, retry_draft& d) { m.read(d.policy.cap); }},
      {"jitter", [](const value& m, retry_draft& d) { m.read(d.policy.jitter, 0, 1); }},
  };
  retry_draft d{s.retry, false, false};
  read_object(v, d, fields);
  s.retry = d.policy;
}

struct owner_draft {
  std::string kind = "any";
  std::string agent_type;
  core::session_id session;
  bool agent_type_given = false;
  bool session_given = false;
};

void read_owner(const value& v, run_spec& s) {
  static constexpr field<owner_draft> fields[] = {
      {"kind",
       [](const value& m, owner_draft& d) {
         if (m.read(d.kind) &&
             std::find(owner_kinds.begin(), owner_kinds.end(), d.kind) == owner_kinds.end()) {
           m.unknown_name(d.kind, owner_kinds);
           d.kind = "any";
         }
       }},
      {"agent_type",
       [](const value& m, owner_draft& d) {
         m.read(d.agent_type);
         d.agent_type_given = true;
       }},
      {"session",
       [](const value& m, owner_draft& d) {
         m.read(d.session);
         d.session_given = true;
       }},
  };
  const auto before = v.found().count();
  owner_draft d;
  read_object(v, d, fields);
  if (v.found().count() > before) return;
  if ((d.kind == "agent_type") != d.agent_type_given || (d.agent_type_given && d.agent_type.empty()))
    v.wrong("{\"kind\":\"agent_type\",\"agent_type\":\"NAME\"}",
            "agent_type belongs to the kind agent_type and is not blank");
  else if ((d.kind == "session") != d.session_given)
    v.wrong("{\"kind\":\"session\",\"session\":\"ses_...\"}",
            "session belongs to the kind session and names one");
  else if (d.agent_type_given)
    s.needs.agent_types.push_back(std::move(d.agent_type));
  s.needs.exact_session = d.session;
  s.needs.person_only = d.kind == "person";
}

// null takes away what an existing job has.
void read_condition(const value& v, run_spec& s) {
  static constexpr field<core::run_condition> fields[] = {
      {"argv", [](const value& m, core::run_condition& c) { m.read(c.argv); }},
      {"shell", [](const value& m, core::run_condition& c) { m.read(c.shell); }},
      {"timeout", [](const value& m, core::run_condition& c) { m.read(c.timeout); }},
  };
  s.condition = {};
  if (v.is_null()) return;
  const auto before = v.found().count();
  read_object(v, s.condition, fields);
  if (v.found().count() == before && !core::given(s.condition))
    v.wrong("argv or shell", "a condition needs a command");
}

constexpr field<run_spec> fields_of_spec[] = {
    {"name", [](const value& m, run_spec& s) { m.read(s.name); }},
    {"handler",
     [](const value& m, run_spec& s) {
       handler_draft h;
       read_handler(m, h);
       if (!h.known) return;  // what else it should have depends on the kind
       s.handler = h.kind;
       s.process = std::move(h.process);
     }},
    {"payload", [](const value& m, run_spec& s) { m.read_raw(s.payload); }},
    {"priority",
     [](const value& m, run_spec& s) { m.read_name(s.prio, core::priority_from, priority_names()); }},
    {"workspace", [](const value& m, run_spec& s) { m.read(s.needs.workspace); }},
    {"lane", [](const value& m, run_spec& s) { m.read(s.lane); }},
    {"channel", [](const value& m, run_spec& s) { m.read(s.needs.channel); }},
    {"capabilities",
     [](const value& m, run_spec& s) { read_words(m, s.needs.capabilities, core::spec_limits{}.word); }},
    {"preferred_capabilities",
     [](const value& m, run_spec& s) { read_words(m, s.needs.preferred, core::spec_limits{}.word); }},
    {"agent_types",
     [](const value& m, run_spec& s) {
       std::vector<std::string> types;
       read_words(m, types, core::spec_limits{}.word);
       for (auto& t : types) s.needs.agent_types.push_back(std::move(t));
     }},
    {"owner", read_owner},
    {"timeout", [](const value& m, run_spec& s) { m.read(s.timeout); }},
    {"grace", [](const value& m, run_spec& s) { m.read(s.grace); }},
    {"retry", read_retry},
    {"concurrency_key", [](const value& m, run_spec& s) { m.read(s.concurrency_key); }},
    {"concurrency_limit",
     [](const value& m, run_spec& s) { m.read<std::uint32_t>(s.concurrency_limit, 1, 10'000); }},
    {"tags", [](const value& m, run_spec& s) { read_words(m, s.tags, core::spec_limits{}.tag); }},
    {"metadata",
     [](const value& m, run_spec& s) {
       if (m.expect(kind::object)) m.read_raw(s.metadata);
     }},
    {"on_end",
     [](const value& m, run_spec& s) {
       handler_draft h;
       read_handler(m, h);
       if (h.kind != core::handler_kind::process)
         m.wrong("a handler of kind process", "a hook runs a command");
       else if (!core::given(h.process))
         m.wrong("argv or shell", "a hook needs a command");
       s.hook = std::move(h.process);
     }},
    {"condition", read_condition},
    {"traceparent", [](const value& m, run_spec& s) { m.read(s.traceparent); }},
    {"skip_checks",
     [](const value& m, run_spec& s) {
       bool skip = false;
       if (m.read(skip)) s.unchecked.by = skip ? core::whoever_asks : std::string_view{};
     }},
};

// Where core's names of fields differ from those of the API.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> renamed{{
    {"/handler/cpu_limit", "/handler/limits/cpu"},
    {"/hook/cpu_limit", "/on_end/limits/cpu"},
    {"/hook", "/on_end"},
    {"/preferred", "/preferred_capabilities"},
    {"/person_only", "/owner"},
}};

std::string_view base_name(std::string_view path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

std::span<const field<run_spec>> spec_fields() { return fields_of_spec; }

std::string api_pointer(std::string_view core_pointer, std::size_t base_length) {
  const auto own = core_pointer.substr(std::min(base_length, core_pointer.size()));
  for (const auto& [ours, theirs] : renamed) {
    if (!own.starts_with(ours) || (own.size() > ours.size() && own[ours.size()] != '/')) continue;
    std::string out{core_pointer.substr(0, base_length)};
    return (out += theirs) += own.substr(ours.size());
  }
  return std::string{core_pointer};
}

void settle(run_spec& spec, const std::string& base, problems& found) {
  core::normalise(spec);
  auto mistakes = core::check(spec, core::spec_limits{}, base);
  for (auto& p : mistakes) p.pointer = api_pointer(p.pointer, base.size());
  found.add_found(std::move(mistakes));
}

std::string default_name(const run_spec& spec) {
  std::string_view name;
  if (!spec.process.argv.empty()) {
    name = base_name(spec.process.argv.front());
  } else if (!spec.process.shell.empty()) {
    const std::string_view script = spec.process.shell;
    const auto from = script.find_first_not_of(" \t\r\n");
    if (from != std::string_view::npos) {
      const auto word = script.substr(from, script.find_first_of(" \t\r\n;|&<>()", from) - from);
      name = base_name(word);
    }
  }
  return name.empty() ? "run" : std::string{core::cut_utf8(name, 200)};
}

}  // namespace belfry::api::json
