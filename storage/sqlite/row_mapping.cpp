#include "storage/sqlite/row_mapping.hpp"

#include <algorithm>
#include <charconv>

#include "storage/codec/bytes.hpp"
#include "storage/codec/calendar.hpp"
#include "storage/codec/events.hpp"
#include "storage/codec/timing.hpp"

namespace belfry::storage::sqlite {
namespace {

enum flag : std::int64_t {
  by_hand = 1,
  cancel_asked = 2,
  discarded = 4,
  hooked = 8,
  tagged = 16,
  forced = 32,
  aged = 64,
  tried = 128
};

std::int64_t flags_of(const run_row& row) {
  std::int64_t f = 0;
  if (row.head.manual) f |= by_hand;
  if (row.head.forced) f |= forced;
  if (row.head.cancel_requested) f |= cancel_asked;
  if (row.head.discarded) f |= discarded;
  if (row.hooked) f |= hooked;
  if (row.tagged) f |= tagged;
  if (row.head.aged) f |= aged;
  if (row.head.trial) f |= tried;
  return f;
}

std::int64_t signed_of(std::uint64_t v) { return static_cast<std::int64_t>(v); }
template <class E>
std::int64_t number_of(E e) {
  return static_cast<std::int64_t>(e);
}

// Instants as a distance from another one: fewer bytes, often none at all. NULL: never.
void bind_since(query& q, int at, core::instant t, core::instant from) {
  t == core::never ? q.bind_null(at) : q.bind(at, (t - from).count());
}
core::instant time_since(const query& q, int at, core::instant from) {
  return q.null(at) ? core::never : from + core::span{q.number(at)};
}

void bind_blob(query& q, int at, const core::token_hash& h) { q.bind_blob(at, h.data(), h.size()); }

}  // namespace

std::int64_t shelf_of(core::run_state state) {
  switch (state) {
    case core::run_state::queued:
    case core::run_state::claimed:
    case core::run_state::running: return active_shelf;
    case core::run_state::blocked:
    case core::run_state::scheduled:
    case core::run_state::retrying:
    case core::run_state::parked:
    case core::run_state::needs_attention:
    case core::run_state::succeeded:
    case core::run_state::failed:
    case core::run_state::timed_out:
    case core::run_state::lost:
    case core::run_state::cancelled:
    case core::run_state::skipped: return number_of(state);
  }
  return number_of(state);
}

std::int64_t shelf_of(const core::run_head& head) {
  const bool over = core::ended_badly(head.state) && (head.discarded || head.successor);
  return shelf_of(head.state) + (over ? dealt_with : 0);
}

// Needs that cannot be read do not stop the rows beside them: whoever comes first of the workspace may claim
// the run, and that ends it.
static void read_needs(std::string_view text, run_row& row) {
  try {
    codec::decode_needs(text, row.head.needs);
  } catch (const codec::damaged& why) {
    core::requirement left;
    left.workspace = std::move(row.head.needs.workspace);
    row.head.needs = std::move(left);
    row.unreadable = why.what();
  }
}

run_row read_run(const query& q, int first) {
  run_row row;
  auto& h = row.head;
  h.id.value = q.number(first);
  h.state = q.as<core::run_state>(first + 1);
  h.prio = q.as<core::priority>(first + 2);
  row.handler = q.as<core::handler_kind>(first + 3);
  const auto flags = q.number(first + 4);
  h.manual = (flags & by_hand) != 0;
  h.forced = (flags & forced) != 0;
  h.cancel_requested = (flags & cancel_asked) != 0;
  h.discarded = (flags & discarded) != 0;
  row.hooked = (flags & hooked) != 0;
  row.tagged = (flags & tagged) != 0;
  h.aged = (flags & aged) != 0;
  h.trial = (flags & tried) != 0;
  h.name = q.text(first + 5);
  h.created_at = q.time(first + 6);
  h.created_by = q.text(first + 7);
  h.timeout = core::span{q.number(first + 8)};
  h.spec.value = q.null(first + 9) ? h.id.value : q.number(first + 9);
  h.job.value = q.number(first + 10);
  h.revision = q.as<std::uint32_t>(first + 11);
  h.batch.value = q.number(first + 12);
  h.needs.workspace = q.text(first + 13);
  h.lane = q.null(first + 14) ? h.needs.workspace : std::string{q.text(first + 14)};
  read_needs(q.text(first + 15), row);
  h.concurrency_key = q.text(first + 16);
  h.concurrency_limit = q.null(first + 17) ? 1 : q.as<std::uint32_t>(first + 17);
  h.parent.value = q.number(first + 18);
  h.predecessor.value = q.number(first + 19);
  h.successor.value = q.number(first + 20);
  h.chain = q.as<std::uint16_t>(first + 21);
  h.attempt = q.as<std::uint32_t>(first + 22);
  h.used = q.as<std::uint32_t>(first + 23);
  h.losses = q.as<std::uint32_t>(first + 24);
  h.fencing = q.as<std::uint64_t>(first + 25);
  h.eligible_since = time_since(q, first + 26, h.created_at);
  h.due_at = q.time(first + 27);
  h.ended_at = q.time(first + 28);
  h.last_class = q.as<core::failure_class>(first + 29);
  h.reason = q.text(first + 30);
  h.progress = q.real(first + 31);
  h.progress_text = q.text(first + 32);
  if (leased(h.state)) {
    h.held.holder.value = q.number(first + 33);
    const auto hash = q.text(first + 34);
    if (hash.size() != h.held.hash.size()) throw codec::damaged("a stored lease has no token hash");
    std::transform(hash.begin(), hash.end(), h.held.hash.begin(),
                   [](char c) { return static_cast<std::uint8_t>(c); });
    h.held.claimed_at = q.time(first + 35);
    h.held.started_at = time_since(q, first + 36, h.held.claimed_at);
    h.held.expires_at = time_since(q, first + 37, h.held.claimed_at);
    h.held.deadline_at = time_since(q, first + 38, h.held.claimed_at);
  }
  return row;
}

void bind_run(query& q, const new_run& made, int first) {
  const auto& row = made.row;
  const auto& h = row.head;
  q.bind(first, h.id.value);
  q.bind(first + 1, shelf_of(h));
  q.bind(first + 2, number_of(h.state));
  q.bind(first + 3, number_of(h.prio));
  q.bind(first + 4, number_of(row.handler));
  q.bind(first + 5, flags_of(row));
  q.bind(first + 6, h.name);
  q.bind(first + 7, core::micros(h.created_at));
  q.bind_or_null(first + 8, h.created_by);
  q.bind_or_null(first + 9, h.timeout.count());
  h.spec.value == h.id.value ? q.bind_null(first + 10) : q.bind(first + 10, h.spec.value);
  q.bind_or_null(first + 11, h.job.value);
  q.bind_or_null(first + 12, std::int64_t{h.revision});
  q.bind_or_null(first + 13, h.batch.value);
  q.bind_or_null(first + 14, h.needs.workspace);
  h.lane == h.needs.workspace ? q.bind_null(first + 15) : q.bind(first + 15, h.lane);
  q.bind_or_null(first + 16, made.needs);
  q.bind_or_null(first + 17, h.concurrency_key);
  h.concurrency_limit == 1 ? q.bind_null(first + 18) : q.bind(first + 18, std::int64_t{h.concurrency_limit});
  q.bind_or_null(first + 19, h.parent.value);
  q.bind_or_null(first + 20, h.predecessor.value);
  q.bind_or_null(first + 21, std::int64_t{h.chain});
  bind_since(q, first + 22, h.eligible_since, h.created_at);
  q.bind_or_null(first + 23, core::micros(h.due_at));
  q.bind_or_null(first + 24, core::micros(h.ended_at));
  q.bind_or_null(first + 25, h.reason);
}

void bind_update(query& q, const run_row& before, const run_row& after) {
  const auto& h = after.head;
  q.bind(1, h.id.value);
  q.bind(2, number_of(before.head.state));
  q.bind(3, signed_of(before.head.fencing));
  q.bind(4, number_of(h.state));
  q.bind(5, number_of(h.prio));
  q.bind(6, flags_of(after));
  q.bind_or_null(7, h.successor.value);
  q.bind_or_null(8, std::int64_t{h.attempt});
  q.bind_or_null(9, std::int64_t{h.used});
  q.bind_or_null(10, std::int64_t{h.losses});
  q.bind_or_null(11, signed_of(h.fencing));
  bind_since(q, 12, h.eligible_since, h.created_at);
  q.bind_or_null(13, core::micros(h.due_at));
  q.bind_or_null(14, core::micros(h.ended_at));
  q.bind_or_null(15, number_of(h.last_class));
  q.bind_or_null(16, h.reason);
  h.progress == 0 ? q.bind_null(17) : q.bind_real(17, h.progress);
  q.bind_or_null(18, h.progress_text);
}

void bind_lease(query& q, core::run_id run, const core::lease& held) {
  q.bind(1, run.value);
  q.bind(2, held.holder.value);
  bind_blob(q, 3, held.hash);
  q.bind(4, core::micros(held.claimed_at));
  bind_since(q, 5, held.started_at, held.claimed_at);
  q.bind(6, (held.expires_at - held.claimed_at).count());
  bind_since(q, 7, held.deadline_at, held.claimed_at);
}

void insert_attempt(query& q, const core::attempt_record& a) {
  q.bind(1, a.run.value);
  q.bind(2, std::int64_t{a.number});
  q.bind(3, signed_of(a.fencing));
  q.bind_or_null(4, a.holder.value);
  q.bind(5, number_of(a.outcome));
  q.bind_or_null(6, number_of(a.klass));
  q.bind(7, core::micros(a.claimed_at));
  bind_since(q, 8, a.started_at, a.claimed_at);
  q.bind(9, (a.ended_at - a.claimed_at).count());
  q.bind_or_null(10, a.message);
  a.exit_code ? q.bind(11, std::int64_t{*a.exit_code}) : q.bind_null(11);
  a.signal ? q.bind(12, std::int64_t{*a.signal}) : q.bind_null(12);
  q.bind_or_null(13, a.stopped_with);
  q.bind_or_null(14, a.used.user_cpu.count());
  q.bind_or_null(15, a.used.system_cpu.count());
  q.bind_or_null(16, signed_of(a.used.peak_memory));
  q.bind_or_null(17, a.result);
  q.bind_or_null(18, signed_of(a.output_bytes));
  q.bind_or_null(19, a.output_truncated ? 1 : std::int64_t{0});
  q.run();
}

core::attempt_record read_attempt(const query& q) {
  core::attempt_record a;
  a.run.value = q.number(0);
  a.number = q.as<std::uint32_t>(1);
  a.fencing = q.as<std::uint64_t>(2);
  a.holder.value = q.number(3);
  a.outcome = q.as<core::run_state>(4);
  a.klass = q.as<core::failure_class>(5);
  a.claimed_at = q.time(6);
  a.started_at = time_since(q, 7, a.claimed_at);
  a.ended_at = time_since(q, 8, a.claimed_at);
  a.message = q.text(9);
  if (!q.null(10)) a.exit_code = q.as<int>(10);
  if (!q.null(11)) a.signal = q.as<int>(11);
  a.stopped_with = q.text(12);
  a.used = {core::span{q.number(13)}, core::span{q.number(14)}, q.as<std::uint64_t>(15)};
  a.result = q.text(16);
  a.output_bytes = q.as<std::uint64_t>(17);
  a.output_truncated = q.number(18) != 0;
  return a;
}

void bind_event(query& q, const core::event& e, int first) {
  q.bind(first, e.seq);
  q.bind(first + 1, core::micros(e.at));
  q.bind(first + 2, number_of(e.kind));
  q.bind_or_null(first + 3, e.run.value);
  q.bind_or_null(first + 4, e.job.value);
  q.bind_or_null(first + 5, signed_of(e.fencing));
  q.bind_or_null(first + 6, std::int64_t{e.attempt});
  q.bind_or_null(first + 7, e.actor);
  q.bind_or_null(first + 8, e.text);
}

void bind_spec(query& q, const new_spec& s, int first) {
  q.bind(first, s.id.value);
  q.bind_or_null(first + 1, s.payload);
  q.bind_blob(first + 2, s.body.data(), s.body.size());
}

core::event read_event(const query& q) {
  core::event e;
  e.seq = q.number(0);
  e.at = q.time(1);
  e.kind = q.as<core::event_kind>(2);
  e.run.value = q.number(3);
  e.job.value = q.number(4);
  e.fencing = q.as<std::uint64_t>(5);
  e.attempt = q.as<std::uint32_t>(6);
  e.actor = q.text(7);
  e.text = q.text(8);
  return e;
}

void put_session(query& q, const core::session& s) {
  const auto capabilities = codec::encode_words(s.capabilities);
  std::string handlers;
  for (const auto kind : s.handlers) handlers += static_cast<char>('0' + static_cast<int>(kind));
  q.bind(1, s.id.value);
  q.bind(2, s.name);
  q.bind_or_null(3, s.agent_type);
  q.bind_or_null(4, s.workspace);
  q.bind_or_null(5, s.channel);
  q.bind_or_null(6, capabilities);
  q.bind_or_null(7, handlers);
  q.bind(8, std::int64_t{s.slots});
  q.bind(9, number_of(s.state));
  q.bind(10, s.prompting ? 1 : std::int64_t{0});
  q.bind(11, s.local ? 1 : std::int64_t{0});
  q.bind(12, core::micros(s.created_at));
  q.bind(13, core::micros(s.last_seen));
  q.bind(14, s.draining ? 1 : std::int64_t{0});
  q.bind(15, s.paused ? 1 : std::int64_t{0});
  q.bind_or_null(16, s.metadata);
  const auto wake = codec::encode_sink(s.wake);
  q.bind_or_null(17, wake);
  q.run();
}

core::session read_session(const query& q) {
  core::session s;
  s.id.value = q.number(0);
  s.name = q.text(1);
  s.agent_type = q.text(2);
  s.workspace = q.text(3);
  s.channel = q.text(4);
  s.capabilities = codec::decode_words(q.text(5));
  for (const char c : q.text(6)) s.handlers.push_back(static_cast<core::handler_kind>(c - '0'));
  s.slots = q.as<std::uint32_t>(7);
  s.state = q.as<core::session_state>(8);
  s.prompting = q.number(9) != 0;
  s.local = q.number(10) != 0;
  s.created_at = q.time(11);
  s.last_seen = q.time(12);
  s.draining = q.number(13) != 0;
  s.paused = q.number(14) != 0;
  s.metadata = q.text(15);
  s.wake = codec::decode_sink(q.text(16));
  return s;
}

void put_node(query& q, const core::cluster_node& n) {
  const auto labels = codec::encode_words(n.labels), capabilities = codec::encode_words(n.capabilities);
  q.bind(1, n.name);
  q.bind_or_null(2, n.boot);
  q.bind(3, number_of(n.state));
  q.bind(4, n.draining ? 1 : std::int64_t{0});
  q.bind(5, n.removed ? 1 : std::int64_t{0});
  q.bind_or_null(6, n.address);
  q.bind_or_null(7, n.version);
  q.bind_or_null(8, labels);
  q.bind_or_null(9, capabilities);
  q.bind(10, std::int64_t{n.executors});
  q.bind(11, core::micros(n.joined_at));
  q.bind(12, core::micros(n.seen_at));
  q.bind(13, core::micros(n.changed_at));
  q.bind(14, core::micros(n.first_seen));
  q.bind_or_null(15, n.reason);
  q.bind_or_null(16, n.by);
  q.run();
}

core::cluster_node read_node(const query& q) {
  core::cluster_node n;
  n.name = q.text(0);
  n.boot = q.text(1);
  n.state = q.as<core::node_state>(2);
  n.draining = q.number(3) != 0;
  n.removed = q.number(4) != 0;
  n.address = q.text(5);
  n.version = q.text(6);
  n.labels = codec::decode_words(q.text(7));
  n.capabilities = codec::decode_words(q.text(8));
  n.executors = q.as<std::uint32_t>(9);
  n.joined_at = q.time(10);
  n.seen_at = q.time(11);
  n.changed_at = q.time(12);
  n.first_seen = q.time(13);
  n.reason = q.text(14);
  n.by = q.text(15);
  return n;
}

void put_worker(query& q, const core::spawned_worker& w) {
  q.bind(1, w.session.value);
  q.bind_or_null(2, w.run.value);
  q.bind(3, static_cast<std::int64_t>(w.episode));
  q.bind(4, w.agent_type);
  q.bind_or_null(5, w.workspace);
  q.bind(6, number_of(w.state));
  q.bind(7, number_of(w.end));
  q.bind_or_null(8, w.pid);
  q.bind_blob(9, w.token.data(), w.token.size());
  q.bind(10, core::micros(w.created_at));
  q.bind(11, core::micros(w.since));
  q.bind(12, core::micros(w.ttl_at));
  q.bind_or_null(13, w.text);
  q.run();
}

core::spawned_worker read_worker(const query& q) {
  core::spawned_worker w;
  w.session.value = q.number(0);
  w.run.value = q.number(1);
  w.episode = q.as<std::uint64_t>(2);
  w.agent_type = q.text(3);
  w.workspace = q.text(4);
  w.state = q.as<core::worker_state>(5);
  w.end = q.as<core::worker_end>(6);
  w.pid = q.number(7);
  const auto token = q.text(8);
  if (token.size() != w.token.size()) throw codec::damaged("the token of a worker has another length");
  std::copy(token.begin(), token.end(), w.token.begin());
  w.created_at = q.time(9);
  w.since = q.time(10);
  w.ttl_at = q.time(11);
  w.text = q.text(12);
  return w;
}

job_row read_job(const query& q) {
  job_row row;
  auto& j = row.head;
  j.id.value = q.number(0);
  j.revision = q.as<std::uint32_t>(1);
  j.spec.value = q.number(2);
  j.state = q.as<core::job_state>(3);
  j.created_at = q.time(4);
  j.created_by = q.text(5);
  j.updated_at = q.time(6);
  j.triggered = q.number(7);
  auto& d = row.definition;
  d.description = q.text(8);
  d.on_overlap = q.as<core::overlap>(9);
  d.max_concurrent = q.as<std::uint32_t>(10);
  d.source = q.text(11);
  d.name = q.text(12);
  d.timing = codec::decode_timing(q.text(13));
  j.cursor.covered = q.time(14);
  j.cursor.made = q.number(15);
  j.cursor.recent = codec::decode_instants(q.text(16));
  j.due = q.time(17);
  j.cursor.since = q.time(18);
  j.cursor.succeeded = q.number(19);
  return row;
}

core::event_hold read_hold(const query& q, int first) {
  core::event_hold h;
  h.wait.held = q.number(first);
  h.wait.first_held = q.time(first + 1);
  h.wait.fires_at = q.time(first + 2);
  h.depth = q.as<std::uint16_t>(first + 3);
  h.limited = q.number(first + 4) != 0;
  h.newest = codec::decode_event(q.text(first + 5));
  h.newest_at = q.time(first + 6);
  h.aside = q.number(first + 7);
  h.aside_first = q.time(first + 8);
  h.aside_last = q.time(first + 9);
  return h;
}

core::skip_record read_skip(const query& q) {
  core::skip_record s;
  s.number = q.number(0);
  s.job.value = q.number(1);
  s.range.first = q.time(2);
  s.range.last = q.time(3);
  s.range.count = q.number(4);
  s.range.at_least = q.number(5) != 0;
  s.range.reason = q.as<core::skip_reason>(6);
  s.range.moved_to = q.time(7);
  s.noted_at = q.time(8);
  s.range.by = q.text(9);
  return s;
}

core::named_calendar read_calendar(const query& q, bool content) {
  core::named_calendar c;
  c.name = q.text(0);
  c.source = q.as<core::calendar_source>(1);
  c.revision = q.as<std::uint32_t>(2);
  if (content) {
    c.content = std::make_shared<const core::calendar>(codec::decode_calendar(q.text(3)));
    if (!q.null(4)) c.previous = std::make_shared<const core::calendar>(codec::decode_calendar(q.text(4)));
  }
  c.periods = q.as<std::size_t>(5);
  c.left_out = q.as<std::size_t>(6);
  c.created_at = q.time(7);
  c.created_by = q.text(8);
  c.changed_at = q.time(9);
  c.changed_by = q.text(10);
  return c;
}

core::window read_window(const query& q) {
  core::window w;
  w.name = q.text(0);
  w.schedule = q.text(1);
  w.length = core::span{q.number(2)};
  w.on.scope = q.as<core::pause_scope>(3);
  w.on.name = q.text(4);
  w.drain = q.number(5) != 0;
  w.text = q.text(6);
  w.revision = q.as<std::uint32_t>(7);
  w.created_at = q.time(8);
  w.created_by = q.text(9);
  w.changed_at = q.time(10);
  w.changed_by = q.text(11);
  w.opens = q.time(12);
  w.closes = q.time(13);
  return w;
}

core::pause_entry read_pause(const query& q) {
  return {std::string{q.text(0)},
          std::string{q.text(1)},
          std::string{q.text(2)},
          q.time(3),
          q.time(4),
          std::string{q.text(5)},
          q.time(6),
          q.time(7),
          q.number(11) != 0,
          core::run_id{q.number(12)},
          q.number(13) != 0};
}

core::pause_target read_pause_target(const query& q, int first) {
  return {q.as<core::pause_scope>(first), std::string{q.text(first + 2)}, core::job_id{q.number(first + 1)}};
}

void bind_target(query& q, const core::pause_target& on) {
  q.bind(1, static_cast<std::int64_t>(on.scope));
  q.bind(2, on.job.value);
  q.bind(3, on.name);
}

core::log_line read_log(const query& q) {
  return {core::run_id{q.number(0)}, q.as<std::uint32_t>(1), q.as<std::uint64_t>(2),  q.time(3),
          q.as<core::log_stream>(4), std::string{q.text(5)}, q.as<core::log_level>(6)};
}

// The last three are left out while they are what they usually are: so it was before there were any.
std::string encode_limits(const core::limit_options& l) {
  auto text = "1 " + std::to_string(l.global) + ' ' + std::to_string(l.per_lane) + ' ' +
              std::to_string(l.per_batch) + ' ' + std::to_string(l.per_agent_type);
  const core::limit_options usual;
  if (l.fires != usual.fires || l.fires_per_workspace != usual.fires_per_workspace ||
      l.fire_window != usual.fire_window)
    text += ' ' + std::to_string(l.fires) + ' ' + std::to_string(l.fires_per_workspace) + ' ' +
            std::to_string(l.fire_window.count());
  return text;
}

core::limit_options decode_limits(std::string_view text) {
  // The last three came later: what was stored before them ends early.
  constexpr std::size_t first_written = 5;
  std::int64_t numbers[8] = {1, 0, 0, 0, 0, 0, 0, core::limit_options{}.fire_window.count()};
  for (std::size_t i = 0; i < std::size(numbers); ++i) {
    auto& n = numbers[i];
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    if (i >= first_written && text.empty()) break;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), n);
    if (read.ec != std::errc{}) throw codec::damaged("the stored limits cannot be read");
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  }
  if (numbers[0] != 1)
    throw codec::damaged("the stored limits are of a version that this belfry does not know");
  const auto small = [&](std::size_t i) { return static_cast<std::uint32_t>(numbers[i]); };
  return {small(1), small(2), small(3), small(4), small(5), small(6), core::span{numbers[7]}};
}

core::starvation read_starvation(const query& q) {
  core::starvation row;
  row.run.value = q.number(0);
  row.episode = q.as<std::uint64_t>(1);
  row.began = q.time(2);
  row.base = q.as<std::uint64_t>(3);
  row.fired = q.as<core::rung>(4);
  row.spawned = q.number(5) != 0;
  if (!q.null(6)) row.held = q.as<std::uint64_t>(6);
  return row;
}

}  // namespace belfry::storage::sqlite
