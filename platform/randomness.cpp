// RANDOMNESS. Bits for ids and jitter come from a generator seeded by the kernel; tokens come from OpenSSL,
// which is meant for secrets. Rejected: one generator for both, since jitter is asked for often and from hot
// paths.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <string_view>

#include "platform/ports/clock.hpp"

namespace belfry::platform {

namespace {

using secret = std::array<unsigned char, 32>;

// RFC 4648 section 5, without padding.
std::string base64url(std::span<const unsigned char> bytes) {
  static constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  unsigned held = 0;
  int bits = 0;
  for (const unsigned char byte : bytes) {
    held = (held << 8U) | byte;
    for (bits += 8; bits >= 6; bits -= 6) text += digits[(held >> static_cast<unsigned>(bits - 6)) & 63U];
  }
  if (bits > 0) text += digits[(held << static_cast<unsigned>(6 - bits)) & 63U];
  return text;
}

minted_token token_from(const secret& bytes) {
  minted_token made;
  made.text = base64url(bytes);
  made.hash = sha256(made.text);
  return made;
}

double unit_from(std::uint64_t bits) { return static_cast<double>(bits >> 11U) * 0x1.0p-53; }

std::uint64_t kernel_seed() {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) == static_cast<ssize_t>(sizeof seed)) return seed;
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

// Shared by actors on several threads, hence the lock.
class real_randomness final : public randomness {
 public:
  std::uint64_t bits() override {
    const std::lock_guard hold(mutex_);
    return engine_();
  }
  double unit() override { return unit_from(bits()); }
  minted_token token() override {
    secret bytes = fresh_secret();
    const auto made = token_from(bytes);
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return made;
  }

 private:
  // Asking OpenSSL costs more than the bytes do, so each thread asks for several secrets at a time. What was
  // handed out is wiped. Children of the node exec at once, so no two processes share a supply.
  static secret fresh_secret() {
    struct supply {
      std::array<unsigned char, 16 * sizeof(secret)> bytes{};
      std::size_t left = 0;
    };
    thread_local supply s;
    if (s.left == 0) {
      if (RAND_bytes(s.bytes.data(), static_cast<int>(s.bytes.size())) != 1)
        std::abort();  // no secrets, no node
      s.left = s.bytes.size();
    }
    secret taken{};
    s.left -= taken.size();
    const auto from = s.bytes.begin() + static_cast<std::ptrdiff_t>(s.left);
    std::copy_n(from, taken.size(), taken.begin());
    OPENSSL_cleanse(&*from, taken.size());
    return taken;
  }

  std::mutex mutex_;
  std::mt19937_64 engine_{kernel_seed()};
};

class repeatable_randomness final : public randomness {
 public:
  explicit repeatable_randomness(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t bits() override { return engine_(); }
  double unit() override { return unit_from(bits()); }
  minted_token token() override {
    secret bytes{};
    for (std::size_t i = 0; i < bytes.size(); i += 8) {
      std::uint64_t word = bits();
      for (std::size_t k = 0; k < 8; ++k, word >>= 8U)
        bytes[i + k] = static_cast<unsigned char>(word & 0xFFU);
    }
    return token_from(bytes);
  }

 private:
  std::mt19937_64 engine_;
};

// Making a context costs more than hashing a token, so each thread keeps one.
EVP_MD_CTX* digest_context() {
  struct release {
    void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
  };
  thread_local const std::unique_ptr<EVP_MD_CTX, release> context(EVP_MD_CTX_new());
  return context.get();
}

const EVP_MD* sha256_method() {
  static EVP_MD* const method =
      EVP_MD_fetch(nullptr, "SHA256", nullptr);  // fetched once: lookups are slow in OpenSSL 3
  return method;
}

}  // namespace

core::token_hash sha256(std::string_view bytes) {
  core::token_hash hash{};
  unsigned size = 0;
  EVP_MD_CTX* const context = digest_context();
  if (context == nullptr || EVP_DigestInit_ex2(context, sha256_method(), nullptr) != 1 ||
      EVP_DigestUpdate(context, bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context, hash.data(), &size) != 1 || size != hash.size())
    std::abort();  // without SHA-256 no token could ever be checked
  return hash;
}

std::unique_ptr<randomness> system_randomness() { return std::make_unique<real_randomness>(); }
std::unique_ptr<randomness> seeded_randomness(std::uint64_t seed) {
  return std::make_unique<repeatable_randomness>(seed);
}

}  // namespace belfry::platform
