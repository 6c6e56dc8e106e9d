// Messages of every kind with any content, and one of each kind in which no field has its usual value.
#pragma once

#include <rapidcheck/catch.h>

#include <string>
#include <vector>

#include "messages/wire/wire.hpp"

namespace belfry::tests::wires {

namespace m = messages;
namespace w = messages::wire;

inline std::string any_text() { return *rc::gen::string<std::string>(); }
inline std::vector<std::string> any_texts() {
  return *rc::gen::container<std::vector<std::string>>(rc::gen::string<std::string>());
}
template <class Int>
Int any_number() {
  return *rc::gen::inRange<Int>(0, std::numeric_limits<Int>::max());
}
inline bool any_flag() { return *rc::gen::arbitrary<bool>(); }
inline core::span any_span() {
  return core::span{*rc::gen::inRange<std::int64_t>(0, core::micros(core::end_of_time) + 1)};
}
inline core::instant any_time() { return core::never + any_span(); }
template <class Id>
Id any_id() {
  return Id{any_number<std::int64_t>()};
}
template <class Enum>
Enum any_of(Enum last) {
  return static_cast<Enum>(*rc::gen::inRange(0, static_cast<int>(last) + 1));
}
inline double any_real() { return *rc::gen::arbitrary<double>(); }
inline core::token_hash any_hash() {
  core::token_hash h{};
  for (auto& b : h) b = *rc::gen::arbitrary<std::uint8_t>();
  return h;
}
template <class F>
auto perhaps(F f) -> std::optional<decltype(f())> {
  return any_flag() ? std::optional{f()} : std::nullopt;
}
template <class F>
auto some(F f) {
  std::vector<decltype(f())> list;
  for (auto n = *rc::gen::inRange(0, 4); n > 0; --n) list.push_back(f());
  return list;
}

inline core::failure any_failure() {
  return {*rc::gen::elementOf(core::all_errcs()), any_text(), some([] {
            return core::field_problem{any_text(), any_text(), any_text(), any_text()};
          }),
          any_text(), any_number<std::int64_t>()};
}
inline w::held_run any_held() {
  return {any_id<core::session_id>(), any_id<core::run_id>(), any_number<std::uint64_t>()};
}
inline core::session any_session() {
  core::session s;
  s.id = any_id<core::session_id>();
  s.name = any_text();
  s.agent_type = any_text();
  s.workspace = any_text();
  s.channel = any_text();
  s.capabilities = any_texts();
  s.handlers = some([] { return any_of(core::handler_kind::process); });
  s.slots = any_number<std::uint32_t>();
  s.state = any_of(core::session_state::gone);
  s.prompting = any_flag();
  s.local = any_flag();
  s.created_at = any_time();
  s.last_seen = any_time();
  s.draining = any_flag();
  s.paused = any_flag();
  s.metadata = any_text();
  s.wake = {
      any_of(core::wake_via::none), any_text(), any_text(), any_texts(), any_text(), any_span(), any_flag()};
  return s;
}
inline core::spawned_worker any_worker() {
  return {any_id<core::session_id>(),
          any_id<core::run_id>(),
          any_number<std::uint64_t>(),
          any_text(),
          any_text(),
          any_of(core::worker_state::ended),
          any_of(core::worker_end::node_gone),
          any_number<std::int64_t>(),
          any_hash(),
          any_time(),
          any_time(),
          any_time(),
          any_text()};
}
inline core::run_head any_head() {
  core::run_head h;
  h.id = any_id<core::run_id>();
  h.spec = any_id<core::spec_id>();
  h.job = any_id<core::job_id>();
  h.revision = any_number<std::uint32_t>();
  h.batch = any_id<core::batch_id>();
  h.parent = any_id<core::run_id>();
  h.predecessor = any_id<core::run_id>();
  h.successor = any_id<core::run_id>();
  h.state = any_of(core::run_state::skipped);
  h.prio = any_of(core::priority::low);
  h.name = any_text();
  h.lane = any_text();
  h.needs = {any_text(), any_text(), any_texts(), any_texts(), any_texts(), any_id<core::session_id>(),
             any_flag()};
  h.concurrency_key = any_text();
  h.concurrency_limit = any_number<std::uint32_t>();
  h.timeout = any_span();
  h.manual = any_flag();
  h.attempt = any_number<std::uint32_t>();
  h.used = any_number<std::uint32_t>();
  h.losses = any_number<std::uint32_t>();
  h.fencing = any_number<std::uint64_t>();
  h.created_at = any_time();
  h.eligible_since = any_time();
  h.due_at = any_time();
  h.ended_at = any_time();
  h.held = {any_id<core::session_id>(), any_hash(), any_time(), any_time(), any_time(), any_time()};
  h.cancel_requested = any_flag();
  h.discarded = any_flag();
  h.chain = any_number<std::uint16_t>();
  h.last_class = any_of(core::failure_class::spawn);
  h.reason = any_text();
  h.created_by = any_text();
  h.progress = any_real();
  h.progress_text = any_text();
  h.forced = any_flag();
  h.trial = any_flag();
  h.aged = any_flag();
  return h;
}
inline core::attempt_record any_attempt() {
  core::attempt_record a;
  a.run = any_id<core::run_id>();
  a.number = any_number<std::uint32_t>();
  a.fencing = any_number<std::uint64_t>();
  a.holder = any_id<core::session_id>();
  a.claimed_at = any_time();
  a.started_at = any_time();
  a.ended_at = any_time();
  a.outcome = any_of(core::run_state::skipped);
  a.klass = any_of(core::failure_class::spawn);
  a.message = any_text();
  a.exit_code = perhaps([] { return *rc::gen::arbitrary<int>(); });
  a.signal = perhaps([] { return *rc::gen::arbitrary<int>(); });
  a.stopped_with = any_text();
  a.used = {any_span(), any_span(), any_number<std::uint64_t>()};
  a.result = any_text();
  a.output_bytes = any_number<std::uint64_t>();
  a.output_truncated = any_flag();
  return a;
}
inline core::run_spec any_spec() {
  core::run_spec s;
  s.name = any_text();
  s.handler = any_of(core::handler_kind::process);
  s.process.argv = any_texts();
  s.process.shell = any_text();
  s.process.cwd = any_text();
  s.process.env = {{any_text(), any_text()}};
  s.process.stdin_text = any_text();
  s.process.cpu_limit = any_span();
  s.payload = any_text();
  s.prio = any_of(core::priority::low);
  s.lane = any_text();
  s.needs.capabilities = any_texts();
  s.timeout = any_span();
  s.grace = any_span();
  s.retry.multiplier = any_real();
  s.retry.kind = any_of(core::backoff_kind::exponential);
  s.tags = any_texts();
  s.metadata = any_text();
  s.traceparent = any_text();
  s.hook.shell = any_text();
  s.unreadable = any_text();
  return s;
}
inline m::claimed_run any_claimed() {
  m::claimed_run c;
  c.run.head = any_head();
  c.run.spec = std::make_shared<const core::run_spec>(any_spec());
  if (any_flag())
    c.run.past = std::make_shared<const core::run_past>(
        core::run_past{some(any_attempt), perhaps([] {
                         return core::checkpoint{any_number<std::uint32_t>(), any_time(), any_text()};
                       })});
  c.token = any_text();
  return c;
}
inline core::lease_proof any_proof() { return {any_number<std::uint64_t>(), any_hash()}; }
inline core::log_line any_line() {
  return {any_id<core::run_id>(),         any_number<std::uint32_t>(),
          any_number<std::uint64_t>(),    any_time(),
          any_of(core::log_stream::node), any_text(),
          any_of(core::log_level::error)};
}
inline m::lease_call any_call() {
  m::lease_call c;
  c.run = any_id<core::run_id>();
  switch (*rc::gen::inRange(0, 5)) {
    case 0: c.what = core::cmd_start{any_proof()}; break;
    case 1: c.what = core::cmd_renew{any_proof(), any_span()}; break;
    case 2: c.what = core::cmd_progress{any_proof(), any_real(), any_text()}; break;
    case 3: c.what = core::cmd_checkpoint{any_proof(), any_text()}; break;
    default: c.what = core::cmd_log{any_proof(), some(any_line), any_number<std::uint64_t>()}; break;
  }
  return c;
}
inline core::cmd_settle any_settle() {
  core::cmd_settle c;
  c.proof = any_proof();
  c.kind = any_of(core::settle_kind::skipped);
  c.klass = any_of(core::failure_class::spawn);
  c.message = any_text();
  c.retry_after = perhaps(any_span);
  c.until = perhaps(any_time);
  c.resource = any_text();
  c.exit_code = perhaps([] { return *rc::gen::arbitrary<int>(); });
  c.signal = perhaps([] { return *rc::gen::arbitrary<int>(); });
  c.stopped_with = any_text();
  c.used = {any_span(), any_span(), any_number<std::uint64_t>()};
  c.result = any_text();
  c.output_bytes = any_number<std::uint64_t>();
  c.output_truncated = any_flag();
  c.unit = any_real();
  c.limits_type = any_number<std::uint8_t>();
  return c;
}
inline w::question any_question() {
  switch (*rc::gen::inRange(0, 5)) {
    case 0:
      return m::register_session{any_session(), any_text(), perhaps([] {
                                   return m::once_key{any_text(), any_hash()};
                                 }),
                                 perhaps(any_hash), perhaps(any_worker)};
    case 1: return m::end_session{any_id<core::session_id>(), any_text(), any_flag(), any_text()};
    case 2:
      return m::claim_runs{any_id<core::session_id>(),
                           any_number<std::uint32_t>(),
                           any_span(),
                           any_of(core::priority::low),
                           any_span(),
                           any_flag(),
                           perhaps(any_hash),
                           some(any_id<core::run_id>)};
    case 3: return m::touch_leases{some(any_call)};
    default:
      return m::settle_runs{some([] {
                              return m::settle_item{any_id<core::run_id>(), any_settle()};
                            }),
                            any_text()};
  }
}
inline w::reply any_reply() {
  switch (*rc::gen::inRange(0, 4)) {
    case 0: return m::session_answer{any_session(), any_flag()};
    case 1:
      return m::claimed_runs{some(any_claimed), any_of(core::session_state::gone), some([] {
                               return core::ineligible{any_text(), any_text()};
                             }),
                             any_span()};
    case 2:
      return m::touched{some([]() -> core::result<m::lease_status> {
        if (any_flag()) return any_failure();
        return m::lease_status{any_time(), any_time(), any_flag(),
                               any_flag(), any_flag(), any_number<std::uint64_t>()};
      })};
    default:
      return m::settled{some([]() -> core::result<m::settled_item> {
        if (any_flag()) return any_failure();
        return m::settled_item{any_head(), any_flag()};
      })};
  }
}

}  // namespace belfry::tests::wires
