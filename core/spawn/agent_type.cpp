#include "core/spawn/agent_type.hpp"

#include <algorithm>

#include "core/text/word.hpp"

namespace belfry::core {
namespace {

constexpr std::size_t word = 100;
constexpr std::size_t most_words = 64;
constexpr std::size_t longest_argument = 4096;

bool impossible_variable(const std::string& name) {
  return name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos;
}

// Those that the node sets itself would be overwritten: better said than wondered about.
bool ours(const std::string& name) { return name.rfind("BELFRY_", 0) == 0; }

void check_variable(std::vector<field_problem>& found, const std::string& key, const std::string& name) {
  if (impossible_variable(name))
    found.push_back({key, name, "names of variables", "it cannot be the name of a variable"});
  else if (ours(name))
    found.push_back({key, name, "names that do not begin with BELFRY_", "the node sets these itself"});
}

// The rules of a sink that a session names, told with the keys of the configuration.
void check_wake(std::vector<field_problem>& found, const wake_sink& s) {
  for (auto& p : check(s, "")) {
    auto member = p.pointer.substr(1, p.pointer.find('/', 1) - 1);
    if (member == "secret") {
      member = "secret_env";
      p.allowed =
          "the name of a variable of the node that begins with " + std::string{secret_variable_prefix};
    }
    p.pointer = "wake_" + member;
    if (const auto at = p.allowed.find("\"sink\": "); at != std::string::npos)
      p.allowed.replace(at, 8, "wake = ");
    found.push_back(std::move(p));
  }
}

}  // namespace

void normalise(agent_type& t) {
  for (auto* each : {&t.name, &t.workspace, &t.channel}) trim(*each);
  for (auto& c : t.capabilities) {
    trim(c);
    lower_ascii(c);
  }
  sort_unique(t.capabilities);
  for (auto& r : t.resources) trim(r);
  sort_unique(t.resources);
}

std::vector<field_problem> check(const agent_type& t) {
  std::vector<field_problem> found;
  check_word(found, "name", t.name, word, blank::refused);
  if (t.name == "process")
    found.push_back({"name", t.name, "another name", "the node's own executors have this agent type"});
  if (t.name.find('/') != std::string::npos || t.name.find(':') != std::string::npos)
    found.push_back({"name", t.name, "a name without / and :", "it stands in the path of requests"});
  if (t.command.empty() || t.command.front().empty())
    found.push_back({"command", "", "the program and its arguments, such as [\"./agent.sh\"]",
                     "there is nothing to start"});
  for (const auto& a : t.command)
    if (a.size() > longest_argument || a.find('\0') != std::string::npos)
      found.push_back({"command", a.substr(0, 40), "at most 4096 bytes each, without a zero byte",
                       "no program can be given this"});
  check_words(found, "capabilities", t.capabilities, most_words, word);
  check_words(found, "resources", t.resources, most_words, word);
  for (const auto& r : t.resources)
    if (std::any_of(r.begin(), r.end(),
                    [](char c) { return c <= ' ' || c >= 0x7f || c == '"' || c == '\''; }))
      found.push_back({"resources", r, "printable characters without blanks and quotes",
                       "it is the owner of pauses, and stands in commands"});
  check_word(found, "workspace", t.workspace, word, blank::fine);
  check_word(found, "channel", t.channel, word, blank::fine);
  if (!t.cwd.empty() && t.cwd.front() != '/')
    found.push_back({"cwd", t.cwd, "an absolute path", "it is relative"});
  for (const auto& [name, value] : t.env) {
    check_variable(found, "env", name);
    if (value.find('\0') != std::string::npos)
      found.push_back({"env", name, "values without a zero byte", "no program can be given this"});
  }
  for (const auto& name : t.pass_env) check_variable(found, "pass_env", name);
  check_wake(found, t.wake);
  if (t.backoff_max < t.backoff)
    found.push_back({"backoff_max", "", "at least backoff", "the longest pause is shorter than the first"});
  return found;
}

session session_of(const agent_type& t, const requirement& needs) {
  session s;
  s.name = t.name;
  s.agent_type = t.name;
  s.workspace = t.workspace.empty() ? needs.workspace : t.workspace;
  s.channel = t.channel.empty() ? needs.channel : t.channel;
  s.capabilities = t.capabilities;
  s.slots = t.slots;
  s.wake = t.wake;
  s.wake.from_node = t.wake.via != wake_via::poll;
  return s;
}

span pause_after(const agent_type& t, std::uint32_t failures) {
  auto pause = t.backoff;
  for (std::uint32_t n = 1; n < failures && pause < t.backoff_max; ++n) pause *= 2;
  return std::min(pause, t.backoff_max);
}

}  // namespace belfry::core
