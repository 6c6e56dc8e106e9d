// The API document, walked: each operation answers as it says, and says no more and no less than its schemas.
#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "api/http/route.hpp"
#include "api/json/filters.hpp"
#include "api/json/jobs.hpp"
#include "api/json/submissions.hpp"
#include "api/openapi/schema.hpp"
#include "tests/api/open_door.hpp"

namespace belfry::test {
namespace {

// A validator of what the document uses: $ref, oneOf, type, enum, properties, items, additionalProperties,
// required.
class validator {
 public:
  explicit validator(const json& doc) : doc_(doc) {}

  std::vector<std::string> mistakes(const json& schema, const json& value) {
    found_.clear();
    check(schema, value, "");
    return found_;
  }

 private:
  const json& resolve(const json& schema) const {
    if (!schema.contains("$ref")) return schema;
    return doc_.at(json::json_pointer(schema.at("$ref").get<std::string>().substr(1)));
  }

  static bool is(const std::string& type, const json& v) {
    if (type == "string") return v.is_string();
    if (type == "integer") return v.is_number_integer();
    if (type == "number") return v.is_number();
    if (type == "boolean") return v.is_boolean();
    if (type == "object") return v.is_object();
    if (type == "array") return v.is_array();
    return type == "null" && v.is_null();
  }

  void check(const json& given, const json& v, const std::string& at) {
    const auto& s = resolve(given);
    if (s.contains("oneOf")) {
      for (const auto& option : s.at("oneOf"))
        if (validator{doc_}.mistakes(option, v).empty()) return;
      // A null apart, the first option says what is wrong.
      return check(s.at("oneOf").at(0), v, at);
    }
    if (s.contains("enum")) {
      for (const auto& word : s.at("enum"))
        if (word == v) return;
      found_.push_back(at + ": " + v.dump() + " is not one of " + s.at("enum").dump());
      return;
    }
    if (s.contains("type")) {
      const auto& types = s.at("type");
      bool fits = types.is_string() && is(types, v);
      if (types.is_array())
        for (const auto& t : types) fits = fits || is(t, v);
      if (!fits) {
        found_.push_back(at + ": " + v.dump().substr(0, 60) + " is not " + types.dump());
        return;
      }
    }
    if (v.is_array() && s.contains("items"))
      for (std::size_t i = 0; i < v.size(); ++i) check(s.at("items"), v.at(i), at + "/" + std::to_string(i));
    if (!v.is_object() || !s.contains("type")) return;
    if (s.contains("required"))
      for (const auto& name : s.at("required"))
        if (!v.contains(name.get<std::string>()))
          found_.push_back(at + ": " + name.get<std::string>() + " is missing");
    for (const auto& [name, member] : v.items()) {
      if (s.contains("properties") && s.at("properties").contains(name))
        check(s.at("properties").at(name), member, at + "/" + name);
      else if (s.contains("additionalProperties") && s.at("additionalProperties").is_object())
        check(s.at("additionalProperties"), member, at + "/" + name);
      else if (s.contains("properties"))
        found_.push_back(at + "/" + name + " is not documented");
    }
  }

  const json& doc_;
  std::vector<std::string> found_;
};

struct sample {
  std::string operation;
  std::string target;  // with its arguments filled in
  json body;           // null: none
  int status = 200;
};

// Everything that the samples speak of, in a node of their own.
struct stage {
  open_door door;
  std::string session, run, ended, dead, batch, other_session;
  json held, settled;

  // A coordinator and one member that was here.
  static messages::nodes_seen two_nodes() {
    messages::nodes_seen seen;
    seen.cluster = "home";
    messages::node_view a, b;
    a.node.name = "a";
    a.node.role = core::node_role::coordinator;
    b.node.name = "b";
    b.node.boot = "6f1e9a52-8c1d-4d49-9d0e-0a4f8d1c2b3a";
    b.node.state = core::node_state::lost;
    b.node.labels = {"disk=ssd"};
    b.node.capabilities = {"gpu"};
    b.sessions = {core::session_id{7}};
    b.latency = std::chrono::microseconds{1500};
    seen.nodes = {a, b};
    return seen;
  }

  stage() {
    door.node.cluster = two_nodes();
    auto& http = door.http();
    core::agent_type claude;
    claude.name = "claude";
    claude.command = {"claude-agent"};
    claude.env = {{"A", "1"}};
    door.node.agent_types = {claude};
    session = door.session({{"slots", 100}, {"capabilities", {"belfry:conditions"}}});
    other_session = door.session();
    http.post_json("/v1/jobs", {{"name", "job"}, {"handler", {{"argv", {"true"}}}}, {"description", "d"}});
    http.post_json("/v1/jobs", {{"name", "old"}, {"handler", {{"argv", {"true"}}}}});
    http.post_json("/v1/jobs/job:pause", {{"reason", "audit"}, {"text", "x"}});
    http.post_json("/v1/jobs", {{"name", "daily"}, {"payload", 1}, {"schedule", "0 9 * * *"}});
    ended = door.submit({{"name", "ended"}, {"metadata", {{"a", 1}}}});
    auto c = door.claim(session);
    http.post_json("/v1/runs/" + ended + ":complete",
                   open_door::proof(c, {{"result", {{"x", 1}}},
                                        {"exit_code", 0},
                                        {"usage", {{"user_cpu", "1s"}, {"peak_memory", "1MiB"}}}}));
    c["fencing"] = 9;
    (void)http.post("/v1/runs/" + ended + ":complete", open_door::proof(c));
    dead = door.submit({{"name", "dead"}, {"retry", {{"max_attempts", 1}}}});
    http.post_json("/v1/runs/" + dead + ":fail", open_door::proof(door.claim(session), {{"message", "no"}}));
    run = door.submit({{"name", "held"},
                       {"channel", ""},
                       {"preferred_capabilities", {"p"}},
                       {"owner", {{"kind", "session"}, {"session", session}}},
                       {"condition", {{"argv", {"true"}}, {"timeout", "5s"}}},
                       {"on_end",
                        {{"argv", {"true"}},
                         {"cwd", "/"},
                         {"env", {{"A", "1"}}},
                         {"stdin", "x"},
                         {"limits", {{"cpu", "1s"}, {"memory", 1}, {"files", 9}}},
                         {"success_codes", {0}},
                         {"retryable_codes", {1}}}}});
    held = door.claim(session);
    door.node.write_log(open_door::id_of(run), 1, {"a line"});
    batch = http.post_json("/v1/runs:batch", {{"runs", {{{"name", "m"}}, {{"name", "m"}}}}}).at("batch_id");
  }

  std::vector<sample> samples() const {
    const json nothing = json::object();
    const auto proof = open_door::proof(held);
    return {
        {"ping", "/v1/ping", {}},
        {"post_ping", "/v1/ping", {}},
        {"get_root", "/", {}},
        {"get_openapi", "/v1/openapi.json", {}},
        {"list_problems", "/problems", {}},
        {"get_problem", "/problems/invalid", {}},
        {"get_run", "/v1/runs/" + run, {}},
        {"get_run", "/v1/runs/" + ended, {}},
        {"get_run", "/v1/runs/" + dead, {}},
        {"get_run", "/v1/runs/m", {}},
        {"list_runs", "/v1/runs", {}},
        {"list_dead_letters", "/v1/dead-letters", {}},
        {"list_runs_of_job", "/v1/jobs/job/runs", {}},
        {"get_logs", "/v1/runs/" + run + "/logs", {}},
        {"list_events", "/v1/events", {}},
        {"list_events_of_run", "/v1/runs/" + run + "/events", {}},
        {"get_batch", "/v1/batches/" + batch, {}},
        {"get_statistics", "/v1/statistics", {}},
        {"get_scheduler_status", "/v1/scheduler/status", {}},
        {"rebuild_scheduler", "/v1/scheduler:rebuild", {}},
        {"run_cycle", "/v1/scheduler:cycle", {}},
        {"get_cycle_statistics", "/v1/scheduler/statistics", {}},
        {"reset_cycle_statistics", "/v1/scheduler/statistics:reset", {}},
        {"get_backlog", "/v1/scheduler/backlog", {}},
        {"get_node", "/v1/node", {}},
        {"list_nodes", "/v1/nodes", {}},
        {"list_nodes", "/v1/nodes?removed=true", {}},
        {"get_cluster_node", "/v1/nodes/b", {}},
        {"get_cluster_node", "/v1/nodes/c", {}, 404},
        {"drain_node", "/v1/nodes/b:drain", {{"reason", "new disk"}}},
        {"resume_node", "/v1/nodes/b:resume", nothing},
        {"remove_node", "/v1/nodes/b?force=true", {}},
        {"readmit_node", "/v1/nodes/b:readmit", nothing},
        {"get_config", "/v1/config", {}},
        {"get_health", "/v1/health", {}},
        {"get_ready", "/v1/ready", {}},
        {"get_metrics", "/metrics", {}},
        {"get_metrics_v1", "/v1/metrics", {}},
        {"list_jobs", "/v1/jobs", {}},
        {"get_job", "/v1/jobs/job", {}},
        {"list_sessions", "/v1/sessions", {}},
        {"get_session", "/v1/sessions/" + session, {}},
        {"export_jobs", "/v1/export", {}},
        {"list_handlers", "/v1/handlers", {}},
        {"get_handler", "/v1/handlers/process", {}},
        {"list_agent_types", "/v1/agent-types", {}},
        {"spawn_worker", "/v1/agent-types/claude:spawn", {{"workspace", "team"}}, 201},
        {"get_agent_type", "/v1/agent-types/claude", {}},
        {"parse_schedule",
         "/v1/schedules:parse",
         {{"expression", "weekdays at 9am"}, {"zone", "Europe/Berlin"}}},
        {"simulate_schedules",
         "/v1/schedules:simulate",
         {{"from", "2026-03-28T00:00:00Z"},
          {"until", "2026-03-30T00:00:00Z"},
          {"definitions",
           {{{"name", "s"}, {"handler", {{"kind", "none"}}}, {"schedule", "0 * * * *"}, {"fire_limit", 2}}}},
          {"down", {{{"begin", "2026-03-28T10:00:00Z"}, {"end", "2026-03-28T20:00:00Z"}}}},
          {"run_time", "90m"},
          {"run_times", {{"s", "2h"}}},
          {"slots", 1},
          {"limit", 100}}},
        {"put_calendar",
         "/v1/calendars/holidays",
         {{"dates", {"2099-12-25", "2099-12-31..2100-01-01"}}},
         201},
        {"put_calendar",
         "/v1/calendars/holidays",
         {{"ics",
           "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20991225\r\nEND:VEVENT\r\nEND:"
           "VCALENDAR\r\n"}}},
        {"list_calendars", "/v1/calendars", {}},
        {"get_calendar", "/v1/calendars/holidays", {}},
        {"parse_schedule",
         "/v1/schedules:parse",
         {{"expression", "every 6 hours"},
          {"not_in", {"holidays"}},
          {"not_on", {"2099-12-24"}},
          {"not_between", {"22:00-06:00"}},
          {"excluded", "postpone"}}},
        {"remove_calendar", "/v1/calendars/holidays", {}},
        {"put_window",
         "/v1/windows/sunday",
         {{"schedule", "sundays at 2am"},
          {"for", "2h"},
          {"zone", "Europe/Berlin"},
          {"drain", true},
          {"text", "x"}},
         201},
        {"put_window",
         "/v1/windows/sunday",
         {{"schedule", "sundays at 3am"}, {"for", "2h"}, {"agent_type", "go"}}},
        {"list_windows", "/v1/windows", {}},
        {"get_window", "/v1/windows/sunday", {}},
        {"remove_window", "/v1/windows/sunday", {}},
        {"create_backup", "/v1/backups", {{"to", "/tmp/copy"}}, 201},
        {"verify_store", "/v1/store:verify", {}},
        {"run_retention", "/v1/retention:run", {{"dry_run", true}}},
        {"submit_run", "/v1/runs", {{"name", "s"}}, 201},
        {"submit_run", "/v1/runs?dry_run=true", {{"name", "s"}}},
        {"submit_batch", "/v1/runs:batch", {{"runs", {{{"name", "s"}}}}}, 201},
        {"submit_batch", "/v1/runs:batch?dry_run=true", {{"runs", {{{"name", "s"}}}}}},
        {"heartbeat", "/v1/runs/" + run + ":heartbeat", proof},
        {"start_run", "/v1/runs/" + run + ":start", proof},
        {"report_progress", "/v1/runs/" + run + ":progress", open_door::proof(held, {{"value", 0.1}})},
        {"store_checkpoint", "/v1/runs/" + run + ":checkpoint",
         open_door::proof(held, {{"checkpoint", {{"at", 3}}}})},
        {"write_log", "/v1/runs/" + run + ":log", open_door::proof(held, {{"lines", {{{"text", "a\nb"}}}}})},
        {"heartbeat_runs",
         "/v1/heartbeats",
         {{"items", {open_door::proof(held, {{"run_id", run}}), 7}}, {"lease", "5m"}}},
        {"heartbeat_session", "/v1/sessions/" + session + ":heartbeat", {{"state", "active"}}},
        {"drain_session", "/v1/sessions/" + session + ":drain", {{"reason", "x"}}},
        {"claim", "/v1/claims", {{"session", session}}},
        {"resume_session", "/v1/sessions/" + session + ":resume", nothing},
        {"explain_session", "/v1/sessions/" + session + "/explain", {}},
        {"explain_session", "/v1/sessions/" + session + "/explain?run=" + run, {}},
        {"adopt_result", "/v1/runs/" + run + ":adopt", nothing, 404},
        {"get_run", "/v1/runs/" + run, {}},
        {"cancel_run", "/v1/runs/" + run + ":cancel", nothing},
        {"reprioritise_run", "/v1/runs/" + batch_run() + ":priority", {{"priority", "low"}}},
        {"release_run", "/v1/runs/" + run + ":release", proof},
        {"fail_run", "/v1/runs/" + run + ":fail", proof, 409},
        {"complete_run", "/v1/runs/" + run + ":complete", proof, 409},
        {"park_run", "/v1/runs/" + run + ":park", open_door::proof(held, {{"for", "1s"}})},
        {"complete_runs",
         "/v1/completions",
         {{"items", {open_door::proof(held, {{"run_id", run}, {"outcome", "succeeded"}}), 7}}}},
        {"run_now", "/v1/runs/" + run + ":run-now", nothing, 409},
        {"retry_run", "/v1/runs/" + dead + ":retry", nothing, 201},
        {"discard_run", "/v1/runs/" + dead + ":discard", nothing, 409},
        {"cancel_runs", "/v1/runs:cancel", {{"ids", {run, "run_00NF2XPW00000"}}}},
        {"retry_runs", "/v1/runs:retry", {{"ids", {dead}}}},
        {"discard_runs", "/v1/runs:discard", {{"filter", {{"q", "x"}}}, {"dry_run", true}}},
        {"explain_run", "/v1/runs/" + run + "/explain", {}},
        {"explain_run", "/v1/runs/m/explain", {}},
        {"explain_job", "/v1/jobs/job/explain", {}},
        {"get_doctor", "/v1/doctor", {}},
        {"force_release_run", "/v1/runs/" + run + ":force-release", {{"reason", "x"}}, 409},
        {"force_fail_run", "/v1/runs/m:force-fail", {{"reason", "x"}, {"if_state", "running"}}, 412},
        {"recover_run", "/v1/runs/m:recover", {{"reason", "x"}}, 409},
        {"force_release_runs", "/v1/runs:force-release", {{"ids", {run}}, {"reason", "x"}}},
        {"force_fail_runs",
         "/v1/runs:force-fail",
         {{"filter", {{"q", "m"}}}, {"reason", "x"}, {"dry_run", true}}},
        {"recover_runs", "/v1/runs:recover", {{"ids", {run}}, {"reason", "x"}, {"dry_run", true}}},
        {"run_many_now", "/v1/runs:run-now", {{"ids", {run}}}},
        {"reprioritise_runs", "/v1/runs:priority", {{"filter", {{"q", "m"}}}, {"priority", "high"}}},
        {"cancel_batch", "/v1/batches/" + batch + ":cancel", nothing},
        {"create_job", "/v1/jobs", {{"name", "new"}, {"payload", 1}}, 201},
        {"create_job", "/v1/jobs?dry_run=true", {{"name", "newer"}, {"payload", 1}}},
        {"put_job", "/v1/jobs/put", {{"payload", 1}}, 201},
        {"put_job", "/v1/jobs/put", {{"payload", 2}}},
        {"put_job", "/v1/jobs/put?dry_run=true", {{"payload", 3}}},
        {"patch_job", "/v1/jobs/put", {{"description", "x"}}},
        {"archive_job", "/v1/jobs/old", {}},
        {"pause_job", "/v1/jobs/put:pause", nothing},
        {"resume_job", "/v1/jobs/put:resume", nothing},
        {"list_event_triggers", "/v1/events/triggers", {}},
        {"emit_event", "/v1/events", {{"name", "deploy.finished"}, {"fields", {{"env", "prod"}}}}, 201},
        {"trigger_job", "/v1/jobs/put:trigger", nothing, 201},
        {"trigger_job", "/v1/jobs/put:trigger", {{"count", 2}}, 201},
        {"list_occurrences", "/v1/jobs/put/occurrences?limit=10", {}},
        {"list_timings", "/v1/timings", {}},
        {"get_timing", "/v1/timings/daily-9am", {}},
        {"run_timing", "/v1/timings/daily-9am:run", nothing},
        {"pause_timing", "/v1/timings/daily-9am:pause", {{"text", "x"}}},
        {"run_timing", "/v1/timings/daily-9am:run", nothing},
        {"resume_timing", "/v1/timings/daily-9am:resume", nothing},
        {"duplicate_job", "/v1/jobs/put:duplicate", {{"name", "copy"}}, 201},
        {"register_session", "/v1/sessions", {{"name", "w"}}, 201},
        {"wake_session", "/v1/sessions/" + session + ":wake", {{"run_id", run}}, 202},
        {"list_wakes", "/v1/sessions/" + session + "/wakes?wait=1s&max=5", {}},
        {"acknowledge_wakes", "/v1/sessions/" + session + "/wakes:ack", {{"wakes", {"wak_00NF2XPW00000"}}}},
        {"acknowledge_wake", "/v1/sessions/" + session + "/wakes/wak_00NF2XPW00000:ack", {}, 404},
        {"end_session", "/v1/sessions/" + other_session, {}},
        {"claim", "/v1/claims", {{"session", session}, {"max", 5}}},
        {"reissue_leases", "/v1/sessions/" + session + "/leases:reissue", {{"lease", "1m"}}},
        {"report_throttle",
         "/v1/throttles",
         {{"agent_type", "go"}, {"retry_after", "1m"}, {"kind", "quota"}}},
        {"pause_scheduler", "/v1/scheduler:pause", {{"workspace", "blue"}, {"for", "1h"}}},
        {"pause_scheduler", "/v1/scheduler:pause", {{"agent_type", "go"}, {"reason", "quota"}}},
        {"drain_scheduler", "/v1/scheduler:drain", {{"job", "put"}, {"timeout", "0s"}}},
        {"list_pauses", "/v1/scheduler/pauses", {}},
        {"resume_scheduler", "/v1/scheduler:resume", {{"workspace", "blue"}}},
        {"put_limits", "/v1/limits", {{"global", 9}}},
        {"import_jobs", "/v1/import", {{"definition", {{"name", "imported"}, {"payload", 1}}}}},
    };
  }
  std::string batch_run() const { return "m"; }
};

struct operation {
  std::string method, path;
  json what;
};

std::map<std::string, operation> operations(const json& doc) {
  std::map<std::string, operation> all;
  for (const auto& [path, methods] : doc.at("paths").items())
    for (const auto& [method, what] : methods.items()) {
      const auto id = what.at("operationId").get<std::string>();
      INFO(id);
      CHECK_FALSE(all.contains(id));
      std::string upper = method;
      for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      all[id] = {upper, path, what};
    }
  return all;
}

json document(open_door& d) { return d.http().get_json("/v1/openapi.json"); }

void check_answer(const json& doc, const operation& op, const http_reply& r) {
  const auto status = std::to_string(r.status);
  const auto& responses = op.what.at("responses");
  REQUIRE(responses.contains(status));
  if (!responses.at(status).contains("content")) return;
  const auto& content = responses.at(status).at("content").begin();
  const auto type = r.header("content-type");
  CHECK(type.starts_with(content.key()));
  if (!content.value().contains("schema")) return;
  const auto mistakes = validator{doc}.mistakes(content.value().at("schema"), r.parsed());
  INFO(r.body.substr(0, 3000));
  CHECK(mistakes == std::vector<std::string>{});
}

}  // namespace

TEST_CASE("openapi: every operation answers as documented", "[api][openapi]") {
  stage s;
  const auto doc = document(s.door);
  const auto all = operations(doc);
  std::set<std::string> tried;
  for (const auto& each : s.samples()) {
    INFO(each.operation << " " << each.target);
    REQUIRE(all.contains(each.operation));
    const auto& op = all.at(each.operation);
    const auto r =
        s.door.http().send(op.method, each.target, each.body.is_null() ? std::string{} : each.body.dump());
    INFO(r.body.substr(0, 2000));
    CHECK(r.status == each.status);
    check_answer(doc, op, r);
    tried.insert(each.operation);
  }
  for (const auto& [id, op] : all) {
    INFO(id << " has no sample");
    CHECK(tried.contains(id));
  }
}

TEST_CASE("openapi: every operation refuses what it does not know, as documented", "[api][openapi]") {
  stage s;
  const auto doc = document(s.door);
  for (const auto& [id, op] : operations(doc)) {
    std::string path = op.path;
    for (auto open = path.find('{'); open != std::string::npos; open = path.find('{'))
      path.replace(open, path.find('}') - open + 1, "nothing");
    INFO(id);
    const auto unknown = s.door.http().send(op.method, path + "?no_such_parameter=1");
    CHECK(unknown.status == 422);
    CHECK(unknown.code() == "unknown_field");
    CHECK(validator{doc}.mistakes({{"$ref", "#/components/schemas/Problem"}}, unknown.parsed()) ==
          std::vector<std::string>{});
    if (!op.what.contains("requestBody") || id == "import_jobs") continue;
    const auto broken = s.door.http().send(op.method, path, "{");
    CHECK((broken.status == 400 || broken.status == 404));
    CHECK(op.what.at("responses").contains(std::to_string(broken.status)));
    const auto strange = s.door.http().send(op.method, path, R"({"no_such_field":1})");
    INFO(strange.body);
    CHECK((strange.status == 422 || strange.status == 404));
    CHECK(op.what.at("responses").contains(std::to_string(strange.status)));
    const auto typed = s.door.http().send(op.method, path, "{}", {{"Content-Type", "text/plain"}});
    CHECK(typed.status == 415);
    CHECK(op.what.at("responses").contains("415"));
  }
}

TEST_CASE("openapi: the document holds together", "[api][openapi]") {
  open_door d;
  const auto doc = document(d);
  CHECK(doc.at("openapi") == "3.1.0");
  std::set<std::string> used;
  std::function<void(const json&)> walk = [&](const json& j) {
    if (j.is_object() && j.contains("$ref")) {
      const auto ref = j.at("$ref").get<std::string>();
      INFO(ref);
      CHECK(doc.contains(json::json_pointer(ref.substr(1))));
      used.insert(ref.substr(ref.rfind('/') + 1));
    }
    if (j.is_structured())
      for (const auto& e : j) walk(e);
  };
  walk(doc);
  for (const auto& s : api::schemas()) {
    INFO(s.name << " is used by nothing");
    const bool base = std::any_of(api::schemas().begin(), api::schemas().end(),
                                  [&](const auto& other) { return other.extends == s.name; });
    CHECK((used.contains(std::string{s.name}) || base));
  }
  CHECK(api::routes().size() <= 128);  // each is a label of a metric
}

TEST_CASE("openapi: request schemas name exactly what is decoded", "[api][openapi]") {
  const auto names = [](const char* schema) {
    std::set<std::string> all;
    const auto* s = api::find_schema(schema);
    REQUIRE(s != nullptr);
    for (const auto& p : api::all_properties(*s)) all.insert(std::string{p.name});
    return all;
  };
  const auto set_of = [](const auto& list) { return std::set<std::string>(list.begin(), list.end()); };
  CHECK(names("Submission") == set_of(api::json::submission_names()));
  CHECK(names("JobDefinition") == set_of(api::json::job_names()));
  CHECK(names("Filter") == set_of(api::json::filter_names()));
}

}  // namespace belfry::test
