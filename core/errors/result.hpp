// RESULT: a value or a failure, and the one catalogue of what can go wrong.
//
// Expected refusals ("nothing ready") are part of a reply type; a `failure` is an operating error that
// somebody can act on: it says the code, the text, the fields at fault, what is allowed and the command that
// helps. A broken invariant ends the process instead: restart recovers from disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace belfry::core {

// Numbers travel between nodes and stand in rows: append only, never renumber.
enum class errc : std::uint16_t {
  internal = 1,
  malformed = 2,  // not JSON, bad UTF-8, too deep, bad request line
  invalid = 3,    // well-formed, but a field is wrong
  unknown_field = 4,
  too_large = 5,
  not_found = 6,
  ambiguous = 7,  // a name or prefix that fits several
  already_exists = 8,
  invalid_transition = 9,     // the state does not allow it
  stale_lease = 10,           // an old token or fencing number, or an expired lease
  conflict = 11,              // another result was recorded, or the row changed meanwhile
  idempotency_mismatch = 12,  // same key, other content
  idempotency_in_progress = 13,
  overloaded = 14,   // a bounded queue is full; safe to retry after a pause
  unavailable = 15,  // node stopping, store refusing writes
  storage_full = 16,
  storage_damaged = 17,
  schema_newer = 18,
  store_held = 19,  // another process has the store open
  unauthorised = 20,
  forbidden = 21,
  method_not_allowed = 22,
  unsupported_media = 23,
  timed_out = 24,
  aborted = 25,  // an actor died with the question open
  lease_held = 26,
  unknown_handler = 27,
  limit_exceeded = 28,
  confirmation_required = 29,
  precondition_failed = 30,
  paused = 31,        // held by a pause; safe to retry when that is over
  rate_limited = 32,  // too often in too short a time; failure::retry_ms says when it is allowed again
};

// Stable kebab/snake code of the catalogue, for example "stale_lease".
std::string_view code_of(errc e);
// One-line title of the catalogue entry, for example "The lease is no longer yours".
std::string_view title_of(errc e);
// Longer help text: what it means and what to do. Served as a page by the node.
std::string_view help_of(errc e);
// Whether the same request may succeed later without being changed.
bool retryable(errc e);
// Inverse of code_of; nothing for unknown text.
std::optional<errc> errc_from(std::string_view code);
// Every entry, in numeric order.
const std::vector<errc>& all_errcs();

// One field at fault: `pointer` is a JSON pointer (or an option name), `value` what was given, `allowed` what
// would do.
struct field_problem {
  std::string pointer;
  std::string value;
  std::string allowed;
  std::string detail;
};

struct failure {
  errc code = errc::internal;
  std::string text;
  std::vector<field_problem> problems;
  std::string command;        // the command that helps; may be empty
  std::int64_t retry_ms = 0;  // from now on, when the same request is worth repeating; 0: not known
};

template <class T>
class result {
 public:
  result(T value) : v_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by intent
  result(failure f) : v_(std::in_place_index<1>, std::move(f)) {}    // NOLINT
  bool ok() const noexcept { return v_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }
  T& value() & { return std::get<0>(v_); }
  const T& value() const& { return std::get<0>(v_); }
  T&& value() && { return std::get<0>(std::move(v_)); }
  T* operator->() { return &std::get<0>(v_); }
  const T* operator->() const { return &std::get<0>(v_); }
  T& operator*() & { return std::get<0>(v_); }
  const T& operator*() const& { return std::get<0>(v_); }
  T&& operator*() && { return std::get<0>(std::move(v_)); }
  failure& error() & { return std::get<1>(v_); }
  const failure& error() const& { return std::get<1>(v_); }
  failure&& error() && { return std::get<1>(std::move(v_)); }
  bool refused_with(errc e) const noexcept { return !ok() && std::get<1>(v_).code == e; }

 private:
  std::variant<T, failure> v_;
};

struct done {};
template <>
class result<void> : public result<done> {
 public:
  result() : result<done>(done{}) {}
  result(failure f) : result<done>(std::move(f)) {}  // NOLINT
};

}  // namespace belfry::core
