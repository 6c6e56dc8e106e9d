// GUARD: whether a request comes from where it may come from. A page of any web site can make a browser send
// requests to loopback; its Host (DNS rebinding) or its Origin gives it away.
#pragma once

#include <string_view>
#include <vector>

#include "api/http/request.hpp"

namespace belfry::api {

// "localhost:7420", "127.0.0.1", "[::1]:80" → true. The port does not matter.
bool loopback_host(std::string_view host);
bool allowed_host(std::string_view host, const std::vector<std::string>& allowed);
// Empty when the request may pass; else what is wrong with it.
std::string_view foreign(const request& q, const std::vector<std::string>& allowed);
// An actor name or a request id: printable ASCII without spaces and quotes, 1 to `most` characters.
bool plain_word(std::string_view text, std::size_t most);
// "application/json; charset=utf-8" is application/json.
std::string_view media_type(std::string_view content_type);
bool accepts(std::string_view accept, std::string_view type);  // named explicitly

}  // namespace belfry::api
