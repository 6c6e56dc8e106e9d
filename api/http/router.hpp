// ROUTER: finds the operation of a method and a path, or says what comes near.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/http/route.hpp"

namespace belfry::api {

struct match {
  const route* found = nullptr;
  std::vector<std::string> arguments;  // of the {…} in the pattern, decoded
  std::vector<verb> allowed;           // methods that the path knows; empty: there is no such path
};

class router {
 public:
  explicit router(const std::vector<route>& table);
  // HEAD is served by GET. An argument that cannot be decoded matches nothing.
  match find(verb method, std::string_view path) const;
  // The pattern that looks most like the path.
  std::string nearest(std::string_view path) const;

 private:
  struct segment {
    std::string_view literal;  // whole segment, or the ":verb" behind an argument
    bool argument = false;
  };
  struct entry {
    const route* r;
    std::vector<segment> segments;
  };
  static bool fits(const entry& e, const std::vector<std::string_view>& parts,
                   std::vector<std::string>& arguments);

  std::unordered_map<std::string_view, std::vector<const route*>> exact_;  // patterns without arguments
  std::vector<entry> patterns_;  // with them, those with a verb first
  const std::vector<route>& table_;
};

}  // namespace belfry::api
