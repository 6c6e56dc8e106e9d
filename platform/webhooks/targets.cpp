// Which addresses may be called.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "platform/ports/webhooks.hpp"

namespace belfry::platform {
namespace {

enum class reach : std::uint8_t { everywhere, nearby, never };

reach reach_of_v4(std::uint32_t a) {
  const auto in = [a](std::uint32_t net, unsigned bits) { return a >> (32U - bits) == net >> (32U - bits); };
  if (in(0, 8) || in(0xA9FE0000U, 16) || a >= 0xE0000000U) return reach::never;  // 169.254/16, 224/3
  if (in(0x7F000000U, 8) || in(0x0A000000U, 8) || in(0xAC100000U, 12) || in(0xC0A80000U, 16) ||
      in(0x64400000U, 10) || in(0xC0000000U, 24) || in(0xC6120000U, 15))
    return reach::nearby;
  return reach::everywhere;
}

reach reach_of_v6(const std::array<std::uint8_t, 16>& a) {
  const auto zeros = static_cast<std::size_t>(
      std::find_if(a.begin(), a.end(), [](std::uint8_t b) { return b != 0; }) - a.begin());
  const auto v4_at = [&](std::size_t i) {
    return reach_of_v4(std::uint32_t{a[i]} << 24U | std::uint32_t{a[i + 1]} << 16U |
                       std::uint32_t{a[i + 2]} << 8U | a[i + 3]);
  };
  if (zeros == 16) return reach::never;
  if (zeros == 15 && a[15] == 1) return reach::nearby;
  // An IPv4 address in another dress: mapped, compatible, translated (64:ff9b::/96), 6to4 (2002::/16).
  if (zeros == 10 && a[10] == 0xFF && a[11] == 0xFF) return v4_at(12);
  if (zeros >= 12) return v4_at(12);
  if (a[0] == 0 && a[1] == 0x64 && a[2] == 0xFF && a[3] == 0x9B) return v4_at(12);
  if (a[0] == 0x20 && a[1] == 0x02) return v4_at(2);
  if (a[0] == 0xFE && (a[1] & 0xC0U) == 0x80) return reach::never;  // link-local
  if (a[0] == 0xFF) return reach::never;                            // multicast
  if ((a[0] & 0xFEU) == 0xFC) return reach::nearby;                 // unique local
  return reach::everywhere;
}

}  // namespace

bool may_call(std::string_view address, bool private_targets) {
  const std::string text{address};
  reach r = reach::never;
  in_addr v4{};
  std::array<std::uint8_t, 16> v6{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1)
    r = reach_of_v4(ntohl(v4.s_addr));
  else if (inet_pton(AF_INET6, text.c_str(), v6.data()) == 1)
    r = reach_of_v6(v6);
  return r == reach::everywhere || (r == reach::nearby && private_targets);
}

}  // namespace belfry::platform
