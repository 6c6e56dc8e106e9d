#include "tests/support/sim_network.hpp"

#include <algorithm>
#include <array>

namespace belfry::tests {

using namespace std::chrono_literals;
using actors::envelope;
using actors::link_id;

namespace {

// How long a dial waits for somebody who does not answer.
constexpr core::span longest_hang = 8s;
constexpr core::span moment = 1ms;
// What an envelope costs beside its body.
constexpr std::size_t head_bytes = 20;

core::failure no_way(const std::string& why) { return {core::errc::unavailable, why, {}, {}}; }

}  // namespace

// Side 0 has dialled.
struct sim_network::link {
  std::uint64_t serial = 0;
  struct side {
    end* who = nullptr;
    std::uint64_t life = 0;
    link_id id = 0;
    bool up = false, over = false;  // told that it is up; told, or never to be told, that it is down
    std::size_t bytes = 0;          // on their way from here
    std::vector<std::shared_ptr<envelope>> stuck;  // sent from here into a cut
  };
  std::array<side, 2> sides;
  bool dead = false;
  std::function<void(core::failure)> failed;  // until the dialler has been told that it is up
};

class sim_network::end final : public actors::links {
 public:
  end(sim_network& all, std::string name) : all_(all), name_(std::move(name)) {}
  void listen(actors::link_listener to) override { listener = std::move(to), hears = true; }
  void silence() override { hears = false, listener = {}; }
  bool send(link_id to, envelope e) override { return hears && all_.send(*this, to, std::move(e)); }
  void close(link_id which, std::string why) override {
    if (hears) all_.close(*this, which, why);
  }
  void dial(std::string address, std::function<void(core::failure)> failed) override {
    if (hears) all_.dial(*this, address, std::move(failed));
  }
  const std::string& name() const { return name_; }

  actors::link_listener listener;
  bool hears = false, frozen = false;
  std::uint64_t life = 1;
  link_id last_id = 0;
  std::map<link_id, std::shared_ptr<link>> links;
  std::vector<event> missed;  // while it was frozen

 private:
  sim_network& all_;
  std::string name_;
};

sim_network::sim_network(dice& luck, std::function<core::instant()> now)
    : luck_(luck), now_(std::move(now)) {}
sim_network::~sim_network() = default;

actors::links& sim_network::party(const std::string& name) {
  auto& there = ends_[name];
  if (!there) there = std::make_unique<end>(*this, name);
  return *there;
}

// ---- time

void sim_network::after(core::span wait, const end& to, std::function<void()> what) {
  events_[{now_() + wait, ++serial_}] = {to.name(), to.life, std::move(what)};
}

core::span sim_network::a_while() { return luck_.between(quality.least, quality.most); }

std::optional<core::instant> sim_network::next() const {
  if (events_.empty()) return std::nullopt;
  return events_.begin()->first.first;
}

void sim_network::deliver() {
  if (events_.empty()) return;
  auto e = std::move(events_.begin()->second);
  events_.erase(events_.begin());
  auto& to = *ends_.at(e.to);
  if (to.life != e.life) return;
  if (to.frozen)
    to.missed.push_back(std::move(e));
  else
    e.what();
}

bool sim_network::idle() const {
  return std::none_of(events_.begin(), events_.end(), [this](const auto& e) {
    const auto& to = *ends_.at(e.second.to);
    return to.life == e.second.life && !to.frozen;
  });
}

// ---- envelopes

bool sim_network::send(end& from, link_id id, envelope e) {
  const auto it = from.links.find(id);
  if (it == from.links.end()) return false;
  const auto l = it->second;
  const int side = l->sides[0].who == &from ? 0 : 1;
  auto& mine = l->sides.at(static_cast<std::size_t>(side));
  const auto weight = e.body.size() + head_bytes;
  // One envelope may always be sent, however long it is.
  if (!mine.up || (mine.bytes != 0 && mine.bytes + weight > window)) {
    ++counts_.refused;
    return false;
  }
  mine.bytes += weight;
  ++counts_.sent;
  if (l->dead) {  // nobody has told this side: what it sends fills its window and goes nowhere
    ++counts_.lost;
    return true;
  }
  const auto& other = l->sides.at(static_cast<std::size_t>(1 - side));
  if (touch && !touch(from.name(), other.who->name(), e)) {
    mine.bytes -= weight;
    ++counts_.lost;
    return true;
  }
  mine.bytes += e.body.size() + head_bytes - weight;  // it may have another length now
  auto by = a_while();
  if (luck_.chance(quality.late)) by += luck_.between(0ms, quality.late_by);
  travel(l, side, std::make_shared<envelope>(std::move(e)), by);
  return true;
}

void sim_network::travel(const std::shared_ptr<link>& l, int side, std::shared_ptr<envelope> e,
                         core::span by) {
  const auto& other = l->sides.at(static_cast<std::size_t>(1 - side));
  after(by, *other.who, [this, l, side, e = std::move(e)] { arrive(l, side, e); });
}

void sim_network::arrive(const std::shared_ptr<link>& l, int side, const std::shared_ptr<envelope>& e) {
  auto& from = l->sides.at(static_cast<std::size_t>(side));
  auto& to = l->sides.at(static_cast<std::size_t>(1 - side));
  if (l->dead || to.over) {
    ++counts_.lost;
    return;
  }
  if (is_cut(from.who->name(), to.who->name())) return from.stuck.push_back(e);
  if (!to.up) return travel(l, side, e, moment);
  from.bytes -= e->body.size() + head_bytes;
  if (luck_.chance(quality.loss)) {
    ++counts_.lost;
    return;
  }
  ++counts_.delivered;
  const auto tell = to.who->listener.came;  // a copy: whoever is told may end it all
  if (to.who->hears && tell) tell(to.id, *e);
}

// ---- links

void sim_network::dial(end& from, const std::string& address, std::function<void(core::failure)> failed) {
  ++counts_.dials;
  const bool hangs = luck_.chance(quality.dial_hangs);
  after(hangs ? luck_.between(1s, longest_hang) : a_while(), from,
        [this, &from, address, failed = std::move(failed), hangs] {
          if (hangs) return failed(no_way("no answer from " + address));
          connect(from, address, failed);
        });
}

void sim_network::connect(end& from, const std::string& address,
                          const std::function<void(core::failure)>& failed) {
  const auto whom = addresses_.find(address);
  if (whom == addresses_.end()) return failed(no_way("there is nobody at " + address));
  auto& to = static_cast<end&>(party(whom->second));
  if (is_cut(from.name(), to.name()) || is_cut(to.name(), from.name()) || to.frozen)
    return after(luck_.between(1s, longest_hang), from,
                 [failed, address] { failed(no_way("no answer from " + address)); });
  if (!to.hears || luck_.chance(quality.dial_fails)) return failed(no_way(address + " refuses"));
  auto l = std::make_shared<link>();
  l->serial = ++serial_;
  l->sides[0] = {&from, from.life, ++from.last_id, false, false, 0, {}};
  l->sides[1] = {&to, to.life, ++to.last_id, true, false, 0, {}};
  l->failed = failed;
  links_[l->serial] = l;
  from.links[l->sides[0].id] = l;
  to.links[l->sides[1].id] = l;
  ++counts_.links;
  after(a_while(), from, [l, address] {
    auto& mine = l->sides[0];
    if (mine.over) return;
    mine.up = true;
    l->failed = {};
    if (mine.who->hears && mine.who->listener.up)
      mine.who->listener.up(mine.id, l->sides[1].who->name(), address);
  });
  if (to.listener.up)
    to.listener.up(l->sides[1].id, from.name(), from.name() + ":" + std::to_string(40000 + l->serial));
}

void sim_network::close(end& from, link_id id, const std::string& why) {
  const auto it = from.links.find(id);
  if (it == from.links.end()) return;
  const auto l = it->second;
  const std::size_t side = l->sides[0].who == &from ? 0 : 1;
  const auto& other = *l->sides.at(1 - side).who;
  // The last words go the way of all others: into a cut, nowhere.
  const bool heard = !l->dead && !is_cut(from.name(), other.name());
  tell_down(l, static_cast<int>(side), why, core::span{0});
  die(l, "closed by " + from.name(), side == 1 && heard, side == 0 && heard);
}

void sim_network::die(const std::shared_ptr<link>& l, const std::string& why, bool tell_dialer,
                      bool tell_other) {
  if (!std::exchange(l->dead, true)) ++counts_.deaths;
  links_.erase(l->serial);
  if (tell_dialer) tell_down(l, 0, why, a_while());
  if (tell_other) tell_down(l, 1, why, a_while());
}

void sim_network::tell_down(const std::shared_ptr<link>& l, int side, const std::string& why, core::span in) {
  auto& mine = l->sides.at(static_cast<std::size_t>(side));
  if (mine.over || mine.who->life != mine.life) return;
  mine.over = true;
  auto& who = *mine.who;
  after(in, who, [l, &who, &mine, why] {
    who.links.erase(mine.id);
    if (!who.hears) return;
    if (!mine.up) {
      if (const auto failed = std::exchange(l->failed, {})) failed(no_way(why));
    } else if (who.listener.down) {
      who.listener.down(mine.id, why);
    }
  });
}

// ---- what goes wrong

void sim_network::cut(const std::string& from, const std::string& to) { cuts_.emplace(from, to); }

// What was sent into the cut comes now, unless the line gave up meanwhile.
void sim_network::mend(const std::string& from, const std::string& to) {
  if (cuts_.erase({from, to}) == 0) return;
  const auto all = links_;
  for (const auto& [serial, l] : all)
    for (const std::size_t side : {0U, 1U}) {
      auto& mine = l->sides.at(side);
      if (mine.who->name() != from || l->sides.at(1 - side).who->name() != to || mine.stuck.empty()) continue;
      if (luck_.chance(0.5)) {
        die(l, "the line was cut", luck_.chance(0.7), luck_.chance(0.7));
        break;
      }
      for (auto& e : std::exchange(mine.stuck, {}))
        travel(l, static_cast<int>(side), std::move(e), a_while());
    }
}

void sim_network::mend_all() {
  const auto all = cuts_;
  for (const auto& [from, to] : all) mend(from, to);
}

void sim_network::sever(const std::string& a, const std::string& b, bool tell_a, bool tell_b) {
  const auto all = links_;
  for (const auto& [serial, l] : all) {
    const auto& first = l->sides[0].who->name();
    const auto& second = l->sides[1].who->name();
    if (first == a && second == b)
      die(l, "connection reset", tell_a, tell_b);
    else if (first == b && second == a)
      die(l, "connection reset", tell_b, tell_a);
  }
}

void sim_network::crash(const std::string& name, bool told) {
  auto& gone = static_cast<end&>(party(name));
  const auto mine = std::exchange(gone.links, {});
  for (const auto& [id, l] : mine) {
    const bool dialled = l->sides[0].who == &gone;
    l->sides.at(dialled ? 0 : 1).over = true;
    const bool heard = told && !l->dead && !is_cut(name, l->sides.at(dialled ? 1 : 0).who->name());
    die(l, name + " is gone", !dialled && heard, dialled && heard);
  }
  ++gone.life;
  gone.silence();
  gone.frozen = false;
  gone.missed.clear();
}

void sim_network::freeze(const std::string& name) { static_cast<end&>(party(name)).frozen = true; }

void sim_network::thaw(const std::string& name) {
  auto& there = static_cast<end&>(party(name));
  there.frozen = false;
  for (auto& e : std::exchange(there.missed, {})) events_[{now_(), ++serial_}] = std::move(e);
}

}  // namespace belfry::tests
