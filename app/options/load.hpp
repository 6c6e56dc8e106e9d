// LOADING: flag > environment > file > default, each value with its origin, every mistake told at once.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/options/settings.hpp"

namespace belfry::app {

struct flag_value {
  std::string flag;  // "--durability", for the origin
  std::string key;   // "store.durability"
  std::string text;
};

struct loaded {
  configuration values;
  std::string file;  // that was read; empty when there is none
  std::map<std::string, std::string>
      origin;  // by key: "default", "file belfry.toml:3", "environment …", "flag …"
  std::vector<std::string> mistakes;  // with their place first; empty when all is well
};

// The file: `file` when given, else BELFRY_CONFIG, else $XDG_CONFIG_HOME/belfry/belfry.toml or ~/.config/…,
// else /etc/belfry/belfry.toml, the first that is there.
loaded load_configuration(const std::optional<std::string>& file, const std::vector<flag_value>& flags);
// Only this file against the defaults, for `config check`.
loaded check_configuration_file(const std::string& path);

// Every value as it is in `values` (which may know more than was loaded), with its origin.
api::told_configuration told_of(const loaded& settings, const configuration& values);

// Throws the refusal that lists all mistakes, when there are any.
void refuse_mistakes(const loaded& settings);

std::string example_file();           // belfry.toml with every key, its sentence and its default
std::string reference_in_markdown();  // the same as tables

}  // namespace belfry::app
