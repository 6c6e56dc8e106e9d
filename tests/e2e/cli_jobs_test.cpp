// Jobs on the command line: definitions, triggers, overlap, apply with its plan, export and import.
#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/e2e/cli.hpp"

namespace belfry::test {

TEST_CASE("cli: a job from its creation to its archive", "[e2e][cli][jobs]") {
  const cli belfry(shared_node());
  const auto name = fresh_name("report");
  const auto made = belfry({"job", "create", "--name", name, "--description", "what it is for", "--timeout",
                            "1m", "--shell", "echo revision one"});
  CHECK(made.exit_code == 0);
  CHECK(has(made.out, "job " + name + " created, revision 1"));
  CHECK(belfry({"job", "create", "--name", name, "--", "true"}).exit_code == 6);
  CHECK(has(belfry({"job", "list", "--name-has", name}).out, "what it is for"));
  CHECK(belfry({"job", "trigger", name, "--follow", "--wait"}).out == "revision one\n");
  CHECK(has(belfry({"job", "edit", name, "--timeout", "2m"}).out, "replaced, revision 2"));
  const auto job = belfry.doc({"job", "show", name});
  CHECK(job.at("revision") == 2);
  CHECK(job.at("definition").at("timeout") == "2m");
  CHECK(job.at("definition").at("handler").at("shell") == "echo revision one");
  CHECK(belfry({"job", "edit", name}).exit_code == 2);
  CHECK(has(belfry({"job", "replace", name, "--shell", "echo revision three"}).out, "replaced, revision 3"));
  CHECK(has(belfry({"job", "replace", name, "--shell", "echo revision three"}).out, "unchanged, revision 3"));
  CHECK(has(belfry({"job", "pause", name, "--text", "until monday"}).out, "paused"));
  CHECK(has(belfry({"job", "show", name}).out, "until monday"));
  const auto refused = belfry({"job", "trigger", name});
  CHECK(refused.exit_code == 6);
  CHECK(has(refused.err, "paused"));
  CHECK(belfry({"job", "trigger", name, "--force", "--wait"}).exit_code == 0);
  CHECK(has(belfry({"job", "resume", name}).out, "resumed"));
  CHECK(has(belfry({"job", "duplicate", name, name + "-copy"}).out, "created, paused"));
  CHECK(belfry.doc({"job", "show", name + "-copy"}).at("state") == "paused");
  CHECK(belfry.doc({"job", "runs", name}).at("runs").size() == 2);
  CHECK(belfry.doc({"ls", "--job", name}).at("runs").size() == 2);
  CHECK(has(belfry({"job", "delete", name, name + "-copy"}).out, "archived"));
  CHECK_FALSE(has(belfry({"job", "list", "--all", "-o", "name"}).out, name + "\n"));
  CHECK(belfry.doc({"ls", "--all", "--name-has", name}).at("runs").size() == 2);
}

TEST_CASE("cli: a trigger that meets an open run is recorded as skipped, unless forced", "[e2e][cli][jobs]") {
  const cli belfry(shared_node());
  const auto name = fresh_name("long-one");
  belfry.line({"job", "create", "--name", name, "--shell", "sleep 60"});
  const auto first = belfry.line({"job", "trigger", name});
  shared_node().wait_for_state(first, "running");
  const auto second = belfry({"job", "trigger", name});
  CHECK(second.exit_code == 0);
  CHECK(has(second.err, "belfry: skipped: "));
  const auto run = belfry.doc({"show", first_line(second.out)});
  CHECK(run.at("state") == "skipped");
  CHECK_FALSE(run.at("reason").get<std::string>().empty());
  const auto forced = belfry.line({"job", "trigger", name, "--force"});
  CHECK(belfry.doc({"show", forced}).at("state") != "skipped");
  belfry({"cancel", "--job", name, "--yes"});
  CHECK(belfry({"wait", first, forced}).exit_code == 3);
}

TEST_CASE("cli: apply shows what it would do, does it, and then there is nothing left to do",
          "[e2e][cli][apply]") {
  real_node node{{.executors = 2}};
  const cli belfry(node);
  const scratch_folder folder;
  const auto file = folder / "jobs.toml";
  write_text(file,
             "[[job]]\nname = \"alpha\"\nshell = \"echo alpha\"\n\n[[job]]\nname = \"beta\"\nargv = "
             "[\"true\"]\ntimeout = \"1m\"\n");
  auto plan = belfry({"apply", file, "--dry-run"});
  CHECK(plan.exit_code == 0);
  CHECK(has(plan.out, "+ job alpha\n+ job beta\n"));
  CHECK(has(plan.out, "plan: 2 to create"));
  CHECK(belfry({"job", "list", "-o", "name"}).out.empty());
  CHECK(has(belfry({"apply", file}).out, "done: 2 created, 0 replaced"));
  CHECK(has(belfry({"apply", file}).out, "= job alpha\n= job beta\n"));
  CHECK(belfry.doc({"job", "show", "alpha"}).at("revision") == 1);

  write_text(file,
             "[[job]]\nname = \"beta\"\nargv = [\"true\"]\ntimeout = \"2m\"\nretries = 1\n[[job]]\nname = "
             "\"gamma\"\nargv = [\"true\"]\n");
  plan = belfry({"apply", file, "--dry-run", "--prune"});
  CHECK(has(plan.out, "~ job beta\n    retry.max_attempts: (default) -> 2\n    timeout: \"1m\" -> \"2m\"\n"));
  CHECK(has(plan.out, "+ job gamma\n"));
  CHECK(has(plan.out, "- job alpha\n"));
  const auto unconfirmed = belfry({"apply", file, "--prune"});
  CHECK(unconfirmed.exit_code == 2);
  CHECK(has(unconfirmed.err, "- job alpha"));
  CHECK(belfry.doc({"job", "show", "beta"}).at("revision") == 1);
  // A job that no file made is none of apply's business.
  belfry.line({"job", "create", "--name", "by-hand", "--", "true"});
  const auto done = belfry.doc({"apply", file, "--prune", "--yes", "--trigger"});
  CHECK(done.at("dry_run") == false);
  REQUIRE(done.at("plan").size() == 3);
  CHECK(done.at("plan").at(0).at("action") == "replace");
  CHECK(done.at("plan").at(0).at("changes").at(1).at("path") == "timeout");
  CHECK(done.at("plan").at(2).at("action") == "archive");
  CHECK(belfry({"wait", done.at("plan").at(0).at("triggered").get<std::string>()}).exit_code == 0);
  CHECK(belfry({"job", "list", "-o", "name"}).out.find("by-hand") != std::string::npos);
  CHECK_FALSE(has(belfry({"job", "list", "-o", "name"}).out, "alpha"));
}

TEST_CASE("cli: runs in a file are submitted each time, or once", "[e2e][cli][apply]") {
  real_node node{{.executors = 2}};
  const cli belfry(node);
  const scratch_folder folder;
  write_text(folder / "runs.toml",
             "[[run]]\nname = \"many\"\nargv = [\"true\"]\ntimes = 3\n[[run]]\nname = \"single\"\nshell = "
             "\"true\"\nonce = \"migration-7\"\n");
  CHECK(has(belfry({"apply", folder / "runs.toml"}).out,
            "> run many (3 times)\n> run single once as migration-7\n"));
  CHECK(belfry({"apply", folder / "runs.toml"}).exit_code == 0);
  CHECK(belfry({"apply", folder / "runs.toml", "--no-runs"}).exit_code == 0);
  CHECK(belfry.doc({"ls", "--name-has", "many"}).at("runs").size() == 6);
  CHECK(belfry.doc({"ls", "--name-has", "single"}).at("runs").size() == 1);
}

TEST_CASE("cli: a folder with mistakes changes nothing and tells all of them", "[e2e][cli][apply]") {
  real_node node{{.executors = 0}};
  const cli belfry(node);
  const scratch_folder folder;
  write_text(folder / "a.toml",
             "[[job]]\nname = \"fine\"\nargv = [\"true\"]\n[[job]]\nname = \"bad\"\nargv = "
             "[\"true\"]\ntimeout = \"soon\"\n");
  write_text(folder / "b.json", "{\"job\":[{\"name\":\"worse\",\"timeout\":7}],\n\"jbo\":[]}");
  const auto end = belfry({"apply", folder.path()});
  CHECK(end.exit_code == 2);
  CHECK(has(end.err, folder / "a.toml:7:1: job bad: /timeout"));
  CHECK(has(end.err, folder / "b.json:1:"));
  CHECK(has(end.err, folder / "b.json:2:"));
  CHECK(belfry({"job", "list", "-o", "name"}).out.empty());
  CHECK(belfry({"apply", "/no/such/folder"}).exit_code == 2);
}

TEST_CASE("cli: what is exported can be imported by another node, and importing it again changes nothing",
          "[e2e][cli][transfer]") {
  real_node one{{.executors = 0}}, other{{.executors = 0}};
  const cli from(one), to(other);
  const scratch_folder folder;
  const auto file = folder / "jobs.jsonl";
  from.line({"job",
             "create",
             "--name",
             "with-everything",
             "--timeout",
             "90s",
             "--retries",
             "2",
             "--tag",
             "a",
             "--env",
             "SECRET=x y",
             "--payload",
             R"({"n":1.50})",
             "--overlap",
             "allow",
             "--max-concurrent",
             "4",
             "--on-end",
             "echo done",
             "--memory",
             "64MiB",
             "--",
             "echo",
             "ä \"quoted\""});
  from.line({"job", "create", "--name", "paused-one", "--paused", "--shell", "true"});
  CHECK(from({"export", "--to", file}).exit_code == 0);
  const auto plan = to({"import", file, "--dry-run"});
  CHECK(has(plan.out, "created job with-everything"));
  CHECK(to({"job", "list", "-o", "name"}).out.empty());
  CHECK(to({"import", file}).exit_code == 0);
  CHECK(to.doc({"job", "show", "with-everything"}).at("definition") ==
        from.doc({"job", "show", "with-everything"}).at("definition"));
  CHECK(to.doc({"job", "show", "paused-one"}).at("state") == "paused");
  CHECK(has(to({"import", file}).out, "unchanged job with-everything"));
  CHECK(to.shell("belfry export | belfry import -").exit_code == 0);
  write_text(file, read_text(file) + "{\"kind\":\"job\",\"definition\":{\"nme\":\"x\"}}\n");
  const auto bad = to({"import", file});
  CHECK(bad.exit_code == 2);
  CHECK(has(bad.err, "jobs.jsonl:3: "));
}

TEST_CASE("cli: the examples do what their comments say", "[e2e][cli][examples]") {
  real_node node{{.executors = 6}};
  cli belfry(node);
  const scratch_folder folder;
  const auto start = run_program({"examples/start", node.url()}, 60s,
                                 {{"BELFRY_BINARY", belfry_binary()}, {"BELFRY_CONFIG", "/dev/null"}});
  INFO(start.out << start.err);
  REQUIRE(start.exit_code == 0);
  CHECK(has(start.out, "done: 5 created"));
  for (const auto* name : {"disk-report", "rotate-logs", "flaky", "word-count"}) {
    INFO(name << "\n" << belfry({"show", name}).out << belfry({"logs", name}).out);
    CHECK(belfry({"wait", name, "--timeout", "60s"}).exit_code == 0);
  }
  CHECK(belfry({"wait", "too-slow", "--timeout", "60s"}).exit_code == 3);
  const auto flaky = belfry.doc({"show", "flaky"});
  CHECK(flaky.at("attempts").size() == 3);
  const auto slow = belfry.doc({"show", "too-slow"});
  CHECK(slow.at("state") == "timed_out");
  CHECK(slow.at("attempts").at(0).at("stopped_with") == "KILL");
  CHECK(processes_with("BELFRY_RUN_ID", slow.at("id").get<std::string>()).empty());
  CHECK(belfry({"dead", "-o", "name"}).out == slow.at("id").get<std::string>() + "\n");
  CHECK(has(belfry({"logs", "rotate-logs"}).out, "1 rotated"));
  const auto sums = belfry.doc({"ls", "--tag", "checksums"});
  REQUIRE(sums.at("runs").size() == 10);
  CHECK(belfry({"wait", "checksum-1", "checksum-10"}).exit_code == 0);
  CHECK(has(belfry({"logs", "checksum-1"}).out, "/bin/sh"));
  // Started twice, it changes no job.
  CHECK(has(run_program({"examples/start", node.url()}, 60s, {{"BELFRY_BINARY", belfry_binary()}}).out,
            "5 unchanged"));
}

TEST_CASE("cli: a job is explained: what a trigger would do, what waits, how the last one ended",
          "[e2e][cli][job]") {
  real_node node{{.executors = 0}};
  const cli belfry(node);
  belfry.line({"job", "create", "--name", "nightly", "--shell", "true"});
  const auto now = [&] { return belfry.doc({"job", "explain", "nightly"}); };
  CHECK(now().at("trigger").at("code") == "made");
  CHECK(now().at("last").is_null());
  const auto run = belfry.line({"job", "trigger", "nightly", "-o", "name"});
  CHECK(now().at("trigger").at("code") == "overlap_skip");
  const auto open = now().at("open");
  REQUIRE(open.size() == 1);
  CHECK(open.at(0).at("run_id") == run);
  CHECK(open.at(0).at("reasons").at(0).at("code") == "no_capable_session");
  // What it says is what happens.
  CHECK(belfry.doc({"show", belfry.line({"job", "trigger", "nightly", "-o", "name"})}).at("state") ==
        "skipped");
  CHECK(now().at("last").at("state") == "skipped");
  const auto text = belfry({"job", "explain", "nightly"}).out;
  CHECK(has(text, "a trigger is recorded as skipped"));
  CHECK(has(text, "belfry job trigger nightly --force"));
  CHECK(has(text, "no_capable_session"));
  belfry.line({"cancel", run});
  belfry.line({"job", "pause", "nightly", "--text", "holiday"});
  CHECK(now().at("trigger").at("code") == "job_paused");
  CHECK(now().at("open").empty());
  CHECK(belfry({"job", "explain", "nobody"}).exit_code == 5);
}

}  // namespace belfry::test
