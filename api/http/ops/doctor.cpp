// DOCTOR: the facts are asked for one after the other, each part of the node in its own right; a part that
// does not answer is a finding, and the rest is judged all the same.
#include "api/http/ops/ops.hpp"
#include "api/json/explanations.hpp"
#include "platform/ports/files.hpp"

namespace belfry::api {
namespace {

using core::errc;
using facts_ptr = std::shared_ptr<core::doctor_facts>;

void answer_diagnosis(const exchange_ptr& x, const facts_ptr& f) {
  const auto found = core::diagnose(*f);
  json::writer w{2048};
  json::write_diagnosis(w, found, f->now, false);
  answer_json(*x, w);
}

void note_store(const exchange_ptr& x, const facts_ptr& f, core::result<core::store_troubles> r) {
  if (!r) {
    f->silent.push_back("the store did not answer: " + r.error().text);
    return answer_diagnosis(x, f);
  }
  const auto& d = x->node();
  const auto slash = r->facts.path.find_last_of('/');
  f->disk_path = !d.options.data_folder.empty()             ? d.options.data_folder
                 : slash == std::string::npos || slash == 0 ? std::string{"."}
                                                            : r->facts.path.substr(0, slash);
  f->disk_free = platform::disk_free(f->disk_path);
  f->store = std::move(*r);
  answer_diagnosis(x, f);
}

void note_sessions(const facts_ptr& f, core::result<messages::sessions_seen> r) {
  if (!r) {
    f->silent.push_back("the session registry did not answer: " + r.error().text);
    return;
  }
  const auto late = core::doctor_options{}.late_after;
  for (auto& v : r->sessions) {
    core::doctor_session s{std::move(v.who), v.health, {}};
    for (std::size_t i = 0; i < v.leases.size(); ++i) {
      const auto& held = v.leases[i].held;
      if (held.expires_at != core::never && f->now > core::later(held.expires_at, late))
        f->leases.push_back({v.leases[i].id, held.holder, held.expires_at});
    }
    // The registry has judged by the options of the node; of which run it is, the oldest sign of work tells.
    if (v.report || v.health == core::session_health::stalled) {
      const core::lease_signs* oldest = nullptr;
      for (const auto& sign : v.signs)
        if (sign.progress_at != core::never && (oldest == nullptr || sign.progress_at < oldest->progress_at))
          oldest = &sign;
      if (oldest != nullptr) s.stalled.push_back(oldest->run);
    }
    f->sessions.push_back(std::move(s));
  }
}

void note_queue(const facts_ptr& f, core::result<messages::queue_state> r) {
  if (!r) {
    f->silent.push_back("the queue did not answer: " + r.error().text);
    return;
  }
  f->max_queued = r->max_queued;
  f->waiting = r->counts.ready + r->timers;
  f->oldest_waiting = r->counts.oldest;
  f->pauses = std::move(r->pauses);
  f->pressure = r->pressure;
  if (!r->hook) return;
  f->hook_failing_since = r->hook->failing_since;
  f->hook_failure = std::move(r->hook->last_failure);
  f->hook_open = r->hook->open;
}

void note_node(const facts_ptr& f, core::result<messages::node_status> r) {
  if (!r) {
    f->silent.push_back("the supervisor did not answer: " + r.error().text);
    return;
  }
  f->ready = r->ready;
  f->stopping = r->stopping;
  f->issues = std::move(r->issues);
  f->unhealthy = r->health == "unhealthy";
  for (auto& c : r->children)
    f->parts.push_back({std::move(c.name), std::move(c.state), std::move(c.note), c.restarts});
}

void note_cycles(const facts_ptr& f, core::result<messages::cycles_seen> r) {
  if (!r)
    f->silent.push_back("the wake coordinator did not answer: " + r.error().text);
  else if (r->sums.last_cycle != core::never)
    f->last_cycle = r->sums.last_cycle;
}

void note_ladder(const facts_ptr& f, core::result<messages::ladder_seen> r) {
  if (!r) {
    f->silent.push_back("the escalation ladder did not answer: " + r.error().text);
    return;
  }
  f->cycle_interval = r->interval;
  for (const auto n : r->by_rung) f->starving += n;
}

void ask_store(const exchange_ptr& x, const facts_ptr& f) {
  x->node().node.ask(
      messages::get_troubles{f->now, core::doctor_options{}.late_after},
      x->whole<core::store_troubles>([f](const exchange_ptr& y, core::result<core::store_troubles> store) {
        note_store(y, f, std::move(store));
      }));
}

void ask_scheduler(const exchange_ptr& x, const facts_ptr& f) {
  x->node().node.call(
      messages::look_at_cycles{},
      x->whole<messages::cycles_seen>([f](const exchange_ptr& y, core::result<messages::cycles_seen> seen) {
        note_cycles(f, std::move(seen));
        y->node().node.call(messages::look_at_ladder{},
                            y->whole<messages::ladder_seen>(
                                [f](const exchange_ptr& z, core::result<messages::ladder_seen> ladder) {
                                  note_ladder(f, std::move(ladder));
                                  ask_store(z, f);
                                }));
      }));
}

void get_doctor(const exchange_ptr& x) {
  auto f = std::make_shared<core::doctor_facts>();
  const auto& d = x->node();
  f->now = d.time.now();
  f->disk_alarm = d.options.disk_alarm;
  f->disk_reserve = d.options.disk_reserve;
  f->clock_drift = (f->now - d.began) - (d.time.steady() - d.began_steady);
  x->node().node.call(
      messages::ask_node{},
      x->whole<messages::node_status>([f](const exchange_ptr& y, core::result<messages::node_status> node) {
        note_node(f, std::move(node));
        y->node().node.call(messages::ask_queue{},
                            y->whole<messages::queue_state>([f](const exchange_ptr& z,
                                                                core::result<messages::queue_state> q) {
                              note_queue(f, std::move(q));
                              z->node().node.call(
                                  messages::look_at_sessions{},
                                  z->whole<messages::sessions_seen>(
                                      [f](const exchange_ptr& u, core::result<messages::sessions_seen> seen) {
                                        note_sessions(f, std::move(seen));
                                        ask_scheduler(u, f);
                                      }));
                            }));
      }));
}

}  // namespace

void add_doctor_routes(std::vector<route>& all) {
  all.push_back(
      {verb::get,
       "/v1/doctor",
       "get_doctor",
       "operations",
       "What is wrong, with evidence and the command that helps: overdue, failing, stuck, starved …",
       scope::read,
       get_doctor,
       body_kind::none,
       {},
       {},
       {{200, "Diagnosis", "The findings, the worst first; none: the node is well"}},
       {},
       false,
       0});
}

}  // namespace belfry::api
