#include "app/options/load.hpp"

#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "app/cli/command.hpp"
#include "app/cli/refusal.hpp"
#include "app/client/transport.hpp"
#include "app/options/agent_types.hpp"
#include "app/options/cluster.hpp"
#include "app/options/toml_values.hpp"
#include "core/text/utf8.hpp"

extern char** environ;  // POSIX

namespace belfry::app {
namespace {

std::vector<std::string> names_in(const std::string& area) {
  std::vector<std::string> names;
  for (const auto& each : all_settings())
    if (area_of(each.key) == area) names.push_back(each.key.substr(area.size() + 1));
  return names;
}

std::vector<std::string> areas() {
  std::vector<std::string> names;
  for (const auto& each : all_settings())
    if (names.empty() || names.back() != area_of(each.key)) {
      if (std::find(names.begin(), names.end(), area_of(each.key)) == names.end())
        names.push_back(area_of(each.key));
    }
  names.emplace_back(agent_types_area);
  return names;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  if (const auto near = nearest(word, known)) return "; did you mean " + *near + "?";
  std::string all;
  for (const auto& each : known) all += (all.empty() ? "" : ", ") + each;
  return "; there is: " + all;
}

void read_area(loaded& out, const std::string& file, const std::string& area, const toml::table& table) {
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const auto* known = find_setting(area + "." + name);
    if (known == nullptr) {
      out.mistakes.push_back(place_in(file, key.source()) + ": there is no key " + area + "." + name +
                             did_you_mean(name, names_in(area)));
      continue;
    }
    const auto value = value_of(node);
    const auto wrong = value ? known->set(out.values, *value, false)
                             : std::optional<std::string>("allowed: " + known->allowed);
    if (wrong)
      out.mistakes.push_back(place_in(file, node.source()) + ": " + known->key + ": " + *wrong);
    else
      out.origin[known->key] = "file " + file + ":" + std::to_string(node.source().begin.line);
  }
}

void read_file(loaded& out, const std::string& file) {
  out.file = file;
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  if (!in || !(text << in.rdbuf())) {
    if (!in || in.peek() != std::ifstream::traits_type::eof())
      out.mistakes.push_back(file + ": cannot be read");
    return;
  }
  toml::table root;
  try {
    root = toml::parse(text.str(), file);
  } catch (const toml::parse_error& e) {
    out.mistakes.push_back(place_in(file, e.source()) + ": " + std::string(e.description()));
    return;
  }
  for (const auto& [key, node] : root) {
    const std::string area(key.str());
    const auto known = areas();
    if (std::find(known.begin(), known.end(), area) == known.end())
      out.mistakes.push_back(place_in(file, key.source()) + ": there is no area [" + area + "]" +
                             did_you_mean(area, known));
    else if (!node.is_table())
      out.mistakes.push_back(place_in(file, key.source()) + ": " + area + " is an area: write [" + area +
                             "] and its keys below");
    else if (area == agent_types_area)
      read_agent_types(out, file, *node.as_table());
    else
      read_area(out, file, area, *node.as_table());
  }
}

void read_environment(loaded& out) {
  std::vector<std::string> known;
  for (const auto& each : all_settings()) known.push_back(variable_of(each.key));
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string entry(*at);
    const auto equals = entry.find('=');
    const std::string name = entry.substr(0, equals);
    // Two underscores mark a setting; BELFRY_URL, BELFRY_RUN_ID and the like are something else.
    if (name.rfind("BELFRY_", 0) != 0 || name.find("__") == std::string::npos || equals == std::string::npos)
      continue;
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) {
      out.mistakes.push_back("environment " + name + ": there is no such setting" +
                             (nearest(name, known) ? "; did you mean " + *nearest(name, known) + "?" : ""));
      continue;
    }
    const auto& each = all_settings()[static_cast<std::size_t>(found - known.begin())];
    if (const auto wrong = each.set(out.values, given_value{entry.substr(equals + 1)}, true))
      out.mistakes.push_back("environment " + name + ": " + *wrong);
    else
      out.origin[each.key] = "environment " + name;
  }
}

bool is_loopback(const std::string& address) {
  return address.rfind("127.", 0) == 0 || address.rfind("[::1]", 0) == 0 ||
         address.rfind("localhost:", 0) == 0;
}

// What only shows when everything is there. Told at the origin of the value.
void check_together(loaded& out) {
  const auto at = [&](const std::string& key) {
    return (out.origin[key] == "default" ? key : out.origin[key]) + ": ";
  };
  auto& v = out.values;
  auto doors = v.http;
  if (doors.unix_socket.empty()) doors.unix_socket = "in the data folder";
  for (const auto& p : api::check(doors)) {
    const std::string name = p.pointer.substr(0, p.pointer.find('/', p.pointer.front() == '/' ? 1 : 0));
    const std::string key = p.pointer.find("access/tokens") != std::string::npos ? "access.tokens"
                            : p.pointer.find("listen") != std::string::npos      ? "http.listen"
                            : find_setting("http." + name) != nullptr            ? "http." + name
                                                                                 : "";
    out.mistakes.push_back((key.empty() ? "http: " : at(key)) + problem_line(p));
  }
  for (const auto& p : core::check(v.node.ladder, "ladder")) {
    auto key = p.pointer;
    std::replace(key.begin(), key.end(), '/', '.');
    out.mistakes.push_back(at(key) + problem_line(p));
  }
  for (const auto& p : core::check(v.node.backpressure))
    out.mistakes.push_back(at(p.pointer) + problem_line(p));
  for (const auto& p : core::check(v.node.delays)) out.mistakes.push_back(at(p.pointer) + problem_line(p));
  if (!v.hook_secret_variable.empty()) {
    if (const char* secret = std::getenv(v.hook_secret_variable.c_str()))
      v.node.claim_hook.secret = secret;
    else
      out.mistakes.push_back(at("claim_hook.secret_variable") + "given \"" + v.hook_secret_variable +
                             "\", allowed: a variable that is set where the node starts");
  }
  for (const auto& p : core::check(v.node.claim_hook))
    out.mistakes.push_back(at("claim_hook." + p.pointer) + problem_line(p));
  check_cluster(out);
  for (const auto& each : v.http.listen)
    if (!v.http.allow_remote && !is_loopback(each))
      out.mistakes.push_back(at("http.listen") + "given \"" + each +
                             "\", allowed: an address on loopback; others need http.allow_remote = true "
                             "(--allow-remote), and whoever reaches them may run commands");
  if (v.processes.default_cwd.empty() || v.processes.default_cwd.front() != '/')
    out.mistakes.push_back(at("executor.cwd") + "given \"" + v.processes.default_cwd +
                           "\", allowed: an absolute path");
  if (v.http.listen.empty() && v.http.unix_socket == "none")
    out.mistakes.push_back(at("http.listen") + "neither an address nor a socket is left to listen on");
  if (v.node.retention.keep_dead < v.node.retention.keep && v.node.retention.keep_dead > core::span{0})
    out.mistakes.push_back(at("retention.keep_dead") +
                           "dead letters cannot be kept shorter than other runs (retention.keep)");
}

std::string first_file() {
  std::vector<std::string> places;
  if (const char* named = std::getenv("BELFRY_CONFIG"); named != nullptr && *named != '\0') return named;
  if (const char* config = std::getenv("XDG_CONFIG_HOME"); config != nullptr && *config == '/')
    places.push_back(std::string(config) + "/belfry/belfry.toml");
  else if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    places.push_back(std::string(home) + "/.config/belfry/belfry.toml");
  places.emplace_back("/etc/belfry/belfry.toml");
  for (const auto& each : places)
    if (access(each.c_str(), F_OK) == 0) return each;
  return {};
}

loaded defaults() {
  loaded out;
  for (const auto& each : all_settings()) out.origin[each.key] = "default";
  return out;
}

}  // namespace

loaded load_configuration(const std::optional<std::string>& file, const std::vector<flag_value>& flags) {
  loaded out = defaults();
  const std::string path = file ? *file : first_file();
  if (!path.empty()) read_file(out, path);
  read_environment(out);
  for (const auto& flag : flags) {
    const auto* known = find_setting(flag.key);
    if (known == nullptr) {
      std::vector<std::string> keys;
      for (const auto& each : all_settings()) keys.push_back(each.key);
      out.mistakes.push_back(
          flag.flag + ": there is no setting " + flag.key +
          (nearest(flag.key, keys) ? "; did you mean " + *nearest(flag.key, keys) + "?" : ""));
      continue;
    }
    if (const auto wrong = known->set(out.values, given_value{flag.text}, true))
      out.mistakes.push_back(flag.flag + ": " + *wrong);
    else
      out.origin[known->key] = "flag " + flag.flag;
  }
  if (out.mistakes.empty()) check_together(out);
  if (out.values.serve.data.empty()) out.values.serve.data = default_data_folder();
  return out;
}

loaded check_configuration_file(const std::string& path) {
  loaded out = defaults();
  read_file(out, path);
  if (out.mistakes.empty()) check_together(out);
  return out;
}

// TOML and JSON agree on texts, numbers, truths and lists of texts.
api::told_configuration told_of(const loaded& settings, const configuration& values) {
  const auto fit = [](std::string text) {
    return core::valid_utf8(text) ? text : core::shown(text, text.size());
  };
  api::told_configuration told{fit(settings.file), {}};
  for (const auto& each : all_settings())
    told.settings.push_back({each.key, fit(each.show(values)), fit(settings.origin.at(each.key))});
  tell_agent_types(told, settings, values);
  for (auto& each : told.settings) each.key = fit(each.key);
  return told;
}

void refuse_mistakes(const loaded& settings) {
  const auto n = settings.mistakes.size();
  if (n == 0) return;
  throw refusal(exit_code::usage,
                "the configuration has " + std::to_string(n) + " mistake" + (n == 1 ? "" : "s"),
                settings.mistakes, "belfry config show --example prints every key with its default");
}

std::string example_file() {
  const configuration usual;
  std::string out =
      "# belfry.toml: every option of a node with its default. A flag goes before the environment "
      "(BELFRY_STORE__DURABILITY for\n"
      "# store.durability), the environment before this file. Unknown keys are refused. Check a file with "
      "`belfry config check FILE`.\n";
  std::string area;
  for (const auto& each : all_settings()) {
    if (area_of(each.key) != area) {
      area = area_of(each.key);
      out += "\n# " + area_sentence(area) + "\n[" + area + "]\n";
    }
    out += "# " + each.says + " (" + each.allowed + ")\n";
    out += each.key.substr(area.size() + 1) + " = " + each.show(usual) + "\n";
  }
  return out + agent_types_example();
}

std::string reference_in_markdown() {
  const configuration usual;
  std::string out, area;
  for (const auto& each : all_settings()) {
    if (area_of(each.key) != area) {
      area = area_of(each.key);
      out += "\n## [" + area + "]\n\n" + area_sentence(area) +
             "\n\n| Key | Default | Allowed | |\n|---|---|---|---|\n";
    }
    out += "| `" + each.key + "` | `" + each.show(usual) + "` | " + each.allowed + " | " + each.says + " |\n";
  }
  return out + agent_types_reference();
}

}  // namespace belfry::app
