// REAL CLUSTER: a coordinator "a" and members "b", "c" … as processes of this machine, with certificates of
// an authority of their own and times that are short enough for a test.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/link_way.hpp"
#include "tests/support/real_node.hpp"

namespace belfry::test {

struct cluster_setup {
  std::vector<std::string> members{"b", "c"};
  int executors_of_coordinator = 0;
  int executors_of_member = 2;
  std::string beat = "100ms", suspect_after = "500ms", lost_after = "2s", lease = "3s";
  // Further flags of all nodes, and of single ones by name.
  std::vector<std::string> flags = {};
  std::map<std::string, std::vector<std::string>> flags_of = {};
  std::vector<std::pair<std::string, std::string>> environment = {};
  // Each member in a network namespace of its own (cable::possible), not behind a proxy on loopback.
  bool namespaces = false;
};

class real_cluster {
 public:
  explicit real_cluster(cluster_setup setup = {}, bool begin = true);

  // Starts everybody and waits until all members are joined.
  void start();
  real_node& coordinator() { return *coordinator_; }
  real_node& member(const std::string& name) { return *members_.at(name); }
  link_way& link(const std::string& name) { return *links_.at(name); }
  const std::vector<std::string>& members() const { return setup_.members; }
  std::string certificates(const std::string& name) const { return folder_ / name; }
  std::string file(const std::string& name) const { return folder_ / name; }
  int port() const { return port_; }

  json node(const std::string& name) { return coordinator().http().get_json("/v1/nodes/" + name); }
  bool wait_state(const std::string& name, const std::string& state,
                  std::chrono::milliseconds deadline = 20s);
  std::string said() const;

 private:
  cluster_setup setup_;
  scratch_folder folder_;
  int port_ = 0;
  std::map<std::string, std::unique_ptr<link_way>> links_;
  std::unique_ptr<real_node> coordinator_;
  std::map<std::string, std::unique_ptr<real_node>> members_;
};

}  // namespace belfry::test
