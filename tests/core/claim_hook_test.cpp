// The claim hook: what a verdict means, what is remembered of it, and when its failures are told.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>

#include "core/hook/claim_hook.hpp"
#include "core/hook/hook_memory.hpp"
#include "core/run/spec.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

using run_ids = std::vector<run_id>;
const run_ids three{run_id{1}, run_id{2}, run_id{3}};
const session_id alice{7}, bob{8};
constexpr instant noon = from_micros(1'795'255'200'000'000);

hook_verdict narrowed(run_ids to, std::uint32_t max = 0) {
  hook_verdict v;
  v.decision = hook_decision::narrow;
  v.some = true;
  v.runs = std::move(to);
  v.max = max;
  return v;
}

claim_hook_options by_command() {
  claim_hook_options o;
  o.command = {"/usr/local/bin/may-claim"};
  return o;
}

std::string wrong_with(const claim_hook_options& o) {
  std::string all;
  for (const auto& p : check(o)) all += (all.empty() ? "" : " ") + p.pointer;
  return all;
}

}  // namespace

TEST_CASE("claim hook: allow, refuse and narrow mean what they say", "[core][hook]") {
  hook_verdict v;
  auto r = ruling_of(three, 2, v);
  CHECK(r->allowed == three);
  CHECK(r->max == 2);
  v.decision = hook_decision::refuse;
  r = ruling_of(three, 2, v);
  CHECK(r->refused == three);
  CHECK(r->allowed.empty());
  r = ruling_of(three, 2, narrowed({run_id{3}, run_id{1}}));
  CHECK(r->allowed == run_ids{run_id{1}, run_id{3}});  // in the order of the line, not of the hook
  CHECK(r->refused == run_ids{run_id{2}});
  r = ruling_of(three, 2, narrowed({}));
  CHECK(r->refused == three);
  auto fewer = narrowed({}, 1);
  fewer.some = false;
  r = ruling_of(three, 2, fewer);
  CHECK(r->allowed == three);
  CHECK(r->max == 1);
  fewer.max = 9;
  CHECK(ruling_of(three, 2, fewer)->max == 2);
}

TEST_CASE("claim hook: an answer about a run that nobody asked about is a mistake", "[core][hook]") {
  CHECK(ruling_of(three, 1, narrowed({run_id{4}})).refused_with(errc::invalid));
  hook_verdict v;
  v.decision = hook_decision::narrow;
  CHECK(ruling_of(three, 1, v).refused_with(errc::invalid));
}

TEST_CASE("claim hook: every run asked about is allowed or refused, once", "[core][hook]") {
  rc::check([] {
    const auto n = *rc::gen::inRange(1, 20);
    run_ids asked;
    for (int i = 1; i <= n; ++i) asked.push_back(run_id{i});
    hook_verdict v;
    v.decision = static_cast<hook_decision>(*rc::gen::inRange(0, 3));
    v.some = *rc::gen::arbitrary<bool>();
    v.max = static_cast<std::uint32_t>(*rc::gen::inRange(0, 5));
    for (const auto id : asked)
      if (*rc::gen::arbitrary<bool>()) v.runs.push_back(id);
    const auto wanted = static_cast<std::uint32_t>(*rc::gen::inRange(1, 10));
    const auto r = ruling_of(asked, wanted, v);
    if (!r) {
      RC_ASSERT(v.decision == hook_decision::narrow && !v.some && v.max == 0);
      return;
    }
    RC_ASSERT(r->max <= wanted);
    auto all = r->allowed;
    all.insert(all.end(), r->refused.begin(), r->refused.end());
    std::sort(all.begin(), all.end());
    RC_ASSERT(all == asked);
  });
}

TEST_CASE("claim hook: what does not fit together is refused", "[core][hook]") {
  CHECK(wrong_with({}).empty());
  CHECK(wrong_with(by_command()).empty());
  auto o = by_command();
  o.url = "http://127.0.0.1:8080/claims";
  CHECK(wrong_with(o) == "url secret_variable");
  o.command.clear();
  CHECK(wrong_with(o) == "secret_variable");
  o.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  CHECK(wrong_with(o).empty());
  for (const auto* bad : {"ftp://x/", "http://", "http://user@host/", "http://a b/", "hook"}) {
    o.url = bad;
    CHECK(wrong_with(o) == "url");
  }
  o = by_command();
  o.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  CHECK(wrong_with(o) == "secret_variable");
  o = by_command();
  o.handlers = {"process", "magic"};
  CHECK(wrong_with(o) == "handlers");
  o = by_command();
  o.command = {""};
  CHECK(wrong_with(o) == "command");
}

TEST_CASE("claim hook: the filters say whose claims and which runs pass it", "[core][hook]") {
  auto o = by_command();
  session who;
  who.agent_type = "claude";
  CHECK(concerns(o, who));
  who.local = true;
  CHECK_FALSE(concerns(o, who));
  o.applies_to = hook_scope::all;
  CHECK(concerns(o, who));
  o.agent_types = {"codex"};
  CHECK_FALSE(concerns(o, who));
  CHECK(concerns(o, handler_kind::process, job_id{}));
  o.handlers = {"none"};
  CHECK_FALSE(concerns(o, handler_kind::process, job_id{}));
  CHECK(concerns(o, handler_kind::none, job_id{}));
  o.jobs = {"nightly"};
  CHECK_FALSE(concerns(o, handler_kind::none, job_id{}));  // a direct submission has no job
  CHECK(concerns(o, handler_kind::none, job_id{5}));
  CHECK(concerns_job(o, job_id{5}, "nightly"));
  CHECK_FALSE(concerns_job(o, job_id{5}, "hourly"));
  o.jobs = {to_string(job_id{5})};
  CHECK(concerns_job(o, job_id{5}, "hourly"));
}

TEST_CASE("hook memory: a refusal holds for its time, and is told of for a minute", "[core][hook]") {
  hook_memory m;
  m.refused(alice, {run_id{1}, run_id{2}}, "not on a Sunday", noon, 5s);
  CHECK(m.holds(alice, run_id{1}, noon + 5s - 1us));
  CHECK_FALSE(m.holds(alice, run_id{1}, noon + 5s));
  CHECK_FALSE(m.holds(bob, run_id{1}, noon));
  CHECK(m.next_end(alice, noon) == noon + 5s);
  CHECK(m.next_end(alice, noon + 5s) == never);
  CHECK(m.last(alice, run_id{1}, noon + 59s)->reason == "not on a Sunday");
  CHECK_FALSE(m.last(alice, run_id{1}, noon + 60s));
  CHECK(m.last(alice, noon + 1s, 20).size() == 2);
  CHECK(m.last(alice, noon + 1s, 1).size() == 1);
  CHECK(m.holding(noon) ==
        std::vector<std::pair<run_id, session_id>>{{run_id{1}, alice}, {run_id{2}, alice}});
  m.allowed(alice, {run_id{1}});
  CHECK_FALSE(m.holds(alice, run_id{1}, noon));
  m.forget(alice);
  CHECK(m.sessions() == 0);
}

TEST_CASE("hook memory: a clock that is set back ends what holds", "[core][hook]") {
  hook_memory m;
  m.refused(alice, {run_id{1}}, "no", noon, 5s);
  m.failed(alice, "it crashed", noon);
  CHECK_FALSE(m.holds(alice, run_id{1}, noon - 1h));
  CHECK(m.not_before(alice, noon - 1h) == never);
  CHECK_FALSE(m.failing(alice, noon - 1h));
}

TEST_CASE("hook memory: a hook that fails is asked again after a pause that doubles to ten seconds",
          "[core][hook]") {
  hook_memory m;
  auto now = noon;
  const span expected[] = {500ms, 1s, 2s, 4s, 8s, 10s, 10s};
  for (const auto pause : expected) {
    m.failed(alice, "too slow", now);
    CHECK(m.not_before(alice, now) == now + pause);
    CHECK(m.not_before(bob, now) == never);
    now += pause;
    CHECK(m.not_before(alice, now) == never);
  }
  CHECK(m.failing(alice, now)->times == 7);
  CHECK(m.failing(alice, now)->why == "too slow");
  m.worked(alice);
  CHECK_FALSE(m.failing(alice, now));
  m.failed(alice, "too slow", now);
  CHECK(m.not_before(alice, now) == now + 500ms);
}

TEST_CASE("hook memory: it is bounded, and a session that is full of refusals is not asked about",
          "[core][hook]") {
  hook_memory m{{10, 3}};
  run_ids many;
  for (int i = 1; i <= 25; ++i) many.push_back(run_id{i});
  m.refused(alice, many, "no", noon, 5s);
  CHECK(m.refusals() == 10);
  CHECK(m.not_before(alice, noon + 1s) == noon + 5s);
  CHECK(m.not_before(alice, noon + 5s) == never);
  m.refused(alice, {run_id{99}}, "no", noon + 6s, 5s);  // what holds no more makes room
  CHECK(m.holds(alice, run_id{99}, noon + 6s));
  CHECK(m.refusals() == 10);
  for (int i = 100; i < 110; ++i) m.refused(session_id{i}, {run_id{1}}, "no", noon + 7s, 5s);
  CHECK(m.sessions() == 3);
}

TEST_CASE("hook memory: never more than it may hold, whatever comes", "[core][hook]") {
  rc::check([] {
    hook_memory m{{5, 4}};
    auto now = noon;
    const auto steps = *rc::gen::inRange(1, 60);
    for (int i = 0; i < steps; ++i) {
      const session_id who{*rc::gen::inRange(1, 8)};
      const run_id run{*rc::gen::inRange(1, 12)};
      switch (*rc::gen::inRange(0, 6)) {
        case 0:
        case 1: m.refused(who, {run, run_id{run.value + 1}}, "no", now, 5s); break;
        case 2: m.allowed(who, {run}); break;
        case 3: m.failed(who, "slow", now); break;
        case 4: m.worked(who); break;
        default: now += 1s * *rc::gen::inRange(-5, 40); break;
      }
      RC_ASSERT(m.sessions() <= 4U);
      RC_ASSERT(m.refusals() <= 20U);
      const auto pause = m.not_before(who, now);
      RC_ASSERT(pause == never || (pause > now && pause <= now + 10s));
    }
  });
}

TEST_CASE("hook watch: a failure is told at once, then once a minute, and its end once", "[core][hook]") {
  hook_watch w;
  CHECK_FALSE(w.worked(noon));
  CHECK(w.failed("exit code 3", false, noon) == "exit code 3; nothing is handed over");
  CHECK(w.failing_since() == noon);
  for (int i = 1; i < 60; ++i) CHECK_FALSE(w.failed("exit code 3", false, noon + 1s * i));
  const auto again = w.failed("exit code 3", true, noon + 60s);
  REQUIRE(again);
  CHECK(again->find("claims go on without it; 61 times since") != std::string::npos);
  const auto over = w.worked(noon + 61s);
  REQUIRE(over);
  CHECK(over->find("61 failures") != std::string::npos);
  CHECK(w.failing_since() == never);
  // One that flaps is not told of at every turn.
  for (int i = 62; i < 119; ++i) {
    CHECK_FALSE(w.failed("exit code 3", false, noon + 1s * i));
    CHECK_FALSE(w.worked(noon + 1s * i));
  }
  CHECK(w.failed("exit code 3", false, noon + 120s));
}

TEST_CASE("claim hook: a reason is one line of at most 200 bytes", "[core][hook]") {
  CHECK(hook_reason("no\nway").find('\n') == std::string::npos);
  CHECK(hook_reason(std::string(500, 'x')).size() <= 203);
}
