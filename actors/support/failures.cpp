#include "actors/support/failures.hpp"

#include <caf/sec.hpp>

#include <string>

namespace belfry::actors {

core::failure failure_of(const caf::error& e, std::string_view whom) {
  // An empty error has neither code nor category: asking for them is a null dereference in CAF 0.17.
  const std::string name{whom};
  if (e && e == caf::sec::request_receiver_down)
    return {core::errc::unavailable, "the " + name + " is not there; nothing was done", {}, "belfry status"};
  return {core::errc::aborted,
          "the " + name + " ended while the question was open; whether it took effect is not known",
          {},
          "belfry status"};
}

}  // namespace belfry::actors
