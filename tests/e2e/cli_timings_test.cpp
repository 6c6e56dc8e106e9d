// Timing groups on the command line, and machines without a resident node.
#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <iostream>

#include "tests/e2e/cli.hpp"

namespace belfry::test {
namespace {

const std::vector<std::string> words(std::initializer_list<std::string> all) { return all; }

// A folder whose `crontab` keeps a file instead of the spool of the machine.
class private_cron {
 public:
  private_cron() {
    write_text(folder_ / "crontab", "#!/bin/sh\nf='" + file() +
                                        "'\ncase \"$1\" in\n-l) [ -f \"$f\" ] || { echo 'no crontab for you' "
                                        ">&2; exit 1; }; cat \"$f\";;\n"
                                        "-) cat > \"$f.new\" && mv \"$f.new\" \"$f\";;\n*) exit 2;;\nesac\n");
    chmod((folder_ / "crontab").c_str(), 0755);
  }
  std::string file() const { return folder_ / "spool"; }
  std::string path() const { return folder_.path() + ":/usr/bin:/bin"; }

 private:
  scratch_folder folder_;
};

bool installed(const std::string& program) {
  return run_program({"/bin/sh", "-c", "command -v " + program}).exit_code == 0;
}

// A store with jobs and no node: it was there, and has gone.
void fill_store(const std::string& folder, const std::vector<std::vector<std::string>>& jobs) {
  real_node node({.data = folder});
  const cli belfry(node);
  for (auto each : jobs) {
    each.insert(each.begin(), {"job", "create"});
    const auto made = belfry(each);
    INFO(made.err);
    REQUIRE(made.exit_code == 0);
  }
  REQUIRE(node.terminate() == 0);
}

}  // namespace

TEST_CASE("cli: a timing group is listed, shown, run, paused and resumed", "[e2e][cli][timing]") {
  real_node node;
  const cli belfry(node);
  for (const auto* name : {"a", "b"})
    belfry.line({"job", "create", "--name", name, "--cron", "0 9 * * *", "-o", "name", "--", "true"});
  belfry.line({"job", "create", "--name", "c", "--cron", "0 9 * * *", "--zone", "Europe/Berlin", "-o", "name",
               "--", "true"});
  const auto list = belfry({"timing", "ls"});
  CHECK(has(list.out, "daily-9am "));
  CHECK(has(list.out, "daily-9am-europe-berlin"));
  CHECK_FALSE(has(list.err, "events"));
  belfry.line(
      {"job", "create", "--name", "woken", "--on-event", "deploy.finished", "-o", "name", "--", "true"});
  const auto without = belfry({"timing", "ls"});
  CHECK_FALSE(has(without.out, "deploy"));
  CHECK(has(without.err, "1 job waits for events instead: belfry events triggers"));
  CHECK(belfry.doc({"timing", "show", "daily-9am"}).at("members") == 2);
  const auto ran = belfry({"timing", "run", "daily-9am", "--wait"});
  INFO(ran.err);
  CHECK(ran.exit_code == 0);
  CHECK(has(ran.out, "succeeded"));
  CHECK(belfry.doc({"timing", "run", "daily-9am", "--due"}).at("items").empty());
  CHECK(has(belfry({"timing", "pause", "daily-9am", "--text", "moving"}).out, "2 of 2 jobs paused"));
  CHECK(belfry({"timing", "run", "daily-9am"}).exit_code == 3);
  CHECK(belfry({"timing", "run", "daily-9am", "--force", "--wait"}).exit_code == 0);
  CHECK(has(belfry({"timing", "resume", "daily-9am"}).out, "2 of 2 jobs resumed"));
  // Some succeed and some do not.
  belfry.line({"job", "create", "--name", "bad", "--cron", "0 9 * * *", "--retries", "0", "-o", "name", "--",
               "false"});
  CHECK(belfry({"timing", "run", "daily-9am", "--wait"}).exit_code == 9);
  CHECK(belfry({"timing", "run", "nothing"}).exit_code == 5);
  CHECK(belfry({"timing", "run", "daily-9am", "--due", "--force"}).exit_code == 2);
  CHECK(belfry({"timing", "run"}).exit_code == 2);
  CHECK(belfry({"timing", "run", "daily-9am", "--soon"}).exit_code == 2);
  // Two ways to write the same: one label, two groups.
  belfry.line({"job", "create", "--name", "five", "--cron", "*/5 * * * *", "-o", "name", "--", "true"});
  belfry.line({"job", "create", "--name", "other-five", "--every", "5m", "-o", "name", "--", "true"});
  const auto two = belfry({"timing", "show", "every-5min"});
  CHECK(two.exit_code == 2);
  CHECK(has(two.err, "tim_"));
}

TEST_CASE("cli: a timing group runs where no node is resident", "[e2e][cli][timing]") {
  scratch_folder folder;
  const auto data = folder / "data", witness = folder / "witness";
  fill_store(data, {{"--name", "a", "--cron", "0 9 * * *", "--shell", "echo a >> " + witness},
                    {"--name", "b", "--cron", "0 9 * * *", "--shell", "echo b >> " + witness},
                    {"--name", "c", "--cron", "0 10 * * *", "--shell", "echo c >> " + witness}});
  const cli belfry("");
  const auto ran = belfry({"timing", "run", "--data", data, "daily-9am"}, 60s);
  INFO(ran.err);
  CHECK(ran.exit_code == 0);
  CHECK(has(ran.out, "succeeded"));
  const auto said = read_text(witness);
  CHECK((said == "a\nb\n" || said == "b\na\n"));
  // Nobody is left, and nothing was due.
  CHECK_FALSE(std::filesystem::exists(data + "/belfry.sock"));
  const auto due = belfry({"timing", "run", "--data", data, "--due", "daily-9am"}, 60s);
  CHECK(due.exit_code == 0);
  CHECK(has(due.out, "nothing was due"));
  CHECK(read_text(witness) == said);
  CHECK(belfry({"timing", "run", "--data", data, "nothing"}, 60s).exit_code == 5);
  CHECK(belfry({"--server", "127.0.0.1:1", "timing", "run", "--data", data, "daily-9am"}).exit_code == 2);
}

TEST_CASE("cli: ticks plan what is due by the cursor, and two of them nothing twice", "[e2e][cli][timing]") {
  scratch_folder folder;
  const auto data = folder / "data", witness = folder / "witness";
  fill_store(data, {{"--name", "ticker", "--every", "1s", "--catch-up", "once", "--overlap", "queue_all",
                     "--max-runs", "1000", "--shell", "echo t >> " + witness}});
  std::filesystem::remove(witness);
  const cli belfry("");
  short_pause(1500ms);
  // Both at once: one has the store, the other one meets it there.
  background first({belfry_binary(), "timing", "run", "--data", data, "--due", "every-1sec"},
                   {{"BELFRY_CONFIG", "/dev/null"}});
  const auto second = belfry({"timing", "run", "--data", data, "--due", "every-1sec"}, 60s);
  INFO(second.err << first.said());
  CHECK(second.exit_code == 0);
  CHECK(first.wait(60s) == 0);
  // Every planned time is a run or a skip, once.
  real_node node({.data = data, .flags = {"--set", "node.plans=false"}});
  const auto list = cli(node).doc({"occurrences", "ticker", "--all"}).at("occurrences");
  std::size_t runs = 0;
  std::vector<std::string> times;
  for (const auto& o : list)
    if (o.at("outcome") == "run") {
      ++runs;
      times.push_back(o.at("at"));
    }
  std::sort(times.begin(), times.end());
  CHECK(std::adjacent_find(times.begin(), times.end()) == times.end());
  CHECK(runs >= 1);
  const auto said = read_text(witness);
  CHECK(static_cast<std::size_t>(std::count(said.begin(), said.end(), '\n')) <= runs);
}

TEST_CASE("cli: a tick that is killed loses nothing and doubles nothing", "[e2e][cli][timing]") {
  scratch_folder folder;
  const auto data = folder / "data", witness = folder / "witness";
  fill_store(data, {{"--name", "slow", "--cron", "0 9 * * *", "--shell",
                     "echo begun >> " + witness + "; sleep 1; echo done >> " + witness}});
  {
    background tick({belfry_binary(), "timing", "run", "--data", data, "daily-9am"},
                    {{"BELFRY_CONFIG", "/dev/null"}});
    REQUIRE(eventually([&] { return has(read_text(witness), "begun"); }, 30s));
    tick.signal(SIGKILL);
    CHECK(tick.wait() == 128 + SIGKILL);
  }
  const cli belfry("");
  const auto next = belfry({"timing", "run", "--data", data, "--due", "daily-9am"}, 90s);
  INFO(next.err);
  CHECK(next.exit_code == 0);
  real_node node({.data = data});
  const auto runs = cli(node).doc({"job", "runs", "slow"}).at("runs");
  REQUIRE(runs.size() == 1);
  CHECK(node.wait_finished(runs.at(0).at("id")).at("state") == "succeeded");
  CHECK(has(read_text(witness), "done"));
}

TEST_CASE("cli: os sync writes a crontab, reads it back, and removes all of it again", "[e2e][cli][os]") {
  scratch_folder folder;
  const private_cron cron;
  const auto data = folder / "100% data";
  fill_store(data, {{"--name", "a", "--cron", "*/5 * * * *", "--", "true"},
                    {"--name", "b", "--cron", "0 9 L * *", "--", "true"},
                    {"--name", "fast", "--every", "10s", "--", "true"}});
  const std::string foreign = "# mine\nMAILTO=me\n\n*/7 * * * * /bin/x % y\n";
  write_text(cron.file(), foreign);
  cli belfry("");
  belfry.variables = {{"PATH", cron.path()}};
  const auto planned = belfry({"os", "sync", "--target", "crontab", "--data", data, "--dry-run"}, 60s);
  INFO(planned.err);
  CHECK(planned.exit_code == 9);  // ten seconds cannot be said there
  CHECK(has(planned.err, "more than once a minute"));
  CHECK(read_text(cron.file()) == foreign);
  CHECK(belfry({"os", "sync", "--target", "crontab", "--data", data}, 60s).exit_code == 9);
  const auto written = read_text(cron.file());
  CHECK(written.substr(0, foreign.size()) == foreign);
  CHECK(has(written, "*/5 * * * * '"));
  CHECK(has(written, "0 9 28-31 * * '"));
  CHECK(has(written, "/100\\% data' --due tim_"));
  // What cron would do with it: the command after the fields, with its percent signs given back.
  const auto line = written.substr(written.find("\n*/5 * * * * '") + 1);
  auto command = line.substr(12, line.find('\n') - 12);
  for (auto at = command.find("\\%"); at != std::string::npos; at = command.find("\\%")) command.erase(at, 1);
  const auto ticked = belfry.shell(command, 60s);
  INFO(ticked.err);
  CHECK(ticked.exit_code == 0);
  const auto there = belfry.doc({"os", "ls", "--target", "crontab", "--data", data}).at("entries");
  REQUIRE(there.size() == 2);
  CHECK(there.at(0).at("own") == true);
  CHECK(belfry({"os", "sync", "--target", "crontab", "--data", data}, 60s).exit_code == 9);
  CHECK(read_text(cron.file()) == written);
  CHECK(belfry({"os", "remove", "--target", "crontab", "--data", data, "--dry-run"}).exit_code == 0);
  CHECK(read_text(cron.file()) == written);
  CHECK(belfry({"os", "remove", "--target", "crontab", "--data", data}).exit_code == 0);
  CHECK(read_text(cron.file()) == foreign);
  CHECK(belfry.doc({"os", "ls", "--target", "crontab", "--data", data}).at("entries").empty());
  // Of a store whose folder is gone.
  write_text(cron.file(), written);
  const auto mark = there.at(0).at("store").get<std::string>();
  CHECK(belfry({"os", "remove", "--target", "crontab", "--store", "x"}).exit_code == 2);
  CHECK(belfry({"os", "remove", "--target", "crontab", "--store", mark}).exit_code == 0);
  CHECK(read_text(cron.file()) == foreign);
  CHECK(belfry({"os", "sync", "--data", data}).exit_code == 2);
  CHECK(belfry({"os", "sync", "--target", "at", "--data", data}).exit_code == 2);
  CHECK(belfry({"os", "remove", "--target", "crontab", "--data", folder / "nothing"}).exit_code == 5);
}

TEST_CASE("cli: os sync with the crontab of this machine, in a spool of its own", "[e2e][cli][os]") {
  if (!installed("crontab") || run_program({"/usr/bin/env", "unshare", "--mount", "true"}).exit_code != 0) {
    std::cout << "belfry-skip: needs the program crontab and unshare --mount\n";
    return;
  }
  scratch_folder folder;
  const auto data = folder / "data";
  fill_store(data, {{"--name", "a", "--cron", "*/5 * * * *", "--", "true"}});
  const auto end =
      run_program({"/usr/bin/env", "unshare", "--mount", "/bin/sh", "-ec",
                   "mount -t tmpfs none /var/spool; mkdir -p /var/spool/cron/crontabs; chmod 1730 "
                   "/var/spool/cron/crontabs\n"
                   "printf '# mine\\n1 2 3 4 5 /bin/x\\n' | crontab -; crontab -l > " +
                       (folder / "before") + "\n" + belfry_binary() + " os sync --target crontab --data " +
                       data + "\ncrontab -l > " + (folder / "with") + "\n" + belfry_binary() +
                       " os remove --target crontab --data " + data + "\ncrontab -l > " + (folder / "after")},
                  60s, {{"BELFRY_CONFIG", "/dev/null"}});
  INFO(end.err);
  REQUIRE(end.exit_code == 0);
  const auto before = read_text(folder / "before"), with = read_text(folder / "with");
  CHECK_FALSE(before.empty());
  CHECK(with.substr(0, before.size()) == before);
  CHECK(has(with, "*/5 * * * * '"));
  CHECK(read_text(folder / "after") == before);
}

TEST_CASE("cli: os sync writes units that systemd accepts, and leaves those of others alone",
          "[e2e][cli][os]") {
  scratch_folder folder;
  const auto data = folder / "da ta", units = folder / "units";
  fill_store(data, {{"--name", "a", "--cron", "0 9 * * 1-5", "--zone", "Europe/Berlin", "--", "true"},
                    {"--name", "b", "--cron", "0 9 * * 5L", "--", "true"},
                    {"--name", "c", "--cron", "*/20 * * * * *", "--", "true"}});
  std::filesystem::create_directories(units);
  write_text(units + "/mine.timer", "[Timer]\nOnCalendar=daily\n");
  const cli belfry("");
  const auto made = belfry.doc({"os", "sync", "--target", "systemd", "--data", data, "--directory", units});
  REQUIRE(made.at("entries").size() == 3);
  CHECK(made.at("refused").empty());
  CHECK(has(made.at("next").get<std::string>(), "daemon-reload"));
  std::vector<std::string> timers;
  for (const auto& e : made.at("entries")) {
    CHECK(e.at("change") == "added");
    CHECK(e.at("exact") == true);
    const auto file = e.at("file").get<std::string>();
    timers.push_back(file);
    CHECK(std::filesystem::is_symlink(units + "/timers.target.wants/" + file.substr(file.rfind('/') + 1)));
  }
  if (installed("systemd-analyze")) {
    auto verify = words({"/usr/bin/env", "systemd-analyze", "verify", "--user", "--man=no"});
    verify.insert(verify.end(), timers.begin(), timers.end());
    const auto said = run_program(verify, 60s, {{"XDG_RUNTIME_DIR", folder.path()}});
    INFO(said.err);
    CHECK(said.exit_code == 0);
    CHECK_FALSE(has(said.err, "belfry-"));
  } else {
    std::cout << "belfry-skip: units are not verified, there is no systemd-analyze\n";
  }
  const auto again = belfry.doc({"os", "sync", "--target", "systemd", "--data", data, "--directory", units});
  for (const auto& e : again.at("entries")) CHECK(e.at("change") == "unchanged");
  CHECK(belfry.doc({"os", "ls", "--target", "systemd", "--data", data, "--directory", units})
            .at("entries")
            .size() == 3);
  CHECK(belfry({"os", "remove", "--target", "systemd", "--data", data, "--directory", units}).exit_code == 0);
  std::size_t left = 0;
  for (const auto& f : std::filesystem::recursive_directory_iterator(units))
    left += f.is_directory() ? 0U : 1U;
  CHECK(left == 1);
  CHECK(read_text(units + "/mine.timer") == "[Timer]\nOnCalendar=daily\n");
}

TEST_CASE("cli: os sync writes property lists that are XML", "[e2e][cli][os]") {
  scratch_folder folder;
  const auto data = folder / "a & b", agents = folder / "agents";
  fill_store(data, {{"--name", "a", "--cron", "0 9 * * 1-5", "--", "true"}});
  const cli belfry("");
  const auto made = belfry.doc(
      {"os", "sync", "--target", "launchd", "--data", data, "--directory", agents, "--machine-zone", "UTC"});
  REQUIRE(made.at("entries").size() == 1);
  const auto file = made.at("entries").at(0).at("file").get<std::string>();
  const auto text = read_text(file);
  CHECK(has(text, "/a &amp; b</string>"));
  CHECK(has(text, "<key>Hour</key><integer>9</integer>"));
  if (installed("xmllint"))
    CHECK(run_program({"/usr/bin/env", "xmllint", "--noout", "--nonet", file}).exit_code == 0);
  CHECK(belfry({"os", "remove", "--target", "launchd", "--data", data, "--directory", agents}).exit_code ==
        0);
  CHECK_FALSE(std::filesystem::exists(file));
}

}  // namespace belfry::test
