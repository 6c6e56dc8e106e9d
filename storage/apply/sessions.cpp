// Sessions and logs.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "storage/apply/engine_parts.hpp"

namespace belfry::storage {

using core::failure;

std::optional<failure> engine::apply_one(work& w, const storage::put_session& c) {
  auto who = c.who;
  bool registers = true;
  bool back = false;  // from silence
  if (who.id) {
    const auto known = rows_.find_session(who.id);
    if (!known) return refusal::no_session(who.id);
    if (known->local != who.local || core::owned_by_node(*known) != core::owned_by_node(who))
      return failure{core::errc::conflict,
                     core::to_string(who.id) + " is " +
                         (core::owned_by_node(*known) ? "an executor of the node" : "a worker from outside") +
                         "; register a session of your own",
                     {},
                     "belfry session list"};
    // A drain outlives the worker that was told of it; whoever was removed and comes back starts afresh.
    if (known->state != core::session_state::gone && known->draining) {
      who.draining = true;
      if (who.state == core::session_state::active) who.state = core::session_state::draining;
    }
    back = known->state == core::session_state::stale && who.state != core::session_state::stale;
    registers = known->state == core::session_state::gone && who.state != core::session_state::gone;
    if (who.created_at == core::never) who.created_at = known->created_at;
  } else {
    who.id = core::session_id{fresh_id(w.set.now)};
    who.created_at = w.set.now;
    if (who.last_seen == core::never) who.last_seen = w.set.now;
  }
  rows_.put_session(who);
  if (registers)
    append(w, core::event_kind::session_registered, {}, {}, core::to_string(who.id) + " " + who.name);
  else if (back)
    append(w, core::event_kind::session_back, {}, {}, core::to_string(who.id) + " " + who.name);
  w.out.sessions.push_back(std::move(who));
  w.changed = true;
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const end_session& c) {
  auto who = rows_.find_session(c.id);
  if (!who) return refusal::no_session(c.id);
  if (who->state == core::session_state::gone) {
    w.repeated = true;
  } else if (c.only_idle && rows_.holds_lease(c.id)) {
    return failure{core::errc::invalid_transition,
                   core::to_string(c.id) + " still holds a lease",
                   {},
                   "belfry session show " + core::to_string(c.id)};
  } else {
    who->state = core::session_state::gone;
    who->draining = who->paused = false;
    who->wake.secret.clear();  // whoever comes back registers with one
    rows_.put_session(*who);
    append(w, core::event_kind::session_gone, {}, {},
           core::to_string(who->id) + " " + who->name + (c.reason.empty() ? "" : ": " + c.reason));
    w.changed = true;
  }
  w.out.sessions.push_back(std::move(*who));
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const change_session& c) {
  const auto known = rows_.find_session(c.id);
  if (!known) return refusal::no_session(c.id);
  const auto name = core::to_string(c.id) + " " + known->name;
  if (known->state == core::session_state::gone)
    return failure{core::errc::invalid_transition, name + " has gone; register to come back", {}, {}};
  auto who = *known;
  if (c.draining) who.draining = *c.draining;
  if (c.paused) who.paused = *c.paused;
  if (c.prompting) who.prompting = *c.prompting;
  if (c.seen != core::never) who.last_seen = std::max(who.last_seen, c.seen);
  const bool was_stale = known->state == core::session_state::stale;
  const bool stays_stale = was_stale && c.seen == core::never;
  who.state = c.silent || stays_stale ? core::session_state::stale : core::state_here(who);

  const auto because = c.reason.empty() ? std::string{} : ": " + c.reason;
  if (who.state == core::session_state::stale && !was_stale)
    append(w, core::event_kind::session_stale, {}, {}, name + because);
  if (was_stale && who.state != core::session_state::stale)
    append(w, core::event_kind::session_back, {}, {}, name);
  if (who.draining != known->draining)
    append(w, who.draining ? core::event_kind::session_draining : core::event_kind::session_resumed, {}, {},
           name + because);
  rows_.put_session(who);
  w.changed = true;
  w.out.sessions.push_back(std::move(who));
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const append_log& c) {
  std::set<core::run_id> known;
  for (const auto& line : c.lines)
    if (!known.contains(line.run)) {
      if (!rows_.has_run(line.run)) return refusal::no_run(line.run);
      known.insert(line.run);
    }
  append_lines(w, c.lines, c.keep_bytes);
  return std::nullopt;
}

void engine::append_lines(work& w, const std::vector<core::log_line>& lines, std::uint64_t keep_bytes) {
  std::map<std::pair<core::run_id, std::uint32_t>, log_size> sizes;
  for (const auto& line : lines) {
    const std::pair key{line.run, line.attempt};
    auto at = sizes.find(key);
    if (at == sizes.end()) at = sizes.emplace(key, rows_.find_log_size(line.run, line.attempt)).first;
    // Lines that were dropped do not come back: numbers count from 1, the oldest are dropped.
    if (line.number <= at->second.dropped || !rows_.insert_log(line)) {
      w.repeated = true;
      continue;
    }
    at->second.bytes += log_bytes(line);
    at->second.lines += 1;
    w.changed = true;
  }
  for (auto& [key, size] : sizes) {
    drop_oldest(key.first, key.second, size, keep_bytes);
    rows_.put_log_size(key.first, key.second, size);
  }
}

void engine::drop_oldest(core::run_id run, std::uint32_t attempt, log_size& size, std::uint64_t keep) {
  constexpr std::size_t at_once = 1000;
  while (size.bytes > keep && size.lines > 1) {
    const auto lines = rows_.oldest_lines(run, attempt, at_once);
    std::uint64_t up_to = 0;
    for (const auto& line : lines) {
      if (size.bytes <= keep || size.lines <= 1) break;  // the newest line always stays
      size.bytes -= line.bytes;
      size.lines -= 1;
      size.dropped += 1;
      up_to = line.number;
    }
    rows_.remove_lines(run, attempt, up_to);
  }
}

}  // namespace belfry::storage
