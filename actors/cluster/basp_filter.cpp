#include "actors/cluster/basp_filter.hpp"

#include <algorithm>

namespace belfry::actors {
namespace {

constexpr std::size_t flags_at = 3, payload_at = 4, data_at = 8, source_at = 16, destination_at = 24;

template <class Int>
Int read_number(std::string_view bytes, std::size_t at) {
  Int v = 0;
  for (const char c : bytes.substr(at, sizeof(Int)))
    v = static_cast<Int>(static_cast<Int>(v << 8U) | static_cast<std::uint8_t>(c));
  return v;
}

constexpr std::uint8_t selects_connection = 2;  // of a client's handshake: this connection and no other

}  // namespace

basp_header read_basp_header(std::string_view bytes) {
  basp_header h;
  h.operation = static_cast<basp_operation>(bytes.front());
  h.flags = static_cast<std::uint8_t>(bytes[flags_at]);
  h.payload = read_number<std::uint32_t>(bytes, payload_at);
  h.data = read_number<std::uint64_t>(bytes, data_at);
  h.source = read_number<std::uint64_t>(bytes, source_at);
  h.destination = read_number<std::uint64_t>(bytes, destination_at);
  return h;
}

std::string_view refuse_basp(const basp_header& h, bool first) {
  const bool handshake =
      h.operation == basp_operation::server_handshake || h.operation == basp_operation::client_handshake;
  if (handshake != first) return first ? "it does not begin with a handshake" : "a second handshake";
  if (h.payload >
      (h.operation == basp_operation::direct_message ? longest_basp_payload : longest_basp_ceremony))
    return "a frame that is too long";
  switch (h.operation) {
    case basp_operation::server_handshake: return h.flags == 0 && h.payload != 0 ? "" : "a broken handshake";
    case basp_operation::client_handshake:
      return (h.flags & ~selects_connection) == 0 && h.payload != 0 ? "" : "a broken handshake";
    case basp_operation::direct_message:
      if (h.flags != 0) return "a message to an actor by its name";
      return h.payload != 0 && h.source != 0 && h.destination != 0 ? "" : "a message from or to nobody";
    case basp_operation::monitor_message: return h.flags == 0 ? "" : "a broken monitor message";
    case basp_operation::heartbeat: return h.flags == 0 && h.payload == 0 ? "" : "a heartbeat with a payload";
    case basp_operation::routed_message: return "a message that is to be passed on";
    case basp_operation::down_message: return "news of the end of an actor";
  }
  return "an operation that there is not";
}

bool basp_filter::pass(std::string_view piece) {
  while (!cut_ && !piece.empty()) {
    if (skip_ != 0) {
      const auto n = std::min(skip_, piece.size());
      skip_ -= n;
      piece.remove_prefix(n);
      continue;
    }
    const auto n = std::min(header_.size() - have_, piece.size());
    std::copy_n(piece.begin(), n, header_.begin() + static_cast<std::ptrdiff_t>(have_));
    have_ += n;
    piece.remove_prefix(n);
    if (have_ < header_.size()) break;
    const auto h = read_basp_header({header_.data(), header_.size()});
    cut_ = !refuse_basp(h, first_).empty();
    first_ = false;
    have_ = 0;
    skip_ = h.payload;
  }
  return !cut_;
}

}  // namespace belfry::actors
