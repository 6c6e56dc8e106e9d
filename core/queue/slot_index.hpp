// SLOT INDEX: a hash table of slots whose keys live in the values themselves. Eight bytes per cell, linear
// probing, no tombstones; it grows at three quarters and shrinks at an eighth. It can only be asked, never
// walked: no order of the board can come to depend on a hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/queue/slab.hpp"

namespace belfry::core::queueing {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
constexpr std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}
constexpr std::uint64_t mixed(std::uint64_t seed, std::uint64_t x) {
  return mixed(seed * 0x9E3779B97F4A7C15ULL + x + 1);
}
inline std::uint64_t mixed(std::uint64_t seed, std::string_view text) {
  return mixed(seed, std::hash<std::string_view>{}(text));
}

class slot_index {
 public:
  // The slot with this hash for which `same` holds, or no_slot.
  template <class Same>
  slot find(std::uint64_t hash, Same same) const {
    if (cells_.empty()) return no_slot;
    const auto tag = static_cast<std::uint32_t>(hash);
    for (std::size_t at = tag & mask();; at = (at + 1) & mask()) {
      const cell& c = cells_[at];
      if (c.value == no_slot) return no_slot;
      if (c.tag == tag && same(c.value)) return c.value;
    }
  }

  // The value must not be there yet.
  void insert(std::uint64_t hash, slot value) {
    if ((size_ + 1) * 4 > cells_.size() * 3) resize(cells_.empty() ? least : cells_.size() * 2);
    place({value, static_cast<std::uint32_t>(hash)});
    ++size_;
  }

  // The value must be there.
  void erase(std::uint64_t hash, slot value) {
    std::size_t hole = static_cast<std::uint32_t>(hash) & mask();
    while (cells_[hole].value != value) hole = (hole + 1) & mask();
    // Whatever follows and may stand in the hole moves back, so that no search stops too early.
    for (std::size_t at = (hole + 1) & mask(); cells_[at].value != no_slot; at = (at + 1) & mask()) {
      const std::size_t home = cells_[at].tag & mask();
      if (((at - home) & mask()) < ((at - hole) & mask())) continue;
      cells_[hole] = cells_[at];
      hole = at;
    }
    cells_[hole] = {};
    --size_;
    if (cells_.size() > least && size_ * 8 < cells_.size()) resize(cells_.size() / 2);
  }

  std::size_t size() const { return size_; }

 private:
  struct cell {
    slot value = no_slot;
    std::uint32_t tag = 0;
  };
  static constexpr std::size_t least = 16;

  std::size_t mask() const { return cells_.size() - 1; }
  void place(cell c) {
    std::size_t at = c.tag & mask();
    while (cells_[at].value != no_slot) at = (at + 1) & mask();
    cells_[at] = c;
  }
  void resize(std::size_t cells) {
    const std::vector<cell> old = std::exchange(cells_, std::vector<cell>(cells));
    for (const cell& c : old)
      if (c.value != no_slot) place(c);
  }

  std::vector<cell> cells_;
  std::size_t size_ = 0;
};

}  // namespace belfry::core::queueing
