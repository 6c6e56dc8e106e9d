#include "tests/support/fake_processes.hpp"

#include <catch2/catch.hpp>
#include <csignal>

#include "tests/support/virtual_clock.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace std::chrono_literals;
using platform::stop_reason;

namespace {

struct heard {
  std::vector<std::string> events;
  platform::process_events of(const std::string& key) {
    return {[this, key](std::vector<platform::output_line> lines) {
              for (auto& line : lines) events.push_back(key + ": " + line.text);
            },
            [this, key](platform::process_report r) {
              events.push_back(key +
                               (r.end.exit_code ? " exit " + std::to_string(*r.end.exit_code)
                                : r.end.signal  ? " signal " + std::to_string(*r.end.signal)
                                                : " not spawned") +
                               (r.stopped_with.empty() ? "" : " by " + r.stopped_with) +
                               (r.end.timed_out ? " timeout" : "") + (r.end.cancelled ? " cancelled" : ""));
            }};
  }
};

using events = std::vector<std::string>;

}  // namespace

TEST_CASE("virtual clock: the wall may jump, steady walks on", "[platform][fake]") {
  virtual_clock time;
  CHECK(time.now() == virtual_clock::usual_start);
  time.advance(5s);
  CHECK(time.now() == virtual_clock::usual_start + 5s);
  time.jump(-1h);
  CHECK(time.now() == virtual_clock::usual_start + 5s - 1h);
  CHECK(time.steady() == core::from_micros(5'000'000));
  CHECK(time.advance_to(virtual_clock::usual_start) == 1h - 5s);
  CHECK(time.now() == virtual_clock::usual_start);
  time.set_now(core::from_micros(7));
  CHECK(time.now() == core::from_micros(7));
}

TEST_CASE("fake processes: by hand", "[platform][fake]") {
  virtual_clock time;
  fake_processes fakes(time);
  heard h;
  platform::process_order order;
  order.what.shell = "do it";
  fakes.start("a", order, h.of("a"));
  fakes.start("b", order, h.of("b"));
  CHECK(fakes.running() == 2);
  CHECK(fakes.living() == events{"a", "b"});
  CHECK(fakes.last_started()->order.what.shell == "do it");
  CHECK(fakes.emit("a", {"one", "two"}));
  CHECK(fakes.finish("a", exited(3)));
  CHECK_FALSE(fakes.finish("a"));
  CHECK(fakes.finish("b", not_spawned(2, "program not found: x")));
  CHECK(h.events == events{"a: one", "a: two", "a exit 3", "b not spawned"});
}

TEST_CASE("fake processes: by script, in the order of time", "[platform][fake]") {
  virtual_clock time;
  fake_processes fakes(time);
  heard h;
  fakes.use_script([](const std::string& key, const platform::process_order&) {
    child_plan plan;
    if (key == "slow") plan.after = 10s;
    if (key == "quick") plan.after = 1s, plan.report = exited(1), plan.output = {"hello"};
    return plan;
  });
  for (const char* key : {"slow", "quick", "endless"}) fakes.start(key, {}, h.of(key));
  CHECK(fakes.next_due() == time.steady() + 1s);
  time.advance(999ms);
  CHECK(fakes.advance() == 0);
  time.advance(10s);
  CHECK(fakes.advance() == 2);
  CHECK(h.events == events{"quick: hello", "quick exit 1", "slow exit 0"});
  CHECK_FALSE(fakes.next_due());
  CHECK(fakes.living() == events{"endless"});
}

TEST_CASE("fake processes: stops, obeyed, ignored, by hand and too late", "[platform][fake]") {
  virtual_clock time;
  fake_processes fakes(time);
  heard h;
  platform::process_order order;
  order.grace = 5s;
  fakes.use_script([](const std::string& key, const platform::process_order&) {
    child_plan plan;
    if (key == "stubborn") plan.when_stopped = stop_answer::ignores_term;
    if (key == "hand") plan.when_stopped = stop_answer::by_hand;
    if (key == "late") plan.after = 1s;
    if (key == "soon") plan.after = 3s, plan.when_stopped = stop_answer::ignores_term;
    return plan;
  });
  for (const char* key : {"civil", "stubborn", "hand", "late", "soon"}) fakes.start(key, order, h.of(key));
  time.advance(1s);
  fakes.stop("civil", stop_reason::timeout);
  fakes.stop("stubborn", stop_reason::cancel);
  fakes.stop("hand", stop_reason::shutdown);
  fakes.stop("late", stop_reason::timeout);
  fakes.stop("soon", stop_reason::timeout);
  fakes.stop("nobody", stop_reason::timeout);
  CHECK(fakes.stops().size() == 6);
  CHECK(h.events.empty());  // never from inside stop
  fakes.advance();
  CHECK(h.events == events{"civil signal 15 by TERM timeout", "late exit 0"});
  time.advance(5s);
  fakes.advance();
  CHECK(h.events.size() == 4);
  CHECK(h.events[2] == "soon exit 0 by TERM timeout");
  CHECK(h.events[3] == "stubborn signal 9 by KILL cancelled");
  CHECK(fakes.finish("hand", killed_by(SIGTERM)));
}

TEST_CASE("fake processes: abandoned ones are silent; a crash leaves orphans", "[platform][fake]") {
  virtual_clock time;
  fake_processes fakes(time);
  heard h;
  platform::process_order order;
  order.mark = "m";
  fakes.start("a", order, h.of("a"));
  bool gone = false;
  fakes.abandon("a", [&gone] { gone = true; });
  CHECK(gone);
  CHECK(fakes.abandoned() == events{"a"});
  CHECK_FALSE(fakes.finish("a"));
  fakes.start("b", order, h.of("b"));
  fakes.crash_node();
  CHECK(fakes.running() == 0);
  CHECK(fakes.orphans() == 1);
  CHECK(fakes.kill_marked("other") == 0);
  CHECK(fakes.kill_marked("m") == 1);
  CHECK(h.events.empty());
}
