#include "tests/support/cable.hpp"

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace belfry::test {
namespace {

bool ip(const std::string& words) { return std::system(("ip " + words + " >/dev/null 2>&1").c_str()) == 0; }

void must(const std::string& words) {
  if (!ip(words)) throw std::runtime_error("ip " + words + " failed");
}

// Two addresses of each cable, of a network that belongs to this process as far as one can tell.
std::string address_of(int number, int side) {
  return "10.77." + std::to_string(::getpid() % 250) + "." + std::to_string(4 * number + side);
}
int next_number() {
  static int last = 0;
  return ++last % 60;
}

}  // namespace

bool cable::possible() {
  static const bool works = [] {
    try {
      const cable c{1};
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }();
  return works;
}

cable::cable(int to) : to_(to) {
  const auto number = next_number();
  const auto id = std::to_string(::getpid()) + "x" + std::to_string(number);
  name_ = "belfry-" + id;
  near_ = "bf" + id;
  const auto far = near_ + "f";
  here_ = address_of(number, 1);
  there_ = address_of(number, 2);
  if (!ip("netns add " + name_)) throw std::runtime_error("no network namespaces here");
  try {
    must("link add " + near_ + " type veth peer name " + far + " netns " + name_);
    must("address add " + here_ + "/30 dev " + near_);
    must("link set " + near_ + " up");
    must("-n " + name_ + " address add " + there_ + "/30 dev " + far);
    must("-n " + name_ + " link set " + far + " up");
    must("-n " + name_ + " link set lo up");
  } catch (const std::runtime_error&) {
    ip("netns del " + name_);
    throw;
  }
}

cable::~cable() {
  ip("link del " + near_);
  ip("netns del " + name_);
}

std::string cable::address() const { return here_ + ":" + std::to_string(to_); }
void cable::cut() { must("link set " + near_ + " down"); }
void cable::mend() { must("link set " + near_ + " up"); }
void cable::sever() {
  cut();
  mend();
}

}  // namespace belfry::test
