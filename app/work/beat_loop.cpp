#include <algorithm>

#include "app/work/loops.hpp"

namespace belfry::app {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t beats_at_once = 1000;

class beater {
 public:
  explicit beater(work_parts& parts) : parts_(parts), node_(parts) {}

  void run() {
    for (auto due = parts_.desk.await_beats(); !due.empty(); due = parts_.desk.await_beats())
      if (due.size() == 1)
        beat(due.front().lease);
      else
        beat(due);
  }

 private:
  // An answer that comes later than this is of no use: there are others to renew, and the lease goes on.
  core::span patience() const {
    return std::clamp(core::span{parts_.plan.lease / 4}, core::span{500ms}, core::span{10s});
  }

  // Several in one request, each in its own right.
  void beat(const std::vector<due_beat>& due) {
    for (std::size_t from = 0; from < due.size(); from += beats_at_once) {
      const auto end = std::min(due.size(), from + beats_at_once);
      const std::vector<due_beat> some(due.begin() + static_cast<std::ptrdiff_t>(from),
                                       due.begin() + static_cast<std::ptrdiff_t>(end));
      const auto asked = parts_.clock.steady();
      std::vector<lease_claim> leases;
      for (const auto& each : some) leases.push_back(each.lease);
      const auto word = node_.post("/v1/heartbeats", heartbeats(leases, parts_.plan.lease), patience());
      if (word.yes()) {
        std::size_t next = 0;
        word.answer["items"].each([&](view item) {
          if (next < leases.size()) heard(leases[next++], item, asked);
        });
        for (; next < leases.size(); ++next) parts_.desk.not_renewed(leases[next]);
      } else if (word.no()) {
        for (const auto& lease : leases)
          beat(lease);  // what is wrong with all of them, each is told by itself
      } else {
        for (const auto& lease : leases) parts_.desk.not_renewed(lease);
      }
    }
  }

  void heard(const lease_claim& lease, view item, core::instant asked) {
    if (item["status"].text() == "ok")
      obey(lease, item, asked);
    else if (item["retryable"].truth())
      parts_.desk.not_renewed(lease);
    else
      stop(lease, true, "lease-lost");
  }

  void obey(const lease_claim& lease, view answer, core::instant asked) {
    parts_.desk.renewed(lease, asked);
    if (commanded(answer, "cancel")) stop(lease, false, "cancel-asked");
    if (commanded(answer, "drain")) parts_.leave();
  }

  void beat(const lease_claim& lease) {
    const auto asked = parts_.clock.steady();
    const auto word = node_.post("/v1/runs/" + core::to_string(lease.run) + ":heartbeat",
                                 heartbeat(lease, parts_.plan.lease), patience());
    if (word.yes()) {
      obey(lease, word.answer.root(), asked);
    } else if (word.no()) {
      stop(lease, true, "lease-lost");
    } else {
      parts_.desk.not_renewed(lease);
    }
  }

  void stop(const lease_claim& lease, bool lost, const std::string& key) {
    const auto child = parts_.desk.to_stop(lease, lost);
    if (!child) return;
    parts_.notes.say(key + " run=" + core::to_string(lease.run) +
                     " fencing=" + std::to_string(lease.fencing));
    parts_.children.stop(*child, platform::stop_reason::cancel);
  }

  work_parts& parts_;
  caller node_;
};

}  // namespace

void beat_loop(work_parts parts) { beater{parts}.run(); }

}  // namespace belfry::app
