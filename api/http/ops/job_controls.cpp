// JOB CONTROLS: pause, resume, trigger, duplicate.
#include "api/http/ops/job_answers.hpp"
#include "api/http/ops/ops.hpp"
#include "api/json/controls.hpp"
#include "api/json/failures.hpp"
#include "api/json/jobs.hpp"
#include "api/json/runs.hpp"

namespace belfry::api {
namespace {

using core::errc;

constexpr std::size_t triggers_at_a_time = 32;

void pause(const exchange_ptr& x) {
  auto draft = json::read_pause(x->in.body);
  if (!draft) return x->refuse(draft.error());
  with_job_named(x, [d = std::move(*draft)](const exchange_ptr& y, core::job j) {
    y->node().node.call(messages::pause_job{j.id, d.reason, d.text, y->actor},
                        y->then<messages::job_stored>([](const exchange_ptr& z, messages::job_stored s) {
                          answer_job(*z, s.job, 200, {}, false);
                        }));
  });
}

void resume(const exchange_ptr& x) {
  auto draft = json::read_pause(x->in.body);
  if (!draft) return x->refuse(draft.error());
  with_job_named(x, [d = std::move(*draft)](const exchange_ptr& y, core::job j) {
    y->node().node.call(messages::resume_job{j.id, d.reason, y->actor},
                        y->then<messages::job_stored>([](const exchange_ptr& z, messages::job_stored s) {
                          answer_job(*z, s.job, 200, {}, false);
                        }));
  });
}

messages::trigger_job trigger_of(const exchange& x, core::job_id id, const json::trigger_draft& d,
                                 std::string_view suffix) {
  messages::trigger_job m;
  m.id = id;
  m.payload = d.payload;
  m.force = d.force;
  m.delay = d.delay;
  m.once = once_of(x, suffix);
  m.actor = x.actor;
  return m;
}

void answer_triggered(const exchange_ptr& x, messages::submitted s) {
  if (s.runs.empty()) return x->refuse(fail_with(errc::internal, "the node answered without the run"));
  json::writer w{384};
  json::write_submitted(w, s.runs.front(), !s.replayed);
  answer_json(*x, w, 201, made_headers("/v1/runs/" + core::to_string(s.runs.front().head.id), s.replayed));
}

// Many triggers of one job, a few under way at a time; each has its own result.
class many_triggers : public std::enable_shared_from_this<many_triggers> {
 public:
  many_triggers(exchange_ptr x, core::job_id id, json::trigger_draft d)
      : x_(std::move(x)), id_(id), draft_(std::move(d)), answers_(draft_.count.value_or(1)) {}

  void start() {
    for (std::size_t i = 0; i < triggers_at_a_time && next_ < answers_.size(); ++i) one();
  }

 private:
  void one() {
    const auto i = next_++;
    x_->node().node.call(
        trigger_of(*x_, id_, draft_, "#" + std::to_string(i)),
        x_->whole<messages::submitted>(
            [self = shared_from_this(), i](const exchange_ptr&, core::result<messages::submitted> r) {
              self->came(i, std::move(r));
            }));
  }

  void came(std::size_t i, core::result<messages::submitted> r) {
    answers_[i].emplace(std::move(r));
    ++done_;
    if (next_ < answers_.size()) return one();
    if (done_ == answers_.size()) answer();
  }

  void answer() {
    json::writer w{answers_.size() * 200 + 64};
    std::size_t ok = 0;
    bool all_replayed = true;
    w.begin_object().key("items").begin_array();
    for (const auto& a : answers_) {
      if (a->ok() && !(*a)->runs.empty()) {
        ++ok;
        all_replayed = all_replayed && (*a)->replayed;
        json::write_submitted(w, (*a)->runs.front(), !(*a)->replayed);
      } else {
        w.begin_object();
        json::write_failure_members(
            w, a->ok() ? fail_with(errc::internal, "the node answered without the run") : a->error());
        w.end_object();
      }
    }
    w.end_array().member("succeeded", ok).member("failed", answers_.size() - ok).end_object();
    answer_json(*x_, w, 201, made_headers({}, all_replayed && ok > 0));
  }

  exchange_ptr x_;
  core::job_id id_;
  json::trigger_draft draft_;
  std::vector<std::optional<core::result<messages::submitted>>> answers_;
  std::size_t next_ = 0;
  std::size_t done_ = 0;
};

void trigger(const exchange_ptr& x) {
  auto draft = json::read_trigger(x->in.body);
  if (!draft) return x->refuse(draft.error());
  with_job_named(x, [d = std::move(*draft)](const exchange_ptr& y, core::job j) {
    if (d.count) return std::make_shared<many_triggers>(y, j.id, d)->start();
    y->node().node.call(trigger_of(*y, j.id, d, {}), y->then<messages::submitted>(answer_triggered));
  });
}

void duplicate(const exchange_ptr& x) {
  auto name = json::read_new_name(x->in.body);
  if (!name) return x->refuse(name.error());
  with_job_named(x, [n = std::move(*name)](const exchange_ptr& y, core::job j) {
    if (!j.definition) return y->refuse(fail_with(errc::internal, "the job has no definition"));
    messages::put_job m;
    m.definition = *j.definition;
    m.definition.name = m.definition.spec.name = n;
    if (auto found = core::check(m.definition, ""); !found.empty()) {
      json::problems p;
      p.add_found(std::move(found));
      return y->refuse(p.refusal());
    }
    m.start_paused = true;  // a copy does nothing until somebody has looked at it
    m.once = once_of(*y);
    m.actor = y->actor;
    y->node().node.call(std::move(m),
                        y->then<messages::job_stored>([](const exchange_ptr& z, messages::job_stored s) {
                          answer_job(*z, s.job, 201, {}, s.replayed);
                        }));
  });
}

}  // namespace

void add_job_control_routes(std::vector<route>& all) {
  const std::vector<errc> usual{errc::malformed, errc::invalid,   errc::unknown_field,
                                errc::not_found, errc::ambiguous, errc::invalid_transition};
  all.push_back({verb::post,
                 "/v1/jobs/{id}:pause",
                 "pause_job",
                 "jobs",
                 "Pause a job for a reason; other reasons stay as they are",
                 scope::operate,
                 pause,
                 body_kind::optional_json,
                 "Pause",
                 {},
                 {{200, "Job", "The job"}},
                 usual,
                 false,
                 0});
  all.push_back({verb::post,
                 "/v1/jobs/{id}:resume",
                 "resume_job",
                 "jobs",
                 "Lift one pause reason, manual by default",
                 scope::operate,
                 resume,
                 body_kind::optional_json,
                 "Pause",
                 {},
                 {{200, "Job", "The job"}},
                 usual,
                 false,
                 0});
  auto refusals = usual;
  refusals.insert(refusals.end(), {errc::conflict, errc::idempotency_mismatch, errc::idempotency_in_progress,
                                   errc::storage_full});
  all.push_back({verb::post,
                 "/v1/jobs/{id}:trigger",
                 "trigger_job",
                 "jobs",
                 "Make a run of a job by hand, or several with count",
                 scope::operate,
                 trigger,
                 body_kind::optional_json,
                 "Trigger",
                 {},
                 {{201, "Triggered", "The run, or with count items"}},
                 refusals,
                 true,
                 0});
  all.push_back({verb::post,
                 "/v1/jobs/{id}:duplicate",
                 "duplicate_job",
                 "jobs",
                 "Copy a job under a new name; the copy is paused",
                 scope::operate,
                 duplicate,
                 body_kind::json,
                 "NewName",
                 {},
                 {{201, "JobMade", "The copy"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous,
                  errc::already_exists, errc::idempotency_mismatch, errc::idempotency_in_progress},
                 true,
                 0});
}

}  // namespace belfry::api
