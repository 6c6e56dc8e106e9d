#include "app/work/loops.hpp"

namespace belfry::app {

namespace {

std::string why_stopped(platform::stop_reason why) {
  switch (why) {
    case platform::stop_reason::timeout: return "timeout";
    case platform::stop_reason::cancel: return "lease-not-renewed";
    case platform::stop_reason::shutdown: return "drain-timeout";
  }
  return "unknown";
}

}  // namespace

void watch_loop(work_parts parts) {
  node_line node(parts.plan);
  while (auto due = parts.desk.await_stops()) {
    for (const auto& each : due->stops) {
      parts.notes.say("run-stopped run=" + each.key.substr(0, each.key.find('/')) +
                      " why=" + why_stopped(each.why));
      parts.children.stop(each.key, each.why);
    }
    // Ends the claim that still waits, so that nothing more is given to somebody who is leaving.
    if (const auto session = parts.desk.session(); due->leave && !session.empty())
      node.ask("DELETE", "/v1/sessions/" + session, {}, std::chrono::seconds{2});
  }
}

}  // namespace belfry::app
