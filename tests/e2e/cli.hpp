// CLI: the command line against a real node, as a person or a script uses it.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/shared_node.hpp"

namespace belfry::test {

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

inline std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

class cli {
 public:
  explicit cli(std::string url) : url_(std::move(url)) {}
  explicit cli(real_node& node) : url_(node.url()) {}

  program_end operator()(std::vector<std::string> words,
                         std::chrono::milliseconds deadline = std::chrono::seconds{30}) const {
    words.insert(words.begin(), belfry_binary());
    return run_program(words, deadline, environment());
  }
  // By /bin/bash, with `belfry` in the path: pipes, folders and signals.
  program_end shell(const std::string& script,
                    std::chrono::milliseconds deadline = std::chrono::seconds{30}) const {
    const auto binary = belfry_binary();
    const auto folder = binary.substr(0, binary.rfind('/'));
    return run_program({"/bin/bash", "-c", "PATH=" + shell_quoted(folder) + ":$PATH; " + script}, deadline,
                       environment());
  }
  // Ends well and prints JSON.
  json doc(std::vector<std::string> words) const {
    words.insert(words.begin(), {"-o", "json"});  // what stands behind -- belongs to the run
    const auto end = (*this)(words);
    if (end.exit_code != 0)
      throw std::runtime_error(words.front() + " ended with " + std::to_string(end.exit_code) + ": " +
                               end.err);
    return json::parse(end.out);
  }
  // Ends well; the only line that it prints.
  std::string line(const std::vector<std::string>& words) const {
    const auto end = (*this)(words);
    if (end.exit_code != 0)
      throw std::runtime_error(words.front() + " ended with " + std::to_string(end.exit_code) + ": " +
                               end.err);
    return first_line(end.out);
  }
  std::vector<std::pair<std::string, std::string>> variables;

 private:
  std::vector<std::pair<std::string, std::string>> environment() const {
    auto all = variables;
    if (!url_.empty()) all.emplace_back("BELFRY_URL", url_);
    all.emplace_back("BELFRY_CONFIG", "/dev/null");
    return all;
  }
  std::string url_;
};

}  // namespace belfry::test
