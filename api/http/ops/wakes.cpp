// WAKES: a session hears that there is work for it, and says that it has heard.
#include "api/json/wakes.hpp"
#include "api/http/feed.hpp"
#include "api/http/guard.hpp"
#include "api/http/ops/ops.hpp"
#include "api/json/failures.hpp"
#include "core/text/utf8.hpp"
#include "core/time/text.hpp"

namespace belfry::api {
namespace {

using core::errc;

constexpr std::int64_t most_wakes = 1000;
constexpr core::span longest_poll = std::chrono::seconds{60};

std::optional<core::session_id> woken_session(const exchange_ptr& x) {
  auto id = core::parse_id<core::session_id>(x->arguments.front());
  if (id) return *id;
  x->refuse(fail_with(errc::not_found, "there is no session " + x->arguments.front().substr(0, 100),
                      "belfry session list"));
  return std::nullopt;
}

core::result<messages::await_wakes> read_poll(const exchange& x, core::session_id who) {
  json::problems found;
  messages::await_wakes q;
  q.who = who;
  q.shown = shown_token(x);
  q.max = static_cast<std::uint32_t>(whole_parameter(x, "max", 100, 1, most_wakes, found));
  if (x.has_parameter("wait")) {
    const auto wait = core::parse_span(x.parameter("wait"));
    if (wait && *wait >= core::span{0} && *wait <= longest_poll)
      q.wait = *wait;
    else
      found.add(
          {"?wait", core::shown(x.parameter("wait"), 40), "0s to 60s, such as 30s", "not a time to wait"});
  }
  const auto after = x.in.last_event_id.empty() ? x.parameter("after") : std::string_view{x.in.last_event_id};
  if (!after.empty()) {
    if (const auto id = core::parse_id<core::wake_id>(after))
      q.after = *id;
    else
      found.add(
          {"?after", core::shown(after, 40), "the id of the last wake that you have, wak_…", "it is none"});
  }
  if (!found.empty()) return found.refusal();
  return q;
}

// The wakes of one session as they come. It asks again and again, and each question waits as long as the
// stream may be silent, so that a stream costs as much as a poll and keeps its session alive as one does.
class wake_feed final : public feed {
 public:
  wake_feed(exchange_ptr x, messages::await_wakes question) : feed(std::move(x)), question_(question) {
    question_.wait = std::min(shared_x()->node().options.limits.keep_alive, longest_poll);
  }

 private:
  void look() override {
    x().node().node.call(question_, shared_x()->whole<messages::waiting_wakes>(
                                        [self = shared_from_this(), this](
                                            const exchange_ptr&, core::result<messages::waiting_wakes> r) {
                                          if (over()) return;
                                          if (r) return tell(*r);
                                          if (r.error().code != errc::not_found) return retry();
                                          std::string text;
                                          append(text, {}, "gone", R"({"detail":"the session has gone"})");
                                          finish(std::move(text));
                                        }));
  }
  void tell(const messages::waiting_wakes& told) {
    if (told.wakes.empty()) return say(": keep-alive\n\n", true);
    std::string text;
    for (const auto& one : told.wakes) {
      json::writer w;
      json::write_wake(w, one);
      append(text, core::to_string(one.id), "wake", w.str());
      question_.after = one.id;
    }
    say(std::move(text), true);
  }

  messages::await_wakes question_;
};

void answer_wakes(const exchange_ptr& x, const messages::waiting_wakes& told) {
  json::writer w{told.wakes.size() * 280 + 32};
  w.begin_object().key("wakes").begin_array();
  for (const auto& one : told.wakes) json::write_wake(w, one);
  w.end_array().end_object();
  answer_json(*x, w);
}

void list_wakes(const exchange_ptr& x) {
  const auto who = woken_session(x);
  if (!who) return;
  const auto question = read_poll(*x, *who);
  if (!question) return x->refuse(question.error());
  if (!accepts(x->in.accept, event_stream_type)) {
    x->node().node.call(*question, x->then<messages::waiting_wakes>(answer_wakes));
    return;
  }
  // A stream cannot refuse once it has begun, so the session is looked for first.
  auto once = *question;
  once.wait = core::span{0};
  once.max = 1;
  x->node().node.call(once, x->then<messages::waiting_wakes>(
                                [q = *question](const exchange_ptr& y, const messages::waiting_wakes&) {
                                  std::make_shared<wake_feed>(y, q)->open();
                                }));
}

void write_heard(json::writer& w, const messages::wake_heard& h) {
  w.member("id", h.id).member("run_id", h.run).member("repeated", h.repeated);
}

void acknowledge_wake(const exchange_ptr& x) {
  const auto who = woken_session(x);
  if (!who) return;
  const auto id = core::parse_id<core::wake_id>(x->arguments.at(1));
  if (!id)
    return x->refuse(fail_with(errc::not_found, "there is no wake " + x->arguments.at(1).substr(0, 100),
                               "belfry session wakes " + core::to_string(*who)));
  x->node().node.call(messages::acknowledge_wakes{*who, {*id}, shown_token(*x)},
                      x->then<messages::wakes_heard>([](const exchange_ptr& y, messages::wakes_heard h) {
                        if (h.answers.empty())
                          return y->refuse(fail_with(errc::internal, "the node answered without the wake"));
                        if (!h.answers.front()) return y->refuse(h.answers.front().error());
                        json::writer w{128};
                        w.begin_object();
                        write_heard(w, *h.answers.front());
                        w.end_object();
                        answer_json(*y, w);
                      }));
}

void acknowledge_wakes(const exchange_ptr& x) {
  const auto who = woken_session(x);
  if (!who) return;
  auto ids = json::read_wake_ids(x->in.body);
  if (!ids) return x->refuse(ids.error());
  x->node().node.call(
      messages::acknowledge_wakes{*who, *ids, shown_token(*x)},
      x->then<messages::wakes_heard>([ids = *ids](const exchange_ptr& y, messages::wakes_heard h) {
        json::writer w{ids.size() * 120 + 64};
        std::size_t ok = 0;
        w.begin_object().key("items").begin_array();
        for (std::size_t i = 0; i < h.answers.size() && i < ids.size(); ++i) {
          w.begin_object();
          if (h.answers[i]) {
            ++ok;
            w.member("status", "ok");
            write_heard(w, *h.answers[i]);
          } else {
            w.member("id", ids[i]);
            json::write_failure_members(w, h.answers[i].error());
          }
          w.end_object();
        }
        w.end_array().member("succeeded", ok).member("failed", ids.size() - ok).end_object();
        answer_json(*y, w);
      }));
}

// An operator tries the sink of a session.
void wake_session(const exchange_ptr& x) {
  const auto who = woken_session(x);
  if (!who) return;
  auto run = json::read_wake_order(x->in.body);
  if (!run) return x->refuse(run.error());
  x->node().node.ask(
      messages::get_run{*run}, x->then<core::run>([who = *who](const exchange_ptr& y, core::run r) {
        messages::wake_by_hand m;
        m.target = {r.head.id, who, r.head.prio, false, r.head.name};
        m.actor = y->actor;
        y->node().node.call(std::move(m),
                            y->then<messages::wake_sent>(
                                [who, run_id = r.head.id](const exchange_ptr& z, messages::wake_sent s) {
                                  json::writer w{128};
                                  w.begin_object().member("id", s.id).member("run_id", run_id);
                                  w.member("session_id", who).end_object();
                                  answer_json(*z, w, 202);
                                }));
      }));
}

}  // namespace

void add_wake_routes(std::vector<route>& all) {
  all.push_back(
      {verb::get,
       "/v1/sessions/{id}/wakes",
       "list_wakes",
       "sessions",
       "The wakes that a session has not acknowledged; waits for one if asked to. With Accept: "
       "text/event-stream they come as a stream",
       scope::work,
       list_wakes,
       body_kind::none,
       {},
       {{"wait", parameter_type::text,
         "how long to wait for one, at most 60s; default 0s. A stream has no end"},
        {"max", parameter_type::whole, "wakes of an answer, 1 to 1,000; default 100"},
        {"after", parameter_type::text, "only those behind this wake; Last-Event-ID does the same"}},
       {{200, "WakeList", "Oldest first; or a stream: id is the wake, event wake"}},
       {errc::invalid, errc::unknown_field, errc::not_found, errc::overloaded, errc::unauthorised},
       false,
       0,
       true});
  all.push_back({verb::post,
                 "/v1/sessions/{id}/wakes/{wake}:ack",
                 "acknowledge_wake",
                 "sessions",
                 "Say that a wake was heard; again is fine",
                 scope::work,
                 acknowledge_wake,
                 body_kind::none,
                 {},
                 {},
                 {{200, "WakeAcknowledged", "It was heard"}},
                 {errc::not_found, errc::invalid_transition, errc::unauthorised},
                 false,
                 0,
                 true});
  all.push_back({verb::post,
                 "/v1/sessions/{id}/wakes:ack",
                 "acknowledge_wakes",
                 "sessions",
                 "Say that several wakes were heard, each in its own right",
                 scope::work,
                 acknowledge_wakes,
                 body_kind::json,
                 "WakeIds",
                 {},
                 {{200, "WakeAnswers", "A result for each"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::too_large, errc::not_found,
                  errc::unauthorised},
                 false,
                 0,
                 true});
  all.push_back({verb::post,
                 "/v1/sessions/{id}:wake",
                 "wake_session",
                 "sessions",
                 "Wake a session for a run by hand, to try its sink; assigns nothing",
                 scope::operate,
                 wake_session,
                 body_kind::json,
                 "WakeOrder",
                 {},
                 {{202, "WakeSent", "It is on its way; the journal says what became of it"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous,
                  errc::overloaded, errc::unavailable},
                 false,
                 0});
}

}  // namespace belfry::api
