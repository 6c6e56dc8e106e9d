// WIRE: what two nodes say to each other, as bodies of numbered envelopes. Pure: bytes in, values out.
//
// Numbers are append only, and so are the fields of a body: (tag, value) pairs in any order, an unknown tag
// is passed over, a missing one has its usual value (tests/wire has golden bytes of each). Whoever changes
// what a number means, rather than adding one, raises core::wire_version. Everything that is read is bounded
// and checked as if a stranger had sent it; what cannot be read is errc::invalid and costs the link.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/cluster/node.hpp"
#include "core/errors/result.hpp"
#include "messages/runs.hpp"
#include "messages/sessions.hpp"

namespace belfry::messages::wire {

enum class kind : std::uint16_t {
  hello = 1,    // member: who I am, what I hold. The first envelope of a link
  welcome = 2,  // coordinator: you are in; what you must let go of
  refused = 3,  // coordinator: you are not, and why. The link is closed behind it
  beat = 4,     // either: I live; answered by `beaten` with the same number
  beaten = 5,
  good_bye = 6,  // member: nothing of mine is left here
  ask = 7,       // member: a question; exactly one answer with the same number, or none for ever
  answer = 8,    // coordinator
  stop = 9,      // coordinator: end this attempt
  steer = 10,    // coordinator: drain, or work again
};

// A run that a member's executor has in its hands, or whose end it has not been able to tell.
struct held_run {
  core::session_id session;
  core::run_id run;
  std::uint64_t fencing = 0;
  friend bool operator==(const held_run&, const held_run&) = default;
};

struct hello {
  std::uint16_t version = core::wire_version;
  std::string node, boot, belfry_version;
  std::vector<std::string> labels, capabilities;
  std::uint32_t executors = 0;
  std::vector<core::session_id> sessions;  // of its executors, that it has had since its boot
  std::vector<held_run> held;
};
struct welcome {
  std::uint16_t version = core::wire_version;
  std::string node, boot, cluster, belfry_version;  // of the coordinator
  core::membership_options membership;
  bool draining = false;
  std::vector<core::session_id> gone;  // of the sessions in hello: the coordinator has ended them
  std::vector<held_run> lost;          // of the runs in hello: somebody else's by now; end them, tell nothing
};
struct refused {
  core::errc code = core::errc::forbidden;
  std::string text;
  std::uint16_t version = core::wire_version;  // what the coordinator speaks
};
struct beat {
  std::uint32_t running = 0;  // attempts that live at the sender
  // Of the coordinator, in case its word got lost: 1 work, 2 drain; 0 it does not say.
  std::uint8_t steer = 0;
};
inline constexpr std::uint8_t beat_works = 1, beat_drains = 2;
struct stop {
  stop_attempt what;
};
struct steer {
  bool draining = false;
  std::string reason;
};

// The questions are messages that actors of one process put to each other as well.
using question = std::variant<register_session, end_session, claim_runs, touch_leases, settle_runs>;
struct ask {
  question what;
};
// `waited`: of a claim, how long after the question had come the lease was granted.
using reply = std::variant<session_answer, claimed_runs, touched, settled>;
struct answer {
  core::result<reply> what;
  core::span waited{0};
};

/// Longest body that is sent or read. What would be longer is refused with errc::too_large.
inline constexpr std::size_t longest_body = std::size_t{72} << 20;

std::string encode(const hello& m);
std::string encode(const welcome& m);
std::string encode(const refused& m);
std::string encode(const beat& m);
std::string encode(const stop& m);
std::string encode(const steer& m);
std::string encode(const ask& m);
std::string encode(const answer& m);

core::result<hello> read_hello(std::string_view body);
core::result<welcome> read_welcome(std::string_view body);
core::result<refused> read_refused(std::string_view body);
core::result<beat> read_beat(std::string_view body);
core::result<stop> read_stop(std::string_view body);
core::result<steer> read_steer(std::string_view body);
core::result<ask> read_ask(std::string_view body);
core::result<answer> read_answer(std::string_view body);

}  // namespace belfry::messages::wire
