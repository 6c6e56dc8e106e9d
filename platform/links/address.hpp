// ADDRESS: "HOST:PORT", "[::1]:PORT", and back.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>

#include "core/errors/result.hpp"

namespace belfry::platform::links {

struct host_and_port {
  std::string host;
  std::uint16_t port = 0;
};
core::result<host_and_port> parse_address(const std::string& text);
std::string to_text(const boost::asio::ip::tcp::endpoint& e);
// Whom a stranger is counted as: its IPv4 address, or the /64 of its IPv6 address, which is one household.
std::string share_of(const boost::asio::ip::tcp::endpoint& e);

}  // namespace belfry::platform::links
