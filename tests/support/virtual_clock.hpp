// VIRTUAL CLOCK: time that moves only when a test says so.
//
// `steady` is moved by `advance` alone. `now` is `steady` plus the wall offset, so a test can let the wall
// clock jump (NTP, a person, a resumed laptop) while the steady one walks on. Reading is safe from any
// thread; moving is for one thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "core/time/instant.hpp"
#include "platform/ports/clock.hpp"

namespace belfry::tests {

class virtual_clock final : public platform::clock {
 public:
  /// 2026-11-21T10:00:00Z: a Saturday far from every change of daylight saving time.
  static constexpr core::instant usual_start = core::from_micros(1'795'255'200'000'000);

  explicit virtual_clock(core::instant start = usual_start) : offset_(core::micros(start)) {}

  core::instant now() const override { return core::from_micros(steady_.load() + offset_.load()); }
  core::instant steady() const override { return core::from_micros(steady_.load()); }

  /// Both clocks, forwards.
  void advance(core::span by) { steady_ += by.count(); }
  /// Forwards until `now()` is `t`; does nothing when it is already later. Returns by how much.
  core::span advance_to(core::instant t) {
    const core::span by = t > now() ? t - now() : core::span{0};
    advance(by);
    return by;
  }
  /// The wall clock alone, in either direction.
  void jump(core::span by) { offset_ += by.count(); }
  void set_now(core::instant t) { offset_ = core::micros(t) - steady_.load(); }
  core::span wall_offset() const { return core::span{offset_.load()}; }

 private:
  std::atomic<std::int64_t> steady_{0};
  std::atomic<std::int64_t> offset_;
};

}  // namespace belfry::tests
