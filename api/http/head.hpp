// HEAD: from Beast's fields to what handlers look at, with the limits that Beast leaves to us. Seen by
// connection.cpp only.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string>

#include "api/http/request.hpp"
#include "api/http/server.hpp"
#include "core/errors/result.hpp"

namespace belfry::api {

struct head_mistake {
  core::failure why;
  unsigned status = 400;
};

inline core::failure fail(core::errc e, std::string text) { return {e, std::move(text), {}, {}}; }

// Fills everything but the body; a mistake ends the connection, because what follows cannot be trusted.
std::optional<head_mistake> read_head(const boost::beast::http::request<boost::beast::http::string_body>& m,
                                      const server_limits& limits, request& out, bool& expects_continue);

}  // namespace belfry::api
