// PAUSES: of the scheduler, a workspace, a job, an agent type; drains.
#include "api/json/pauses.hpp"
#include "api/http/ops/ops.hpp"

namespace belfry::api {
namespace {

using core::errc;

constexpr std::string_view usual_pause_reason = core::pause_reason::manual;

// Looks up the name of a job, then goes on with what is meant.
template <class F>
void with_pause_target(const exchange_ptr& x, const json::pause_selector& on, F f) {
  if (on.workspace) return f(x, core::the_workspace(*on.workspace));
  if (on.agent_type) return f(x, core::the_agent_type(*on.agent_type));
  if (!on.job) return f(x, core::whole_scheduler());
  x->node().node.ask(messages::get_job{*on.job},
                     x->then<core::job>([f = std::move(f)](const exchange_ptr& y, core::job j) mutable {
                       f(y, core::the_job(j.id));
                     }));
}

auto answer_pauses(core::pause_target of) {
  return [of = std::move(of)](const exchange_ptr& x, messages::pauses_seen seen) {
    json::writer w{512 + seen.pauses.size() * 256 + seen.running.size() * 256};
    json::write_pauses_seen(w, seen, of);
    answer_json(*x, w);
  };
}

void ask_for_pause(const exchange_ptr& x, json::pause_request d, std::string_view reason,
                   core::instant deadline) {
  const auto on = d.on;
  with_pause_target(x, on,
                    [d = std::move(d), reason, deadline](const exchange_ptr& y, core::pause_target what) {
                      core::pause_entry entry{d.reason.empty() ? std::string{reason} : d.reason, d.owner,
                                              d.text, core::never};
                      if (d.length) entry.until = core::later(y->node().time.now(), *d.length);
                      if (d.until) entry.until = *d.until;
                      if (d.from) {
                        entry.since = *d.from;
                        if (d.length) entry.until = core::later(*d.from, *d.length);
                      }
                      entry.deadline = deadline;
                      y->node().node.call(messages::set_pause{what, std::move(entry), y->actor},
                                          y->then<messages::pauses_seen>(answer_pauses(what)));
                    });
}

void hold_work(const exchange_ptr& x) {
  auto draft = json::read_pause_request(x->in.body);
  if (!draft) return x->refuse(draft.error());
  ask_for_pause(x, std::move(*draft), usual_pause_reason, core::never);
}

void drain_work(const exchange_ptr& x) {
  auto draft = json::read_drain_request(x->in.body);
  if (!draft) return x->refuse(draft.error());
  const auto deadline = core::later(draft->from.value_or(x->node().time.now()), draft->timeout);
  ask_for_pause(x, std::move(*draft), core::pause_reason::drain, deadline);
}

void let_work_go(const exchange_ptr& x) {
  auto draft = json::read_resume_request(x->in.body);
  if (!draft) return x->refuse(draft.error());
  const auto on = draft->on;
  with_pause_target(x, on, [d = std::move(*draft)](const exchange_ptr& y, core::pause_target what) {
    messages::lift_pause m{what, d.reason.empty() ? std::string{usual_pause_reason} : d.reason, d.owner,
                           y->actor};
    y->node().node.call(std::move(m), y->then<messages::pauses_seen>(answer_pauses(what)));
  });
}

void look_at_paused(const exchange_ptr& x) {
  json::pause_selector on;
  int named = 0;
  const auto take = [&](std::string_view name, std::optional<std::string>& out) {
    if (!x->has_parameter(name)) return;
    out = std::string{x->parameter(name)};
    ++named;
  };
  take("workspace", on.workspace);
  take("job", on.job);
  take("agent_type", on.agent_type);
  if (named > 1)
    return x->refuse(bad_parameter("workspace", "", "one of workspace, job, agent_type", "one at a time"));
  with_pause_target(x, on, [named](const exchange_ptr& y, core::pause_target what) {
    messages::look_at_pauses m;
    if (named > 0) m.on = what;
    y->node().node.call(std::move(m), y->then<messages::pauses_seen>(answer_pauses(what)));
  });
}

}  // namespace

void add_pause_routes(std::vector<route>& all) {
  const std::vector<errc> usual{errc::malformed, errc::invalid,   errc::unknown_field, errc::not_found,
                                errc::ambiguous, errc::forbidden, errc::limit_exceeded};
  all.push_back({verb::get,
                 "/v1/scheduler/pauses",
                 "list_pauses",
                 "scheduler",
                 "What is paused, by whom, and what runs nevertheless",
                 scope::read,
                 look_at_paused,
                 body_kind::none,
                 {},
                 {{"workspace", parameter_type::text, "Only this workspace"},
                  {"job", parameter_type::text, "Only this job, by id or name"},
                  {"agent_type", parameter_type::text, "Only this agent type"}},
                 {{200, "Pauses", "The pauses; live and running are about what was asked for"}},
                 {errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous},
                 false,
                 0});
  all.push_back({verb::post,
                 "/v1/scheduler:pause",
                 "pause_scheduler",
                 "scheduler",
                 "Hold claims of everything, or of a workspace, job or agent type; what runs goes on",
                 scope::operate,
                 hold_work,
                 body_kind::optional_json,
                 "PauseRequest",
                 {},
                 {{200, "Pauses", "The pauses of what was named"}},
                 usual,
                 false,
                 0});
  all.push_back({verb::post,
                 "/v1/scheduler:resume",
                 "resume_scheduler",
                 "scheduler",
                 "Lift one pause by its reason and owner; others stay as they are",
                 scope::operate,
                 let_work_go,
                 body_kind::optional_json,
                 "ResumeRequest",
                 {},
                 {{200, "Pauses", "The pauses of what was named"}},
                 usual,
                 false,
                 0});
  all.push_back({verb::post,
                 "/v1/scheduler:drain",
                 "drain_scheduler",
                 "scheduler",
                 "Pause, and report when nothing runs any more; answers at once, look again for progress",
                 scope::operate,
                 drain_work,
                 body_kind::optional_json,
                 "DrainRequest",
                 {},
                 {{200, "Pauses", "The pauses of what was named, and what still runs"}},
                 usual,
                 false,
                 0});
}

}  // namespace belfry::api
