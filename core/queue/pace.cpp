#include "core/queue/pace.hpp"

#include <algorithm>
#include <vector>

#include "core/time/text.hpp"

namespace belfry::core {
namespace {

constexpr std::size_t least_starts = 5;
constexpr std::size_t least_done = 3;
constexpr std::size_t most_lines = 1000;

}  // namespace

estimate estimate_rest(std::size_t done, std::size_t left, span took) {
  if (left == 0) return {span{0}, "all have ended"};
  if (done < least_done) return {{}, "unknown: fewer than 3 have ended"};
  const auto each = std::max(took, span{0}) / static_cast<std::int64_t>(done);
  return {each * static_cast<std::int64_t>(left), std::to_string(done) + " ended in " +
                                                      to_text(std::max(took, span{0})) + ", " +
                                                      std::to_string(left) + " are left"};
}

estimate estimate_end(double value, instant started, instant said, instant now) {
  constexpr double least_value = 0.02;
  if (started == never) return {{}, "unknown: it has not started"};
  if (value >= 1) return {span{0}, "its work is done"};
  if (said == never || said < started) return {{}, "unknown: it has not said lately how far it is"};
  if (!(value >= least_value)) return {{}, "unknown: less than 2 % are done"};
  const auto took = said - started;
  const auto silent = std::max(now - said, span{0});
  if (took < std::chrono::seconds{1}) return {{}, "unknown: it has not worked for a second"};
  if (silent > took) return {{}, "unknown: its last word is too old"};
  const auto left = static_cast<double>(took.count()) * (1 - value) / value;
  const auto rest = span{static_cast<std::int64_t>(std::min(left, 1e15))} - silent;
  if (rest < span{0}) return {{}, "unknown: it takes longer than its progress promised"};
  // Halves of a percent would look more exact than the figure is.
  return {rest, std::to_string(static_cast<int>(value * 100)) + " % in " + to_text(took)};
}

void pace::started(instant at) { starts_[count_++ % starts_.size()] = at; }

estimate pace::start_of(std::size_t position, instant now) const {
  if (count_ < least_starts)
    return {{}, "unknown: fewer than 5 runs of this lane and priority have started lately"};
  const auto known = std::min(count_, starts_.size());
  const auto newest = starts_[(count_ - 1) % starts_.size()];
  const auto oldest = starts_[(count_ - known) % starts_.size()];
  const span took = std::max(newest - oldest, span{0});
  if (now < newest || now - newest > std::max(took, span{std::chrono::seconds{10}}))
    return {{},
            "unknown: nothing of this lane and priority has started for " +
                to_text(std::max(now - newest, span{0}))};
  const auto each = took / static_cast<std::int64_t>(known - 1);
  return {each * static_cast<std::int64_t>(position),
          "position " + std::to_string(position) + ", the last " + std::to_string(known) +
              " starts of this lane and priority took " + to_text(took)};
}

void paces::started(const std::string& lane, priority prio, instant at) {
  auto& line = all_[{lane, prio}];
  line.of.started(at);
  line.last = at;
  if (all_.size() <= most_lines) return;
  // The older half at once, so that many lanes do not cost a search at every start.
  std::vector<instant> ages;
  for (const auto& [key, each] : all_) ages.push_back(each.last);
  const auto middle = ages.begin() + static_cast<std::ptrdiff_t>(ages.size() / 2);
  std::nth_element(ages.begin(), middle, ages.end());
  std::erase_if(all_, [limit = *middle, &line](const auto& each) {
    return each.second.last < limit && &each.second != &line;
  });
  if (all_.size() > most_lines) all_.clear();  // all of the same instant
}

estimate paces::start_of(const std::string& lane, priority prio, std::size_t position, instant now) const {
  const auto it = all_.find({lane, prio});
  return (it == all_.end() ? pace{} : it->second.of).start_of(position, now);
}

}  // namespace belfry::core
