#include "api/http/engine.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

namespace belfry::api {
namespace {

// What a task throws ends its request, not the node: the exchange answers for itself when it is dropped.
void run(task& t) {
  try {
    t.run();
  } catch (...) {  // NOLINT(bugprone-empty-catch)
  }
}

}  // namespace

void engine::post(const strand& s, std::shared_ptr<void> keep, std::unique_ptr<task> t) {
  bool wake = false;
  {
    const std::lock_guard lock{parcels_mutex_};
    if (!closed_) {
      parcels_.push_back({s, std::move(keep), std::move(t)});
      wake = !armed_;
      armed_ = true;
    }
  }
  if (wake) boost::asio::post(io, [self = shared_from_this()] { self->deliver(); });
}

void engine::deliver() {
  std::vector<parcel> burst;
  {
    const std::lock_guard lock{parcels_mutex_};
    burst.swap(parcels_);
    armed_ = false;
  }
  for (auto& p : burst) {
    if (single_) {
      // The only thread of the context is every strand at once.
      run(*p.what);
      p.what.reset();
      p.keep.reset();
    } else {
      boost::asio::dispatch(
          p.where, [w = std::shared_ptr<task>{std::move(p.what)}, k = std::move(p.keep)] { run(*w); });
    }
  }
}

void engine::shut() {
  std::vector<parcel>
      rest;  // destroyed after the lock is given back: an exchange that is dropped posts again
  const std::lock_guard lock{parcels_mutex_};
  closed_ = true;
  rest.swap(parcels_);
}

void engine::enter(link_end* who, std::weak_ptr<link_end> how) {
  const std::lock_guard lock{ends_mutex_};
  ends_.emplace(who, std::move(how));
}

void engine::leave(link_end* who) {
  const std::lock_guard lock{ends_mutex_};
  ends_.erase(who);
}

std::vector<std::shared_ptr<link_end>> engine::everybody() {
  std::vector<std::shared_ptr<link_end>> all;
  const std::lock_guard lock{ends_mutex_};
  for (const auto& [who, how] : ends_)
    if (auto p = how.lock()) all.push_back(std::move(p));
  return all;
}

}  // namespace belfry::api
