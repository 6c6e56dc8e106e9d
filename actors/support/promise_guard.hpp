// PROMISE GUARD: a stored promise that always answers. CAF tells a requester nothing when a promise is
// dropped, or when an actor dies with promises pending; this delivers an error instead. Actors that store
// guards clear them in on_exit: a promise keeps its own actor alive, so the guard of a dead actor would never
// be destroyed.
#pragma once

#include <caf/error.hpp>
#include <caf/sec.hpp>
#include <caf/typed_response_promise.hpp>

#include <memory>
#include <string>
#include <utility>

#include "core/errors/result.hpp"

namespace belfry::actors {

template <class T>
class promise_guard {
 public:
  promise_guard() = default;
  explicit promise_guard(caf::typed_response_promise<T> promise) : promise_{std::move(promise)} {}
  promise_guard(promise_guard&& other) noexcept : promise_{std::exchange(other.promise_, {})} {}
  promise_guard& operator=(promise_guard&& other) noexcept {
    if (this != &other) {
      give_up();
      promise_ = std::exchange(other.promise_, {});
    }
    return *this;
  }
  ~promise_guard() { give_up(); }

  void deliver(T value) {
    promise_.deliver(std::move(value));
    promise_ = {};
  }
  void deliver(caf::error why) {
    promise_.deliver(std::move(why));
    promise_ = {};
  }

 private:
  void give_up() noexcept {
    if (promise_.pending())
      promise_.deliver(caf::make_error(caf::sec::runtime_error, std::string{"the question was dropped"}));
  }

  caf::typed_response_promise<T> promise_;
};

// An answer that is given later: the guard to keep, and what the handler returns.
template <class T>
struct later_answer {
  std::shared_ptr<promise_guard<T>> guard;
  caf::typed_response_promise<T> promise;
};

template <class T, class Self>
later_answer<T> answer_later(Self* self) {
  auto promise = self->template make_response_promise<T>();
  return {std::make_shared<promise_guard<T>>(promise), promise};
}

}  // namespace belfry::actors
