// NOTE: log lines and metrics of actors; both may be absent.
#pragma once

#include <string>
#include <string_view>

#include "actors/node/node.hpp"
#include "platform/ports/metrics.hpp"

namespace belfry::actors {

struct voice {
  std::function<void(note_level, const std::string&)> note;
  platform::meter* meter = nullptr;

  void say(note_level level, const std::string& line) const {
    if (note) note(level, line);
  }
  void count(platform::metric m, double n = 1, std::string_view label = {}) const {
    if (meter != nullptr) meter->add(m, n, label);
  }
  void observe(platform::metric m, double value, std::string_view label = {}) const {
    if (meter != nullptr) meter->observe(m, value, label);
  }
};

inline double seconds(core::span s) { return static_cast<double>(s.count()) / 1e6; }

}  // namespace belfry::actors
