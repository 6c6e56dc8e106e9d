// CYCLES in JSON: what one found and did, the sums of all, the backlog, the ladder.
#pragma once

#include "api/json/writer.hpp"
#include "core/run/views.hpp"
#include "messages/cycles.hpp"

namespace belfry::api::json {

void write_cycle(writer& w, const core::cycle_result& r);
void write_cycles(writer& w, const messages::cycles_seen& seen);
// How the ladder stands: an object.
void write_ladder(writer& w, const messages::ladder_seen& seen);
// Of one run that starves: an object; null when it does not.
void write_rung(writer& w, const messages::rung_view* view);
// The members of one line of the backlog.
void write_backlog_item(writer& w, const core::run& run, const messages::explanation& told,
                        const messages::rung_view* rung, core::instant now);

}  // namespace belfry::api::json
