// WAKES in JSON: how a session wants to be woken, the wakes it has, and what it is told of one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json/reader.hpp"
#include "api/json/writer.hpp"
#include "core/errors/result.hpp"
#include "core/session/wake_sink.hpp"
#include "messages/wakes.hpp"

namespace belfry::api::json {

// The member "wake" of a registration. What is wrong with a secret is said without it.
void read_wake_sink(const value& v, core::wake_sink& sink);
// Without secrets; the query of an address is left out.
void write_wake_sink(writer& w, const core::wake_sink& sink);

// {"wakes": ["wak_…"]}
core::result<std::vector<core::wake_id>> read_wake_ids(std::string_view body);
// {"run_id": "run_…"}: id, prefix or name of the run.
core::result<std::string> read_wake_order(std::string_view body);

void write_wake(writer& w, const messages::wake_view& v);
// What a webhook or a command is told: the wake alone, or in the envelope of Standard Webhooks.
std::string wake_text(const messages::wake_view& v, core::wake_via via);

}  // namespace belfry::api::json
