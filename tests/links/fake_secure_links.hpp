// A network in this process: a dial makes a socket pair, one end for each side. What TLS would say of the
// names is said by the fake.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>

#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "platform/ports/secure_links.hpp"

namespace belfry::tests {

inline std::pair<platform::descriptor, platform::descriptor> socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::runtime_error("socketpair");
  return {platform::descriptor{ends[0]}, platform::descriptor{ends[1]}};
}

class fake_network {
 public:
  using came = std::function<void(platform::secure_link)>;
  std::mutex lock;
  std::map<std::string, came> listeners;
};

class fake_secure_links : public platform::secure_links {
 public:
  fake_secure_links(fake_network& net, std::string node) : net_{net}, node_{std::move(node)} {}

  core::result<std::string> listen(const std::string& address, fake_network::came came) override {
    const std::lock_guard guard{net_.lock};
    net_.listeners[address] = std::move(came);
    return address;
  }
  void dial(const std::string& address, platform::link_protocol protocol, const std::string&, core::span,
            std::function<void(core::result<platform::secure_link>)> done) override {
    fake_network::came to;
    {
      const std::lock_guard guard{net_.lock};
      if (const auto at = net_.listeners.find(address); at != net_.listeners.end()) to = at->second;
    }
    if (!to) return done(core::failure{core::errc::unavailable, "nobody listens at " + address, {}, {}, 0});
    auto [here, there] = socket_pair();
    to({node_, "town", "from-" + node_, protocol, std::move(there)});
    done(platform::secure_link{"at-" + address, "town", address, protocol, std::move(here)});
  }
  std::string node() const override { return node_; }
  std::string cluster() const override { return "town"; }
  counts seen() const override { return {}; }

 private:
  fake_network& net_;
  std::string node_;
};

}  // namespace belfry::tests
