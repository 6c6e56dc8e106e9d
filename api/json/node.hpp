// NODE in JSON: health, the queue, the store.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/json/nodes.hpp"
#include "api/json/writer.hpp"
#include "core/run/views.hpp"
#include "messages/cycles.hpp"
#include "messages/node.hpp"
#include "messages/runs.hpp"

namespace belfry::api::json {

// What the door itself knows about the process.
struct machine_facts {
  std::string_view version;
  core::instant now = core::never;
  std::uint64_t resident_bytes = 0;
  core::span cpu{0};
  std::string disk_path;
  std::uint64_t disk_free = 0;
  std::uint64_t disk_alarm = 0;
  std::size_t connections = 0, streams = 0, requests = 0;
  std::string host, user;
  std::int64_t pid = 0;
};

void write_health(writer& w, const messages::node_status& s);
void write_node(writer& w, const messages::node_status& s, const std::optional<core::store_facts>& store,
                const machine_facts& m, const std::optional<cluster_standing>& cluster);
void write_rebuilt(writer& w, const messages::index_rebuilt& r);
void write_queue(writer& w, const messages::queue_state& q, const messages::ladder_seen& ladder);
void write_limits(writer& w, const core::limit_options& l);
// One member of the configuration: `value` is JSON.
void write_setting(writer& w, std::string_view key, std::string_view value, std::string_view origin);
void write_totals(writer& w, const core::store_facts& f);

}  // namespace belfry::api::json
