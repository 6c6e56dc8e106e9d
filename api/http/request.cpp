#include "api/http/request.hpp"

namespace belfry::api {

std::string_view to_text(verb v) {
  switch (v) {
    case verb::get: return "GET";
    case verb::head: return "HEAD";
    case verb::post: return "POST";
    case verb::put: return "PUT";
    case verb::patch: return "PATCH";
    case verb::remove: return "DELETE";
    case verb::options: return "OPTIONS";
    case verb::other: return "?";
  }
  return "?";
}

std::string_view reason_of(unsigned status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Answer";
  }
}

std::string head_of(const response& r, const request& q, std::string_view request_id, std::string_view date,
                    std::int64_t length, bool keep_alive) {
  std::string h;
  h.reserve(320);
  h += "HTTP/1.1 ";
  h += std::to_string(r.status);
  h += ' ';
  h += reason_of(r.status);
  h += "\r\nServer: belfry\r\nDate: ";
  h += date;
  if (!r.content_type.empty() && r.status != 204) {
    h += "\r\nContent-Type: ";
    h += r.content_type;
    h += "\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store";
  }
  if (length >= 0) {
    if (r.status != 204) {
      h += "\r\nContent-Length: ";
      h += std::to_string(length);
    }
  } else if (!q.http_1_0) {
    h += "\r\nTransfer-Encoding: chunked";
  }
  h += "\r\nX-Request-Id: ";
  h += request_id;
  for (const auto& [name, value] : r.headers) {
    h += "\r\n";
    h += name;
    h += ": ";
    for (const char c : value)  // whatever is put into a header cannot begin another one
      h += c >= 0 && (c < ' ' || c == '\x7F') ? '?' : c;
  }
  if (!keep_alive)
    h += "\r\nConnection: close";
  else if (q.http_1_0)
    h += "\r\nConnection: keep-alive";
  h += "\r\n\r\n";
  return h;
}

}  // namespace belfry::api
