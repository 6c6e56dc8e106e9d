#include "api/openapi/schema.hpp"

namespace belfry::api {
namespace {

void add_problems(std::vector<schema>& all) {
  all.push_back({"Problem",
                 "RFC 9457; `type` is a page of this node",
                 {{"type", "text", "", true},
                  {"title", "text", "", true},
                  {"status", "int", "", true},
                  {"detail", "text", "", true},
                  {"instance", "text", "The request id", true},
                  {"code", "text", "Stable", true},
                  {"retryable", "bool", "The same request may succeed later", true},
                  {"errors", "[]@FieldProblem", "Every field at fault"},
                  {"command", "text", "That helps"}},
                 false,
                 {}});
  all.push_back({"FieldProblem",
                 "One field at fault",
                 {{"pointer", "text", "JSON pointer; ?name for the query, header:Name for a header"},
                  {"value", "text", "What was given, shortened"},
                  {"allowed", "text", "What would do"},
                  {"detail", "text", ""}},
                 false,
                 {}});
}

void add_jobs(std::vector<schema>& all) {
  all.push_back({"PauseReason",
                 "Why a job is held",
                 {{"reason", "text", ""},
                  {"owner", "text", "Who set it"},
                  {"text", "text", ""},
                  {"since", "time?", ""}},
                 false,
                 {}});
  all.push_back({"JobRow",
                 "A job in a list",
                 {{"id", "text", ""},
                  {"name", "text", ""},
                  {"description", "text", ""},
                  {"revision", "int", ""},
                  {"state", "active|paused|completed|archived", ""},
                  {"pauses", "[]@PauseReason", ""},
                  {"triggered", "int", "Runs made"},
                  {"source", "text", ""},
                  {"created_at", "time", ""},
                  {"updated_at", "time", ""},
                  {"created_by", "text", ""}},
                 false,
                 {}});
  all.push_back({"Job",
                 "A job",
                 {{"definition", "@JobDefinition", "In the shape in which it is submitted"}},
                 false,
                 "JobRow"});
  all.push_back({"JobResult",
                 "A job and what became of it; with dry_run only what would",
                 {{"result", "created|replaced|unchanged", ""}, {"dry_run", "bool", ""}},
                 false,
                 "Job"});
  all.push_back({"PlannedJob",
                 "What would be",
                 {{"dry_run", "bool", ""},
                  {"result", "created|replaced|unchanged", ""},
                  {"name", "text", ""},
                  {"definition", "@JobDefinition", ""}},
                 false,
                 {}});
  all.push_back(
      {"JobPage", "A page of jobs", {{"jobs", "[]@JobRow", ""}, {"next_cursor", "text?", ""}}, false, {}});
  all.push_back({"Triggered",
                 "The run; with count a list of them",
                 {{"items", "[]@TriggeredItem", ""}, {"succeeded", "int", ""}, {"failed", "int", ""}},
                 false,
                 "SubmittedRun"});
  all.push_back({"TriggeredItem",
                 "A run, or what is wrong",
                 {{"status", "error", ""},
                  {"code", "text", ""},
                  {"title", "text", ""},
                  {"detail", "text", ""},
                  {"retryable", "bool", ""},
                  {"errors", "[]@FieldProblem", ""},
                  {"command", "text", ""}},
                 false,
                 "SubmittedRun"});
  all.push_back({"ImportAnswer",
                 "A result for each line",
                 {{"dry_run", "bool", ""},
                  {"items", "[]@ImportItem", ""},
                  {"created", "int", ""},
                  {"replaced", "int", ""},
                  {"unchanged", "int", ""},
                  {"skipped", "int", ""},
                  {"failed", "int", ""}},
                 false,
                 {}});
  all.push_back({"ImportItem",
                 "The result of one line",
                 {{"line", "int", ""},
                  {"name", "text", ""},
                  {"result", "created|replaced|unchanged|skipped|error", ""},
                  {"job_id", "text?", ""},
                  {"status", "error", ""}},
                 false,
                 "ItemError"});
}

void add_sessions(std::vector<schema>& all) {
  all.push_back({"Session",
                 "A worker",
                 {{"id", "text", ""},
                  {"name", "text", ""},
                  {"agent_type", "text", ""},
                  {"workspace", "text", ""},
                  {"channel", "text?", ""},
                  {"capabilities", "[]text", ""},
                  {"handlers", "[]text", "Kinds that it performs; an outside session: none"},
                  {"slots", "int", ""},
                  {"state", "active|draining|paused|stale|gone", ""},
                  {"prompting", "bool", ""},
                  {"local", "bool", "Lives and dies with the node"},
                  {"created_at", "time", ""},
                  {"last_seen_at", "time?", ""}},
                 false,
                 {}});
  all.push_back({"SessionList", "All sessions", {{"sessions", "[]@Session", ""}}, false, {}});
  all.push_back({"Claims", "What was claimed", {{"claims", "[]@ClaimedRun", ""}}, false, {}});
  all.push_back({"ClaimedRun",
                 "A run and the right to it",
                 {{"run_id", "text", ""},
                  {"name", "text", ""},
                  {"job_id", "text?", ""},
                  {"attempt", "int", ""},
                  {"fencing", "int", ""},
                  {"token", "text", "Shown here and nowhere else"},
                  {"state", "claimed|running", ""},
                  {"priority", "text", ""},
                  {"workspace", "text", ""},
                  {"lease_expires_at", "time", ""},
                  {"deadline", "time?", "Of the attempt"},
                  {"payload", "any", ""},
                  {"metadata", "any", ""},
                  {"timeout_ms", "int", ""},
                  {"tags", "[]text", ""},
                  {"traceparent", "text?", ""}},
                 false,
                 {}});
  all.push_back({"LeaseStatus",
                 "The lease",
                 {{"run_id", "text", ""},
                  {"lease_expires_at", "time", ""},
                  {"deadline", "time?", "Of the attempt"},
                  {"cancel_requested", "bool", ""},
                  {"commands", "[]text", "cancel: stop the work"}},
                 false,
                 {}});
  all.push_back({"Settled",
                 "What became of the run",
                 {{"run_id", "text", ""},
                  {"state", "text", ""},
                  {"attempt", "int", ""},
                  {"due_at", "time?", "When it is tried again"},
                  {"replayed", "bool", "The same was said before"}},
                 false,
                 {}});
  all.push_back({"CompletionAnswers",
                 "A result for each item",
                 {{"items", "[]@CompletionAnswer", ""}, {"succeeded", "int", ""}, {"failed", "int", ""}},
                 false,
                 {}});
  all.push_back({"CompletionAnswer",
                 "The result of one item",
                 {{"status", "ok|error", ""},
                  {"run_id", "text", ""},
                  {"state", "text", ""},
                  {"attempt", "int", ""},
                  {"due_at", "time?", ""},
                  {"replayed", "bool", ""}},
                 false,
                 "ItemError"});
}

void add_node(std::vector<schema>& all) {
  all.push_back({"LimitState",
                 "Live leases at a time; 0: no limit",
                 {{"global", "int", ""},
                  {"per_lane", "int", ""},
                  {"per_batch", "int", ""},
                  {"per_agent_type", "int", ""}},
                 false,
                 {}});
  all.push_back({"QueueState",
                 "The queue",
                 {{"ready", "bool", "Rebuilt from the store and serving"},
                  {"counts", "map", "ready, reserved, live"},
                  {"ready_by_priority", "map", ""},
                  {"oldest_eligible_since", "time?", "Of the longest waiting run"},
                  {"limits", "@LimitState", ""},
                  {"live_by_lane", "[]@NamedCount", ""},
                  {"live_by_agent_type", "[]@NamedCount", ""},
                  {"waiting_claims", "int", ""},
                  {"timers", "int", ""}},
                 false,
                 {}});
  all.push_back({"NamedCount", "A count", {{"name", "text", ""}, {"live", "int", ""}}, false, {}});
  all.push_back({"Statistics",
                 "Figures",
                 {{"runs", "@RunStatistics", ""},
                  {"totals", "map", "By event"},
                  {"since", "time?", "Totals count from here"}},
                 false,
                 {}});
  all.push_back({"RunStatistics",
                 "Of the runs that the filter fits",
                 {{"by_state", "map", ""},
                  {"queued_by_priority", "map", ""},
                  {"considered", "int", "Finished runs looked at"},
                  {"success_rate", "number?", ""},
                  {"wait", "@Distribution", ""},
                  {"execution", "@Distribution", ""},
                  {"total", "@Distribution", ""}},
                 false,
                 {}});
  all.push_back({"Distribution",
                 "null where there is nothing to tell",
                 {{"average_ms", "int?", ""},
                  {"least_ms", "int?", ""},
                  {"most_ms", "int?", ""},
                  {"p50_ms", "int?", ""},
                  {"p95_ms", "int?", ""},
                  {"p99_ms", "int?", ""}},
                 false,
                 {}});
  all.push_back({"Health",
                 "Whether the node is well",
                 {{"status", "healthy|degraded|unhealthy", ""},
                  {"ready", "bool", ""},
                  {"stopping", "bool", ""},
                  {"issues", "[]text", "Each begins with its code"}},
                 false,
                 {}});
  all.push_back({"Ready", "Whether the node takes work", {{"ready", "bool", ""}}, false, {}});
  all.push_back({"Node",
                 "The node",
                 {{"version", "text", ""},
                  {"health", "healthy|degraded|unhealthy", ""},
                  {"ready", "bool", ""},
                  {"stopping", "bool", ""},
                  {"issues", "[]text", ""},
                  {"started_at", "time?", ""},
                  {"uptime_ms", "int", ""},
                  {"now", "time", ""},
                  {"host", "text", ""},
                  {"user", "text", ""},
                  {"pid", "int", ""},
                  {"resident_bytes", "int", ""},
                  {"cpu_ms", "int", ""},
                  {"processes", "int", "Running now"},
                  {"disk", "@Disk", ""},
                  {"http", "map", "connections, streams, requests"},
                  {"children", "[]@Child", ""},
                  {"store", "@Store?", ""}},
                 false,
                 {}});
  all.push_back(
      {"Disk",
       "Where the store lies",
       {{"path", "text", ""}, {"free_bytes", "int", ""}, {"alarm_bytes", "int", ""}, {"low", "bool", ""}},
       false,
       {}});
  all.push_back({"Child",
                 "A part of the node",
                 {{"name", "text", ""},
                  {"state", "text", "up, restarting or given_up"},
                  {"restarts", "int", ""},
                  {"note", "text", ""}},
                 false,
                 {}});
  all.push_back({"Store",
                 "The store",
                 {{"kind", "text", ""},
                  {"path", "text", ""},
                  {"durability", "text", ""},
                  {"schema", "int", ""},
                  {"bytes", "int", ""},
                  {"last_event", "int", ""},
                  {"jobs", "int", ""},
                  {"boots", "int", ""},
                  {"created_at", "time?", ""},
                  {"runs_by_state", "map", ""}},
                 false,
                 {}});
  all.push_back({"Pong", "An answer without a question to the node", {{"pong", "bool", ""}}, false, {}});
}

}  // namespace

void add_other_schemas(std::vector<schema>& all) {
  add_problems(all);
  add_jobs(all);
  add_sessions(all);
  add_node(all);
}

}  // namespace belfry::api
