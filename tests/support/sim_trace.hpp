// SIM TRACE: what happened, as a hash of everything and as the last lines for whoever has to read it.
#pragma once

#include <cstdint>
#include <deque>
#include <iosfwd>
#include <string>
#include <string_view>

#include "core/time/instant.hpp"

namespace belfry::tests {

class sim_trace {
 public:
  explicit sim_trace(std::ostream* live = nullptr) : live_(live) {}

  void at(std::size_t step, core::instant steady) { step_ = step, steady_ = steady; }
  /// Who heard or did what. The texts are mixed into the hash; they must not hold addresses.
  void line(std::string_view who, std::string_view what);
  /// Only for the reader, not for the hash.
  void remark(std::string_view who, std::string_view what);
  std::uint64_t hash() const { return hash_; }
  std::string tail() const;

 private:
  void keep(std::string_view who, std::string_view what);

  struct entry {
    std::size_t step;
    core::instant at;
    std::string who, what;
  };
  std::ostream* live_;
  std::size_t step_ = 0;
  core::instant steady_ = core::never;
  std::uint64_t hash_ = 1469598103934665603ULL;
  std::deque<entry> last_;
};

}  // namespace belfry::tests
