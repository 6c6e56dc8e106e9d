// What scripts rely on: completion, stable JSON, quiet pipes, and that every operation of the API has its
// command.
#include <catch2/catch.hpp>
#include <map>
#include <sstream>

#include "app/commands/all.hpp"
#include "tests/e2e/cli.hpp"

namespace belfry::test {
namespace {

// "a:number b:text[] …": names and types, sorted, of a JSON value. Null fits every type, so it is told as
// such.
std::string shape_of(const json& value) {
  if (value.is_object()) {
    std::string out;
    for (const auto& [key, member] : value.items())
      out += (out.empty() ? "" : " ") + key + ":" +
             (member.is_object() ? "{" + shape_of(member) + "}" : shape_of(member));
    return out;
  }
  if (value.is_array())
    return value.empty()
               ? "[]"
               : "[" + (value.at(0).is_object() ? "{" + shape_of(value.at(0)) + "}" : shape_of(value.at(0))) +
                     "]";
  if (value.is_number()) return "number";
  if (value.is_boolean()) return "truth";
  return value.is_null() ? "null" : "text";
}

}  // namespace

TEST_CASE("cli: -o json keeps its shape", "[e2e][cli][schema]") {
  real_node node{{.executors = 1}};
  const cli belfry(node);
  const auto id = belfry.line({"submit", "-w", "--name", "shape", "--tag", "t", "--", "sleep", "0.2"});
  const std::string head =
      "attempt:number attempts_used:number batch_id:null cancel_requested:truth concurrency_key:null "
      "created_at:text created_by:text dead_letter:truth "
      "discarded:truth due_at:null eligible_since:text ended_at:text failure_class:null fencing:number "
      "id:text job_id:null job_revision:null lane:text lease:null "
      "losses:number manual:truth name:text parent_id:null predecessor_id:null priority:text progress:number "
      "progress_text:null reason:null state:text "
      "successor_id:null tags:[text] timeout_ms:number workspace:text";
  CHECK(shape_of(belfry.doc({"ls"})) == "next_cursor:null runs:[{" + head + "}]");
  const auto run = belfry.doc({"show", id});
  CHECK(shape_of(run.at("attempts")) ==
        "[{claimed_at:text ended_at:text execution_ms:number exit_code:number failure_class:null "
        "fencing:number message:null number:number outcome:text "
        "output_bytes:number output_truncated:truth peak_memory_bytes:number result:null session_id:text "
        "session_name:text signal:null started_at:text "
        "stopped_with:null system_cpu_ms:number user_cpu_ms:number}]");
  for (const auto& part :
       {"handler", "retry", "queue_ms", "execution_ms", "total_ms", "waiting_for", "position", "eta_ms",
        "eta_basis", "payload", "metadata", "result", "late_writes", "grace_ms"})
    CHECK(run.contains(part));
  CHECK(shape_of(belfry.doc({"submit", "--", "true"})) ==
        "batch_id:null created:truth created_at:text due_at:null id:text job_id:null name:text "
        "predecessor_id:null priority:text reason:null state:text warnings:[]");
  belfry.line({"job", "create", "--name", "j", "--", "true"});
  CHECK(shape_of(belfry.doc({"job", "list"})) ==
        "jobs:[{checks_skipped_by:null created_at:text created_by:text description:text ending:truth "
        "fired:number "
        "id:text name:text next_at:null pauses:[] revision:number schedule:null "
        "source:text state:text succeeded:null triggered:number updated_at:text}] "
        "next_cursor:null");
  CHECK(shape_of(belfry.doc({"events", "-n", "1"})) ==
        "events:[{actor:text at:text attempt:number fencing:number job_id:text kind:text run_id:null "
        "seq:number text:text}]");
  CHECK(shape_of(belfry.doc({"logs", id})) == "lines:[]");
  CHECK(shape_of(belfry.doc({"limits", "show"})) ==
        "fire_window:text fires:number fires_per_workspace:number global:number per_agent_type:number "
        "per_batch:number per_lane:number");
  CHECK(shape_of(belfry.doc({"version"})) == "version:text");
  // jsonl is one object a line, name one word a line, and nothing else on stdout.
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"ls"}, {"job", "list"}, {"session", "list"}, {"events"}, {"config", "show"}}) {
    auto lines = words;
    lines.insert(lines.end(), {"-o", "jsonl"});
    std::istringstream in(belfry(lines).out);
    std::size_t count = 0;
    for (std::string line; std::getline(in, line); ++count) CHECK(json::parse(line).is_object());
    CHECK(count > 0);
  }
}

TEST_CASE("cli: no colours in a pipe, and a reader who leaves is no error that is told", "[e2e][cli]") {
  cli belfry(shared_node());
  for (int i = 0; i < 3; ++i) belfry.line({"submit", "--", "true"});
  CHECK_FALSE(has(belfry({"ls"}).out, "\x1b"));
  CHECK_FALSE(has(belfry({"status"}).out, "\x1b"));
  const auto piped = belfry.shell("belfry ls --all -o jsonl | head -n 1 | wc -l; echo ${PIPESTATUS[0]}");
  CHECK(has(piped.out, "1\n"));
  CHECK(piped.err.empty());
  // On a terminal there are colours, unless NO_COLOR says no. script(1) makes the terminal.
  const auto on_terminal = [&](const std::string& setting) {
    return belfry.shell("export TERM=xterm COLUMNS=60; " + setting + " script -qec 'belfry ls' /dev/null")
        .out;
  };
  CHECK(has(on_terminal(""), "\x1b["));
  CHECK_FALSE(has(on_terminal("NO_COLOR=1"), "\x1b["));
  CHECK_FALSE(has(on_terminal("TERM=dumb"), "\x1b["));
}

TEST_CASE("cli: completion scripts are scripts, and complete commands, options and ids",
          "[e2e][cli][completion]") {
  real_node node{{.executors = 0}};
  const cli belfry(node);
  belfry.line({"job", "create", "--name", "nightly-backup", "--", "true"});
  const auto id = belfry.line({"submit", "--", "true"});
  CHECK(belfry.shell("belfry completion bash | bash -n").exit_code == 0);
  for (const auto* shell : {"zsh", "fish"}) {
    const auto script = belfry({"completion", shell});
    CHECK(script.exit_code == 0);
    CHECK(has(script.out, "belfry"));
    CHECK(belfry
              .shell("command -v " + std::string(shell) + " > /dev/null || exit 0; belfry completion " +
                     shell + " | " + shell + " -n")
              .exit_code == 0);
  }
  // As bash calls it: the words so far, and the place of the cursor.
  const auto completed = [&](const std::string& words, int at) {
    return " " + belfry
                     .shell("source <(belfry completion bash); COMP_WORDS=(" + words +
                            "); COMP_CWORD=" + std::to_string(at) + "; _belfry; echo \" ${COMPREPLY[*]} \"")
                     .out;
  };
  CHECK(has(completed("belfry su", 1), " submit "));
  CHECK(has(completed("belfry job tr", 2), " trigger "));
  CHECK(has(completed("belfry submit --pri", 2), " --priority "));
  CHECK(has(completed("belfry submit --priority hi", 3), " high "));
  CHECK(has(completed("belfry ls --state ret", 3), " retrying "));
  CHECK(has(completed("belfry ls -o js", 3), " json jsonl "));
  CHECK(has(completed("belfry job show ni", 3), " nightly-backup "));
  CHECK(has(completed("belfry show " + id.substr(0, 8), 2), " " + id + " "));
  CHECK(has(completed("belfry completion z", 2), " zsh "));
  CHECK(cli("http://127.0.0.1:1")({"__complete", "runs"}).exit_code == 0);
}

TEST_CASE("cli: every operation of the API has its command", "[e2e][cli][openapi]") {
  const std::map<std::string, std::string> commands{{"submit_run", "run submit"},
                                                    {"submit_batch", "run submit"},
                                                    {"list_runs", "run list"},
                                                    {"get_run", "run show"},
                                                    {"list_dead_letters", "run dead"},
                                                    {"list_runs_of_job", "job runs"},
                                                    {"get_logs", "run logs"},
                                                    {"list_events", "events"},
                                                    {"list_events_of_run", "events"},
                                                    {"emit_event", "events emit"},
                                                    {"list_event_triggers", "events triggers"},
                                                    {"cancel_run", "run cancel"},
                                                    {"explain_run", "run explain"},
                                                    {"explain_job", "job explain"},
                                                    {"force_release_run", "run force-release"},
                                                    {"force_fail_run", "run force-fail"},
                                                    {"recover_run", "run recover"},
                                                    {"run_many_now", "run run-now"},
                                                    {"reprioritise_runs", "run priority"},
                                                    {"force_release_runs", "run force-release"},
                                                    {"force_fail_runs", "run force-fail"},
                                                    {"recover_runs", "run recover"},
                                                    {"reissue_leases", "session reissue"},
                                                    {"get_doctor", "doctor"},
                                                    {"run_now", "run run-now"},
                                                    {"reprioritise_run", "run priority"},
                                                    {"discard_run", "run discard"},
                                                    {"retry_run", "run retry"},
                                                    {"cancel_runs", "run cancel"},
                                                    {"retry_runs", "run retry"},
                                                    {"discard_runs", "run discard"},
                                                    {"get_batch", "batch show"},
                                                    {"cancel_batch", "batch cancel"},
                                                    {"create_job", "job create"},
                                                    {"list_jobs", "job list"},
                                                    {"get_job", "job show"},
                                                    {"put_job", "job replace"},
                                                    {"patch_job", "job edit"},
                                                    {"archive_job", "job delete"},
                                                    {"pause_job", "job pause"},
                                                    {"resume_job", "job resume"},
                                                    {"trigger_job", "job trigger"},
                                                    {"duplicate_job", "job duplicate"},
                                                    {"register_session", "session register"},
                                                    {"list_sessions", "session list"},
                                                    {"get_session", "session show"},
                                                    {"end_session", "session remove"},
                                                    {"claim", "claim"},
                                                    {"start_run", "run start"},
                                                    {"heartbeat", "run heartbeat"},
                                                    {"report_progress", "run progress"},
                                                    {"complete_run", "run complete"},
                                                    {"fail_run", "run fail"},
                                                    {"release_run", "run release"},
                                                    {"park_run", "run park"},
                                                    {"complete_runs", "api"},
                                                    {"heartbeat_runs", "api"},
                                                    {"store_checkpoint", "run checkpoint"},
                                                    {"write_log", "run log"},
                                                    {"adopt_result", "run adopt"},
                                                    {"heartbeat_session", "session heartbeat"},
                                                    {"drain_session", "session drain"},
                                                    {"resume_session", "session resume"},
                                                    {"explain_session", "session explain"},
                                                    {"list_wakes", "session wakes"},
                                                    {"acknowledge_wake", "session ack"},
                                                    {"acknowledge_wakes", "session wakes"},
                                                    {"wake_session", "session wake"},
                                                    {"get_root", "api"},
                                                    {"ping", "api"},
                                                    {"post_ping", "api"},
                                                    {"get_metrics_v1", "api"},
                                                    {"get_scheduler_status", "scheduler status"},
                                                    {"rebuild_scheduler", "scheduler rebuild"},
                                                    {"list_pauses", "scheduler pauses"},
                                                    {"pause_scheduler", "scheduler pause"},
                                                    {"report_throttle", "scheduler throttle"},
                                                    {"resume_scheduler", "scheduler resume"},
                                                    {"drain_scheduler", "scheduler drain"},
                                                    {"run_cycle", "scheduler cycle"},
                                                    {"get_cycle_statistics", "scheduler statistics"},
                                                    {"reset_cycle_statistics", "scheduler statistics"},
                                                    {"get_backlog", "scheduler backlog"},
                                                    {"put_limits", "limits set"},
                                                    {"get_statistics", "stats"},
                                                    {"get_node", "status"},
                                                    {"list_nodes", "node ls"},
                                                    {"get_cluster_node", "node show"},
                                                    {"drain_node", "node drain"},
                                                    {"resume_node", "node resume"},
                                                    {"remove_node", "node remove"},
                                                    {"readmit_node", "node readmit"},
                                                    {"get_config", "config show"},
                                                    {"get_health", "health"},
                                                    {"get_ready", "health"},
                                                    {"get_metrics", "metrics"},
                                                    {"export_jobs", "export"},
                                                    {"import_jobs", "import"},
                                                    {"list_handlers", "handler list"},
                                                    {"get_handler", "handler show"},
                                                    {"list_agent_types", "agent-type list"},
                                                    {"get_agent_type", "agent-type show"},
                                                    {"spawn_worker", "agent-type spawn"},
                                                    {"parse_schedule", "schedule parse"},
                                                    {"list_occurrences", "occurrences"},
                                                    {"list_timings", "timing ls"},
                                                    {"get_timing", "timing show"},
                                                    {"run_timing", "timing run"},
                                                    {"pause_timing", "timing pause"},
                                                    {"resume_timing", "timing resume"},
                                                    {"simulate_schedules", "simulate"},
                                                    {"list_calendars", "calendar ls"},
                                                    {"get_calendar", "calendar show"},
                                                    {"put_calendar", "calendar set"},
                                                    {"remove_calendar", "calendar rm"},
                                                    {"list_windows", "scheduler window ls"},
                                                    {"get_window", "scheduler window show"},
                                                    {"put_window", "scheduler window add"},
                                                    {"remove_window", "scheduler window rm"},
                                                    {"create_backup", "backup create"},
                                                    {"verify_store", "backup verify"},
                                                    {"run_retention", "retention run"},
                                                    {"get_openapi", "openapi"},
                                                    {"list_problems", "problem"},
                                                    {"get_problem", "problem"}};
  app::context ctx;
  app::command root("belfry", "belfry");
  app::declare_everything(root, ctx);
  const auto doc = cli(shared_node()).doc({"openapi"});
  std::size_t operations = 0;
  for (const auto& [path, methods] : doc.at("paths").items())
    for (const auto& [method, operation] : methods.items()) {
      if (!operation.is_object() || !operation.contains("operationId")) continue;
      ++operations;
      const auto known = commands.find(operation.at("operationId").get<std::string>());
      INFO(method << " " << path << " " << operation.at("operationId"));
      REQUIRE(known != commands.end());
      const app::command* at = &root;
      std::istringstream words(known->second);
      for (std::string word; words >> word && at != nullptr;) at = at->find(word);
      REQUIRE(at != nullptr);
      CHECK(at->body());
    }
  CHECK(operations >= 45);
}

}  // namespace belfry::test
