// Access tokens with the real binary: made, declared, shown, refused.
#include <catch2/catch.hpp>

#include <fstream>

#include "tests/e2e/cli.hpp"
#include "tests/support/real_node.hpp"

using namespace belfry::test;

TEST_CASE("access: a token that is made and declared lets in as far as its role goes", "[e2e][access]") {
  const auto made = cli{std::string{}}.doc({"access", "create", "ci", "--role", "operate"});
  const auto weak = cli{std::string{}}.doc({"access", "create", "agent"});
  CHECK(weak.at("role") == "work");
  const std::string token = made.at("token");
  REQUIRE(token.size() == 43);
  CHECK_FALSE(has(made.at("declaration").get<std::string>(), token));
  real_node node{{.flags = {"--set", "access.tokens=" + made.at("declaration").get<std::string>() + "," +
                                         weak.at("declaration").get<std::string>()}}};
  cli nobody{node}, ci{node}, agent{node};
  ci.variables = {{"BELFRY_ACCESS_TOKEN", token}};
  agent.variables = {{"BELFRY_ACCESS_TOKEN", weak.at("token")}};

  const auto refused = nobody({"ls"});
  CHECK(refused.exit_code == 4);
  CHECK(has(refused.err, "list_runs needs the role read"));
  CHECK(nobody({"health"}).exit_code == 0);

  const auto run = ci.line({"submit", "--wait", "-o", "name", "--", "true"});
  CHECK(agent({"show", run}).exit_code == 0);
  const auto forced = agent({"cancel", run});
  CHECK(forced.exit_code == 4);
  CHECK(has(forced.err, "the access token \"agent\" has the role work"));
  const auto story = ci({"events", "--run", run});
  CHECK(has(story.out, "ci/cli:"));

  // A worker with a token of its own is let in, and what it holds is proved by its lease.
  const auto outside = ci.line({"submit", "--outside", "--name", "far", "-o", "name"});
  const std::string session = agent.doc({"session", "register", "w"}).at("id");
  CHECK(nobody({"claim", session}).exit_code == 4);
  const auto claimed = agent.doc({"claim", session}).at("claims").at(0);
  const auto ended = nobody({"run", "complete", outside, "--token", claimed.at("token"), "--fencing",
                             std::to_string(claimed.at("fencing").get<int>())});
  INFO(ended.err);
  CHECK(ended.exit_code == 0);
  CHECK(ci.doc({"show", outside}).at("state") == "succeeded");

  // The user of the node needs none.
  cli own{"unix:" + node.unix_socket().socket};
  CHECK(own({"ls"}).exit_code == 0);
  // Nothing that the node says or writes has a token in it.
  CHECK_FALSE(has(own({"config", "show", "--node"}).out, token));
  CHECK_FALSE(has(node.said(), token));
}

TEST_CASE("access: a declaration that is none is refused with what it should be", "[e2e][access]") {
  const auto end = cli{std::string{}}({"config", "show", "--set", "access.tokens=ci root abc"});
  CHECK(end.exit_code == 2);
  CHECK(has(end.err, "the role is read, work, operate or admin"));
  CHECK(cli{std::string{}}({"access", "create", "a b"}).exit_code == 2);
  CHECK(cli{std::string{}}({"access", "create", "a", "--role", "root"}).exit_code == 2);
}
