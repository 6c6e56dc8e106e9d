#include "platform/links/openssl.hpp"

#include <openssl/err.h>

namespace belfry::platform::links {

std::string openssl_error() {
  const unsigned long first = ERR_peek_error();
  ERR_clear_error();
  if (first == 0) return "the connection was cut";
  if (const char* reason = ERR_reason_error_string(first)) return reason;
  return "OpenSSL error " + std::to_string(first);
}

}  // namespace belfry::platform::links
