// Nodes of the cluster: their rows, what operators said of them, and the journal.
#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::event_kind;
using core::node_state;
using core::node_word;

namespace {

core::node_news joins(const std::string& name, const std::string& boot = "b-1") {
  core::node_news n;
  n.node.name = name;
  n.node.boot = boot;
  n.node.version = "0.9.0";
  n.node.address = "10.0.0.7:4711";
  n.node.labels = {"disk=ssd", "zone=a"};
  n.node.capabilities = {"gpu"};
  n.node.executors = 8;
  return n;
}

core::node_news word(const std::string& name, node_word w, std::string because = {}) {
  core::node_news n;
  n.word = w;
  n.node.name = name;
  n.because = std::move(because);
  return n;
}

template <class Fixture>
std::vector<core::cluster_node> nodes_of(Fixture& f) {
  auto all = f.read().list_nodes();
  REQUIRE(all.ok());
  return *all;
}

}  // namespace

TEMPLATE_TEST_CASE("nodes: a node that joins is there after a restart with all that its hello said",
                   "[nodes]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto before = f.store().last_event();
  f.does(st::tell_node{joins("beta")});
  f.does(st::tell_node{joins("alpha")});
  f.reopen();
  const auto all = nodes_of(f);
  REQUIRE(all.size() == 2);
  CHECK(all[0].name == "alpha");
  auto expected = joins("beta").node;
  expected.state = node_state::up;
  expected.joined_at = expected.seen_at = expected.changed_at = expected.first_seen = f.now;
  CHECK(all[1] == expected);
  CHECK(f.kinds_after(before) == std::vector{event_kind::node_joined, event_kind::node_joined});
  CHECK(f.events().back().text == "alpha boot=b-1 version=0.9.0 executors=8 from=10.0.0.7:4711");
}

TEMPLATE_TEST_CASE("nodes: the same boot again is a return, another one joins anew and keeps its first day",
                   "[nodes]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.does(st::tell_node{joins("alpha")});
  const auto first = f.now;
  f.now += 1h;
  f.does(st::tell_node{joins("alpha")});
  CHECK(f.events().back().kind == event_kind::node_returned);
  CHECK(nodes_of(f).at(0).joined_at == first);
  CHECK(nodes_of(f).at(0).seen_at == f.now);
  f.now += 1h;
  f.does(st::tell_node{joins("alpha", "b-2")});
  CHECK(f.events().back().kind == event_kind::node_joined);
  const auto is = nodes_of(f).at(0);
  CHECK(is.boot == "b-2");
  CHECK(is.joined_at == f.now);
  CHECK(is.first_seen == first);
}

TEMPLATE_TEST_CASE("nodes: what an operator said outlives a restart and a new boot, and is said once",
                   "[nodes]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.does(st::tell_node{joins("alpha")});
  const auto before = f.store().last_event();
  const auto drained = f.does(st::tell_node{word("alpha", node_word::draining, "new disk")});
  REQUIRE(drained.nodes.size() == 1);
  CHECK(drained.nodes[0].draining);
  CHECK(f.does(st::tell_node{word("alpha", node_word::draining, "again")}).replayed);
  f.reopen();
  f.does(st::tell_node{joins("alpha", "b-2")});
  auto is = nodes_of(f).at(0);
  CHECK(is.draining);
  CHECK(is.reason == "new disk");
  CHECK_FALSE(is.by.empty());
  f.does(st::tell_node{word("alpha", node_word::drained)});
  f.does(st::tell_node{word("alpha", node_word::resumed)});
  is = nodes_of(f).at(0);
  CHECK_FALSE(is.draining);
  CHECK(is.reason.empty());
  CHECK(f.kinds_after(before) == std::vector{event_kind::node_draining, event_kind::node_joined,
                                             event_kind::node_drained, event_kind::node_resumed});
}

TEMPLATE_TEST_CASE("nodes: a removed node does not join until it is readmitted", "[nodes]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  f.does(st::tell_node{joins("alpha")});
  f.does(st::tell_node{word("alpha", node_word::removed, "sold")});
  f.reopen();
  CHECK(nodes_of(f).at(0).removed);
  CHECK(f.refuses(st::tell_node{joins("alpha", "b-2")}).code == errc::invalid_transition);
  CHECK(nodes_of(f).at(0).boot == "b-1");
  f.does(st::tell_node{word("alpha", node_word::readmitted)});
  f.does(st::tell_node{joins("alpha", "b-2")});
  CHECK_FALSE(nodes_of(f).at(0).removed);
}

TEMPLATE_TEST_CASE("nodes: losses, returns and leaves are told once each, suspicion is written in no row",
                   "[nodes]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  f.does(st::tell_node{joins("alpha")});
  const auto row = nodes_of(f).at(0);
  const auto before = f.store().last_event();
  f.now += 2s;
  f.does(st::tell_node{word("alpha", node_word::suspected)});
  CHECK(nodes_of(f).at(0) == row);
  f.now += 8s;
  auto news = word("alpha", node_word::lost, "silent for 10s");
  news.node.seen_at = row.seen_at + 1ms;
  f.does(st::tell_node{news});
  CHECK(f.does(st::tell_node{news}).replayed);
  f.reopen();
  CHECK(nodes_of(f).at(0).state == node_state::lost);
  CHECK(nodes_of(f).at(0).seen_at == row.seen_at + 1ms);
  CHECK(nodes_of(f).at(0).changed_at == f.now);
  f.does(st::tell_node{word("alpha", node_word::returned)});
  f.does(st::tell_node{word("alpha", node_word::left)});
  CHECK(nodes_of(f).at(0).state == node_state::left);
  CHECK(f.kinds_after(before) == std::vector{event_kind::node_suspected, event_kind::node_lost,
                                             event_kind::node_returned, event_kind::node_left});
}

TEMPLATE_TEST_CASE("nodes: of a node that never was, and of a name that is none, nothing is written",
                   "[nodes]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto before = f.store().last_event();
  CHECK(f.refuses(st::tell_node{word("ghost", node_word::draining)}).code == errc::not_found);
  CHECK(f.refuses(st::tell_node{joins("No/Name")}).code == errc::invalid);
  CHECK(nodes_of(f).empty());
  CHECK(f.store().last_event() == before);
}
