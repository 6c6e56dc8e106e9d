#include "actors/support/message_types.hpp"
// after the message types
#include "actors/lease_sweeper/lease_sweeper.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace belfry::actors {

using namespace messages;
using core::errc;
using platform::metric;

namespace {

constexpr std::size_t at_a_time = 100;
constexpr core::span retry_pause = std::chrono::seconds{1};
constexpr core::span longest_lease = std::chrono::hours{24};
constexpr core::span least_step = std::chrono::milliseconds{50};  // less is a clock that is steered
constexpr core::span step_remembered = std::chrono::seconds{10};  // far longer than a grant is on its way
constexpr int most_bridges = 60;  // a machine that slept longer than sixty days has lost its workers

}  // namespace

lease_sweeper::lease_sweeper(caf::actor_config& cfg, lease_sweeper_deps deps)
    : lease_sweeper_actor::base(cfg),
      deps_{std::move(deps)},
      jump_{*deps_.clock, deps_.clock_jump},
      wall_{deps_.clock->now()},
      slept_{deps_.clock->through_sleep()} {}

auto lease_sweeper::make_behavior() -> behavior_type {
  return {
      [this](const watch_leases& news) { watch(news); },
      [this](look_at_clock) { return clock_looked{look_for_jump()}; },
      [this](start_sweeping) -> caf::result<core::result<swept>> {
        auto [guard, promise] = answer_later<core::result<swept>>(this);
        started_ = true;
        starting_ = guard;
        look();
        return promise;
      },
      [this](sweep_now) -> caf::result<leases_recovered> {
        auto [guard, promise] = answer_later<leases_recovered>(this);
        asked_.push_back(guard);
        look();
        return promise;
      },
      [this](const alarm_rang& ring) {
        if (alarm_.rang(ring)) look();
      },
  };
}

void lease_sweeper::on_exit() {
  starting_.reset();
  asked_.clear();
  deps_.store = nullptr;
}

void lease_sweeper::watch(const watch_leases& news) {
  note_step();
  if (leases_.empty())
    jump_.look();  // nobody to judge meanwhile: whatever happened to the clock concerns nobody
  const auto now = deps_.clock->now();
  for (const auto& l : news.leases) {
    expiries_.set(l.run.value, l.expires_at);
    const auto known = leases_.find(l.run);
    const bool same = known != leases_.end() && known->second.fencing == l.fencing;
    if (same && known->second.expires_at == l.expires_at)
      continue;  // said again: it is as long as it was when it was new
    if (l.expires_at == core::never)
      leases_.erase(l.run);
    else
      leases_[l.run] = lease_of(l, same ? &known->second : nullptr, now);
  }
  if (const auto next = expiries_.next(); next && started_) alarm_.arm(lease_sweeper_actor{this}, *next, now);
}

// `before`: the same lease as it was known, when this is a renewal.
lease_sweeper::held lease_sweeper::lease_of(const run_lease& l, const held* before, core::instant now) const {
  const auto awake = deps_.clock->through_sleep();
  const auto left = l.expires_at - now;
  // No grant is longer than this: a claim's lease, all renewals in one, or the one before.
  const auto whole = before != nullptr ? before->length : l.expires_at - l.claimed_at;
  auto length = std::max(left, core::span{0});
  if (awake < forward_until_) length = std::max(length, std::min(left + forward_, whole));
  if (l.far && !started_) length = std::max(length, std::min(whole, deps_.clock_grace));
  return {l.fencing, l.hash, l.expires_at, length, core::later(awake, length)};
}

void lease_sweeper::note_step() {
  const auto wall = deps_.clock->now();
  const auto slept = deps_.clock->through_sleep();
  const auto forward = (wall - wall_) - (slept - slept_);
  wall_ = wall;
  slept_ = slept;
  if (forward < least_step) return;
  forward_ = forward + (slept < forward_until_ ? forward_ : core::span{0});
  forward_until_ = core::later(slept, step_remembered);
}

void lease_sweeper::look() {
  note_step();
  if (leases_.empty()) return after_pass();
  look_for_jump();
  sweep(deps_.clock->now());
}

bool lease_sweeper::look_for_jump() {
  const auto seen = jump_.look();
  if (!seen) return false;
  deps_.says.say(note_level::warning, "clock-jumped by_ms=" + std::to_string(core::millis(seen->by)) +
                                          " leases=" + std::to_string(leases_.size()));
  // Backwards needs no grace: leases last longer by it.
  if (seen->by > core::span{0}) bridge(*seen, deps_.clock->now());
  return true;
}

// Renews what was good just before the jump, so that it ends one grace period from now. A lease lasts at most
// a day, so a longer sleep takes several steps. No event is written: nobody has said anything.
void lease_sweeper::bridge(const clock_jump::jump& seen, core::instant now) {
  commit_changes sets;
  std::vector<core::run_id> saved;
  for (auto& [run, l] : leases_) {
    if (l.expires_at <= seen.before) continue;
    const auto until = core::later(
        now, std::min(std::max(l.length, core::span{std::chrono::seconds{1}}), deps_.clock_grace));
    if (l.expires_at >= until) continue;
    saved.push_back(run);
  }
  std::sort(saved.begin(), saved.end());
  for (const auto run : saved) {
    auto& l = leases_.at(run);
    const auto until = core::later(
        now, std::min(std::max(l.length, core::span{std::chrono::seconds{1}}), deps_.clock_grace));
    auto at = std::min(seen.before, l.expires_at - core::span{1});
    for (int i = 0; i < most_bridges; ++i) {
      const auto length = std::min(until - at, longest_lease);
      core::cmd_renew command{{l.fencing, l.hash}, length};
      sets.sets.push_back({at, "node", {}, {storage::step_run{run, std::move(command), false}}});
      if (at + length >= until) break;
      at = at + length - core::span{1};
    }
    l.expires_at = until;
    l.lasts_until = core::later(deps_.clock->through_sleep(), until - now);
    expiries_.set(run.value, until);
  }
  if (sets.sets.empty()) return;
  deps_.says.say(note_level::warning, "grace-given leases=" + std::to_string(saved.size()));
  request(deps_.store, caf::infinite, std::move(sets))
      .then([](commit_results&) {},
            [this](caf::error&) { deps_.says.say(note_level::error, "grace-not-written storage is gone"); });
}

void lease_sweeper::sweep(core::instant now) {
  if (passing_) return;
  commit_changes sets;
  std::vector<std::pair<core::run_id, std::uint64_t>> asked;
  const auto awake = deps_.clock->through_sleep();
  for (const auto key : expiries_.take_due(now, at_a_time)) {
    const core::run_id run{key};
    const auto& l = leases_.at(run);
    if (l.lasts_until > awake) {  // the clock was set forwards, by less than a jump
      expiries_.set(key, core::later(now, l.lasts_until - awake));
      continue;
    }
    const auto fencing = l.fencing;
    asked.emplace_back(run, fencing);
    core::cmd_expire command{fencing, deps_.randomness->unit()};
    sets.sets.push_back({now, "node", {}, {storage::step_run{run, std::move(command), false}}});
  }
  if (sets.sets.empty()) return after_pass();
  passing_ = true;
  request(deps_.store, caf::infinite, std::move(sets))
      .then(
          [this, asked](commit_results& r) {
            passing_ = false;
            for (std::size_t i = 0; i < asked.size(); ++i) {
              const auto& answer = r.answers.at(i);
              if (answer) {
                ++expired_;
                taken_back_.add(asked[i].first);
                deps_.says.count(metric::leases_expired_total);
                deps_.says.say(note_level::warning, "lease-expired run=" + to_string(asked[i].first) +
                                                        " fencing=" + std::to_string(asked[i].second));
              } else if (answer.error().code != errc::invalid_transition &&
                         answer.error().code != errc::not_found) {
                again_later(asked[i].first, asked[i].second);
              }
            }
            look();
          },
          [this](caf::error&) {
            passing_ = false;
            asked_.clear();
            deps_.says.say(note_level::error, "lease-not-expired storage is gone");
          });
}

// Nothing is due any more: sleep until something is.
void lease_sweeper::after_pass() {
  if (starting_) std::exchange(starting_, {})->deliver(core::result<swept>{swept{expired_}});
  for (auto& answer : std::exchange(asked_, {}))
    answer->deliver(leases_recovered{std::exchange(taken_back_, {})});
  const auto now = deps_.clock->now();
  if (const auto next = expiries_.next(); next && started_) alarm_.arm(lease_sweeper_actor{this}, *next, now);
}

void lease_sweeper::again_later(core::run_id run, std::uint64_t fencing) {
  const auto it = leases_.find(run);
  if (it == leases_.end() || it->second.fencing != fencing) return;
  expiries_.set(run.value, core::later(deps_.clock->now(), retry_pause));
}

}  // namespace belfry::actors
