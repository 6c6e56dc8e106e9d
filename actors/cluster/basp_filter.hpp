// BASP FILTER: the frames that a peer has a reason to send, and no others. CAF believes what a header says:
// it makes room for as many bytes as one announces, finds any actor by its number or name, and routes for
// others. So each header is looked at before CAF sees it, twice: here as the bytes stream by, and by the
// broker (caf_middleman), which knows whose link it is.
//
// Observed on a good link (tests/links looks again): one handshake from either side (57 bytes of payload from
// who accepts, 32 from who has dialled), a monitor message for the proxy of the other's actor (64), then
// direct messages (as long as a frame) and a heartbeat with neither payload nor flags each half a second.
// Never: routed messages, receivers by name, down messages (a link that ends is closed).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "platform/ports/secure_links.hpp"

namespace belfry::actors {

// Version 3 of BASP, as CAF 0.17 speaks it; numbers in network byte order.
enum class basp_operation : std::uint8_t {
  server_handshake = 0,
  client_handshake = 1,
  direct_message = 2,
  routed_message = 3,
  monitor_message = 4,
  down_message = 5,
  heartbeat = 6,
};
struct basp_header {
  basp_operation operation = basp_operation::heartbeat;
  std::uint8_t flags = 0;
  std::uint32_t payload = 0;
  std::uint64_t data = 0, source = 0, destination = 0;
};
inline constexpr std::size_t basp_header_size = 32;
inline constexpr std::uint32_t longest_basp_payload = std::uint32_t{1} << 20U;
inline constexpr std::uint32_t longest_basp_ceremony = 4'096;  // payload of all but direct messages

basp_header read_basp_header(std::string_view bytes);  // of basp_header_size
// Why no good peer sends that; empty: one may. `first`: nothing has come before it.
std::string_view refuse_basp(const basp_header& h, bool first);

class basp_filter : public platform::link_filter {
 public:
  bool pass(std::string_view piece) override;

 private:
  std::array<char, basp_header_size> header_{};
  std::size_t have_ = 0;  // of the header
  std::size_t skip_ = 0;  // of the payload that is still to come
  bool first_ = true, cut_ = false;
};

}  // namespace belfry::actors
