// TOML VALUES: a node of a file as a value that settings take, and where it stands.
#pragma once

#include <toml++/toml.h>

#include <optional>
#include <string>
#include <vector>

#include "app/options/settings.hpp"

namespace belfry::app {

inline std::string place_in(const std::string& file, const toml::source_region& at) {
  return file + ":" + std::to_string(at.begin.line) + ":" + std::to_string(at.begin.column);
}

// Nothing for tables, times and mixed lists.
inline std::optional<given_value> value_of(const toml::node& n) {
  if (const auto* b = n.as_boolean()) return given_value{b->get()};
  if (const auto* i = n.as_integer()) return given_value{i->get()};
  if (const auto* d = n.as_floating_point()) return given_value{d->get()};
  if (const auto* s = n.as_string()) return given_value{s->get()};
  if (const auto* a = n.as_array()) {
    std::vector<std::string> texts;
    for (const auto& each : *a) {
      if (!each.is_string()) return std::nullopt;
      texts.push_back(each.as_string()->get());
    }
    return given_value{texts};
  }
  return std::nullopt;
}

}  // namespace belfry::app
