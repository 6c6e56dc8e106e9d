// FAKE LINKS: envelopes to parties that a test plays by hand, all in its thread. Nothing moves by itself:
// what was sent stands in `got` until the test looks, and what a party says is told at once.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "actors/cluster/links.hpp"

namespace belfry::tests {

class fake_links final : public actors::links {
 public:
  struct party {
    std::string node;
    bool open = true;
    bool full = false;  // its window: nothing more is taken
    std::vector<actors::envelope> got;
    std::string closed_because;  // by the other side
  };

  void listen(actors::link_listener to) override { to_ = std::move(to); }
  void silence() override { to_ = {}; }
  bool send(actors::link_id to, actors::envelope e) override {
    const auto it = all_.find(to);
    if (it == all_.end() || !it->second.open || it->second.full) return false;
    it->second.got.push_back(std::move(e));
    return true;
  }
  void close(actors::link_id which, std::string why) override {
    const auto it = all_.find(which);
    if (it == all_.end() || !std::exchange(it->second.open, false)) return;
    it->second.closed_because = why;
    if (to_.down) to_.down(which, std::move(why));
  }
  void dial(std::string address, std::function<void(core::failure)> failed) override {
    failed({core::errc::unavailable, "nobody is at " + address, {}, {}});
  }

  /// A party whose certificate has this name connects.
  actors::link_id connect(const std::string& node, const std::string& address = "10.0.0.2:4000") {
    const auto link = ++last_;
    all_[link].node = node;
    if (to_.up) to_.up(link, node, address);
    return link;
  }
  void say(actors::link_id link, actors::envelope e) {
    if (all_.at(link).open && to_.came) to_.came(link, std::move(e));
  }
  /// The connection breaks.
  void cut(actors::link_id link) {
    if (std::exchange(all_.at(link).open, false) && to_.down) to_.down(link, "the connection broke");
  }
  /// The process on the other end of all of them has died.
  void cut_all() {
    for (auto& [link, p] : all_) p.open = false;
  }
  party& at(actors::link_id link) { return all_.at(link); }

 private:
  std::map<actors::link_id, party> all_;
  actors::link_listener to_;
  actors::link_id last_ = 0;
};

}  // namespace belfry::tests
