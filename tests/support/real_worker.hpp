// REAL WORKER: `belfry work` as a child process of the test.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/real_node.hpp"

namespace belfry::test {

// `flags` stand before the `--`, `script` is run by sh -c for each claim.
inline std::unique_ptr<background> start_worker(const std::string& url, std::vector<std::string> flags,
                                                const std::string& script) {
  std::vector<std::string> argv{belfry_binary(), "work", "--server", url};
  argv.insert(argv.end(), flags.begin(), flags.end());
  argv.insert(argv.end(), {"--", "/bin/sh", "-c", script});
  return std::make_unique<background>(argv);
}

// A run that is left to outside workers.
inline json outside_run(const std::string& name, json more = json::object()) {
  more["name"] = name;
  if (!more.contains("handler")) more["handler"] = {{"kind", "none"}};
  return more;
}

}  // namespace belfry::test
