// LINK WAY: how a member gets to its coordinator, in the hands of a test that may take it away.
#pragma once

#include <string>

namespace belfry::test {

class link_way {
 public:
  virtual ~link_way() = default;
  virtual std::string address() const = 0;  // HOST:PORT that the member dials
  virtual std::string network() const {
    return {};
  }                        // the namespace that it lives in; empty: that of the test
  virtual void cut() = 0;  // nothing goes through, and nobody is told
  virtual void mend() = 0;
  virtual void sever() = 0;  // once: every connection there is ends; where that cannot be, a short cut
};

}  // namespace belfry::test
