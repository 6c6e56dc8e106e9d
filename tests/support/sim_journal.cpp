#include "tests/support/sim_journal.hpp"

#include <cstdlib>
#include <string_view>

namespace belfry::tests {

using core::event;
using core::event_kind;
using core::run_state;

namespace {

constexpr std::uint32_t bit(run_state s) { return 1U << static_cast<unsigned>(s); }
constexpr std::uint32_t live = bit(run_state::claimed) | bit(run_state::running);
constexpr std::uint32_t delayed =
    bit(run_state::scheduled) | bit(run_state::retrying) | bit(run_state::parked);

// The word behind `key=` in the text of an event.
std::string word_of(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == std::string_view::npos) return {};
  const auto from = at + key.size();
  return std::string{text.substr(from, text.find(' ', from) - from)};
}

bool starts_a_run(event_kind k) { return k == event_kind::run_submitted || k == event_kind::run_skipped; }

bool about_a_run(event_kind k) {
  return static_cast<unsigned>(k) < static_cast<unsigned>(event_kind::job_created) &&
         k != event_kind::batch_submitted;
}

std::string describe(const event& e) {
  return "event " + std::to_string(e.seq) + " " + std::string{to_text(e.kind)} + " of " + to_string(e.run) +
         " fencing=" + std::to_string(e.fencing) + " attempt=" + std::to_string(e.attempt) + " \"" + e.text +
         "\"";
}

std::string states_text(std::uint32_t states) {
  std::string out;
  for (const auto s : core::all_run_states())
    if (states & bit(s)) (out += out.empty() ? "" : "|") += to_text(s);
  return out.empty() ? "nothing" : out;
}

// The states that an event leaves the run in, and those that it may come from. Nothing: the state stays.
struct move {
  std::uint32_t from, to;
};
std::optional<move> move_of(const event& e) {
  switch (e.kind) {
    case event_kind::run_queued: return move{delayed | bit(run_state::blocked), bit(run_state::queued)};
    case event_kind::run_claimed:
      return move{bit(run_state::queued),
                  e.text == "started" ? bit(run_state::running) : bit(run_state::claimed)};
    case event_kind::run_started: return move{bit(run_state::claimed), bit(run_state::running)};
    case event_kind::run_succeeded: return move{live, bit(run_state::succeeded)};
    case event_kind::run_failed:  // An operator can fail whatever is open.
      return move{
          live | delayed | bit(run_state::queued) | bit(run_state::blocked) | bit(run_state::needs_attention),
          bit(run_state::failed)};
    case event_kind::run_timed_out: return move{live, bit(run_state::timed_out)};
    // Behind a lease_expired, which already took the run from its holder.
    case event_kind::run_lost: return move{bit(run_state::queued), bit(run_state::lost)};
    case event_kind::run_cancelled:
      return move{
          live | delayed | bit(run_state::queued) | bit(run_state::blocked) | bit(run_state::needs_attention),
          bit(run_state::cancelled)};
    case event_kind::run_retrying: return move{live, bit(run_state::retrying)};
    case event_kind::run_released: return move{live, bit(run_state::queued) | bit(run_state::scheduled)};
    case event_kind::run_parked: return move{live, bit(run_state::parked)};
    case event_kind::lease_expired: return move{live, bit(run_state::queued)};
    default: return std::nullopt;
  }
}

}  // namespace

sim_journal::life* sim_journal::living(core::run_id id) {
  if (const auto it = runs_.find(id); it != runs_.end()) return &it->second;
  auto batch = batches_.upper_bound(id);
  if (batch == batches_.begin()) return nullptr;
  --batch;
  if (id > batch->second) return nullptr;
  return &runs_.emplace(id, life{bit(run_state::queued) | bit(run_state::scheduled), 0, 0, 0}).first->second;
}

const sim_journal::life* sim_journal::find(core::run_id id) const {
  return const_cast<sim_journal*>(this)->living(id);  // makes the entry of a run of a batch on first sight
}

std::optional<std::string> sim_journal::take(const event& e) {
  if (e.seq != last_ + 1) return "a gap in the journal: " + describe(e) + " follows " + std::to_string(last_);
  last_ = e.seq;
  ++totals_.at(static_cast<std::size_t>(e.kind));
  if (e.kind == event_kind::batch_submitted) {
    const auto first = core::parse_id<core::run_id>(word_of(e.text, "first="));
    const auto last = core::parse_id<core::run_id>(word_of(e.text, "last="));
    if (!first || !last || *last < *first) return describe(e) + " does not say its runs";
    batches_[*first] = *last;
    totals_[static_cast<std::size_t>(event_kind::run_submitted)] +=
        std::atoll(word_of(e.text, "runs=").c_str());
    return std::nullopt;
  }
  if (!about_a_run(e.kind)) return std::nullopt;
  if (starts_a_run(e.kind)) {
    const auto states = e.kind == event_kind::run_skipped
                            ? bit(run_state::skipped)
                            : bit(run_state::queued) | bit(run_state::scheduled);
    if (!runs_.emplace(e.run, life{states, 0, 0, 0}).second)
      return describe(e) + ": the run is there already";
    return std::nullopt;
  }
  auto* l = living(e.run);
  if (l == nullptr) return describe(e) + ": the run was never submitted";
  if (e.kind == event_kind::run_claimed) {
    if (e.fencing != l->fencing + 1)
      return describe(e) + ": the fencing number before it was " + std::to_string(l->fencing);
    if (e.attempt != l->attempt + 1)
      return describe(e) + ": the attempt before it was " + std::to_string(l->attempt);
    l->fencing = e.fencing;
    l->attempt = e.attempt;
  } else if (e.kind != event_kind::stale_write && e.fencing != l->fencing) {
    return describe(e) + ": the fencing number of the run is " + std::to_string(l->fencing);
  }
  if (e.kind == event_kind::lease_expired) ++l->losses;
  if (const auto m = move_of(e)) {
    if ((l->states & m->from) == 0) return describe(e) + ": the run was " + states_text(l->states);
    l->states = m->to;
  }
  return std::nullopt;
}

}  // namespace belfry::tests
