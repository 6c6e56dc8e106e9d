#include "tests/support/sim_children.hpp"

#include <cstdlib>

namespace belfry::tests {

cluster_child& child_log::begin(const std::string& node, const std::string& key,
                                const platform::process_order& order) {
  cluster_child c;
  c.node = node, c.key = key, c.mark = order.mark;
  for (const auto& [name, value] : order.env) {
    if (name == "BELFRY_RUN_ID")
      if (const auto id = core::parse_id<core::run_id>(value)) c.run = *id;
    if (name == "BELFRY_FENCING") c.fencing = std::strtoull(value.c_str(), nullptr, 10);
  }
  return all_[{c.run, c.fencing}] = std::move(c);
}

void child_log::ended(const std::string& node, const std::string& key, const core::process_end& how) {
  for (auto& [attempt, c] : all_)
    if (c.node == node && c.key == key) c.ended = how;
}

const cluster_child* child_log::find(core::run_id run, std::uint64_t fencing) const {
  const auto it = all_.find({run, fencing});
  return it == all_.end() ? nullptr : &it->second;
}

std::vector<const cluster_child*> child_log::of(core::run_id run) const {
  std::vector<const cluster_child*> found;
  for (auto it = all_.lower_bound({run, 0}); it != all_.end() && it->first.first == run; ++it)
    found.push_back(&it->second);
  return found;
}

void sim_children::start(std::string key, platform::process_order order, platform::process_events events) {
  const auto& child = log_.begin(node_, key, order);
  events.ended = [this, key, tell = std::move(events.ended)](platform::process_report report) {
    log_.ended(node_, key, report.end);
    if (tell) tell(std::move(report));
  };
  if (began) began(child);
  real_.start(std::move(key), std::move(order), std::move(events));
}

void sim_children::stop(const std::string& key, platform::stop_reason why) {
  if (!deaf) real_.stop(key, why);
}

void sim_children::abandon(const std::string& key, std::function<void()> gone) {
  real_.abandon(key, std::move(gone));
}

}  // namespace belfry::tests
