// Membership: who is let in, and what becomes of the leases of a node that is back.
#include "core/cluster/membership.hpp"

#include <algorithm>
#include <set>

#include <rapidcheck.h>
#include <catch2/catch.hpp>

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

const membership_options usual_membership;
const instant steady_start{};  // a steady clock may well begin at zero

greeting a_greeting() {
  greeting g;
  g.version = wire_version;
  g.said.name = g.certificate = "alpha";
  g.said.boot = boot_uuid(1, 1);
  g.own_name = "boss";
  g.own_version = "1.0";
  g.now = g.heard = steady_start;
  return g;
}

session an_executor(std::int64_t id, const std::string& node, bool gone = false) {
  session s;
  s.id = session_id{id};
  s.name = node + "/process-" + std::to_string(id);
  s.handlers = {handler_kind::process};
  if (gone) s.state = session_state::gone;
  return s;
}

run_head a_lease(std::int64_t run, std::int64_t holder, std::uint64_t fencing) {
  run_head h;
  h.id = run_id{run};
  h.state = run_state::running;
  h.fencing = fencing;
  h.held.holder = session_id{holder};
  return h;
}

bool told_of(const std::vector<run_head>& all, run_id id) {
  return std::any_of(all.begin(), all.end(), [id](const run_head& h) { return h.id == id; });
}

}  // namespace

TEST_CASE("membership: a node that is what it says is let in", "[core][cluster]") {
  CHECK_FALSE(refuse_hello(a_greeting(), usual_membership));
}

TEST_CASE("membership: a duplicate is refused until the other has been silent for long enough",
          "[core][cluster]") {
  auto g = a_greeting();
  g.known = true;
  g.linked_boot = boot_uuid(2, 2);
  CHECK(refuse_hello(g, usual_membership)->code == errc::conflict);
  g.now = steady_start + 2s - 1us;
  CHECK(refuse_hello(g, usual_membership)->code == errc::conflict);
  g.now = steady_start + 2s;
  CHECK_FALSE(refuse_hello(g, usual_membership));
  g.now = steady_start;
  g.linked_boot = g.said.boot;  // the same process
  CHECK_FALSE(refuse_hello(g, usual_membership));
}

TEST_CASE("membership: words of a node are bounded and named when they are wrong", "[core][cluster]") {
  auto g = a_greeting();
  g.said.labels = {"a\nb"};
  g.said.capabilities.assign(most_node_words + 1, "x");
  const auto no = refuse_hello(g, usual_membership);
  REQUIRE(no);
  CHECK(no->code == errc::invalid);
  std::set<std::string> at;
  for (const auto& p : no->problems) at.insert(p.pointer);
  CHECK(at == std::set<std::string>{"/capabilities", "/labels"});
  // As many as may be fit into a session, with the name of the node.
  g = a_greeting();
  for (std::size_t i = 0; i < most_node_words; ++i) {
    g.said.labels.push_back("l" + std::to_string(i));
    g.said.capabilities.push_back("c" + std::to_string(i));
  }
  CHECK_FALSE(refuse_hello(g, usual_membership));
  CHECK(check(session_of_node(session{}, g.said), "").empty());
}

TEST_CASE("membership: only executors of a node belong to it", "[core][cluster]") {
  CHECK(belongs_to(an_executor(1, "alpha"), "alpha"));
  CHECK_FALSE(belongs_to(an_executor(1, "alpha"), "alph"));
  CHECK_FALSE(belongs_to(an_executor(1, "alpha"), "alpha/process"));
  auto stranger = an_executor(1, "alpha");
  stranger.handlers.clear();  // as everybody who registers at a door
  CHECK_FALSE(belongs_to(stranger, "alpha"));
  auto local = an_executor(1, "alpha");
  local.local = true;
  CHECK_FALSE(belongs_to(local, "alpha"));
}

TEST_CASE("membership: an executor drains with its node", "[core][cluster]") {
  auto node = a_greeting().said;
  node.draining = true;
  CHECK(session_of_node(session{}, node).state == session_state::draining);
}

TEST_CASE("membership: of any homecoming every lease of the node is decided once", "[core][cluster]") {
  CHECK(rc::check("kept, given back, lost, or ended with its session", [] {
    homecoming h;
    h.node = "alpha";
    h.new_boot = *rc::gen::inRange(0, 4) == 0;
    for (std::int64_t id = 1; id <= 8; ++id)
      h.sessions.push_back(an_executor(id, *rc::gen::element<std::string>("alpha", "alpha", "beta"),
                                       *rc::gen::inRange(0, 3) == 0));
    for (std::int64_t run = 1; run <= 12; ++run)
      h.leases.push_back(a_lease(run, *rc::gen::inRange(1, 10), 1 + *rc::gen::inRange<std::uint64_t>(0, 3)));
    for (const auto id : {1, 2, 3, 4, 9})
      if (*rc::gen::inRange(0, 2) == 0) h.said.push_back(session_id{id});
    for (std::int64_t run = 1; run <= 14; ++run)
      if (*rc::gen::inRange(0, 2) == 0)
        h.held.push_back({session_id{1}, run_id{run}, 1 + *rc::gen::inRange<std::uint64_t>(0, 3)});

    const auto r = reconcile(h);
    for (const auto& lease : h.leases) {
      const auto holder = std::find_if(h.sessions.begin(), h.sessions.end(),
                                       [&](const session& s) { return s.id == lease.held.holder; });
      const bool ours = holder != h.sessions.end() && belongs_to(*holder, h.node);
      const auto hand = std::find_if(h.held.begin(), h.held.end(),
                                     [&](const run_in_hand& one) { return one.run == lease.id; });
      const bool in_hand = hand != h.held.end() && hand->fencing == lease.fencing;
      const bool ends_with_session =
          ours && std::find(r.crashed.begin(), r.crashed.end(), lease.held.holder) != r.crashed.end();
      const int fates = told_of(r.unseen, lease.id) + told_of(r.lost, lease.id) + ends_with_session;
      if (!ours) {
        RC_ASSERT(fates == 0);  // nobody else's lease is touched
        if (hand != h.held.end())
          RC_ASSERT(std::find(r.taken.begin(), r.taken.end(), *hand) != r.taken.end());
      } else if (h.new_boot) {
        RC_ASSERT(fates == 1);
        RC_ASSERT(!told_of(r.unseen, lease.id));
      } else {
        RC_ASSERT(fates == (in_hand ? 0 : 1));
        RC_ASSERT(told_of(r.unseen, lease.id) == !in_hand);
      }
    }
    for (const auto id : r.orphaned) RC_ASSERT(std::find(h.said.begin(), h.said.end(), id) == h.said.end());
    for (const auto id : r.here) RC_ASSERT(std::find(r.gone.begin(), r.gone.end(), id) == r.gone.end());
  }));
}

TEST_CASE("membership: what was waited for a lease is never more than the truth", "[core][cluster]") {
  CHECK(waited_for(700ms, 0s) == span{700ms});
  CHECK(waited_for(700ms, 200ms) == 500ms);
  CHECK(waited_for(700ms, 1h) == 0s);      // the wall clock was set forward
  CHECK(waited_for(700ms, -1h) == 700ms);  // ... and back: its leases run out later too
}
