#include "core/pressure/backpressure.hpp"

#include <algorithm>

#include "core/time/text.hpp"

namespace belfry::core {
namespace {

constexpr span shortest_retry = std::chrono::seconds{1}, longest_retry = std::chrono::minutes{5},
               usual_retry = std::chrono::seconds{30};

// To whole seconds: more would look more exact than the figure is.
span rounded(span s) { return std::chrono::ceil<std::chrono::seconds>(s); }

}  // namespace

std::string_view to_text(pressure_mode m) {
  switch (m) {
    case pressure_mode::alert: return "alert";
    case pressure_mode::reject: return "reject";
    case pressure_mode::shed: return "shed";
  }
  return "unknown";
}

std::uint64_t end_of(const backpressure_options& o) {
  const auto wanted = o.until > 0 ? o.until : o.at / 5 * 4 + o.at % 5 * 4 / 5;
  return std::clamp<std::uint64_t>(wanted, 1, std::max<std::uint64_t>(o.at, 1));
}

std::vector<field_problem> check(const backpressure_options& o) {
  std::vector<field_problem> found;
  if (o.at > 0 && o.until > o.at)
    found.push_back({"backpressure.until", std::to_string(o.until),
                     "0 to backpressure.at (" + std::to_string(o.at) + ")",
                     "an episode would end before it begins"});
  if (o.mode == pressure_mode::shed && o.shed_below == priority::low)
    found.push_back({"backpressure.shed_below", "low", "urgent, high or normal", "nothing is below low"});
  return found;
}

pressure_change decide_pressure(const backpressure_options& o, bool on, std::uint64_t queued) {
  if (on) return o.at == 0 || queued < end_of(o) ? pressure_change::ended : pressure_change::none;
  return o.at > 0 && queued >= o.at ? pressure_change::began : pressure_change::none;
}

void departures::left(instant at) {
  const auto bite = std::max<std::int64_t>(micros(at), 0) / bite_us;
  const auto last = static_cast<std::int64_t>(bites);
  // A clock that was set forward by more than a minute forgets; one that was set back counts where it was.
  if (newest_ == 0 || bite >= newest_ + last) {
    counts_.fill(0);
    newest_ = bite;
    first_ = at;
  }
  for (; newest_ < bite; ++newest_) counts_[static_cast<std::size_t>((newest_ + 1) % last)] = 0;
  ++counts_[static_cast<std::size_t>(newest_ % last)];
}

std::optional<span> departures::time_for(std::uint64_t runs, instant now) const {
  if (newest_ == 0) return std::nullopt;
  const auto last = static_cast<std::int64_t>(bites);
  const auto bite = std::max<std::int64_t>(micros(now), 0) / bite_us;
  const auto oldest = std::max(bite, newest_) - last + 1;
  std::uint64_t gone = 0;
  for (auto b = std::max(oldest, newest_ - last + 1); b <= newest_; ++b)
    gone += counts_[static_cast<std::size_t>(b % last)];
  if (gone == 0) return std::nullopt;
  const auto begin = std::max(micros(first_), oldest * bite_us);
  const auto took = std::max<std::int64_t>(micros(now) - begin, 1);
  const double each = static_cast<double>(took) / static_cast<double>(gone);
  return span{static_cast<std::int64_t>(std::min(each * static_cast<double>(runs), 1e15))};
}

std::optional<failure> refuse_submission(const pressure& p, priority lowest) {
  if (!pressing(p) || p.rule.mode == pressure_mode::alert) return std::nullopt;
  const bool shed = p.rule.mode == pressure_mode::shed;
  if (shed && lowest <= p.rule.shed_below) return std::nullopt;
  const std::string which =
      shed ? "of a class below " + std::string{to_text(p.rule.shed_below)} + " " : std::string{};
  failure no{errc::overloaded,
             "submissions " + which + "are refused for now: " + told(p) + "; taken again below " +
                 std::to_string(end_of(p.rule)),
             {},
             "belfry scheduler status"};
  if (shed)
    no.problems.push_back({"/priority", std::string{to_text(lowest)},
                           std::string{to_text(p.rule.shed_below)} + " or more urgent, while it lasts",
                           "the class is shed (backpressure.shed_below)"});
  no.retry_ms = millis(std::clamp(rounded(p.relief.value_or(usual_retry)), shortest_retry, longest_retry));
  return no;
}

std::string told(const pressure& p) {
  std::string text =
      std::to_string(p.queued) + " runs are queued (backpressure.at " + std::to_string(p.rule.at) + "), ";
  return text + (p.wait
                     ? "a new one waits about " + to_text(rounded(*p.wait))
                     : std::string{"how long a new one waits is not known: none was taken within a minute"});
}

std::string signal_of(const pressure& p) {
  std::string text{to_text(p.rule.mode)};
  text += "; queued=" + std::to_string(p.queued);
  if (p.wait) text += "; wait_ms=" + std::to_string(millis(*p.wait));
  return text;
}

}  // namespace belfry::core
