#include "api/json/failures.hpp"

namespace belfry::api::json {
namespace {

void write_errors(writer& w, const core::failure& f) {
  if (f.problems.empty()) return;
  w.key("errors").begin_array();
  for (const auto& p : f.problems) {
    w.begin_object().member("pointer", p.pointer);
    if (!p.value.empty()) w.member("value", p.value);
    if (!p.allowed.empty()) w.member("allowed", p.allowed);
    w.member("detail", p.detail).end_object();
  }
  w.end_array();
}

}  // namespace

void write_problem(writer& w, const core::failure& f, unsigned status, std::string_view request_id) {
  const auto code = core::code_of(f.code);
  w.begin_object().member("type", "/problems/" + std::string{code}).member("title", core::title_of(f.code));
  w.member("status", status).member("detail", f.text).member("instance", request_id).member("code", code);
  w.member("retryable", core::retryable(f.code));
  write_errors(w, f);
  if (!f.command.empty()) w.member("command", f.command);
  if (f.retry_ms > 0) w.member("retry_after_ms", f.retry_ms);
  w.end_object();
}

void write_failure_members(writer& w, const core::failure& f) {
  w.member("status", "error").member("code", core::code_of(f.code)).member("title", core::title_of(f.code));
  w.member("detail", f.text).member("retryable", core::retryable(f.code));
  write_errors(w, f);
  if (!f.command.empty()) w.member("command", f.command);
  if (f.retry_ms > 0) w.member("retry_after_ms", f.retry_ms);
}

}  // namespace belfry::api::json
