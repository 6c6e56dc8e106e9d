// What the coordinator answers. Runs travel with their spec as it stands in a row, and their payload beside.
#include "messages/wire/parts.hpp"

namespace belfry::messages::wire {
namespace {

// Beside the replies, with room for those to come.
constexpr tag_number a_failure = 30;
constexpr tag_number a_waited = 31;

bool sound(core::span s) { return s >= core::span{0} && s <= core::end_of_time - core::never; }

// What a stored spec may say is what the doors have taken. Here a stranger may have written it.
core::run_spec spec_from(std::string_view bytes) {
  auto s = core::codec::read_spec(bytes, "");
  if (!s.unreadable.empty()) return s;
  if (s.handler > last_handler || s.prio > last_prio || s.retry.kind > core::backoff_kind::exponential ||
      !sound(s.timeout) || !sound(s.grace) || !sound(s.condition.timeout) || !sound(s.process.cpu_limit) ||
      !std::isfinite(s.retry.multiplier) || !std::isfinite(s.retry.jitter)) {
    s = {};
    s.handler = core::handler_kind::none;
    s.unreadable = "its spec has a value that this version does not know";
  }
  return s;
}
std::shared_ptr<const core::run_spec> no_spec() {
  core::run_spec s;
  s.handler = core::handler_kind::none;
  s.unreadable = "it came without its spec";
  return std::make_shared<const core::run_spec>(std::move(s));
}

}  // namespace

template <>
inline constexpr bool chooses<answer> = true;
// Whatever comes, there is a spec.
template <>
struct blank<claimed_run> {
  static claimed_run make() { return {{{}, no_spec(), nullptr}, {}}; }
};
template <>
struct blank<answer> {
  static answer make() { return {core::failure{}, core::span{0}}; }
};

void fields(writer& v, const claimed_run& c) {
  v.part(1, c.run.head);
  if (c.run.spec) {
    v.item(2, core::codec::encode_spec(*c.run.spec));
    v.text(3, c.run.spec->payload, longest_value);
    v.text(4, c.run.spec->unreadable, longest_line);
  }
  if (c.run.past) v.part(5, *c.run.past);
  v.text(6, c.token, longest_word);
}
void fields(reader& v, claimed_run& c) {
  const auto changed = [&](core::run_spec s) {
    c.run.spec = std::make_shared<const core::run_spec>(std::move(s));
  };
  v.part(1, c.run.head);
  if (v.is(2)) {
    auto s = spec_from(v.within(longest_spec));
    s.payload = c.run.spec->payload;
    changed(std::move(s));
  } else if (v.is(3)) {
    auto s = *c.run.spec;
    v.text(3, s.payload, longest_value);
    changed(std::move(s));
  } else if (v.is(4)) {
    auto s = *c.run.spec;
    v.text(4, s.unreadable, longest_line);
    changed(std::move(s));
  } else if (v.is(5)) {
    core::run_past past;
    v.part(5, past);
    c.run.past = std::make_shared<const core::run_past>(std::move(past));
  }
  v.text(6, c.token, longest_word);
}
void fields(auto& v, like<claimed_runs> auto& m) {
  v.parts(1, m.runs, most_items);
  v.choice(2, m.state, core::session_state::gone);
  v.parts(3, m.reasons, most_words);
  v.length(4, m.delay);
}
void fields(auto& v, like<session_answer> auto& m) {
  v.part(1, m.who);
  v.flag(2, m.replayed);
}
void fields(auto& v, like<lease_status> auto& s) {
  v.time(1, s.expires_at);
  v.time(2, s.deadline_at);
  v.flag(3, s.cancel_requested);
  v.flag(4, s.drain);
  v.flag(5, s.report);
  v.number(6, s.next_line);
}
void fields(auto& v, like<settled_item> auto& i) {
  v.part(1, i.head);
  v.flag(2, i.replayed);
}
// Of each item: 1 what came of it, 2 why nothing.
template <class T>
void fields(writer& v, const core::result<T>& r) {
  v.outcome(1, 2, r);
}
template <class T>
void fields(reader& v, core::result<T>& r) {
  v.outcome(1, 2, r);
}
void fields(auto& v, like<touched> auto& m) { v.parts(1, m.answers, most_lines); }
void fields(auto& v, like<settled> auto& m) { v.parts(1, m.answers, most_items); }

// 1 a session, 2 claimed runs, 3 what was touched, 4 what was settled.
void fields(writer& v, const answer& m) {
  if (m.what)
    v.one_of(1, *m.what);
  else
    v.part(a_failure, m.what.error());
  v.length(a_waited, m.waited);
}
void fields(reader& v, answer& m) {
  if (reply what; v.one_of(1, what)) m.what = std::move(what);
  if (v.is(a_failure)) {
    core::failure why;
    v.part(a_failure, why);
    v.choose_this();
    m.what = std::move(why);
  }
  v.length(a_waited, m.waited);
}

std::string encode(const answer& m) { return write_body(m); }
core::result<answer> read_answer(std::string_view body) { return read_body<answer>("answer", body); }

}  // namespace belfry::messages::wire
