// ERRNO TEXT: what an error number means, safe to call from any thread.
#pragma once

#include <string>
#include <system_error>

namespace belfry::platform {

inline std::string errno_text(int error) { return std::generic_category().message(error); }

}  // namespace belfry::platform
