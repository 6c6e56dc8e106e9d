// What a member asks the coordinator on behalf of its executors.
#include "messages/wire/parts.hpp"

namespace belfry::messages::wire {

template <>
inline constexpr bool chooses<ask> = true;
template <>
inline constexpr bool chooses<lease_call> = true;

void fields(auto& v, like<register_session> auto& m) {
  v.part(1, m.who);
  v.text(2, m.actor, longest_word);
  v.part(3, m.once);
  v.given(4, m.shown);
  v.part(5, m.worker);
}
void fields(auto& v, like<end_session> auto& m) {
  v.id(1, m.id);
  v.text(2, m.reason, longest_line);
  v.flag(3, m.crashed);
  v.text(4, m.actor, longest_word);
}
void fields(auto& v, like<claim_runs> auto& m) {
  v.id(1, m.who);
  v.always(2, m.max);
  v.length(3, m.wait);
  v.choice(4, m.at_least, last_prio);
  v.length(5, m.lease);
  v.flag(6, m.start);
  v.given(7, m.shown);
  v.ids(8, m.holds);
}

void fields(auto& v, like<core::cmd_start> auto& c) { v.part(1, c.proof); }
void fields(auto& v, like<core::cmd_renew> auto& c) {
  v.part(1, c.proof);
  v.length(2, c.lease);
}
void fields(auto& v, like<core::cmd_progress> auto& c) {
  v.part(1, c.proof);
  v.real(2, c.value);
  v.text(3, c.text, longest_line);
}
void fields(auto& v, like<core::cmd_checkpoint> auto& c) {
  v.part(1, c.proof);
  v.text(2, c.value, longest_value);
}
void fields(auto& v, like<core::log_line> auto& l) {
  v.id(1, l.run);
  v.number(2, l.attempt);
  v.number(3, l.number);
  v.time(4, l.at);
  v.choice(5, l.stream, core::log_stream::node);
  v.text(6, l.text, longest_value);
  v.choice(7, l.level, core::log_level::error);
}
void fields(auto& v, like<core::cmd_log> auto& c) {
  v.part(1, c.proof);
  v.parts(2, c.lines, most_lines);
  v.number(3, c.first);
}
void fields(auto& v, like<lease_call> auto& c) {
  v.id(1, c.run);
  v.one_of(2, c.what);
}
void fields(auto& v, like<touch_leases> auto& m) { v.parts(1, m.calls, most_lines); }

void fields(auto& v, like<core::cmd_settle> auto& c) {
  v.part(1, c.proof);
  v.choice(2, c.kind, core::settle_kind::skipped);
  v.choice(3, c.klass, last_class);
  v.text(4, c.message, longest_value);
  v.given(5, c.retry_after);
  v.given(6, c.until);
  v.text(7, c.resource, longest_line);
  v.given(8, c.exit_code);
  v.given(9, c.signal);
  v.text(10, c.stopped_with, longest_word);
  v.part(11, c.used);
  v.text(12, c.result, longest_value);
  v.number(13, c.output_bytes);
  v.flag(14, c.output_truncated);
  v.real(15, c.unit);
  v.number(16, c.limits_type);
}
void fields(auto& v, like<settle_item> auto& i) {
  v.id(1, i.run);
  v.part(2, i.how);
}
void fields(auto& v, like<settle_runs> auto& m) {
  v.parts(1, m.items, most_items);
  v.text(2, m.actor, longest_word);
}

// 1 register, 2 end a session, 3 claim, 4 touch, 5 settle.
void fields(auto& v, like<ask> auto& m) { v.one_of(1, m.what); }

std::string encode(const ask& m) { return write_body(m); }
core::result<ask> read_ask(std::string_view body) { return read_body<ask>("question", body); }

}  // namespace belfry::messages::wire
