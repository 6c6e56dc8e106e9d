// DECLARATIONS: the jobs and runs of files: [[job]] and [[run]] tables in TOML, or {"job":[…],"run":[…]} in
// JSON.
//
// A table has the members of the HTTP API. What belongs to the handler may stand flat beside the name: argv,
// shell, cwd, env, stdin, limits, success_codes, retryable_codes; `retries` stands for retry.retries. A
// relative cwd is relative to the file. A job lives until it is archived; applying it again changes nothing.
// A run is submitted each time its file is applied, `times` of them; with `once = "KEY"` at most once as long
// as the node remembers the key (a day).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/apply/located.hpp"

namespace belfry::app {

struct declared_job {
  std::string name;
  std::string body;        // as for PUT /v1/jobs/NAME
  std::string definition;  // the same in the node's own words, for comparing
  spot at;
};

struct declared_run {
  std::string name;
  std::string body;  // as for POST /v1/runs
  std::int64_t times = 1;
  std::string once;
  spot at;
};

struct declarations {
  std::vector<declared_job> jobs;
  std::vector<declared_run> runs;
  std::vector<std::string> mistakes;  // all of them, with file, line and column
};

// A file, or all .toml and .json files of a folder, by name. `single`: the file may be one job without a
// [[job]] around it.
declarations read_declarations(const std::string& path, bool single = false);
void refuse_mistakes(const declarations& d, const std::string& path);

}  // namespace belfry::app
