#include "core/run/run.hpp"

namespace belfry::core {

std::string_view to_text(log_stream s) {
  switch (s) {
    case log_stream::out: return "stdout";
    case log_stream::err: return "stderr";
    case log_stream::node: return "node";
  }
  return "unknown";
}

}  // namespace belfry::core
