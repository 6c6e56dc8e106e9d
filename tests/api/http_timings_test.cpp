// Timing groups over HTTP.
#include <catch2/catch.hpp>

#include "tests/api/open_door.hpp"

namespace belfry::test {
namespace {

void add_job(open_door& d, const std::string& name, const std::string& schedule, json more = json::object()) {
  more["name"] = name;
  more["payload"] = 1;
  more["schedule"] = schedule;
  d.http().post_json("/v1/jobs", more);
}

}  // namespace

TEST_CASE("timings: jobs of one schedule are a group, whatever their bounds", "[api][http][timing]") {
  open_door d;
  CHECK(d.http().get_json("/v1/timings").at("timings").empty());
  add_job(d, "a", "*/5 * * * *");
  add_job(d, "b", "*/5 * * * *", {{"ends", "2035-01-01T00:00:00Z"}});
  add_job(d, "c", "*/5 * * * *", {{"zone", "Europe/Berlin"}});
  d.http().post_json("/v1/jobs", {{"name", "by-hand"}, {"payload", 1}});
  const auto list = d.http().get_json("/v1/timings").at("timings");
  REQUIRE(list.size() == 2);
  const auto group = d.http().get_json("/v1/timings/every-5min");
  CHECK(group.at("members") == 2);
  CHECK(group.at("active") == 2);
  CHECK(group.at("schedule") == "*/5 * * * *; zone UTC");
  CHECK(group.at("zone") == "UTC");
  CHECK(group.at("jobs").size() == 2);
  CHECK(group.at("jobs").at(0).at("name") == "a");
  CHECK(d.http().get_json("/v1/timings/" + group.at("id").get<std::string>()).at("label") == "every-5min");
  CHECK(d.http().get_json("/v1/timings/every-5min-europe-berlin").at("members") == 1);
  CHECK(d.http().get_json("/v1/timings?q=berlin").at("timings").size() == 1);
  CHECK(d.http().get("/v1/timings/daily-9am").code() == "not_found");
  CHECK(d.http().get("/v1/timings?limit=0").code() == "invalid");
  // Page by page.
  const auto first = d.http().get_json("/v1/timings?limit=1");
  REQUIRE(first.at("next_cursor").is_string());
  const auto second =
      d.http().get_json("/v1/timings?limit=1&cursor=" + first.at("next_cursor").get<std::string>());
  CHECK(second.at("timings").size() == 1);
  CHECK(second.at("next_cursor").is_null());
  CHECK(first.at("timings").at(0).at("id") != second.at("timings").at(0).at("id"));
  const auto members = d.http().get_json("/v1/timings/every-5min?limit=1");
  CHECK(members.at("jobs").size() == 1);
  REQUIRE(members.at("next_cursor").is_string());
  CHECK(d.http()
            .get_json("/v1/timings/every-5min?limit=1&cursor=" + members.at("next_cursor").get<std::string>())
            .at("jobs")
            .at(0)
            .at("name") == "b");
}

TEST_CASE("timings: jobs that wait for events are counted, and listed where somebody asks",
          "[api][http][timing]") {
  open_door d;
  add_job(d, "clock", "*/5 * * * *");
  add_job(d, "one", "@event deploy.finished");
  add_job(d, "two", "@event deploy.finished");
  const auto list = d.http().get_json("/v1/timings");
  CHECK(list.at("timings").size() == 1);
  CHECK(list.at("wait_for_events") == 2);
  CHECK(d.http().get_json("/v1/timings?events=true").at("timings").size() == 2);
  CHECK(d.http().get_json("/v1/timings?q=deploy").at("timings").empty());
}

TEST_CASE("timings: a label that two groups share is ambiguous, and each is reached by its id",
          "[api][http][timing]") {
  open_door d;
  add_job(d, "cron", "*/5 * * * *");
  add_job(d, "interval", "@every 5m");
  const auto no = d.http().get("/v1/timings/every-5min");
  CHECK(no.code() == "ambiguous");
  const auto choices = no.parsed().at("errors");
  REQUIRE(choices.size() == 2);
  CHECK(d.http().get_json("/v1/timings/%2A%2F5%20%2A%20%2A%20%2A%20%2A%3B%20zone%20UTC").at("members") == 1);
  for (const auto& each : choices) {
    const auto id = each.at("allowed").get<std::string>();
    CHECK(d.http().get_json("/v1/timings/" + id).at("members") == 1);
  }
  CHECK(d.http().post("/v1/timings/every-5min:run", json::object()).code() == "ambiguous");
}

TEST_CASE("timings: a group is run by hand, each member in its own right", "[api][http][timing]") {
  open_door d;
  for (const auto* name : {"a", "b", "c"}) add_job(d, name, "0 9 * * *");
  add_job(d, "other", "0 10 * * *");
  d.http().post_json("/v1/jobs/b:pause", json::object());
  const auto ran = d.http().post_json("/v1/timings/daily-9am:run", json::object());
  CHECK(ran.at("members") == 3);
  CHECK(ran.at("made") == 2);
  CHECK(ran.at("refused") == 1);
  REQUIRE(ran.at("items").size() == 3);
  for (const auto& item : ran.at("items")) {
    if (item.at("name") == "b") {
      CHECK(item.at("status") == "error");
      CHECK(item.at("code") == "invalid_transition");
    } else {
      CHECK(item.at("runs").size() == 1);
    }
  }
  CHECK(d.http().get_json("/v1/jobs/other/runs").at("runs").empty());
  CHECK(d.http().post("/v1/timings/daily-9am:run", {{"force", true}, {"due", true}}).code() == "invalid");
  CHECK(d.http().post("/v1/timings/daily-9am:run", {{"fast", true}}).code() == "unknown_field");
  CHECK(d.http().post("/v1/timings/nothing:run", json::object()).code() == "not_found");
  // Nothing is due: the answer is short.
  const auto due = d.http().post_json("/v1/timings/daily-9am:run", {{"due", true}});
  CHECK(due.at("members") == 3);
  CHECK(due.at("items").empty());
}

TEST_CASE("timings: a pause of a group is a pause of its own of each member", "[api][http][timing]") {
  open_door d;
  add_job(d, "a", "0 9 * * *");
  add_job(d, "b", "0 9 * * *");
  d.http().post_json("/v1/jobs/a:pause", {{"reason", "audit"}});
  const auto paused = d.http().post_json("/v1/timings/daily-9am:pause", {{"text", "moving"}});
  CHECK(paused.at("members") == 2);
  CHECK(paused.at("changed") == 2);
  CHECK(d.http().get_json("/v1/timings/daily-9am").at("paused") == 2);
  CHECK(d.http().get_json("/v1/jobs/b").at("pauses").at(0).at("reason") == "timing");
  // Who joins later is not paused.
  add_job(d, "late", "0 9 * * *");
  CHECK(d.http().get_json("/v1/timings/daily-9am").at("active") == 1);
  d.http().post_json("/v1/timings/daily-9am:resume", json::object());
  const auto group = d.http().get_json("/v1/timings/daily-9am");
  CHECK(group.at("paused") == 1);
  CHECK(d.http().get_json("/v1/jobs/a").at("pauses").at(0).at("reason") == "audit");
}
}  // namespace belfry::test
