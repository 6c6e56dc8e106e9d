// HANDOFF: a box in which many threads leave things for one taker.
//
// The taker empties it when it has time; only whoever finds it idle has to wake it. So a thousand things that
// come while the taker is busy cost a lock and a push each, and no message and no wake-up.
#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace belfry::platform {

template <class T>
class handoff {
 public:
  /// Wakes the taker if it is idle. After `close` the thing is dropped.
  void put(T thing) {
    const std::lock_guard hold(mutex_);
    if (closed_) return;
    waiting_.push_back(std::move(thing));
    if (wake_ && !std::exchange(busy_, true)) wake_();
  }
  /// Who is woken, on the thread of whoever puts; at once when something waits. The box is locked meanwhile:
  /// `wake` sends word and returns.
  void wake_with(std::function<void()> wake) {
    const std::lock_guard hold(mutex_);
    if (closed_) return;
    wake_ = std::move(wake);
    busy_ = !waiting_.empty();
    if (busy_) wake_();
  }
  /// The oldest things, in order, until `enough(thing)` says so of one of them, which is taken too. None: the
  /// taker is idle from now on, and will be woken.
  template <class Enough>
  std::vector<T> take(Enough enough) {
    const std::lock_guard hold(mutex_);
    auto end = waiting_.begin();
    while (end != waiting_.end())
      if (enough(*end++)) break;
    std::vector<T> taken;
    if (end == waiting_.end()) {
      taken.swap(waiting_);
    } else {
      taken.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
      waiting_.erase(waiting_.begin(), end);
    }
    busy_ = !taken.empty();
    return taken;
  }
  /// The taker is gone: what waits is dropped, and so is what still comes.
  void close() {
    std::vector<T> dropped;  // outlives the lock: what is dropped may call somebody
    std::function<void()> silenced;
    const std::lock_guard hold(mutex_);
    closed_ = true;
    dropped.swap(waiting_);
    silenced.swap(wake_);
  }

 private:
  std::mutex mutex_;
  std::vector<T> waiting_;
  std::function<void()> wake_;  // empty: there is no taker yet
  bool busy_ = false;
  bool closed_ = false;
};

}  // namespace belfry::platform
