// Events that start jobs: names, texts, who waits for what, and what becomes of each of them.
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <set>

#include "core/events/event.hpp"
#include "core/events/event_listeners.hpp"
#include "core/schedule/canonical.hpp"
#include "core/schedule/firing.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

const auto noon = from_micros(1'795'003'200'000'000);  // 2026-11-18T12:00:00Z

schedule waits_for(const std::string& words) {
  const auto s = parse_canonical(words, {});
  INFO(words << ": " << (s ? "" : s.problem().why));
  REQUIRE(s.ok());
  return *s;
}

named_event deploy(const std::string& env = "prod") { return {"deploy.finished", {{"env", env}}}; }

// One job, as the store keeps it.
struct a_job {
  schedule when;
  plan_policy policy;
  plan_cursor cursor;
  event_hold hold;

  explicit a_job(const std::string& words) : when{waits_for(words)} { cursor.covered = noon; }
  awaiting row() const { return {when, policy, cursor, hold}; }

  arrival_decision arrives(instant now, const named_event& e = deploy(), std::uint16_t depth = 0,
                           bool paused = false, bool crowded = false) {
    auto d = decide_arrival(row(), {e, depth, false}, {now, 7, paused, crowded});
    hold = d.hold;
    cursor = d.cursor;
    return d;
  }
  release_decision released(instant now, bool crash_loop = false) {
    auto d = decide_release(row(), {now, 7, crash_loop});
    hold = d.hold;
    cursor = d.cursor;
    return d;
  }
};

}  // namespace

TEST_CASE("emitted events: names and fields are bounded, and belfry's own names are refused",
          "[core][events]") {
  CHECK(check(deploy(), "").empty());
  CHECK(check(named_event{"x", {}}, "").empty());
  for (const auto* name : {"", "a b", "a=b", "a*", "run_failed", "run.failed", "job-paused", "event_received",
                           "run_ended", "run-ended"}) {
    INFO(name);
    CHECK_FALSE(check(named_event{name, {}}, "").empty());
  }
  CHECK(check(named_event{std::string(100, 'a'), {}}, "").empty());
  CHECK(check(named_event{std::string(101, 'a'), {}}, "").front().pointer == "/name");
  named_event many{"x", {}};
  for (int i = 0; i < 33; ++i) many.fields.emplace_back("k" + std::to_string(i), "v");
  CHECK(check(many, "").front().pointer == "/fields");
  CHECK(check(named_event{"x", {{"k", "a"}, {"k", "b"}}}, "").front().detail == "it is given twice");
  CHECK(check(named_event{"x", {{"k", std::string(1024, 'a')}}}, "").empty());
  CHECK(check(named_event{"x", {{"k", std::string(1025, 'a')}}}, "").front().pointer == "/fields/k");
  CHECK_FALSE(check(named_event{"x", {{"k", "two\nlines"}}}, "").empty());
  CHECK_FALSE(check(named_event{"x", {{"k", "\xFF"}}}, "").empty());
  CHECK_FALSE(check(named_event{"x", {{"a b", "v"}}}, "").empty());
  named_event big{"x", {}};
  for (int i = 0; i < 20; ++i) big.fields.emplace_back("k" + std::to_string(i), std::string(1000, 'a'));
  CHECK(check(big, "").front().detail == "they are too long");
}

TEST_CASE("awaited events: a name may be open at its end; of belfry's own only those that jobs are told of",
          "[core][events]") {
  for (const auto* name : {"deploy.finished", "deploy.*", "*", "run_failed", "run_ended", "job_completed"}) {
    INFO(name);
    CHECK_FALSE(check_awaited_name(name).has_value());
  }
  CHECK(check_awaited_name("run.failed")->allowed == "run_failed");
  CHECK(check_awaited_name("run_progress")->detail == "belfry starts no jobs by its own event run_progress");
  CHECK(check_awaited_name("event_received").has_value());
  CHECK(check_awaited_name("").has_value());
  CHECK(check_awaited_name("a/b").has_value());
  CHECK(check_awaited_name("a*b").has_value());
}

TEST_CASE("awaited events: what is wrong with one is told at its name, not at the end of the text",
          "[core][events][schedule]") {
  for (const auto* text : {"@event run.failed", "on event run.failed"}) {
    const auto no = parse_schedule(text, {});
    INFO(text);
    REQUIRE_FALSE(no.ok());
    CHECK(no.problem().why == "belfry's own event is written otherwise");
    CHECK(no.problem().expected == std::vector<std::string>{"run_failed"});
  }
  CHECK(parse_schedule("@event a hold 1m", {}).problem().expected.front() == "0, or the debounce time to 1d");
  CHECK(parse_schedule("@event a depth 100", {}).problem().expected.front() == "1 to 64");
  CHECK(parse_schedule("@event a nonsense", {}).problem().offset == 9);
}

TEST_CASE("named events: every event reads back from its line of the journal", "[core][events]") {
  CHECK(to_text(named_event{"x", {{"a", "b"}, {"c", "d e"}, {"f", ""}}}) == "x a=b c=\"d e\" f=\"\"");
  CHECK_FALSE(parse_named_event("x a").has_value());
  CHECK_FALSE(parse_named_event("x a=\"b").has_value());
  CHECK_FALSE(parse_named_event("x a=\"b\"c").has_value());
  CHECK_FALSE(parse_named_event("").has_value());
  rc::prop("the text of an event is read back as the same event", [] {
    const auto word =
        rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(std::string{"aZ9-_."})));
    named_event e{*word, {}};
    const auto count = *rc::gen::inRange(0, 6);
    for (int i = 0; i < count; ++i)
      e.fields.emplace_back(*word,
                            *rc::gen::container<std::string>(rc::gen::elementOf(std::string{"a =\\\"*,;é"})));
    const auto again = parse_named_event(to_text(e));
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == e);
  });
}

TEST_CASE("payloads of events: JSON with the name, the fields and how many the run stands for",
          "[core][events]") {
  CHECK(
      payload_of({"x", {{"a", "q\"\\"}, {"b", "1\n"}}}, noon, 3, noon - 1s) ==
      "{\"event\":{\"name\":\"x\",\"at\":\"2026-11-18T12:00:00.000Z\",\"fields\":{\"a\":\"q\\\"\\\\\",\"b\":"
      "\"1\\u000a\"}},\"count\":3,\"first_at\":\"2026-11-18T11:59:59.000Z\"}");
}

TEST_CASE("event listeners: found by name, by its beginning and by conditions", "[core][events]") {
  event_listeners all;
  CHECK(all.nobody());
  const auto on = [](const std::string& words) {
    return std::get<event_trigger>(waits_for("@event " + words).any_of.front());
  };
  all.add(job_id{1}, on("deploy.finished"));
  all.add(job_id{2}, on("deploy.* where env=prod"));
  all.add(job_id{3}, on("*"));
  all.add(job_id{4}, on("run_failed where job=backup"));
  all.add(job_id{5}, on("run_ended where state!=succeeded"));
  using ids = std::vector<job_id>;
  CHECK(all.who({"deploy.finished", {{"env", "prod"}}}) == ids{job_id{1}, job_id{2}, job_id{3}});
  CHECK(all.who({"deploy.finished", {{"env", "dev"}}}) == ids{job_id{1}, job_id{3}});
  CHECK(all.who({"other", {}}) == ids{job_id{3}});
  // belfry's own are found by their whole name only.
  CHECK(all.who({"run_failed", {{"job", "backup"}}, 0, true}) == ids{job_id{4}});
  CHECK(all.who({"run_failed", {{"job", "other"}}, 0, true}).empty());
  CHECK(all.hears(event_kind::run_failed));
  CHECK(all.hears(event_kind::run_succeeded));  // it ends a run
  CHECK_FALSE(all.hears(event_kind::run_submitted));
  // A change adds, and takes away when it is committed.
  all.add(job_id{4}, on("job_paused"));
  CHECK(all.hears(event_kind::job_paused));
  const auto now = on("job_paused");
  all.only(job_id{4}, &now);
  CHECK(all.who({"run_failed", {{"job", "backup"}}, 0, true}).empty());
  CHECK(all.hears(event_kind::run_failed));
  all.only(job_id{5}, nullptr);
  CHECK_FALSE(all.hears(event_kind::run_failed));
  CHECK_FALSE(all.knows(job_id{5}));
  for (const auto id : {1, 2, 3, 4}) all.only(job_id{id}, nullptr);
  CHECK(all.nobody());
  CHECK(all.who({"deploy.finished", {{"env", "prod"}}}).empty());
}

TEST_CASE("events: without debouncing each one fires, and no two share an instant", "[core][events]") {
  a_job j{"@event deploy.finished where env=prod"};
  const auto first = j.arrives(noon + 1s);
  REQUIRE(first.what == arrival::fires);
  CHECK(first.firing->when.at == noon + 1s);
  CHECK(first.firing->count == 1);
  const auto second = j.arrives(noon + 1s);
  CHECK(second.firing->when.at == noon + 1s + 1us);
  CHECK(j.arrives(noon - 1h).firing->when.at == noon + 1s + 2us);  // the clock was put back
  CHECK(j.cursor.made == 3);
  CHECK(j.arrives(noon + 2s, deploy("dev")).what == arrival::ignored);
  CHECK(release_due(j.row()) == never);
}

TEST_CASE("events: a chain ends at its depth", "[core][events]") {
  a_job j{"@event deploy.finished depth 3"};
  CHECK(j.arrives(noon + 1s, deploy(), 2).firing->depth == 2);
  CHECK(j.arrives(noon + 1s, deploy(), 3).what == arrival::too_deep);
  CHECK(j.cursor.made == 1);
}

TEST_CASE("events: a burst is one run, when it is quiet or has been held for long enough", "[core][events]") {
  a_job j{"@event deploy.finished debounce 10s hold 15s"};
  CHECK(j.arrives(noon).what == arrival::held);
  CHECK(release_due(j.row()) == noon + 10s);
  CHECK(j.arrives(noon + 9s, deploy("dev"), 2).what == arrival::held);
  CHECK(release_due(j.row()) == noon + 15s);
  CHECK_FALSE(j.released(noon + 14s).firing.has_value());
  const auto d = j.released(noon + 15s);
  REQUIRE(d.firing.has_value());
  CHECK(d.firing->count == 2);
  CHECK(d.firing->depth == 2);
  CHECK(d.firing->first == noon);
  CHECK_FALSE(d.firing->when.caught_up);
  CHECK(j.hold == event_hold{});
  CHECK_FALSE(j.released(noon + 1h).firing.has_value());
}

TEST_CASE("events: what the fire limit does not let through is gathered until it does", "[core][events]") {
  a_job j{"@event deploy.finished"};
  j.policy.limit = {2, 1min};
  CHECK(j.arrives(noon).what == arrival::fires);
  CHECK(j.arrives(noon + 10s).what == arrival::fires);
  for (int i = 0; i < 1000; ++i) CHECK(j.arrives(noon + 20s).what == arrival::held);
  CHECK(release_due(j.row()) == noon + 1min);
  const auto d = j.released(noon + 1min);
  REQUIRE(d.firing.has_value());
  CHECK(d.firing->count == 1000);
  CHECK(d.firing->when.limited);
  CHECK(j.cursor.made == 3);
}

TEST_CASE("events: a burst waits for the fire limit as well", "[core][events]") {
  a_job j{"@event deploy.finished debounce 1s"};
  j.policy.limit = {1, 1min};
  j.arrives(noon);
  CHECK(j.released(noon + 1s).firing.has_value());
  j.arrives(noon + 2s);
  CHECK_FALSE(j.released(noon + 3s).firing.has_value());
  CHECK(release_due(j.row()) == noon + 1s + 1min);
  CHECK(j.released(noon + 1s + 1min).firing->when.limited);
}

TEST_CASE("events: what came while the job was paused is set aside, what was held waits", "[core][events]") {
  a_job j{"@event deploy.finished debounce 10s"};
  j.arrives(noon);
  CHECK(j.arrives(noon + 1s, deploy(), 0, true).what == arrival::aside);
  CHECK(j.arrives(noon + 2s, deploy(), 0, true).what == arrival::aside);
  const auto d = decide_resumed(j.hold, noon + 1h);
  REQUIRE(d.skipped.has_value());
  CHECK(d.skipped->reason == skip_reason::paused);
  CHECK(d.skipped->count == 2);
  CHECK(d.skipped->first == noon + 1s);
  CHECK(d.skipped->last == noon + 2s);
  j.hold = d.hold;
  CHECK(release_due(j.row()) == noon + 1h);
  CHECK(j.released(noon + 1h).firing->count == 1);
}

TEST_CASE("events: what was held and comes too late is skipped with its reason", "[core][events]") {
  const auto held = [](plan_policy p) {
    a_job j{"@event deploy.finished debounce 10s"};
    j.policy = p;
    j.arrives(noon);
    j.arrives(noon + 1s);
    return j;
  };
  plan_policy p;
  auto j = held(p);
  auto d = j.released(noon + 1h);  // the node was away
  REQUIRE(d.firing.has_value());
  CHECK(d.firing->when.caught_up);
  j = held(p);
  CHECK(j.released(noon + 1h, true).skipped->reason == skip_reason::crash_loop);
  j = held(p);
  CHECK(j.released(noon + 48h).skipped->reason == skip_reason::grace_passed);
  p.start_deadline = 30s;
  j = held(p);
  d = j.released(noon + 1min);
  REQUIRE(d.skipped.has_value());
  CHECK(d.skipped->reason == skip_reason::deadline_passed);
  CHECK(d.skipped->count == 2);
  CHECK(d.skipped->first == noon);
  CHECK(d.skipped->last == noon + 1s);
  p.start_deadline = 0s;
  p.missed = catch_up::skip;
  j = held(p);
  CHECK(j.released(noon + 1h).skipped->reason == skip_reason::missed);
  j = held(p);
  CHECK(j.released(noon + 30s).firing.has_value());  // late, but on time
}

TEST_CASE("events: a job is completed by its end and by its number of runs", "[core][events]") {
  a_job j{"@event deploy.finished debounce 1h; start 2026-11-18T12:00:00Z; end 2026-11-18T12:30:00Z"};
  CHECK(j.arrives(noon - 1s).what == arrival::ignored);
  CHECK(release_due(j.row()) == noon + 30min + 1us);
  CHECK(j.arrives(noon + 20min).what == arrival::held);
  CHECK(release_due(j.row()) == noon + 30min);  // not after the end
  const auto d = j.released(noon + 30min);
  CHECK(d.firing.has_value());
  CHECK_FALSE(d.completed);
  CHECK(j.arrives(noon + 31min).what == arrival::ignored);
  CHECK(j.released(noon + 31min).completed);
  a_job twice{"@event deploy.finished"};
  twice.policy.most_runs = 2;
  CHECK(twice.arrives(noon).what == arrival::fires);
  CHECK(twice.arrives(noon).what == arrival::fires);
  CHECK(twice.arrives(noon).what == arrival::ignored);
}

TEST_CASE("events: in random bursts none is lost and none is counted twice", "[core][events]") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 dice{seed};
  const auto roll = [&](int n) { return static_cast<int>(dice() % static_cast<unsigned>(n)); };
  const char* kinds[] = {"@event *", "@event * debounce 10s", "@event * debounce 10s hold 25s"};
  for (int round = 0; round < 300; ++round) {
    a_job j{kinds[roll(3)]};
    if (roll(2) == 0) j.policy.limit = {static_cast<std::uint32_t>(1 + roll(3)), 1min};
    if (roll(3) == 0) j.policy.start_deadline = 20s;
    if (roll(4) == 0) j.policy.missed = catch_up::skip;
    auto now = noon;
    bool paused = false;
    std::int64_t came = 0, fired = 0, skipped = 0, deep = 0;
    std::set<instant> instants;
    const auto ran = [&](const event_firing& f) {
      fired += f.count;
      CHECK(instants.insert(f.when.at).second);
      CHECK(f.first <= f.when.at);
    };
    for (int step = 0; step < 60; ++step) {
      now += span{std::chrono::milliseconds{roll(8'000)}};
      if (roll(15) == 0) now += 10min;
      if (roll(20) == 0) now -= 5s;
      if (roll(8) == 0) {
        if (paused) {
          const auto d = decide_resumed(j.hold, now);
          j.hold = d.hold;
          if (d.skipped) skipped += d.skipped->count;
        }
        paused = !paused;
      }
      if (!paused && roll(2) == 0) {
        const auto d = j.released(now, roll(10) == 0);
        if (d.firing) ran(*d.firing);
        if (d.skipped) skipped += d.skipped->count;
        CHECK_FALSE((d.firing && d.skipped));
      }
      for (int burst = roll(4); burst > 0; --burst) {
        ++came;
        const auto d = j.arrives(now, deploy(), static_cast<std::uint16_t>(roll(10)), paused, roll(10) == 0);
        if (d.firing) ran(*d.firing);
        if (d.what == arrival::too_deep) ++deep;
        CHECK(d.what != arrival::ignored);
      }
      // Whatever waits is due at some time.
      if (j.hold.wait.held > 0) CHECK(release_due(j.row()) > never);
      REQUIRE(came == fired + skipped + deep + j.hold.wait.held + j.hold.aside);
      // The limit holds in every window.
      if (j.policy.limit.most > 0) REQUIRE(j.cursor.recent.size() <= j.policy.limit.most);
    }
    const auto rest = decide_dropped(j.hold, skip_reason::missed);
    if (rest.skipped) skipped += rest.skipped->count;
    CHECK(came == fired + skipped + deep);
    CHECK(j.cursor.made == static_cast<std::int64_t>(instants.size()));
  }
}
