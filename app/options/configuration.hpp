// CONFIGURATION: every option of a node, made of the option structs of the rooms: the defaults stand there,
// once.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "actors/node/node.hpp"
#include "api/http/server.hpp"
#include "platform/ports/processes.hpp"
#include "platform/ports/webhooks.hpp"
#include "storage/contract/open.hpp"

namespace belfry::app {

enum class store_kind : std::uint8_t { sqlite, memory };
enum class log_level : std::uint8_t { debug, info, warning, error };
enum class log_format : std::uint8_t { automatic, human, json };

struct serve_options {
  /// Folder of the store and the socket; made when it is not there. Default: $XDG_STATE_HOME/belfry, else
  /// ~/.local/state/belfry.
  std::string data;
  /// Where runs are kept: in a SQLite file, or in memory, which forgets them at the end. Default sqlite.
  store_kind store = store_kind::sqlite;
  /// How long a node that is told to end waits for running processes before it stops them. Default 10 s; 0..1
  /// h.
  core::span drain_timeout = std::chrono::seconds{10};
};

// Alone when both `listen` and `join` are empty: the default.
struct cluster_settings {
  /// Folder with node.crt, node.key and authority.crt; the name of the node stands in the certificate.
  /// Default none.
  std::string certificates;
  /// Address at which a coordinator takes its members. Default none.
  std::string listen;
  /// Addresses of the coordinator, tried in turn: this node is a member, and has no store. At most 16.
  std::vector<std::string> join;
  /// What is told of this node, such as "disk=ssd"; its executors have them as capabilities. At most 32.
  std::vector<std::string> labels;
  /// Further words that its executors offer. At most 32.
  std::vector<std::string> capabilities;
};

struct logging_options {
  /// The least important lines that are written. Default info.
  log_level level = log_level::info;
  /// automatic: for people on a terminal, JSON lines elsewhere. Default automatic.
  log_format format = log_format::automatic;
};

struct configuration {
  serve_options serve;
  logging_options log;
  cluster_settings cluster;
  api::server_options http;
  storage::sqlite_options store;
  actors::node_options node;
  platform::process_options processes;
  platform::webhook_options webhooks;
  /// The variable that holds the secret of the claim hook. Default: none.
  std::string hook_secret_variable;
};

}  // namespace belfry::app
