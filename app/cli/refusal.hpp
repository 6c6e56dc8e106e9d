// REFUSAL: a command that cannot do what was asked says what is wrong, why, and what to do, and ends with one
// of the documented exit codes. Thrown inside app/ only; main turns it into text on stderr.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/errors/result.hpp"

namespace belfry::app {

// The table of api.md. The numbers are public.
enum class exit_code : std::uint8_t {
  ok = 0,
  unexpected = 1,
  usage = 2,
  ended_badly = 3,
  permission = 4,
  not_found = 5,
  conflict = 6,
  try_later = 7,
  still_pending = 8,
  partly = 9,  // some of several succeeded
};
constexpr int number_of(exit_code e) { return static_cast<int>(e); }

// The one table from the catalogue of errors to exit codes.
exit_code exit_code_of(core::errc e);

class refusal : public std::runtime_error {
 public:
  refusal(exit_code code, const std::string& what) : std::runtime_error(what), exit(code) {}
  refusal(exit_code code, const std::string& what, std::vector<std::string> reasons, std::string help)
      : std::runtime_error(what), exit(code), why(std::move(reasons)), todo(std::move(help)) {}
  explicit refusal(const core::failure& f);

  exit_code exit;
  std::vector<std::string> why;  // one line each
  std::string todo;              // the command or the deed that helps
  std::string catalogue_code;    // "not_found"; empty when it did not come from the catalogue
  std::string document;          // the problem document of the node, for -o json
};

// "/retry/base: given \"x\", allowed: …"
std::string problem_line(const core::field_problem& p);

}  // namespace belfry::app
