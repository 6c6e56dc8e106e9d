// PERSISTENT MAP: an ordered map of which every copy is a state for ever: copying costs a pointer, a change
// copies the path to it and shares the rest. That makes a savepoint, a rollback, a crash and a reader beside
// the writer one and the same thing: a copy. A treap (Seidel and Aragon, 1996) of immutable nodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace belfry::storage::memory {

template <class Key, class Value>
class persistent_map {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  std::shared_ptr<const Value> find(const Key& key) const {
    const node* n = root_.get();
    while (n != nullptr) {
      if (key < n->key)
        n = n->less.get();
      else if (n->key < key)
        n = n->more.get();
      else
        return n->value;
    }
    return nullptr;
  }
  bool contains(const Key& key) const { return find(key) != nullptr; }

  void set(const Key& key, Value value) { set(key, std::make_shared<const Value>(std::move(value))); }
  void set(const Key& key, std::shared_ptr<const Value> value) {
    const bool fresh = !contains(key);
    root_ =
        fresh ? with(root_, key, std::move(value), next_weight()) : replaced(root_, key, std::move(value));
    size_ += fresh ? 1 : 0;
  }
  bool erase(const Key& key) {
    if (!contains(key)) return false;
    root_ = without(root_, key);
    --size_;
    return true;
  }

  // Calls each(key, value) for keys from `from` on, in order, until it answers false.
  template <class Each>
  void up(const Key& from, Each each) const {
    up(root_.get(), &from, each);
  }
  template <class Each>
  void up(Each each) const {
    up(root_.get(), nullptr, each);
  }
  // ... for keys down from `from`, or from the greatest.
  template <class Each>
  void down(const Key& from, Each each) const {
    down(root_.get(), &from, each);
  }
  template <class Each>
  void down(Each each) const {
    down(root_.get(), nullptr, each);
  }

 private:
  struct node;
  using link = std::shared_ptr<const node>;
  struct node {
    Key key;
    std::shared_ptr<const Value> value;
    std::uint64_t weight;
    link less, more;
  };

  static link make(const Key& key, std::shared_ptr<const Value> value, std::uint64_t weight, link less,
                   link more) {
    return std::make_shared<const node>(
        node{key, std::move(value), weight, std::move(less), std::move(more)});
  }
  static link hang(const link& n, link less, link more) {
    return make(n->key, n->value, n->weight, std::move(less), std::move(more));
  }

  // Keys below and above one that is not there.
  static std::pair<link, link> split(const link& n, const Key& key) {
    if (!n) return {};
    if (n->key < key) {
      auto [low, high] = split(n->more, key);
      return {hang(n, n->less, std::move(low)), std::move(high)};
    }
    auto [low, high] = split(n->less, key);
    return {std::move(low), hang(n, std::move(high), n->more)};
  }
  static link joined(const link& low, const link& high) {
    if (!low) return high;
    if (!high) return low;
    if (low->weight > high->weight) return hang(low, low->less, joined(low->more, high));
    return hang(high, joined(low, high->less), high->more);
  }
  static link with(const link& n, const Key& key, std::shared_ptr<const Value> value, std::uint64_t weight) {
    if (!n || n->weight < weight) {
      auto [low, high] = split(n, key);
      return make(key, std::move(value), weight, std::move(low), std::move(high));
    }
    if (key < n->key) return hang(n, with(n->less, key, std::move(value), weight), n->more);
    return hang(n, n->less, with(n->more, key, std::move(value), weight));
  }
  static link replaced(const link& n, const Key& key, std::shared_ptr<const Value> value) {
    if (key < n->key) return hang(n, replaced(n->less, key, std::move(value)), n->more);
    if (n->key < key) return hang(n, n->less, replaced(n->more, key, std::move(value)));
    return make(n->key, std::move(value), n->weight, n->less, n->more);
  }
  static link without(const link& n, const Key& key) {
    if (key < n->key) return hang(n, without(n->less, key), n->more);
    if (n->key < key) return hang(n, n->less, without(n->more, key));
    return joined(n->less, n->more);
  }

  template <class Each>
  static bool up(const node* n, const Key* from, Each& each) {
    if (n == nullptr) return true;
    const bool inside = from == nullptr || !(n->key < *from);
    if (inside && (!up(n->less.get(), from, each) || !each(n->key, *n->value))) return false;
    return up(n->more.get(), from, each);
  }
  template <class Each>
  static bool down(const node* n, const Key* from, Each& each) {
    if (n == nullptr) return true;
    const bool inside = from == nullptr || !(*from < n->key);
    if (inside && (!down(n->more.get(), from, each) || !each(n->key, *n->value))) return false;
    return down(n->less.get(), from, each);
  }

  // Weights need not be secret, only scattered: a fixed sequence (splitmix64) keeps every run of a program
  // the same.
  std::uint64_t next_weight() {
    auto z = (seed_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

  link root_;
  std::size_t size_ = 0;
  std::uint64_t seed_ = 0;
};

}  // namespace belfry::storage::memory
