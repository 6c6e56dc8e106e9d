#include "api/http/problem.hpp"

#include "api/json/failures.hpp"

namespace belfry::api {
namespace {

using core::errc;

void append_html(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      default: out += c;
    }
  }
}

std::string page(std::string_view title, std::string_view body) {
  std::string out = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>";
  append_html(out, title);
  out += "</title><body style=\"font:16px/1.5 sans-serif;max-width:42em;margin:3em auto\"><h1>";
  append_html(out, title);
  return ((out += "</h1>") += body) += "</body></html>\n";
}

std::string facts(errc e) {
  return "Code `" + std::string{core::code_of(e)} + "`, HTTP status " + std::to_string(status_of(e)) +
         (core::retryable(e) ? "; the same request may succeed later."
                             : "; the same request will not succeed later.");
}

}  // namespace

unsigned status_of(errc e) {
  switch (e) {
    case errc::internal: return 500;
    case errc::malformed: return 400;
    case errc::invalid: return 422;
    case errc::unknown_field: return 422;
    case errc::too_large: return 413;
    case errc::not_found: return 404;
    case errc::ambiguous: return 409;
    case errc::already_exists: return 409;
    case errc::invalid_transition: return 409;
    case errc::stale_lease: return 409;
    case errc::conflict: return 409;
    case errc::idempotency_mismatch: return 422;
    case errc::idempotency_in_progress: return 409;
    case errc::overloaded: return 503;
    case errc::unavailable: return 503;
    case errc::storage_full: return 503;
    case errc::storage_damaged: return 503;
    case errc::schema_newer: return 503;
    case errc::store_held: return 503;
    case errc::unauthorised: return 401;
    case errc::forbidden: return 403;
    case errc::method_not_allowed: return 405;
    case errc::unsupported_media: return 415;
    case errc::timed_out: return 503;
    case errc::aborted: return 503;
    case errc::lease_held: return 409;
    case errc::unknown_handler: return 422;
    case errc::limit_exceeded: return 422;
    case errc::confirmation_required: return 422;
    case errc::precondition_failed: return 412;
    case errc::paused: return 409;
    case errc::rate_limited: return 429;
  }
  return 500;
}

unsigned retry_after(errc e) {
  switch (e) {
    case errc::overloaded:
    case errc::idempotency_in_progress:
    case errc::aborted:
    case errc::timed_out: return 1;
    case errc::unavailable:
    case errc::store_held: return 5;
    case errc::storage_full: return 30;
    default: return 0;
  }
}

response problem(const core::failure& f, unsigned status, std::string_view request_id) {
  json::writer w{512};
  json::write_problem(w, f, status, request_id);
  response r;
  r.status = status;
  r.content_type = problem_type;
  r.body = w.take();
  const auto seconds =
      f.retry_ms > 0 ? static_cast<unsigned>((f.retry_ms + 999) / 1000) : retry_after(f.code);
  if (seconds > 0 && (status == 503 || status == 429 || status == 409))
    r.headers.emplace_back("Retry-After", std::to_string(seconds));
  return r;
}

response problem_page(errc e, bool html) {
  response r;
  if (html) {
    std::string body = "<p>";
    append_html(body, core::help_of(e));
    body += "</p><p>";
    append_html(body, facts(e));
    body += "</p><p><a href=\"/problems\">All problems</a></p>";
    r.content_type = "text/html; charset=utf-8";
    r.body = page(core::title_of(e), body);
  } else {
    r.content_type = "text/markdown; charset=utf-8";
    r.body = "# " + std::string{core::title_of(e)} + "\n\n" + std::string{core::help_of(e)} + "\n\n" +
             facts(e) + "\n";
  }
  return r;
}

response problem_index(bool html) {
  response r;
  std::string body = html ? "<ul>" : "# Problems\n\n";
  for (const auto e : core::all_errcs()) {
    const std::string code{core::code_of(e)};
    if (html) {
      body += "<li><a href=\"/problems/" + code + "\">" + code + "</a>: ";
      append_html(body, core::title_of(e));
      body += "</li>";
    } else {
      body += "- [" + code + "](/problems/" + code + "): " + std::string{core::title_of(e)} + "\n";
    }
  }
  r.content_type = html ? "text/html; charset=utf-8" : "text/markdown; charset=utf-8";
  r.body = html ? page("Problems", body + "</ul>") : body;
  return r;
}

}  // namespace belfry::api
