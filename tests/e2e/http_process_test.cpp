// Processes, through the real node: what a command is given, how its end is judged, and that nothing of it is
// left.
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/support/shared_node.hpp"

namespace belfry::test {
namespace {

// The submission of a command.
json command(const std::vector<std::string>& argv, json more = json::object()) {
  json handler = {{"kind", "process"}, {"argv", argv}};
  if (more.contains("handler")) handler.update(more["handler"]);
  more["handler"] = handler;
  if (!more.contains("name")) more["name"] = "command";
  return more;
}

std::map<std::string, std::string> as_environment(const std::string& output) {
  std::map<std::string, std::string> all;
  std::istringstream in(output);
  for (std::string line; std::getline(in, line);) {
    const auto equals = line.find('=');
    if (equals != std::string::npos) all[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return all;
}

json attempt_of(const json& run, std::size_t index) { return run.at("attempts").at(index); }

// Microseconds since midnight are enough for differences within a test.
std::int64_t micros_of(const json& time) {
  const auto text = time.get<std::string>();
  std::int64_t value = std::stoll(text.substr(11, 2)) * 3600 + std::stoll(text.substr(14, 2)) * 60 +
                       std::stoll(text.substr(17, 2));
  std::string fraction = text.size() > 20 ? text.substr(20, text.find('Z') - 20) : "";
  fraction.resize(6, '0');
  return value * 1'000'000 + std::stoll(fraction);
}
std::int64_t between_ms(const json& from, const json& to) {
  auto us = micros_of(to) - micros_of(from);
  if (us < -43'200'000'000) us += 86'400'000'000;  // midnight
  return us / 1000;
}

std::vector<pid_t> pids_in(const std::string& path) {
  std::vector<pid_t> all;
  std::istringstream in(read_text(path));
  for (long n = 0; in >> n;) all.push_back(static_cast<pid_t>(n));
  return all;
}

bool all_gone(const std::vector<pid_t>& pids) {
  return std::none_of(pids.begin(), pids.end(), [](pid_t p) { return process_alive(p); });
}

}  // namespace

TEST_CASE("process: its environment is the documented one and nothing else", "[e2e][http][process]") {
  auto& node = shared_node();
  const std::string trace = "00-0123456789abcdef0123456789abcdef-00f067aa0ba902b7-01";
  auto wish =
      command({"/usr/bin/env"},
              {{"handler", {{"env", {{"MINE", "a=b c"}, {"BELFRY_RUN_ID", "forged"}, {"LANG", "C"}}}}}});
  const auto id =
      node.http().post_json("/v1/runs", wish, {{"traceparent", trace}}).at("id").get<std::string>();
  REQUIRE(node.wait_finished(id).at("state") == "succeeded");
  const auto env = as_environment(node.output(id));
  const std::set<std::string> allowed{
      "PATH", "HOME",          "USER",           "LOGNAME",        "LANG",        "TZ",         "TMPDIR",
      "MINE", "BELFRY_RUN_ID", "BELFRY_ATTEMPT", "BELFRY_FENCING", "BELFRY_NODE", "TRACEPARENT"};
  for (const auto& [name, value] : env) {
    INFO(name << "=" << value);
    CHECK(allowed.contains(name));
  }
  CHECK(env.at("MINE") == "a=b c");
  CHECK(env.at("LANG") == "C");
  CHECK(env.at("BELFRY_RUN_ID") == id);
  CHECK(env.at("BELFRY_ATTEMPT") == "1");
  CHECK(env.at("BELFRY_FENCING") == "1");
  CHECK_FALSE(env.at("BELFRY_NODE").empty());
  CHECK(env.at("PATH").find('/') != std::string::npos);
  // The same trace, a span of its own.
  CHECK(env.at("TRACEPARENT").substr(0, 36) == trace.substr(0, 36));
  CHECK(env.at("TRACEPARENT") != trace);
  // Values may be secrets: a run shows the names alone.
  CHECK(node.http().get("/v1/runs/" + id).body.find("a=b c") == std::string::npos);
}

TEST_CASE("process: it runs where it was told to, and in / when it was told nothing",
          "[e2e][http][process]") {
  auto& node = shared_node();
  const scratch_folder folder;
  const auto there = node.submit(command({"pwd"}, {{"handler", {{"cwd", folder.path()}}}}));
  const auto nowhere = node.submit(command({"pwd"}));
  node.wait_finished(there);
  node.wait_finished(nowhere);
  CHECK(node.output(there) == folder.path());
  CHECK(node.output(nowhere) == "/");
}

TEST_CASE("process: the payload comes on stdin, unless there is a text for it", "[e2e][http][process]") {
  auto& node = shared_node();
  const auto payload = node.submit(command({"cat"}, {{"payload", {{"n", 1}, {"t", "ü"}}}}));
  const auto text =
      node.submit(command({"cat"}, {{"payload", {{"n", 1}}}, {"handler", {{"stdin", "line 1\nline 2"}}}}));
  const auto large = node.submit(command({"wc", "-c"}, {{"payload", std::string(60'000, 'x')}}));
  // It ends without reading: that is its own affair and no failure.
  const auto deaf = node.submit(command({"true"}, {{"payload", std::string(60'000, 'x')}}));
  CHECK(node.wait_finished(payload).at("state") == "succeeded");
  CHECK(json::parse(node.output(payload)) == json{{"n", 1}, {"t", "ü"}});
  node.wait_finished(text);
  CHECK(node.output(text) == "line 1\nline 2");
  node.wait_finished(large);
  CHECK(node.output(large) == "60002");
  CHECK(node.wait_finished(deaf).at("state") == "succeeded");
}

TEST_CASE("process: a failed attempt is tried again after its delay, and each attempt is on record",
          "[e2e][http][process]") {
  auto& node = shared_node();
  const auto id = node.submit_shell(
      "echo try $BELFRY_ATTEMPT; test $BELFRY_ATTEMPT = 3 || exit 5",
      {{"retry", {{"max_attempts", 4}, {"base", "200ms"}, {"multiplier", 2}, {"jitter", 0}}}});
  const auto waiting = node.wait_for_state(id, "retrying");
  CHECK(waiting.at("due_at").is_string());
  CHECK(waiting.at("waiting_for").at(0).at("code") == "retry_delay");
  const auto run = node.wait_for_state(id, "succeeded");
  REQUIRE(run.at("attempts").size() == 3);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(attempt_of(run, i).at("outcome") == "failed");
    CHECK(attempt_of(run, i).at("failure_class") == "error");
    CHECK(attempt_of(run, i).at("exit_code") == 5);
    CHECK(attempt_of(run, i).at("number") == i + 1);
    CHECK(attempt_of(run, i).at("fencing") == i + 1);
  }
  CHECK(attempt_of(run, 2).at("outcome") == "succeeded");
  CHECK(attempt_of(run, 2).at("exit_code") == 0);
  CHECK(between_ms(attempt_of(run, 0).at("ended_at"), attempt_of(run, 1).at("started_at")) >= 199);
  CHECK(between_ms(attempt_of(run, 1).at("ended_at"), attempt_of(run, 2).at("started_at")) >= 399);
  CHECK(run.at("attempts_used") == 2);
  CHECK(node.output(id) == "try 1\ntry 2\ntry 3");
}

TEST_CASE("process: exit codes mean what the run says that they mean", "[e2e][http][process]") {
  auto& node = shared_node();
  const auto ending = [&](const std::string& script, json more) {
    more["retry"] = {{"max_attempts", 3}, {"base", "10ms"}, {"jitter", 0}};
    return node.wait_finished(node.submit_shell(script, more));
  };
  const json codes = {{"handler", {{"success_codes", {0, 3}}, {"retryable_codes", {75}}}}};
  CHECK(ending("exit 3", codes).at("state") == "succeeded");
  CHECK(ending("exit 0", codes).at("state") == "succeeded");
  const auto permanent = ending("exit 4", codes);
  CHECK(permanent.at("state") == "failed");
  CHECK(permanent.at("failure_class") == "permanent");
  CHECK(permanent.at("attempts").size() == 1);
  const auto retryable = ending("exit 75", codes);
  CHECK(retryable.at("state") == "failed");
  CHECK(retryable.at("failure_class") == "error");
  CHECK(retryable.at("attempts").size() == 3);
  const auto missing = ending("no-such-program-at-all", json::object());
  CHECK(missing.at("failure_class") == "permanent");
  CHECK(attempt_of(missing, 0).at("exit_code") == 127);
  const auto signal = ending("kill -USR1 $$", {{"name", "signal"}});
  CHECK(signal.at("failure_class") == "error");
  CHECK(attempt_of(signal, 0).at("signal") == 10);
  CHECK(attempt_of(signal, 0).at("exit_code").is_null());
  CHECK(attempt_of(signal, 0).at("stopped_with").is_null());
}

TEST_CASE("process: zero retries is one attempt", "[e2e][http][process]") {
  auto& node = shared_node();
  for (const json& retry : {json{{"max_attempts", 1}}, json{{"retries", 0}}}) {
    const auto run = node.wait_finished(node.submit_shell("exit 1", {{"retry", retry}}));
    CHECK(run.at("state") == "failed");
    CHECK(run.at("attempts").size() == 1);
    CHECK(run.at("dead_letter") == true);
  }
}

TEST_CASE("process: a program or a directory that is not there is refused with its field",
          "[e2e][http][process]") {
  auto& node = shared_node();
  const auto refused = [&](const json& body, const std::string& pointer, const std::string& value) {
    INFO(body.dump());
    for (const std::string target : {"/v1/runs", "/v1/runs?dry_run=true"}) {
      const auto r = node.http().post(target, body);
      CHECK(r.status == 422);
      CHECK(r.code() == "invalid");
      const auto doc = r.parsed();
      REQUIRE(doc.at("errors").size() == 1);
      CHECK(doc.at("errors").at(0).at("pointer") == pointer);
      CHECK(doc.at("errors").at(0).at("value") == value);
      CHECK(doc.dump().find("skip_checks") != std::string::npos);
    }
  };
  refused(command({"/no/such/program"}), "/handler/argv/0", "/no/such/program");
  refused(command({"no-such-program-either"}), "/handler/argv/0", "no-such-program-either");
  refused(command({"/etc/passwd"}), "/handler/argv/0", "/etc/passwd");
  refused(command({"true"}, {{"handler", {{"cwd", "/no/such/folder"}}}}), "/handler/cwd", "/no/such/folder");
  refused(command({"true"}, {{"handler", {{"env", {{"PATH", "/nowhere"}}}}}}), "/handler/argv/0", "true");
  refused(command({"true"}, {{"on_end", {{"argv", {"no-such-hook"}}}}}), "/on_end/argv/0", "no-such-hook");
  // All of a batch, or nothing; the mistake says where.
  const json batch{{"runs", {command({"true"}), command({"no-such-program"}), {{"name", "for a worker"}}}}};
  const auto r = node.http().post("/v1/runs:batch", batch);
  CHECK(r.status == 422);
  CHECK(r.parsed().at("errors").at(0).at("pointer") == "/runs/1/handler/argv/0");
  // What no executor of this node performs is not judged here.
  auto elsewhere = command({"no-such-program"}, {{"capabilities", {"gpu"}}});
  CHECK(node.http().post("/v1/runs", elsewhere).status == 201);
}

TEST_CASE("process: a job that could not be started is refused, and one that is stored is left alone",
          "[e2e][http][process]") {
  auto& node = shared_node();
  const scratch_folder folder;
  write_text(folder / "tool", "#!/bin/sh\n");
  std::filesystem::permissions(folder / "tool", std::filesystem::perms::owner_all);
  const auto job = [&](json more = json::object()) {
    auto d = command({folder / "tool"}, more);
    d.erase("name");
    return d;
  };
  const auto at = [](const http_reply& r) { return r.parsed().at("errors").at(0).at("pointer"); };
  CHECK(node.http().send("PUT", "/v1/jobs/with-tool", job().dump()).status == 201);
  auto made = job();
  made["name"] = "made";
  CHECK(node.http().post("/v1/jobs", made).status == 201);
  std::filesystem::remove(folder / "tool");
  // What was found good is believed for a second.
  REQUIRE(eventually([&] { return node.http().post("/v1/runs", job()).status == 422; }));
  CHECK(node.http().send("PUT", "/v1/jobs/with-tool", job().dump()).status == 200);  // unchanged
  const auto other = node.http().send("PUT", "/v1/jobs/with-tool", job({{"lane", "l"}}).dump());
  CHECK(other.status == 422);
  CHECK(at(other) == "/handler/argv/0");
  CHECK(at(node.http().send("PATCH", "/v1/jobs/with-tool", R"({"lane":"l"})")) == "/handler/argv/0");
  made["name"] = "made-2";
  CHECK(at(node.http().post("/v1/jobs", made)) == "/handler/argv/0");
  CHECK(at(node.http().post("/v1/jobs?dry_run=true", made)) == "/handler/argv/0");
  made["skip_checks"] = true;
  const auto taken = node.http().post("/v1/jobs", made, {{"X-Belfry-Actor", "test:bob"}});
  CHECK(taken.status == 201);
  CHECK(taken.parsed().at("checks_skipped_by") == "test:bob");
  CHECK(taken.parsed().at("definition").at("skip_checks") == true);
  // Who changes something else has not asked for that.
  const auto patched =
      node.http().send("PATCH", "/v1/jobs/made-2", R"({"lane":"l"})", {{"X-Belfry-Actor", "test:eve"}});
  CHECK(patched.status == 200);
  CHECK(patched.parsed().at("checks_skipped_by") == "test:bob");
  const auto run = node.http().post_json("/v1/jobs/made-2:trigger", json::object());
  CHECK(node.wait_finished(run.at("id")).at("checks_skipped_by") == "test:bob");
  CHECK(at(node.http().send("PATCH", "/v1/jobs/made-2", R"({"skip_checks":false})")) == "/handler/argv/0");
}

TEST_CASE(
    "process: without checks a missing program or directory is a failure of class spawn, without a retry",
    "[e2e][http][process]") {
  auto& node = shared_node();
  const auto unchecked = [&](std::vector<std::string> argv, json more = json::object()) {
    auto body = command(std::move(argv), std::move(more));
    body["skip_checks"] = true;
    return node.wait_finished(node.submit(body));
  };
  const auto program = unchecked({"/no/such/program"});
  CHECK(program.at("checks_skipped_by") == program.at("created_by"));
  CHECK(program.at("state") == "failed");
  CHECK(program.at("failure_class") == "spawn");
  CHECK(program.at("attempts").size() == 1);
  CHECK(attempt_of(program, 0).at("message").get<std::string>().find("/no/such/program") !=
        std::string::npos);
  const auto by_path = unchecked({"no-such-program-either"});
  CHECK(by_path.at("failure_class") == "spawn");
  const auto folder = unchecked({"true"}, {{"handler", {{"cwd", "/no/such/folder"}}}});
  CHECK(folder.at("failure_class") == "spawn");
  CHECK(attempt_of(folder, 0).at("message").get<std::string>().find("/no/such/folder") != std::string::npos);
  const auto no_program = unchecked({"/etc/passwd"});
  CHECK(no_program.at("failure_class") == "spawn");
  CHECK(node.wait_finished(node.submit(command({"true"}))).at("checks_skipped_by").is_null());
}

TEST_CASE("process: a repeated submission has its first answer although its program has gone",
          "[e2e][http][process]") {
  auto& node = shared_node();
  const scratch_folder folder;
  write_text(folder / "tool", "#!/bin/sh\n");
  std::filesystem::permissions(folder / "tool", std::filesystem::perms::owner_all);
  const auto body = command({folder / "tool"});
  const header_list key{{"Idempotency-Key", "gone-" + folder.path()}};
  const auto first = node.http().post("/v1/runs", body, key);
  REQUIRE(first.status == 201);
  std::filesystem::remove(folder / "tool");
  REQUIRE(eventually([&] { return node.http().post("/v1/runs", body).status == 422; }));
  const auto again = node.http().post("/v1/runs", body, key);
  CHECK(again.status == 201);
  CHECK(again.parsed().at("id") == first.parsed().at("id"));
}

TEST_CASE(
    "process: a timeout ends the whole family, also those that ignore TERM and those that left the group",
    "[e2e][http][process]") {
  auto& node = shared_node();
  const scratch_folder folder;
  const auto pids = folder / "pids";
  const std::string stubborn = "sh -c 'trap \"\" TERM; echo $$ >> " + pids + "; while :; do sleep 1; done'";
  const auto id =
      node.submit_shell("trap '' TERM; echo $$ >> " + pids + "; " + stubborn + " & setsid " + stubborn +
                            " & ( " + stubborn + " & ) ; while :; do sleep 1; done",
                        {{"timeout", "700ms"}, {"grace", "300ms"}, {"retry", {{"max_attempts", 1}}}});
  const auto run = node.wait_for_state(id, "timed_out");
  const auto family = pids_in(pids);
  CHECK(family.size() == 4);
  CHECK(all_gone(family));  // not eventually: the record is written when they are gone
  CHECK(processes_with("BELFRY_RUN_ID", id).empty());
  CHECK(attempt_of(run, 0).at("outcome") == "timed_out");
  CHECK(attempt_of(run, 0).at("failure_class") == "timeout");
  CHECK(attempt_of(run, 0).at("stopped_with") == "KILL");
  CHECK(attempt_of(run, 0).at("message").get<std::string>().find("700ms") != std::string::npos);
  const auto took = between_ms(attempt_of(run, 0).at("started_at"), attempt_of(run, 0).at("ended_at"));
  CHECK(took >= 1000);
  CHECK(took < 6000);
}

TEST_CASE("process: who listens to TERM is not killed", "[e2e][http][process]") {
  auto& node = shared_node();
  const auto id = node.submit_shell("trap 'echo goodbye; exit 0' TERM; sleep 60 & wait",
                                    {{"timeout", "400ms"}, {"retry", {{"max_attempts", 1}}}});
  const auto run = node.wait_for_state(id, "timed_out");
  CHECK(attempt_of(run, 0).at("stopped_with") == "TERM");
  CHECK(node.output(id) == "goodbye");
  CHECK(between_ms(attempt_of(run, 0).at("started_at"), attempt_of(run, 0).at("ended_at")) < 4000);
}

TEST_CASE("process: a timeout is tried again like any failure, and counted as its own",
          "[e2e][http][process]") {
  auto& node = shared_node();
  const auto id = node.submit_shell("test $BELFRY_ATTEMPT = 2 || sleep 60",
                                    {{"timeout", "400ms"}, {"retry", {{"base", "10ms"}}}});
  const auto run = node.wait_for_state(id, "succeeded");
  REQUIRE(run.at("attempts").size() == 2);
  CHECK(attempt_of(run, 0).at("outcome") == "timed_out");
}

TEST_CASE("process: what ends with its leader's end leaves no child behind", "[e2e][http][process]") {
  auto& node = shared_node();
  const scratch_folder folder;
  const auto pids = folder / "pids";
  // The second one has left the group and is found by the pipe that it holds.
  const auto id =
      node.submit_shell("sleep 300 & echo $! >> " + pids + "; setsid sleep 300 & echo $! >> " + pids);
  CHECK(node.wait_finished(id).at("state") == "succeeded");
  CHECK(pids_in(pids).size() == 2);
  CHECK(all_gone(pids_in(pids)));
  CHECK(processes_with("BELFRY_RUN_ID", id).empty());
}

TEST_CASE("process: cancel ends a waiting run at once and a running one with its processes",
          "[e2e][http][process]") {
  auto& node = shared_node();
  const auto later = node.submit_shell("true", {{"delay", "1h"}});
  CHECK(node.http().post_json("/v1/runs/" + later + ":cancel", {{"reason", "changed my mind"}}).at("state") ==
        "cancelled");
  const auto waiting = node.run(later);
  CHECK(waiting.at("attempts").empty());
  CHECK(waiting.at("reason") == "changed my mind");

  const auto id = node.submit_shell("sleep 300 & sleep 300; true");
  node.wait_for_state(id, "running");
  REQUIRE(eventually([&] { return processes_with("BELFRY_RUN_ID", id).size() >= 2; }));
  const auto asked = node.http().post_json("/v1/runs/" + id + ":cancel", json::object());
  CHECK((asked.at("cancel_requested") == true || asked.at("state") == "cancelled"));
  const auto run = node.wait_for_state(id, "cancelled");
  CHECK(processes_with("BELFRY_RUN_ID", id).empty());
  CHECK(attempt_of(run, 0).at("outcome") == "cancelled");
  CHECK(attempt_of(run, 0).at("failure_class") == "cancelled");
  CHECK(attempt_of(run, 0).at("stopped_with") == "TERM");
  // Asked again it is so already; what has ended otherwise cannot be cancelled.
  CHECK(node.http().post("/v1/runs/" + id + ":cancel").status == 200);
  const auto done = node.submit_shell("true");
  node.wait_finished(done);
  const auto too_late = node.http().post("/v1/runs/" + done + ":cancel");
  CHECK(too_late.status == 409);
  CHECK(too_late.code() == "invalid_transition");
}

TEST_CASE("process: of too much output the end is kept, and that is said", "[e2e][http][process]") {
  auto& node = shared_node();
  const auto id =
      node.submit_shell("i=0; head -c 3000000 /dev/zero | tr '\\0' x | fold -w 99; echo; echo THE END");
  const auto run = node.wait_finished(id, 30s);
  CHECK(run.at("state") == "succeeded");
  CHECK(attempt_of(run, 0).at("output_truncated") == true);
  CHECK(attempt_of(run, 0).at("output_bytes").get<std::int64_t>() > 3'000'000);
  std::size_t kept = 0;
  std::string after, last;
  bool marked = false;
  std::uint64_t dropped = 0, number = 0, first_number = 0;
  for (bool first = true;; first = false) {
    const auto page = node.http().get_json("/v1/runs/" + id + "/logs?limit=1000" +
                                           (after.empty() ? "" : "&after=" + after));
    if (first) dropped = page.at("dropped_lines").get<std::uint64_t>();
    for (const auto& line : page.at("lines")) {
      kept += line.at("text").get<std::string>().size() + 1;
      last = line.at("text").get<std::string>();
      const auto n = line.at("number").get<std::uint64_t>();
      marked = marked || last.find("bytes dropped") != std::string::npos;
      if (first_number == 0) first_number = n;
      CHECK(n > number);
      number = n;
    }
    if (page.at("next_after").is_null()) break;
    after = page.at("next_after").get<std::string>();
  }
  CHECK(last == "THE END");
  CHECK(kept <= (1U << 20) + 16 * 1024);
  CHECK(kept > (1U << 20) / 2);
  // What came faster than it could be stored is missing where a line says so, the rest at the beginning.
  CHECK(dropped == first_number - 1);
  CHECK((dropped > 0 || marked));
}

TEST_CASE("process: any bytes at all come out as valid text", "[e2e][http][process]") {
  auto& node = shared_node();
  const auto id = node.submit_shell(
      "printf 'a\\377\\376b\\000c\\033[31m\\n'; printf '\\303'; printf '\\251\\n' ; printf '\\303' >&2");
  CHECK(node.wait_finished(id).at("state") == "succeeded");
  const auto lines = node.log_lines(id);  // it parses, so it is UTF-8
  REQUIRE(lines.size() == 3);
  const auto out = node.output(id);
  CHECK(
      out.starts_with("a\xEF\xBF\xBD\xEF\xBF\xBD"
                      "b"));
  CHECK(out.find("\xC3\xA9") != std::string::npos);  // one character in two writes
  CHECK(node.output(id, "stderr") == "\xEF\xBF\xBD");
}

TEST_CASE("process: stdout and stderr are told apart, in the order in which they came",
          "[e2e][http][process]") {
  auto& node = shared_node();
  const auto id = node.submit_shell("echo one; echo two >&2; sleep 0.1; echo three");
  node.wait_finished(id);
  CHECK(node.output(id) == "one\nthree");
  CHECK(node.output(id, "stderr") == "two");
  const auto lines = node.log_lines(id);
  CHECK(lines.back().at("text") == "three");
  CHECK(lines.back().at("at").get<std::string>() > lines.front().at("at").get<std::string>());
}

TEST_CASE("process: what it used is on record", "[e2e][http][process]") {
  auto& node = shared_node();
  const auto id = node.submit_shell("i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done");
  const auto run = node.wait_finished(id, 30s);
  const auto a = attempt_of(run, 0);
  CHECK(a.at("user_cpu_ms").get<std::int64_t>() + a.at("system_cpu_ms").get<std::int64_t>() >= 20);
  CHECK(a.at("peak_memory_bytes").get<std::int64_t>() > 100'000);
  CHECK(a.at("execution_ms").get<std::int64_t>() >= 20);
  CHECK(run.at("total_ms").get<std::int64_t>() >= a.at("execution_ms").get<std::int64_t>());
}

TEST_CASE("process: resource limits are in force, and one that is reached is told", "[e2e][http][process]") {
  auto& node = shared_node();
  const auto asked =
      node.submit_shell("ulimit -t; ulimit -v; ulimit -n",
                        {{"handler", {{"limits", {{"cpu", "7s"}, {"memory", "256MiB"}, {"files", 99}}}}}});
  node.wait_finished(asked);
  CHECK(node.output(asked) == "7\n262144\n99");
  const auto busy = node.submit_shell(
      "while :; do :; done", {{"handler", {{"limits", {{"cpu", "1s"}}}}}, {"retry", {{"max_attempts", 1}}}});
  const auto run = node.wait_finished(busy, 30s);
  CHECK(run.at("state") == "failed");
  CHECK(run.at("failure_class") == "resource");
  CHECK(attempt_of(run, 0).at("signal") == 24);
}

TEST_CASE("process: the hook runs once after the end, as a run of its own, and cannot change the outcome",
          "[e2e][http][process]") {
  auto& node = shared_node();
  const scratch_folder folder;
  const auto file = folder / "told";
  const auto name = fresh_name("hooked");
  const json hook = {
      {"kind", "process"},
      {"shell",
       "echo \"$BELFRY_HOOK_RUN_ID $BELFRY_HOOK_RUN_NAME $BELFRY_HOOK_STATE $BELFRY_HOOK_ATTEMPT\" >> " +
           file}};
  const auto good = node.submit_shell("true", {{"name", name}, {"on_end", hook}});
  node.wait_for_state(good, "succeeded");
  const auto hooks = [&](const std::string& of) {
    return node.http().get_json("/v1/runs?q=" + of + ".hook").at("runs");
  };
  REQUIRE(
      eventually([&] { return hooks(name).size() == 1 && hooks(name).at(0).at("state") == "succeeded"; }));
  CHECK(hooks(name).at(0).at("parent_id") == good);
  CHECK(read_text(file) == good + " " + name + " succeeded 1\n");

  // After the last attempt and not before; a hook that fails is a failure of its own.
  const auto bad = fresh_name("bad");
  const auto failing = node.submit_shell(
      "exit 1", {{"name", bad},
                 {"retry", {{"max_attempts", 2}, {"base", "10ms"}}},
                 {"on_end", {{"kind", "process"}, {"shell", "exit 9"}, {"retryable_codes", {1}}}}});
  node.wait_for_state(failing, "failed");
  REQUIRE(eventually([&] { return hooks(bad).size() == 1 && hooks(bad).at(0).at("state") == "failed"; }));
  CHECK(node.run(failing).at("state") == "failed");
  CHECK(node.run(failing).at("reason") == "exit code 1");
}

}  // namespace belfry::test
