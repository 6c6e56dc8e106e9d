#include "core/run/handlers.hpp"

#include <algorithm>

namespace belfry::core {

const std::vector<handler_facts>& all_handlers() {
  static const std::vector<handler_facts> all{
      {handler_kind::process, "process",
       "Runs a program, by argv or shell, as a process group of its own with captured output",
       "the node's own executors", true},
      {handler_kind::none, "none", "Carries a payload to whoever knows what it means",
       "outside sessions that claim it", false}};
  return all;
}

const handler_facts* find_handler(std::string_view name) {
  const auto& all = all_handlers();
  const auto it = std::find_if(all.begin(), all.end(), [&](const auto& h) { return h.name == name; });
  return it == all.end() ? nullptr : &*it;
}

std::string_view to_text(handler_kind k) {
  for (const auto& h : all_handlers())
    if (h.kind == k) return h.name;
  return "unknown";
}

bool known(handler_kind k) {
  const auto& all = all_handlers();
  return std::any_of(all.begin(), all.end(), [&](const auto& h) { return h.kind == k; });
}

std::string resource_of(handler_kind k) {
  const auto name = known(k) ? std::string{to_text(k)} : std::to_string(static_cast<unsigned>(k));
  return "handler:" + name;
}

}  // namespace belfry::core
