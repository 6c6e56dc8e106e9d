// SLOT HEAP: a binary heap of slots that know their own place in it, so that any of them can be moved or
// taken out. The rule says what comes first and where a slot keeps its place: `bool before(slot, slot)`,
// `slot& place(slot)`.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "core/queue/slab.hpp"

namespace belfry::core::queueing {

class slot_heap {
 public:
  bool empty() const { return items_.empty(); }
  slot top() const { return items_.empty() ? no_slot : items_.front(); }

  // From the top down: `visit(slot)` says whether what comes after this one is of interest as well.
  template <class Visit>
  void walk(Visit visit) const {
    std::vector<std::size_t> open;
    if (!items_.empty()) open.push_back(0);
    while (!open.empty()) {
      const std::size_t at = open.back();
      open.pop_back();
      if (!visit(items_[at])) continue;
      for (const std::size_t child : {at * 2 + 2, at * 2 + 1})
        if (child < items_.size()) open.push_back(child);
    }
  }

  template <class Rule>
  void push(slot x, Rule rule) {
    items_.push_back(x);
    rise(items_.size() - 1, rule);
  }

  // Takes out what stands at this place; it is not compared any more.
  template <class Rule>
  void remove(slot place, Rule rule) {
    rule.place(items_[place]) = no_slot;
    const slot moved = items_.back();
    items_.pop_back();
    if (place < items_.size()) {
      items_[place] = moved;
      rule.place(moved) = place;
      update(place, rule);
    }
    if (items_.capacity() > 64 && items_.size() * 4 < items_.capacity()) {
      std::vector<slot> smaller;
      smaller.reserve(items_.size() * 2);
      smaller.assign(items_.begin(), items_.end());
      items_.swap(smaller);
    }
  }

  // What stands at this place comes earlier or later than before.
  template <class Rule>
  void update(slot place, Rule rule) {
    const slot x = items_[place];
    rise(place, rule);
    if (items_[place] == x) sink(place, rule);
  }

 private:
  template <class Rule>
  void rise(std::size_t at, Rule rule) {
    const slot x = items_[at];
    while (at > 0) {
      const std::size_t parent = (at - 1) / 2;
      if (!rule.before(x, items_[parent])) break;
      set(at, items_[parent], rule);
      at = parent;
    }
    set(at, x, rule);
  }

  template <class Rule>
  void sink(std::size_t at, Rule rule) {
    const slot x = items_[at];
    for (;;) {
      std::size_t child = at * 2 + 1;
      if (child >= items_.size()) break;
      if (child + 1 < items_.size() && rule.before(items_[child + 1], items_[child])) ++child;
      if (!rule.before(items_[child], x)) break;
      set(at, items_[child], rule);
      at = child;
    }
    set(at, x, rule);
  }

  template <class Rule>
  void set(std::size_t at, slot x, Rule rule) {
    items_[at] = x;
    rule.place(x) = static_cast<slot>(at);
  }

  std::vector<slot> items_;
};

}  // namespace belfry::core::queueing
