#include "app/commands/work_options.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include "api/json/document.hpp"
#include "app/cli/refusal.hpp"
#include "core/text/utf8.hpp"

namespace belfry::app {
namespace {

using api::json::writer;

[[noreturn]] void wrong(const std::string& option, const std::string& given, const std::string& allowed) {
  throw refusal(exit_code::usage, option + ": '" + core::shown(given, 60) + "' will not do",
                {"allowed: " + allowed}, {});
}

void put(writer& w, std::string_view name, const std::optional<std::string>& value) {
  if (value) w.member(name, *value);
}

void write_codes(writer& w, std::string_view name, const std::vector<std::string>& given,
                 const std::string& option) {
  if (given.empty()) return;
  w.key(name).begin_array();
  for (const auto code : exit_codes_of(given, option)) w.number(code);
  w.end_array();
}

void write_env(writer& w, const std::vector<std::string>& given) {
  if (given.empty()) return;
  w.key("env").begin_object();
  for (const auto& [name, value] : environment_of(given)) {
    std::string escaped;
    api::json::append_escaped(escaped, name);
    w.member(escaped, value);
  }
  w.end_object();
}

void write_handler(writer& w, const work_options& o, const std::string& cwd) {
  if (o.outside) {
    w.key("handler").begin_object().member("kind", "none");
    write_codes(w, "success_codes", o.success_codes, "--success-codes");
    write_codes(w, "retryable_codes", o.retry_codes, "--retry-codes");
    w.end_object();
    return;
  }
  w.key("handler").begin_object().member("kind", "process");
  if (o.shell) w.member("shell", *o.shell);
  if (!o.argv.empty()) w.texts("argv", o.argv);
  if (const std::string where = o.cwd ? std::filesystem::absolute(*o.cwd).lexically_normal().string() : cwd;
      !where.empty())
    w.member("cwd", where);
  write_env(w, o.env);
  if (o.input) w.member("stdin", read_text(*o.input, 64 * 1024, "--stdin"));
  if (o.memory || o.cpu || o.files) {
    w.key("limits").begin_object();
    put(w, "memory", o.memory);
    put(w, "cpu", o.cpu);
    if (o.files) w.member("files", *o.files);
    w.end_object();
  }
  write_codes(w, "success_codes", o.success_codes, "--success-codes");
  write_codes(w, "retryable_codes", o.retry_codes, "--retry-codes");
  w.end_object();
}

void write_retry(writer& w, const work_options& o) {
  if (!o.retries && !o.max_losses && !o.retry_delay && !o.backoff) return;
  w.key("retry").begin_object();
  if (o.retries) w.member("retries", *o.retries);
  if (o.max_losses) w.member("max_losses", *o.max_losses);
  put(w, "base", o.retry_delay);
  put(w, "backoff", o.backoff);
  w.end_object();
}

}  // namespace

std::vector<std::int64_t> exit_codes_of(const std::vector<std::string>& given, const std::string& option) {
  constexpr std::string_view allowed = "exit codes from 0 to 255: 3 or 1,2,5-7";
  const auto number = [&](const std::string& text, const std::string& whole) {
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || end != text.data() + text.size() || n < 0 || n > 255)
      wrong(option, whole, std::string(allowed));
    return n;
  };
  std::vector<std::int64_t> codes;
  for (const auto& each : given) {
    std::istringstream in(each);
    for (std::string part; std::getline(in, part, ',');) {
      const auto dash = part.find('-');
      const auto from = number(part.substr(0, dash), each);
      const auto to = dash == std::string::npos ? from : number(part.substr(dash + 1), each);
      if (from > to) wrong(option, each, std::string(allowed));
      for (auto n = from; n <= to; ++n) codes.push_back(n);
    }
  }
  return codes;
}

std::vector<std::pair<std::string, std::string>> environment_of(const std::vector<std::string>& given) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& each : given) {
    const auto equals = each.find('=');
    const std::string name = each.substr(0, equals);
    const char* here = std::getenv(name.c_str());
    if (name.empty() || (equals == std::string::npos && here == nullptr))
      throw refusal(exit_code::usage, "--env: '" + core::shown(each, 60) + "' will not do",
                    {"allowed: NAME=VALUE, or NAME of a variable that is set here"}, {});
    for (const auto& earlier : all)
      if (earlier.first == name) throw refusal(exit_code::usage, "--env: " + name + " is given twice");
    all.emplace_back(name, equals == std::string::npos ? std::string(here) : each.substr(equals + 1));
  }
  return all;
}

void declare(command& c, work_options& o) {
  c.option("--name", o.name, "NAME", "what a person calls it; default: the name of the program");
  c.option("--shell", o.shell, "SCRIPT", "run this by /bin/sh -c instead of a command after --");
  c.option("--priority", o.priority, "LEVEL", "urgent, high, normal (default) or low", complete::priorities);
  c.option("--lane", o.lane, "LANE", "fairness key: lanes take turns inside a priority");
  c.option("--workspace", o.workspace, "NAME", "tenant that the work belongs to");
  c.option("--timeout", o.timeout, "TIME", "of one attempt, such as 90s or 1h30m; default 30m, 0 for none");
  c.option("--grace", o.grace, "TIME", "between TERM and KILL when it is stopped; default 5s");
  c.option("--retries", o.retries, "N", "attempts after the first; default 3, 0 for none");
  c.option("--retry-delay", o.retry_delay, "TIME", "before the first retry; default 1s");
  c.option("--backoff", o.backoff, "KIND", "how the delay grows: fixed, linear or exponential (default)");
  c.option("--max-losses", o.max_losses, "N", "attempts that may be lost with their worker; default 3");
  c.option("--cwd", o.cwd, "DIR", "working directory; default: the present one", complete::folders);
  c.option("--env", o.env, "NAME=VALUE",
           "environment variable, repeatable; NAME alone passes on its value here");
  c.option("--stdin", o.input, "FILE", "text for its stdin, at most 64 KiB; - reads it from here",
           complete::files);
  c.option("--payload", o.payload, "JSON",
           "data for the handler, on stdin unless --stdin is given; @FILE reads a file");
  c.option("--tag", o.tags, "TAG", "to find it by, repeatable");
  c.option("--metadata", o.metadata, "JSON", "an object to keep with it; @FILE reads a file");
  c.option("--memory", o.memory, "SIZE", "limit of its address space, such as 512MiB");
  c.option("--cpu", o.cpu, "TIME", "limit of its processor time, such as 30s");
  c.option("--files", o.files, "N", "limit of its open files");
  c.option("--success-codes", o.success_codes, "CODES",
           "exit codes that mean success, such as 0,3; default 0");
  c.option("--retry-codes", o.retry_codes, "CODES",
           "exit codes that are tried again, such as 75; default: all others");
  c.option("--on-end", o.on_end, "SCRIPT", "run by /bin/sh -c after the end, with BELFRY_HOOK_* variables");
  c.option(
      "--only-if", o.only_if, "SCRIPT",
      "asked by /bin/sh -c before each attempt: exit 0 goes on, 1 skips the run, else the attempt failed");
  c.option("--only-if-timeout", o.only_if_timeout, "TIME", "how long it may take; default 30s");
  c.option("--concurrency-key", o.concurrency_key, "KEY", "runs that share it take turns");
  c.option("--concurrency-limit", o.concurrency_limit, "N", "how many of them run at a time; default 1");
  c.option("--cap", o.capabilities, "WORD", "capability that the worker must have, repeatable");
  c.flag("--skip-checks", o.skip_checks,
         "take it although its program or directory is not there now; who said so is kept");
  c.option("--prefer", o.preferred, "WORD", "capability that the worker had better have, repeatable");
  c.option("--for-type", o.agent_types, "WORD", "only for workers of this agent type, repeatable");
  c.option("--channel", o.channel, "NAME", "only for workers of this channel");
  c.option("--owner", o.owner, "WHO", "only for this session, or `person`: for no machine",
           complete::sessions);
  c.flag("--outside", o.outside, "no command: the run is left to an outside worker");
  c.rest("COMMAND…", o.argv, "the program and its arguments");
}

bool gives_work(const work_options& o) { return o.shell || !o.argv.empty() || o.outside; }

void write_work(writer& w, const work_options& o, const std::string& cwd) {
  if (o.shell && !o.argv.empty())
    throw refusal(exit_code::usage, "give either --shell or a command after --, not both");
  if (o.outside && (o.shell || !o.argv.empty()))
    throw refusal(exit_code::usage,
                  "--outside leaves the work to an outside worker, so there is no command to give");
  put(w, "name", o.name);
  if (gives_work(o)) write_handler(w, o, cwd);
  if (o.payload) w.key("payload").raw(read_json(*o.payload, "--payload"));
  put(w, "priority", o.priority);
  put(w, "lane", o.lane);
  put(w, "workspace", o.workspace);
  put(w, "timeout", o.timeout);
  put(w, "grace", o.grace);
  write_retry(w, o);
  if (!o.tags.empty()) w.texts("tags", o.tags);
  if (!o.capabilities.empty()) w.texts("capabilities", o.capabilities);
  if (!o.preferred.empty()) w.texts("preferred_capabilities", o.preferred);
  if (!o.agent_types.empty()) w.texts("agent_types", o.agent_types);
  put(w, "channel", o.channel);
  if (o.owner) {
    const bool person = *o.owner == "person";
    w.key("owner").begin_object().member("kind", person ? "person" : "session");
    if (!person) w.member("session", *o.owner);
    w.end_object();
  }
  if (o.metadata) w.key("metadata").raw(read_json(*o.metadata, "--metadata"));
  put(w, "concurrency_key", o.concurrency_key);
  if (o.concurrency_limit) w.member("concurrency_limit", *o.concurrency_limit);
  if (o.skip_checks) w.member("skip_checks", true);
  if (o.only_if_timeout && !o.only_if)
    throw refusal(exit_code::usage, "--only-if-timeout belongs to --only-if", {}, "belfry help submit");
  if (o.only_if && o.only_if->empty()) {
    w.key("condition").null();
  } else if (o.only_if) {
    w.key("condition").begin_object().member("shell", *o.only_if);
    put(w, "timeout", o.only_if_timeout);
    w.end_object();
  }
  if (o.on_end) {
    w.key("on_end").begin_object().member("shell", *o.on_end);
    if (!cwd.empty()) w.member("cwd", cwd);
    w.end_object();
  }
}

std::string read_text(const std::string& path, std::size_t limit, const std::string& option) {
  std::string text;
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file || std::filesystem::is_directory(path))
      throw refusal(exit_code::usage, option + ": '" + path + "' cannot be read", {},
                    "give the path of a text file");
  }
  std::istream& in = path == "-" ? std::cin : file;
  std::array<char, 65536> block{};
  while (text.size() <= limit && (in.read(block.data(), block.size()) || in.gcount() > 0))
    text.append(block.data(), static_cast<std::size_t>(in.gcount()));
  const std::string shown = path == "-" ? "stdin" : path;
  if (text.size() > limit)
    throw refusal(exit_code::usage,
                  option + ": " + shown + " has more than " + std::to_string(limit) + " bytes", {},
                  "keep large data in a file and pass its path");
  if (!core::valid_utf8(text))
    throw refusal(exit_code::usage, option + ": " + shown + " is not UTF-8 text", {},
                  "encode binary data, for example with base64");
  return text;
}

std::string read_json(const std::string& given, const std::string& option) {
  const std::string text =
      !given.empty() && given.front() == '@' ? read_text(given.substr(1), 1U << 20U, option) : given;
  const auto parsed = api::json::document::parse(text);
  if (!parsed)
    throw refusal(exit_code::usage, option + " is not JSON", {parsed.error().text},
                  "quote it for the shell: " + option + " '{\"key\":\"value\"}'");
  return text;
}

std::string caller_folder() {
  std::error_code error;
  const auto here = std::filesystem::current_path(error);
  return error ? std::string{} : here.string();
}

std::string flag_of(const std::string& pointer) {
  struct row {
    std::string_view pointer, flag;
  };
  static constexpr std::array<row, 49> rows{{{"/name", "--name"},
                                             {"/priority", "--priority"},
                                             {"/schedule", "--cron, --every, --at, --when or --on-event"},
                                             {"/zone", "--zone"},
                                             {"/starts", "--starts"},
                                             {"/ends", "--ends"},
                                             {"/jitter", "--jitter"},
                                             {"/not_on", "--not-on"},
                                             {"/not_between", "--not-between"},
                                             {"/not_in", "--not-in"},
                                             {"/excluded", "--excluded"},
                                             {"/catch_up", "--catch-up"},
                                             {"/catch_up_max", "--catch-up-max"},
                                             {"/catch_up_grace", "--catch-up-grace"},
                                             {"/start_deadline", "--start-deadline"},
                                             {"/fire_limit", "--fire-limit"},
                                             {"/fire_window", "--fire-window"},
                                             {"/max_runs", "--max-runs"},
                                             {"/lane", "--lane"},
                                             {"/workspace", "--workspace"},
                                             {"/timeout", "--timeout"},
                                             {"/grace", "--grace"},
                                             {"/retry/retries", "--retries"},
                                             {"/retry/max_attempts", "--retries"},
                                             {"/retry/max_losses", "--max-losses"},
                                             {"/retry/base", "--retry-delay"},
                                             {"/retry/backoff", "--backoff"},
                                             {"/handler/cwd", "--cwd"},
                                             {"/handler/env", "--env"},
                                             {"/handler/stdin", "--stdin"},
                                             {"/handler/limits/memory", "--memory"},
                                             {"/handler/limits/cpu", "--cpu"},
                                             {"/handler/limits/files", "--files"},
                                             {"/payload", "--payload"},
                                             {"/tags", "--tag"},
                                             {"/metadata", "--metadata"},
                                             {"/delay", "--delay"},
                                             {"/not_before", "--not-before"},
                                             {"/id", "--id"},
                                             {"/capabilities", "--cap"},
                                             {"/preferred_capabilities", "--prefer"},
                                             {"/agent_types", "--for-type"},
                                             {"/channel", "--channel"},
                                             {"/owner", "--owner"},
                                             {"/on_end", "--on-end"},
                                             {"/condition/timeout", "--only-if-timeout"},
                                             {"/condition", "--only-if"},
                                             {"/max_runs_of", "--max-runs-of"},
                                             {"/retry_past_next", "--retry-past-next"}}};
  for (const auto& [known, flag] : rows)
    if (pointer == known || pointer.rfind(std::string(known) + "/", 0) == 0) return std::string(flag);
  if (pointer.rfind("/handler/argv", 0) == 0) return "COMMAND";
  return pointer;
}

}  // namespace belfry::app
