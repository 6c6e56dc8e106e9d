#include "core/codec/spec.hpp"

#include <chrono>
#include <utility>

#include "core/codec/bytes.hpp"
#include "core/codec/trace.hpp"
#include "core/codec/words.hpp"

namespace belfry::core::codec {
namespace {

constexpr std::uint64_t version = 1;

// Frozen usual values.
constexpr span usual_timeout = std::chrono::minutes{30};
constexpr span usual_grace = std::chrono::seconds{5};
constexpr std::uint16_t usual_attempts = 4;
constexpr std::uint16_t usual_losses = 3;
constexpr span usual_base = std::chrono::seconds{1};
constexpr double usual_multiplier = 2.0;
constexpr span usual_cap = std::chrono::hours{1};
constexpr double usual_jitter = 0.3;
constexpr span usual_condition_timeout = std::chrono::seconds{30};

enum spec_tag : std::uint64_t {
  s_name = 1,
  s_handler = 2,
  s_process = 3,
  s_prio = 4,
  s_lane = 5,
  s_needs = 6,
  s_workspace = 7,
  s_timeout = 8,
  s_grace = 9,
  s_attempts = 10,
  s_losses = 11,
  s_backoff = 12,
  s_base = 13,
  s_multiplier = 14,
  s_cap = 15,
  s_jitter = 16,
  s_key = 17,
  s_key_limit = 18,
  s_tag = 19,
  s_metadata = 20,
  s_traceparent = 21,
  s_hook = 22,
  s_unchecked = 23,
  s_trace = 24,  // a traceparent in its short form; 21 for any other text
  s_condition = 25,
  s_condition_timeout = 26,
};
enum process_tag : std::uint64_t {
  p_argv = 1,
  p_shell = 2,
  p_cwd = 3,
  p_env = 4,
  p_stdin = 5,
  p_cpu = 6,
  p_memory = 7,
  p_files = 8,
  p_success = 9,
  p_retryable = 10,
};

void put(out& o, std::uint64_t tag, std::string_view text) {
  if (text.empty()) return;
  o.number(tag);
  o.text(text);
}
void put(out& o, std::uint64_t tag, std::uint64_t value, std::uint64_t usual) {
  if (value == usual) return;
  o.number(tag);
  o.number(value);
}
void put(out& o, std::uint64_t tag, span value, span usual) {
  put(o, tag, static_cast<std::uint64_t>(value.count()), static_cast<std::uint64_t>(usual.count()));
}
void put(out& o, std::uint64_t tag, double value, double usual) {
  if (std::bit_cast<std::uint64_t>(value) == std::bit_cast<std::uint64_t>(usual)) return;
  o.number(tag);
  o.real(value);
}

std::string encode_process(const process_spec& p) {
  out o;
  for (const auto& a : p.argv) {
    o.number(p_argv);
    o.text(a);
  }
  put(o, p_shell, p.shell);
  put(o, p_cwd, p.cwd);
  for (const auto& [key, value] : p.env) {
    o.number(p_env);
    o.text(key);
    o.text(value);
  }
  put(o, p_stdin, p.stdin_text);
  put(o, p_cpu, p.cpu_limit, span{0});
  put(o, p_memory, p.memory_limit, 0);
  put(o, p_files, std::uint64_t{p.file_limit}, 0);
  for (const auto code : p.success_codes) put(o, p_success, std::uint64_t{code}, 256);
  for (const auto code : p.retryable_codes) put(o, p_retryable, std::uint64_t{code}, 256);
  return o.take();
}

process_spec decode_process(std::string_view bytes) {
  process_spec p;
  in i{bytes};
  while (!i.empty()) {
    switch (i.number()) {
      case p_argv: p.argv.emplace_back(i.text()); break;
      case p_shell: p.shell = i.text(); break;
      case p_cwd: p.cwd = i.text(); break;
      case p_env: {
        std::string key{i.text()};
        p.env.emplace_back(std::move(key), std::string{i.text()});
        break;
      }
      case p_stdin: p.stdin_text = i.text(); break;
      case p_cpu: p.cpu_limit = span{i.signed_number()}; break;
      case p_memory: p.memory_limit = i.number(); break;
      case p_files: p.file_limit = static_cast<std::uint32_t>(i.number()); break;
      case p_success: p.success_codes.push_back(static_cast<std::uint8_t>(i.number())); break;
      case p_retryable: p.retryable_codes.push_back(static_cast<std::uint8_t>(i.number())); break;
      default: throw damaged("a stored process has a field that this version does not know");
    }
  }
  return p;
}

}  // namespace

std::string encode_spec(const run_spec& s) {
  out o;
  o.number(version);
  put(o, s_name, s.name);
  put(o, s_handler, static_cast<std::uint64_t>(s.handler), static_cast<std::uint64_t>(handler_kind::none));
  if (const auto process = encode_process(s.process); !process.empty()) put(o, s_process, process);
  put(o, s_prio, static_cast<std::uint64_t>(s.prio), static_cast<std::uint64_t>(priority::normal));
  put(o, s_lane, s.lane);
  put(o, s_workspace, s.needs.workspace);
  if (const auto needs = encode_needs(s.needs); !needs.empty()) put(o, s_needs, needs);
  put(o, s_timeout, s.timeout, usual_timeout);
  put(o, s_grace, s.grace, usual_grace);
  put(o, s_attempts, std::uint64_t{s.retry.max_attempts}, usual_attempts);
  put(o, s_losses, std::uint64_t{s.retry.max_losses}, usual_losses);
  put(o, s_backoff, static_cast<std::uint64_t>(s.retry.kind),
      static_cast<std::uint64_t>(backoff_kind::exponential));
  put(o, s_base, s.retry.base, usual_base);
  put(o, s_multiplier, s.retry.multiplier, usual_multiplier);
  put(o, s_cap, s.retry.cap, usual_cap);
  put(o, s_jitter, s.retry.jitter, usual_jitter);
  put(o, s_key, s.concurrency_key);
  put(o, s_key_limit, std::uint64_t{s.concurrency_limit}, 1);
  for (const auto& tag : s.tags) {
    o.number(s_tag);
    o.text(tag);
  }
  put(o, s_metadata, s.metadata);
  if (is_packable_trace(s.traceparent)) {
    o.number(s_trace);
    put_trace(o, s.traceparent);
  } else {
    put(o, s_traceparent, s.traceparent);
  }
  if (const auto hook = encode_process(s.hook); !hook.empty()) put(o, s_hook, hook);
  process_spec asked;
  asked.argv = s.condition.argv;
  asked.shell = s.condition.shell;
  if (const auto condition = encode_process(asked); !condition.empty()) {
    put(o, s_condition, condition);
    put(o, s_condition_timeout, s.condition.timeout, usual_condition_timeout);
  }
  put(o, s_unchecked, s.unchecked.by);
  return o.take();
}

run_spec decode_spec(std::string_view bytes) {
  in i{bytes};
  if (i.number() != version) throw damaged("a stored spec is of a version that this belfry does not know");
  run_spec s;
  s.handler = handler_kind::none;
  s.prio = priority::normal;
  s.timeout = usual_timeout;
  s.grace = usual_grace;
  s.retry = {usual_attempts, usual_losses, backoff_kind::exponential, usual_base, usual_multiplier,
             usual_cap,      usual_jitter};
  s.concurrency_limit = 1;
  s.condition.timeout = usual_condition_timeout;
  std::string_view needs;
  while (!i.empty()) {
    switch (i.number()) {
      case s_name: s.name = i.text(); break;
      case s_handler: s.handler = static_cast<handler_kind>(i.number()); break;
      case s_process: s.process = decode_process(i.text()); break;
      case s_prio: s.prio = static_cast<priority>(i.number()); break;
      case s_lane: s.lane = i.text(); break;
      case s_workspace: s.needs.workspace = i.text(); break;
      case s_needs: needs = i.text(); break;
      case s_timeout: s.timeout = span{i.signed_number()}; break;
      case s_grace: s.grace = span{i.signed_number()}; break;
      case s_attempts: s.retry.max_attempts = static_cast<std::uint16_t>(i.number()); break;
      case s_losses: s.retry.max_losses = static_cast<std::uint16_t>(i.number()); break;
      case s_backoff: s.retry.kind = static_cast<backoff_kind>(i.number()); break;
      case s_base: s.retry.base = span{i.signed_number()}; break;
      case s_multiplier: s.retry.multiplier = i.real(); break;
      case s_cap: s.retry.cap = span{i.signed_number()}; break;
      case s_jitter: s.retry.jitter = i.real(); break;
      case s_key: s.concurrency_key = i.text(); break;
      case s_key_limit: s.concurrency_limit = static_cast<std::uint32_t>(i.number()); break;
      case s_tag: s.tags.emplace_back(i.text()); break;
      case s_metadata: s.metadata = i.text(); break;
      case s_traceparent: s.traceparent = i.text(); break;
      case s_trace: s.traceparent = take_trace(i); break;
      case s_hook: s.hook = decode_process(i.text()); break;
      case s_condition: {
        auto asked = decode_process(i.text());
        s.condition.argv = std::move(asked.argv);
        s.condition.shell = std::move(asked.shell);
        break;
      }
      case s_condition_timeout: s.condition.timeout = span{i.signed_number()}; break;
      case s_unchecked: s.unchecked.by = i.text(); break;
      default: throw damaged("a stored spec has a field that this version does not know");
    }
  }
  decode_needs(needs, s.needs);
  return s;
}

run_spec read_spec(std::string_view bytes, std::string_view name) {
  try {
    return decode_spec(bytes);
  } catch (const damaged& why) {
    run_spec s;
    s.name = name;
    s.handler = handler_kind::none;
    s.unreadable = why.what();
    return s;
  }
}

}  // namespace belfry::core::codec
