#include "tests/support/real_cluster.hpp"

#include <filesystem>
#include <stdexcept>

#include "platform/ports/clock.hpp"
#include "platform/ports/secure_links.hpp"
#include "tests/support/cable.hpp"
#include "tests/support/link_proxy.hpp"

namespace belfry::test {
namespace {

constexpr auto valid_for = std::chrono::hours{24};

std::vector<std::string> times_of(const cluster_setup& s) {
  return {"--set", "cluster.beat=" + s.beat,
          "--set", "cluster.suspect_after=" + s.suspect_after,
          "--set", "cluster.lost_after=" + s.lost_after,
          "--set", "executor.lease=" + s.lease};
}

node_setup node_of(const cluster_setup& s, const std::string& name, const std::string& certificates) {
  node_setup n;
  n.flags = {"--cluster-certificates", certificates};
  for (auto& each : times_of(s)) n.flags.push_back(each);
  n.flags.insert(n.flags.end(), s.flags.begin(), s.flags.end());
  if (const auto own = s.flags_of.find(name); own != s.flags_of.end())
    n.flags.insert(n.flags.end(), own->second.begin(), own->second.end());
  n.environment = s.environment;
  return n;
}

}  // namespace

real_cluster::real_cluster(cluster_setup setup, bool begin) : setup_(std::move(setup)), port_(free_port()) {
  const auto clock = platform::system_clock();
  const auto authority = folder_ / "authority";
  std::filesystem::create_directory(authority);
  if (const auto made = platform::make_authority(authority, "home", clock->now(), valid_for); !made)
    throw std::runtime_error(made.error().text);
  std::vector<std::string> names{"a"};
  names.insert(names.end(), setup_.members.begin(), setup_.members.end());
  for (const auto& name : names) {
    std::filesystem::create_directory(certificates(name));
    if (const auto made = platform::issue_node(authority, name, certificates(name), clock->now(), valid_for);
        !made)
      throw std::runtime_error(made.error().text);
  }
  auto a = node_of(setup_, "a", certificates("a"));
  a.executors = setup_.executors_of_coordinator;
  a.flags.insert(a.flags.end(), {"--cluster-listen",
                                 (setup_.namespaces ? "0.0.0.0:" : "127.0.0.1:") + std::to_string(port_)});
  coordinator_ = std::make_unique<real_node>(std::move(a), false);
  for (const auto& name : setup_.members) {
    if (setup_.namespaces)
      links_[name] = std::make_unique<cable>(port_);
    else
      links_[name] = std::make_unique<link_proxy>(port_);
    auto m = node_of(setup_, name, certificates(name));
    m.executors = setup_.executors_of_member;
    m.flags.insert(m.flags.end(), {"--join", links_[name]->address()});
    m.network = links_[name]->network();
    members_[name] = std::make_unique<real_node>(std::move(m), false);
  }
  if (begin) start();
}

void real_cluster::start() {
  coordinator().start();
  for (auto& [name, node] : members_) node->launch();
  for (auto& [name, node] : members_)
    if (!node->wait_ready()) throw std::runtime_error("the member " + name + " did not join:\n" + said());
}

bool real_cluster::wait_state(const std::string& name, const std::string& state,
                              std::chrono::milliseconds deadline) {
  return eventually([&] { return node(name).at("state") == state; }, deadline);
}

std::string real_cluster::said() const {
  std::string all = coordinator_->said();
  for (const auto& [name, node] : members_) all += "---- " + name + "\n" + node->said();
  return all;
}

}  // namespace belfry::test
