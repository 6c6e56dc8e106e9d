// SIM LABELS: what a message is called in a trace.
#pragma once

#include <string>

namespace caf {
class type_erased_tuple;
}

namespace belfry::tests {

/// The types of a message: names of our own structs, numbers of those that CAF knows. No addresses.
std::string label_of(const caf::type_erased_tuple& content);

}  // namespace belfry::tests
