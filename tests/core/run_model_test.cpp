// Random commands against the run machine, compared with a second, plain description of the life cycle. Where
// the two disagree, or an invariant breaks, the shortest list of commands that shows it is printed.
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <array>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/core/a_run.hpp"

using namespace belfry::core;
using namespace belfry::core::test;

namespace {

constexpr std::uint32_t attempts = 3;
constexpr std::uint32_t losses_allowed = 3;
constexpr span retry_pause = 2s;
constexpr span lease_length = 30s;
constexpr span run_timeout = 40s;

std::shared_ptr<run_spec> model_spec() {
  auto spec = a_spec();
  spec->timeout = run_timeout;
  spec->retry.max_attempts = attempts;
  spec->retry.max_losses = losses_allowed;
  spec->retry.kind = backoff_kind::fixed;
  spec->retry.base = retry_pause;
  return spec;
}

enum class verdict { changes, same, invalid, transition, stale, conflict };

// What the life cycle says, in words as plain as its tables.
struct model {
  std::string state = "queued";
  std::uint32_t number = 0, used = 0, lost = 0;
  bool stop = false, dismissed = false;
  instant since = noon, due = never, expires = never, deadline = never;
  std::vector<std::string> said;  // what was recorded for each number, from 1
  std::set<std::uint64_t> taken;  // numbers whose holder an operator took the run from

  bool held() const { return state == "claimed" || state == "running"; }
  bool over() const {
    return state == "succeeded" || state == "failed" || state == "timed_out" || state == "lost" ||
           state == "cancelled";
  }
  bool live(std::uint64_t n, bool right_token, instant now) const {
    return held() && n == number && right_token && now < expires;
  }

  void end(const std::string& next, const std::string& record) {
    state = next;
    due = never;
    said.push_back(record);
  }
  verdict claim(bool start, bool good_lease, instant now) {
    if (state != "queued") return verdict::transition;
    if (!good_lease) return verdict::invalid;
    ++number;
    state = start ? "running" : "claimed";
    expires = now + lease_length;
    deadline = start ? now + run_timeout : never;
    return verdict::changes;
  }
  verdict start(bool ok, instant now) {
    if (!ok) return verdict::stale;
    if (state == "running") return verdict::same;
    state = "running";
    deadline = now + run_timeout;
    return verdict::changes;
  }
  void failed(const std::string& record, bool again, instant now) {
    ++used;
    if (stop)
      end("cancelled", record);
    else if (again && used < attempts) {
      end("retrying", record);
      due = now + retry_pause;
    } else
      end(record == "timed_out" ? "timed_out" : "failed", record);
  }
  verdict settle(std::uint64_t n, bool ok, settle_kind kind, failure_class klass, span delay, instant now) {
    const std::string record = kind == settle_kind::succeeded ? "succeeded"
                               : kind == settle_kind::failed
                                   ? (klass == failure_class::timeout ? "timed_out" : "failed")
                               : kind == settle_kind::released ? "queued"
                               : kind == settle_kind::parked   ? "parked"
                                                               : "cancelled";
    if (!ok) {
      if (n == 0 || n > said.size()) return verdict::stale;
      return said[n - 1] == "lost" || taken.contains(n) ? verdict::stale
                                                        : verdict::conflict;  // repetitions are tried apart
    }
    if (kind == settle_kind::cancelled && !stop) return verdict::transition;
    switch (kind) {
      case settle_kind::succeeded: end("succeeded", record); break;
      case settle_kind::failed:
        failed(record, klass == failure_class::error || klass == failure_class::timeout, now);
        break;
      case settle_kind::cancelled: end("cancelled", record); break;
      case settle_kind::skipped: return verdict::transition;  // these runs have no condition
      case settle_kind::released:
        if (stop)
          end("cancelled", "cancelled");
        else
          end(delay > 0s ? "scheduled" : "queued", record);
        if (state == "scheduled") due = now + delay;
        break;
      case settle_kind::parked:
        if (delay <= 0s) return verdict::invalid;
        if (stop)
          end("cancelled", "cancelled");
        else {
          end("parked", record);
          due = now + delay;
        }
        break;
    }
    return verdict::changes;
  }
  verdict vanish(std::uint64_t n, bool time_is_up) {
    if (!held() || n != number || !time_is_up) return verdict::transition;
    ++lost;
    end(stop ? "cancelled" : lost >= losses_allowed ? "lost" : "queued", "lost");
    return verdict::changes;
  }
  verdict overdue(std::uint64_t n, instant now) {
    if (!held() || n != number || deadline == never || now < deadline) return verdict::transition;
    failed("timed_out", true, now);
    return verdict::changes;
  }
  verdict queue(bool even_early, instant now) {
    if (state != "scheduled" && state != "retrying" && state != "parked") return verdict::transition;
    if (!even_early && now < due) return verdict::transition;
    state = "queued";
    due = never;
    since = now;
    return verdict::changes;
  }
  verdict cancel() {
    if (state == "cancelled") return verdict::same;
    if (over()) return verdict::transition;
    if (held()) {
      const bool again = stop;
      stop = true;
      return again ? verdict::same : verdict::changes;
    }
    state = "cancelled";
    due = never;
    return verdict::changes;
  }
  verdict take_away() {
    if (!held()) return verdict::transition;
    taken.insert(number);
    end(stop ? "cancelled" : "queued", stop ? "cancelled" : "queued");
    return verdict::changes;
  }
  verdict give_up() {
    if (over()) return verdict::transition;
    if (held()) {
      ++used;
      taken.insert(number);
      end("failed", "failed");
    } else {
      state = "failed";
      due = never;
    }
    return verdict::changes;
  }
  verdict dismiss() {
    if (state != "failed" && state != "timed_out" && state != "lost") return verdict::transition;
    const bool again = dismissed;
    dismissed = true;
    return again ? verdict::same : verdict::changes;
  }
};

struct move {
  std::uint8_t what, how, extra;
};
void showValue(const move& m, std::ostream& out) {
  out << '{' << int{m.what} << ',' << int{m.how} << ',' << int{m.extra} << '}';
}

// The run and its model, moved together.
class pair_of {
 public:
  std::set<std::pair<run_state, run_state>> seen;

  void play(const move& m) {
    // Time: mostly little, sometimes to the very edge of a lease, a deadline or a delay, or beyond.
    switch (m.extra % 8) {
      case 0: r_.now += 1us; break;
      case 1: r_.now += 1s; break;
      case 2:
        if (m_.held()) r_.now = std::max(r_.now, m_.expires);
        break;
      case 3:
        if (m_.held()) r_.now = std::max(r_.now, m_.expires - 1us);
        break;
      case 4:
        if (m_.deadline != never && m_.held()) r_.now = std::max(r_.now, m_.deadline);
        break;
      case 5:
        if (m_.due != never) r_.now = std::max(r_.now, m_.due);
        break;
      default: break;
    }
    const std::uint64_t n = pick_number(m.how);
    const bool right_token = m.how % 16 != 3;
    auto proof = a_run::proof_of(n);
    if (!right_token) proof.hash[m.extra % 32] ^= 1;
    const bool ok = m_.live(n, right_token, r_.now);
    switch (m.what % 16) {
      case 0:
      case 1:
      case 2: {
        const bool good_lease = m.how % 10 != 0;
        const bool begin = m.how % 2 == 1;
        check(cmd_claim{worker, a_hash(static_cast<std::uint8_t>(r_.head.fencing + 1)),
                        good_lease ? lease_length : span{0}, begin},
              m_.claim(begin, good_lease, r_.now));
        break;
      }
      case 3: check(cmd_start{proof}, m_.start(ok, r_.now)); break;
      case 4: {
        if (ok) m_.expires = r_.now + lease_length;
        check(cmd_renew{proof, lease_length}, ok ? verdict::changes : verdict::stale, true);
        break;
      }
      case 5:
        check(cmd_progress{proof, m.how / 255.0, ""}, ok ? verdict::changes : verdict::stale, true);
        break;
      case 6:
      case 7:
      case 8: settle(m, proof, ok); break;
      case 9: check(cmd_expire{n}, m_.vanish(n, m_.held() && r_.now >= m_.expires)); break;
      case 10: check(cmd_lose{n, "crash"}, m_.vanish(n, true)); break;
      case 11: check(cmd_overdue{n}, m_.overdue(n, r_.now)); break;
      case 12: check(cmd_wake{}, m_.queue(false, r_.now)); break;
      case 13: check(cmd_run_now{}, m_.queue(true, r_.now)); break;
      case 14:
        switch (m.how % 8) {
          case 0: check(cmd_cancel{"enough"}, m_.cancel()); break;
          case 1: check(cmd_force_release{"gone"}, m_.take_away()); break;
          case 2: check(cmd_force_fail{"broken"}, m_.give_up()); break;
          default: check(cmd_discard{}, m_.dismiss()); break;
        }
        break;
      case 15: repeat(m); break;
      default: break;
    }
  }

 private:
  // Mostly the present number; sometimes an old one, none, or one that was never given out.
  std::uint64_t pick_number(std::uint8_t how) const {
    if (how % 16 < 11) return r_.head.fencing;
    if (how % 16 == 11) return 0;
    if (how % 16 == 12) return r_.head.fencing + 1;
    return r_.head.fencing > 1 ? r_.head.fencing - 1 : r_.head.fencing;
  }

  void settle(const move& m, const lease_proof& proof, bool ok) {
    constexpr std::array kinds{settle_kind::succeeded, settle_kind::failed,    settle_kind::failed,
                               settle_kind::failed,    settle_kind::cancelled, settle_kind::released,
                               settle_kind::parked};
    constexpr std::array classes{failure_class::error, failure_class::timeout, failure_class::permanent,
                                 failure_class::error};
    cmd_settle c;
    c.proof = proof;
    c.kind = kinds[m.how / 16 % kinds.size()];
    c.klass = c.kind == settle_kind::failed ? classes[m.extra / 8 % classes.size()] : failure_class::none;
    // Each settle has its own content, so that another one under the same number is never a repetition.
    c.message = "settle " + std::to_string(++settles_);
    const bool delayed = c.kind != settle_kind::failed && m.extra / 8 % 3 != 0;
    if (delayed) c.retry_after = span{5s};
    const auto expected = m_.settle(proof.fencing, ok, c.kind, c.klass, delayed ? span{5s} : span{0}, r_.now);
    check(c, expected);
    if (expected == verdict::changes) recorded_.push_back(c);
  }

  // A completion that was accepted is sent again, whatever has happened since.
  void repeat(const move& m) {
    if (recorded_.empty()) return;
    const auto before = r_.head;
    RC_ASSERT(r_.tell(recorded_[m.how % recorded_.size()]));
    RC_ASSERT(r_.step->replayed);
    RC_ASSERT(r_.step->events.empty());
    RC_ASSERT(!r_.step->ended.has_value());
    RC_ASSERT(r_.head == before);
  }

  void check(const run_command& command, verdict expected, bool quiet = false) {
    const auto before = r_.head;
    const auto records = r_.records.size();
    const bool done = r_.tell(command);
    if (!done) {
      RC_ASSERT(r_.head == before);
      const auto code = r_.no->why.code;
      RC_ASSERT(code == (expected == verdict::invalid      ? errc::invalid
                         : expected == verdict::transition ? errc::invalid_transition
                         : expected == verdict::stale      ? errc::stale_lease
                         : expected == verdict::conflict   ? errc::conflict
                                                           : errc::internal));
      const bool is_late = code == errc::stale_lease || code == errc::conflict;
      RC_ASSERT(r_.no->late.has_value() == is_late);
      return;
    }
    RC_ASSERT(expected == verdict::changes || expected == verdict::same);
    if (expected == verdict::same) {
      RC_ASSERT(r_.head == before);
      RC_ASSERT(r_.step->events.empty());
    } else if (!quiet) {
      RC_ASSERT(!r_.step->events.empty());
    }
    invariants(before, records);
    same_as_model();
  }

  void invariants(const run_head& before, std::size_t records) {
    const auto& h = r_.head;
    const auto& step = *r_.step;
    if (before.state != h.state) {
      RC_ASSERT(legal(before.state, h.state));
      seen.emplace(before.state, h.state);
    }
    RC_ASSERT(!terminal(before.state) || before.state == h.state);
    RC_ASSERT(h.fencing == before.fencing + (leased(h.state) && !leased(before.state) ? 1U : 0U));
    RC_ASSERT(h.attempt == h.fencing);
    RC_ASSERT(step.ended.has_value() == (leased(before.state) && !leased(h.state)));
    RC_ASSERT(r_.records.size() == records + (step.ended ? 1U : 0U));
    RC_ASSERT(r_.records.size() + (leased(h.state) ? 1U : 0U) == h.attempt);
    if (step.ended) {
      RC_ASSERT(step.ended->number == h.attempt);
      RC_ASSERT(step.ended->fencing == h.fencing);
      RC_ASSERT(step.ended->ended_at == r_.now);
    }
    RC_ASSERT(h.used <= attempts);
    RC_ASSERT(h.losses <= losses_allowed);
    RC_ASSERT(step.finished == (terminal(h.state) && !terminal(before.state)));
    RC_ASSERT((h.ended_at != never) == terminal(h.state));
    RC_ASSERT(leased(h.state) || h.held == lease{});
    const bool waits_for_time =
        h.state == run_state::scheduled || h.state == run_state::retrying || h.state == run_state::parked;
    RC_ASSERT((h.due_at != never) == waits_for_time);
    RC_ASSERT(step.events.size() <= 2U);
    for (const auto& e : step.events) {
      RC_ASSERT(e.run == h.id);
      RC_ASSERT(e.at == r_.now);
      RC_ASSERT(e.actor == "test");
      RC_ASSERT(e.fencing == h.fencing);
    }
    RC_ASSERT(wait_reason_of(h, r_.now).has_value() == (!terminal(h.state) && h.state != run_state::queued));
  }

  void same_as_model() const {
    const auto& h = r_.head;
    RC_ASSERT(std::string{to_text(h.state)} == m_.state);
    RC_ASSERT(h.fencing == m_.number);
    RC_ASSERT(h.used == m_.used);
    RC_ASSERT(h.losses == m_.lost);
    RC_ASSERT(h.cancel_requested == m_.stop);
    RC_ASSERT(h.discarded == m_.dismissed);
    RC_ASSERT(h.eligible_since == m_.since);
    RC_ASSERT(h.due_at == m_.due);
    if (m_.held()) {
      RC_ASSERT(h.held.expires_at == m_.expires);
      RC_ASSERT(h.held.deadline_at == m_.deadline);
    }
    for (const auto& [fencing, record] : r_.records)
      RC_ASSERT(std::string{to_text(record.outcome)} == m_.said.at(static_cast<std::size_t>(fencing) - 1));
  }

  a_run r_{model_spec()};
  model m_;
  std::vector<cmd_settle> recorded_;
  int settles_ = 0;
};

}  // namespace

TEST_CASE("run machine: any sequence of commands does what the life cycle says", "[core][run][property]") {
  rc::prop("against the model", [] {
    const auto byte = rc::gen::arbitrary<std::uint8_t>();
    const auto one = rc::gen::construct<move>(byte, byte, byte);
    const auto length = *rc::gen::inRange<std::size_t>(0, 120);
    const auto moves = *rc::gen::container<std::vector<move>>(length, one);
    pair_of both;
    for (const auto& m : moves) both.play(m);
  });
}

TEST_CASE("run machine: a long walk goes everywhere that the commands of today lead to", "[core][run]") {
  // Always the same walk, so that a transition that is hard to reach is not missed by bad luck.
  std::mt19937 random{20261121};
  const auto byte = [&] { return static_cast<std::uint8_t>(random() & 0xFFU); };
  std::set<std::pair<run_state, run_state>> seen;
  for (int walk = 0; walk < 3000; ++walk) {
    pair_of both;
    for (int i = 0; i < 60; ++i) {
      const move m{byte(), byte(), byte()};
      both.play(m);
    }
    seen.insert(both.seen.begin(), both.seen.end());
  }
  for (const auto& t : transitions()) {
    const bool of_others = t.from == run_state::blocked || t.from == run_state::needs_attention ||
                           t.to == run_state::needs_attention || t.by == "adopt";
    // Of rows that another belfry wrote: run_strangers_test.cpp.
    const bool of_strangers = t.to == run_state::parked && !leased(t.from);
    INFO(to_text(t.from) << " to " << to_text(t.to));
    if (t.by == "condition") continue;  // tests/core/run_condition_test.cpp
    CHECK(seen.count({t.from, t.to}) == (of_others || of_strangers ? 0U : 1U));
  }
}
