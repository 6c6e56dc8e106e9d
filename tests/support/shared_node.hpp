// SHARED NODE: one node for all tests that need nothing special of it, started when the first one asks. A
// test that kills it, or changes its limits, takes one of its own.
#pragma once

#include <string>

#include "tests/support/real_node.hpp"

namespace belfry::test {

// With four executors and without limits. Started again when it has ended, so that one crash does not fail
// every test after it.
real_node& shared_node();
// Different in each call: names of this test are nobody else's.
std::string fresh_name(const std::string& about);

// A worker of its own kind on a node: registers, claims, says how it went.
class outside_worker {
 public:
  outside_worker(real_node& node, const json& registration);
  // Claims as the wish says; the session is added.
  std::vector<json> claim(json wish = json::object());
  // The one run that must be there; throws when it does not come in time.
  json claim_one(json wish = json::object());
  http_reply say(const json& claimed, const std::string& verb, json body = json::object());
  const std::string& id() const { return id_; }

 private:
  http_client http_;
  std::string id_;
};

}  // namespace belfry::test
