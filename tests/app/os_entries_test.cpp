// What the schedulers of operating systems are told, as text.
#include <catch2/catch.hpp>

#include <algorithm>

#include "app/os/crontab_text.hpp"
#include "app/os/unit_text.hpp"
#include "core/schedule/canonical.hpp"

namespace belfry::app::os {
namespace {

store_identity a_store(const std::string& folder = "/srv/belfry") {
  return {"0123456789abcdef01234567", folder, "/usr/bin/belfry"};
}

wanted_entry an_entry(const std::string& id, const std::string& schedule, const core::os_abilities& can) {
  const auto s = core::parse_canonical(schedule, {});
  REQUIRE(s.ok());
  auto times = core::os_times_of(*s, can);
  REQUIRE(times.ok());
  return {id, core::timing_label(*s), core::timing_key(*s), std::move(*times)};
}
wanted_entry line(const std::string& id, const std::string& schedule) {
  return an_entry(id, schedule, core::crontab_abilities(core::zone{}));
}

crontab_change with(const std::string& before, const std::vector<wanted_entry>& wanted,
                    const store_identity& mine = a_store()) {
  auto c = crontab_with(before, mine, wanted);
  INFO((c ? "" : c.error().text));
  REQUIRE(c.ok());
  return std::move(*c);
}

}  // namespace

TEST_CASE("crontab: foreign lines stay byte for byte, wherever they stand", "[app][os]") {
  const std::string above = "MAILTO=root\r\n\n  # a remark with belfry in it\n*/5 * * * * /bin/x  \t\n";
  const std::string below =
      "@reboot /bin/y % z\n# belfry store=ffff begin: of another store\n* * * * * z --due tim_1\n"
      "# belfry store=ffff end\nlast line without a break";
  const auto added = with(above, {line("tim_a", "*/5 * * * *; zone UTC")}).text;
  CHECK(added.substr(0, above.size()) == above);
  const auto block = added.substr(above.size());
  CHECK(block ==
        "# belfry store=0123456789abcdef01234567 begin: written by `belfry os sync`, what is changed in here "
        "is lost\n"
        "# tim_a every-5min: */5 * * * *; zone UTC\n"
        "*/5 * * * * '/usr/bin/belfry' -o name timing run --data '/srv/belfry' --due tim_a > /dev/null\n"
        "# belfry store=0123456789abcdef01234567 end\n");
  const auto between = above + block + below;
  const auto changed = with(between, {line("tim_b", "0 9 * * *; zone UTC")}).text;
  CHECK(changed.substr(0, above.size()) == above);
  CHECK(changed.substr(changed.size() - below.size()) == below);
  CHECK(changed.find("tim_a") == std::string::npos);
  // Complete: nothing of ours is left, and all of the others.
  CHECK(with(changed, {}).text == above + below);
  CHECK(with(above + below, {}).text == above + below);
  CHECK(with("", {}).text.empty());
}

TEST_CASE("crontab: what is there is told, and the second time nothing changes", "[app][os]") {
  const std::vector<wanted_entry> wanted{line("tim_a", "*/5 * * * *; zone UTC"),
                                         line("tim_b", "0 9 * * * | 30 17 * * 5; zone UTC")};
  const auto first = with("x\n", wanted);
  REQUIRE(first.plan.changes.size() == 2);
  CHECK(first.plan.changes[0].what == change_kind::added);
  const auto second = with(first.text, wanted);
  CHECK(second.text == first.text);
  for (const auto& c : second.plan.changes) CHECK(c.what == change_kind::unchanged);
  const auto found = entries_in_crontab(first.text);
  REQUIRE(found.size() == 3);  // a line for each of the times
  CHECK(found[0].id == "tim_a");
  CHECK(found[0].store == a_store().mark);
  CHECK(found[0].when == "*/5 * * * *");
  CHECK(found[2].when == "30 17 * * 5");
  const auto third = with(first.text, {line("tim_b", "0 10 * * *; zone UTC")});
  REQUIRE(third.plan.changes.size() == 2);
  CHECK(third.plan.changes[0].what == change_kind::removed);
  CHECK(third.plan.changes[1].what == change_kind::changed);
}

TEST_CASE("crontab: paths are quoted for the shell and for cron", "[app][os]") {
  CHECK(crontab_word("/a b") == "'/a b'");
  CHECK(crontab_word("/100%") == "'/100\\%'");
  CHECK(crontab_word("it's") == "'it'\"'\"'s'");
  CHECK_FALSE(crontab_word("a\nb"));
  CHECK_FALSE(crontab_word("a\\b"));
  const auto refused = with("", {line("tim_a", "*/5 * * * *; zone UTC")}, a_store("/a\\b"));
  CHECK(refused.text.empty());
  REQUIRE(refused.plan.refused.size() == 1);
  CHECK(with("", {line("tim_a", "*/5 * * * *; zone UTC")}, a_store("/" + std::string(2'000, 'a')))
            .plan.refused.size() == 1);
}

TEST_CASE("crontab: a block that somebody damaged is not guessed at", "[app][os]") {
  const auto whole = with("", {line("tim_a", "*/5 * * * *; zone UTC")}).text;
  const auto end = whole.find("# belfry store=0123456789abcdef01234567 end");
  CHECK(crontab_with(whole.substr(0, end) + "0 0 * * * mine\n", a_store(), {})
            .refused_with(core::errc::conflict));
  CHECK(crontab_with(whole + whole, a_store(), {}).refused_with(core::errc::conflict));
}

TEST_CASE("units: words are kept from systemd, and files carry their mark", "[app][os]") {
  CHECK(systemd_word("/a b") == "\"/a b\"");
  CHECK(systemd_word("50%$x\"\\") == "\"50%%$$x\\\"\\\\\"");
  const auto w = an_entry("tim_a", "0 9 * * 1-5; zone Europe/Berlin", core::systemd_abilities());
  const auto files = systemd_units(a_store("/srv/100%"), w);
  REQUIRE(files.size() == 2);
  CHECK(files[0].name == "belfry-01234567-tim_a.timer");
  CHECK(files[0].text.find("OnCalendar=Mon,Tue,Wed,Thu,Fri *-*-* 09:00:00 Europe/Berlin\n") !=
        std::string::npos);
  CHECK(files[1].text.find("\"--data\" \"/srv/100%%\" \"--due\" \"tim_a\"\n") != std::string::npos);
  for (const auto& f : files) {
    const auto mark = mark_in(f.text);
    REQUIRE(mark);
    CHECK(mark->store == a_store().mark);
    CHECK(mark->group == "tim_a");
  }
  CHECK_FALSE(mark_in("# belfry is nice"));
  CHECK_FALSE(mark_in("belfry store= group=x"));
}

TEST_CASE("property lists: XML of their own, with every time", "[app][os]") {
  const auto w = line("tim_a", "0,30 9 * * 1; zone UTC");
  const auto f = launchd_list(a_store("/a & <b>"), w);
  REQUIRE(f);
  CHECK(f->name == "org.belfry.01234567.tim_a.plist");
  CHECK(f->text.find("<string>/a &amp; &lt;b&gt;</string>") != std::string::npos);
  CHECK(f->text.find(
            "<dict><key>Weekday</key><integer>1</integer><key>Hour</key><integer>9</integer><key>Minute</key>"
            "<integer>30</integer></dict>") != std::string::npos);
  CHECK(mark_in(f->text)->group == "tim_a");
  CHECK_FALSE(launchd_list(a_store(), line("tim_a", "*/2 0-22 * * 1-5; zone UTC")));
}

}  // namespace belfry::app::os
