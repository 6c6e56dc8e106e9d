// CONTROLS: what an operator says about one run.
#include "api/json/controls.hpp"
#include "api/http/ops/ops.hpp"
#include "api/json/runs.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api {
namespace {

using core::errc;
using run_word = decltype(messages::control_runs::what);

void answer_head(const exchange_ptr& x, messages::controlled c) {
  if (c.answers.empty()) return x->refuse(fail_with(errc::internal, "the node answered without the run"));
  if (!c.answers.front()) return x->refuse(c.answers.front().error());
  json::writer w{512};
  json::write_head(w, *c.answers.front());
  answer_json(*x, w);
}

void say(const exchange_ptr& x, run_word word, core::expectation expected = {}) {
  with_run(x, [word = std::move(word), expected = std::move(expected)](const exchange_ptr& y, core::run r) {
    messages::control_runs m;
    m.ids.push_back(r.head.id);
    m.what = word;
    m.actor = y->actor;
    m.expected = expected;
    y->node().node.call(std::move(m), y->then<messages::controlled>(answer_head));
  });
}

void cancel(const exchange_ptr& x) {
  auto reason = json::read_reason_body(x->in.body);
  if (!reason) return x->refuse(reason.error());
  say(x, core::cmd_cancel{std::move(*reason)});
}

void discard(const exchange_ptr& x) {
  auto reason = json::read_reason_body(x->in.body);
  if (!reason) return x->refuse(reason.error());
  say(x, core::cmd_discard{std::move(*reason)});
}

void run_now(const exchange_ptr& x) {
  if (const auto none = json::read_nothing(x->in.body); !none) return x->refuse(none.error());
  say(x, core::cmd_run_now{});
}

void reprioritise(const exchange_ptr& x) {
  const auto p = json::read_priority_body(x->in.body);
  if (!p) return x->refuse(p.error());
  say(x, core::cmd_reprioritise{*p});
}

void adopt(const exchange_ptr& x) {
  auto wish = json::read_adoption_body(x->in.body);
  if (!wish) return x->refuse(wish.error());
  with_run(x, [wish = std::move(*wish)](const exchange_ptr& y, core::run r) {
    messages::adopt_result m{r.head.id, wish.fencing, wish.reason, y->actor};
    y->node().node.call(std::move(m),
                        y->then<messages::adopted>([](const exchange_ptr& z, messages::adopted a) {
                          json::writer w{512};
                          json::write_head(w, a.head);
                          answer_json(*z, w);
                        }));
  });
}

template <class Word>
void force(const exchange_ptr& x) {
  auto wish = json::read_force_body(x->in.body);
  if (!wish) return x->refuse(wish.error());
  say(x, Word{std::move(wish->reason)}, std::move(wish->expected));
}

void answer_successor(const exchange_ptr& x, messages::redriven d) {
  if (d.answers.empty()) return x->refuse(fail_with(errc::internal, "the node answered without the run"));
  if (!d.answers.front()) return x->refuse(d.answers.front().error());
  const auto& successor = *d.answers.front();
  json::writer w{512};
  json::write_submitted(w, successor, !d.replayed);
  answer_json(*x, w, 201, made_headers("/v1/runs/" + core::to_string(successor.head.id), d.replayed));
}

void recover(const exchange_ptr& x) {
  auto wish = json::read_force_body(x->in.body);
  if (!wish) return x->refuse(wish.error());
  with_run(x, [wish = std::move(*wish)](const exchange_ptr& y, core::run r) {
    messages::recover_runs m{{r.head.id}, wish.reason, y->actor, wish.expected, false, once_of(*y)};
    y->node().node.call(std::move(m), y->then<messages::redriven>(answer_successor));
  });
}

void retry(const exchange_ptr& x) {
  auto payload = json::read_payload_body(x->in.body);
  if (!payload) return x->refuse(payload.error());
  with_run(x, [payload = std::move(*payload)](const exchange_ptr& y, core::run r) {
    messages::redrive_runs m;
    m.ids.push_back(r.head.id);
    m.payload = payload;
    m.actor = y->actor;
    m.once = once_of(*y);
    y->node().node.call(std::move(m), y->then<messages::redriven>(answer_successor));
  });
}

route control(std::string_view pattern, std::string_view operation, std::string_view summary, handler h,
              std::string_view schema) {
  return {verb::post,
          pattern,
          operation,
          "runs",
          summary,
          scope::operate,
          h,
          body_kind::optional_json,
          schema,
          {},
          {{200, "RunHead", "What became of the run"}},
          {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous,
           errc::invalid_transition, errc::conflict, errc::rate_limited},
          false,
          0};
}

}  // namespace

void add_control_routes(std::vector<route>& all) {
  all.push_back(control("/v1/runs/{id}:cancel", "cancel_run",
                        "Cancel a run; one that is being worked on is asked to stop", cancel, "Reason"));
  all.push_back(control("/v1/runs/{id}:run-now", "run_now", "Let a run that waits for a time begin at once",
                        run_now, "Nothing"));
  auto priority = control("/v1/runs/{id}:priority", "reprioritise_run",
                          "Change the priority of a run that has not ended", reprioritise, "PriorityChange");
  priority.body = body_kind::json;
  all.push_back(std::move(priority));
  all.push_back(control("/v1/runs/{id}:discard", "discard_run", "Dismiss a dead letter", discard, "Reason"));
  all.push_back(control("/v1/runs/{id}:adopt", "adopt_result",
                        "Accept a success that came too late, if nobody else has finished the run", adopt,
                        "Adoption"));
  for (auto& forced :
       {control("/v1/runs/{id}:force-release", "force_release_run",
                "Take a run from whoever has it: queued again at its place, no loss counted",
                force<core::cmd_force_release>, "Force"),
        control("/v1/runs/{id}:force-fail", "force_fail_run",
                "Give a run up that has not ended: failed for good, a dead letter",
                force<core::cmd_force_fail>, "Force"),
        control("/v1/runs/{id}:recover", "recover_run",
                "Close a run that needs attention and make its linked successor, both or neither", recover,
                "Force")}) {
    all.push_back(forced);
    all.back().body = body_kind::json;
    all.back().refusals.insert(all.back().refusals.end(), {errc::precondition_failed, errc::forbidden});
  }
  all.back().answers = {{201, "SubmittedRun", "The successor"}};
  all.back().refusals.insert(all.back().refusals.end(), {errc::limit_exceeded, errc::idempotency_mismatch,
                                                         errc::idempotency_in_progress});
  all.back().once = true;
  auto redrive =
      control("/v1/runs/{id}:retry", "retry_run",
              "Redrive a run that has ended: makes a successor linked to it, once", retry, "Redrive");
  redrive.answers = {{201, "SubmittedRun", "The successor"}};
  redrive.refusals.insert(redrive.refusals.end(),
                          {errc::limit_exceeded, errc::idempotency_mismatch, errc::idempotency_in_progress});
  redrive.once = true;
  all.push_back(std::move(redrive));
}

}  // namespace belfry::api
