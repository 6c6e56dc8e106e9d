// work: turns any command into a worker.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "app/commands/all.hpp"
#include "app/commands/work_options.hpp"
#include "app/work/worker.hpp"
#include "core/session/session.hpp"
#include "core/text/utf8.hpp"
#include "core/time/text.hpp"
#include "platform/ports/files.hpp"

namespace belfry::app {
namespace {

using namespace std::chrono_literals;

struct worker_flags {
  std::optional<std::string> name, workspace, channel, at_least, lease, beat, wait, drain, patience, grace,
      cwd;
  std::optional<std::string> agent_type;
  std::optional<std::int64_t> slots;
  std::vector<std::string> capabilities, env, success_codes, retry_codes, argv;
  bool quiet = false;
};

struct time_range {
  core::span least, most;
};

void read_time(core::span& out, const std::optional<std::string>& given, const std::string& flag,
               const time_range& range) {
  if (!given) return;
  const auto length = core::parse_span(*given);
  if (length && *length >= range.least && *length <= range.most) {
    out = *length;
    return;
  }
  throw refusal(exit_code::usage, flag + ": '" + core::shown(*given, 60) + "' will not do",
                {"allowed: " + core::to_text(range.least) + " to " + core::to_text(range.most)}, {});
}

// "a,b" and the option several times mean the same.
std::vector<std::string> words_of(const std::vector<std::string>& given) {
  std::vector<std::string> all;
  for (const auto& each : given) {
    std::istringstream in(each);
    for (std::string word; std::getline(in, word, ',');) all.push_back(word);
  }
  return all;
}

std::string flag_of_session(const std::string& pointer) {
  if (pointer.rfind("/capabilities", 0) == 0) return "--cap";
  if (pointer == "/agent_type") return "--agent-type";
  return "--" + pointer.substr(1);
}

// By the same rules as the node's, so that a worker that can never register says so before it starts.
void check_session(work_plan& plan) {
  core::session who;
  who.name = plan.name;
  who.agent_type = plan.agent_type;
  who.workspace = plan.workspace;
  who.channel = plan.channel;
  who.capabilities = plan.capabilities;
  who.slots = static_cast<std::uint32_t>(plan.slots);
  core::normalise(who);
  auto found = core::check(who, "");
  if (who.agent_type.empty()) found.push_back({"/agent_type", "", "a word", "it is empty"});
  if (!found.empty()) {
    for (auto& p : found) p.pointer = flag_of_session(p.pointer);
    throw refusal(core::failure{core::errc::invalid, "the worker cannot be registered like this",
                                std::move(found), "belfry work --help"});
  }
  plan.capabilities = who.capabilities;
  plan.agent_type = who.agent_type;
}

std::string folder_of(const std::optional<std::string>& given) {
  if (!given) return caller_folder();
  const auto path = std::filesystem::absolute(*given).lexically_normal();
  if (!std::filesystem::is_directory(path))
    throw refusal(exit_code::usage, "--cwd: there is no folder '" + core::shown(*given, 200) + "'");
  return path.string();
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string(value);
}

// A worker that the node has started is told in its environment who it is; what is said here goes before.
void read_origin(work_plan& plan, worker_flags& o) {
  plan.session = variable("BELFRY_SESSION");
  if (plan.session.empty()) return;
  if (const auto id = core::parse_id<core::session_id>(plan.session); !id)
    throw refusal(exit_code::usage,
                  "BELFRY_SESSION: '" + core::shown(plan.session, 60) + "' is not the id of a session");
  plan.session_token = variable("BELFRY_TOKEN");
  const auto usual = [](std::optional<std::string>& flag, const char* name) {
    if (auto here = variable(name); !flag && !here.empty()) flag = std::move(here);
  };
  usual(o.agent_type, "BELFRY_AGENT_TYPE");
  usual(o.workspace, "BELFRY_WORKSPACE");
  usual(o.channel, "BELFRY_CHANNEL");
  if (auto able = variable("BELFRY_CAPABILITIES"); o.capabilities.empty() && !able.empty())
    o.capabilities.push_back(std::move(able));
  if (const auto slots = variable("BELFRY_SLOTS"); !o.slots && !slots.empty())
    o.slots = std::strtoll(slots.c_str(), nullptr, 10);
}

work_plan plan_of(worker_flags o, const context& ctx) {
  if (o.argv.empty())
    throw refusal(exit_code::usage, "there is no command to run for each claim", {},
                  "belfry work --agent-type TYPE -- COMMAND…");
  work_plan plan;
  read_origin(plan, o);
  plan.server = ctx.options.server;
  plan.debug = ctx.options.debug;
  plan.quiet = o.quiet;
  plan.name = o.name.value_or(platform::host_name() + "-" + std::to_string(::getpid()));
  plan.agent_type = o.agent_type.value_or("worker");
  plan.workspace = o.workspace.value_or("");
  plan.channel = o.channel.value_or("");
  plan.capabilities = words_of(o.capabilities);
  const auto slots = o.slots.value_or(1);
  if (slots < 1 || slots > 1000)
    throw refusal(exit_code::usage, "--slots: '" + std::to_string(slots) + "' will not do",
                  {"allowed: 1 to 1000"}, {});
  plan.slots = static_cast<std::size_t>(slots);
  if (o.at_least && !core::priority_from(*o.at_least))
    throw refusal(exit_code::usage, "--at-least: '" + core::shown(*o.at_least, 60) + "' will not do",
                  {"allowed: urgent, high, normal, low"}, {});
  plan.at_least = o.at_least;
  read_time(plan.lease, o.lease, "--lease", {1s, 24h});
  read_time(plan.beat, o.beat, "--heartbeat", {100ms, 8h});
  read_time(plan.wait, o.wait, "--wait", {0s, 60s});
  read_time(plan.drain, o.drain, "--drain-timeout", {0s, 24h});
  read_time(plan.patience, o.patience, "--patience", {0s, 24h * 365});
  read_time(plan.grace, o.grace, "--grace", {0s, 1h});
  plan.command.argv = o.argv;
  plan.command.cwd = folder_of(o.cwd);
  plan.command.env = environment_of(o.env);
  for (const auto code : exit_codes_of(o.success_codes, "--success-codes"))
    plan.command.success_codes.push_back(static_cast<std::uint8_t>(code));
  for (const auto code : exit_codes_of(o.retry_codes, "--retry-codes"))
    plan.command.retryable_codes.push_back(static_cast<std::uint8_t>(code));
  check_session(plan);
  return plan;
}

void declare_worker_flags(command& c, worker_flags& o) {
  c.option("--agent-type", o.agent_type, "WORD",
           "what kind of worker it is; limits go by it; default worker");
  c.option("--cap", o.capabilities, "WORDS", "capabilities that it has, such as gpu,fast; repeatable");
  c.option("--slots", o.slots, "N", "commands that run at a time; default 1, at most 1000");
  c.option("--name", o.name, "NAME", "what a person calls it; default HOST-PID");
  c.option("--workspace", o.workspace, "NAME", "takes only work of this workspace");
  c.option("--channel", o.channel, "NAME", "takes work of this channel too");
  c.option("--at-least", o.at_least, "LEVEL", "only runs of this priority or a more urgent one",
           complete::priorities);
  c.option("--lease", o.lease, "TIME", "length of a lease; default 5m");
  c.option("--heartbeat", o.beat, "TIME",
           "between two heartbeats of a lease, at most a third of it; a cancellation arrives with one; "
           "default 10s");
  c.option("--wait", o.wait, "TIME", "how long a claim waits for work, at most 60s; default 30s");
  c.option("--env", o.env, "NAME=VALUE",
           "environment of the command, repeatable; NAME alone passes on its value here");
  c.option("--cwd", o.cwd, "DIR", "its working directory; default: the present one", complete::folders);
  c.option("--grace", o.grace, "TIME", "between TERM and KILL where the run says nothing; default 5s");
  c.option("--success-codes", o.success_codes, "CODES",
           "exit codes that mean success where the run names none; default 0");
  c.option("--retry-codes", o.retry_codes, "CODES",
           "exit codes that are tried again where the run names none; default: all others");
  c.option("--drain-timeout", o.drain, "TIME",
           "after TERM, how long commands may go on before they are stopped and given back; default 0: until "
           "they end");
  c.option("--patience", o.patience, "TIME",
           "how long the node may be away before the worker gives up; default 10m, 0 for ever");
  c.flag("--quiet", o.quiet, "tell only what goes wrong");
  c.rest("COMMAND…", o.argv, "the program that is run for each claim, and its arguments");
}

}  // namespace

void add_work(command& root, context& ctx) {
  auto& c = root.sub("work", "Be a worker: run a command for each run that is claimed");
  auto& o = c.keep<worker_flags>();
  declare_worker_flags(c, o);
  c.note(
      "The command gets the payload on stdin, and BELFRY_RUN_ID, BELFRY_JOB, BELFRY_ATTEMPT, BELFRY_FENCING "
      "and "
      "TRACEPARENT in an environment that is otherwise clean (PATH, HOME, USER, LOGNAME, LANG, TZ, TMPDIR; "
      "more "
      "with --env). Its output is the log of the run, its exit code says how it went. It is stopped when the "
      "run "
      "is cancelled, when its time is over, and when its lease cannot be renewed.");
  c.note(
      "TERM, INT or HUP: claims no more, lets commands end, tells their results and ends with 0. A second "
      "one: "
      "kills them, gives their runs back and ends with 130 or 143. A node that is away is waited for.");
  c.note(
      "Started by the node for an agent type it comes back as the session that BELFRY_SESSION names, shows "
      "BELFRY_TOKEN, and takes type, workspace, channel, capabilities and slots from its environment.");
  c.example("belfry work --agent-type thumbs --cap gpu --slots 4 -- ./make-thumbnail", "");
  c.example("belfry work --server https://belfry.example.org --env API_KEY -- python3 agent.py",
            "On another machine; API_KEY is passed on to the command.");
  c.example("belfry submit --outside --cap gpu --payload '{\"image\":\"a.png\"}' --name a", "Work for it.");
  c.action([&o, &ctx] { return work(plan_of(o, ctx)); });

  auto& guard = root.sub("__guard", "Kills the children of a worker that died").hidden();
  auto& mark = guard.keep<std::string>();
  guard.argument("MARK", mark, "of the worker", true);
  guard.action([&mark] { return guard_children(mark); });
}

}  // namespace belfry::app
