// Making runs: from a submission, from a finished run that is redriven, from a hook; and why an open run
// waits.
#include <algorithm>
#include <array>

#include "core/run/handlers.hpp"
#include "core/run/machine.hpp"
#include "core/text/utf8.hpp"
#include "core/time/text.hpp"

namespace belfry::core {
namespace {

constexpr std::uint16_t longest_chain = 10;
constexpr std::array<std::string_view, 5> overlap_names{"skip", "queue_one", "queue_all", "replace", "allow"};

constexpr std::string_view hook_suffix = ".hook";
constexpr std::size_t hook_name_characters = 200 - hook_suffix.size();
constexpr std::size_t hook_reason_bytes = 4096;  // an environment is not the place for a log

// The name, shortened by whole characters so that the suffix fits into what a name may have.
std::string hook_name(std::string_view name) {
  while (count_utf8(name).value_or(0) > hook_name_characters) name = cut_utf8(name, name.size() - 1);
  return std::string{name} + std::string{hook_suffix};
}

void set_variable(process_spec& p, std::string name, std::string value) {
  std::erase(value, '\0');  // an environment cannot hold it
  std::erase_if(p.env, [&](const auto& v) { return v.first == name; });
  p.env.emplace_back(std::move(name), std::move(value));
}

failure refuse_redrive(errc code, std::string text, std::string command) {
  return {code, std::move(text), {}, std::move(command)};
}

std::string since_text(std::string_view what, instant t) { return std::string{what} + to_rfc3339(t); }

}  // namespace

std::string_view to_text(overlap o) {
  const auto i = static_cast<std::size_t>(o);
  return i < overlap_names.size() ? overlap_names[i] : std::string_view{"unknown"};
}

std::optional<overlap> overlap_from(std::string_view text) {
  const auto at = std::find(overlap_names.begin(), overlap_names.end(), text);
  if (at == overlap_names.end()) return std::nullopt;
  return static_cast<overlap>(at - overlap_names.begin());
}

run_head make_run(const submission& s, run_id id, batch_id batch, instant now) {
  const auto& spec = *s.spec;
  run_head h;
  h.id = id;
  h.spec = s.shared_spec ? s.shared_spec : spec_id{id.value};
  h.job = s.job;
  h.revision = s.revision;
  h.batch = batch;
  h.parent = s.parent;
  h.predecessor = s.predecessor;
  h.prio = spec.prio;
  h.name = spec.name;
  h.lane = lane_of(spec);
  h.needs = spec.needs;
  h.concurrency_key = spec.concurrency_key;
  h.concurrency_limit = spec.concurrency_limit;
  h.timeout = spec.timeout;
  h.manual = s.manual;
  h.forced = s.forced;
  h.trial = s.trial;
  h.created_at = now;
  h.chain = s.chain;
  h.created_by = s.actor;
  if (!s.skip_reason.empty()) {
    h.state = run_state::skipped;
    h.reason = s.skip_reason;
    h.ended_at = now;
  } else if (s.due_at > now) {
    h.state = run_state::scheduled;
    h.due_at = s.due_at;
    h.reason = s.why_later;
  } else if (!known(spec.handler)) {
    h.state = run_state::parked;
    h.reason = "resource " + resource_of(spec.handler) + ": this belfry does not know this kind of handler";
  } else {
    h.state = run_state::queued;
    h.eligible_since = now;
  }
  return h;
}

result<submission> decide_redrive(const run_head& head, std::shared_ptr<const run_spec> spec,
                                  const std::optional<std::string>& payload, const std::string& actor,
                                  bool any) {
  const auto id = to_string(head.id);
  const std::string state{to_text(head.state)};
  if (!terminal(head.state)) {
    const bool waiting = head.state == run_state::scheduled || head.state == run_state::retrying ||
                         head.state == run_state::parked;
    return refuse_redrive(errc::invalid_transition,
                          id + " is " + state + ", not finished; only a finished run is redriven",
                          waiting ? "belfry run-now " + id : "belfry run cancel " + id);
  }
  if (head.successor) {
    const auto next = to_string(head.successor);
    return refuse_redrive(errc::conflict, id + " was already redriven as " + next, "belfry run show " + next);
  }
  const bool allowed = ended_badly(head.state) || head.state == run_state::cancelled ||
                       (any && head.state == run_state::succeeded);
  if (!allowed)
    return refuse_redrive(errc::invalid_transition,
                          id + " is " + state +
                              "; failed, timed_out, lost and cancelled runs are redriven, " +
                              "succeeded ones when that is asked for",
                          "belfry run show " + id);
  if (!spec->unreadable.empty())
    return refuse_redrive(errc::conflict,
                          "what is stored of " + id + " cannot be read: " + spec->unreadable +
                              "; redrive it with the belfry that wrote it, or a newer one",
                          "belfry run show " + id);
  if (head.chain >= longest_chain)
    return refuse_redrive(errc::limit_exceeded,
                          id + " is the last of a chain of " + std::to_string(longest_chain) + " redrives",
                          "belfry run show " + id);

  submission s;
  if (payload) {
    auto changed = std::make_shared<run_spec>(*spec);
    changed->payload = *payload;
    s.spec = std::move(changed);
  } else {
    s.spec = std::move(spec);
    s.shared_spec = head.spec;
  }
  s.job = head.job;
  s.revision = head.revision;
  s.manual = head.manual;
  s.parent = head.parent;
  s.predecessor = head.id;
  s.chain = static_cast<std::uint16_t>(head.chain + 1);
  s.actor = actor;
  return s;
}

std::optional<submission> hook_of(const run_head& finished, const run_spec& spec) {
  // A skipped run was never tried, and a hook of a hook could go on for ever.
  if (!given(spec.hook) || !terminal(finished.state) || finished.state == run_state::skipped ||
      finished.parent)
    return std::nullopt;
  auto hook = std::make_shared<run_spec>();
  hook->name = hook_name(finished.name);
  hook->handler = handler_kind::process;
  hook->process = spec.hook;
  hook->prio = finished.prio;
  hook->lane = spec.lane;
  hook->needs.workspace = spec.needs.workspace;
  hook->timeout = std::chrono::seconds{60};
  hook->retry.max_attempts = 1 + 3;
  hook->traceparent = spec.traceparent;
  set_variable(hook->process, "BELFRY_HOOK_RUN_ID", to_string(finished.id));
  set_variable(hook->process, "BELFRY_HOOK_RUN_NAME", finished.name);
  set_variable(hook->process, "BELFRY_HOOK_STATE", std::string{to_text(finished.state)});
  set_variable(hook->process, "BELFRY_HOOK_REASON",
               std::string{cut_utf8(finished.reason, hook_reason_bytes)});
  set_variable(hook->process, "BELFRY_HOOK_ATTEMPT", std::to_string(finished.attempt));

  submission s;
  s.spec = std::move(hook);
  s.parent = finished.id;  // no job: a hook counts neither as a run of the job nor against its limits
  s.actor = "hook of " + to_string(finished.id);
  return s;
}

std::optional<wait_reason> wait_reason_of(const run_head& head, instant now) {
  const auto why = head.reason.empty() ? std::string{} : "; " + head.reason;
  const auto delayed = [&](std::string code, std::string_view what) {
    if (head.due_at <= now)
      return wait_reason{"due", since_text("due since ", head.due_at) + ", about to be queued" + why};
    return wait_reason{std::move(code), since_text(what, head.due_at) + why};
  };
  switch (head.state) {
    case run_state::blocked: return wait_reason{"blocked", "a dependency or an approval is missing" + why};
    case run_state::scheduled:
      if (head.reason.starts_with(by_fire_limit)) return delayed("fire_limit", "not before ");
      return delayed("not_before", "not before ");
    case run_state::retrying: return delayed("retry_delay", "next attempt at ");
    case run_state::parked:
      if (head.due_at == never) return wait_reason{"handler_unknown", head.reason};
      return delayed("parked", "parked until ");
    case run_state::needs_attention:
      return wait_reason{"needs_attention", "nobody took it and a person has to look" + why};
    case run_state::claimed:
    case run_state::running: {
      const auto holder = to_string(head.held.holder);
      if (head.held.expires_at <= now)
        return wait_reason{"lease_expired",
                           since_text("the lease of " + holder + " expired at ", head.held.expires_at)};
      if (head.cancel_requested) return wait_reason{"cancel_requested", holder + " was asked to stop" + why};
      const bool running = head.state == run_state::running;
      return wait_reason{running ? "running" : "claimed",
                         since_text(holder + (running ? " is at work, its lease ends at "
                                                      : " has not begun, its lease ends at "),
                                    head.held.expires_at)};
    }
    case run_state::queued:
    case run_state::succeeded:
    case run_state::failed:
    case run_state::timed_out:
    case run_state::lost:
    case run_state::cancelled:
    case run_state::skipped: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace belfry::core
