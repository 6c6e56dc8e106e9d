// The rows of the escalation ladder, and the figures of the cycles.
#include <algorithm>
#include <utility>

#include "core/time/text.hpp"
#include "storage/apply/engine_parts.hpp"
#include "storage/codec/ladder.hpp"

namespace belfry::storage {

using core::failure;
using core::rung;

std::optional<failure> engine::apply_one(work& w, const climb_ladder& c) {
  const auto before = codec::decode_clock(rows_.find_note(codec::clock_note));
  auto clock = before;
  if (c.tick > clock.tick) {
    clock.tick = c.tick;
    clock.ticked_at = w.set.now;
  }
  for (const auto& gone : c.over) {
    const auto row = rows_.find_starvation(gone.run);
    if (!row || row->episode != gone.episode) continue;
    rows_.remove_starvation(gone.run);
    fed_.push_back(gone.run);
    w.changed = true;
  }
  for (const auto& wished : c.rows) {
    auto row = rows_.find_starvation(wished.run);
    if (row && row->episode != wished.episode) {  // it goes on as it was
      w.out.starving.push_back(*row);
      continue;
    }
    if (!row && wished.episode != 0) continue;  // somebody took the run
    const auto run = rows_.find_run(wished.run);
    if (!run || run->head.state != core::run_state::queued) continue;
    const auto fired = row ? row->fired : rung::none;
    auto next = wished;
    next.fired = std::max(fired, wished.fired);
    next.spawned = wished.spawned || (row && row->spawned);
    if (!row) next.episode = ++clock.episodes;
    rows_.put_starvation(next);
    may_starve_.insert(next.run);
    std::erase(fed_, next.run);
    if (fired < rung::event && next.fired >= rung::event)
      append(w, core::event_kind::run_starved, next.run, run->head.job,
             "episode=" + std::to_string(next.episode) +
                 " count=" + std::to_string(core::count_of(next, clock.tick)) +
                 " waited=" + core::to_text(std::max(w.set.now - run->head.eligible_since, core::span{0})));
    w.out.starving.push_back(next);
    w.changed = true;
  }
  if (clock != before) {
    rows_.put_note(codec::clock_note, codec::encode_clock(clock));
    w.changed = true;
  }
  w.out.ladder = clock;
  return std::nullopt;
}

std::optional<failure> engine::apply_one(work& w, const keep_statistics& c) {
  rows_.put_note(codec::statistics_note, codec::encode_statistics(c.sums));
  if (c.reset) append(w, core::event_kind::statistics_reset, {}, {}, {});
  w.changed = true;
  return std::nullopt;
}

}  // namespace belfry::storage
