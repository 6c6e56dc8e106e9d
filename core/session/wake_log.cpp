#include "core/session/wake_log.hpp"

#include <algorithm>
#include <utility>

#include "core/text/utf8.hpp"

namespace belfry::core {
namespace {

constexpr std::size_t longest_text = 200;

}  // namespace

std::string_view to_text(wake_outcome o) {
  switch (o) {
    case wake_outcome::waiting: return "waiting";
    case wake_outcome::acknowledged: return "acknowledged";
    case wake_outcome::claimed: return "claimed";
    case wake_outcome::failed: return "failed";
    case wake_outcome::refused: return "refused";
  }
  return "unknown";
}

void wake_log::sent(const open_wake& what) {
  logged_wake one;
  one.id = what.id;
  one.session = what.session;
  one.starved = what.starved;
  one.by_hand = what.by_hand;
  one.sent_at = what.sent_at;
  put(what.run, std::move(one));
}

void wake_log::refused(const open_wake& what, const std::string& why, instant now) {
  logged_wake one;
  one.session = what.session;
  one.outcome = wake_outcome::refused;
  one.starved = what.starved;
  one.by_hand = what.by_hand;
  one.sent_at = one.ended_at = now;
  one.text = std::string{cut_utf8(why, longest_text)};
  put(what.run, std::move(one));
}

// A run whose own oldest goes leaves its place in the order to be passed over: a place stands for "one of
// this run", and the run's oldest is what goes with it.
void wake_log::put(run_id run, logged_wake one) {
  auto& mine = runs_[run];
  ++mine.all;
  if (mine.wakes.size() >= per_run_) {
    mine.wakes.erase(mine.wakes.begin());
  } else {
    order_.push_back(run);
  }
  mine.wakes.push_back(std::move(one));
  while (order_.size() > total_) {
    const auto it = runs_.find(order_.front());
    order_.pop_front();
    if (it == runs_.end()) continue;
    it->second.wakes.erase(it->second.wakes.begin());
    if (it->second.wakes.empty()) runs_.erase(it);
  }
}

void wake_log::ended(const open_wake& what, wake_outcome how, const std::string& why, instant now) {
  const auto it = runs_.find(what.run);
  if (it == runs_.end()) return;
  auto& mine = it->second.wakes;
  const auto at =
      std::find_if(mine.begin(), mine.end(), [&](const logged_wake& w) { return w.id == what.id; });
  if (at == mine.end()) return;
  at->outcome = how;
  at->ended_at = now;
  at->text = std::string{cut_utf8(why, longest_text)};
}

wake_log::told wake_log::of(run_id run) const {
  told all;
  const auto it = runs_.find(run);
  if (it == runs_.end()) return all;
  all.wakes.assign(it->second.wakes.rbegin(), it->second.wakes.rend());
  all.all = it->second.all;
  return all;
}

}  // namespace belfry::core
