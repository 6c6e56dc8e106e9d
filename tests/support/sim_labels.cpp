#include "tests/support/sim_labels.hpp"

#include <cxxabi.h>
#include <caf/type_erased_tuple.hpp>

#include <cstdlib>
#include <string_view>
#include <typeinfo>
#include <unordered_map>

namespace belfry::tests {
namespace {

std::string readable(const std::type_info& type) {
  int status = 0;
  char* name = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string out = status == 0 && name != nullptr ? name : type.name();
  std::free(name);
  for (const std::string_view noise :
       {"belfry::messages::", "belfry::actors::", "belfry::core::", "belfry::storage::"})
    for (auto at = out.find(noise); at != std::string::npos; at = out.find(noise))
      out.erase(at, noise.size());
  return out.substr(0, 60);
}

}  // namespace

std::string label_of(const caf::type_erased_tuple& content) {
  static std::unordered_map<const std::type_info*, std::string> known;
  std::string out;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const auto type = content.type(i);
    if (!out.empty()) out += ", ";
    if (type.second == nullptr) {
      out += "caf:" + std::to_string(type.first);
      continue;
    }
    auto it = known.find(type.second);
    if (it == known.end()) it = known.emplace(type.second, readable(*type.second)).first;
    out += it->second;
  }
  return out;
}

}  // namespace belfry::tests
