// CABLE: a network namespace with one pair of virtual interfaces, whose near end a test may take down: then
// nothing goes through, no end of any connection is told, and neither side is asked. Needs root and `ip`.
#pragma once

#include <string>

#include "tests/support/link_way.hpp"

namespace belfry::test {

class cable final : public link_way {
 public:
  // Whether this machine lets us; tried once.
  static bool possible();
  explicit cable(int to);  // a port of the coordinator, which listens on all addresses
  ~cable() override;
  cable(const cable&) = delete;
  cable& operator=(const cable&) = delete;

  std::string address() const override;
  std::string network() const override { return name_; }
  void cut() override;
  void mend() override;
  void sever() override;

 private:
  std::string name_, near_, here_, there_;
  int to_;
};

}  // namespace belfry::test
