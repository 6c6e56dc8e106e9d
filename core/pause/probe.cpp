#include "core/pause/probe.hpp"

#include <algorithm>
#include <utility>

#include "core/time/text.hpp"

namespace belfry::core {
namespace {

event probe_event(event_kind kind, run_id run, std::string text) {
  event e;
  e.kind = kind;
  e.run = run;
  e.text = std::move(text);
  return e;
}

}  // namespace

std::string_view to_text(limit_kind k) {
  switch (k) {
    case limit_kind::none: return "none";
    case limit_kind::throttle: return pause_reason::throttle;
    case limit_kind::quota: return pause_reason::quota;
  }
  return "unknown";
}

std::optional<limit_kind> limit_kind_from(std::string_view text) {
  for (const auto k : {limit_kind::throttle, limit_kind::quota})
    if (text == to_text(k)) return k;
  return std::nullopt;
}

probe_result result_of(const attempt_record& ended) {
  if (ended.outcome == run_state::succeeded) return probe_result::worked;
  if (ended.outcome == run_state::parked || ended.klass == failure_class::rate_limited)
    return probe_result::limited;
  if (ended.klass == failure_class::error || ended.klass == failure_class::permanent)
    return probe_result::worked;
  return probe_result::silent;
}

pause_decision decide_probe(const pause_target& on, std::vector<pause_entry> there, run_id probe,
                            instant now) {
  pause_decision d;
  for (auto& e : there) {
    if (!probing(e, now) || e.probe) continue;
    e.probe = probe;
    d.changed = true;
    d.events.push_back(probe_event(event_kind::probe_started, probe, to_text(on) + ": " + told(e)));
  }
  d.entries = std::move(there);
  return d;
}

pause_decision decide_probe_ended(const pause_target& on, std::vector<pause_entry> there, run_id probe,
                                  probe_result how, instant again, instant now) {
  pause_decision d;
  for (auto it = there.begin(); it != there.end();) {
    if (!probe || it->probe != probe) {
      ++it;
      continue;
    }
    d.changed = true;
    it->probe = {};
    std::string text = to_text(on) + ": " + it->reason + " of " + it->owner;
    if (how == probe_result::worked) {
      d.events.push_back(
          probe_event(event_kind::resumed, {}, text + ", the probe " + to_string(probe) + " worked"));
      d.ended.push_back({on, it->since, now});
      it = there.erase(it);
      continue;
    }
    if (how == probe_result::limited) {
      if (again > now)
        it->until = std::max(it->until, again);
      else if (it->until <= now)
        it->until = later(now, probe_again_after);
      text += ", a probe met the limit again: until " + to_rfc3339(it->until);
    } else {
      text += ", a probe told nothing: the next claim is the next one";
    }
    d.events.push_back(probe_event(event_kind::probe_ended, probe, std::move(text)));
    ++it;
  }
  d.entries = std::move(there);
  return d;
}

}  // namespace belfry::core
