// SLAB: values addressed by a 32-bit slot instead of a pointer. Chunks never move, freed slots are used
// again, last freed first; when the last value goes, all chunks but the first are given back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace belfry::core::queueing {

using slot = std::uint32_t;
inline constexpr slot no_slot = std::numeric_limits<slot>::max();

template <class T>
class slab {
 public:
  // The slot of a value in its default state.
  slot add() {
    if (!free_.empty()) {
      const slot s = free_.back();
      free_.pop_back();
      return s;
    }
    if ((end_ & mask) == 0 && (end_ >> bits) == chunks_.size())
      chunks_.push_back(std::make_unique<T[]>(chunk_size));
    return end_++;
  }

  void remove(slot s) {
    (*this)[s] = T{};
    free_.push_back(s);
    if (free_.size() < end_) return;
    end_ = 0;
    free_.clear();
    if (chunks_.size() > 1) {
      chunks_.resize(1);
      free_.shrink_to_fit();
    }
  }

  T& operator[](slot s) { return chunks_[s >> bits][s & mask]; }
  const T& operator[](slot s) const { return chunks_[s >> bits][s & mask]; }
  std::size_t size() const { return end_ - free_.size(); }
  // One past the greatest slot ever in use since the slab was last empty; freed slots below it hold a T{}.
  slot end() const { return end_; }

 private:
  static constexpr unsigned bits = 8;
  static constexpr slot chunk_size = slot{1} << bits;
  static constexpr slot mask = chunk_size - 1;
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::vector<slot> free_;
  slot end_ = 0;
};

}  // namespace belfry::core::queueing
