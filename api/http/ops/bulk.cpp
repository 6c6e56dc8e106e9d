// BULK: one word about many runs, by ids or by filter, with a result for each.
#include "api/http/ops/ops.hpp"
#include "api/json/failures.hpp"
#include "api/json/runs.hpp"
#include "api/json/submissions.hpp"

namespace belfry::api {
namespace {

using core::errc;
using json::bulk_draft;
using json::bulk_verb;

struct bulk_work {
  bulk_verb verb;
  bulk_draft draft;
  bool more = false;  // the filter fits more than one call may change
};

void begin(json::writer& w, const bulk_work& job, std::size_t matched) {
  w.begin_object().member("dry_run", job.draft.dry_run).member("matched", matched).member("more", job.more);
}

// T is a run head or a run.
template <class T, class F>
void answer_items(const exchange_ptr& x, const bulk_work& job, const std::vector<core::result<T>>& answers,
                  F write_ok, bool replayed = false) {
  std::size_t ok = 0;
  for (const auto& a : answers) ok += a.ok() ? 1U : 0U;
  json::writer w{answers.size() * 200 + 128};
  begin(w, job, job.draft.ids.size());
  w.member("succeeded", ok).member("failed", answers.size() - ok).key("items").begin_array();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    w.begin_object();
    if (i < job.draft.ids.size()) w.member("id", job.draft.ids[i]);
    if (answers[i]) {
      w.member("status", job.draft.dry_run ? "planned" : "ok");
      write_ok(w, *answers[i]);
    } else {
      json::write_failure_members(w, answers[i].error());
    }
    w.end_object();
  }
  w.end_array().end_object();
  answer_json(*x, w, 200, made_headers({}, replayed));
}

void answer_controlled(const exchange_ptr& x, const bulk_work& job, const messages::controlled& c) {
  answer_items(x, job, c.answers, [](json::writer& w, const core::run_head& h) {
    w.member("state", core::to_text(h.state)).member("cancel_requested", h.cancel_requested);
  });
}

decltype(messages::control_runs::what) word_of(const bulk_work& job) {
  const auto& d = job.draft;
  switch (job.verb) {
    case bulk_verb::discard: return core::cmd_discard{d.reason};
    case bulk_verb::run_now: return core::cmd_run_now{};
    case bulk_verb::priority: return core::cmd_reprioritise{d.prio.value_or(core::priority::normal)};
    case bulk_verb::force_release: return core::cmd_force_release{d.reason};
    case bulk_verb::force_fail: return core::cmd_force_fail{d.reason};
    case bulk_verb::cancel:
    case bulk_verb::retry:
    case bulk_verb::recover: break;
  }
  return core::cmd_cancel{d.reason};
}

void do_control(const exchange_ptr& x, bulk_work job) {
  messages::control_runs m;
  m.ids = job.draft.ids;
  m.actor = x->actor;
  m.what = word_of(job);
  m.expected = job.draft.expected;
  m.dry_run = job.draft.dry_run;
  x->node().node.call(
      std::move(m),
      x->then<messages::controlled>([job = std::move(job)](const exchange_ptr& y, messages::controlled c) {
        answer_controlled(y, job, c);
      }));
}

void answer_linked(const exchange_ptr& x, const bulk_work& job, const messages::redriven& d) {
  answer_items(
      x, job, d.answers,
      [&job](json::writer& w, const core::run& r) {
        w.member("state", core::to_text(r.head.state));
        if (!job.draft.dry_run) w.member("successor_id", r.head.id);
      },
      d.replayed);
}

void do_redrive(const exchange_ptr& x, bulk_work job) {
  messages::redrive_runs m;
  m.ids = job.draft.ids;
  m.payload = job.draft.payload;
  m.actor = x->actor;
  m.once = once_of(*x);
  m.expected = job.draft.expected;
  m.dry_run = job.draft.dry_run;
  x->node().node.call(std::move(m), x->then<messages::redriven>(
                                        [job = std::move(job)](const exchange_ptr& y, messages::redriven d) {
                                          answer_linked(y, job, d);
                                        }));
}

void do_recover(const exchange_ptr& x, bulk_work job) {
  const auto& d = job.draft;
  messages::recover_runs m{d.ids, d.reason, x->actor, d.expected, d.dry_run, once_of(*x)};
  x->node().node.call(std::move(m), x->then<messages::redriven>(
                                        [job = std::move(job)](const exchange_ptr& y, messages::redriven r) {
                                          answer_linked(y, job, r);
                                        }));
}

void perform(const exchange_ptr& x, bulk_work job) {
  if (job.draft.ids.empty()) {
    json::writer w;
    begin(w, job, 0);
    w.member("succeeded", 0).member("failed", 0).key("items").begin_array().end_array().end_object();
    return answer_json(*x, w);
  }
  if (job.verb == bulk_verb::retry)
    do_redrive(x, std::move(job));
  else if (job.verb == bulk_verb::recover)
    do_recover(x, std::move(job));
  else
    do_control(x, std::move(job));
}

bool can_be_about(bulk_verb verb, core::run_state s) {
  using enum core::run_state;
  switch (verb) {
    case bulk_verb::cancel:
    case bulk_verb::force_fail: return !core::terminal(s);
    case bulk_verb::priority: return !core::terminal(s) && !core::leased(s);
    case bulk_verb::run_now: return s == scheduled || s == retrying || s == parked;
    case bulk_verb::force_release: return core::leased(s);
    case bulk_verb::recover: return s == needs_attention;
    case bulk_verb::retry:
    case bulk_verb::discard: break;
  }
  return false;
}

// Only what the word can be about: a filter that leaves it open means those.
void narrow(core::run_filter& f, bulk_verb verb) {
  if (!f.states.empty()) return;
  if (verb == bulk_verb::retry || verb == bulk_verb::discard)
    f.dead_letters = true;
  else if (!f.dead_letters)
    for (const auto s : core::all_run_states())
      if (can_be_about(verb, s)) f.states.push_back(s);
}

void by_filter(const exchange_ptr& x, bulk_work job) {
  auto filter = std::move(job.draft.filter);
  with_job(x, std::move(filter), [job = std::move(job)](const exchange_ptr& y, core::run_filter f) mutable {
    narrow(f, job.verb);
    y->node().node.ask(
        messages::list_ids{std::move(f), json::most_items + 1},
        y->then<std::vector<core::run_id>>(
            [job = std::move(job)](const exchange_ptr& z, std::vector<core::run_id> ids) mutable {
              job.more = ids.size() > json::most_items;
              if (job.more) ids.resize(json::most_items);
              job.draft.ids = std::move(ids);
              perform(z, std::move(job));
            }));
  });
}

void bulk(const exchange_ptr& x, bulk_verb verb) {
  auto draft = json::read_bulk(x->in.body, verb);
  if (!draft) return x->refuse(draft.error());
  if (draft->by_filter && draft->filter.empty() && !draft->dry_run && !draft->confirm)
    return x->refuse(fail_with(errc::confirmation_required,
                               "the filter is empty, so this is about every run that it could be about; say "
                               "\"confirm\": true, or look with \"dry_run\": true"));
  bulk_work job{verb, std::move(*draft), false};
  if (job.draft.by_filter)
    by_filter(x, std::move(job));
  else
    perform(x, std::move(job));
}

}  // namespace

void add_bulk_routes(std::vector<route>& all) {
  const auto add = [&all](std::string_view pattern, std::string_view operation, std::string_view summary,
                          handler h, std::string_view schema) {
    all.push_back({verb::post,
                   pattern,
                   operation,
                   "runs",
                   summary,
                   scope::operate,
                   h,
                   body_kind::json,
                   schema,
                   {},
                   {{200, "BulkAnswer", "A result for each run"}},
                   {errc::malformed, errc::invalid, errc::unknown_field, errc::too_large, errc::not_found,
                    errc::ambiguous, errc::confirmation_required, errc::forbidden},
                   false,
                   0});
  };
  add(
      "/v1/runs:cancel", "cancel_runs",
      "Cancel up to 1,000 runs; an empty filter clears the queue and needs confirm",
      [](const exchange_ptr& x) { bulk(x, bulk_verb::cancel); }, "BulkControl");
  add(
      "/v1/runs:retry", "retry_runs", "Redrive up to 1,000 runs; by filter without states: dead letters",
      [](const exchange_ptr& x) { bulk(x, bulk_verb::retry); }, "BulkRetry");
  all.back().once = true;  // each run by a key of its own, so its refusals stand in its result
  add(
      "/v1/runs:discard", "discard_runs", "Dismiss up to 1,000 dead letters",
      [](const exchange_ptr& x) { bulk(x, bulk_verb::discard); }, "BulkControl");
  add(
      "/v1/runs:run-now", "run_many_now", "Let up to 1,000 runs that wait for a time begin at once",
      [](const exchange_ptr& x) { bulk(x, bulk_verb::run_now); }, "BulkPlain");
  add(
      "/v1/runs:priority", "reprioritise_runs", "Change the priority of up to 1,000 runs that wait",
      [](const exchange_ptr& x) { bulk(x, bulk_verb::priority); }, "BulkPriority");
  add(
      "/v1/runs:force-release", "force_release_runs", "Take up to 1,000 runs from whoever has them",
      [](const exchange_ptr& x) { bulk(x, bulk_verb::force_release); }, "BulkForce");
  add(
      "/v1/runs:force-fail", "force_fail_runs", "Give up to 1,000 runs up that have not ended",
      [](const exchange_ptr& x) { bulk(x, bulk_verb::force_fail); }, "BulkForce");
  add(
      "/v1/runs:recover", "recover_runs",
      "Close up to 1,000 runs that need attention and make their successors",
      [](const exchange_ptr& x) { bulk(x, bulk_verb::recover); }, "BulkForce");
  all.back().once = true;
}

}  // namespace belfry::api
