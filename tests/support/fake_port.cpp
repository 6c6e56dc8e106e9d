#include "tests/support/fake_port.hpp"

#include <algorithm>

#include "core/session/session.hpp"

namespace belfry::test {
namespace {

using core::errc;

core::failure no(errc e, std::string text) { return {e, std::move(text), {}, {}}; }

}  // namespace

fake_port::fake_port(const platform::clock& time) : time_(time) {
  status.ready = true;
  status.health = "healthy";
  status.started_at = time.now();
  status.children.push_back({"storage", "up", 0, ""});
  core::session own;
  own.id = core::session_id{ids_.next(time.now())};
  own.name = "process-1";
  own.agent_type = "process";
  own.handlers = {core::handler_kind::process};
  own.local = true;
  own.wake.via = core::wake_via::none;
  own.created_at = time.now();
  sessions_[own.id] = own;
  thread_ = std::thread{[this] { loop(); }};
}

fake_port::~fake_port() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
    held_ = false;
    claims_.clear();
  }
  wake_.notify_all();
  thread_.join();
}

void fake_port::post(std::function<void()> job) {
  const std::lock_guard lock{mutex_};
  jobs_queue_.push_back(std::move(job));
  wake_.notify_all();
}

void fake_port::loop() {
  std::unique_lock lock{mutex_};
  while (!ending_ || !jobs_queue_.empty()) {
    if (held_ || jobs_queue_.empty()) {
      wake_.wait_for(lock, std::chrono::milliseconds{20});
      if (!held_) answer_waiting();
      continue;
    }
    auto job = std::move(jobs_queue_.front());
    jobs_queue_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

void fake_port::note(core::event e) {
  e.seq = static_cast<std::int64_t>(journal_.size()) + 1;
  if (e.at == core::never) e.at = time_.now();
  journal_.push_back(std::move(e));
  tell(journal_.back().run);
}

// Watches are told behind the back of whoever holds the lock.
void fake_port::tell(core::run_id run) {
  const auto last = static_cast<std::int64_t>(journal_.size());
  for (const auto& [number, w] : watchers_)
    if (!w.run || w.run == run) jobs_queue_.push_back([told = w.told, last, run] { told({last, run}); });
  wake_.notify_all();
}

core::run_id fake_port::new_run(const core::submission& s, core::batch_id batch) {
  const core::run_id id = s.id ? s.id : core::run_id{ids_.next(time_.now())};
  core::run r{core::make_run(s, id, batch, time_.now()), s.spec};
  note({0, core::never, core::event_kind::run_submitted, id, r.head.job, 0, 0, s.actor, ""});
  runs_[id] = std::move(r);
  return id;
}

core::result<messages::submitted> fake_port::submit(const messages::submit_runs& m) {
  last_actor_ = m.actor;
  if (m.once)
    if (const auto it = once_.find(m.once->key); it != once_.end()) {
      if (it->second.first.fingerprint != m.once->fingerprint)
        return no(errc::idempotency_mismatch, "the key was used for other content");
      auto again = it->second.second;
      again.replayed = true;
      return again;
    }
  messages::submitted out;
  if (m.as_batch) out.batch = core::batch_id{ids_.next(time_.now())};
  for (const auto& s : m.runs) {
    if (const auto it = s.id ? runs_.find(s.id) : runs_.end(); it != runs_.end()) {
      if (!(*it->second.spec == *s.spec)) return no(errc::conflict, "the id belongs to another run");
      out.replayed = true;
      out.runs.push_back(it->second);
      continue;
    }
    out.runs.push_back(runs_[new_run(s, out.batch)]);
  }
  if (m.once) once_[m.once->key] = {*m.once, out};
  answer_waiting();
  return out;
}

core::result<core::run_head> fake_port::step(core::run_id id, const core::run_command& c,
                                             const std::string& actor, bool* replayed) {
  last_actor_ = actor;
  const auto it = runs_.find(id);
  if (it == runs_.end()) return no(errc::not_found, "there is no run " + core::to_string(id));
  core::run_context context{it->second.spec.get(), nullptr};
  if (const auto* s = std::get_if<core::cmd_settle>(&c))
    for (const auto& a : attempts_[id])
      if (a.fencing == s->proof.fencing) context.earlier = &a;
  for (const auto& l : logs_[id])
    if (l.attempt == it->second.head.attempt) context.next_line = l.number + 1;
  const auto decision = core::decide(it->second.head, context, c, actor, time_.now());
  if (const auto* refused = std::get_if<core::run_refusal>(&decision)) {
    if (refused->late) late_[id].push_back(*refused->late);
    if (refused->said) said_[id] = *refused->said;
    return refused->why;
  }
  const auto& step = std::get<core::run_step>(decision);
  it->second.head = step.next;
  if (step.ended) attempts_[id].push_back(*step.ended);
  if (step.adopted) attempts_[id].push_back(*step.adopted);
  if (step.stored) checkpoints_[id] = *step.stored;
  logs_[id].insert(logs_[id].end(), step.lines.begin(), step.lines.end());
  for (const auto& e : step.events) note(e);
  if (replayed != nullptr) *replayed = step.replayed;
  return step.next;
}

messages::claimed_runs fake_port::claim(const messages::claim_runs& m) {
  messages::claimed_runs out;
  const auto who = sessions_.find(m.who);
  if (who == sessions_.end()) return out;
  for (auto& [id, r] : runs_) {
    if (out.runs.size() >= m.max) break;
    if (r.head.state != core::run_state::queued || r.head.prio > m.at_least) continue;
    if (!core::may_take(who->second, r.head.needs, r.spec->handler)) continue;
    const std::string token = "token-" + core::to_string(id) + "-" + std::to_string(r.head.fencing + 1);
    if (step(id, core::cmd_claim{m.who, platform::sha256(token), m.lease, m.start}, core::to_string(m.who))) {
      auto claimed = runs_[id];
      if (claimed.head.attempt > 1) {
        auto past = std::make_shared<core::run_past>();
        past->attempts = attempts_[id];
        if (const auto kept = checkpoints_.find(id); kept != checkpoints_.end()) past->last = kept->second;
        claimed.past = std::move(past);
      }
      out.runs.push_back({std::move(claimed), token});
    }
  }
  out.state = who->second.state;
  if (out.runs.empty()) out.reasons = core::why_nothing({&who->second});
  return out;
}

// Under the lock.
void fake_port::answer_waiting() {
  for (auto it = claims_.begin(); it != claims_.end();) {
    auto got = claim(it->wish);
    if (got.runs.empty() && time_.steady() < it->until) {
      ++it;
      continue;
    }
    jobs_queue_.push_back([done = std::move(it->done), got = std::move(got)] { done(got); });
    it = claims_.erase(it);
  }
  for (auto it = polls_.begin(); it != polls_.end();) {
    auto told = waiting_wakes_for(it->wish);
    if (told.wakes.empty() && time_.steady() < it->until) {
      ++it;
      continue;
    }
    jobs_queue_.push_back([done = std::move(it->done), told = std::move(told)] { done(told); });
    it = polls_.erase(it);
  }
}

core::result<messages::job_stored> fake_port::import(const messages::put_job& m) {
  const auto& line = m.import->past;
  const core::job* there = nullptr;
  for (const auto& [id, j] : jobs_)
    if (core::same_job(j, line) ||
        (there == nullptr && j.definition->name == m.definition.name && j.state != core::job_state::archived))
      there = &j;
  messages::job_stored out;
  out.imported = core::decide_import(there, m.definition, line, m.import->replace, out.note);
  core::job j;
  if (out.imported == core::import_verdict::created) {
    j = {line.id,
         line.revision,
         {},
         line.state,
         line.pauses,
         line.created_at,
         line.updated_at,
         line.created_by,
         line.triggered,
         std::make_shared<core::job_definition>(m.definition),
         line.cursor};
    if (!j.id) j.id = core::job_id{ids_.next(time_.now())};
  } else {
    j = out.imported == core::import_verdict::replaced ? core::merged(*there, m.definition, line) : *there;
  }
  if (!m.import->dry_run) jobs_[j.id] = j;
  out.job = std::move(j);
  return out;
}

core::result<messages::job_stored> fake_port::put(const messages::put_job& m) {
  last_actor_ = m.actor;
  if (m.once)
    if (const auto it = once_jobs_.find(m.once->key); it != once_jobs_.end()) {
      if (it->second.first.fingerprint != m.once->fingerprint)
        return no(errc::idempotency_mismatch, "the key was used for other content");
      auto again = it->second.second;
      again.replayed = true;
      return again;
    }
  if (m.import) return import(m);
  for (const auto& [id, j] : jobs_)
    if (id != m.id && j.definition->name == m.definition.name && j.state != core::job_state::archived)
      return no(errc::already_exists, "there is a job of this name");
  messages::job_stored out;
  core::job j;
  if (m.id) {
    const auto it = jobs_.find(m.id);
    if (it == jobs_.end()) return no(errc::not_found, "there is no such job");
    if (m.expected_revision != 0 && m.expected_revision != it->second.revision)
      return no(errc::precondition_failed, "the job is at another revision");
    j = it->second;
    ++j.revision;
  } else {
    j.id = core::job_id{ids_.next(time_.now())};
    j.created_at = time_.now();
    j.created_by = m.actor;
    if (m.start_paused) j.pauses.push_back({"manual", m.actor, "", time_.now()});
    out.created = true;
  }
  j.state = j.pauses.empty() ? core::job_state::active : core::job_state::paused;
  j.updated_at = time_.now();
  j.definition = std::make_shared<core::job_definition>(m.definition);
  jobs_[j.id] = j;
  note({0,
        core::never,
        out.created ? core::event_kind::job_created : core::event_kind::job_replaced,
        {},
        j.id,
        0,
        0,
        m.actor,
        ""});
  out.job = j;
  if (m.once) once_jobs_[m.once->key] = {*m.once, out};
  return out;
}

core::result<messages::submitted> fake_port::trigger(const messages::trigger_job& m) {
  const auto it = jobs_.find(m.id);
  if (it == jobs_.end() || it->second.state == core::job_state::archived)
    return no(errc::not_found, "there is no such job");
  if (!it->second.pauses.empty() && !m.force) return no(errc::invalid_transition, "the job is paused");
  auto spec = std::make_shared<core::run_spec>(it->second.definition->spec);
  if (m.payload) spec->payload = *m.payload;
  core::submission s;
  s.spec = std::move(spec);
  s.job = m.id;
  s.revision = it->second.revision;
  s.manual = true;
  s.actor = m.actor;
  if (m.delay > core::span{0}) s.due_at = time_.now() + m.delay;
  ++it->second.triggered;
  messages::submit_runs as{{s}, false, m.once, m.actor};
  return submit(as);
}

core::result<core::run> fake_port::redrive(core::run_id id, const messages::redrive_runs& m) {
  const auto it = runs_.find(id);
  if (it == runs_.end()) return no(errc::not_found, "there is no run " + core::to_string(id));
  if (auto unexpected = core::refuse_unexpected(it->second.head, m.expected)) return *unexpected;
  const auto s = core::decide_redrive(it->second.head, it->second.spec, m.payload, m.actor);
  if (!s) return s.error();
  if (m.dry_run) return it->second;
  const auto next = new_run(*s, {});
  runs_[id].head.successor = next;
  return runs_[next];
}

}  // namespace belfry::test
