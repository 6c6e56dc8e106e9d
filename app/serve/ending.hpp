// ENDING: how a node that was told to end does so, with or without a store of its own.
#pragma once

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "actors/node/node.hpp"
#include "api/http/server.hpp"
#include "app/log/log.hpp"
#include "core/errors/result.hpp"
#include "platform/ports/signals.hpp"

namespace belfry::app {

inline log_level level_of(actors::note_level l) {
  switch (l) {
    case actors::note_level::debug: return log_level::debug;
    case actors::note_level::info: return log_level::info;
    case actors::note_level::warning: return log_level::warning;
    case actors::note_level::error: return log_level::error;
  }
  return log_level::error;
}

// Lets running work end up to the deadline. A second signal while that goes on means now, a third one that
// nobody waits any longer: whatever is left is found by its mark at the next start.
template <class Node>
core::result<void> drain(Node& node, api::server& server, core::span deadline) {
  std::atomic<bool> over{false};
  core::result<void> ended;
  std::thread drainer([&] {
    ended = node.stop(deadline);
    over = true;
    platform::interrupt_wait();
  });
  std::thread hurry;
  while (!over) {
    const int signal = platform::wait_for_signal();
    if (over) break;
    if (hurry.joinable()) {
      log_line(log_level::error, "node-abandoned signal=" + std::to_string(signal));
      std::fflush(nullptr);
      std::_Exit(128 + signal);
    }
    log_line(log_level::warning, "stop-asked-again signal=" + std::to_string(signal));
    hurry = std::thread([&node] { (void)node.stop(core::span{0}); });
  }
  drainer.join();
  if (hurry.joinable()) hurry.join();
  server.stop(std::chrono::seconds{1});
  return ended;
}

}  // namespace belfry::app
