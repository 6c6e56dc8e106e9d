// TIME AS TEXT: durations ("90s", "1h30m", "1.5s", "250ms", "2d", "PT1M30S") and RFC 3339 instants with
// offset. Sources: RFC 3339 section 5.6 (no leap second 60 beyond acceptance as :59.999999), ISO 8601
// section 5.5.2 (D, H, M, S; no Y/M/W-mixes).
#pragma once

#include <string>
#include <string_view>

#include "core/errors/result.hpp"
#include "core/time/instant.hpp"

namespace belfry::core {

// Not negative; a bare number is refused (units are required, "0" alone is accepted). errc::invalid says the
// forms.
result<span> parse_span(std::string_view text);
// Shortest exact form: "90s" -> "1m30s", 0 -> "0s", sub-second as ms or us. parse_span(to_text(s)) == s.
std::string to_text(span s);
// "2026-11-21T10:00:00.123Z", or any offset; years 1970 to 9999.
result<instant> parse_instant(std::string_view text);
// UTC with milliseconds (microseconds only where they are not zero).
std::string to_rfc3339(instant t);

}  // namespace belfry::core
