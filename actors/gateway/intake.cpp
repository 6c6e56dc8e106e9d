#include "actors/gateway/intake.hpp"

#include "actors/support/limits.hpp"

namespace belfry::actors {

std::optional<core::failure> intake::refuses(const messages::submit_runs& asked) const {
  if (auto no = refuse_length(asked.runs.size(), "/runs")) return no;
  if (open_) return std::nullopt;
  return core::failure{core::errc::overloaded,
                       "the queue is full: " + std::to_string(queued_) + " runs are waiting",
                       {},
                       "belfry status"};
}

void intake::press(const core::pressure& p) {
  constexpr auto relaxed = std::memory_order_relaxed;
  const auto known = [](const std::optional<core::span>& s) { return s ? s->count() : std::int64_t{-1}; };
  press_at_.store(p.rule.at, relaxed);
  press_until_.store(p.rule.until, relaxed);
  press_mode_.store(p.rule.mode, relaxed);
  shed_below_.store(p.rule.shed_below, relaxed);
  pressing_.store(p.queued, relaxed);
  press_wait_.store(known(p.wait), relaxed);
  press_relief_.store(known(p.relief), relaxed);
  pressed_since_.store(core::micros(p.since), relaxed);
}

core::pressure intake::pressure() const {
  constexpr auto relaxed = std::memory_order_relaxed;
  const auto known = [](std::int64_t us) {
    return us < 0 ? std::optional<core::span>{} : std::optional<core::span>{core::span{us}};
  };
  core::pressure p;
  p.since = core::from_micros(pressed_since_.load(relaxed));
  p.rule = {press_at_.load(relaxed), press_until_.load(relaxed), press_mode_.load(relaxed),
            shed_below_.load(relaxed)};
  p.queued = pressing_.load(relaxed);
  p.wait = known(press_wait_.load(relaxed));
  p.relief = known(press_relief_.load(relaxed));
  return p;
}

}  // namespace belfry::actors
