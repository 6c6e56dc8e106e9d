// DIAGNOSTICS: every code with which belfry says that something waits, is kept out, or is wrong: what it
// means, what lifts it, and the command that helps. One table for explain, doctor and docs/diagnostics.md; a
// test compares the page with it. Codes are stable: they are added, never renamed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::core {

enum class diagnostic_area : std::uint8_t {
  wait = 0,     // why a run is not done
  session = 1,  // why a session may not take a run, or takes nothing
  doctor = 2,   // what is wrong with the node
};
std::string_view to_text(diagnostic_area a);

struct diagnostic {
  diagnostic_area area = diagnostic_area::wait;
  std::string_view code;
  std::string_view meaning;
  std::string_view lift;     // what would end it
  std::string_view command;  // with RUN, SESSION, JOB in place of what it is about; may be empty
};

const std::vector<diagnostic>& all_diagnostics();
// Null: there is no such code.
const diagnostic* find_diagnostic(diagnostic_area area, std::string_view code);

// What a command is about. Empty: the word stays, for somebody to put in what he means.
struct diagnostic_subject {
  std::string run = {}, session = {}, job = {};
};
std::string command_of(const diagnostic& d, const diagnostic_subject& about);

}  // namespace belfry::core
