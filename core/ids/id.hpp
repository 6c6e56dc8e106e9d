// IDS: 63 bits, ordered by time, unique in a store without asking anybody.
//
// Layout from the top: 1 zero bit, 42 bits milliseconds since 2020-01-01, 8 bits node, 13 bits sequence.
// Ordered ids keep the store's trees append-only (random ids cost 8 times as much per row at a million rows).
// A burst of more than 8,192 in one millisecond borrows from the next one; a clock that goes back never makes
// an id smaller. Outside they read as prefix and 13 Crockford base-32 digits, upper case: run_01HZX3K9QWERT.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/errors/result.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

template <class Tag>
struct strong_id {
  std::int64_t value = 0;
  friend auto operator<=>(const strong_id&, const strong_id&) = default;
  explicit operator bool() const noexcept { return value != 0; }
};

struct run_tag {
  static constexpr std::string_view prefix = "run_";
};
struct job_tag {
  static constexpr std::string_view prefix = "job_";
};
struct session_tag {
  static constexpr std::string_view prefix = "ses_";
};
struct batch_tag {
  static constexpr std::string_view prefix = "bat_";
};
struct spec_tag {
  static constexpr std::string_view prefix = "spc_";
};
struct wake_tag {
  static constexpr std::string_view prefix = "wak_";
};

using run_id = strong_id<run_tag>;
using job_id = strong_id<job_tag>;
using session_id = strong_id<session_tag>;
using batch_id = strong_id<batch_tag>;
using wake_id = strong_id<wake_tag>;
using spec_id = strong_id<spec_tag>;  // a frozen definition: of one run, or of one job revision

std::string id_text(std::string_view prefix, std::int64_t value);
// Accepts lower case and the Crockford look-alikes (O as 0, I and L as 1). errc::invalid otherwise.
result<std::int64_t> parse_id_text(std::string_view prefix, std::string_view text);

template <class Tag>
std::string to_string(strong_id<Tag> id) {
  return id_text(Tag::prefix, id.value);
}
template <class Id>
result<Id> parse_id(std::string_view text);

template <>
inline result<run_id> parse_id<run_id>(std::string_view t) {
  auto r = parse_id_text(run_tag::prefix, t);
  if (!r) return r.error();
  return run_id{*r};
}
template <>
inline result<job_id> parse_id<job_id>(std::string_view t) {
  auto r = parse_id_text(job_tag::prefix, t);
  if (!r) return r.error();
  return job_id{*r};
}
template <>
inline result<session_id> parse_id<session_id>(std::string_view t) {
  auto r = parse_id_text(session_tag::prefix, t);
  if (!r) return r.error();
  return session_id{*r};
}
template <>
inline result<batch_id> parse_id<batch_id>(std::string_view t) {
  auto r = parse_id_text(batch_tag::prefix, t);
  if (!r) return r.error();
  return batch_id{*r};
}
template <>
inline result<wake_id> parse_id<wake_id>(std::string_view t) {
  auto r = parse_id_text(wake_tag::prefix, t);
  if (!r) return r.error();
  return wake_id{*r};
}
template <>
inline result<spec_id> parse_id<spec_id>(std::string_view t) {
  auto r = parse_id_text(spec_tag::prefix, t);
  if (!r) return r.error();
  return spec_id{*r};
}

// Makes ids that only grow. A plain value: one per writer.
class id_source {
 public:
  // `node` 0..255; `last` is the greatest id that the store has ever seen (0 for a new one).
  explicit id_source(std::uint8_t node, std::int64_t last = 0) : node_(node), last_(last) {}
  std::int64_t next(instant now);
  std::int64_t last() const { return last_; }

 private:
  std::uint8_t node_;
  std::int64_t last_;
};

// The millisecond that an id was made in.
instant made_at(std::int64_t id);

// Whether an id given by a caller may enter the store: positive and not made more than a day ahead of `now`.
// Ids only grow, so one from the far future would leave no room for all that come after it.
bool acceptable_id(std::int64_t id, instant now);

}  // namespace belfry::core

template <class Tag>
struct std::hash<belfry::core::strong_id<Tag>> {
  std::size_t operator()(belfry::core::strong_id<Tag> id) const noexcept {
    return static_cast<std::size_t>(static_cast<std::uint64_t>(id.value) * 0x9E3779B97F4A7C15ULL);
  }
};
