#include "actors/cluster/member_attempt.hpp"

#include <algorithm>

namespace belfry::actors {

namespace {

constexpr std::size_t lines_per_call = 5000;  // the run machine takes twice as many

}  // namespace

member_attempt::member_attempt(const messages::claimed_run& claimed, core::session_id holder,
                               core::span asked_lease, core::instant safe_until_then, core::instant now)
    : session{holder},
      run{claimed.run.head.id},
      fencing{claimed.run.head.fencing},
      attempt{claimed.run.head.attempt},
      hash{claimed.run.head.held.hash},
      lease{asked_lease},
      grace{claimed.run.spec ? claimed.run.spec->grace : core::span{0}} {
  believe_until(safe_until_then);
  if (claimed.run.spec && claimed.run.spec->timeout > core::span{0})
    over_at = core::later(now, claimed.run.spec->timeout);
}

void member_attempt::believe_until(core::instant safe) {
  safe_until = std::max(safe_until, safe);
  stop_at = core::lease_stop_at(safe_until, lease, grace);
  // At a third of the lease; before that where a short lease with a long grace has the process stopped then.
  renew_at = std::min(core::later(safe_until, -(lease - lease / 3)), core::later(stop_at, -lease / 6));
}

std::optional<messages::stop_why> member_attempt::due_stop(core::instant now) const {
  if (over || told_to_stop) return std::nullopt;
  if (stop_at <= now) return messages::stop_why::lease_lost;
  if (over_at <= now) return messages::stop_why::timeout;
  return std::nullopt;
}

core::instant member_attempt::next_due() const {
  auto next = tell_at == core::never ? core::end_of_time : tell_at;
  if (over) return next;
  if (!told_to_stop) next = std::min({next, stop_at, over_at});
  return next;
}

std::vector<messages::lease_call> member_attempt::log_calls(const std::vector<core::log_line>& lines) const {
  std::vector<messages::lease_call> calls;
  auto first = lines_told + 1;
  for (std::size_t from = 0; from < lines.size(); from += lines_per_call) {
    const auto to = std::min(from + lines_per_call, lines.size());
    const auto at = [&lines](std::size_t i) { return lines.begin() + static_cast<std::ptrdiff_t>(i); };
    calls.push_back({run, core::cmd_log{proof(), {at(from), at(to)}, first}});
    first += to - from;
  }
  return calls;
}

bool is_trouble(const core::failure& f) {
  using core::errc;
  return f.code == errc::storage_full || f.code == errc::unavailable || f.code == errc::overloaded ||
         f.code == errc::aborted;
}

}  // namespace belfry::actors
