#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "core/text/base64.hpp"
#include "platform/ports/webhooks.hpp"

namespace belfry::platform {

std::string webhook_signature(std::string_view key, std::string_view id, core::instant at,
                              std::string_view body) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
  std::string content{id};
  ((content += '.') += std::to_string(seconds)) += '.';
  content += body;
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(content.data()), content.size(), mac.data(), &size);
  return "v1," + core::to_base64({reinterpret_cast<const char*>(mac.data()), size});
}

}  // namespace belfry::platform
