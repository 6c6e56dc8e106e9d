#include "core/spawn/worker.hpp"

#include <algorithm>

namespace belfry::core {
namespace {

span look_every(const agent_type& t) { return std::max<span>(t.idle_ttl / 4, std::chrono::milliseconds{50}); }

}  // namespace

std::string_view to_text(worker_state s) {
  switch (s) {
    case worker_state::starting: return "starting";
    case worker_state::ready: return "ready";
    case worker_state::draining: return "draining";
    case worker_state::stopping: return "stopping";
    case worker_state::ended: return "ended";
  }
  return "unknown";
}

std::string_view to_text(worker_end e) {
  switch (e) {
    case worker_end::none: return "none";
    case worker_end::not_started: return "not_started";
    case worker_end::died_at_start: return "died_at_start";
    case worker_end::never_registered: return "never_registered";
    case worker_end::misfit: return "misfit";
    case worker_end::exited: return "exited";
    case worker_end::crashed: return "crashed";
    case worker_end::ttl: return "ttl";
    case worker_end::idle: return "idle";
    case worker_end::session_ended: return "session_ended";
    case worker_end::node_stopped: return "node_stopped";
    case worker_end::node_gone: return "node_gone";
  }
  return "unknown";
}

bool failed_to_start(worker_end e) {
  return e == worker_end::not_started || e == worker_end::died_at_start ||
         e == worker_end::never_registered || e == worker_end::misfit;
}

bool reaped(worker_end e) {
  return e == worker_end::ttl || e == worker_end::idle || e == worker_end::session_ended ||
         e == worker_end::node_stopped || e == worker_end::node_gone;
}

spawned_worker new_worker(const agent_type& t, const session& who, run_id run, std::uint64_t episode,
                          const token_hash& token, instant now) {
  spawned_worker w;
  w.run = run;
  w.episode = episode;
  w.agent_type = t.name;
  w.workspace = who.workspace;
  w.token = token;
  w.created_at = w.since = now;
  w.ttl_at = later(now, t.ttl);
  return w;
}

worker_due judge(const spawned_worker& w, const worker_clock& c, const agent_type& t, instant steady) {
  switch (w.state) {
    case worker_state::starting:
      return steady >= later(c.started, t.start_timeout) ? worker_due::never_registered : worker_due::nothing;
    case worker_state::ready:
      if (steady >= later(c.started, t.ttl)) return worker_due::retire;
      if (t.idle_ttl == span{0}) return worker_due::nothing;
      return steady >= later(c.looked, look_every(t)) ? worker_due::look_whether_idle : worker_due::nothing;
    case worker_state::draining:
      return steady >= later(later(c.started, t.ttl), t.drain) ? worker_due::ttl_over : worker_due::nothing;
    case worker_state::stopping:
    case worker_state::ended: return worker_due::nothing;
  }
  return worker_due::nothing;
}

bool idle_for_too_long(const worker_clock& c, const agent_type& t, instant steady) {
  return t.idle_ttl > span{0} && steady >= later(c.idle_since, t.idle_ttl);
}

instant next_look(const spawned_worker& w, const worker_clock& c, const agent_type& t) {
  switch (w.state) {
    case worker_state::starting: return later(c.started, t.start_timeout);
    case worker_state::ready: {
      const auto ttl = later(c.started, t.ttl);
      return t.idle_ttl == span{0} ? ttl : std::min(ttl, later(c.looked, look_every(t)));
    }
    case worker_state::draining: return later(later(c.started, t.ttl), t.drain);
    case worker_state::stopping:
    case worker_state::ended: return end_of_time;
  }
  return end_of_time;
}

}  // namespace belfry::core
