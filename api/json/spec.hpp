// SPEC in JSON: what is to be done, as runs, jobs and hooks share it.
#pragma once

#include <span>
#include <string_view>

#include "api/json/reader.hpp"
#include "api/json/writer.hpp"
#include "core/run/spec.hpp"

namespace belfry::api::json {

// Members that a run and a job have in common, in the order of the API document.
std::span<const field<core::run_spec>> spec_fields();

// core::normalise, then core::check with its problems told in the words of the API.
void settle(core::run_spec& spec, const std::string& base, problems& found);
// A pointer of core ("/handler/cpu_limit") in the words of the API ("/handler/limits/cpu").
std::string api_pointer(std::string_view core_pointer, std::size_t base_length);
// What the name is when nobody gave one: the base name of the program, the first word of a script, else
// "run".
std::string default_name(const core::run_spec& spec);

// The members of the definition in the shape in which it is submitted, so that it can be sent again:
// durations as text, values of environment variables included. Only what differs from the default.
void write_condition(writer& w, const core::run_condition& c);  // with its key
void write_spec_members(writer& w, const core::run_spec& spec);
// For a run that is looked at: durations in milliseconds, of the environment only the names.
void write_spec_view(writer& w, const core::run_spec& spec);

}  // namespace belfry::api::json
