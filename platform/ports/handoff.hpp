// HANDOFF: a box in which many threads leave things for one taker.
//
// The taker empties it when it has time; only whoever finds it idle has to wake it. So a thousand things that
// come while the taker is busy cost a lock and a push each, and no message and no wake-up.
#pragma once

#include <cstddef>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace belfry::platform {

template <class T>
class handoff {
 public:
  /// Whether the taker is idle and has to be woken. After `close` the thing is dropped.
  bool put(T thing) {
    const std::lock_guard hold(mutex_);
    if (closed_) return false;
    waiting_.push_back(std::move(thing));
    return !std::exchange(busy_, true);
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
    const std::lock_guard hold(mutex_);
    closed_ = true;
    dropped.swap(waiting_);
  }

 private:
  std::mutex mutex_;
  std::vector<T> waiting_;
  bool busy_ = false;
  bool closed_ = false;
};

}  // namespace belfry::platform
