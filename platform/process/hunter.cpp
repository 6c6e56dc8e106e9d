#include "platform/process/hunter.hpp"

#include <algorithm>
#include <csignal>
#include <utility>
#include <vector>

#include "platform/process/proc_scan.hpp"

namespace belfry::platform {

namespace {

std::string quarry_text(std::string_view node, std::string_view run, std::string_view fencing) {
  return std::string(node).append(1, '\0').append(run).append(1, '\0').append(fencing);
}

}  // namespace

std::optional<std::string> quarry_of(const process_order& order) {
  std::string_view run;
  std::string_view fencing;
  std::string_view session;
  for (const auto& [name, value] : order.env) {
    if (name == "BELFRY_RUN_ID") run = value;
    if (name == "BELFRY_FENCING") fencing = value;
    if (name == "BELFRY_SESSION") session = value;
  }
  if (!session.empty() && fencing.empty()) return quarry_text(order.mark, session, "session");
  if (run.empty() || fencing.empty()) return std::nullopt;
  return quarry_text(order.mark, run, fencing);
}

void hunter::hunt(std::string quarry, done then) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  auto [it, is_new] = hunts_.try_emplace(std::move(quarry));
  prey& p = it->second;
  p.give_up = give_up;
  if (is_new) {
    p.then = std::move(then);
  } else {  // two children of one run and fencing: both wait for the same end
    p.then = [first = std::move(p.then), second = std::move(then)](bool gone) {
      first(gone);
      second(gone);
    };
  }
  pause_ = std::chrono::milliseconds{0};
  arm(pause_);
}

void hunter::arm(std::chrono::milliseconds pause) {
  if (std::exchange(armed_, true)) return;
  timer_.expires_after(pause);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    armed_ = false;
    pass();
  });
}

void hunter::pass() {
  for (auto& [quarry, p] : hunts_) {
    std::erase_if(p.killed, [](pid_t pid) { return !still_running(pid); });
    p.seen = !p.killed.empty();
  }
  scan_processes([this](pid_t pid, std::string_view variables) {
    const auto node = value_in(variables, "BELFRY_NODE").value_or("");
    const auto run = value_in(variables, "BELFRY_RUN_ID");
    const auto session = value_in(variables, "BELFRY_SESSION");
    auto it = hunts_.end();
    if (run) it = hunts_.find(quarry_text(node, *run, value_in(variables, "BELFRY_FENCING").value_or("")));
    if (it == hunts_.end() && session) it = hunts_.find(quarry_text(node, *session, "session"));
    if (it == hunts_.end()) return;
    it->second.seen = true;
    it->second.killed.insert(pid);
    ::kill(pid, SIGKILL);
  });
  const auto now = std::chrono::steady_clock::now();
  std::vector<std::pair<done, bool>> over;
  for (auto it = hunts_.begin(); it != hunts_.end();) {
    const bool gone = !it->second.seen;
    if (gone || now >= it->second.give_up) {
      over.emplace_back(std::move(it->second.then), gone);
      it = hunts_.erase(it);
    } else {
      ++it;
    }
  }
  pause_ = std::clamp(pause_ * 2, std::chrono::milliseconds{1}, std::chrono::milliseconds{50});
  if (!hunts_.empty()) arm(pause_);
  for (auto& [then, gone] : over) then(gone);
  if (!over.empty()) ended_();
}

}  // namespace belfry::platform
