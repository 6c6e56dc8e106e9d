// CLOCK and RANDOM: the only sources of time and chance. Real ones in platform, virtual and seeded ones in
// tests.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "core/run/run.hpp"
#include "core/time/instant.hpp"

namespace belfry::platform {

class clock {
 public:
  virtual ~clock() = default;
  virtual core::instant now() const = 0;     // wall clock, UTC
  virtual core::instant steady() const = 0;  // never goes back; its origin means nothing
  // As steady, but it goes on while the machine sleeps: what others measure meanwhile.
  virtual core::instant through_sleep() const { return steady(); }
};

struct minted_token {
  std::string text;
  core::token_hash hash;
};  // 256 random bits as 43 base64url characters; SHA-256 of the text

class randomness {
 public:
  virtual ~randomness() = default;
  virtual std::uint64_t bits() = 0;
  virtual double unit() = 0;  // [0, 1)
  virtual minted_token token() = 0;
};

std::unique_ptr<clock> system_clock();
std::unique_ptr<randomness> system_randomness();
std::unique_ptr<randomness> seeded_randomness(std::uint64_t seed);
core::token_hash sha256(std::string_view bytes);  // plain SHA-256 (OpenSSL)

}  // namespace belfry::platform
