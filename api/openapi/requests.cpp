#include "api/openapi/schema.hpp"

namespace belfry::api {
namespace {

constexpr bool required = true;

const std::vector<property> spec_properties{
    {"name", "text", "What a person calls it, at most 200 characters; default: the base name of the program"},
    {"handler", "@Handler",
     "How it is performed; absent: it is left to sessions that know what the payload means"},
    {"payload", "any", "Opaque JSON, at most 64 KiB; numbers stay exactly what they are"},
    {"priority", "urgent|high|normal|low",
     "Default normal; critical (urgent) and medium (normal) are old names, taken still"},
    {"workspace", "text", "Only sessions of this workspace may take it"},
    {"lane", "text", "Fairness key inside a priority; default: the workspace"},
    {"channel", "text", "Only sessions in this channel may take it"},
    {"capabilities", "[]text", "The session must have all of these"},
    {"preferred_capabilities", "[]text", "Order those that may take it"},
    {"agent_types", "[]text", "Only sessions of these types; empty: any"},
    {"owner", "@Owner", "Who may take it; default any"},
    {"timeout", "text", "Of one attempt, such as \"60s\" or \"PT1M\"; default 30m; 0: none"},
    {"grace", "text", "Between TERM and KILL; default 5s"},
    {"retry", "@Retry", "Budgets and delays"},
    {"concurrency_key", "text", "Runs that share it run at most concurrency_limit at a time"},
    {"concurrency_limit", "int", "1 to 10,000; default 1"},
    {"tags", "[]text", "At most 32 words"},
    {"metadata", "object", "Free, at most 16 KiB"},
    {"on_end", "@Handler", "A command that is run when the run has ended, as a run of its own"},
    {"condition", "@Condition?", "Asked before each attempt; null: none"},
    {"traceparent", "text", "W3C trace context; made when absent"},
    {"skip_checks", "bool",
     "Take it without looking whether its program and directory are there; who asked for that is kept"},
};

std::vector<property> with(std::vector<property> more) {
  auto all = spec_properties;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

const std::vector<property> proof{{"token", "text", "From the answer to the claim", required},
                                  {"fencing", "int", "From the answer to the claim", required}};

std::vector<property> proven(std::vector<property> more) {
  auto all = proof;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

void add_spec_parts(std::vector<schema>& all) {
  all.push_back({"Handler",
                 "A process, by argv or shell",
                 {{"kind", "process|none", "Default process"},
                  {"argv", "[]text", "The program and its arguments"},
                  {"shell", "text", "A script for /bin/sh -c; exactly one of argv and shell"},
                  {"cwd", "text", "Absolute working directory"},
                  {"env", "object", "Environment variables, texts"},
                  {"stdin", "text", "Given on stdin; else the payload is"},
                  {"limits", "@HandlerLimits", "Of the process"},
                  {"success_codes", "[]int", "Exit codes that are success; default 0"},
                  {"retryable_codes", "[]int", "Only these are tried again; default: every failure"}},
                 true,
                 {}});
  all.push_back({"HandlerLimits",
                 "Limits of the operating system",
                 {{"cpu", "text", "CPU time, whole seconds, such as \"10s\""},
                  {"memory", "any", "Address space: bytes, or a text such as \"64MiB\""},
                  {"files", "int", "Open files"}},
                 true,
                 {}});
  all.push_back({"Retry",
                 "Attempts and the delays between them",
                 {{"max_attempts", "int", "1 + retries, 1 to 1000; default 4"},
                  {"retries", "int", "Instead of max_attempts, 0 to 999"},
                  {"max_losses", "int", "Attempts lost with their worker, 1 to 100; default 3"},
                  {"backoff", "fixed|linear|exponential", "Default exponential"},
                  {"base", "text", "Delay before the second attempt; default 1s"},
                  {"multiplier", "number", "1 to 10; default 2"},
                  {"cap", "text", "Longest delay; default 1h"},
                  {"jitter", "number", "0 to 1; default 0.3"}},
                 true,
                 {}});
  all.push_back({"Owner",
                 "Who may take the run",
                 {{"kind", "any|agent_type|session|person", "Default any"},
                  {"agent_type", "text", "With kind agent_type"},
                  {"session", "text", "With kind session"}},
                 true,
                 {}});
}

void add_run_requests(std::vector<schema>& all) {
  all.push_back({"Submission",
                 "One run",
                 with({{"id", "text", "Given by the caller: the same id and content is the same run"},
                       {"delay", "text", "Not before this time has passed"},
                       {"not_before", "time", "Not before this time; one of delay and not_before"}}),
                 true,
                 {}});
  all.push_back(
      {"BatchSubmission", "Up to 1,000 runs", {{"runs", "[]@Submission", "1 to 1,000", required}}, true, {}});
  all.push_back({"SpawnRequest",
                 "Where",
                 {{"workspace", "text", "Of the worker's session; default that of the type"}},
                 true,
                 {}});
  all.push_back({"Reason", "Why", {{"reason", "text", "At most 500 characters"}}, true, {}});
  all.push_back({"Force",
                 "Why, and what was seen before",
                 {{"reason", "text", "At most 500 characters", required},
                  {"if_state", "text", "Only when the run is in this state; else 412"},
                  {"if_fencing", "int", "Only when nobody has claimed it since; else 412"}},
                 true,
                 {}});
  all.push_back({"Adoption",
                 "Which late result",
                 {{"fencing", "int", "Of the attempt that said it; default the newest"},
                  {"reason", "text", "At most 500 characters"}},
                 true,
                 {}});
  all.push_back({"Nothing", "An empty object, or no body", {}, true, {}});
  all.push_back({"PriorityChange",
                 "The new priority",
                 {{"priority", "urgent|high|normal|low",
                   "critical (urgent) and medium (normal) are old names, taken still", required}},
                 true,
                 {}});
  all.push_back(
      {"Redrive", "A successor", {{"payload", "any", "Instead of the payload of the old run"}}, true, {}});
  all.push_back({"Filter",
                 "Which runs; the same words as in the query of GET /v1/runs",
                 {{"state", "any", "A word, several with commas, or a list"},
                  {"job", "text", "Id or name"},
                  {"batch", "text", "Id"},
                  {"workspace", "text", ""},
                  {"lane", "text", ""},
                  {"priority", "text", ""},
                  {"session", "text", "Id of the holder"},
                  {"tag", "any", "A tag, or a list: all of them"},
                  {"tag_any", "any", "A tag, or a list: any of them"},
                  {"q", "text", "In the name"},
                  {"created_from", "time", ""},
                  {"created_to", "time", ""},
                  {"ended_from", "time", ""},
                  {"ended_to", "time", ""},
                  {"dead", "bool", "Only dead letters"}},
                 true,
                 {}});
  const auto bulk = [&all](std::string_view name, std::string_view which, std::vector<property> more) {
    std::vector<property> members{{"ids", "[]text", "At most 1,000"},
                                  {"filter", "@Filter", which},
                                  {"dry_run", "bool", "Only tell what would be"},
                                  {"confirm", "bool", "Needed for an empty filter"},
                                  {"if_state", "text", "Only those that are in this state; 412 for others"},
                                  {"if_fencing", "int", "Only those with this fencing number"}};
    for (auto& one : more) members.push_back(one);
    all.push_back({name, "Many runs, by ids or by filter", std::move(members), true, {}});
  };
  bulk("BulkControl", "Instead of ids", {{"reason", "text", "At most 500 characters"}});
  bulk("BulkForce", "Instead of ids; without states it means those that it can be about",
       {{"reason", "text", "At most 500 characters", required}});
  bulk("BulkRetry", "Instead of ids; without states it means dead letters",
       {{"payload", "any", "Instead of the payloads of the old runs"}});
  bulk("BulkPriority", "Instead of ids; without states it means those that wait",
       {{"priority", "urgent|high|normal|low", "The new one", required}});
  bulk("BulkPlain", "Instead of ids; without states it means those that wait for a time", {});
}

void add_job_requests(std::vector<schema>& all) {
  const std::vector<property> job{
      {"description", "text", "At most 2,000 bytes"},
      {"overlap", "skip|queue_one|queue_all|replace|allow", "When a trigger meets an open run; default skip"},
      {"max_concurrent", "int", "With overlap allow: open runs; default 1"},
      {"schedule", "text",
       "When it is due: cron, an @ form, a phrase, or an event such as \"when event deploy.finished "
       "arrives\"; "
       "\"\": only by hand"},
      {"zone", "text", "IANA name, where the schedule names none; default UTC"},
      {"starts", "time", "The first time that may be planned"},
      {"ends", "time", "The last one; the job is completed when its last run has ended"},
      {"jitter", "text", "Each job starts at a point of its own within so long after the planned time"},
      {"not_on", "[]text", "Dates on which it is not due, besides what the schedule excludes"},
      {"not_between", "[]text", "Times such as 22:00-06:00, over midnight too; 22:00-06:00 on sat,sun"},
      {"not_in", "[]text", "Calendars, by name"},
      {"excluded", "skip|postpone",
       "What becomes of a time in not_on, not_between or not_in: it is left out (default), or due at the end "
       "of the excluded time"},
      {"catch_up", "skip|once|all", "Which of the missed times are made up for; default once, the latest"},
      {"catch_up_max", "int", "With all: the newest so many, 1 to 1,000; default 20"},
      {"catch_up_grace", "text", "What was missed longer ago is skipped; default 1d"},
      {"start_deadline", "text", "A time that could not be planned for so long is skipped; 0: none"},
      {"on_time", "text",
       "The latest due time is on time, not missed, when it is at most so late; default 1m"},
      {"fire_limit", "int", "At most so many in fire_window, later ones wait; 0: no limit"},
      {"fire_window", "text", "Default 1h"},
      {"max_runs", "int",
       "Nothing more is planned after so many planned runs, and the job is completed when the last of them "
       "has ended; 0: no limit"},
      {"max_runs_of", "runs|successes",
       "What max_runs counts: planned times that became runs (default), or planned runs that succeeded"},
      {"retry_past_next", "bool",
       "A retry that would not start before the next occurrence is made all the same; default false"},
      {"source", "api|file", "Where the definition comes from; default api"},
      {"start_paused", "bool", "When it is created"},
      {"trial", "bool",
       "When it is created: paused until one run of it, of half a minute at most, has succeeded"}};
  all.push_back({"JobDefinition", "What a job's runs do", with(job), true, {}});
  all.push_back({"JobPatch", "Members that replace those of the definition", with(job), true, {}});
  all.push_back({"Pause",
                 "A reason to hold a job, or to let it go on",
                 {{"reason", "text", "Default manual; a resume lifts only the pause with the same reason"},
                  {"text", "text", "In plain words"}},
                 true,
                 {}});
  const std::vector<property> selector{
      {"workspace", "text", "This workspace; empty: what has none"},
      {"job", "text", "This job, by id or name"},
      {"agent_type", "text", "Sessions of this type; nothing of the three: the whole scheduler"}};
  const std::vector<property> whose{
      {"reason", "text", "A word: manual (the default), maintenance, quota, ..."},
      {"owner", "text", "Who may lift it; default operator, for a session itself"}};
  const auto joined = [](std::vector<property> a, const std::vector<property>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  all.push_back({"ResumeRequest", "Which pause is lifted", joined(selector, whose), true, {}});
  all.push_back({"Throttle",
                 "A provider has a limit until a time",
                 {{"resource", "text", "The provider: every agent type that names it among its resources"},
                  {"agent_type", "text", "This type alone; or resource"},
                  {"kind", "throttle|quota", "Too fast, or used up; default throttle"},
                  {"retry_after", "text", "For how long; or until"},
                  {"until", "time", "Until when; or retry_after"},
                  {"reason", "text", "What the provider said"}},
                 true,
                 {}});
  all.push_back({"PauseRequest",
                 "What is held, and why",
                 joined(joined(selector, whose), {{"text", "text", "Why, in plain words"},
                                                  {"from", "time", "It begins at this time, not now"},
                                                  {"for", "text", "It lifts itself after this time"},
                                                  {"until", "time", "It lifts itself at this time"}}),
                 true,
                 {}});
  all.push_back(
      {"DrainRequest",
       "What is held until nothing of it runs any more",
       joined(selector, {{"owner", "text", "Who may lift it; default operator, for a session itself"},
                         {"text", "text", "Why, in plain words"},
                         {"timeout", "text", "How long that may take; default 60s, 0 reports at once"},
                         {"from", "time", "It begins at this time, not now"},
                         {"resume_after", "text", "Work goes on by itself after this time"},
                         {"resume_at", "time", "Work goes on by itself at this time"}}),
       true,
       {}});
  all.push_back({"Trigger",
                 "A run by hand",
                 {{"payload", "any", "Instead of the definition's"},
                  {"force", "bool", "Although paused, or another run is open"},
                  {"delay", "text", "Not before this time has passed"},
                  {"count", "int", "Several runs, 1 to 1,000"}},
                 true,
                 {}});
  all.push_back(
      {"NewName", "The name of the copy", {{"name", "text", "That no other job has", required}}, true, {}});
  all.push_back(
      {"Condition",
       "A command that decides whether an attempt is made: exit code 0, it is; 1, the run is skipped; "
       "anything else, the attempt has failed",
       {{"argv", "[]text", "The program and its arguments"},
        {"shell", "text", "Or a script for /bin/sh -c"},
        {"timeout", "text", "1s to 1h; default 30s"}},
       true,
       {}});
  all.push_back({"Limits",
                 "Live leases at a time; 0: no limit; what is left out stays",
                 {{"global", "int", "In the whole node"},
                  {"per_lane", "int", "Per named lane"},
                  {"per_batch", "int", "Per batch"},
                  {"per_agent_type", "int", "Per agent type"},
                  {"fires", "int", "Runs that schedules start in fire_window, later ones wait; to 1,000"},
                  {"fires_per_workspace", "int", "The same for each workspace"},
                  {"fire_window", "text", "The rolling window of both, 1s to 7d"}},
                 true,
                 {}});
  all.push_back({"BackupRequest",
                 "Where the copy goes",
                 {{"to", "text", "An absolute path of a new file on the machine of the node", required}},
                 true,
                 {}});
  all.push_back({"RetentionRequest",
                 "What differs from the policy of the configuration",
                 {{"keep", "text", "How long finished runs are kept, such as \"7d\"; 0 for ever"},
                  {"keep_dead", "text", "The same of dead letters"},
                  {"keep_per_job", "int", "Finished runs kept per job, the newest"},
                  {"dry_run", "bool", "Tell what would go, remove nothing"}},
                 true,
                 {}});
}

void add_lease_requests(std::vector<schema>& all) {
  all.push_back({"SessionRegistration",
                 "A worker",
                 {{"id", "text", "Of a session that comes back"},
                  {"name", "text", "Such as worker-1", required},
                  {"agent_type", "text", ""},
                  {"workspace", "text", "Takes only runs of this workspace"},
                  {"channel", "text", ""},
                  {"capabilities", "[]text", ""},
                  {"slots", "int", "Runs at a time, 1 to 1,000; default 1"},
                  {"prompting", "bool", "Waits for a prompt, and takes nothing meanwhile"},
                  {"metadata", "object", "Any JSON object, at most 16 KiB"},
                  {"wake", "@WakeSinkWanted", "How it wants to be woken; default: by long poll"}},
                 true,
                 {}});
  all.push_back(
      {"WakeSinkWanted",
       "How a session wants to be woken",
       {{"sink", "poll|webhook|command|none", "Default poll"},
        {"url", "text", "webhook: http or https, at most 2,000 characters"},
        {"secret", "text",
         "webhook: whsec_ and 24 to 64 bytes in base64, or env:BELFRY_WEBHOOK_… for a variable of the node; "
         "never shown again"},
        {"argv", "[]text", "command: the program and its arguments; only where the node allows commands"},
        {"cwd", "text", "command: an absolute path; default: the node's"},
        {"timeout", "text", "Of one webhook or command, 100ms to 60s; default 5s"}},
       true,
       {}});
  all.push_back({"WakeIds", "Wakes", {{"wakes", "[]text", "1 to 1,000 ids", required}}, true, {}});
  all.push_back({"WakeOrder",
                 "For which run",
                 {{"run_id", "text", "Id, prefix or name of a run", required}},
                 true,
                 {}});
  all.push_back({"SessionHeartbeat",
                 "It lives, and what it says of itself",
                 {{"state", "active|paused", "paused: takes no new runs until it says active"},
                  {"prompting", "bool", "Waits for a prompt, and takes nothing meanwhile"}},
                 true,
                 {}});
  all.push_back({"Claim",
                 "What a session wants",
                 {{"session", "text", "Its id", required},
                  {"max", "int", "1 to 1,000; default 1"},
                  {"wait", "text", "At most 60s; default 0s"},
                  {"lease", "text", "1s to 24h; default 5m"},
                  {"at_least", "urgent|high|normal|low", "Only this priority or a more urgent one"},
                  {"start", "bool", "Begin at once, without a separate start"}},
                 true,
                 {}});
  all.push_back({"Proof", "That the lease is yours", proof, true, {}});
  all.push_back(
      {"Heartbeat", "The lease goes on", proven({{"lease", "text", "From now; default 5m"}}), true, {}});
  all.push_back({"Progress",
                 "How far it is",
                 proven({{"value", "number", "0 to 1"}, {"text", "text", "In plain words"}}),
                 true,
                 {}});
  all.push_back({"Checkpoint",
                 "What the next attempt is to know",
                 proven({{"checkpoint", "any", "JSON, at most 64 KiB; replaces the last one", required}}),
                 true,
                 {}});
  all.push_back({"Reissue",
                 "Runs of a session whose tokens are made anew",
                 {{"runs", "[]text", "Their ids; absent: all that it holds"},
                  {"lease", "text", "From now, 1s to 24h; default 5m"}},
                 true,
                 {}});
  all.push_back({"LogLines",
                 "Lines behind those that the attempt has",
                 proven({{"lines", "[]@LogText", "1 to 1,000", required},
                         {"first", "int", "Number of the first line; those that are there are passed over"}}),
                 true,
                 {}});
  all.push_back({"LogText",
                 "A line; a line end in it makes several, and so do more than 16 KiB",
                 {{"text", "text", "", required},
                  {"stream", "stdout|stderr", "Default stdout"},
                  {"level", "debug|info|warn|error", "How serious it is; default none"},
                  {"at", "time", "Default now"}},
                 true,
                 {}});
  all.push_back({"HeartbeatItem", "One lease", proven({{"run_id", "text", "", required}}), true, {}});
  all.push_back(
      {"Heartbeats",
       "Leases that go on",
       {{"items", "[]@HeartbeatItem", "1 to 1,000", required}, {"lease", "text", "From now; default 5m"}},
       true,
       {}});
  const std::vector<property> ended{{"message", "text", "In plain words"},
                                    {"result", "any", "JSON, at most 64 KiB"},
                                    {"exit_code", "int", "0 to 255"},
                                    {"signal", "int", "1 to 64"},
                                    {"usage", "@Usage", "What it took"}};
  all.push_back({"Completion", "It succeeded", proven(ended), true, {}});
  auto failed = ended;
  failed.push_back({"class", "error|permanent|timeout|resource|rate_limited|spawn",
                    "Default error; permanent and spawn are not tried again"});
  failed.push_back({"retry_after", "text", "No earlier than in this time"});
  failed.push_back({"limit", "throttle|quota",
                    "With rate_limited: the whole agent type is held for retry_after (default 1m), then one "
                    "probe goes first"});
  all.push_back({"Failure", "It failed", proven(failed), true, {}});
  all.push_back({"Release",
                 "Somebody else may do it",
                 proven({{"message", "text", ""}, {"delay", "text", "Not before this time has passed"}}),
                 true,
                 {}});
  all.push_back({"Park",
                 "It has to wait for something",
                 proven({{"message", "text", ""},
                         {"for", "text", "How long; or until"},
                         {"until", "time", "Until when; or for"},
                         {"resource", "text", "What is not there, such as gpu-quota"},
                         {"limit", "throttle|quota",
                          "The whole agent type is held until then, and one probe goes first"}}),
                 true,
                 {}});
  all.push_back({"Usage",
                 "Resources of the attempt",
                 {{"user_cpu", "text", "Such as \"1.5s\""},
                  {"system_cpu", "text", ""},
                  {"peak_memory", "any", "Bytes, or \"64MiB\""}},
                 true,
                 {}});
  auto item = proven(failed);
  item.insert(item.begin(), {{"run_id", "text", "", required},
                             {"outcome", "succeeded|failed|cancelled|released|parked|skipped",
                              "Decides which other members are allowed", required}});
  item.push_back({"delay", "text", "With released"});
  item.push_back({"for", "text", "With parked, required"});
  all.push_back({"CompletionItem", "The end of one attempt", item, true, {}});
  all.push_back({"Completions",
                 "The ends of up to 1,000 attempts",
                 {{"items", "[]@CompletionItem", "1 to 1,000", required}},
                 true,
                 {}});
}

}  // namespace

void add_request_schemas(std::vector<schema>& all) {
  add_spec_parts(all);
  add_run_requests(all);
  add_job_requests(all);
  add_lease_requests(all);
}

}  // namespace belfry::api
