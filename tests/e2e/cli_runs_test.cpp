// Runs on the command line: submit, follow, wait, look, steer; and the exit codes of the table.
#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/e2e/cli.hpp"

namespace belfry::test {

TEST_CASE("cli: submit prints the id, and the run can be looked at by id, by its beginning and by name",
          "[e2e][cli]") {
  const cli belfry(shared_node());
  const auto name = fresh_name("looked-at");
  const auto id = belfry.line({"submit", "--name", name, "--tag", "cli", "--metadata", R"({"who":"test"})",
                               "--", "sh", "-c", "echo one; echo two >&2"});
  CHECK(id.rfind("run_", 0) == 0);
  CHECK(id.size() == 17);
  CHECK(belfry({"wait", id}).exit_code == 0);
  for (const auto& text : {id, id.substr(0, 16), name}) {
    const auto run = belfry.doc({"show", text});
    CHECK(run.at("id") == id);
    CHECK(run.at("state") == "succeeded");
    CHECK(run.at("tags") == json::array({"cli"}));
    CHECK(run.at("metadata").at("who") == "test");
    CHECK(has(run.at("created_by").get<std::string>(), "cli:"));
  }
  const auto page = belfry({"show", id});
  CHECK(has(page.out, "succeeded"));
  CHECK(has(page.out, "sh -c echo one; echo two >&2"));
  const auto logs = belfry({"logs", id});
  CHECK(logs.out == "one\n");
  CHECK(logs.err == "two\n");
  CHECK(has(belfry({"ls", "--tag", "cli", "--name-has", name}).out, id));
  CHECK(belfry.line({"ls", "--name-has", name, "-o", "name"}) == id);
}

TEST_CASE("cli: --follow and --wait stream to the right places and end with the code of the table",
          "[e2e][cli]") {
  const cli belfry(shared_node());
  const auto good = belfry({"submit", "--follow", "--wait", "--shell", "echo out; echo err >&2"});
  CHECK(good.exit_code == 0);
  CHECK(good.out == "out\n");
  CHECK(good.err == "err\n");
  const auto bad = belfry({"submit", "-f", "-w", "--retries", "0", "--shell", "echo before; exit 9"});
  CHECK(bad.exit_code == 3);
  CHECK(bad.out == "before\n");
  CHECK(has(bad.err, "failed"));
  CHECK(has(bad.err, "exit code 9"));
  // Every end that is not success is the same code: the work itself ended badly.
  CHECK(
      belfry({"submit", "--wait", "--retries", "0", "--timeout", "300ms", "--shell", "sleep 30"}).exit_code ==
      3);
  const auto typo = belfry({"submit", "--wait", "--", "/no/such/program"});
  CHECK(typo.exit_code == 2);
  for (const auto* part : {"/handler/argv/0", "/no/such/program", "--skip-checks"})
    CHECK(has(typo.err, part));
  CHECK(belfry({"submit", "--wait", "--skip-checks", "--", "/no/such/program"}).exit_code == 3);
  CHECK(has(belfry({"show", "program"}).out, "skipped by cli"));
  CHECK(belfry({"submit", "--dry-run", "--", "/no/such/program"}).exit_code == 2);
  const auto late =
      belfry({"submit", "--wait", "--wait-timeout", "200ms", "-o", "name", "--shell", "sleep 30"});
  CHECK(late.exit_code == 8);
  CHECK(has(late.err, "has not ended in time"));
  const auto id = late.err.substr(late.err.find("run_"), 17);
  CHECK(belfry({"wait", id, "--timeout", "100ms"}).exit_code == 8);
  CHECK(belfry({"logs", "-f", id, "--wait-timeout", "100ms"}).exit_code == 8);
  CHECK(belfry({"cancel", id, "--wait"}).exit_code == 0);
  const auto cancelled = belfry({"wait", id});
  CHECK(cancelled.exit_code == 3);
  CHECK(has(cancelled.out, "cancelled"));
}

TEST_CASE("cli: the work gets folder, environment, stdin and payload as they were given", "[e2e][cli]") {
  cli belfry(shared_node());
  const scratch_folder folder;
  std::filesystem::create_directory(folder / "here");
  const auto where = belfry.shell("cd " + shell_quoted(folder / "here") + " && belfry submit -f -w -- pwd");
  CHECK(where.out == (folder / "here") + "\n");
  CHECK(belfry.shell("cd " + shell_quoted(folder.path()) + " && belfry submit -f -w --cwd here -- pwd").out ==
        (folder / "here") + "\n");
  CHECK(
      belfry({"submit", "-f", "-w", "--env", "A=b=c d", "--env", "EMPTY=", "--shell", "echo \"$A[$EMPTY]\""})
          .out == "b=c d[]\n");
  belfry.variables = {{"PASSED_ON", "value of the caller"}};
  CHECK(belfry({"submit", "-f", "-w", "--env", "PASSED_ON", "--shell", "echo $PASSED_ON"}).out ==
        "value of the caller\n");
  CHECK(belfry.shell("printf 'a\\nb\\n' | belfry submit -f -w --stdin - -- cat -n").out ==
        "     1\ta\n     2\tb\n");
  write_text(folder / "in.txt", "from a file");
  CHECK(belfry({"submit", "-f", "-w", "--stdin", folder / "in.txt", "--", "cat"}).out == "from a file\n");
  CHECK(belfry({"submit", "-f", "-w", "--payload", R"({"a":[1,2.50,"x"]})", "--", "cat"}).out ==
        "{\"a\":[1,2.50,\"x\"]}\n");
  write_text(folder / "p.json", "{ \"b\": 1e400 }");
  CHECK(belfry({"submit", "-f", "-w", "--payload", "@" + (folder / "p.json"), "--", "cat"}).out ==
        "{\"b\":1e400}\n");
  CHECK(belfry({"submit", "-f", "-w", "--files", "32", "--shell", "ulimit -n"}).out == "32\n");
  CHECK(belfry({"submit", "-w", "--success-codes", "0,3-5", "--shell", "exit 4"}).exit_code == 0);
  // A pipe that breaks ends the program, as in any shell.
  CHECK(belfry({"submit", "-f", "-w", "--shell", "yes | head -n 1"}).out == "y\n");
}

TEST_CASE("cli: retries are attempts of one run, each with its output", "[e2e][cli]") {
  const cli belfry(shared_node());
  const auto name = fresh_name("third-time");
  const auto end = belfry({"submit", "--name", name, "-w", "--retries", "4", "--retry-delay", "50ms",
                           "--shell", "echo try $BELFRY_ATTEMPT; test $BELFRY_ATTEMPT = 3"});
  CHECK(end.exit_code == 0);
  const auto run = belfry.doc({"show", name});
  REQUIRE(run.at("attempts").size() == 3);
  CHECK(run.at("attempts").at(0).at("exit_code") == 1);
  CHECK(belfry({"logs", name}).out == "try 1\ntry 2\ntry 3\n");
  CHECK(belfry({"logs", name, "--attempt", "2"}).out == "try 2\n");
  CHECK(belfry({"logs", name, "--tail", "1"}).out == "try 3\n");
  CHECK(belfry({"logs", name, "-t", "--tail", "1"}).out.substr(0, 2) == "20");
  CHECK(json::parse(first_line(belfry({"logs", name, "-o", "jsonl"}).out)).at("text") == "try 1");
  CHECK(belfry.doc({"logs", name}).at("lines").size() == 3);
  CHECK(has(belfry({"show", name}).out, "succeeded"));
}

TEST_CASE("cli: a flood of output is cut, and both logs and show say so", "[e2e][cli]") {
  const cli belfry(shared_node());
  const auto id = belfry.line(
      {"submit", "-w", "--shell", "head -c 1600000 /dev/zero | tr '\\0' 'x' | fold -w 100; echo the end"});
  const auto logs = belfry({"logs", id});
  CHECK(logs.out.size() < 1'100'000);
  CHECK(logs.out.size() > 500'000);
  CHECK(has(logs.out, "the end\n"));
  CHECK(has(belfry({"show", id}).out, "only the end of the output is kept"));
}

TEST_CASE("cli: cancel, retry, discard, run-now and priority do what they say", "[e2e][cli]") {
  real_node node{{.executors = 1}};
  const cli belfry(node);
  const auto blocker = belfry.line({"submit", "--name", "blocker", "--shell", "sleep 60"});
  node.wait_for_state(blocker, "running");
  const auto waiting = belfry.line({"submit", "--name", "waiting", "--", "true"});
  CHECK(has(belfry({"priority", "urgent", waiting}).out, "priority urgent"));
  CHECK(belfry.doc({"show", waiting}).at("priority") == "urgent");
  CHECK(has(belfry({"cancel", "waiting", "--reason", "not now"}).out, "cancelled"));
  CHECK(belfry({"cancel", waiting}).exit_code == 0);  // it is what was asked for already
  const auto later = belfry.line({"submit", "--delay", "1h", "--", "true"});
  CHECK(belfry.doc({"show", later}).at("state") == "scheduled");
  CHECK(has(belfry({"run-now", later}).out, "queued"));
  CHECK(has(belfry({"cancel", blocker, "--wait"}).out, blocker));
  CHECK(belfry.doc({"show", blocker}).at("state") == "cancelled");
  CHECK(belfry({"wait", later}).exit_code == 0);

  const auto broken = belfry.line(
      {"submit", "--name", "broken", "--retries", "0", "--shell", "test -e " + node.data() + "/mended"});
  CHECK(belfry({"wait", broken}).exit_code == 3);
  CHECK(has(belfry({"dead"}).out, broken));
  CHECK(belfry({"dead", "-o", "name"}).out == broken + "\n");
  write_text(node.data() + "/mended", "");
  const auto retried = belfry({"retry", broken, "--wait"});
  CHECK(retried.exit_code == 0);
  CHECK(has(retried.out, broken + " -> run_"));
  CHECK(belfry({"retry", broken}).exit_code == 6);
  CHECK(belfry({"dead", "-o", "name"}).out.empty());
  const auto other = belfry.line({"submit", "--retries", "0", "--shell", "exit 1"});
  CHECK(belfry({"wait", other}).exit_code == 3);
  CHECK(has(belfry({"discard", other}).out, "discarded"));
  CHECK(belfry({"dead", "-o", "name"}).out.empty());
}

TEST_CASE("cli: a change by filter is shown first and needs to be confirmed", "[e2e][cli]") {
  real_node node{{.executors = 0}};
  const cli belfry(node);
  for (int i = 0; i < 5; ++i)
    belfry.line({"submit", "--lane", i < 3 ? "mail" : "files", "--tag", "bulk", "--", "true"});
  const auto plan = belfry({"cancel", "--lane", "mail", "--dry-run"});
  CHECK(plan.exit_code == 0);
  CHECK(has(plan.out, "would cancel 3 runs"));
  const auto refused = belfry({"cancel", "--lane", "mail"});
  CHECK(refused.exit_code == 2);
  CHECK(has(refused.err, "--yes"));
  CHECK(belfry.doc({"ls", "--state", "queued"}).at("runs").size() == 5);
  CHECK(belfry({"cancel", "--lane", "mail", "--yes", "-o", "name"}).exit_code == 0);
  CHECK(belfry.doc({"ls", "--state", "cancelled"}).at("runs").size() == 3);
  CHECK(has(belfry({"clear", "--dry-run"}).out, "2 runs"));
  CHECK(belfry({"clear", "--yes"}).exit_code == 0);
  CHECK(belfry({"ls", "-s", "queued", "-o", "name"}).out.empty());
  CHECK(belfry({"ls", "--all", "-o", "jsonl"}).out.size() > 100);
  CHECK(belfry({"cancel"}).exit_code == 2);
  CHECK(belfry({"cancel", "run_1", "--lane", "x"}).exit_code == 2);
}

TEST_CASE("cli: the same key submits once; the same key with other work is refused", "[e2e][cli]") {
  const cli belfry(shared_node());
  const auto key = fresh_name("key");
  const auto first = belfry.line({"submit", "--idempotency-key", key, "--name", "once", "--", "true"});
  CHECK(belfry.line({"submit", "--idempotency-key", key, "--name", "once", "--", "true"}) == first);
  const auto other = belfry({"submit", "--idempotency-key", key, "--name", "once", "--", "false"});
  CHECK(other.exit_code == 2 + 4);
  CHECK(has(other.err, "idempotency_mismatch"));
}

TEST_CASE("cli: a batch is all or nothing, and its mistakes have line numbers", "[e2e][cli]") {
  const cli belfry(shared_node());
  const scratch_folder folder;
  write_text(folder / "bad.jsonl",
             "# "
             "comment\n{\"handler\":{\"argv\":[\"true\"]}}\n{\"handler\":{\"argv\":[]},\"timeout\":\"soon\"}"
             "\n\nnot json\n");
  const auto bad = belfry({"submit", "--batch", folder / "bad.jsonl"});
  CHECK(bad.exit_code == 2);
  CHECK(has(bad.err, "bad.jsonl:3: /timeout"));
  CHECK(has(bad.err, "bad.jsonl:5: "));
  write_text(folder / "good.jsonl",
             "{\"name\":\"b1\",\"handler\":{\"argv\":[\"true\"]}}\n{\"name\":\"b2\",\"handler\":{\"argv\":["
             "\"true\"]}}");
  const auto batch = belfry.line({"submit", "--batch", folder / "good.jsonl", "--wait"});
  CHECK(batch.rfind("bat_", 0) == 0);
  CHECK(belfry.doc({"batch", "show", batch}).at("complete") == true);
  CHECK(belfry.doc({"ls", "--batch", batch}).at("runs").size() == 2);
  CHECK(has(belfry({"batch", "show", batch}).out, "2 of 2"));
  CHECK(has(belfry({"batch", "cancel", batch}).out, "0 runs"));
  write_text(folder / "ends-badly.jsonl",
             "{\"handler\":{\"argv\":[\"false\"]},\"retry\":{\"retries\":0}}\n{\"handler\":{\"argv\":["
             "\"true\"]}}\n");
  CHECK(belfry({"submit", "--batch", folder / "ends-badly.jsonl", "--wait"}).exit_code == 3);
}

TEST_CASE("cli: mistakes of a submission are told in the words of the flags, and nothing is submitted",
          "[e2e][cli]") {
  real_node node{{.executors = 0}};
  const cli belfry(node);
  struct row {
    std::vector<std::string> words;
    std::string says;
  };
  const std::vector<row> rows{
      {{"--timeout", "soon", "--", "x"}, "--timeout: "},
      {{"--timeout", "-5s", "--", "x"}, "--timeout"},
      {{"--retries", "-1", "--", "x"}, "--retries: "},
      {{"--retries", "many", "--", "x"}, "--retries"},
      {{"--retries", "99999999999999999999", "--", "x"}, "--retries"},
      {{"--priority", "asap", "--", "x"}, "--priority: "},
      {{"--memory", "lots", "--", "x"}, "--memory: "},
      {{"--cpu", "5", "--", "x"}, "--cpu: "},
      {{"--delay", "tomorrow", "--", "x"}, "--delay: "},
      {{"--not-before", "noon", "--", "x"}, "--not-before: "},
      {{"--id", "run_nonsense", "--", "x"}, "--id: "},
      {{"--env", "NO_SUCH_VARIABLE_HERE", "--", "x"}, "--env: "},
      {{"--env", "A=1", "--env", "A=2", "--", "x"}, "A is given twice"},
      {{"--payload", "{", "--", "x"}, "--payload is not JSON"},
      {{"--metadata", "[1]", "--", "x"}, "--metadata: "},
      {{"--stdin", "/no/such/file", "--", "x"}, "--stdin: '/no/such/file' cannot be read"},
      {{"--success-codes", "0-999", "--", "x"}, "--success-codes: "},
      {{"--shell", "true", "--", "x"}, "not both"},
      {{"--tag", std::string(200, 't'), "--", "x"}, "--tag: "},
      {{"--name", "two\nlines", "--", "x"}, "--name: "},
      {{"--backoff", "random", "--", "x"}, "--backoff: "},
      {{"--wait", "--wait-timeout", "x", "--", "true"}, "--wait-timeout: "},
      {{}, "there is nothing to run"},
      {{"echo", "hi"}, "put -- before the command"},
      {{"--nmae", "x", "--", "true"}, "did you mean --name?"},
      {{"-o", "xml", "--", "true"}, "xml"},
  };
  for (const auto& row : rows) {
    auto words = row.words;
    words.insert(words.begin(), "submit");
    const auto end = belfry(words);
    INFO(end.err);
    CHECK(end.exit_code == 2);
    CHECK(has(end.err, row.says));
    CHECK(end.out.empty());
  }
  // The one with --wait-timeout had been submitted already when it was read? No: everything is checked
  // before.
  CHECK(belfry({"ls", "-o", "name"}).out.empty());
  const auto plan = belfry({"submit", "--dry-run", "--cap", "gpu", "--", "true"});
  CHECK(plan.exit_code == 0);
  CHECK(has(plan.out, "warning"));
  CHECK(belfry({"ls", "-o", "name"}).out.empty());
}

TEST_CASE("cli: not found, unreachable and conflicts have their exit codes", "[e2e][cli]") {
  const cli belfry(shared_node());
  CHECK(belfry({"show", "run_00000000000ZZ"}).exit_code == 5);
  CHECK(belfry({"show", "no-such-name"}).exit_code == 5);
  CHECK(belfry({"logs", "no-such-name"}).exit_code == 5);
  CHECK(belfry({"job", "show", "no-such-job"}).exit_code == 5);
  CHECK(belfry({"batch", "show", "bat_00000000000ZZ"}).exit_code == 5);
  CHECK(belfry({"session", "show", "ses_00000000000ZZ"}).exit_code == 5);
  const auto away = cli("http://127.0.0.1:1")({"ls"});
  CHECK(away.exit_code == 7);
  CHECK(has(away.err, "belfry serve"));
  CHECK(cli("unix:/no/such.sock")({"status"}).exit_code == 7);
  CHECK(cli("gopher://x")({"status"}).exit_code == 2);
  const auto as_json = belfry({"show", "no-such-name", "-o", "json"});
  CHECK(as_json.out.empty());
  CHECK(json::parse(as_json.err).at("code") == "not_found");
  CHECK(belfry({"nonsense"}).exit_code == 2);
  CHECK(belfry({"job"}).exit_code == 2);
  CHECK(belfry({}).exit_code == 2);
  CHECK(belfry({"--help"}).exit_code == 0);
  CHECK(belfry({"submit", "--help"}).exit_code == 0);
}

TEST_CASE("cli: wait returns at any end, for all or for the first", "[e2e][cli]") {
  const cli belfry(shared_node());
  const auto quick = belfry.line({"submit", "--", "true"});
  const auto slow = belfry.line({"submit", "--shell", "sleep 60"});
  const auto first = belfry({"wait", "--any", slow, quick});
  CHECK(first.exit_code == 0);
  CHECK(first.out == quick + " succeeded\n");
  CHECK(belfry({"wait", slow, quick, "--timeout", "200ms"}).exit_code == 8);
  belfry({"cancel", slow});
  const auto both = belfry({"wait", slow, quick});
  CHECK(both.exit_code == 3);
  CHECK(has(both.out, quick + " succeeded\n"));
  CHECK(has(both.out, slow + " cancelled\n"));
}

}  // namespace belfry::test
