#include <algorithm>

#include "app/work/loops.hpp"

namespace belfry::app {
namespace {

using namespace std::chrono_literals;

class beater {
 public:
  explicit beater(work_parts& parts) : parts_(parts), node_(parts) {}

  void run() {
    for (auto due = parts_.desk.await_beats(); !due.empty(); due = parts_.desk.await_beats())
      for (const auto& each : due) beat(each.lease);
  }

 private:
  void beat(const lease_claim& lease) {
    const auto asked = parts_.clock.steady();
    // An answer that comes later than this is of no use: there are others to renew, and the lease goes on.
    const auto timeout = std::clamp(core::span{parts_.plan.lease / 4}, core::span{500ms}, core::span{10s});
    const auto word = node_.post("/v1/runs/" + core::to_string(lease.run) + ":heartbeat",
                                 heartbeat(lease, parts_.plan.lease), timeout);
    if (word.yes()) {
      parts_.desk.renewed(lease, asked);
      if (commanded(word.answer.root(), "cancel")) stop(lease, false, "cancel-asked");
      if (commanded(word.answer.root(), "drain")) parts_.leave();
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
