// From the process to the end.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/spawner/spawner.hpp"

#include <caf/send.hpp>

#include <algorithm>

#include "actors/gateway/gateway.hpp"
#include "actors/support/failures.hpp"
#include "core/run/exit.hpp"
#include "core/text/utf8.hpp"
#include "core/time/text.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;
using core::worker_due;
using core::worker_end;
using core::worker_state;

namespace {

constexpr core::span look_often =
    std::chrono::milliseconds{500};  // at those that are to go when they are idle
constexpr core::span after_trouble = std::chrono::seconds{1};
constexpr std::size_t lines_kept = 20;
constexpr std::size_t bytes_of_a_line = 400;
constexpr std::size_t bytes_of_an_end = 4096;

std::string process_key(core::session_id id) { return "worker/" + to_string(id); }

std::string line_about(std::string_view what, const core::spawned_worker& w) {
  return std::string{what} + " session=" + to_string(w.session) + " agent_type=" + w.agent_type +
         (w.workspace.empty() ? std::string{} : " workspace=" + w.workspace) +
         (w.run ? " run=" + to_string(w.run) : std::string{});
}

std::string how_it_ended(const platform::process_report& report) {
  const auto& end = report.end;
  if (end.spawn_failed) return end.spawn_text;
  std::string text = report.stopped_with.empty() ? "" : "stopped with " + report.stopped_with + ", ";
  if (end.signal)
    text += "killed by signal " + std::to_string(*end.signal);
  else
    text += "exit code " + std::to_string(end.exit_code.value_or(0));
  if (!report.group_gone) text += ", processes of it are left";
  return text;
}

// A worker that prints its environment must not put its token into the journal.
void take_out(std::string& line, const std::string& secret) {
  if (secret.empty()) return;
  for (auto at = line.find(secret); at != std::string::npos; at = line.find(secret, at))
    line.replace(at, secret.size(), "***");
}

}  // namespace

spawner::entry* spawner::find(core::session_id id) {
  const auto it = entries_.find(id);
  return it == entries_.end() ? nullptr : &it->second;
}

const core::agent_type& spawner::type_of(const entry& e) const {
  return e.type < types_.size() ? types_[e.type] : forgotten_;
}

// What a former process has started was killed by its mark before this one began.
void spawner::recover() {
  list_workers q;
  q.limit = 100'000;
  request(deps_.reader, caf::infinite, query{q})
      .then(
          [this](core::result<query_answer>& r) {
            if (r) return adopt_dead(std::get<std::vector<core::spawned_worker>>(std::move(*r)));
            deps_.says.say(note_level::warning, "workers-not-read " + r.error().text);
            adopt_dead({});
          },
          [this](caf::error&) { adopt_dead({}); });
}

void spawner::adopt_dead(std::vector<core::spawned_worker> rows) {
  std::vector<core::session_id> dead;
  for (auto& row : rows) {
    entry e;
    e.type = static_cast<std::size_t>(
        std::find_if(types_.begin(), types_.end(),
                     [&](const core::agent_type& t) { return t.name == row.agent_type; }) -
        types_.begin());
    e.row = std::move(row);
    e.row.end = worker_end::node_gone;
    e.row.state = worker_state::stopping;
    e.lived = true;  // it says nothing about the type
    dead.push_back(e.row.session);
    entries_.emplace(e.row.session, std::move(e));
  }
  serving_ = true;
  for (const auto id : dead) close(id);
}

void spawner::started(const worker_started& news) {
  auto* e = find(news.session);
  if (e == nullptr) return;
  e->row.pid = news.pid;
  e->clock.started = deps_.clock->steady();
  deps_.says.say(note_level::info, line_about("worker-started", e->row) + " pid=" + std::to_string(news.pid));
  deps_.says.count(platform::metric::workers_started_total);
  const spawned how{worker_spawned{e->row.session, e->row.agent_type}};
  write(*e, [this, number = e->wish, how](bool) { answer(number, how); });
  arm();
}

void spawner::said(const worker_said& news) {
  auto* e = find(news.session);
  if (e == nullptr) return;
  for (const auto& line : news.lines) {
    auto text = line.text;
    take_out(text, e->token);
    e->lines.emplace_back(core::cut_utf8(text, bytes_of_a_line));
    if (e->lines.size() > lines_kept) e->lines.pop_front();
  }
}

void spawner::enter_state(entry& e, worker_state state) {
  e.row.state = state;
  e.row.since = deps_.clock->now();
}

void spawner::heard(const session_news& news) {
  auto* e = find(news.id);
  if (e == nullptr) return;
  switch (news.what) {
    case session_word::lives:
      e->lived = true;
      if (e->row.state != worker_state::starting || e->closing) return;
      enter_state(*e, worker_state::ready);
      e->clock.idle_since = e->clock.looked = deps_.clock->steady();
      if (e->type < states_.size()) states_[e->type] = {};
      write(*e, [](bool) {});
      return arm();
    case session_word::gone:  // who was told to go takes its session along
      return stop(news.id,
                  draining_                                ? worker_end::node_stopped
                  : e->row.state == worker_state::draining ? worker_end::ttl
                                                           : worker_end::session_ended,
                  news.text);
    case session_word::misfit: return stop(news.id, worker_end::misfit, news.text);
  }
}

void spawner::look() {
  const auto steady = deps_.clock->steady();
  std::vector<core::session_id> all;
  for (const auto& [id, e] : entries_) all.push_back(id);
  for (const auto id : all) look_at(id, steady);
  arm();
}

void spawner::look_at(core::session_id id, core::instant steady) {
  auto* e = find(id);
  if (e == nullptr) return;
  if (e->again_at != core::never && e->again_at <= steady) {
    e->again_at = core::never;
    return close(id);
  }
  if (e->closing) return;
  if (draining_ && e->row.state != worker_state::stopping) {
    if (steady >= drain_over_) return stop(id, worker_end::node_stopped);
    return peek(id);
  }
  switch (core::judge(e->row, e->clock, type_of(*e), steady)) {
    case worker_due::nothing: break;
    case worker_due::never_registered:
      return stop(id, worker_end::never_registered,
                  "no sign of life within " + core::to_text(type_of(*e).start_timeout));
    case worker_due::retire: return retire(id, "its ttl is over");
    case worker_due::ttl_over: return stop(id, worker_end::ttl, "its ttl is over");
    case worker_due::look_whether_idle: return peek(id);
  }
  if (e->row.state == worker_state::draining) peek(id);
}

// Whether it holds anything.
void spawner::peek(core::session_id id) {
  auto* e = find(id);
  if (e == nullptr || std::exchange(e->peeking, true)) return;
  e->clock.looked = deps_.clock->steady();
  const auto seen = [this, id](std::optional<bool> holds) {
    auto* same = find(id);
    if (same == nullptr) return;
    same->peeking = false;
    const auto steady = deps_.clock->steady();
    if (holds.value_or(true)) {
      if (holds) same->clock.idle_since = steady;
    } else if (draining_) {
      return stop(id, worker_end::node_stopped);
    } else if (same->row.state == worker_state::draining) {
      return stop(id, worker_end::ttl, "its ttl is over");
    } else if (same->row.state == worker_state::ready &&
               core::idle_for_too_long(same->clock, type_of(*same), steady)) {
      return stop(id, worker_end::idle, "it held nothing for " + core::to_text(type_of(*same).idle_ttl));
    }
    arm();
  };
  request(deps_.reader, caf::infinite, query{list_leases{id}})
      .then(
          [seen](core::result<query_answer>& r) {
            seen(r ? std::optional{!std::get<std::vector<core::run_head>>(*r).empty()} : std::nullopt);
          },
          [seen](caf::error&) { seen(std::nullopt); });
}

// It gets nothing more, and is asked to go.
void spawner::retire(core::session_id id, const std::string& why) {
  auto* e = find(id);
  if (e == nullptr) return;
  enter_state(*e, worker_state::draining);
  write(*e, [](bool) {});
  const auto go_on = [this, id] { peek(id); };
  request(deps_.registry, caf::infinite, steer_session{id, true, why, "node"})
      .then([go_on](core::result<sessions_seen>&) { go_on(); }, [go_on](caf::error&) { go_on(); });
}

// No new runs, what it holds goes back, and only then it is told to end.
void spawner::stop(core::session_id id, worker_end why, const std::string& text) {
  auto* e = find(id);
  if (e == nullptr || e->closing || e->row.state == worker_state::stopping) return;
  enter_state(*e, worker_state::stopping);
  e->row.end = why;
  e->row.text = text;
  write(*e, [](bool) {});
  const auto signal = [this, id] {
    if (auto* same = find(id); same != nullptr && same->process)
      deps_.processes->stop(process_key(id), platform::stop_reason::shutdown);
  };
  const auto give_back = [this, id, signal] { release(id, [signal](bool) { signal(); }); };
  request(deps_.registry, caf::infinite,
          steer_session{id, true, "its worker is stopped: " + std::string{core::to_text(why)}, "node"})
      .then([give_back](core::result<sessions_seen>&) { give_back(); },
            [give_back](caf::error&) { give_back(); });
}

// Its runs go back to the queue, as if it had released them itself: no attempt and no loss is counted.
void spawner::release(core::session_id id, std::function<void(bool)> then) {
  const auto give_back = [this, id, then](const std::vector<core::run_head>& held) {
    if (held.empty()) return then(true);
    commit_changes sets;
    for (const auto& head : held) {
      core::cmd_settle how;
      how.proof = {head.fencing, head.held.hash};
      how.kind = core::settle_kind::released;
      how.message = "its worker is being stopped";
      sets.sets.push_back(
          {deps_.clock->now(), to_string(id), {}, {storage::step_run{head.id, std::move(how), false}}});
    }
    request(deps_.store, caf::infinite, std::move(sets))
        .then(
            [then](commit_results& r) {
              // Whoever settled in between, or whose lease ran out, has nothing to give back.
              const auto stuck = [](const auto& a) {
                return !a && (a.error().code == errc::storage_full || a.error().code == errc::unavailable ||
                              a.error().code == errc::overloaded);
              };
              then(std::none_of(r.answers.begin(), r.answers.end(), stuck));
            },
            [then](caf::error&) { then(false); });
  };
  request(deps_.reader, caf::infinite, query{list_leases{id}})
      .then(
          [give_back, then](core::result<query_answer>& r) {
            if (!r) return then(false);
            give_back(std::get<std::vector<core::run_head>>(*r));
          },
          [then](caf::error&) { then(false); });
}

void spawner::exited(const worker_exited& news) {
  auto* e = find(news.session);
  if (e == nullptr || e->closing) return;
  e->process = false;
  const auto how = how_it_ended(news.report);
  if (e->row.end == worker_end::none) {
    const auto& end = news.report.end;
    if (end.spawn_failed)
      e->row.end = worker_end::not_started;
    else if (e->row.state == worker_state::draining)
      e->row.end = worker_end::ttl;
    else if (draining_)
      e->row.end = worker_end::node_stopped;
    else
      e->row.end = end.exit_code == 0 && !end.signal ? worker_end::exited : worker_end::crashed;
  }
  e->row.text += (e->row.text.empty() ? "" : "; ") + how;
  if (!news.report.group_gone) deps_.says.say(note_level::error, line_about("worker-group-not-gone", e->row));
  close(news.session);
}

// Release → end the session → the row. Any step that the store cannot write leads back to the start.
void spawner::close(core::session_id id) {
  auto* e = find(id);
  if (e == nullptr) return;
  e->closing = true;
  const auto again = [this, id] { close_later(id); };
  // What the dead held is lost, and counts: work that keeps killing its worker must not go round for ever.
  const bool by_itself = !core::reaped(e->row.end) && e->row.end != worker_end::misfit &&
                         e->row.end != worker_end::never_registered;
  const auto end_session_now = [this, id, again, by_itself] {
    auto* same = find(id);
    if (same == nullptr) return;
    end_session m;
    m.id = id;
    m.reason = "its worker has ended: " + std::string{core::to_text(same->row.end)};
    m.crashed = by_itself;
    m.actor = "node";
    request(deps_.registry, caf::infinite, std::move(m))
        .then(
            [this, id, again](core::result<session_answer>& r) {
              if (r || r.error().code == errc::not_found) return finish(id);
              again();
            },
            [again](caf::error&) { again(); });
  };
  if (by_itself) return end_session_now();
  release(id, [end_session_now, again](bool given_back) { given_back ? end_session_now() : again(); });
}

// A node that is told to end does not wait for a store that cannot write: the next one settles the row.
void spawner::close_later(core::session_id id) {
  auto* e = find(id);
  if (e == nullptr) return;
  if (draining_) {
    const auto number = e->wish;
    forget(id);
    answer(number, spawned{failure{errc::unavailable, "the node is stopping", {}, {}}});
    return drained_if_so();
  }
  e->again_at = core::later(deps_.clock->steady(), after_trouble);
  arm();
}

void spawner::forget(core::session_id id) {
  entries_.erase(id);
  caf::anon_send(deps_.gateway, gateway_call{[id](gateway& g) { g.forget_token(id); }});
}

void spawner::finish(core::session_id id) {
  auto* e = find(id);
  if (e == nullptr) return;
  // Only now: its last word may have come in while its process ended.
  if (!e->lived && (e->row.end == worker_end::exited || e->row.end == worker_end::crashed))
    e->row.end = worker_end::died_at_start;
  if (core::failed_to_start(e->row.end) || e->row.end == worker_end::crashed) {
    std::string last;
    for (const auto& line : e->lines) (last += last.empty() ? "" : " | ") += line;
    if (!last.empty()) e->row.text += "; its last lines: " + last;
    e->lines.clear();
  }
  e->row.text = std::string{core::cut_utf8(e->row.text, bytes_of_an_end)};
  if (e->row.state != worker_state::ended) enter_state(*e, worker_state::ended);
  write(*e, [this, id](bool written) {
    auto* same = find(id);
    if (same == nullptr) return;
    if (!written) return close_later(id);
    const auto ended = std::move(*same);
    forget(id);
    deps_.says.count(platform::metric::workers_ended_total, 1, core::to_text(ended.row.end));
    const bool bad = core::failed_to_start(ended.row.end) || ended.row.end == worker_end::crashed;
    deps_.says.say(bad ? note_level::warning : note_level::info,
                   line_about("worker-ended", ended.row) + " end=" +
                       std::string{core::to_text(ended.row.end)} + " text=\"" + ended.row.text + "\"");
    if (core::failed_to_start(ended.row.end)) count_failure(ended);
    if (draining_) ++drained_;
    if (ended.row.end == worker_end::node_stopped)
      answer(ended.wish, spawned{failure{errc::unavailable, "the node is stopping", {}, {}}});
    else
      answer(ended.wish, spawned{failure{errc::unavailable,
                                         "agent type " + ended.row.agent_type +
                                             " could not be started: " + ended.row.text,
                                         {},
                                         "belfry agent-type show " + ended.row.agent_type}});
    drained_if_so();
  });
}

void spawner::count_failure(const entry& e) {
  if (e.type >= states_.size()) return;
  auto& s = states_[e.type];
  ++s.failures;
  const auto pause = core::pause_after(types_[e.type], s.failures);
  s.not_before = core::later(deps_.clock->steady(), pause);
  s.shown_not_before = core::later(deps_.clock->now(), pause);
  s.last_failure = std::string{core::to_text(e.row.end)} + ": " + e.row.text;
}

void spawner::write(const entry& e, std::function<void(bool)> then) {
  storage::change_set set{deps_.clock->now(), "node", {}, {storage::put_worker{e.row}}};
  request(deps_.store, caf::infinite, commit_changes{{std::move(set)}})
      .then(
          [then](commit_results& r) {
            const auto& a = r.answers.front();
            // A row that retention took is gone, and so is what it told of.
            then(a.ok() || a.error().code == errc::not_found);
          },
          [then](caf::error&) { then(false); });
}

caf::result<workers_drained> spawner::drain(core::span patience) {
  auto [guard, promise] = answer_later<workers_drained>(this);
  drain_answers_.push_back(guard);
  const auto steady = deps_.clock->steady();
  drain_over_ = std::min(drain_over_, core::later(steady, patience));
  const bool first = !std::exchange(draining_, true);
  if (first)
    for (const auto& [id, e] : entries_) {
      if (e.closing || e.row.state == worker_state::stopping) continue;
      request(deps_.registry, caf::infinite, steer_session{id, true, "the node is stopping", "node"})
          .then([](core::result<sessions_seen>&) {}, [](caf::error&) {});
    }
  look();
  drained_if_so();
  return promise;
}

void spawner::drained_if_so() {
  if (!draining_ || !entries_.empty() || !wishes_.empty()) return;
  for (const auto& one : std::exchange(drain_answers_, {})) one->deliver(workers_drained{drained_});
}

void spawner::arm() {
  const auto steady = deps_.clock->steady();
  auto next = core::end_of_time;
  for (const auto& [id, e] : entries_) {
    if (e.again_at != core::never) next = std::min(next, e.again_at);
    if (e.closing || e.peeking)
      continue;  // who is being looked at is judged, and this armed, by what is seen
    const bool stopping = e.row.state == worker_state::stopping;
    if (!stopping && (draining_ || e.row.state == worker_state::draining))
      next = std::min({next, core::later(steady, look_often), drain_over_});
    // A node that drains judges nobody by his own times: one that is over would ring for ever.
    if (stopping || !draining_) next = std::min(next, core::next_look(e.row, e.clock, type_of(e)));
  }
  if (next != core::end_of_time) alarm_.arm(spawner_actor{this}, next, steady);
}

}  // namespace belfry::actors
