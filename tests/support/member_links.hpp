// MEMBER LINKS: a member in the test's thread, and a coordinator that the test plays by hand: it reads every
// envelope that the member sends and says what it likes. One virtual clock, fake processes.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/cluster/member.hpp"
#include "messages/wire/wire.hpp"
#include "tests/support/fake_processes.hpp"
#include "tests/support/virtual_clock.hpp"

namespace belfry::tests {

/// Links whose other end is the test.
class hand_links final : public actors::links {
 public:
  void listen(actors::link_listener to) override { to_ = std::move(to); }
  void silence() override { to_ = {}; }
  bool send(actors::link_id to, actors::envelope e) override;
  void close(actors::link_id which, std::string why) override;
  void dial(std::string address, std::function<void(core::failure)> failed) override;

  /// The last dial has led to a link.
  actors::link_id rise(const std::string& node = "head");
  /// ... or not.
  void fail(const std::string& why);
  void fall(const std::string& why = "reset");
  void say(actors::envelope e) { say_on(link, std::move(e)); }
  void say_on(actors::link_id id, actors::envelope e);

  std::vector<std::string> dialled;
  std::vector<std::pair<actors::link_id, std::string>> closed;
  std::vector<actors::envelope> sent;  // not taken by the test yet
  actors::link_id link = 0;            // that is up
  bool full = false;                   // its window

 private:
  actors::link_listener to_;
  std::function<void(core::failure)> failed_;
  actors::link_id last_ = 0;
};

class lone_member {
 public:
  static actors::member_options usual_options();
  explicit lone_member(actors::member_options options = usual_options());
  ~lone_member();
  lone_member(const lone_member&) = delete;
  lone_member& operator=(const lone_member&) = delete;

  void run();
  /// The coordinator says every second that it lives, unless it is `mute`.
  void advance(core::span by);
  /// Kills an actor of that name, as a crash does; false when there is none.
  bool kill(const std::string& actor_name);

  // ---- the coordinator
  /// The member dials, is heard, and is let in.
  messages::wire::hello greet();
  void welcome(messages::wire::welcome w = {});
  void join(messages::wire::welcome w = {});
  void refuse(core::errc code, const std::string& text, std::uint16_t version = core::wire_version);
  template <class Body>
  void say(messages::wire::kind what, const Body& body, std::uint64_t number = 0) {
    links.say({core::wire_version, static_cast<std::uint16_t>(what), number, messages::wire::encode(body)});
    run();
  }
  /// The oldest envelope of that kind that was not taken; passes over beats.
  std::optional<actors::envelope> next(messages::wire::kind what);
  /// The oldest question of that type that was not taken.
  template <class Q>
  std::optional<std::pair<std::uint64_t, Q>> asked() {
    for (auto it = links.sent.begin(); it != links.sent.end(); ++it) {
      if (it->kind != static_cast<std::uint16_t>(messages::wire::kind::ask)) continue;
      auto m = messages::wire::read_ask(it->body).value();
      if (auto* q = std::get_if<Q>(&m.what)) {
        std::pair<std::uint64_t, Q> found{it->number, std::move(*q)};
        links.sent.erase(it);
        return found;
      }
    }
    return std::nullopt;
  }
  void answer(std::uint64_t number, core::result<messages::wire::reply> what,
              core::span waited = core::span{0});
  /// Answers registrations with sessions 1, 2, … by their names; the answer's id is kept when one was given.
  void seat_everybody();
  /// Answers every open renewal with yes; how many there were.
  std::size_t grant_renewals(bool cancel = false);
  /// A run as the coordinator hands it out.
  messages::claimed_run hand_out(std::uint64_t id, std::uint64_t fencing = 1,
                                 core::span grace = std::chrono::seconds{5}) const;
  /// Waits for a claim and gives it this run.
  void give(const messages::claimed_run& run, core::span waited = core::span{0});
  static std::string key_of(const messages::claimed_run& run);
  static core::lease_proof proof_of(const messages::claimed_run& run);
  messages::wire::held_run held(const messages::claimed_run& run) const;

  virtual_clock time;
  hand_links links;
  fake_processes processes{time};
  std::unique_ptr<platform::randomness> chance = platform::seeded_randomness(7);
  std::vector<std::string> notes;
  std::vector<core::failure> fatal;
  std::vector<core::instant> doom;
  std::unique_ptr<actors::member_node> member;
  core::session_id first{1};
  bool mute = false;

 private:
  void pass(core::span by);

  struct cast;
  std::unique_ptr<cast> cast_;
  std::uint64_t seats_ = 0;
  std::int64_t coordinator_origin_ = 0;
  core::instant steady_origin_{};
};

}  // namespace belfry::tests
