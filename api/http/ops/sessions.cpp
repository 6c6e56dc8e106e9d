// SESSIONS: who is here to take work.
#include "api/http/ops/ops.hpp"
#include "api/json/leases.hpp"

namespace belfry::api {
namespace {

using core::errc;

core::failure no_session(const std::string& text) {
  return fail_with(errc::not_found, "there is no session " + text.substr(0, 100), "belfry session list");
}

void register_session(const exchange_ptr& x) {
  auto who = json::read_session(x->in.body);
  if (!who) return x->refuse(who.error());
  const bool back = who->id.value != 0;
  x->node().node.call(
      messages::register_session{std::move(*who), x->actor, once_of(*x)},
      x->then<messages::session_answer>([back](const exchange_ptr& y, messages::session_answer a) {
        json::writer w{512};
        json::write_session(w, a.who);
        answer_json(*y, w, back ? 200 : 201,
                    made_headers("/v1/sessions/" + core::to_string(a.who.id), a.replayed));
      }));
}

void list_sessions(const exchange_ptr& x) {
  json::problems found;
  const bool gone = flag_parameter(*x, "gone", found);
  if (!found.empty()) return x->refuse(found.refusal());
  x->node().node.ask(
      messages::list_sessions{gone},
      x->then<std::vector<core::session>>([](const exchange_ptr& y, std::vector<core::session> all) {
        json::writer w{all.size() * 300 + 64};
        w.begin_object().key("sessions").begin_array();
        for (const auto& s : all) json::write_session(w, s);
        w.end_array().end_object();
        answer_json(*y, w);
      }));
}

void get_session(const exchange_ptr& x) {
  const auto id = core::parse_id<core::session_id>(x->arguments.front());
  if (!id) return x->refuse(no_session(x->arguments.front()));
  x->node().node.ask(
      messages::list_sessions{true},
      x->then<std::vector<core::session>>([id = *id](const exchange_ptr& y, std::vector<core::session> all) {
        for (const auto& s : all) {
          if (s.id != id) continue;
          json::writer w{512};
          json::write_session(w, s);
          return answer_json(*y, w);
        }
        y->refuse(no_session(core::to_string(id)));
      }));
}

void end_session(const exchange_ptr& x) {
  const auto id = core::parse_id<core::session_id>(x->arguments.front());
  if (!id) return x->refuse(no_session(x->arguments.front()));
  messages::end_session m;
  m.id = *id;
  m.reason = "ended by " + x->actor;
  m.actor = x->actor;
  x->node().node.call(
      std::move(m), x->then<messages::session_answer>([](const exchange_ptr& y, messages::session_answer a) {
        json::writer w{512};
        json::write_session(w, a.who);
        answer_json(*y, w);
      }));
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
                 {{201, "Session", "The new session"}, {200, "Session", "It is back"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found, errc::conflict,
                  errc::idempotency_mismatch, errc::idempotency_in_progress},
                 true,
                 0});
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
