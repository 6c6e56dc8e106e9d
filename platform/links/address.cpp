#include "platform/links/address.hpp"

#include <charconv>

namespace belfry::platform::links {

core::result<host_and_port> parse_address(const std::string& text) {
  const auto refuse = [&] {
    core::failure f;
    f.code = core::errc::invalid;
    f.text = "'" + text + "' is not an address; allowed: HOST:PORT, such as 192.0.2.7:7421 or [::1]:7421";
    f.problems.push_back({"/address", text, "HOST:PORT, such as 192.0.2.7:7421 or [::1]:7421", ""});
    return f;
  };
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || text.size() > 300) return refuse();
  host_and_port out{text.substr(0, colon), 0};
  const char* const end = text.data() + text.size();
  const auto port = std::from_chars(text.data() + colon + 1, end, out.port);
  if (port.ec != std::errc{} || port.ptr != end) return refuse();
  if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']')
    out.host = out.host.substr(1, out.host.size() - 2);
  else if (out.host.find(':') != std::string::npos)
    return refuse();  // where does the port begin?
  return out;
}

std::string to_text(const boost::asio::ip::tcp::endpoint& e) {
  const auto host = e.address().to_string();
  return (e.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(e.port());
}

std::string share_of(const boost::asio::ip::tcp::endpoint& e) {
  if (e.address().is_v4()) return e.address().to_string();
  const auto v6 = e.address().to_v6();
  if (v6.is_v4_mapped()) return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_string();
  const auto bytes = v6.to_bytes();
  return {reinterpret_cast<const char*>(bytes.data()), 8};
}

}  // namespace belfry::platform::links
