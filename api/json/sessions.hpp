// SESSIONS in JSON: who registers, what it says of itself, and how it stands.
#pragma once

#include <string_view>

#include "api/json/reader.hpp"
#include "api/json/writer.hpp"
#include "core/errors/result.hpp"
#include "messages/sessions.hpp"

namespace belfry::api::json {

core::result<core::session> read_session(std::string_view body);
// The session apart: it stands in the path.
core::result<messages::heartbeat_session> read_session_heartbeat(std::string_view body);

// `commands`: with what the session is asked to do.
void write_session(writer& w, const messages::session_view& v, core::span heartbeat_every, bool commands);
void write_reasons(writer& w, const std::vector<core::ineligible>& reasons);

}  // namespace belfry::api::json
