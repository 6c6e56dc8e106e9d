#include "core/operators/allowance.hpp"

#include "core/time/text.hpp"

namespace belfry::core {
namespace {

constexpr span window = std::chrono::minutes{1};

}  // namespace

std::optional<failure> allowance::take(const std::string& actor, run_id run, instant now) {
  if (per_minute_ == 0 || !is_agent(actor)) return std::nullopt;
  const pair_key key{actor, run};
  auto at = used_.find(key);
  if (at != used_.end()) {
    auto& times = at->second.times;
    // Times to come are from before the clock was set back: they tell nothing about now.
    while (!times.empty() && (times.front() > now || times.front() <= now - window)) times.pop_front();
    if (times.size() >= per_minute_) {
      const auto again = later(times.front(), window);
      failure no{errc::rate_limited,
                 actor + " has used " + std::to_string(per_minute_) + " operator actions on " +
                     to_string(run) + " within a minute; the next one is allowed at " + to_rfc3339(again),
                 {},
                 "belfry run explain " + to_string(run)};
      no.retry_ms = std::chrono::ceil<std::chrono::milliseconds>(again - now).count();
      return no;
    }
    turns_.splice(turns_.end(), turns_, at->second.turn);
  } else {
    if (used_.size() >= most_pairs_) {
      used_.erase(turns_.front());
      turns_.pop_front();
    }
    turns_.push_back(key);
    at = used_.emplace(key, use{{}, std::prev(turns_.end())}).first;
  }
  at->second.times.push_back(now);
  return std::nullopt;
}

}  // namespace belfry::core
