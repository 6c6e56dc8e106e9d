// HELD: one attempt, the proof of the right to it, and what its handler has said that the node does not know
// yet.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "belfry/worker.hpp"
#include "transport.hpp"

namespace belfry::detail {

/// Valid UTF-8 of at most so many bytes: what a handler says must never keep its end from being reported.
std::string plain(std::string_view text, std::size_t most_bytes);

/// The line in parts that the node takes as one line each; at least one.
std::vector<std::string> pieces(std::string_view line);

std::string milliseconds(span s);

struct line {
  std::string text;
  std::string stream;
  std::string level = {};
};

struct held {
  held(json c, span lease);

  json proof() const { return {{"token", token}, {"fencing", fencing}}; }
  std::string path(const char* verb) const { return "/v1/runs/" + run_id + ":" + verb; }
  void cancel(const std::string& reason);

  const std::string token;
  const json claim;  // without the token: a handler may print what it got
  const std::string run_id;
  const std::int64_t fencing;
  const int number;

  // Of the keeper.
  steady::time_point lease_until;
  steady::time_point next_beat;
  std::atomic<bool> lost{false};
  std::function<void()> changed{};                // there is something to write
  std::function<void(const json& value)> save{};  // a checkpoint

  // One writer at a time.
  std::mutex writing;
  std::vector<line> sending;  // a portion that the node has not confirmed
  std::int64_t first = 1;     // number of its first line

  mutable std::mutex mutex;
  mutable std::condition_variable told;
  std::string reason;  // empty: not cancelled
  std::function<void()> on_cancel;
  json progress;  // the newest, null: known to the node
  std::deque<line> lines;
  json checkpoint;
};

}  // namespace belfry::detail
