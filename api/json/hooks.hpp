// CLAIM HOOK in JSON: the question, and what may be answered.
#pragma once

#include <string>
#include <string_view>

#include "api/json/writer.hpp"
#include "core/errors/result.hpp"
#include "core/hook/claim_hook.hpp"
#include "messages/hooks.hpp"

namespace belfry::api::json {

// Neither payloads nor tokens are in it.
std::string hook_text(const core::hook_question& q);
// {"decision": "allow"}, {"decision": "refuse", "reason": "…"} or
// {"decision": "narrow", "runs": ["run_…"], "max": 1, "reason": "…"}. Anything else is refused, with all that
// is wrong with it in the text.
core::result<core::hook_verdict> read_hook_verdict(std::string_view answer);

void write_hook_state(writer& w, const messages::hook_state& s);

}  // namespace belfry::api::json
