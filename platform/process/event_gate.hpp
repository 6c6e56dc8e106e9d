// EVENT GATE: the way to a child's callbacks, which can be closed for good. When `mute` has returned, no
// callback is running (but the one that called it) and none will start.
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "platform/ports/processes.hpp"

namespace belfry::platform {

class event_gate {
 public:
  explicit event_gate(process_events events) : events_(std::move(events)) {}

  void output(std::vector<output_line> lines) {
    const std::lock_guard hold(mutex_);
    if (!muted_ && events_.output && !lines.empty()) events_.output(std::move(lines));
  }
  void started(std::int64_t pid) {
    const std::lock_guard hold(mutex_);
    if (!muted_ && events_.started) events_.started(pid);
  }
  void ended(process_report report) {
    const std::lock_guard hold(mutex_);
    over_ = true;
    if (auto tell = std::exchange(gone_, {})) tell();
    if (std::exchange(muted_, true)) return;
    if (events_.ended) events_.ended(std::move(report));
  }
  void mute() {
    const std::lock_guard hold(mutex_);
    muted_ = true;
  }
  /// Mutes; `gone` is called instead of `ended`, or now when that has been.
  void mute_until(std::function<void()> gone) {
    const std::lock_guard hold(mutex_);
    muted_ = true;
    if (over_) return gone();
    gone_ = std::move(gone);
  }

 private:
  std::recursive_mutex mutex_;  // a callback may abandon its own child
  process_events events_;
  std::function<void()> gone_;
  bool muted_ = false;
  bool over_ = false;
};

}  // namespace belfry::platform
