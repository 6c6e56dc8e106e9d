// NOTES: log lines about strangers, at most ten a second: who floods the door does not flood the log.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "core/time/instant.hpp"

namespace belfry::platform::links {

class notes {
 public:
  explicit notes(std::function<void(const std::string&)> to) : to_(std::move(to)) {}

  // `now`: steady.
  void say(core::instant now, const std::string& line) {
    if (!to_) return;
    if (now - since_ >= std::chrono::seconds{1} || since_ == core::never) {
      since_ = now;
      said_ = 0;
      if (left_out_ > 0) {
        to_("link-notes-left-out count=" + std::to_string(std::exchange(left_out_, 0)));
        ++said_;
      }
    }
    if (said_ >= most) {
      ++left_out_;
      return;
    }
    ++said_;
    to_(line);
  }

 private:
  static constexpr std::size_t most = 10;
  std::function<void(const std::string&)> to_;
  core::instant since_ = core::never;
  std::size_t said_ = 0, left_out_ = 0;
};

}  // namespace belfry::platform::links
