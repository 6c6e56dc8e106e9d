#include "storage/contract/change.hpp"

#include <algorithm>

namespace belfry::storage {

bool needs_room(const change_set& set) {
  return std::any_of(set.changes.begin(), set.changes.end(), [](const change& c) {
    if (const auto* note = std::get_if<note_event>(&c))
      return note->what.kind == core::event_kind::store_recovered;
    return std::holds_alternative<insert_runs>(c) || std::holds_alternative<trigger_job>(c) ||
           std::holds_alternative<redrive_run>(c) || std::holds_alternative<recover_run>(c) ||
           std::holds_alternative<put_job>(c) || std::holds_alternative<plan_job>(c) ||
           std::holds_alternative<emit_event>(c);
  });
}

}  // namespace belfry::storage
