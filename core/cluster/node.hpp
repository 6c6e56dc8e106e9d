// CLUSTER NODE: one machine of the cluster, as the coordinator knows it. A member brings executors and its
// clients' connections; the coordinator holds the store. A node may vanish at any moment: what it held is
// given back by its leases alone, never by the opinion that it is gone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

/// What both sides speak. Append only: a number once used keeps its meaning; another number is refused with
/// both named.
inline constexpr std::uint16_t wire_version = 1;

enum class node_role : std::uint8_t { coordinator = 0, member = 1 };
enum class node_state : std::uint8_t {
  up = 0,       // heard of within `suspect_after`
  suspect = 1,  // silent for longer; nothing is done to it
  lost = 2,     // silent for `lost_after`, or its link is gone for as long
  left = 3,     // it said good-bye
};
std::string_view to_text(node_role r);
std::string_view to_text(node_state s);

// Durable: name, boot, draining, removed, the instants of change. The rest is what its last hello said.
struct cluster_node {
  std::string name;  // from its certificate; 1..63 of a-z, 0-9, '-', '.'
  std::string boot;  // UUID of its process, 36 characters; new at each start
  node_role role = node_role::member;
  node_state state = node_state::up;
  bool draining = false;                  // an operator asked for it; only an operator takes it back
  bool removed = false;                   // it is not let in again until somebody says so
  std::string address;                    // where its link comes from
  std::string version;                    // of belfry
  std::vector<std::string> labels;        // "disk=ssd": also capabilities of its executors
  std::vector<std::string> capabilities;  // words that its executors offer
  std::uint32_t executors = 0;
  instant joined_at = never;   // first hello of this boot
  instant seen_at = never;     // last sign of life
  instant changed_at = never;  // of state
  instant first_seen = never;  // its very first hello
  std::string reason;          // of draining or removed, as its operator gave it
  std::string by;              // that operator
  friend bool operator==(const cluster_node&, const cluster_node&) = default;
};

struct membership_options {
  /// A member says that it lives this often, and so does the coordinator. Default 500 ms; 50 ms..10 s.
  span beat{std::chrono::milliseconds{500}};
  /// Silence after which a node is suspect. At least 4 beats. Default 2 s.
  span suspect_after{std::chrono::seconds{2}};
  /// Silence after which it is lost. More than suspect_after. Default 10 s.
  span lost_after{std::chrono::seconds{10}};
};

// What silence means. `seen` and `now` on one steady clock.
node_state judge_silence(instant seen, instant now, const membership_options& o);
// When the answer of judge_silence changes next; never: it will not.
instant next_judgement(instant seen, instant now, const membership_options& o);

// When to dial again after `failures` in a row: 200 ms doubled up to 10 s, by full jitter above a half
// (unit in [0, 1)).
span dial_pause(std::uint32_t failures, double unit);

// Until when a member may believe in a lease of `lease` that it asked for at `asked` (its own steady clock)
// and that the other side granted `waited` after the question had come there: never later than the granter's
// own expiry, whatever the two wall clocks say and however long question and answer travelled.
instant lease_safe_until(instant asked, span waited, span lease);
// When the process of such a lease has to be told to stop, so that it is gone by `safe_until`: `grace` for
// TERM, and a margin of a tenth of the lease, 200 ms to 5 s, for the rest. Not before a third of the lease is
// over.
instant lease_stop_at(instant safe_until, span lease, span grace);

std::vector<field_problem> check(const membership_options& o, const std::string& base);
// Problems of a node's name, with `pointer`.
std::vector<field_problem> check_node_name(std::string_view name, const std::string& pointer);
// 36 characters of an RFC 9562 UUID (version 4) from 128 random bits.
std::string boot_uuid(std::uint64_t high, std::uint64_t low);

}  // namespace belfry::core
