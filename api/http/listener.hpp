// LISTENER: one address that takes connections.
#pragma once

#include <memory>
#include <string>

#include "api/http/engine.hpp"

namespace belfry::api {

class listener {
 public:
  virtual ~listener() = default;
  virtual void start() = 0;
  virtual void stop() = 0;  // from any thread; takes no more connections
  virtual std::string address() const = 0;
};

core::result<std::shared_ptr<listener>> listen_tcp(const std::shared_ptr<engine>& e,
                                                   const std::string& address);
core::result<std::shared_ptr<listener>> listen_unix(const std::shared_ptr<engine>& e,
                                                    const std::string& path);

// "127.0.0.1:7420", "[::1]:0" in its parts; nothing when it is no address.
struct host_and_port {
  std::string host;
  std::string port;
};
core::result<host_and_port> split_address(const std::string& address);

}  // namespace belfry::api
