// FORWARDED: what a member says of the client whose request it passes on, in one header that it sets itself:
// "Belfry-Forwarded: node=b; from=unix". It is believed of a member's connection alone, and only in its own
// name. On every other connection it is refused, not skipped: whoever sends it wants to be somebody else, and
// should not think that it worked.
#pragma once

#include <string>
#include <string_view>

#include "api/http/request.hpp"
#include "core/errors/result.hpp"

namespace belfry::api {

inline constexpr std::string_view forwarded_name = "Belfry-Forwarded";

// What the member `node` says of this request, which came in through one of its own listeners.
std::string forwarded_text(std::string_view node, const request& q);
// Sets where the client came from. Code: malformed, when it is not what the member `peer` may say.
core::result<void> read_forwarded(std::string_view text, std::string_view peer, request& q);

// The head of the request as it goes to the coordinator: nothing of the client's own head but what this
// program knows, so what a header means to somebody in between is no question. malformed: a value that cannot
// stand in a head.
core::result<std::string> forwarded_head(const request& q, std::string_view node,
                                         std::string_view request_id);

}  // namespace belfry::api
