// SESSIONS: who is here to take work.
#include <algorithm>

#include "api/http/ops/ops.hpp"
#include "api/json/controls.hpp"
#include "api/json/explanations.hpp"
#include "api/json/leases.hpp"
#include "api/json/sessions.hpp"

namespace belfry::api {
namespace {

using core::errc;

core::failure no_session(const std::string& text) {
  return fail_with(errc::not_found, "there is no session " + text.substr(0, 100), "belfry session list");
}

void answer_view(exchange& x, const messages::sessions_seen& seen, bool commands, unsigned status = 200,
                 header_list more = {}) {
  if (seen.sessions.empty())
    return x.refuse(fail_with(errc::internal, "the node answered without the session"));
  json::writer w{1024};
  json::write_session(w, seen.sessions.front(), seen.heartbeat_every, commands);
  answer_json(x, w, status, std::move(more));
}

std::optional<core::session_id> session_of(const exchange_ptr& x) {
  auto id = core::parse_id<core::session_id>(x->arguments.front());
  if (id) return *id;
  x->refuse(no_session(x->arguments.front()));
  return std::nullopt;
}

void register_session(const exchange_ptr& x) {
  auto who = json::read_session(x->in.body);
  if (!who) return x->refuse(who.error());
  const bool back = who->id.value != 0;
  x->node().node.call(
      messages::register_session{std::move(*who), x->actor, once_of(*x), shown_token(*x), {}},
      x->then<messages::session_answer>([back](const exchange_ptr& y, messages::session_answer a) {
        const auto status = back ? 200U : 201U;
        const auto id = a.who.id;
        y->node().node.call(
            messages::look_at_sessions{id, false},
            y->then<messages::sessions_seen>(
                [status, id, replayed = a.replayed](const exchange_ptr& z, messages::sessions_seen seen) {
                  answer_view(*z, seen, true, status,
                              made_headers("/v1/sessions/" + core::to_string(id), replayed));
                }));
      }));
}

void list_sessions(const exchange_ptr& x) {
  json::problems found;
  const bool gone = flag_parameter(*x, "gone", found);
  if (!found.empty()) return x->refuse(found.refusal());
  x->node().node.call(
      messages::look_at_sessions{{}, gone},
      x->then<messages::sessions_seen>([](const exchange_ptr& y, messages::sessions_seen seen) {
        json::writer w{seen.sessions.size() * 500 + 64};
        w.begin_object().key("sessions").begin_array();
        for (const auto& v : seen.sessions) json::write_session(w, v, seen.heartbeat_every, false);
        w.end_array().end_object();
        answer_json(*y, w);
      }));
}

void get_session(const exchange_ptr& x) {
  const auto id = session_of(x);
  if (!id) return;
  x->node().node.call(
      messages::look_at_sessions{*id, true},
      x->then<messages::sessions_seen>(
          [](const exchange_ptr& y, messages::sessions_seen seen) { answer_view(*y, seen, false); }));
}

void heartbeat(const exchange_ptr& x) {
  const auto id = session_of(x);
  if (!id) return;
  auto said = json::read_session_heartbeat(x->in.body);
  if (!said) return x->refuse(said.error());
  said->id = *id;
  said->actor = x->actor;
  said->shown = shown_token(*x);
  x->node().node.call(std::move(*said), x->then<messages::sessions_seen>(
                                            [](const exchange_ptr& y, messages::sessions_seen seen) {
                                              answer_view(*y, seen, true);
                                            }));
}

void steer(const exchange_ptr& x, bool draining) {
  const auto id = session_of(x);
  if (!id) return;
  auto reason = json::read_reason_body(x->in.body);
  if (!reason) return x->refuse(reason.error());
  x->node().node.call(
      messages::steer_session{*id, draining, std::move(*reason), x->actor},
      x->then<messages::sessions_seen>(
          [](const exchange_ptr& y, messages::sessions_seen seen) { answer_view(*y, seen, false); }));
}

void drain(const exchange_ptr& x) { steer(x, true); }
void resume(const exchange_ptr& x) { steer(x, false); }

void ask_why(const exchange_ptr& x, messages::explain_session question,
             std::optional<core::ineligible> also) {
  const auto id = question.who;
  const auto run = question.run.id;
  x->node().node.call(std::move(question), x->then<messages::session_explanation>(
                                               [id, run, also = std::move(also)](
                                                   const exchange_ptr& y, messages::session_explanation e) {
                                                 if (also) e.reasons.push_back(*also);
                                                 json::writer w{1024};
                                                 json::write_session_explanation(w, id, run, e);
                                                 answer_json(*y, w);
                                               }));
}

// A run that is not in line cannot be claimed by anybody.
std::optional<core::ineligible> not_in_line(const core::run_head& h, core::instant now) {
  if (h.state == core::run_state::queued) return std::nullopt;
  std::string text = "the run is " + std::string{core::to_text(h.state)};
  if (const auto why = core::wait_reason_of(h, now)) text += ": " + why->text;
  return core::ineligible{"not_queued", std::move(text)};
}

void explain(const exchange_ptr& x) {
  const auto id = session_of(x);
  if (!id) return;
  const std::string run{x->parameter("run")};
  // One that was never there has no reasons, it has a mistake.
  x->node().node.call(
      messages::look_at_sessions{*id, true},
      x->then<messages::sessions_seen>(
          [id = *id, run](const exchange_ptr& y, const messages::sessions_seen&) {
            if (run.empty()) return ask_why(y, {id, std::nullopt, {}}, std::nullopt);
            y->node().node.ask(
                messages::get_run{run}, y->then<core::run>([id](const exchange_ptr& z, core::run r) {
                  const auto handler = r.spec ? r.spec->handler : core::handler_kind::process;
                  ask_why(z, {id, r.head.needs, handler, r.head}, not_in_line(r.head, z->node().time.now()));
                }));
          }));
}

void end_session(const exchange_ptr& x) {
  const auto id = session_of(x);
  if (!id) return;
  messages::end_session m;
  m.id = *id;
  m.reason = "ended by " + x->actor;
  m.actor = x->actor;
  x->node().node.call(
      std::move(m), x->then<messages::session_answer>([](const exchange_ptr& y, messages::session_answer a) {
        y->node().node.call(
            messages::look_at_sessions{a.who.id, true},
            y->then<messages::sessions_seen>(
                [](const exchange_ptr& z, messages::sessions_seen seen) { answer_view(*z, seen, false); }));
      }));
}

// Nothing: the wish names a run that the session does not hold.
std::optional<std::vector<core::run_id>> runs_to_reissue(const exchange_ptr& x,
                                                         const json::reissue_wish& wish,
                                                         const messages::session_view& who) {
  std::vector<core::run_id> held;
  for (const auto& h : who.leases) held.push_back(h.id);
  for (const auto id : wish.runs)
    if (std::find(held.begin(), held.end(), id) == held.end()) {
      x->refuse(core::failure{errc::invalid_transition,
                              core::to_string(id) + " is not leased by " + core::to_string(who.who.id),
                              {},
                              "belfry session show " + core::to_string(who.who.id)});
      return std::nullopt;
    }
  return wish.runs.empty() ? held : wish.runs;
}

void reissue(const exchange_ptr& x) {
  const auto id = session_of(x);
  if (!id) return;
  auto wish = json::read_reissue(x->in.body);
  if (!wish) return x->refuse(wish.error());
  x->node().node.call(
      messages::look_at_sessions{*id, false},
      x->then<messages::sessions_seen>(
          [id = *id, wish = std::move(*wish)](const exchange_ptr& y, messages::sessions_seen seen) {
            if (seen.sessions.empty()) return y->refuse(no_session(core::to_string(id)));
            const auto& who = seen.sessions.front();
            if (who.who.local)
              return y->refuse(
                  core::failure{errc::invalid_transition,
                                core::to_string(id) + " is an executor of this node; it keeps its own tokens",
                                {},
                                "belfry session show " + core::to_string(id)});
            auto runs = runs_to_reissue(y, wish, who);
            if (!runs) return;
            y->node().node.call(
                messages::reissue_leases{id, std::move(*runs), wish.lease, y->actor, shown_token(*y)},
                y->then<messages::claimed_runs>(
                    [state = who.who.state](const exchange_ptr& z, messages::claimed_runs c) {
                      c.state = state;
                      json::writer w{c.runs.size() * 512 + 64};
                      json::write_claims(w, c);
                      answer_json(*z, w);
                    }));
          }));
}

route session_word(std::string_view pattern, std::string_view operation, std::string_view summary, scope who,
                   handler h, std::string_view schema, std::string_view answer) {
  return {verb::post,
          pattern,
          operation,
          "sessions",
          summary,
          who,
          h,
          body_kind::optional_json,
          schema,
          {},
          {{200, answer, "How it stands"}},
          {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found, errc::invalid_transition},
          false,
          0};
}

route spoken_by_session(route r) {
  r.refusals.push_back(errc::unauthorised);
  r.session_token = true;
  return r;
}

}  // namespace

void add_session_routes(std::vector<route>& all) {
  all.push_back({verb::post,
                 "/v1/sessions",
                 "register_session",
                 "sessions",
                 "Register a worker, or let one with its id come back",
                 scope::work,
                 register_session,
                 body_kind::json,
                 "SessionRegistration",
                 {},
                 {{201, "SessionStatus", "The new session"}, {200, "SessionStatus", "It is back"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found, errc::conflict,
                  errc::unauthorised, errc::idempotency_mismatch, errc::idempotency_in_progress},
                 true,
                 0,
                 true});
  all.push_back({verb::get,
                 "/v1/sessions",
                 "list_sessions",
                 "sessions",
                 "Who is here, the node's own executors included",
                 scope::read,
                 list_sessions,
                 body_kind::none,
                 {},
                 {{"gone", parameter_type::boolean, "those that have gone too"}},
                 {{200, "SessionList", "All of them"}},
                 {errc::invalid, errc::unknown_field},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/sessions/{id}",
                 "get_session",
                 "sessions",
                 "One session",
                 scope::read,
                 get_session,
                 body_kind::none,
                 {},
                 {},
                 {{200, "Session", "The session"}},
                 {errc::not_found},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/sessions/{id}/explain",
                 "explain_session",
                 "sessions",
                 "Why a session gets nothing, or may not take a run: every rule that says no",
                 scope::read,
                 explain,
                 body_kind::none,
                 {},
                 {{"run", parameter_type::text, "a run: its id, a unique prefix, or its name"}},
                 {{200, "SessionExplanation", "The reasons; none: it may take it"}},
                 {errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous},
                 false,
                 0});
  all.push_back(
      spoken_by_session(session_word("/v1/sessions/{id}:heartbeat", "heartbeat_session",
                                     "Say that a session lives; the answer tells what it is asked to do",
                                     scope::work, heartbeat, "SessionHeartbeat", "SessionStatus")));
  all.push_back(session_word("/v1/sessions/{id}:drain", "drain_session",
                             "No new runs for a session; what it holds goes on", scope::operate, drain,
                             "Reason", "Session"));
  all.push_back(session_word("/v1/sessions/{id}:resume", "resume_session",
                             "Runs again for a session that was drained", scope::operate, resume, "Reason",
                             "Session"));
  all.push_back(
      {verb::post,
       "/v1/sessions/{id}/leases:reissue",
       "reissue_leases",
       "sessions",
       "New tokens for the runs that a session holds, for one that has come back without them; the old "
       "ones are refused from now on",
       scope::work,
       reissue,
       body_kind::optional_json,
       "Reissue",
       {},
       {{200, "Claims", "The runs with their new tokens and fencing numbers; shown nowhere else"}},
       {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found, errc::invalid_transition,
        errc::unauthorised},
       false,
       0,
       true});
  all.push_back({verb::remove,
                 "/v1/sessions/{id}",
                 "end_session",
                 "sessions",
                 "Remove a session; its leases run out",
                 scope::work,
                 end_session,
                 body_kind::none,
                 {},
                 {},
                 {{200, "Session", "It has gone"}},
                 {errc::not_found, errc::invalid_transition, errc::forbidden},
                 false,
                 0});
}

}  // namespace belfry::api
