#include "api/json/spec.hpp"
#include "core/time/text.hpp"

namespace belfry::api::json {
namespace {

const core::run_spec& defaults() {
  static const core::run_spec d;
  return d;
}

void duration(writer& w, std::string_view name, core::span value, core::span usual) {
  if (value != usual) w.member(name, core::to_text(value));
}

void optional_text(writer& w, std::string_view name, const std::string& value) {
  if (!value.empty()) w.member(name, value);
}

void optional_texts(writer& w, std::string_view name, const std::vector<std::string>& values) {
  if (!values.empty()) w.texts(name, values);
}

void codes(writer& w, std::string_view name, const std::vector<std::uint8_t>& values) {
  if (values.empty()) return;
  w.key(name).begin_array();
  for (const auto c : values) w.number(std::uint64_t{c});
  w.end_array();
}

enum class shape { definition, view };

void write_process_limits(writer& w, const core::process_spec& p, shape s) {
  if (p.cpu_limit == core::span{0} && p.memory_limit == 0 && p.file_limit == 0) return;
  w.key("limits").begin_object();
  if (p.cpu_limit != core::span{0}) {
    if (s == shape::view)
      w.milliseconds("cpu_ms", p.cpu_limit);
    else
      w.member("cpu", core::to_text(p.cpu_limit));
  }
  if (p.memory_limit != 0) w.member(s == shape::view ? "memory_bytes" : "memory", p.memory_limit);
  if (p.file_limit != 0) w.member("files", p.file_limit);
  w.end_object();
}

void write_environment(writer& w, const core::process_spec& p, shape s) {
  if (p.env.empty()) return;
  std::string escaped;
  if (s == shape::view) {
    w.key("env_names").begin_array();
    for (const auto& [name, value] : p.env) w.text(name);
    w.end_array();
    return;
  }
  w.key("env").begin_object();
  for (const auto& [name, value] : p.env) {
    escaped.clear();
    append_escaped(escaped, name);
    w.member(escaped, value);
  }
  w.end_object();
}

void write_process(writer& w, const core::process_spec& p, shape s) {
  w.begin_object().member("kind", "process");
  if (p.shell.empty())
    w.texts("argv", p.argv);
  else
    w.member("shell", p.shell);
  optional_text(w, "cwd", p.cwd);
  write_environment(w, p, s);
  optional_text(w, "stdin", p.stdin_text);
  write_process_limits(w, p, s);
  codes(w, "success_codes", p.success_codes);
  codes(w, "retryable_codes", p.retryable_codes);
  w.end_object();
}

void write_handler(writer& w, const core::run_spec& spec, shape s) {
  w.key("handler");
  if (spec.handler == core::handler_kind::process)
    write_process(w, spec.process, s);
  else
    w.begin_object().member("kind", "none").end_object();
}

void write_owner(writer& w, const core::requirement& needs) {
  if (needs.exact_session)
    w.key("owner")
        .begin_object()
        .member("kind", "session")
        .member("session", needs.exact_session)
        .end_object();
  else if (needs.person_only)
    w.key("owner").begin_object().member("kind", "person").end_object();
}

void write_needs(writer& w, const core::requirement& needs) {
  optional_text(w, "channel", needs.channel);
  optional_texts(w, "capabilities", needs.capabilities);
  optional_texts(w, "preferred_capabilities", needs.preferred);
  optional_texts(w, "agent_types", needs.agent_types);
  write_owner(w, needs);
}

void write_retry(writer& w, const core::retry_policy& r) {
  const core::retry_policy usual;
  if (r == usual) return;
  w.key("retry").begin_object();
  if (r.max_attempts != usual.max_attempts) w.member("max_attempts", r.max_attempts);
  if (r.max_losses != usual.max_losses) w.member("max_losses", r.max_losses);
  if (r.kind != usual.kind) w.member("backoff", core::to_text(r.kind));
  duration(w, "base", r.base, usual.base);
  if (r.multiplier != usual.multiplier) w.member("multiplier", r.multiplier);
  duration(w, "cap", r.cap, usual.cap);
  if (r.jitter != usual.jitter) w.member("jitter", r.jitter);
  w.end_object();
}

}  // namespace

void write_condition(writer& w, const core::run_condition& c) {
  w.key("condition").begin_object();
  if (c.shell.empty())
    w.texts("argv", c.argv);
  else
    w.member("shell", c.shell);
  if (c.timeout != core::run_condition{}.timeout) w.member("timeout", core::to_text(c.timeout));
  w.end_object();
}

void write_spec_members(writer& w, const core::run_spec& spec) {
  const auto& usual = defaults();
  w.member("name", spec.name);
  write_handler(w, spec, shape::definition);
  if (!spec.payload.empty()) w.key("payload").raw(spec.payload);
  if (spec.prio != usual.prio) w.member("priority", core::to_text(spec.prio));
  optional_text(w, "workspace", spec.needs.workspace);
  optional_text(w, "lane", spec.lane);
  write_needs(w, spec.needs);
  duration(w, "timeout", spec.timeout, usual.timeout);
  duration(w, "grace", spec.grace, usual.grace);
  write_retry(w, spec.retry);
  optional_text(w, "concurrency_key", spec.concurrency_key);
  if (spec.concurrency_limit != usual.concurrency_limit)
    w.member("concurrency_limit", spec.concurrency_limit);
  optional_texts(w, "tags", spec.tags);
  if (!spec.metadata.empty()) w.key("metadata").raw(spec.metadata);
  if (core::given(spec.hook)) {
    w.key("on_end");
    write_process(w, spec.hook, shape::definition);
  }
  if (core::given(spec.condition)) write_condition(w, spec.condition);
  optional_text(w, "traceparent", spec.traceparent);
  if (spec.unchecked) w.member("skip_checks", true);
}

void write_spec_view(writer& w, const core::run_spec& spec) {
  write_handler(w, spec, shape::view);
  w.raw_or_null("payload", spec.payload).raw_or_null("metadata", spec.metadata);
  write_needs(w, spec.needs);
  w.milliseconds("grace_ms", spec.grace);
  w.key("retry").begin_object();
  w.member("max_attempts", spec.retry.max_attempts).member("max_losses", spec.retry.max_losses);
  w.member("backoff", core::to_text(spec.retry.kind)).milliseconds("base_ms", spec.retry.base);
  w.member("multiplier", spec.retry.multiplier).milliseconds("cap_ms", spec.retry.cap);
  w.member("jitter", spec.retry.jitter).end_object();
  w.member_or_null("traceparent", spec.traceparent);
  w.member_or_null("checks_skipped_by", spec.unchecked.by);
  if (core::given(spec.hook)) {
    w.key("on_end");
    write_process(w, spec.hook, shape::view);
  }
  if (core::given(spec.condition)) write_condition(w, spec.condition);
}

}  // namespace belfry::api::json
