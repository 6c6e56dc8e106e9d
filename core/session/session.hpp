// SESSION: a registered worker. The node's own executors are sessions like any other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/errors/result.hpp"
#include "core/ids/id.hpp"
#include "core/run/spec.hpp"
#include "core/session/wake_sink.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

enum class session_state : std::uint8_t { active = 0, draining = 1, paused = 2, stale = 3, gone = 4 };
std::string_view to_text(session_state s);

struct session {
  session_id id;
  std::string name;
  std::string agent_type;  // "process" for the node's process executors
  std::string workspace;
  std::string channel;
  std::vector<std::string> capabilities;
  std::vector<handler_kind> handlers;  // which kinds it can perform; outside sessions: none (payload) only
  std::uint32_t slots = 1;
  session_state state = session_state::active;
  bool prompting = false;
  bool local = false;  // lives and dies with this node process
  instant created_at = never;
  instant last_seen = never;
  bool draining = false;  // an operator asked for it; only an operator takes it back
  bool paused = false;    // it said so itself
  std::string metadata;   // opaque JSON object text, at most 16 KiB
  wake_sink wake = {};    // of the node's own executors: none
  friend bool operator==(const session&, const session&) = default;
};

// An executor of this node or of a member of its cluster, not somebody from outside: it serves every
// workspace, counts for no limit of agent types, and can be told to stop an attempt. Nobody who registers at
// a door can name what it performs, so to perform processes is the mark of an executor.
bool owned_by_node(const session& s);

// `state` of a session that is here follows from what was asked of it; stale and gone come from its silence.
session_state state_here(const session& s);

struct ineligible {
  std::string code;
  std::string text;
};

// A session at the moment of a question, with what only the asker knows.
struct standing {
  const session* who = nullptr;  // null: nobody registered under that id
  std::uint32_t free_slots = 1;
  bool targeted = false;  // already chosen in this cycle: of interest to wakes only
};

// Whether whoever hands out work has to hear of the change. That a session still lives is no news.
bool matters_to_claims(const session& before, const session& now);

// THE rule: everything that keeps this session from a run with these needs, limits apart; empty when it may
// take it. Claim, wake selection and explain all use it. Codes: unknown_session, session_draining,
// session_paused, session_stale, session_gone, prompting, no_free_slot, targeted_in_cycle,
// workspace_mismatch, channel_mismatch, owner_mismatch, person_only, agent_type_not_allowed,
// missing_capability, handler_mismatch.
std::vector<ineligible> why_not(const standing& at, const requirement& needs, handler_kind handler);
// The part of it that has nothing to do with the run: why the session gets nothing at all.
std::vector<ineligible> why_nothing(const standing& at);
bool may_take_anything(const standing& at);
// How many of the preferred capabilities the session has. Orders, never excludes.
std::size_t preference(const session& s, const requirement& needs);

// The same for a session with a free slot. Process executors serve every workspace: nodes own them.
std::vector<ineligible> why_not(const session& s, const requirement& needs, handler_kind handler);
// The same answer without the texts: what a claim asks for each class of requirement.
bool may_take(const session& s, const requirement& needs, handler_kind handler);

// At the door: words trimmed, capabilities lower case, sorted, unique.
void normalise(session& s);
// Every mistake of a registration, as problems with JSON pointers below `base`.
std::vector<field_problem> check(const session& s, const std::string& base);

}  // namespace belfry::core
