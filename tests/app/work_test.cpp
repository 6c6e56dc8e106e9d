// The parts of `belfry work` that need no node: the pace of trying again, the lease by the worker's own
// clock, and the JSON of the protocol.
#include <catch2/catch.hpp>

#include "app/work/desk.hpp"
#include "app/work/retry_pace.hpp"
#include "tests/support/virtual_clock.hpp"

namespace belfry::app {
namespace {

using namespace std::chrono_literals;

const core::instant start = core::from_micros(1'000'000'000'000);

json_text claim_text(const std::string& more = "") {
  auto text = json_text::parse(
      R"({"run_id":"run_0CN11YJFE0000","job_id":null,"name":"thumbs","attempt":2,"fencing":7,"token":"secret",)"
      R"("lease_expires_at":"2026-11-21T10:00:00Z","payload":{"n":1e400},"timeout_ms":60000,)"
      R"("grace_ms":2000,"traceparent":null)" +
      more + "}");
  REQUIRE(text);
  return std::move(*text);
}

messages::claimed_run claimed_by(const work_plan& plan, const std::string& more = "") {
  const auto text = claim_text(more);
  auto c = read_claimed(text.root(), plan);
  REQUIRE(c);
  return std::move(*c);
}

lease_claim lease_of(const messages::claimed_run& c) { return {c.run.head.id, c.run.head.fencing, c.token}; }

}  // namespace

TEST_CASE("retry pace: doubles up to two seconds, obeys the node, and gives up in the end", "[app][work]") {
  retry_pace pace(1min);
  CHECK(pace.failed(start, {}, 0.5) == core::span{100ms});
  CHECK(pace.failed(start, {}, 0.5) == core::span{200ms});
  for (int i = 0; i < 10; ++i) pace.failed(start, {}, 0.5);
  CHECK(pace.failed(start, {}, 0.5) == core::span{2s});
  CHECK(pace.failed(start, {}, 0) == core::span{1400ms});
  CHECK(pace.failed(start, core::span{10s}, 0.5) == core::span{10s});
  CHECK(pace.failed(start, core::span{1h}, 0.5) == core::span{30s});
  CHECK(pace.failed(start + 59s, {}, 0.5));
  CHECK_FALSE(pace.failed(start + 60s, {}, 0.5));
  pace.succeeded();
  CHECK(pace.failed(start + 61s, {}, 0.5) == core::span{100ms});
  CHECK(retry_pace{0s}.failed(start + 24h, {}, 0.5));
  retry_pace forever(0s);
  forever.failed(start, {}, 0.5);
  CHECK(forever.failed(start + 24h * 365, {}, 0.5));
}

TEST_CASE("held run: stopped before its lease ends, by the clock of the worker", "[app][work]") {
  work_plan plan;
  plan.lease = 60s;
  held_run r(claimed_by(plan), plan, start, 60s);
  r.started = true;
  CHECK(r.beat_at == start + 10s);
  CHECK(r.safe_until == start + 60s);
  CHECK_FALSE(r.due_stop(start + 57s));
  CHECK(r.due_stop(start + 58s));  // two seconds of grace before it ends; the timeout is a minute as well
  r.over_at = core::end_of_time;
  CHECK(r.due_stop(start + 58s) == platform::stop_reason::cancel);
  // What counts is when the heartbeat was sent, not when its answer came.
  r.renewed(plan, start + 50s);
  CHECK_FALSE(r.due_stop(start + 107s));
  CHECK(r.due_stop(start + 108s));
  r.not_renewed(plan, start + 60s);
  CHECK(r.beat_at == start + 61s);
  r.told_to_stop = true;
  CHECK_FALSE(r.due_stop(start + 1h));
}

TEST_CASE("held run: a lease that may be half over is renewed at once", "[app][work]") {
  work_plan plan;
  plan.lease = 60s;
  // The worker was asleep between the answer and now, or the clocks differ: nobody knows yet.
  const held_run late(claimed_by(plan), plan, start, -5s);
  CHECK(late.beat_at == start);
  CHECK(late.safe_until == start + 30s);
  const held_run fast_clock(claimed_by(plan), plan, start, 3h);
  CHECK(fast_clock.safe_until == start + 60s);
}

TEST_CASE("held run: the timeout of an attempt counts from its claim", "[app][work]") {
  work_plan plan;
  plan.lease = 1h;
  held_run r(claimed_by(plan), plan, start, 1h);
  r.started = true;
  CHECK_FALSE(r.due_stop(start + 59s));
  CHECK(r.due_stop(start + 60s) == platform::stop_reason::timeout);
}

TEST_CASE("work protocol: the condition of a run is asked first, and says whether it goes on",
          "[app][work]") {
  work_plan plan;
  plan.command.argv = {"do-it"};
  auto c = claimed_by(plan, R"(,"condition":{"argv":["test","-e","x"],"timeout":"5s"})");
  CHECK(c.run.spec->condition.argv == std::vector<std::string>{"test", "-e", "x"});
  CHECK(c.run.spec->condition.timeout == core::span{5s});
  held_run r(c, plan, start, 1h);
  r.started = true;
  CHECK(r.due_stop(start + 5s) == platform::stop_reason::timeout);
  actors::attempt yes{c}, no{c}, broken{c};
  platform::process_report end;
  end.end.exit_code = 0;
  CHECK(yes.asking());
  CHECK(yes.key() != r.work.key().substr(0, r.work.key().find("/condition")));
  CHECK(yes.passed(end));
  CHECK_FALSE(yes.asking());
  CHECK(yes.settle(end, 0, 0).kind == core::settle_kind::succeeded);
  end.end.exit_code = 1;
  CHECK_FALSE(no.passed(end));
  const auto skipped = no.settle(end, 0, 0);
  CHECK(skipped.kind == core::settle_kind::skipped);
  api::json::writer w;
  write_completion(w, lease_of(c), skipped);
  CHECK(w.str().find(R"("outcome":"skipped")") != std::string::npos);
  end.end.exit_code = 3;
  CHECK_FALSE(broken.passed(end));
  CHECK(broken.settle(end, 0, 0).kind == core::settle_kind::failed);
  CHECK(broken.settle(end, 0, 0).klass == core::failure_class::error);
}

TEST_CASE("work protocol: a claim becomes the command of the worker with what the run says", "[app][work]") {
  work_plan plan;
  plan.command.argv = {"do-it"};
  plan.command.success_codes = {0, 4};
  plan.grace = 9s;
  const auto c = claimed_by(plan, R"(,"success_codes":[],"retryable_codes":[75])");
  const auto& spec = *c.run.spec;
  CHECK(spec.process.argv == std::vector<std::string>{"do-it"});
  CHECK(spec.process.success_codes == std::vector<std::uint8_t>{0, 4});  // the run names none
  CHECK(spec.process.retryable_codes == std::vector<std::uint8_t>{75});
  CHECK(spec.payload == R"({"n":1e400})");
  CHECK(spec.timeout == core::span{1min});
  CHECK(spec.grace == core::span{2s});
  CHECK(c.run.head.attempt == 2);
  CHECK(c.run.head.fencing == 7);
  CHECK_FALSE(c.run.head.job);
  const auto broken = json_text::parse(R"({"run_id":"run_0CN11YJFE0000","fencing":3})");
  CHECK_FALSE(read_claimed(broken->root(), plan));
}

TEST_CASE("work protocol: the end of an attempt says what a completion may say, and no more", "[app][work]") {
  work_plan plan;
  const auto c = claimed_by(plan);
  const auto written = [&](const core::cmd_settle& how) {
    api::json::writer w;
    write_completion(w, lease_of(c), how);
    return w.take();
  };
  core::cmd_settle s;
  s.kind = core::settle_kind::failed;
  s.klass = core::failure_class::timeout;
  s.message = "timed out";
  s.signal = 15;
  s.used.user_cpu = 3ms;
  CHECK(written(s) == R"({"run_id":"run_0CN11YJFE0000","outcome":"failed","token":"secret","fencing":7,)"
                      R"("message":"timed out","class":"timeout","signal":15,)"
                      R"("usage":{"user_cpu":"3ms","system_cpu":"0s"}})");
  s.kind = core::settle_kind::released;
  CHECK(written(s) == R"({"run_id":"run_0CN11YJFE0000","outcome":"released","token":"secret","fencing":7,)"
                      R"("message":"timed out"})");
}

TEST_CASE("work desk: output is told in order under numbers, and again unchanged until it is answered",
          "[app][work]") {
  tests::virtual_clock time;
  work_plan plan;
  work_desk desk(plan, time);
  const auto c = claimed_by(plan);
  REQUIRE(desk.admit(c));
  const actors::attempt shape{c};
  const auto line = [&](const std::string& text) {
    return std::vector<platform::output_line>{{time.now(), core::log_stream::out, text}};
  };
  desk.output(shape.key(), line("one"));
  const auto first = desk.await_reports();
  REQUIRE(first.outputs.size() == 1);
  CHECK(first.outputs[0].first == 1);
  desk.output(shape.key(), line("two"));
  platform::process_report report;
  report.end.exit_code = 0;
  desk.ended(shape.key(), report);
  const auto again = desk.await_reports();  // no answer came
  REQUIRE(again.outputs.size() == 1);
  CHECK(again.outputs[0].first == 1);
  REQUIRE(again.outputs[0].lines.size() == 1);
  CHECK(again.outputs[0].lines[0].text == "one");
  CHECK(again.ends.empty());  // the end comes last
  desk.told(again.outputs[0]);
  const auto second = desk.await_reports();
  REQUIRE(second.outputs.size() == 1);
  CHECK(second.outputs[0].first == 2);
  CHECK(second.outputs[0].lines[0].text == "two");
  desk.told(second.outputs[0]);
  const auto end = desk.await_reports();
  REQUIRE(end.ends.size() == 1);
  CHECK(end.ends[0].how.kind == core::settle_kind::succeeded);
}

TEST_CASE("work desk: what is claimed while it drains goes back at once", "[app][work]") {
  tests::virtual_clock time;
  work_plan plan;
  work_desk desk(plan, time);
  CHECK(desk.await_room() == std::optional<std::size_t>{1});
  desk.drain();
  CHECK_FALSE(desk.await_room());
  const auto c = claimed_by(plan);
  CHECK_FALSE(desk.admit(c));
  const auto due = desk.await_reports();
  REQUIRE(due.ends.size() == 1);
  CHECK(due.ends[0].how.kind == core::settle_kind::released);
  desk.settled(due.ends[0].lease);
  CHECK(desk.await_stops()->leave);
  CHECK_FALSE(desk.done());
  desk.claimer_left();
  CHECK(desk.done());
}

TEST_CASE("work desk: stopped at once, it names the children to kill and gives every run back",
          "[app][work]") {
  tests::virtual_clock time;
  work_plan plan;
  plan.slots = 2;
  work_desk desk(plan, time);
  const auto c = claimed_by(plan);
  REQUIRE(desk.admit(c));
  const auto left = desk.stop();
  REQUIRE(left.children.size() == 1);
  REQUIRE(left.ends.size() == 1);
  CHECK(left.ends[0].how.kind == core::settle_kind::released);
  CHECK_FALSE(desk.admit(c));
  CHECK(desk.await_beats().empty());
  CHECK(desk.await_reports().ends.empty());
  CHECK_FALSE(desk.await_stops());
}

}  // namespace belfry::app
