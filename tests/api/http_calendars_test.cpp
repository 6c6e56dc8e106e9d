// Calendars, windows and what schedules exclude, over HTTP.
#include <catch2/catch.hpp>

#include "tests/api/open_door.hpp"

namespace belfry::test {
namespace {

json mail_job(json more = json::object()) {
  more["handler"] = {{"argv", {"true"}}};
  return more;
}

}  // namespace

TEST_CASE("calendars: made of dates or of a file, and a mistake points at its line",
          "[api][http][calendar]") {
  open_door d;
  auto& http = d.http();
  const auto put = [&](const json& body) { return http.send("PUT", "/v1/calendars/holidays", body.dump()); };
  const auto made = put({{"dates", {"2099-12-25", "2099-12-31..2100-01-01"}}});
  CHECK(made.status == 201);
  CHECK(made.parsed().at("periods") == 2);
  CHECK(put({{"dates", "2099-12-25 # Christmas\n2099-12-26\n"}}).parsed().at("result") == "replaced");
  const auto shown = http.get_json("/v1/calendars/holidays");
  CHECK(shown.at("coming").at(0).at("from") == "2099-12-25 00:00:00");
  CHECK(http.get_json("/v1/calendars").at("calendars").size() == 1);
  const auto bad =
      put({{"ics", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:soon\r\nEND:VEVENT\r\nEND:VCALENDAR"}});
  CHECK(bad.status == 422);
  CHECK(bad.parsed().at("errors").at(0).at("pointer") == "/ics");
  CHECK(bad.body.find("line 3") != std::string::npos);
  CHECK(bad.body.find("DTSTART:soon") != std::string::npos);
  CHECK(put({{"dates", "2099-12-25\n2099-13-01"}}).body.find("line 2") != std::string::npos);
  CHECK(put({{"dates", {"2099-12-25", "soon"}}}).parsed().at("errors").at(0).at("pointer") == "/dates/1");
  CHECK(put(json::object()).status == 422);
  CHECK(put({{"dates", "2099-12-25"}, {"ics", "x"}}).status == 422);
  CHECK(put({{"dates", json::array()}}).status == 422);
  CHECK(put({{"days", "2099-12-25"}}).code() == "unknown_field");
  CHECK(http.send("PUT", "/v1/calendars/a%20b", json{{"dates", "2099-12-25"}}.dump()).status == 422);
  CHECK(http.get("/v1/calendars/other").status == 404);
  CHECK(http.send("DELETE", "/v1/calendars/holidays").parsed().at("result") == "removed");
}

TEST_CASE("calendars: an expression is understood with those of the node", "[api][http][calendar]") {
  open_door d;
  auto& http = d.http();
  const json asked{{"expression", "daily at 9am except calendar holidays"}, {"from", "2099-12-24T10:00:00Z"}};
  const auto no = http.post("/v1/schedules:parse", asked);
  CHECK(no.status == 422);
  CHECK(no.parsed().at("command") == "belfry calendar ls");
  http.send("PUT", "/v1/calendars/holidays", json{{"dates", "2099-12-25..2099-12-26"}}.dump());
  const auto yes = http.post_json("/v1/schedules:parse", asked);
  CHECK(yes.at("canonical") == "0 9 * * *; not calendar holidays; zone UTC");
  CHECK(yes.at("next").at(0).at("at") == "2099-12-27T09:00:00.000Z");
  REQUIRE(yes.at("left_out").size() == 1);
  CHECK(yes.at("left_out").at(0).at("exclusion") == "calendar holidays");
  CHECK(yes.at("left_out").at(0).at("count") == 2);
  CHECK(yes.at("left_out").at(0).at("reason") == "excluded");
}

TEST_CASE("jobs: what is excluded can be given as members, and is replaced by them",
          "[api][http][calendar]") {
  open_door d;
  auto& http = d.http();
  const auto put = [&](const json& body) { return http.send("PUT", "/v1/jobs/mail", mail_job(body).dump()); };
  const auto made = put({{"schedule", "every 5 minutes"},
                         {"not_between", {"22:00-06:00", "12:00-13:00 on mon"}},
                         {"not_on", {"2099-12-25"}},
                         {"not_in", {"holidays"}},
                         {"excluded", "postpone"}});
  REQUIRE(made.status == 201);
  CHECK(made.parsed().at("schedule") ==
        "*/5 * * * *; postpone calendar holidays; postpone dates 2099-12-25; postpone times 12:00-13:00 on "
        "mon; postpone times 22:00-06:00; zone UTC");
  const auto patch = [&](const json& body) { return http.send("PATCH", "/v1/jobs/mail", body.dump()); };
  CHECK(patch({{"not_between", {"23:00-05:00"}}}).parsed().at("schedule") ==
        "*/5 * * * *; not times 23:00-05:00; zone UTC");
  CHECK(patch({{"not_on", json::array()}}).parsed().at("schedule") == "*/5 * * * *; zone UTC");
  const auto pointer = [&](const json& body) {
    return put(body).parsed().at("errors").at(0).at("pointer").get<std::string>();
  };
  CHECK(pointer({{"schedule", "hourly"}, {"not_between", {"22:00"}}}) == "/not_between");
  CHECK(pointer({{"schedule", "hourly"}, {"not_on", {"soon"}}}) == "/not_on");
  CHECK(pointer({{"schedule", "hourly"}, {"excluded", "postpone"}}) == "/excluded");
  CHECK(pointer({{"schedule", "hourly"}, {"not_on", {"2099-12-25"}}, {"excluded", "defer"}}) == "/excluded");
  CHECK(pointer({{"not_on", {"2099-12-25"}}}) == "/schedule");
  // What would be stored is checked against the calendars too.
  const auto dry = http.send("PUT", "/v1/jobs/other?dry_run=true",
                             mail_job({{"schedule", "hourly"}, {"not_in", {"unknown"}}}).dump());
  CHECK(dry.status == 422);
  CHECK(dry.body.find("belfry calendar ls") != std::string::npos);
}

TEST_CASE("windows: made, shown and refused in plain words", "[api][http][window]") {
  open_door d;
  auto& http = d.http();
  const auto put = [&](const json& body) { return http.send("PUT", "/v1/windows/sunday", body.dump()); };
  const auto made = put({{"schedule", "sundays at 2am in Europe/Berlin"}, {"for", "2h"}, {"text", "disks"}});
  REQUIRE(made.status == 201);
  CHECK(made.parsed().at("schedule") == "0 2 * * 0; zone Europe/Berlin");
  CHECK(made.parsed().at("length_ms") == 7'200'000);
  CHECK(made.parsed().at("command") == "belfry scheduler resume --reason maintenance --owner window:sunday");
  CHECK(http.get_json("/v1/windows/sunday").at("scope") == "scheduler");
  CHECK(http.get("/v1/windows/monday").status == 404);
  CHECK(put({{"for", "2h"}}).parsed().at("errors").at(0).at("pointer") == "/schedule");
  CHECK(put({{"schedule", "sundays at 2am"}}).parsed().at("errors").at(0).at("pointer") == "/for");
  CHECK(put({{"schedule", "someday"}, {"for", "2h"}}).status == 422);
  CHECK(put({{"schedule", "hourly"}, {"for", "2m"}, {"workspace", "a"}, {"agent_type", "b"}}).status == 422);
  CHECK(put({{"schedule", "hourly"}, {"for", "2m"}, {"job", "b"}}).code() == "unknown_field");
  CHECK(http.send("DELETE", "/v1/windows/sunday").parsed().at("result") == "removed");
}

}  // namespace belfry::test
