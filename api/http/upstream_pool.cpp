#include "api/http/upstream_pool.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace belfry::api {
namespace {

// Nothing to read and no end: whoever has closed it, or says what nobody asked, is not asked again.
bool silent(const platform::descriptor& d) {
  char byte = 0;
  return ::recv(d.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

bool upstream_pool::enter(std::function<bool()> turn) {
  {
    const std::lock_guard lock{mutex_};
    if (taken_ >= limits.connections) {
      if (waiting_.size() >= limits.waiting) return false;
      waiting_.push_back(std::move(turn));
      return true;
    }
    ++taken_;
  }
  if (!turn()) leave();
  return true;
}

// The place goes to whoever waits longest and still wants it.
void upstream_pool::leave() {
  for (;;) {
    std::function<bool()> next;
    {
      const std::lock_guard lock{mutex_};
      if (waiting_.empty()) {
        --taken_;
        return;
      }
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (next()) return;
  }
}

platform::descriptor upstream_pool::idle() {
  std::vector<kept> old;  // closed outside the lock
  const std::lock_guard lock{mutex_};
  const auto now = clock::now();
  while (!idle_.empty()) {
    auto one = std::move(idle_.back());
    idle_.pop_back();
    if (now - one.since < limits.idle_time && silent(one.fd)) return std::move(one.fd);
    old.push_back(std::move(one));
  }
  return {};
}

void upstream_pool::keep(platform::descriptor d) {
  const std::lock_guard lock{mutex_};
  const auto now = clock::now();
  while (!idle_.empty() && (idle_.size() >= limits.idle || now - idle_.front().since >= limits.idle_time))
    idle_.erase(idle_.begin());
  if (limits.idle > 0) idle_.push_back({std::move(d), now});
}

void upstream_pool::clear() {
  std::vector<kept> all;
  const std::lock_guard lock{mutex_};
  all.swap(idle_);
}

std::optional<core::instant> upstream_pool::unreachable(bool reached, core::instant now) {
  const std::lock_guard lock{mutex_};
  if (reached)
    unreachable_.reset();
  else if (!unreachable_)
    unreachable_ = now;
  return unreachable_;
}

}  // namespace belfry::api
