// Workers that the node starts by itself.
#include <utility>

#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

using core::event_kind;
using core::failure;

namespace {

event_kind event_of(core::worker_end e) {
  if (core::failed_to_start(e)) return event_kind::spawn_failed;
  return core::reaped(e) ? event_kind::worker_reaped : event_kind::worker_ended;
}

std::string worker_text(const core::spawned_worker& w) {
  return core::to_string(w.session) + " " + w.agent_type +
         (w.workspace.empty() ? std::string{} : " workspace=" + w.workspace);
}

}  // namespace

std::optional<failure> engine::apply_one(work& w, const storage::put_worker& c) {
  auto who = c.who;
  std::optional<core::spawned_worker> known;
  if (who.session) {
    known = rows_.find_worker(who.session);
    if (!known)
      return failure{core::errc::not_found,
                     core::to_string(who.session) + " is no worker that this node has started",
                     {},
                     "belfry agent-type list"};
  } else {
    if (w.out.sessions.empty()) return failure{core::errc::internal, "a worker without a session", {}, {}};
    who.session = w.out.sessions.back().id;
  }
  if (known && *known == who) {
    w.repeated = true;
    return std::nullopt;
  }
  rows_.put_worker(who);
  w.changed = true;
  const auto text = worker_text(who);
  if (!known) append(w, event_kind::spawn_requested, who.run, {}, text);
  if (who.pid != 0 && (!known || known->pid == 0))
    append(w, event_kind::worker_spawned, who.run, {}, text + " pid=" + std::to_string(who.pid));
  if (who.state == core::worker_state::ready && (!known || known->state != core::worker_state::ready))
    append(w, event_kind::worker_ready, who.run, {}, text);
  if (who.state == core::worker_state::ended && (!known || known->state != core::worker_state::ended))
    append(w, event_of(who.end), who.run, {},
           text + ": " + std::string{core::to_text(who.end)} + (who.text.empty() ? "" : ": " + who.text));
  return std::nullopt;
}

}  // namespace belfry::storage
