// SPEC CODEC: a run spec, the payload apart, in one column. Version 1: the byte 1, then fields as (tag,
// value) in any order; a field that has its usual value is left out. Usual values, tags and the version are
// frozen with the first release (tests/storage has golden bytes): new fields get new tags, and a changed
// default of core changes nothing here.
#pragma once

#include <string>
#include <string_view>

#include "core/run/spec.hpp"

namespace belfry::core::codec {

std::string encode_spec(const run_spec& spec);
run_spec decode_spec(std::string_view bytes);  // throws `damaged`; the payload is left empty

// A row that cannot be read is one run's trouble and not the store's: what stands in its place has the name
// and says why.
run_spec read_spec(std::string_view bytes, std::string_view name);

}  // namespace belfry::core::codec
