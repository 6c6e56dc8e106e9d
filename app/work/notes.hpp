// NOTES: what a worker says on stderr, one line each, key first. Never a token.
#pragma once

#include <atomic>
#include <string>

namespace belfry::app {

class work_notes {
 public:
  explicit work_notes(bool quiet) : quiet_(quiet) {}
  void say(const std::string& line) const;  // not with --quiet
  void warn(const std::string& line) const;
  /// Contact was lost, or found again: said once per change, whichever thread noticed.
  void away(const std::string& why);
  void back();

 private:
  bool quiet_;
  std::atomic<bool> away_{false};
};

}  // namespace belfry::app
