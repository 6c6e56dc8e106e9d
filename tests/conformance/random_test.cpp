// Random sequences of changes on both stores: equal answers, equal observations, and counters that equal the
// rows.
#include <rapidcheck/catch.h>

#include <algorithm>
#include <array>
#include <map>

#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;

namespace {

struct op {
  std::uint8_t what = 0, a = 0, b = 0;
};

std::ostream& operator<<(std::ostream& out, const op& o) {
  return out << int{o.what} << '/' << int{o.a} << '/' << int{o.b};
}

// What both sides are told. Ids are the same in both, because both give them by the same rule.
class town {
 public:
  st::change change_of(const op& o, core::instant now) {
    const auto run = runs.empty() ? core::run_id{1} : runs[o.a % runs.size()];
    const auto job = jobs.empty() ? core::job_id{1} : jobs[o.a % jobs.size()];
    switch (o.what % 16) {
      case 0: return st::insert_runs{{submission(o, now)}, false};
      case 1: return st::insert_runs{{submission(o, now), submission({o.what, o.b, o.a}, now)}, true};
      case 2:
      case 3:
        return st::step_run{run,
                            core::cmd_claim{core::session_id{1 + o.b % 3}, hash_of(7),
                                            std::chrono::seconds{30 + o.b}, o.b % 2 == 0},
                            o.b % 3 == 0};
      case 4:
      case 5: return st::step_run{run, settle(run, o)};
      case 6: return st::step_run{run, core::cmd_cancel{"by hand"}};
      case 7: return st::step_run{run, core::cmd_wake{}};
      case 8: return st::step_run{run, core::cmd_expire{fencing[run], 0.25}};
      case 9:
        return st::redrive_run{run, o.b % 2 == 0 ? std::optional<std::string>{"{}"} : std::nullopt,
                               o.b % 3 == 0};
      case 10: return st::put_job{o.b % 3 == 0 ? core::job_id{} : job, 0, definition(o), o.b % 7 == 0};
      case 11:
        return st::trigger_job{job, o.b % 4 == 0 ? std::optional<std::string>{"[1]"} : std::nullopt,
                               o.b % 5 == 0};
      case 12: return pause(job, o, now);
      case 13:
        return st::append_log{
            {{run, 1u + o.b % 2, 1u + o.b, now, core::log_stream::out, std::string(o.b, 'x')}}, 100};
      case 14:
        return st::prune_history{now - std::chrono::seconds{o.a}, now - std::chrono::seconds{o.b}, o.b % 4u,
                                 5, o.a % 4 == 0};
      default:
        return o.b % 2 == 0 ? st::change{st::step_run{run, core::cmd_discard{}}}
                            : st::change{st::step_run{
                                  run, core::cmd_reprioritise{static_cast<core::priority>(o.b % 4)}}};
    }
  }

  void learn(const st::receipt& r) {
    for (const auto* list : {&r.runs, &r.also})
      for (const auto& run : *list) {
        if (!fencing.contains(run.head.id)) runs.push_back(run.head.id);
        fencing[run.head.id] = run.head.fencing;
      }
    for (const auto& j : r.jobs)
      if (std::find(jobs.begin(), jobs.end(), j.id) == jobs.end()) jobs.push_back(j.id);
  }

 private:
  static st::change pause(core::job_id job, const op& o, core::instant now) {
    const core::pause_target targets[] = {core::the_job(job), core::whole_scheduler(),
                                          core::the_workspace("w1"), core::the_agent_type("t")};
    const auto& on = targets[o.a % 4];
    core::pause_entry e{o.b % 3 == 0 ? "manual" : "quota", "operator", "", core::never};
    if (o.b % 4 == 1) e.until = now + std::chrono::seconds{1 + o.a % 20};
    if (o.b % 5 == 1) e.deadline = now + std::chrono::seconds{5};
    switch (o.b % 6) {
      case 0: return st::pause_job{job, {"manual", "operator", "", core::never}};
      case 1:
      case 2: return st::put_pause{on, e};
      case 3: return st::resume_job{job, "manual"};
      case 4: return st::note_drained{on};
      default: return st::lift_pause{on, e.reason, "operator", o.a % 3 == 0};
    }
  }
  core::submission submission(const op& o, core::instant now) const {
    auto spec = a_spec("n" + std::to_string(o.a % 3));
    spec.prio = static_cast<core::priority>(o.a % 4);
    if (o.a % 3 == 0) spec.needs.workspace = "w" + std::to_string(o.b % 2);
    if (o.a % 5 == 0) spec.lane = "l";
    if (o.b % 2 == 0) spec.tags = {"t" + std::to_string(o.b % 3), "u"};
    if (o.b % 4 == 0) spec.hook.shell = "notify";
    spec.retry.max_attempts = static_cast<std::uint16_t>(1 + o.b % 2);
    spec.retry.max_losses = 1 + o.a % 2;
    auto s = a_submission(std::move(spec));
    if (o.b % 6 == 0) s.due_at = now + std::chrono::seconds{o.a};
    return s;
  }
  core::cmd_settle settle(core::run_id run, const op& o) {
    core::cmd_settle c;
    c.proof = {o.b % 5 == 4 ? 0 : fencing[run], hash_of(7)};
    c.kind = static_cast<core::settle_kind>(o.b % 5);
    c.klass = o.a % 2 == 0 ? core::failure_class::permanent : core::failure_class::error;
    if (c.kind == core::settle_kind::succeeded || c.kind == core::settle_kind::released)
      c.klass = core::failure_class::none;
    c.retry_after = std::chrono::seconds{1 + o.a % 3};
    c.message = "m" + std::to_string(o.a % 3);
    return c;
  }
  static core::job_definition definition(const op& o) {
    auto d = a_job("j" + std::to_string(o.b % 4));
    d.on_overlap = static_cast<core::overlap>(o.a % 5);
    d.max_concurrent = 1 + o.a % 3;
    d.spec.payload = std::to_string(o.a % 3);
    return d;
  }

  std::vector<core::run_id> runs;
  std::vector<core::job_id> jobs;
  std::map<core::run_id, std::uint64_t> fencing;
};

void same_runs(const std::vector<core::run>& a, const std::vector<core::run>& b) {
  RC_ASSERT(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    RC_ASSERT(a[i].head == b[i].head);
    RC_ASSERT((a[i].spec == nullptr) == (b[i].spec == nullptr));
    if (a[i].spec) RC_ASSERT(*a[i].spec == *b[i].spec);
  }
}

void same_jobs(const std::vector<core::job>& a, const std::vector<core::job>& b) {
  RC_ASSERT(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    RC_ASSERT(a[i].id == b[i].id);
    RC_ASSERT(a[i].revision == b[i].revision);
    RC_ASSERT(a[i].state == b[i].state);
    RC_ASSERT(a[i].pauses == b[i].pauses);
    RC_ASSERT(a[i].triggered == b[i].triggered);
    RC_ASSERT(*a[i].definition == *b[i].definition);
  }
}

void same_receipts(const core::result<st::receipt>& a, const core::result<st::receipt>& b) {
  RC_ASSERT(a.ok() == b.ok());
  if (!a.ok()) {
    RC_ASSERT(a.error().code == b.error().code);
    RC_ASSERT(a.error().text == b.error().text);
    return;
  }
  same_runs(a->runs, b->runs);
  same_runs(a->also, b->also);
  same_jobs(a->jobs, b->jobs);
  RC_ASSERT(a->ended == b->ended);
  RC_ASSERT(a->batch == b->batch);
  RC_ASSERT(a->first_event == b->first_event);
  RC_ASSERT(a->last_event == b->last_event);
  RC_ASSERT(a->replayed == b->replayed);
  RC_ASSERT(a->pruned == b->pruned);
  RC_ASSERT(a->prunable == b->prunable);
  RC_ASSERT(a->pauses.size() == b->pauses.size());
  for (std::size_t i = 0; i < a->pauses.size(); ++i) {
    RC_ASSERT(a->pauses[i].on == b->pauses[i].on);
    RC_ASSERT(a->pauses[i].entries == b->pauses[i].entries);
    RC_ASSERT(a->pauses[i].ended == b->pauses[i].ended);
  }
}

const std::vector<core::run_filter>& filters() {
  using core::run_state;
  static const std::vector<core::run_filter> all{
      {},
      {.states = {run_state::queued}},
      {.states = {run_state::running, run_state::claimed}},
      {.states = {run_state::failed, run_state::succeeded, run_state::retrying}},
      {.workspace = "w0"},
      {.workspace = "w1", .lane = "l"},
      {.lane = "w1"},
      {.holder = core::session_id{2}},
      {.tags_any = {"t0", "t1"}},
      {.tags_all = {"u", "t2"}},
      {.prio = core::priority::high, .name_contains = "N1"},
      {.created_from = start + 20s, .created_to = start + 90s},
      {.ended_from = start + 30s},
      {.ended_to = start + 60s, .dead_letters = true},
      {.dead_letters = true},
  };
  return all;
}

void same_statistics(const core::run_statistics& a, const core::run_statistics& b) {
  RC_ASSERT(a.by_state == b.by_state);
  RC_ASSERT(a.queued_by_priority == b.queued_by_priority);
  RC_ASSERT(a.considered == b.considered);
  RC_ASSERT(a.wait.p95 == b.wait.p95);
  RC_ASSERT(a.execution.average == b.execution.average);
  RC_ASSERT(a.total.p50 == b.total.p50);
  RC_ASSERT(a.success_rate == b.success_rate);
}

// Everything that a reader can tell.
template <class A, class B>
void same_observations(fixture<A>& a, fixture<B>& b) {
  for (const auto& filter : filters()) {
    for (const auto sort : {core::run_sort::newest, core::run_sort::oldest}) {
      const auto x = a.read().list_runs(filter, {7, 0, sort}), y = b.read().list_runs(filter, {7, 0, sort});
      same_runs(x->runs, y->runs);
      RC_ASSERT(x->next == y->next);
    }
    RC_ASSERT(*a.read().ids_of(filter, 500) == *b.read().ids_of(filter, 500));
    same_statistics(*a.read().statistics(filter), *b.read().statistics(filter));
  }
  const auto p = a.store().pauses(), q = b.store().pauses();
  RC_ASSERT(p->standing == q->standing);
  RC_ASSERT(p->past == q->past);
  RC_ASSERT(a.events() == b.events());
  same_jobs(a.read().list_jobs(true, "", 100, 0)->jobs, b.read().list_jobs(true, "", 100, 0)->jobs);
  const auto ids = *a.read().ids_of({}, 500);
  for (const auto id : ids) {
    RC_ASSERT(*a.read().attempts_of(id) == *b.read().attempts_of(id));
    RC_ASSERT(a.read().evidence_of(id)->size() == b.read().evidence_of(id)->size());
    const auto x = a.read().logs(id, 0, 0, 100, 0), y = b.read().logs(id, 0, 0, 100, 0);
    RC_ASSERT(x->lines == y->lines);
    RC_ASSERT(x->dropped_lines == y->dropped_lines);
  }
  const auto x = a.read().facts(), y = b.read().facts();
  RC_ASSERT(x->runs_by_state == y->runs_by_state);
  RC_ASSERT(x->totals == y->totals);
  RC_ASSERT(x->jobs == y->jobs);
}

// The counters that are kept beside the rows.
template <class Kind>
void counters_equal_rows(fixture<Kind>& f) {
  std::array<std::int64_t, core::run_state_count> counted{};
  std::array<std::int64_t, core::priority_count> queued{};
  core::page_request page{500, 0, core::run_sort::oldest};
  do {
    const auto got = f.read().list_runs({}, page);
    for (const auto& r : got->runs) {
      ++counted[static_cast<std::size_t>(r.head.state)];
      if (r.head.state == core::run_state::queued) ++queued[static_cast<std::size_t>(r.head.prio)];
    }
    page.after = got->next;
  } while (page.after != 0);
  RC_ASSERT(f.read().facts()->runs_by_state == counted);
  RC_ASSERT(f.read().statistics({})->queued_by_priority == queued);
  std::int64_t seq = f.read().events_after(0, 1, {})->oldest_kept;
  for (const auto& e : f.events()) RC_ASSERT(e.seq == seq++);
}

}  // namespace

namespace rc {
template <>
struct Arbitrary<op> {
  static Gen<op> arbitrary() {
    return gen::build<op>(gen::set(&op::what, gen::arbitrary<std::uint8_t>()),
                          gen::set(&op::a, gen::inRange<std::uint8_t>(0, 120)),
                          gen::set(&op::b, gen::inRange<std::uint8_t>(0, 120)));
  }
};
}  // namespace rc

TEST_CASE("both stores: random changes have equal answers and equal effects, and the counters equal the rows",
          "[random]") {
  rc::prop("sqlite and memory agree", [] {
    auto ops = *rc::gen::scale(4.0, rc::gen::arbitrary<std::vector<op>>());
    fixture<sqlite_kind> a;
    fixture<memory_kind> b;
    town t;
    for (std::size_t i = 0; i < ops.size(); ++i) {
      const auto& o = ops[i];
      a.now += std::chrono::seconds{o.b % 3};
      b.now = a.now;
      std::vector<st::change> changes{t.change_of(o, a.now)};
      if (o.a % 7 == 0 && i + 1 < ops.size())
        changes.push_back(t.change_of(ops[++i], a.now));  // a set of two
      const auto x = a.store().apply(a.set(changes));
      const auto y = b.store().apply(b.set(changes));
      same_receipts(x, y);
      if (o.b % 11 == 10) {
        a.store().rollback();
        b.store().rollback();
        continue;
      }
      if (o.b % 3 == 0) continue;  // several sets, one commit
      RC_ASSERT(a.store().commit().ok());
      RC_ASSERT(b.store().commit().ok());
      if (x.ok()) t.learn(*x);
      if (o.a % 31 == 30) {
        a.reopen();
        b.reopen();
      }
    }
    RC_ASSERT(a.store().commit().ok());
    RC_ASSERT(b.store().commit().ok());
    same_observations(a, b);
    counters_equal_rows(a);
    counters_equal_rows(b);
  });
}
