// HANDLERS: the kinds of work there are, by the name that a submission gives. The set is closed: a kind is
// code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/run/spec.hpp"

namespace belfry::core {

struct handler_facts {
  handler_kind kind = handler_kind::none;
  std::string_view name;          // "process"
  std::string_view description;   // one sentence
  std::string_view performed_by;  // who claims its runs
  bool usual = false;             // what a submission with a command means when it names none
};

/// In the order in which they are listed.
const std::vector<handler_facts>& all_handlers();
/// Nothing for unknown text.
const handler_facts* find_handler(std::string_view name);
std::string_view to_text(handler_kind k);
/// Whether this belfry knows the kind. A row may hold one that only a newer belfry knows.
bool known(handler_kind k);
/// What a run of an unknown kind waits for: "handler:7".
std::string resource_of(handler_kind k);

}  // namespace belfry::core
