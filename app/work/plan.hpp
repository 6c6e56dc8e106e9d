// WORK PLAN: what `belfry work` is to do, checked and complete before anything is started.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/run/run.hpp"
#include "core/time/instant.hpp"

namespace belfry::app {

struct work_plan {
  std::string server;  // as in --server; empty: BELFRY_URL, else the local node
  bool debug = false;
  bool quiet = false;  // only what went wrong

  // The session. One that the node has started this worker for: it comes back as that one, with its token.
  std::string session;
  std::string session_token;
  std::string name;
  std::string agent_type;
  std::string workspace;
  std::string channel;
  std::vector<std::string> capabilities;
  std::size_t slots = 1;

  // What is run for each claim: argv, directory and environment, and what its exit codes mean where the run
  // says nothing of that.
  core::process_spec command;
  /// Between TERM and KILL when a child is stopped. Default 5 s.
  core::span grace{std::chrono::seconds{5}};

  std::optional<std::string> at_least;  // only runs of this priority or a more urgent one
  /// Length of a lease; 1 s to 24 h. Default 5 min.
  core::span lease{std::chrono::minutes{5}};
  /// Between two heartbeats of a lease: at most a third of it. Also how long a cancellation may take to
  /// arrive. Default 10 s.
  core::span beat{std::chrono::seconds{10}};
  /// How long a claim waits for work; at most 60 s. Default 30 s.
  core::span wait{std::chrono::seconds{30}};
  /// After the first TERM, how long children may go on; zero: until they end. Default: until they end.
  core::span drain{0};
  /// How long a node may be away before the worker gives up; zero: for ever. Default 10 min.
  core::span patience{std::chrono::minutes{10}};
};

}  // namespace belfry::app
