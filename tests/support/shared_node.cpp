#include "tests/support/shared_node.hpp"

#include <memory>

namespace belfry::test {

real_node& shared_node() {
  static std::unique_ptr<real_node> node;
  if (node && node->ended()) node.reset();
  if (!node) {
    node_setup setup;
    setup.executors = 4;
    // Tests share it, so no limit of one may hold up another.
    setup.flags = {"--set", "limits.per_lane=0", "--set", "limits.per_agent_type=0",
                   "--set", "limits.per_batch=0"};
    setup.environment = {{"BELFRY_TEST_SECRET", "of the node"}, {"SECRET_OF_THE_NODE", "must not leak"}};
    node = std::make_unique<real_node>(setup);
  }
  return *node;
}

std::string fresh_name(const std::string& about) {
  static int count = 0;
  return about + "-" + std::to_string(++count);
}

outside_worker::outside_worker(real_node& node, const json& registration) : http_(node.tcp()) {
  id_ = http_.post_json("/v1/sessions", registration).at("id").get<std::string>();
}

std::vector<json> outside_worker::claim(json wish) {
  wish["session"] = id_;
  const auto answer = http_.post_json("/v1/claims", wish);
  return answer.at("claims").get<std::vector<json>>();
}

json outside_worker::claim_one(json wish) {
  wish["max"] = 1;
  if (!wish.contains("wait")) wish["wait"] = "10s";
  auto got = claim(std::move(wish));
  if (got.size() != 1) throw std::runtime_error("nothing to claim came in time");
  return got.front();
}

http_reply outside_worker::say(const json& claimed, const std::string& verb, json body) {
  body["token"] = claimed.at("token");
  body["fencing"] = claimed.at("fencing");
  return http_.post("/v1/runs/" + claimed.at("run_id").get<std::string>() + ":" + verb, body);
}

}  // namespace belfry::test
