// AGENT TYPE: a kind of worker that the node can start by itself, as the configuration declares it. Its
// capabilities, workspace and channel are those of the sessions that it makes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/errors/result.hpp"
#include "core/run/spec.hpp"
#include "core/session/session.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

struct agent_type {
  std::string name;
  /// The program and its arguments. Required.
  std::vector<std::string> command;
  /// What its sessions can do; normalised. Default none.
  std::vector<std::string> capabilities;
  /// The workspace that it serves. Default empty: that of the run it is started for.
  std::string workspace;
  /// The channel of its sessions. Default empty: that of the run it is started for.
  std::string channel;
  /// Absolute; empty: the working directory for runs.
  std::string cwd;
  /// Added to the node's clean environment, before BELFRY_*.
  std::vector<std::pair<std::string, std::string>> env;
  /// Variables of the node's own environment that are handed on: how a secret gets there.
  std::vector<std::string> pass_env;
  /// Their values, read when the node started; never shown. An unset one is left out.
  std::vector<std::pair<std::string, std::string>> passed;
  /// Runs that one worker can hold at a time. Default 1; 1 to 1,000.
  std::uint32_t slots = 1;
  /// Workers of this type that may live at a time. Default 3; 0 to 100, 0: none are started.
  std::uint32_t max = 3;
  /// ... in one workspace. Default 3; 1 to 100.
  std::uint32_t per_workspace = 3;
  /// After so long it is told to drain. Default 30 min; 1 s to 30 d.
  span ttl = std::chrono::minutes{30};
  /// How long it may then go on with what it holds before that is released and it is stopped. Default 1 min;
  /// 0 s to 24 h.
  span drain = std::chrono::minutes{1};
  /// A worker that has held no lease for so long is stopped. Default 0: not watched.
  span idle_ttl{0};
  /// From the start of the process to its first sign of life. Default 30 s; 100 ms to 1 h.
  span start_timeout = std::chrono::seconds{30};
  /// Between TERM and KILL. Default 5 s; 0 s to 30 s.
  span grace = std::chrono::seconds{5};
  /// Pause after a worker that never came to life; doubles with each one, up to backoff_max, until one does.
  /// Default 1 s.
  span backoff = std::chrono::seconds{1};
  span backoff_max = std::chrono::minutes{5};
  /// Providers whose limits it works under, such as "anthropic": a limit that is reported of one holds every
  /// type that names it. Default none.
  std::vector<std::string> resources = {};
  /// How its sessions are woken. Default: they ask, and wait for the answer. Anything else is the node's own
  /// word: commands named here are run whether sessions may name some or not.
  wake_sink wake = {};
  friend bool operator==(const agent_type&, const agent_type&) = default;
};

// At the door: words trimmed, capabilities lower case, sorted, unique.
void normalise(agent_type& t);
// What is wrong besides the range of single numbers: names, words, an absolute cwd, backoff above its limit.
// Pointers are the keys.
std::vector<field_problem> check(const agent_type& t);

// The session that a worker of this type would have, started for these needs.
session session_of(const agent_type& t, const requirement& needs);

// The pause after the n-th failure in a row (n from 1): backoff, doubled n − 1 times, at most backoff_max.
span pause_after(const agent_type& t, std::uint32_t failures);

}  // namespace belfry::core
