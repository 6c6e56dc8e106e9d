// VALIDATE: static checks of a spec before anything is saved. Fast, needs no network and no file system.
#pragma once

#include <vector>

#include "core/errors/result.hpp"
#include "core/run/spec.hpp"

namespace belfry::core {

struct spec_limits {
  std::size_t name = 200;
  std::size_t payload = 64 * 1024;
  std::size_t metadata = 16 * 1024;
  std::size_t arguments = 256;              // elements of argv
  std::size_t argument_bytes = 128 * 1024;  // argv and env together
  std::size_t environment = 256;
  std::size_t tags = 32;
  std::size_t tag = 64;
  std::size_t capabilities = 32;
  std::size_t word = 100;  // workspace, lane, channel, capability, agent type, concurrency key
  std::size_t stdin_bytes = 64 * 1024;
};

// Brings words into their canonical form (trim, lower case for capabilities; sort, unique for sets).
void normalise(run_spec& spec);
// Every mistake at once, as problems with JSON pointers below `base` ("" or "/runs/3"); empty when there is
// none.
std::vector<field_problem> check(const run_spec& spec, const spec_limits& limits, const std::string& base);

}  // namespace belfry::core
