// OPS: the operations, one file per noun; each adds its rows to the table of routes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/http/door.hpp"
#include "api/http/exchange.hpp"
#include "api/http/route.hpp"
#include "api/json/filters.hpp"
#include "api/json/writer.hpp"
#include "core/run/filter.hpp"
#include "messages/runs.hpp"

namespace belfry::api {

using exchange_ptr = std::shared_ptr<exchange>;

void add_submit_routes(std::vector<route>& all);
void add_run_routes(std::vector<route>& all);
void add_explain_routes(std::vector<route>& all);
void add_doctor_routes(std::vector<route>& all);
void add_control_routes(std::vector<route>& all);
void add_bulk_routes(std::vector<route>& all);
void add_log_routes(std::vector<route>& all);
void add_batch_routes(std::vector<route>& all);
void add_job_routes(std::vector<route>& all);
void add_job_control_routes(std::vector<route>& all);
void add_session_routes(std::vector<route>& all);
void add_wake_routes(std::vector<route>& all);
void add_lease_routes(std::vector<route>& all);
void add_event_routes(std::vector<route>& all);
void add_scheduler_routes(std::vector<route>& all);
void add_pause_routes(std::vector<route>& all);
void add_throttle_routes(std::vector<route>& all);
void add_node_routes(std::vector<route>& all);
void add_cluster_routes(std::vector<route>& all);
void add_transfer_routes(std::vector<route>& all);
void add_maintenance_routes(std::vector<route>& all);
void add_handler_routes(std::vector<route>& all);
void add_agent_type_routes(std::vector<route>& all);
void add_cycle_routes(std::vector<route>& all);
void add_schedule_routes(std::vector<route>& all);
void add_timing_routes(std::vector<route>& all);
void add_calendar_routes(std::vector<route>& all);
void add_document_routes(std::vector<route>& all);

// What a member answers by itself, without a store; null: that is its coordinator's.
handler handler_of_member(const route& r);

using header_list = std::vector<std::pair<std::string_view, std::string>>;
// Where what was made is found (empty: nowhere), and whether an earlier request with the same key made it.
header_list made_headers(std::string location, bool replayed);
// 200, or another status, with what was written.
void answer_json(exchange& x, json::writer& w, unsigned status = 200, header_list headers = {});
core::failure fail_with(core::errc e, std::string text, std::string command = {});
core::failure bad_parameter(std::string_view name, std::string_view value, std::string allowed,
                            std::string detail);
// Notes who asked for no checks, if anybody did; else what they find in a spec that an executor of this node
// would perform. `base`: where it stands in the body.
std::optional<core::failure> look_at(const exchange& x, core::run_spec& spec, const std::string& base);
// The Idempotency-Key with what it is bound to: SHA-256 of method, path and body.
std::optional<messages::once_key> once_of(const exchange& x, std::string_view suffix = {});

// The Belfry-Session-Token, hashed: what a worker shows that the node has started itself.
std::optional<core::token_hash> shown_token(const exchange& x);

bool flag_parameter(const exchange& x, std::string_view name, json::problems& found);
std::int64_t whole_parameter(const exchange& x, std::string_view name, std::int64_t usual, std::int64_t least,
                             std::int64_t most, json::problems& found);

// Lists of runs: filters, limit, cursor and sort of the query; `f(x, filter, page)` once names are looked up.
// Refuses by itself.
struct list_request {
  json::filter_draft filter;
  core::page_request page;
  std::uint32_t bound_to = 0;  // the cursor belongs to these filters and this order
};
const std::vector<parameter>& filter_parameters();
std::vector<parameter> list_parameters();  // filters, sort, limit, cursor
core::result<list_request> read_list(const exchange& x);
std::string cursor_text(std::int64_t after, std::uint32_t bound_to);
void write_cursor(json::writer& w, std::int64_t after, std::uint32_t bound_to);  // "next_cursor": … or null
// Reads a cursor, 0 when there is none.
std::int64_t read_cursor(const exchange& x, std::uint32_t bound_to, json::problems& found);
std::uint32_t hash_of(std::string_view text);

// Looks up the name of a job in a filter, then goes on; refuses when there is no such job.
template <class F>
void with_job(const exchange_ptr& x, json::filter_draft draft, F f) {
  if (draft.job.empty()) return f(x, std::move(draft.filter));
  const std::string name = draft.job;
  x->node().node.ask(messages::get_job{name},
                     x->then<core::job>([f = std::move(f), filter = std::move(draft.filter)](
                                            const exchange_ptr& y, core::job j) mutable {
                       filter.job = j.id;
                       f(y, std::move(filter));
                     }));
}

// Looks up a run by id, prefix or name; f(x, run).
template <class F>
void with_run(const exchange_ptr& x, F f) {
  x->node().node.ask(messages::get_run{x->arguments.front()}, x->then<core::run>(std::move(f)));
}
template <class F>
void with_job_named(const exchange_ptr& x, F f) {
  x->node().node.ask(messages::get_job{x->arguments.front()}, x->then<core::job>(std::move(f)));
}

}  // namespace belfry::api
