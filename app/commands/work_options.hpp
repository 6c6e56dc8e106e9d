// WORK OPTIONS: the flags that say what is to be done. `submit` and `job create` share them, and make the
// same JSON of them that a program would send.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/json/writer.hpp"
#include "app/cli/command.hpp"

namespace belfry::app {

struct work_options {
  std::optional<std::string> name, priority, lane, workspace, timeout, grace, cwd, input, payload, metadata,
      shell, on_end, only_if, only_if_timeout;
  std::optional<std::string> memory, cpu, retry_delay, backoff, concurrency_key, traceparent;
  std::optional<std::int64_t> retries, max_losses, files, concurrency_limit;
  std::vector<std::string> env, tags, success_codes, retry_codes, capabilities, preferred, agent_types;
  std::optional<std::string> channel, owner;
  std::vector<std::string> argv;  // after --
  bool skip_checks = false;
  bool outside = false;  // no process: left to outside sessions
};

void declare(command& c, work_options& o);
// Members of the definition, without braces. `cwd` stands for --cwd when it is not given; empty: the node
// decides.
void write_work(api::json::writer& w, const work_options& o, const std::string& cwd);
bool gives_work(const work_options& o);
// "1,2,5-7" or the option several times.
std::vector<std::int64_t> exit_codes_of(const std::vector<std::string>& given, const std::string& option);
// From --env: NAME=VALUE, or NAME alone for the value that it has here.
std::vector<std::pair<std::string, std::string>> environment_of(const std::vector<std::string>& given);
// A file, "-" for stdin; at most `limit` bytes and UTF-8, else a refusal that names `option`.
std::string read_text(const std::string& path, std::size_t limit, const std::string& option);
// "{…}" or "@FILE": one JSON value.
std::string read_json(const std::string& given, const std::string& option);
std::string caller_folder();
// The flag that a pointer of a refusal is about ("/timeout" -> "--timeout"); the pointer itself when there is
// none.
std::string flag_of(const std::string& pointer);

}  // namespace belfry::app
