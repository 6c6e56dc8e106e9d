// MEMBER BY HAND: a coordinator under virtual time, and members whose every envelope the test writes.
#pragma once

#include <catch2/catch.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/cluster/admission.hpp"
#include "core/cluster/node.hpp"
#include "messages/wire/wire.hpp"
#include "tests/support/fake_links.hpp"
#include "tests/support/virtual_node.hpp"

namespace belfry::tests {

// Before the node, so that they outlive it.
struct with_links {
  fake_links wires;
};

class coordinator : public with_links, public virtual_node {
 public:
  static actors::node_options usual() {
    auto o = usual_options();
    o.executor.none = true;
    o.cluster.node = "boss";
    o.cluster.name = "town";
    o.cluster.version = "1.0";
    return o;
  }
  explicit coordinator(actors::node_options o = usual()) : virtual_node{std::move(o), false} {
    links = &wires;
    admits = std::make_shared<actors::admission>();
    restart();
  }
  /// Kill -9 of the coordinator, and a new process. Its links are gone.
  void begin_anew() {
    crash();
    wires.cut_all();
    restart();
  }
  messages::node_view node_view_of(const std::string& name) {
    auto seen = ask<messages::nodes_seen>(messages::look_at_nodes{name, true});
    REQUIRE(seen);
    REQUIRE(seen->nodes.size() == 1);
    return seen->nodes.front();
  }
  core::node_state judged(const std::string& name) { return node_view_of(name).node.state; }
};

class member_by_hand {
 public:
  explicit member_by_hand(coordinator& c, std::string name = "alpha", std::uint64_t boot = 1)
      : c_{&c}, name_{std::move(name)} {
    reboot(boot);
  }
  void reboot(std::uint64_t boot) {
    self.boot = core::boot_uuid(boot, boot);
    self.sessions.clear();
    self.held.clear();
  }

  /// Dials and says hello as `self` has it.
  void hello() {
    link = c_->wires.connect(name_);
    self.node = self.node.empty() ? name_ : self.node;
    self.belfry_version = "1.0";
    say(messages::wire::kind::hello, 0, messages::wire::encode(self));
    c_->run();
  }
  messages::wire::welcome joins() {
    hello();
    const auto* e = last(messages::wire::kind::welcome);
    REQUIRE(e != nullptr);
    auto w = messages::wire::read_welcome(e->body);
    REQUIRE(w);
    return *w;
  }
  /// The link is refused; says why.
  messages::wire::refused is_refused() {
    hello();
    const auto* e = last(messages::wire::kind::refused);
    REQUIRE(e != nullptr);
    CHECK_FALSE(c_->wires.at(link).open);
    auto r = messages::wire::read_refused(e->body);
    REQUIRE(r);
    return *r;
  }
  void say(messages::wire::kind k, std::uint64_t number, std::string body,
           std::uint16_t version = core::wire_version) {
    c_->wires.say(link, {version, static_cast<std::uint16_t>(k), number, std::move(body)});
  }
  void beat() {
    say(messages::wire::kind::beat, ++number_, messages::wire::encode(messages::wire::beat{}));
    c_->run();
  }
  /// Lets time pass, with a beat twice a second.
  void lives(core::span by) {
    for (; by > core::span{0}; by -= std::min(by, core::span{std::chrono::milliseconds{500}})) {
      c_->advance(std::min(by, core::span{std::chrono::milliseconds{500}}));
      beat();
    }
  }

  /// Puts a question, which is not answered before the node runs. Its number.
  std::uint64_t puts(const messages::wire::question& q) {
    messages::wire::ask m{q};
    say(messages::wire::kind::ask, ++number_, messages::wire::encode(m));
    return number_;
  }
  /// The same again, because no answer came.
  void repeats(std::uint64_t number, const messages::wire::question& q) {
    messages::wire::ask m{q};
    say(messages::wire::kind::ask, number, messages::wire::encode(m));
    c_->run();
  }
  std::size_t answers_to(std::uint64_t number) {
    const auto& got = c_->wires.at(link).got;
    return static_cast<std::size_t>(std::count_if(got.begin(), got.end(), [number](const auto& e) {
      return e.kind == static_cast<std::uint16_t>(messages::wire::kind::answer) && e.number == number;
    }));
  }
  std::optional<messages::wire::answer> answer_to(std::uint64_t number) {
    for (const auto& e : c_->wires.at(link).got)
      if (e.kind == static_cast<std::uint16_t>(messages::wire::kind::answer) && e.number == number) {
        auto a = messages::wire::read_answer(e.body);
        REQUIRE(a);
        return std::move(*a);
      }
    return std::nullopt;
  }
  core::result<messages::wire::reply> asks(const messages::wire::question& q) {
    const auto number = puts(q);
    c_->run();
    auto a = answer_to(number);
    REQUIRE(a);
    return std::move(a->what);
  }

  core::session_id seats(const std::string& name = "process-1") {
    messages::register_session q;
    q.who.name = name;
    q.who.agent_type = "process";
    auto r = asks(std::move(q));
    REQUIRE(r);
    const auto id = std::get<messages::session_answer>(*r).who.id;
    self.sessions.push_back(id);
    return id;
  }
  static messages::claim_runs wish(core::session_id who, core::span wait = core::span{0}) {
    messages::claim_runs q;
    q.who = who;
    q.wait = wait;
    q.start = true;
    q.lease = std::chrono::minutes{1};
    return q;
  }
  messages::claimed_run claims(core::session_id who) {
    auto r = asks(wish(who));
    REQUIRE(r);
    auto& runs = std::get<messages::claimed_runs>(*r).runs;
    REQUIRE(runs.size() == 1);
    auto one = std::move(runs.front());
    self.held.push_back({who, one.run.head.id, one.run.head.fencing});
    return one;
  }
  core::result<messages::wire::reply> settles(const messages::claimed_run& run,
                                              core::settle_kind kind = core::settle_kind::succeeded) {
    messages::settle_runs q;
    core::cmd_settle how;
    how.proof = {run.run.head.fencing, platform::sha256(run.token)};
    how.kind = kind;
    q.items.push_back({run.run.head.id, std::move(how)});
    return asks(std::move(q));
  }
  const actors::envelope* last(messages::wire::kind k) const {
    const auto& got = c_->wires.at(link).got;
    const auto it = std::find_if(got.rbegin(), got.rend(),
                                 [k](const auto& e) { return e.kind == static_cast<std::uint16_t>(k); });
    return it == got.rend() ? nullptr : &*it;
  }
  bool linked() const { return c_->wires.at(link).open; }
  void cut() {
    c_->wires.cut(link);
    c_->run();
  }

  messages::wire::hello self;
  actors::link_id link = 0;

 private:
  coordinator* c_;
  std::string name_;
  std::uint64_t number_ = 0;
};

}  // namespace belfry::tests
