// PARTS: the fields of what several messages carry. See fields.hpp; the tags are frozen.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/codec/spec.hpp"
#include "core/codec/words.hpp"
#include "core/spawn/worker.hpp"
#include "messages/wire/fields.hpp"
#include "messages/wire/wire.hpp"

namespace belfry::messages::wire {

// The last of each enum that is read. Whoever does not know a newer one refuses it.
inline constexpr auto last_prio = core::priority::low;
inline constexpr auto last_run_state = core::run_state::skipped;
inline constexpr auto last_class = core::failure_class::spawn;
inline constexpr auto last_handler = core::handler_kind::process;

void fields(auto& v, like<core::field_problem> auto& p) {
  v.text(1, p.pointer, longest_line);
  v.text(2, p.value, longest_line);
  v.text(3, p.allowed, longest_line);
  v.text(4, p.detail, longest_line);
}
void fields(auto& v, like<core::failure> auto& f) {
  v.code(1, f.code);
  v.text(2, f.text, longest_line);
  v.parts(3, f.problems, most_words);
  v.text(4, f.command, longest_line);
  v.number(5, f.retry_ms);
}
void fields(auto& v, like<core::ineligible> auto& i) {
  v.text(1, i.code, longest_word);
  v.text(2, i.text, longest_line);
}
void fields(auto& v, like<held_run> auto& h) {
  v.id(1, h.session);
  v.id(2, h.run);
  v.number(3, h.fencing);
}

void fields(auto& v, like<core::session> auto& s) {
  v.id(1, s.id);
  v.text(2, s.name, longest_word);
  v.text(3, s.agent_type, longest_word);
  v.text(4, s.workspace, longest_word);
  v.text(5, s.channel, longest_word);
  v.texts(6, s.capabilities, most_words);
  v.choices(7, s.handlers, last_handler);
  v.always(8, s.slots);
  v.choice(9, s.state, core::session_state::gone);
  v.flag(10, s.prompting);
  v.flag(11, s.local);
  v.time(12, s.created_at);
  v.time(13, s.last_seen);
  v.flag(14, s.draining);
  v.flag(15, s.paused);
  v.text(16, s.metadata, longest_value);
  v.coded(17, s.wake, core::codec::encode_sink,
          [](std::string_view text, core::wake_sink& into) { into = core::codec::decode_sink(text); });
}
void fields(auto& v, like<core::spawned_worker> auto& w) {
  v.id(1, w.session);
  v.id(2, w.run);
  v.number(3, w.episode);
  v.text(4, w.agent_type, longest_word);
  v.text(5, w.workspace, longest_word);
  v.choice(6, w.state, core::worker_state::ended);
  v.choice(7, w.end, core::worker_end::node_gone);
  v.number(8, w.pid);
  v.hash(9, w.token);
  v.time(10, w.created_at);
  v.time(11, w.since);
  v.time(12, w.ttl_at);
  v.text(13, w.text, longest_line);
}
void fields(auto& v, like<once_key> auto& k) {
  v.text(1, k.key, longest_word);
  v.hash(2, k.fingerprint);
}

void fields(auto& v, like<core::lease> auto& l) {
  v.id(1, l.holder);
  v.hash(2, l.hash);
  v.time(3, l.claimed_at);
  v.time(4, l.started_at);
  v.time(5, l.expires_at);
  v.time(6, l.deadline_at);
}
void fields(auto& v, like<core::run_head> auto& h) {
  v.id(1, h.id);
  v.id(2, h.spec);
  v.id(3, h.job);
  v.number(4, h.revision);
  v.id(5, h.batch);
  v.id(6, h.parent);
  v.id(7, h.predecessor);
  v.id(8, h.successor);
  v.choice(9, h.state, last_run_state);
  v.choice(10, h.prio, last_prio);
  v.text(11, h.name, longest_word);
  v.text(12, h.lane, longest_word);
  v.text(13, h.needs.workspace, longest_word);
  v.coded(14, h.needs, core::codec::encode_needs, core::codec::decode_needs);
  v.text(15, h.concurrency_key, longest_word);
  v.always(16, h.concurrency_limit);
  v.length(17, h.timeout);
  v.flag(18, h.manual);
  v.number(19, h.attempt);
  v.number(20, h.used);
  v.number(21, h.losses);
  v.number(22, h.fencing);
  v.time(23, h.created_at);
  v.time(24, h.eligible_since);
  v.time(25, h.due_at);
  v.time(26, h.ended_at);
  v.part(27, h.held);
  v.flag(28, h.cancel_requested);
  v.flag(29, h.discarded);
  v.number(30, h.chain);
  v.choice(31, h.last_class, last_class);
  v.text(32, h.reason, longest_line);
  v.text(33, h.created_by, longest_word);
  v.real(34, h.progress);
  v.text(35, h.progress_text, longest_line);
  v.flag(36, h.forced);
  v.flag(37, h.trial);
  v.flag(38, h.aged);
}
void fields(auto& v, like<core::usage> auto& u) {
  v.length(1, u.user_cpu);
  v.length(2, u.system_cpu);
  v.number(3, u.peak_memory);
}
void fields(auto& v, like<core::attempt_record> auto& a) {
  v.id(1, a.run);
  v.number(2, a.number);
  v.number(3, a.fencing);
  v.id(4, a.holder);
  v.time(5, a.claimed_at);
  v.time(6, a.started_at);
  v.time(7, a.ended_at);
  v.choice(8, a.outcome, last_run_state);
  v.choice(9, a.klass, last_class);
  v.text(10, a.message, longest_line);
  v.given(11, a.exit_code);
  v.given(12, a.signal);
  v.text(13, a.stopped_with, longest_word);
  v.part(14, a.used);
  v.text(15, a.result, longest_value);
  v.number(16, a.output_bytes);
  v.flag(17, a.output_truncated);
}
void fields(auto& v, like<core::checkpoint> auto& c) {
  v.number(1, c.attempt);
  v.time(2, c.at);
  v.text(3, c.value, longest_value);
}
void fields(auto& v, like<core::run_past> auto& p) {
  v.parts(1, p.attempts, most_items);
  v.part(2, p.last);
}
void fields(auto& v, like<core::lease_proof> auto& p) {
  v.number(1, p.fencing);
  v.hash(2, p.hash);
}

// What a body is read as, and why it is not one.
template <class T>
core::result<T> read_body(std::string_view kind, std::string_view body) {
  const auto refuse = [](core::errc code, std::string text) {
    return core::failure{code, std::move(text), {}, {}, 0};
  };
  if (body.size() > longest_body)
    return refuse(core::errc::too_large, "a " + std::string{kind} + " of " + std::to_string(body.size()) +
                                             " bytes is longer than the " + std::to_string(longest_body) +
                                             " that two nodes may send each other");
  try {
    core::result<T> read{nothing<T>()};  // in its place from the start: g++ 12 warns wrongly of a move
    read_part(body, *read);
    return read;
  } catch (const damaged& why) {
    return refuse(core::errc::invalid,
                  "what came as a " + std::string{kind} + " cannot be read: " + why.what());
  }
}
template <class T>
std::string write_body(const T& m) {
  writer w;
  fields(w, m);
  return w.take();
}

}  // namespace belfry::messages::wire
