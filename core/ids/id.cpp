#include "core/ids/id.hpp"

#include <chrono>
#include <cstdlib>

namespace belfry::core {
namespace {

constexpr int sequence_bits = 13;
constexpr int node_bits = 8;
constexpr int time_shift = sequence_bits + node_bits;
constexpr std::int64_t sequence_limit = std::int64_t{1} << sequence_bits;
constexpr std::int64_t last_millisecond = (std::int64_t{1} << 42) - 1;  // in the year 2159
constexpr std::size_t digits = 13;

constexpr instant id_epoch = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford: no I, L, O, U

// The value of a digit, or -1. Look-alikes are read as what they look like.
int digit_value(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'O') c = '0';
  if (c == 'I' || c == 'L') c = '1';
  const auto at = alphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

failure not_an_id(std::string_view prefix, std::string_view text, std::string_view why) {
  std::string wanted{prefix};
  wanted += " and 13 digits or letters, for example ";
  wanted += id_text(prefix, std::int64_t{1} << 57);
  // What was given may be anything, so only a harmless piece of it is repeated.
  std::string given;
  for (const char c : text.substr(0, 40)) given += c > ' ' && c < '\x7f' ? c : '?';
  failure f{errc::invalid, "not an id: " + std::string{why}, {}, {}};
  f.problems.push_back({"", std::move(given), std::move(wanted), std::string{why}});
  return f;
}

}  // namespace

std::string id_text(std::string_view prefix, std::int64_t value) {
  std::string text{prefix};
  const auto bits = static_cast<std::uint64_t>(value);
  for (std::size_t i = 0; i < digits; ++i) {
    const auto shift = 5 * (digits - 1 - i);
    text += alphabet[static_cast<std::size_t>((bits >> shift) & 31U)];
  }
  return text;
}

result<std::int64_t> parse_id_text(std::string_view prefix, std::string_view text) {
  if (!text.starts_with(prefix))
    return not_an_id(prefix, text, "it does not begin with " + std::string{prefix});
  const auto body = text.substr(prefix.size());
  if (body.size() != digits)
    return not_an_id(prefix, text, "it does not have 13 characters after the prefix");
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const int value = digit_value(body[i]);
    if (value < 0) return not_an_id(prefix, text, "it has a character that no id has");
    // 13 digits are 65 bits and an id has 63, so the first digit is at most 7.
    if (i == 0 && value > 7) return not_an_id(prefix, text, "it is greater than any id");
    bits = bits << 5 | static_cast<std::uint64_t>(value);
  }
  if (bits == 0) return not_an_id(prefix, text, "zero stands for no id");
  return static_cast<std::int64_t>(bits);
}

std::int64_t id_source::next(instant now) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(now - id_epoch).count();
  const std::int64_t node = std::int64_t{node_} << sequence_bits;
  std::int64_t candidate = 0;
  if (since > 0 && since <= last_millisecond) candidate = since << time_shift | node;
  if (candidate <= last_) {
    // Same millisecond, or the clock went back, or `last` is of another node: go on from `last` in our own
    // slice.
    std::int64_t ms = last_ >> time_shift;
    const bool ours = (last_ >> sequence_bits & 0xFF) == std::int64_t{node_};
    const std::int64_t sequence = ours ? (last_ & (sequence_limit - 1)) + 1 : 0;
    candidate = ms << time_shift | node | sequence;
    if (sequence == sequence_limit || candidate <= last_) {
      // An id that could repeat or be negative would corrupt the store; to end loudly is the lesser harm. Ids
      // given by callers cannot bring this about where `acceptable_id` is asked first.
      if (ms >= last_millisecond) std::abort();
      candidate = (ms + 1) << time_shift | node;
    }
  }
  last_ = candidate;
  return candidate;
}

instant made_at(std::int64_t id) { return id_epoch + std::chrono::milliseconds{id >> time_shift}; }

bool acceptable_id(std::int64_t id, instant now) {
  return id > 0 && made_at(id) <= now + std::chrono::hours{24};
}

}  // namespace belfry::core
