// LEASES: claim, and what the holder says until the attempt has ended.
#include "api/json/leases.hpp"
#include "api/http/ops/ops.hpp"
#include "api/json/failures.hpp"
#include "api/json/runs.hpp"

namespace belfry::api {
namespace {

using core::errc;

// The client left while it waited: nobody would ever learn the tokens, so the runs go back at once instead of
// after their lease.
void give_back(exchange& x, const messages::claimed_runs& c) {
  messages::settle_runs m;
  m.actor = x.actor;
  for (const auto& [run, token] : c.runs) {
    core::cmd_settle s;
    s.proof = {run.head.fencing, platform::sha256(token)};
    s.kind = core::settle_kind::released;
    s.message = "the claimer was gone before the answer";
    m.items.push_back({run.head.id, std::move(s)});
  }
  x.node().node.call(std::move(m), [](const core::result<messages::settled>&) {});
}

void claim(const exchange_ptr& x) {
  auto wish = json::read_claim(x->in.body);
  if (!wish) return x->refuse(wish.error());
  wish->shown = shown_token(*x);
  const bool waits = wish->wait > core::span{0};
  x->node().node.call(
      *wish, x->then<messages::claimed_runs>([waits](const exchange_ptr& y, messages::claimed_runs c) {
        if (waits && !c.runs.empty() && y->line().client_gone()) {
          give_back(*y, c);
          return y->refuse(fail_with(errc::aborted, "the client has gone"));
        }
        json::writer w{c.runs.size() * 512 + 64};
        json::write_claims(w, c);
        answer_json(*y, w);
      }));
}

core::result<core::run_id> run_of(const exchange& x) {
  auto id = core::parse_id<core::run_id>(x.arguments.front());
  if (!id)
    return fail_with(errc::not_found, "there is no run " + x.arguments.front().substr(0, 100) +
                                          "; a lease is spoken of by the whole id");
  return *id;
}

template <class Command>
void touch(const exchange_ptr& x, core::result<Command> command) {
  if (!command) return x->refuse(command.error());
  const auto id = run_of(*x);
  if (!id) return x->refuse(id.error());
  messages::touch_leases m;
  m.calls.push_back({*id, std::move(*command)});
  x->node().node.call(std::move(m),
                      x->then<messages::touched>([id = *id](const exchange_ptr& y, messages::touched t) {
                        if (t.answers.empty())
                          return y->refuse(fail_with(errc::internal, "the node answered without the lease"));
                        if (!t.answers.front()) return y->refuse(t.answers.front().error());
                        json::writer w{256};
                        json::write_lease_status(w, id, *t.answers.front());
                        answer_json(*y, w);
                      }));
}

void write_settled(json::writer& w, const messages::settled_item& s) {
  w.member("run_id", s.head.id)
      .member("state", core::to_text(s.head.state))
      .member("attempt", s.head.attempt);
  w.member("due_at", s.head.due_at).member("replayed", s.replayed);
}

void settle(const exchange_ptr& x, core::settle_kind kind) {
  auto how = json::read_settle(x->in.body, kind);
  if (!how) return x->refuse(how.error());
  const auto id = run_of(*x);
  if (!id) return x->refuse(id.error());
  how->unit = x->node().chance->unit();
  messages::settle_runs m;
  m.items.push_back({*id, std::move(*how)});
  m.actor = x->actor;
  x->node().node.call(std::move(m),
                      x->then<messages::settled>([](const exchange_ptr& y, messages::settled s) {
                        if (s.answers.empty())
                          return y->refuse(fail_with(errc::internal, "the node answered without the run"));
                        if (!s.answers.front()) return y->refuse(s.answers.front().error());
                        json::writer w{256};
                        w.begin_object();
                        write_settled(w, *s.answers.front());
                        w.end_object();
                        answer_json(*y, w);
                      }));
}

// Items that could not be read keep their place among the answers of the node.
void answer_heartbeats(const exchange_ptr& x, const json::heartbeats& items, const messages::touched& t) {
  json::writer w{items.size() * 200 + 64};
  std::size_t next = 0;
  std::size_t ok = 0;
  w.begin_object().key("items").begin_array();
  for (const auto& item : items) {
    w.begin_object();
    if (!item) {
      json::write_failure_members(w, item.error());
    } else if (next >= t.answers.size()) {
      w.member("run_id", item->run);
      json::write_failure_members(w, fail_with(errc::internal, "the node answered without this item"));
    } else if (const auto& a = t.answers[next++]; a) {
      ++ok;
      w.member("status", "ok");
      json::write_lease_status_members(w, item->run, *a);
    } else {
      w.member("run_id", item->run);
      json::write_failure_members(w, a.error());
    }
    w.end_object();
  }
  w.end_array().member("succeeded", ok).member("failed", items.size() - ok).end_object();
  answer_json(*x, w);
}

void heartbeat_many(const exchange_ptr& x) {
  auto items = json::read_heartbeats(x->in.body);
  if (!items) return x->refuse(items.error());
  messages::touch_leases m;
  for (auto& item : *items)
    if (item) m.calls.push_back({item->run, item->how});
  if (m.calls.empty()) return answer_heartbeats(x, *items, {});
  x->node().node.call(
      std::move(m),
      x->then<messages::touched>([items = std::move(*items)](const exchange_ptr& y, messages::touched t) {
        answer_heartbeats(y, items, t);
      }));
}

using completions = std::vector<core::result<json::completion>>;

// Items that could not be read keep their place among the answers of the node.
void answer_completions(const exchange_ptr& x, const completions& items, const messages::settled& s) {
  json::writer w{items.size() * 160 + 64};
  std::size_t next = 0;
  std::size_t ok = 0;
  w.begin_object().key("items").begin_array();
  for (const auto& item : items) {
    w.begin_object();
    if (!item) {
      json::write_failure_members(w, item.error());
    } else if (next >= s.answers.size()) {
      w.member("run_id", item->run);
      json::write_failure_members(w, fail_with(errc::internal, "the node answered without this item"));
    } else if (const auto& a = s.answers[next++]; a) {
      ++ok;
      w.member("status", "ok");
      write_settled(w, *a);
    } else {
      w.member("run_id", item->run);
      json::write_failure_members(w, a.error());
    }
    w.end_object();
  }
  w.end_array().member("succeeded", ok).member("failed", items.size() - ok).end_object();
  answer_json(*x, w);
}

void complete_many(const exchange_ptr& x) {
  auto items = json::read_completions(x->in.body);
  if (!items) return x->refuse(items.error());
  messages::settle_runs m;
  m.actor = x->actor;
  for (auto& item : *items) {
    if (!item) continue;
    item->how.unit = x->node().chance->unit();
    m.items.push_back({item->run, item->how});
  }
  if (m.items.empty()) return answer_completions(x, *items, {});
  x->node().node.call(
      std::move(m),
      x->then<messages::settled>([items = std::move(*items)](const exchange_ptr& y, messages::settled s) {
        answer_completions(y, items, s);
      }));
}

route lease_route(std::string_view pattern, std::string_view operation, std::string_view summary, handler h,
                  std::string_view schema, std::string_view answer) {
  return {verb::post,
          pattern,
          operation,
          "leases",
          summary,
          scope::work,
          h,
          body_kind::json,
          schema,
          {},
          {{200, answer, "Done"}},
          {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found, errc::stale_lease,
           errc::conflict, errc::invalid_transition},
          false,
          0,
          false,
          true};
}

}  // namespace

void add_lease_routes(std::vector<route>& all) {
  all.push_back(
      {verb::post,
       "/v1/claims",
       "claim",
       "leases",
       "Take runs that the session may have, waiting for them if need be",
       scope::work,
       claim,
       body_kind::json,
       "Claim",
       {},
       {{200, "Claims", "The runs with their tokens, perhaps none; the tokens are shown nowhere else"}},
       {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found, errc::invalid_transition,
        errc::unauthorised},
       false,
       0,
       true});
  all.push_back(lease_route(
      "/v1/runs/{id}:start", "start_run", "Say that the work began",
      [](const exchange_ptr& x) { touch(x, json::read_start(x->in.body)); }, "Proof", "LeaseStatus"));
  all.push_back(lease_route(
      "/v1/runs/{id}:heartbeat", "heartbeat",
      "Extend the lease; the answer tells what the worker is asked to do",
      [](const exchange_ptr& x) { touch(x, json::read_heartbeat(x->in.body)); }, "Heartbeat", "LeaseStatus"));
  all.push_back(lease_route(
      "/v1/runs/{id}:progress", "report_progress", "Say how far the work is",
      [](const exchange_ptr& x) { touch(x, json::read_progress(x->in.body)); }, "Progress", "LeaseStatus"));
  all.push_back(lease_route(
      "/v1/runs/{id}:checkpoint", "store_checkpoint", "Store how far the work is, for the next attempt",
      [](const exchange_ptr& x) { touch(x, json::read_checkpoint(x->in.body)); }, "Checkpoint",
      "LeaseStatus"));
  all.push_back(lease_route(
      "/v1/runs/{id}:log", "write_log", "Append lines to the log of the attempt",
      [](const exchange_ptr& x) { touch(x, json::read_log(x->in.body)); }, "LogLines", "LogStatus"));
  for (auto* sized : {&all[all.size() - 2], &all.back()}) sized->refusals.push_back(errc::too_large);
  all.push_back(lease_route(
      "/v1/runs/{id}:complete", "complete_run", "The work succeeded",
      [](const exchange_ptr& x) { settle(x, core::settle_kind::succeeded); }, "Completion", "Settled"));
  all.push_back(lease_route(
      "/v1/runs/{id}:fail", "fail_run", "The work failed; the class decides whether it is tried again",
      [](const exchange_ptr& x) { settle(x, core::settle_kind::failed); }, "Failure", "Settled"));
  all.push_back(lease_route(
      "/v1/runs/{id}:release", "release_run", "Give the run back; no attempt is used up",
      [](const exchange_ptr& x) { settle(x, core::settle_kind::released); }, "Release", "Settled"));
  all.push_back(lease_route(
      "/v1/runs/{id}:park", "park_run",
      "Put the run aside until something is there again; no attempt is used up",
      [](const exchange_ptr& x) { settle(x, core::settle_kind::parked); }, "Park", "Settled"));
  all.push_back({verb::post,
                 "/v1/heartbeats",
                 "heartbeat_runs",
                 "leases",
                 "Extend up to 1,000 leases, each in its own right",
                 scope::work,
                 heartbeat_many,
                 body_kind::json,
                 "Heartbeats",
                 {},
                 {{200, "HeartbeatAnswers", "A result for each item, in order"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::too_large},
                 false,
                 0,
                 false,
                 true});
  all.push_back({verb::post,
                 "/v1/completions",
                 "complete_runs",
                 "leases",
                 "Settle up to 1,000 attempts, each in its own right",
                 scope::work,
                 complete_many,
                 body_kind::json,
                 "Completions",
                 {},
                 {{200, "CompletionAnswers", "A result for each item, in order"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::too_large},
                 false,
                 0,
                 false,
                 true});
}

}  // namespace belfry::api
