// ENVIRONMENT of a child: nothing of the node leaks into it but seven harmless names, so that a run means the
// same whoever started the node. Later entries replace earlier ones of the same name: base, then the spec's,
// then belfry's own.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/ports/processes.hpp"

namespace belfry::platform {

using environment = std::vector<std::pair<std::string, std::string>>;

/// PATH, HOME, USER, LOGNAME, LANG, TZ, TMPDIR of this process, as far as they are set (`read` is ::getenv).
environment base_environment(const char* (*read)(const char*));

// "NAME=value" strings and the array that exec wants, in one piece of memory.
class environment_block {
 public:
  environment_block(const environment& base, const process_order& order);
  char* const* pointers() const { return pointers_.data(); }
  /// Value of PATH, or the system's default where there is none.
  std::string_view path() const { return path_; }
  /// The first name that cannot be: empty, or with '=' or NUL in name, or NUL in the value; else empty text.
  const std::string& complaint() const { return complaint_; }

 private:
  std::vector<std::string> entries_;
  std::vector<char*> pointers_;
  std::string path_;
  std::string complaint_;
};

inline constexpr std::string_view default_path = "/usr/local/bin:/usr/bin:/bin";

}  // namespace belfry::platform
