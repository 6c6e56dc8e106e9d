#include "app/options/agent_types.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>

#include "app/cli/command.hpp"
#include "app/options/setting_kinds.hpp"
#include "app/options/toml_values.hpp"
#include "core/text/utf8.hpp"

namespace belfry::app {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_types = 64;
const std::string prefix = "agent_types.NAME.";
const std::string by_variable = "env:";  // as a sink that a session names says it

#define OF_TYPE(member) \
  [](configuration & c) -> auto& { return c.node.spawner.types.front().member; }

// A configuration about this type alone.
configuration about(core::agent_type t) {
  configuration c;
  c.node.spawner.types = {std::move(t)};
  return c;
}

// Values of variables can be secrets: they go in, and only their names come out.
setting variables() {
  const std::string allowed = "a table of texts such as { MODEL = \"small\" }";
  return {prefix + "env", "Variables of its environment, besides BELFRY_*; only their names are ever shown.",
          allowed,
          [](const configuration& c) {
            std::string out;
            for (const auto& [name, value] : c.node.spawner.types.front().env)
              out += (out.empty() ? "" : ", ") + toml_text(name);
            return "[" + out + "]";
          },
          [allowed](configuration& c, const given_value& v, bool) -> std::optional<std::string> {
            const auto* many = std::get_if<std::vector<std::string>>(&v);
            if (many == nullptr) return "allowed: " + allowed;
            for (const auto& each : *many) {
              const auto equals = each.find('=');
              c.node.spawner.types.front().env.emplace_back(each.substr(0, equals), each.substr(equals + 1));
            }
            return std::nullopt;
          }};
}

// The name of the variable, and never the secret: a file is copied, shown and kept.
setting wake_secret() {
  const std::string allowed = "the name of a variable of the node, BELFRY_WEBHOOK_…, with wake = \"webhook\"";
  return {prefix + "wake_secret_env", "The variable with the secret that signs those wakes.", allowed,
          [](const configuration& c) {
            const auto& secret = c.node.spawner.types.front().wake.secret;
            return toml_text(secret.substr(std::min(secret.size(), by_variable.size())));
          },
          [allowed](configuration& c, const given_value& v, bool) -> std::optional<std::string> {
            const auto* text = std::get_if<std::string>(&v);
            if (text == nullptr) return "allowed: " + allowed;
            c.node.spawner.types.front().wake.secret = text->empty() ? std::string{} : by_variable + *text;
            return std::nullopt;
          }};
}

std::vector<setting> make_settings() {
  std::vector<setting> s;
  s.push_back(list(prefix + "command", OF_TYPE(command),
                   "a list of texts such as [\"./agent.sh\", \"--fast\"]",
                   "The program and its arguments; required."));
  s.push_back(list(prefix + "capabilities", OF_TYPE(capabilities), "a list of words",
                   "What its workers can do; a type is chosen by what it covers."));
  s.push_back(list(prefix + "resources", OF_TYPE(resources), "a list of words",
                   "Providers whose limits it works under; a limit that is reported of one holds it."));
  s.push_back(words(prefix + "workspace", OF_TYPE(workspace), "a word",
                    "The workspace that it serves; empty for that of the run it is started for."));
  s.push_back(words(prefix + "channel", OF_TYPE(channel), "a word",
                    "The channel of its workers; empty for that of the run it is started for."));
  s.push_back(words(prefix + "cwd", OF_TYPE(cwd), "an absolute path",
                    "Working directory; empty for that of runs (executor.cwd)."));
  s.push_back(variables());
  s.push_back(list(prefix + "pass_env", OF_TYPE(pass_env), "a list of names",
                   "Variables of the node's own environment that are handed on: how a secret gets there."));
  s.push_back(whole<std::uint32_t>(prefix + "slots", OF_TYPE(slots), 1, 1000,
                                   "Runs that one worker can hold at a time."));
  s.push_back(whole<std::uint32_t>(prefix + "max", OF_TYPE(max), 0, 100,
                                   "Workers of it that may live at a time; 0 to start none."));
  s.push_back(whole<std::uint32_t>(prefix + "per_workspace", OF_TYPE(per_workspace), 1, 100,
                                   "Workers of it that may live at a time in one workspace."));
  s.push_back(length(prefix + "ttl", OF_TYPE(ttl), 1s, 24h * 30, "After so long a worker is told to drain."));
  s.push_back(length(prefix + "drain", OF_TYPE(drain), 0s, 24h,
                     "How long it may then go on with what it holds; after that its runs are released and it "
                     "is stopped."));
  s.push_back(length(prefix + "idle_ttl", OF_TYPE(idle_ttl), 0s, 24h * 30,
                     "A worker that has held nothing for so long is stopped; 0 to not watch that."));
  s.push_back(length(prefix + "start_timeout", OF_TYPE(start_timeout), 100ms, 1h,
                     "From its start to its first sign of life; who is silent for longer is stopped."));
  s.push_back(length(prefix + "grace", OF_TYPE(grace), 0s, 30s, "Between TERM and KILL."));
  s.push_back(length(prefix + "backoff", OF_TYPE(backoff), 100ms, 1h,
                     "Pause after a worker that never came to life; doubles each time until one does."));
  s.push_back(length(prefix + "backoff_max", OF_TYPE(backoff_max), 100ms, 24h, "The longest such pause."));
  s.push_back(choice<core::wake_via>(
      prefix + "wake", OF_TYPE(wake.via),
      std::array<std::pair<const char*, core::wake_via>, 4>{{{"poll", core::wake_via::poll},
                                                             {"webhook", core::wake_via::webhook},
                                                             {"command", core::wake_via::command},
                                                             {"none", core::wake_via::none}}},
      "How its workers hear of work while they sleep: they ask and wait, the node posts to wake_url, the "
      "node "
      "runs wake_argv, or not at all."));
  s.push_back(
      list(prefix + "wake_argv", OF_TYPE(wake.argv),
           "a list of texts such as [\"./wake.sh\"], with wake = \"command\"",
           "The program and its arguments; gets the wake in JSON on its standard input, and exit code 0 "
           "acknowledges it. wake.commands need not be set."));
  s.push_back(words(prefix + "wake_cwd", OF_TYPE(wake.cwd), "an absolute path, with wake = \"command\"",
                    "Where that is run; empty for the directory of runs (executor.cwd)."));
  s.push_back(words(prefix + "wake_url", OF_TYPE(wake.url),
                    "an http or https address, with wake = \"webhook\"", "Where wakes are posted to."));
  s.push_back(wake_secret());
  s.push_back(
      length(prefix + "wake_timeout", OF_TYPE(wake.timeout), 100ms, 60s, "Of one such webhook or command."));
  return s;
}

#undef OF_TYPE

const setting* find_key(const std::string& name) {
  for (const auto& each : agent_type_settings())
    if (each.key == prefix + name) return &each;
  return nullptr;
}

std::vector<std::string> key_names() {
  std::vector<std::string> names;
  for (const auto& each : agent_type_settings()) names.push_back(each.key.substr(prefix.size()));
  return names;
}

// A table of texts as a list of NAME=VALUE.
std::optional<given_value> variables_of(const toml::node& n) {
  const auto* table = n.as_table();
  if (table == nullptr) return std::nullopt;
  std::vector<std::string> all;
  for (const auto& [name, value] : *table) {
    if (!value.is_string() || std::string_view(name.str()).find('=') != std::string_view::npos)
      return std::nullopt;
    all.push_back(std::string(name.str()) + "=" + value.as_string()->get());
  }
  return given_value{std::move(all)};
}

void read_one(loaded& out, const std::string& file, const std::string& name, const toml::table& table) {
  const auto full = std::string(agent_types_area) + "." + name;
  core::agent_type fresh;
  fresh.name = name;
  auto scratch = about(std::move(fresh));
  const auto before = out.mistakes.size();
  for (const auto& [key, node] : table) {
    const std::string word(key.str());
    const auto* known = find_key(word);
    if (known == nullptr) {
      const auto near = nearest(word, key_names());
      std::string all;
      for (const auto& each : key_names()) all += (all.empty() ? "" : ", ") + each;
      out.mistakes.push_back(place_in(file, key.source()) + ": there is no key " + full + "." + word +
                             (near ? "; did you mean " + *near + "?" : "; there is: " + all));
      continue;
    }
    const auto value = word == "env" ? variables_of(node) : value_of(node);
    const auto wrong =
        value ? known->set(scratch, *value, false) : std::optional<std::string>("allowed: " + known->allowed);
    if (wrong)
      out.mistakes.push_back(place_in(file, node.source()) + ": " + full + "." + word + ": " + *wrong);
    else
      out.origin[full + "." + word] = "file " + file + ":" + std::to_string(node.source().begin.line);
  }
  auto t = std::move(scratch.node.spawner.types.front());
  core::normalise(t);
  if (out.mistakes.size() == before)
    for (const auto& p : core::check(t))
      out.mistakes.push_back(place_in(file, table.source()) + ": " + full + "." + p.pointer + ": given \"" +
                             core::shown(p.value, 60) + "\", allowed: " + p.allowed + "; " + p.detail);
  for (const auto& variable : t.pass_env)
    if (const char* here = std::getenv(variable.c_str())) t.passed.emplace_back(variable, here);
  out.values.node.spawner.types.push_back(std::move(t));
}

}  // namespace

const std::vector<setting>& agent_type_settings() {
  static const auto all = make_settings();
  return all;
}

void read_agent_types(loaded& out, const std::string& file, const toml::table& tables) {
  if (tables.size() > most_types) {
    out.mistakes.push_back(place_in(file, tables.source()) + ": agent_types: given " +
                           std::to_string(tables.size()) + " types, allowed: at most " +
                           std::to_string(most_types));
    return;
  }
  for (const auto& [key, node] : tables) {
    const std::string name(key.str());
    if (const auto* table = node.as_table())
      read_one(out, file, name, *table);
    else
      out.mistakes.push_back(place_in(file, key.source()) + ": agent_types." + name +
                             " is an agent type: write [agent_types." + name + "] and its keys below");
  }
}

void tell_agent_types(api::told_configuration& told, const loaded& settings, const configuration& values) {
  for (const auto& t : values.node.spawner.types) {
    const auto scratch = about(t);
    for (const auto& each : agent_type_settings()) {
      const auto key = std::string(agent_types_area) + "." + t.name + "." + each.key.substr(prefix.size());
      const auto origin = settings.origin.find(key);
      told.settings.push_back({key, each.show(scratch),
                               origin == settings.origin.end() ? std::string("default") : origin->second});
    }
  }
}

std::string agent_types_example() {
  core::agent_type t;
  t.command = {"belfry", "work", "--", "./agent.sh"};
  t.capabilities = {"code"};
  const auto sample = about(t);
  std::string out =
      "\n# Workers that the node starts by itself for work that nobody takes: one table per kind, none by "
      "default.\n# [agent_types.claude]\n";
  for (const auto& each : agent_type_settings()) {
    const auto key = each.key.substr(prefix.size());
    out += "# # " + each.says + " (" + each.allowed + ")\n";
    out += "# " + key + " = " + (key == "env" ? "{}" : each.show(sample)) + "\n";
  }
  return out;
}

std::string agent_types_reference() {
  const auto usual = about({});
  std::string out =
      "\n## [agent_types.NAME]\n\nWorkers that the node starts by itself for work that nobody takes: one "
      "table "
      "per kind, only in a file.\n\n| Key | Default | Allowed | |\n|---|---|---|---|\n";
  for (const auto& each : agent_type_settings())
    out += "| `" + each.key + "` | `" + each.show(usual) + "` | " + each.allowed + " | " + each.says + " |\n";
  return out;
}

}  // namespace belfry::app
