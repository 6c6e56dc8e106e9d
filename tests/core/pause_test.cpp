// Pauses: sets of reasons, each lifted by itself; what they hold; time in them is not waiting.
#include "core/pause/pauses.hpp"

#include <algorithm>
#include <numeric>

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "core/pause/backoff.hpp"
#include "core/queue/board.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

const instant start = from_micros(1'700'000'000'000'000);

pause_entry because(std::string reason, std::string owner = "operator", instant until = never) {
  pause_entry e;
  e.reason = std::move(reason);
  e.owner = std::move(owner);
  e.until = until;
  e.by = "cli:alice";
  return e;
}

// The store's part: what was decided is the state that counts.
struct book {
  pauses now;
  std::vector<event_kind> told;
  book() { now.load({}); }

  bool set(const pause_target& on, pause_entry e, instant at, const std::string& actor = "cli:alice") {
    auto d = decide_pause(on, now.of(on), std::move(e), actor, at);
    REQUIRE(d);
    return take(on, std::move(*d));
  }
  bool lift(const pause_target& on, const std::string& reason, const std::string& owner, instant at,
            bool only_over = false, const std::string& actor = "cli:alice") {
    auto d = decide_lift(on, now.of(on), reason, owner, only_over, actor, at);
    REQUIRE(d);
    return take(on, std::move(*d));
  }
  bool take(const pause_target& on, pause_decision d) {
    for (const auto& e : d.events) told.push_back(e.kind);
    now.follow({on, std::move(d.entries), std::move(d.ended)});
    return d.changed;
  }
};

run_head a_run(std::string workspace = {}, job_id job = {}, std::vector<std::string> types = {}) {
  run_head h;
  h.id = run_id{7};
  h.job = job;
  h.needs.workspace = std::move(workspace);
  h.needs.agent_types = std::move(types);
  h.created_at = h.eligible_since = start;
  return h;
}

session a_session(std::string type = "python", std::string workspace = {}) {
  session s;
  s.id = session_id{5};
  s.agent_type = std::move(type);
  s.workspace = std::move(workspace);
  return s;
}

std::vector<std::string> codes(const std::vector<wait_reason>& reasons) {
  std::vector<std::string> all;
  for (const auto& r : reasons) all.push_back(r.code);
  return all;
}

using words = std::vector<std::string>;

}  // namespace

TEST_CASE("pauses: what is not known yet holds everything", "[core][pause]") {
  pauses p;
  CHECK(p.holds(a_run(), start));
  CHECK(p.holds(a_session(), start));
  CHECK(codes(p.why(a_run(), start)) == words{"scheduler_paused"});
  p.load({});
  CHECK_FALSE(p.holds(a_run(), start));
  CHECK(p.why(a_run(), start).empty());
  p.forget();
  CHECK(p.holds(a_run(), start));
}

TEST_CASE("pauses: in every order of setting and lifting six reasons, each is lifted by itself alone",
          "[core][pause]") {
  const words reasons{"manual", "backoff", "quota", "breaker", "drain", "maintenance"};
  std::vector<std::size_t> order(reasons.size());
  std::iota(order.begin(), order.end(), 0);
  // All orders of lifting, each with another order of setting; and after each step exactly the others stand.
  std::size_t tried = 0;
  do {
    ++tried;
    book b;
    const auto shift = tried % reasons.size();
    for (std::size_t i = 0; i < reasons.size(); ++i)
      REQUIRE(b.set(whole_scheduler(), because(reasons[(i + shift) % reasons.size()]), start));
    std::vector<bool> standing(reasons.size(), true);
    for (const auto at : order) {
      REQUIRE(b.now.holds(a_run(), start));
      REQUIRE(b.lift(whole_scheduler(), reasons[at], "operator", start + 1s));
      REQUIRE_FALSE(b.lift(whole_scheduler(), reasons[at], "operator", start + 1s));
      standing[at] = false;
      const auto left = b.now.scheduler(start + 1s);
      for (std::size_t i = 0; i < reasons.size(); ++i)
        REQUIRE(standing[i] ==
                std::any_of(left.begin(), left.end(), [&](const auto& e) { return e.reason == reasons[i]; }));
    }
    REQUIRE_FALSE(b.now.holds(a_run(), start + 1s));
  } while (std::next_permutation(order.begin(), order.end()));
  CHECK(tried == 720);
}

TEST_CASE(
    "pauses: any mixture of steps holds exactly while a reason stands, and manual ones end by hand only",
    "[core][pause][property]") {
  rc::check([] {
    const words reasons{"manual", "backoff", "quota", "breaker", "drain", "maintenance"};
    const words owners{"operator", "node", "ses_00NF2XPW00000"};
    book b;
    std::map<std::pair<std::string, std::string>, instant> model;  // until; never: by hand
    auto now = start;
    const auto steps = *rc::gen::inRange(1, 60);
    for (int i = 0; i < steps; ++i) {
      const auto reason = reasons[*rc::gen::inRange<std::size_t>(0, reasons.size())];
      const auto owner = owners[*rc::gen::inRange<std::size_t>(0, owners.size())];
      now += std::chrono::seconds{*rc::gen::inRange(0, 5)};
      switch (*rc::gen::inRange(0, 4)) {
        case 0: {
          const auto until = reason == "manual" ? never : now + std::chrono::seconds{*rc::gen::inRange(1, 9)};
          auto d = decide_pause(whole_scheduler(), b.now.of(whole_scheduler()), because(reason, owner, until),
                                owner == "operator" ? "cli:bob" : owner, now);
          RC_ASSERT(d.ok());
          b.take(whole_scheduler(), std::move(*d));
          model[{reason, owner}] = until;
          break;
        }
        case 1: {
          auto d = decide_lift(whole_scheduler(), b.now.of(whole_scheduler()), reason, owner, false,
                               owner == "operator" ? "cli:bob" : owner, now);
          RC_ASSERT(d.ok());
          b.take(whole_scheduler(), std::move(*d));
          model.erase({reason, owner});
          break;
        }
        case 2:  // the node sweeps what is over
          for (const auto& p : b.now.over(now)) {
            auto d = decide_lift(p.on, b.now.of(p.on), p.why.reason, p.why.owner, true, "node", now);
            RC_ASSERT(d.ok());
            b.take(p.on, std::move(*d));
          }
          break;
        default: {  // and may try it with those that are not
          auto d =
              decide_lift(whole_scheduler(), b.now.of(whole_scheduler()), reason, owner, true, "node", now);
          RC_ASSERT(d.ok());
          b.take(whole_scheduler(), std::move(*d));
        }
      }
      const bool held = std::any_of(model.begin(), model.end(),
                                    [&](const auto& p) { return p.second == never || now < p.second; });
      RC_ASSERT(b.now.holds(a_run(), now) == held);
      RC_ASSERT(b.now.why(a_run(), now).empty() == !held);
    }
  });
}

TEST_CASE("pauses: each scope holds what belongs to it, and says who paused it and what lifts it",
          "[core][pause]") {
  book b;
  const job_id job{12};
  b.set(the_workspace("blue"), because("maintenance"), start);
  b.set(the_job(job), because("manual"), start);
  b.set(the_agent_type("python"), because("quota", "node"), start);
  CHECK(codes(b.now.why(a_run("blue"), start)) == words{"workspace_paused"});
  CHECK(codes(b.now.why(a_run("", job), start)) == words{"job_paused"});
  CHECK(codes(b.now.why(a_run("blue", job), start)) == words{"workspace_paused", "job_paused"});
  CHECK(codes(b.now.why(a_run("", {}, {"python"}), start)) == words{"agent_type_paused"});
  CHECK(b.now.why(a_run("", {}, {"python", "go"}), start).empty());
  CHECK(b.now.why(a_run("red"), start).empty());
  CHECK(b.now.why(a_session("python"), start).at(0).code == "agent_type_paused");
  CHECK(b.now.why(a_session("go", "blue"), start).at(0).code == "workspace_paused");
  CHECK(b.now.why(a_session("go"), start).empty());
  auto ours = a_session("process", "blue");
  ours.local = true;  // serves every workspace
  CHECK_FALSE(b.now.holds(ours, start));
  auto forced = a_run("", job);
  forced.forced = true;
  CHECK_FALSE(b.now.holds(forced, start));

  const auto text = b.now.why(a_run("blue"), start).at(0).text;
  CHECK(text.find("cli:alice") != std::string::npos);
  CHECK(text.find("2023-11-14T") != std::string::npos);
  CHECK(text.find("belfry scheduler resume --workspace blue --reason maintenance") != std::string::npos);
  CHECK(command_to_lift(the_agent_type("a b"), "quota", "node") ==
        "belfry scheduler resume --agent-type 'a b' --reason quota --owner node");
  CHECK(command_to_lift(whole_scheduler(), "manual", "operator") == "belfry scheduler resume");
}

TEST_CASE("pauses: a session sets and lifts its own pauses only", "[core][pause]") {
  const std::string agent = to_string(session_id{99}), other = to_string(session_id{98});
  auto no = decide_pause(whole_scheduler(), {}, because("manual"), agent, start);
  CHECK(no.error().code == errc::forbidden);
  auto own = because("manual", "");
  auto d = decide_pause(whole_scheduler(), {}, own, agent, start);
  REQUIRE(d);
  CHECK(d->entries.at(0).owner == agent);
  CHECK(decide_lift(whole_scheduler(), d->entries, "manual", agent, false, other, start).error().code ==
        errc::forbidden);
  // Another session's word is about pauses of its own.
  CHECK_FALSE(decide_lift(whole_scheduler(), d->entries, "manual", "", false, other, start)->changed);
  CHECK_FALSE(decide_lift(whole_scheduler(), d->entries, "manual", "", false, "cli:bob", start)->changed);
  CHECK(decide_lift(whole_scheduler(), d->entries, "manual", agent, false, "cli:bob", start)->changed);
}

TEST_CASE("pauses: setting one again keeps its beginning and says nothing when nothing is new",
          "[core][pause]") {
  book b;
  CHECK(b.set(whole_scheduler(), because("manual"), start));
  CHECK_FALSE(b.set(whole_scheduler(), because("manual"), start + 5s));
  auto longer = because("manual");
  longer.until = start + 1h;
  CHECK(b.set(whole_scheduler(), longer, start + 6s));
  CHECK(b.now.scheduler(start + 7s).at(0).since == start);
  CHECK(b.told.size() == 2);
  // What is over and set again begins anew.
  CHECK(b.set(whole_scheduler(), because("manual"), start + 2h));
  CHECK(b.now.scheduler(start + 2h).at(0).since == start + 2h);
  CHECK(b.now.held_between("", {}, start, start + 3h) == 2h);
}

TEST_CASE("pauses: one lifts itself at its instant and is gone from the set when somebody looks",
          "[core][pause]") {
  book b;
  b.set(whole_scheduler(), because("maintenance", "operator", start + 30s), start);
  CHECK(b.now.next_change(start) == start + 30s);
  CHECK(b.now.holds(a_run(), start + 29s));
  CHECK_FALSE(b.now.holds(a_run(), start + 30s));
  CHECK(b.now.next_change(start + 30s) == never);
  CHECK(b.now.over(start + 30s).size() == 1);
  CHECK_FALSE(b.lift(whole_scheduler(), "maintenance", "operator", start + 29s, true));
  CHECK(b.lift(whole_scheduler(), "maintenance", "operator", start + 40s, true));
  CHECK(b.now.held_between("", {}, start, start + 60s) == 30s);
}

TEST_CASE("pauses: a drain says once that nothing runs, and starts again from there when it is lifted",
          "[core][pause][drain]") {
  book b;
  auto e = because("drain");
  e.deadline = start + 60s;
  b.set(whole_scheduler(), e, start);
  CHECK(b.told == std::vector{event_kind::drain_started});
  CHECK(
      b.take(whole_scheduler(), decide_drained(whole_scheduler(), b.now.of(whole_scheduler()), start + 5s)));
  CHECK_FALSE(
      b.take(whole_scheduler(), decide_drained(whole_scheduler(), b.now.of(whole_scheduler()), start + 6s)));
  CHECK(b.told.back() == event_kind::drained);
  CHECK(b.now.scheduler(start + 7s).at(0).drained_at == start + 5s);
  CHECK(b.now.holds(a_run(), start + 10min));  // its deadline is about waiting, not about the pause
}

TEST_CASE("pauses: every mistake is named with what would do", "[core][pause]") {
  auto bad = because("Disk full!", "a b");
  bad.until = start - 1s;
  bad.text = std::string(501, 'x');
  const auto found = check(the_agent_type(""), bad, start);
  words pointers;
  for (const auto& p : found) pointers.push_back(p.pointer);
  CHECK(pointers == words{"/reason", "/owner", "/text", "/until", "/agent_type"});
  CHECK(check(whole_scheduler(), because("manual"), start).empty());
  std::vector<pause_entry> many;
  for (std::size_t i = 0; i < pauses_per_target; ++i) many.push_back(because("r" + std::to_string(i)));
  CHECK(decide_pause(whole_scheduler(), many, because("one-more"), "cli:x", start).error().code ==
        errc::limit_exceeded);
}

TEST_CASE("pauses: time in them is not waiting, counted once however many overlap", "[core][pause]") {
  rc::check("the sum is that of a clock that stands still", [] {
    book b;
    const job_id job{4};
    const std::vector<pause_target> targets{whole_scheduler(), the_workspace("w"), the_job(job),
                                            the_workspace("other")};
    constexpr int seconds = 100;
    std::vector<bool> held(seconds, false);
    std::vector<std::size_t> open(targets.size(), 0);
    for (int t = 0; t < seconds; ++t) {
      const auto at = start + std::chrono::seconds{t};
      for (std::size_t i = 0; i < targets.size(); ++i) {
        if (*rc::gen::inRange(0, 10) != 0) continue;
        if (open[i] == 0)
          b.set(targets[i], because("manual"), at), open[i] = 1;
        else
          b.lift(targets[i], "manual", "operator", at), open[i] = 0;
      }
      held[static_cast<std::size_t>(t)] = open[0] + open[1] + open[2] > 0;
    }
    const auto from = *rc::gen::inRange(0, seconds), to = *rc::gen::inRange(from, seconds);
    const auto sum = std::count(held.begin() + from, held.begin() + to, true);
    auto run = a_run("w", job);
    run.eligible_since = start + std::chrono::seconds{from};
    RC_ASSERT(b.now.held_between("w", job, run.eligible_since, start + std::chrono::seconds{to}) ==
              std::chrono::seconds{sum});
    RC_ASSERT(b.now.waited(run, start + std::chrono::seconds{to}) == std::chrono::seconds{to - from - sum});
  });
}

TEST_CASE("pauses: the history of a target is bounded, and the newest is kept", "[core][pause]") {
  pause_history h;
  for (int i = 0; i < 1500; ++i)
    h.add(start + std::chrono::seconds{2 * i}, start + std::chrono::seconds{2 * i + 1});
  std::vector<std::pair<instant, instant>> found;
  h.append_to(found, start, start + 3000s);
  CHECK(found.size() == pause_history::kept);
  CHECK(found.back().first == start + 2998s);
}

TEST_CASE("backoff: the third resource failure in a row pauses, twice as long each time; success begins anew",
          "[core][pause][backoff]") {
  backoff b;
  attempt_record short_of;
  short_of.outcome = run_state::failed;
  short_of.klass = failure_class::resource;
  attempt_record good;
  attempt_record lost;
  lost.outcome = run_state::lost;
  lost.klass = failure_class::lost;
  CHECK(b.ended(short_of) == 0s);
  CHECK(b.ended(lost) == 0s);  // says nothing of resources
  CHECK(b.ended(short_of) == 0s);
  std::vector<span> lengths;
  for (int i = 0; i < 9; ++i) lengths.push_back(b.ended(short_of));
  CHECK(lengths == std::vector<span>{500ms, 1s, 2s, 4s, 8s, 16s, 30s, 30s, 30s});
  CHECK(b.ended(good) == 0s);
  CHECK(b.ended(short_of) == 0s);
  attempt_record wrong = short_of;
  wrong.klass = failure_class::error;
  CHECK(b.ended(short_of) == 0s);
  CHECK(b.ended(wrong) == 0s);
  CHECK(b.ended(short_of) == 0s);
}

// ---- the board

namespace {

run_head queued(std::int64_t id, instant since, std::string workspace = {}, job_id job = {}) {
  auto h = a_run(std::move(workspace), job);
  h.id = run_id{id};
  h.eligible_since = since;
  return h;
}

session executor() {
  session s;
  s.id = session_id{1};
  s.local = true;
  s.slots = 100;
  s.handlers = {handler_kind::process};
  s.agent_type = "process";
  return s;
}

std::vector<std::int64_t> picked(board& b, instant now, std::uint32_t max = 100) {
  std::vector<std::int64_t> ids;
  for (const auto id : b.pick({executor(), max, max, priority::low}, now)) ids.push_back(id.value);
  return ids;
}

}  // namespace

TEST_CASE("board: runs of a paused job or workspace stay in the line and others go past them",
          "[core][pause][board]") {
  book p;
  board b;
  const job_id job{3};
  for (int i = 0; i < 3; ++i) b.put(queued(10 + i, start, "", job), handler_kind::process, 0);
  for (int i = 0; i < 2; ++i) b.put(queued(20 + i, start + 1s, "blue"), handler_kind::process, 0);
  b.put(queued(30, start + 2s), handler_kind::process, 0);
  b.put(queued(40, start + 2s, "blue"), handler_kind::none, 0);  // for whoever comes from outside
  auto forced = queued(13, start, "", job);
  forced.forced = true;
  b.put(forced, handler_kind::process, 0);
  p.set(the_job(job), because("manual"), start);
  p.set(the_workspace("blue"), because("manual"), start);
  b.follow(p.now, start);
  CHECK(b.anything_for(executor()));
  CHECK(picked(b, start + 3s) == std::vector<std::int64_t>{13, 30});
  CHECK_FALSE(b.anything_for([&] {
    auto s = executor();
    s.local = false;
    s.handlers.clear();
    s.workspace = "blue";
    return s;
  }()));
  CHECK(b.ready() == 5);
  CHECK(b.reasons(run_id{10}, start + 3s).empty());  // no limit is in the way
  // A run that comes while its job is paused waits as well.
  b.put(queued(14, start + 3s, "", job), handler_kind::process, 0);
  CHECK(picked(b, start + 3s).empty());
  p.lift(the_job(job), "manual", "operator", start + 4s);
  b.follow(p.now, start + 4s);
  CHECK(picked(b, start + 4s) == std::vector<std::int64_t>{10, 11, 12, 14});
  p.lift(the_workspace("blue"), "manual", "operator", start + 5s);
  b.follow(p.now, start + 5s);
  CHECK(picked(b, start + 5s) == std::vector<std::int64_t>{20, 21});
}

TEST_CASE("pause: a planned one holds nothing before it begins, and its time counts from then", "[pause]") {
  book b;
  auto window = because("maintenance", "operator", start + 3h);
  window.since = start + 1h;
  CHECK(b.set(whole_scheduler(), window, start));
  CHECK_FALSE(b.now.holds_all(start));
  CHECK(b.now.why(a_run(), start).empty());
  CHECK(b.now.over(start).empty());
  CHECK(b.now.next_change(start) == start + 1h);
  CHECK(b.now.holds_all(start + 1h));
  CHECK(b.now.next_change(start + 1h) == start + 3h);
  CHECK_FALSE(b.now.holds_all(start + 3h));
  CHECK(b.now.held_between({}, {}, start, start + 4h) == 2h);
  REQUIRE(b.now.over(start + 3h).size() == 1);
  CHECK(b.lift(whole_scheduler(), "maintenance", "operator", start + 4h, true));
  CHECK(b.now.held_between({}, {}, start, start + 4h) == 2h);
  CHECK(b.now.waited(a_run(), start + 4h) == 2h);
}

TEST_CASE("pause: a plan is replaced by a new one, begun early, or dropped without a trace", "[pause]") {
  book b;
  auto window = because("maintenance", "operator", start + 3h);
  window.since = start + 1h;
  CHECK(b.set(whole_scheduler(), window, start));
  CHECK_FALSE(b.set(whole_scheduler(), window, start + 1min));
  window.since = start + 2h;
  CHECK(b.set(whole_scheduler(), window, start + 1min));
  CHECK_FALSE(b.now.holds_all(start + 1h));
  CHECK(b.lift(whole_scheduler(), "maintenance", "operator", start + 5min));
  CHECK(b.now.nothing());
  CHECK(b.now.held_between({}, {}, start, start + 4h) == 0s);
  CHECK(b.set(whole_scheduler(), window, start + 6min));
  CHECK(b.set(whole_scheduler(), because("maintenance"), start + 7min));
  CHECK(b.now.holds_all(start + 7min));
  CHECK(b.now.holds_all(start + 6min));  // a clock that was set back makes no plan of it
  auto again = window;
  again.since = start + 9h;
  again.until = never;
  const auto no =
      decide_pause(whole_scheduler(), b.now.of(whole_scheduler()), again, "cli:alice", start + 8min);
  REQUIRE_FALSE(no);
  CHECK(no.error().code == errc::conflict);
  const auto wrong = [&](instant since, instant until, pause_target on = whole_scheduler()) {
    auto e = because("maintenance", "operator", until);
    e.since = since;
    const auto found = check(on, e, start);
    return found.empty() ? std::string{} : found.front().pointer;
  };
  CHECK(wrong(start + 1h, start + 2h).empty());
  CHECK(wrong(start - 1h, start + 2h) == "/from");
  CHECK(wrong(start + 400 * 24h, never) == "/from");
  CHECK(wrong(start + 2h, start + 1h) == "/until");
  CHECK(wrong(start + 1h, never, the_job(job_id{5})) == "/from");
}

TEST_CASE("board: time in a pause does not age a run", "[core][pause][board]") {
  const job_id job{3};
  const auto target = GENERATE_COPY(whole_scheduler(), the_workspace("blue"), the_job(job));
  book p;
  board_options o;
  o.ageing_step = 10min;
  board b{o};
  p.set(target, because("manual"), start);
  b.follow(p.now, start);
  b.put(queued(1, start, "blue", job), handler_kind::process, 0);  // normal
  p.lift(target, "manual", "operator", start + 1h);
  b.follow(p.now, start + 1h);
  auto high = queued(2, start + 1h, "blue");
  high.prio = priority::high;
  b.put(high, handler_kind::process, 0);
  // After an hour of waiting it would be urgent; it has waited for nothing yet.
  CHECK(picked(b, start + 1h + 1s, 1) == std::vector<std::int64_t>{2});
  b.unreserve(run_id{2}, true);
  // Ten minutes of real waiting make it high, and it came first.
  auto late = queued(3, start + 1h + 10min, "blue");
  late.prio = priority::high;
  b.drop(run_id{2});
  b.put(late, handler_kind::process, 0);
  CHECK(picked(b, start + 1h + 10min + 1s, 1) == std::vector<std::int64_t>{1});
}
