// The cluster desk through the whole node, under virtual time: who is let in, and what silence does.
#include "tests/support/member_by_hand.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::errc;
using core::event_kind;
using core::node_state;
using messages::wire::kind;
using tests::coordinator;
using tests::member_by_hand;

TEST_CASE("cluster: a node that is alone shows itself as coordinator, and says what drains it",
          "[actors][cluster]") {
  tests::virtual_node node;
  const auto seen = node.ask<messages::nodes_seen>(messages::look_at_nodes{});
  REQUIRE(seen);
  REQUIRE(seen->nodes.size() == 1);
  CHECK(seen->cluster.empty());
  CHECK(seen->nodes[0].node.role == core::node_role::coordinator);
  CHECK(seen->nodes[0].node.state == node_state::up);
  CHECK(seen->nodes[0].node.executors == 2);
  CHECK(seen->nodes[0].sessions.size() == 2);
  const auto no = node.ask<messages::nodes_seen>(messages::steer_node{"local", true, "", "test"});
  REQUIRE(no.refused_with(errc::invalid_transition));
  CHECK(no.error().command == "belfry scheduler drain");
  CHECK(node.ask<messages::nodes_seen>(messages::look_at_nodes{"ghost"}).refused_with(errc::not_found));
}

TEST_CASE("cluster: a member joins, is shown with what it said, and is in the journal once",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.self.labels = {"disk=ssd"};
  m.self.executors = 3;
  const auto w = m.joins();
  CHECK(w.node == "boss");
  CHECK(w.cluster == "town");
  CHECK(w.boot.size() == 36);
  CHECK_FALSE(w.draining);
  CHECK(w.membership.lost_after == core::span{10s});
  const auto seen = c.ask<messages::nodes_seen>(messages::look_at_nodes{});
  REQUIRE(seen);
  REQUIRE(seen->nodes.size() == 2);
  CHECK(seen->nodes[0].node.name == "boss");
  CHECK(seen->nodes[1].node.name == "alpha");
  CHECK(seen->nodes[1].node.state == node_state::up);
  CHECK(seen->nodes[1].node.executors == 3);
  CHECK(seen->nodes[1].node.labels == std::vector<std::string>{"disk=ssd"});
  CHECK(c.count_events(event_kind::node_joined) == 1);
}

TEST_CASE("cluster: another version of the wire is refused, and both are named", "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.self.version = 7;
  const auto no = m.is_refused();
  CHECK(no.text.find("version 7") != std::string::npos);
  CHECK(no.text.find("version 1") != std::string::npos);
  CHECK(no.text.find("belfry 1.0") != std::string::npos);
  CHECK(no.version == core::wire_version);

  // Also when its body cannot be read by anybody here.
  member_by_hand later{c};
  later.link = c.wires.connect("alpha");
  later.say(kind::hello, 0, "?", 9);
  c.run();
  const auto* e = later.last(kind::refused);
  REQUIRE(e != nullptr);
  CHECK(messages::wire::read_refused(e->body)->text.find("version 9") != std::string::npos);
}

TEST_CASE("cluster: nobody is let in as somebody else, as the coordinator, or without a boot",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand impostor{c, "mallory"};
  impostor.self.node = "alpha";
  auto no = impostor.is_refused();
  CHECK(no.code == errc::forbidden);
  CHECK(no.text.find("mallory") != std::string::npos);

  member_by_hand twin{c, "boss"};
  CHECK(twin.is_refused().code == errc::already_exists);

  member_by_hand vague{c, "beta"};
  vague.self.boot = "b-1";
  CHECK(vague.is_refused().code == errc::invalid);
  CHECK(c.count_events(event_kind::node_joined) == 0);
}

TEST_CASE("cluster: another process of the same name is refused while the first is heard of, then takes over",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand first{c};
  first.joins();
  member_by_hand second{c, "alpha", 2};
  CHECK(second.is_refused().code == errc::conflict);
  CHECK(first.linked());
  c.advance(2s - 1us);
  CHECK(second.is_refused().code == errc::conflict);
  c.advance(1us);
  second.joins();
  CHECK_FALSE(first.linked());
  CHECK(c.node_view_of("alpha").node.boot == second.self.boot);
}

TEST_CASE("cluster: the same process by another link takes over at once", "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto old = m.link;
  m.joins();
  CHECK_FALSE(c.wires.at(old).open);
  CHECK(m.linked());
  CHECK(c.count_events(event_kind::node_joined) == 1);
  CHECK(c.count_events(event_kind::node_returned) == 1);
}

TEST_CASE("cluster: more nodes than may be known are refused", "[actors][cluster]") {
  auto o = coordinator::usual();
  o.cluster.max_nodes = 1;
  coordinator c{o};
  member_by_hand a{c, "alpha"}, b{c, "beta"};
  a.joins();
  CHECK(b.is_refused().code == errc::limit_exceeded);
  a.cut();
  a.joins();  // it is known
}

TEST_CASE(
    "cluster: a silent node is suspect at two seconds and lost at ten, exactly, and is back with a word",
    "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  c.advance(2s - 1us);
  CHECK(c.judged("alpha") == node_state::up);
  CHECK(c.status().issues.empty());
  c.advance(1us);
  CHECK(c.judged("alpha") == node_state::suspect);
  REQUIRE(c.status().issues.size() == 1);
  CHECK(c.status().issues[0].rfind("node_suspect: alpha silent since", 0) == 0);
  c.advance(8s - 1us);
  CHECK(c.judged("alpha") == node_state::suspect);
  c.advance(1us);
  CHECK(c.judged("alpha") == node_state::lost);
  REQUIRE(c.status().issues.size() == 1);
  CHECK(c.status().issues[0].rfind("node_lost: alpha", 0) == 0);
  CHECK(c.status().health == "degraded");
  c.advance(1h);
  CHECK(c.count_events(event_kind::node_suspected) == 1);
  CHECK(c.count_events(event_kind::node_lost) == 1);
  m.beat();
  CHECK(c.judged("alpha") == node_state::up);
  CHECK(c.count_events(event_kind::node_returned) == 1);
  CHECK(c.status().issues.empty());
  CHECK(c.status().health == "healthy");
}

TEST_CASE("cluster: a node without a link is judged like a silent one, and whoever beats is never suspected",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand a{c, "alpha"}, b{c, "beta"};
  a.joins();
  b.joins();
  a.cut();
  b.lives(10s);
  CHECK(c.judged("alpha") == node_state::lost);
  CHECK(c.judged("beta") == node_state::up);
  CHECK(c.count_events(event_kind::node_suspected) == 1);
}

TEST_CASE("cluster: beats go both ways and measure the way", "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  m.beat();
  CHECK(m.last(kind::beaten) != nullptr);
  c.advance(500ms);
  const auto* beat = m.last(kind::beat);
  REQUIRE(beat != nullptr);
  const auto number = beat->number;
  c.advance(20ms);
  m.say(kind::beaten, number, {});
  c.run();
  CHECK(c.node_view_of("alpha").latency == core::span{20ms});
}

TEST_CASE("cluster: a wall clock that jumps makes nobody suspect", "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  c.jump(1h);
  m.lives(1s);
  c.jump(-3h);
  m.lives(1s);
  CHECK(c.judged("alpha") == node_state::up);
  CHECK(c.count_events(event_kind::node_suspected) == 0);
}

TEST_CASE("cluster: what cannot be read, and what no member says, costs the link and nothing else",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand good{c, "good"};
  good.joins();
  for (const auto k : {kind::beat, kind::ask, kind::welcome, kind::stop, static_cast<kind>(99)}) {
    member_by_hand m{c};
    m.joins();
    m.say(k, 1, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
    c.run();
    CHECK_FALSE(m.linked());
  }
  member_by_hand eager{c};
  eager.link = c.wires.connect("alpha");
  eager.beat();
  CHECK_FALSE(eager.linked());
  member_by_hand garbled{c};
  garbled.link = c.wires.connect("alpha");
  garbled.say(kind::hello, 0, "\xff\xff\xff");
  c.run();
  CHECK_FALSE(garbled.linked());
  // Where nothing is read, nothing can be wrong.
  member_by_hand loose{c, "loose"};
  loose.joins();
  loose.say(kind::beaten, 1, "\xff\xff\xff");
  c.run();
  CHECK(loose.linked());
  loose.say(kind::good_bye, 0, "\xff\xff\xff");
  c.run();
  CHECK(c.judged("loose") == node_state::left);
  CHECK(good.linked());
  CHECK(c.fatal.empty());
  CHECK(c.judged("good") == node_state::up);
}

TEST_CASE("cluster: a caller that does not say who it is is hung up on", "[actors][cluster]") {
  coordinator c;
  const auto link = c.wires.connect("alpha");
  c.run();
  c.advance(10s - 1us);
  CHECK(c.wires.at(link).open);
  c.advance(1us);
  CHECK_FALSE(c.wires.at(link).open);
}

TEST_CASE("cluster: a removed node is not let in before it is readmitted, also after a restart",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  messages::remove_node out{"alpha", false, false, "sold", "test"};
  auto no = c.ask<messages::nodes_seen>(out);
  REQUIRE(no.refused_with(errc::invalid_transition));
  CHECK(no.error().command == "belfry node drain alpha");
  CHECK(m.linked());
  out.force = true;
  const auto done = c.ask<messages::nodes_seen>(out);
  REQUIRE(done);
  CHECK(done->nodes.at(0).node.removed);
  CHECK_FALSE(m.linked());
  CHECK_FALSE(c.admits->admits("alpha"));
  CHECK(c.admits->admits("beta"));
  CHECK(m.is_refused().code == errc::forbidden);
  CHECK(c.ask<messages::nodes_seen>(messages::look_at_nodes{})->nodes.size() == 1);

  c.begin_anew();
  CHECK_FALSE(c.admits->admits("alpha"));
  CHECK(m.is_refused().code == errc::forbidden);
  out.back = true;
  REQUIRE(c.ask<messages::nodes_seen>(out));
  CHECK(c.admits->admits("alpha"));
  m.joins();
  CHECK(c.count_events(event_kind::node_removed) == 1);
  CHECK(c.count_events(event_kind::node_readmitted) == 1);
}

TEST_CASE("cluster: a node that says good-bye has left, and is neither suspected nor lost",
          "[actors][cluster]") {
  coordinator c;
  member_by_hand m{c};
  m.joins();
  const auto who = m.seats();
  m.say(kind::good_bye, 0, {});
  c.run();
  CHECK_FALSE(m.linked());
  CHECK(c.judged("alpha") == node_state::left);
  CHECK(c.node_view_of("alpha").sessions.empty());
  c.advance(1min);
  CHECK(c.judged("alpha") == node_state::left);
  CHECK(c.count_events(event_kind::node_left) == 1);
  CHECK(c.count_events(event_kind::node_suspected) == 0);
  CHECK(c.ask<messages::nodes_seen>(messages::remove_node{"alpha", false, false, "", "test"}).ok());
  (void)who;
}
