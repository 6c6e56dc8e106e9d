// HISTORY: judges a whole journal, as GET /v1/events tells it, by the rules that every history must follow:
// numbers without gaps, legal transitions only, the fencing number and the attempt grow by exactly one with
// each claim, every claimed attempt ends once, one end per run, and nothing is claimed after it. It knows the
// rules from the documents, not from the machine that wrote the journal.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/http_client.hpp"

namespace belfry::test {

class history {
 public:
  // The next event. Runs of a batch have one event together: the checker learns of them when they are first
  // mentioned.
  void add(const json& event);
  void add(const std::vector<json>& events);

  struct life {
    // Several while the journal does not tell which: "queued|scheduled".
    std::string state;
    std::uint64_t fencing = 0;
    std::uint32_t attempt = 0;
    std::uint32_t claims = 0;
    std::uint32_t losses = 0;
    std::uint32_t ends = 0;  // terminal records
    std::string last_kind;
    std::int64_t last_seq = 0;
  };
  const std::map<std::string, life>& lives() const { return lives_; }
  const std::vector<std::string>& mistakes() const { return mistakes_; }
  std::int64_t last() const { return last_; }
  std::size_t count() const { return count_; }
  std::int64_t count_of(const std::string& kind) const;
  // Runs that were mentioned and have no end.
  std::vector<std::string> unfinished() const;
  // Compares what the journal says of a run with the run itself (GET /v1/runs/{id}).
  void compare(const json& run);

 private:
  void wrong(const json& event, const std::string& why);
  void step(const json& event, const std::string& kind, life& l);
  void claim(const json& event, life& l);
  void adopt(const json& event, life& l);

  std::map<std::string, life> lives_;
  std::map<std::string, std::int64_t> kinds_;
  std::vector<std::string> mistakes_;
  std::int64_t last_ = 0;
  std::size_t count_ = 0;
};

}  // namespace belfry::test
