// SETTINGS: the keys of the configuration: where each lives, what it may be, and one sentence about it. The
// reader of files, the environment, the flags, `config show`, the example file and the documentation all walk
// this one table.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/options/configuration.hpp"

namespace belfry::app {

// A value as a file gives it. Flags and the environment give texts, which each setting reads in its own way.
using given_value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

struct setting {
  std::string key;      // "store.durability"
  std::string says;     // one sentence
  std::string allowed;  // "full or normal", "0 to 256", "a time from 1s to 1d"
  std::function<std::string(const configuration&)> show;  // as TOML
  // What is wrong with the value, or nothing, and then it is set. `as_text`: from a flag or the environment.
  std::function<std::optional<std::string>(configuration&, const given_value&, bool as_text)> set;
};

const std::vector<setting>& all_settings();
const setting* find_setting(std::string_view key);
std::string area_of(std::string_view key);         // "store"
std::string area_sentence(std::string_view area);  // "Where runs are kept."
std::string variable_of(const std::string& key);   // "BELFRY_STORE__DURABILITY"
std::string toml_text(std::string_view text);      // quoted and escaped

}  // namespace belfry::app
