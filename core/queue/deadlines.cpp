#include "core/queue/deadlines.hpp"

namespace belfry::core {

void deadlines::set(std::int64_t key, instant at) {
  if (at == never) return clear(key);
  const auto [found, inserted] = at_.try_emplace(key, at);
  if (!inserted) {
    if (found->second == at) return;
    found->second = at;
  }
  heap_.push({at, key});
  // A lease that is renewed for hours leaves an old entry each time. Rebuilding when most of the heap is old
  // costs a constant per `set` in the long run and keeps memory proportional to the live keys.
  if (heap_.size() > 2 * at_.size() + 64) {
    std::vector<item> live;
    live.reserve(at_.size());
    for (const auto& [k, t] : at_) live.push_back({t, k});
    heap_ = decltype(heap_){std::greater<>{}, std::move(live)};
  }
}

void deadlines::clear(std::int64_t key) { at_.erase(key); }

std::optional<instant> deadlines::next() {
  while (!heap_.empty()) {
    const auto& top = heap_.top();
    if (const auto found = at_.find(top.key); found != at_.end() && found->second == top.at) return top.at;
    heap_.pop();
  }
  return std::nullopt;
}

std::vector<std::int64_t> deadlines::take_due(instant now, std::size_t limit) {
  std::vector<std::int64_t> due;
  while (due.size() < limit) {
    const auto first = next();
    if (!first || *first > now) break;
    due.push_back(heap_.top().key);
    at_.erase(heap_.top().key);
    heap_.pop();
  }
  return due;
}

}  // namespace belfry::core
