// Maintenance windows: when they are open, and what is refused.
#include <catch2/catch.hpp>

#include "core/schedule/canonical.hpp"
#include "core/time/text.hpp"
#include "core/window/window.hpp"

using namespace belfry::core;
using namespace std::chrono_literals;

namespace {

instant at(const char* text) {
  const auto t = parse_instant(text);
  REQUIRE(t);
  return *t;
}

schedule opens(const char* text) {
  const auto s = parse_schedule(text, {at("2026-11-18T12:00:00Z"), {}, {}, {}});
  REQUIRE(s.ok());
  return *s;
}

window a_window(span length = 2h) {
  window w;
  w.name = "sunday";
  w.length = length;
  return w;
}

}  // namespace

TEST_CASE("window: it is open from its time on for its length, and then the next one counts",
          "[core][window]") {
  const auto s = opens("sundays at 2am in Europe/Berlin");  // 22 November: 01:00 to 03:00 UTC
  const opening first{at("2026-11-22T01:00:00Z"), at("2026-11-22T03:00:00Z")};
  const opening second{at("2026-11-29T01:00:00Z"), at("2026-11-29T03:00:00Z")};
  CHECK(opening_at(s, 2h, at("2026-11-21T00:00:00Z")) == first);
  CHECK(opening_at(s, 2h, first.begin) == first);
  CHECK(opening_at(s, 2h, first.end - 1us) == first);
  CHECK(opening_at(s, 2h, first.end) == second);
  // One that was lifted by hand does not open again, and one that has not begun can be skipped.
  CHECK(opening_at(s, 2h, first.begin + 1h, first.begin) == second);
  CHECK(opening_at(s, 2h, at("2026-11-21T00:00:00Z"), first.begin) == second);
  // The clock goes forward at 2am on 29 March: it opens at 3am.
  CHECK(opening_at(s, 2h, at("2026-03-28T12:00:00Z"))->begin == at("2026-03-29T01:00:00Z"));
  CHECK_FALSE(opening_at(opens("@at 2026-11-01T00:00:00Z"), 2h, at("2026-11-18T12:00:00Z")));
}

TEST_CASE("window: what could not close, or holds what it must not, is refused", "[core][window]") {
  const auto now = at("2026-11-18T12:00:00Z");
  CHECK(check(a_window(), opens("sundays at 2am"), now).empty());
  CHECK(check(a_window(24h), opens("daily at 2am"), now).size() == 1);
  CHECK(check(a_window(23h), opens("daily at 2am"), now).empty());
  // In spring there is a day of 23 hours.
  CHECK(check(a_window(23h), opens("daily at 5am in Europe/Berlin"), at("2026-03-20T12:00:00Z")).size() == 1);
  CHECK(check(a_window(0s), opens("sundays at 2am"), now).size() == 1);
  CHECK(check(a_window(24h * 40), opens("sundays at 2am"), now).size() == 1);
  auto w = a_window();
  w.name = "a b";
  w.on = the_job(job_id{1});
  w.text = std::string(400, 'x');
  CHECK(check(w, opens("sundays at 2am"), now).size() == 3);
  CHECK(check(a_window(), opens("@event deploy"), now).size() == 1);
}

TEST_CASE("window: its pause is its own, and says so", "[core][window]") {
  auto w = a_window();
  w.text = "new disks";
  w.drain = true;
  w.changed_by = "cli:alice";
  const opening o{at("2026-11-22T01:00:00Z"), at("2026-11-22T03:00:00Z")};
  const auto ahead = entry_of(w, o, at("2026-11-20T00:00:00Z"));
  CHECK(ahead.since == o.begin);
  CHECK(ahead.until == o.end);
  CHECK(ahead.owner == "window:sunday");
  CHECK(window_of(ahead.owner) == "sunday");
  CHECK(window_of("operator").empty());
  CHECK(ahead.text == "window sunday: new disks");
  CHECK(draining(ahead));
  // What held nothing until now was no pause.
  CHECK(entry_of(w, o, o.begin + 1h).since == o.begin + 1h);
  pause_entry forged = ahead;
  forged.since = never;
  CHECK(check(whole_scheduler(), forged, at("2026-11-20T00:00:00Z")).size() == 1);
}
