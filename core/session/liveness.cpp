#include "core/session/liveness.hpp"

#include <algorithm>

namespace belfry::core {

std::string_view to_text(session_health h) {
  switch (h) {
    case session_health::live: return "live";
    case session_health::suspect: return "suspect";
    case session_health::stalled: return "stalled";
    case session_health::missing: return "missing";
    case session_health::orphaned: return "orphaned";
    case session_health::gone: return "gone";
  }
  return "unknown";
}

bool renewal_is_late(const lease_signs& l, instant now) {
  if (l.expires_at == never || l.renewed_at == never) return false;
  return now >= l.expires_at - (l.expires_at - l.renewed_at) / 3;
}

bool is_stalled(const lease_signs& l, const liveness_options& o, instant now) {
  return o.progress_within > span{0} && l.progress_at != never &&
         now >= later(l.progress_at, o.progress_within);
}

session_health judge(const session& s, instant last_sign, const std::vector<lease_signs>& leases,
                     const liveness_options& o, instant now) {
  if (s.state == session_state::gone) return leases.empty() ? session_health::gone : session_health::orphaned;
  // An executor of the node lives as long as the node: there is nothing to be heard of it.
  const bool silent = !s.local && now >= later(last_sign, o.stale_after);
  if (silent || s.state == session_state::stale)
    return leases.empty() ? session_health::missing : session_health::orphaned;
  const bool stalled =
      std::any_of(leases.begin(), leases.end(), [&](const lease_signs& l) { return is_stalled(l, o, now); });
  if (stalled) return session_health::stalled;
  const bool late = std::any_of(leases.begin(), leases.end(),
                                [&](const lease_signs& l) { return renewal_is_late(l, now); });
  if (late || (!s.local && now >= later(last_sign, o.stale_after / 2))) return session_health::suspect;
  return session_health::live;
}

silence judge_silence(session_state state, instant last_sign, const liveness_options& o, instant now) {
  if (state == session_state::gone || next_look(state, last_sign, o) > now) return silence::nothing;
  return state == session_state::stale ? silence::leaves : silence::goes_stale;
}

instant next_look(session_state state, instant last_sign, const liveness_options& o) {
  if (state == session_state::gone) return never;
  return later(last_sign,
               state == session_state::stale ? std::max(o.gone_after, o.stale_after) : o.stale_after);
}

}  // namespace belfry::core
