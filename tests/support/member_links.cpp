#include "actors/support/message_types.hpp"
// after the message types
#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "tests/support/member_links.hpp"

namespace belfry::tests {

using namespace messages;

bool hand_links::send(actors::link_id to, actors::envelope e) {
  if (to != link || link == 0 || full) return false;
  sent.push_back(std::move(e));
  return true;
}

void hand_links::close(actors::link_id which, std::string why) {
  closed.emplace_back(which, std::move(why));
  if (which != link) return;
  link = 0;
  sent.clear();
  if (to_.down) to_.down(which, "closed here");
}

void hand_links::dial(std::string address, std::function<void(core::failure)> failed) {
  dialled.push_back(std::move(address));
  failed_ = std::move(failed);
}

actors::link_id hand_links::rise(const std::string& node) {
  link = ++last_;
  failed_ = nullptr;
  if (to_.up) to_.up(link, node, dialled.empty() ? "?" : dialled.back());
  return link;
}

void hand_links::fail(const std::string& why) {
  if (auto tell = std::exchange(failed_, nullptr)) tell({core::errc::unavailable, why, {}, {}});
}

void hand_links::fall(const std::string& why) {
  const auto id = std::exchange(link, 0);
  sent.clear();
  if (to_.down) to_.down(id, why);
}

void hand_links::say_on(actors::link_id id, actors::envelope e) {
  if (to_.came) to_.came(id, std::move(e));
}

struct lone_member::cast {
  std::map<caf::actor_id, std::pair<std::string, caf::weak_actor_ptr>> seen;
};

namespace {

caf::scheduler::test_coordinator& coordinator_of(actors::member_node& m) {
  return dynamic_cast<caf::scheduler::test_coordinator&>(m.system().scheduler());
}

}  // namespace

actors::member_options lone_member::usual_options() {
  actors::member_options o;
  o.node = "beta";
  o.mark = "test";
  o.coordinators = {"one:7400", "two:7400"};
  o.labels = {"disk=ssd"};
  o.capabilities = {"gpu"};
  o.version = "1.2.3";
  o.executor.processes = 1;
  o.executor.lease = std::chrono::seconds{60};
  o.schedule = actors::scheduling::testing;
  return o;
}

lone_member::lone_member(actors::member_options options) : cast_{std::make_unique<cast>()} {
  actors::member_parts parts;
  parts.links = &links;
  parts.clock = &time;
  parts.randomness = chance.get();
  parts.processes = &processes;
  parts.note = [this](actors::note_level, const std::string& line) { notes.push_back(line); };
  parts.fatal = [this](const core::failure& why) { fatal.push_back(why); };
  parts.doomed_at = [this](core::instant at) { doom.push_back(at); };
  member = std::make_unique<actors::member_node>(std::move(options), std::move(parts));
  coordinator_origin_ = coordinator_of(*member).clock().now().time_since_epoch().count();
  steady_origin_ = time.steady();
  if (const auto started = member->start(); !started) throw std::runtime_error(started.error().text);
  run();
}

lone_member::~lone_member() {
  cast_->seen.clear();
  member.reset();
}

void lone_member::run() {
  auto& coordinator = coordinator_of(*member);
  while (!coordinator.jobs.empty()) {
    if (auto* a = dynamic_cast<caf::scheduled_actor*>(coordinator.jobs.front()))
      cast_->seen.try_emplace(a->id(), a->name(), caf::weak_actor_ptr{a->ctrl()});
    coordinator.try_run_once();
  }
}

void lone_member::advance(core::span by) {
  constexpr core::span second = std::chrono::seconds{1};
  for (auto left = by; left > core::span{0}; left -= second) {
    pass(std::min(left, second));
    if (!mute && links.link != 0) say(wire::kind::beat, wire::beat{});
  }
}

void lone_member::pass(core::span by) {
  const auto target = time.steady() + by;
  run();
  auto& clock = coordinator_of(*member).clock();
  const auto steady_of = [this](caf::actor_clock::time_point t) {
    const std::chrono::nanoseconds since{t.time_since_epoch().count() - coordinator_origin_};
    return steady_origin_ + std::chrono::duration_cast<core::span>(since);
  };
  for (;;) {
    auto next = target;
    bool due = false;
    if (const auto& set = clock.schedule(); !set.empty() && steady_of(set.begin()->first) <= next) {
      next = steady_of(set.begin()->first);
      due = true;
    }
    if (const auto at = processes.next_due(); at && *at <= next) {
      next = *at;
      due = true;
    }
    time.advance(std::max(next - time.steady(), core::span{0}));
    clock.advance_time(time.steady() - steady_of(clock.now()));
    processes.advance();
    run();
    if (!due) return;
  }
}

bool lone_member::kill(const std::string& actor_name) {
  bool found = false;
  for (const auto& [id, who] : cast_->seen) {
    if (who.first != actor_name) continue;
    const auto alive = caf::actor_cast<caf::strong_actor_ptr>(who.second);
    if (!alive) continue;
    caf::anon_send_exit(alive, caf::exit_reason::kill);
    found = true;
  }
  return found;
}

wire::hello lone_member::greet() {
  links.rise();
  run();
  const auto e = next(wire::kind::hello);
  if (!e) throw std::runtime_error("no hello came");
  return wire::read_hello(e->body).value();
}

void lone_member::welcome(wire::welcome w) {
  w.node = "head";
  w.cluster = "acme";
  say(wire::kind::welcome, w);
}

void lone_member::join(wire::welcome w) {
  greet();
  welcome(std::move(w));
}

void lone_member::refuse(core::errc code, const std::string& text, std::uint16_t version) {
  say(wire::kind::refused, wire::refused{code, text, version});
}

std::optional<actors::envelope> lone_member::next(wire::kind what) {
  for (auto it = links.sent.begin(); it != links.sent.end(); ++it) {
    if (it->kind != static_cast<std::uint16_t>(what)) continue;
    auto found = std::move(*it);
    links.sent.erase(it);
    return found;
  }
  return std::nullopt;
}

void lone_member::answer(std::uint64_t number, core::result<wire::reply> what, core::span waited) {
  say(wire::kind::answer, wire::answer{std::move(what), waited}, number);
}

void lone_member::seat_everybody() {
  while (auto q = asked<register_session>()) {
    auto who = q->second.who;
    if (!who.id) who.id = core::session_id{static_cast<std::int64_t>(++seats_)};
    answer(q->first, wire::reply{session_answer{std::move(who)}});
  }
}

std::size_t lone_member::grant_renewals(bool cancel) {
  std::size_t granted = 0;
  std::vector<actors::envelope> kept;
  while (auto q = asked<touch_leases>()) {
    touched t;
    for (const auto& call : q->second.calls) {
      lease_status s;
      s.cancel_requested = cancel;
      if (!std::holds_alternative<core::cmd_renew>(call.what))
        throw std::runtime_error("a call that is no renewal");
      t.answers.emplace_back(s);
      ++granted;
    }
    answer(q->first, wire::reply{std::move(t)});
  }
  return granted;
}

claimed_run lone_member::hand_out(std::uint64_t id, std::uint64_t fencing, core::span grace) const {
  core::run_spec spec;
  spec.name = "task";
  spec.process.argv = {"true"};
  spec.grace = grace;
  claimed_run c;
  c.run.spec = std::make_shared<const core::run_spec>(std::move(spec));
  c.run.head.id = core::run_id{static_cast<std::int64_t>(id)};
  c.run.head.state = core::run_state::running;
  c.run.head.name = "task";
  c.run.head.attempt = static_cast<std::uint32_t>(fencing);
  c.run.head.fencing = fencing;
  c.token = "token-" + std::to_string(id) + "-" + std::to_string(fencing);
  return c;
}

void lone_member::give(const claimed_run& run, core::span waited) {
  const auto q = asked<claim_runs>();
  if (!q) throw std::runtime_error("nobody claims");
  claimed_runs all;
  all.runs.push_back(run);
  answer(q->first, wire::reply{std::move(all)}, waited);
}

std::string lone_member::key_of(const claimed_run& run) {
  return to_string(run.run.head.id) + "/" + std::to_string(run.run.head.fencing);
}

core::lease_proof lone_member::proof_of(const claimed_run& run) {
  return {run.run.head.fencing, platform::sha256(run.token)};
}

wire::held_run lone_member::held(const claimed_run& run) const {
  return {first, run.run.head.id, run.run.head.fencing};
}

}  // namespace belfry::tests
