// EVENTS in JSON: one that somebody emits, and what became of it.
#pragma once

#include <string>
#include <string_view>

#include "api/json/writer.hpp"
#include "core/errors/result.hpp"
#include "messages/jobs.hpp"

namespace belfry::api::json {

struct emission_draft {
  core::named_event what;
  std::string run;  // that emits it: id, prefix or name
};
core::result<emission_draft> read_emission(std::string_view body);
void write_waiter(writer& w, const core::event_waiter& waiter);
void write_emitted(writer& w, const messages::event_emitted& e);
// Name and fields of an event_received, as members; nothing of a text that is not one.
void write_received_members(writer& w, std::string_view text);

}  // namespace belfry::api::json
