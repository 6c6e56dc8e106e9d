// WORDS: instants, lengths of time and sizes as people read them, and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/output/terminal.hpp"
#include "core/errors/result.hpp"
#include "core/time/instant.hpp"

namespace belfry::app {

core::instant now();                                   // the wall clock, once per command
std::string ago(core::instant at, core::instant now);  // "3s ago", "in 5m", "now"
std::string ago(std::string_view rfc3339,
                core::instant now);              // "" for an empty text, the text itself when it is no time
std::string lasting(std::int64_t milliseconds);  // "87ms", "1.2s", "3m12s", "5h03m", "2d04h"
std::string sized(std::uint64_t bytes);          // "512 B", "1.5 KiB", "3.2 GiB"
// "64MiB", "1GiB", "500k", "4096". errc::invalid says the forms.
core::result<std::uint64_t> parse_size(std::string_view text);
std::string size_text(std::uint64_t bytes);  // exact: "64MiB", "1000"; parse_size takes it back
std::string joined(const std::vector<std::string>& parts, std::string_view between);
colour colour_of_state(std::string_view state);

}  // namespace belfry::app
