#include "tests/support/sim_worker.hpp"

#include <algorithm>
#include <utility>

#include "platform/ports/clock.hpp"

namespace belfry::tests {

using namespace std::chrono_literals;
using core::errc;
using core::result;
using core::settle_kind;

void sim_worker::act(sim_town& town) {
  rest(town, 200ms, 3s);
  if (!session_) return enlist(town);
  const auto now = town.clock.steady();
  // A call may be answered at once and take the entry away: the next one is looked for anew.
  for (auto it = held_.begin(); it != held_.end();) {
    const auto k = it->first;
    if (!it->second.busy && std::min(it->second.beat_at, it->second.end_at) <= now) work(town, k, it->second);
    it = held_.upper_bound(k);
  }
  if (!claiming_ && !leaving_ && held_.size() < slots_ && session_) claim(town);
  if (!town.calm() && !leaving_ && !claiming_ && session_ && town.luck.chance(0.01)) leave(town);
  for (const auto& [k, h] : held_)
    if (!h.busy) next_at_ = std::max(now, std::min(next_at_, std::min(h.beat_at, h.end_at)));
}

void sim_worker::life_ended(sim_town& town) {
  enlisting_ = leaving_ = false;
  claiming_.reset();
  for (auto& [k, h] : held_) h.busy = false;
  rest(town, 0ms, 2s);
}

void sim_worker::enlist(sim_town& town) {
  if (enlisting_) return;
  core::session s;
  s.name = name();
  s.agent_type = able_ ? "agent" : "helper";
  s.workspace = workspace_;
  if (able_) s.capabilities = {"gpu"};
  slots_ = s.slots = static_cast<std::uint32_t>(town.luck.between(1, 3));
  enlisting_ = true;
  town.ask<messages::session_answer>(name(), "register", messages::register_session{s, name(), {}},
                                     [this, &town](result<messages::session_answer> answer) {
                                       enlisting_ = false;
                                       if (!answer) return;
                                       session_ = answer->who.id;
                                       town.oracle.session_stored(answer->who.id);
                                       rest(town, 0ms, 500ms);
                                     });
}

void sim_worker::leave(sim_town& town) {
  leaving_ = true;
  const bool crashed = town.luck.chance(0.5);
  town.ask<messages::session_answer>(
      name(), crashed ? "end session, crashed" : "end session",
      messages::end_session{*session_, "the simulator says so", crashed, name()},
      [this](result<messages::session_answer> answer) {
        leaving_ = false;
        if (answer || answer.error().code == errc::not_found) session_.reset();
      });
}

void sim_worker::claim(sim_town& town) {
  auto& luck = town.luck;
  messages::claim_runs m;
  m.who = *session_;
  m.max = static_cast<std::uint32_t>(luck.between(1, 3));
  m.wait = town.calm() ? core::span{30s} : luck.chance(0.3) ? core::span{0} : luck.between(1s, 30s);
  m.lease = luck.chance(0.3) ? luck.between(1s, 2s) : luck.between(3s, 15s);
  m.start = luck.chance(0.5);
  if (!town.calm() && luck.chance(0.1)) m.at_least = core::priority::high;
  claiming_ = m;
  town.ask<messages::claimed_runs>(
      name(), "claim", m,
      [this, &town, m](result<messages::claimed_runs> answer) {
        claiming_.reset();
        rest(town, 0ms, 1s);
        if (!answer) {
          if (answer.error().code == errc::not_found) session_.reset();
          return;
        }
        if (answer->runs.size() > m.max) town.truth.report("answer", "more runs than a claim asked for");
        for (auto& won : answer->runs) take(town, std::move(won), m.lease, m.start);
      },
      m.wait > core::span{0});
}

void sim_worker::take(sim_town& town, messages::claimed_run won, core::span lease, bool started) {
  auto& luck = town.luck;
  const auto& h = won.run.head;
  town.oracle.granted(h.id, h.fencing, won.token);
  if (!won.run.spec || won.run.spec->handler != core::handler_kind::none)
    town.truth.report("eligible",
                      "an outside session was given " + to_string(h.id) + ", which is not for it");
  if (h.needs.workspace != workspace_)
    town.truth.report("eligible", "a session was given a run of another workspace: " + to_string(h.id));
  held mine;
  mine.hash = platform::sha256(won.token);
  mine.lease = lease;
  mine.started = started;
  mine.cancel = h.cancel_requested;
  mine.how = town.calm() ? plan::finish : static_cast<plan>(luck.weighted({40, 12, 8, 5, 8, 8, 7, 5, 5}));
  if (mine.how == plan::vanish) return;
  const auto now = town.clock.steady();
  mine.end_at = now + (town.calm() ? luck.between(0ms, 900ms) : luck.between(0ms, 6s));
  mine.beat_at = now + (started ? lease / 3 : core::span{0});
  if (mine.how == plan::late) {
    mine.end_at = now + lease + luck.between(0ms, 20s);
    if (started) mine.beat_at = mine.end_at;
  }
  held_[{h.id, h.fencing}] = mine;
  next_at_ = std::min(next_at_, std::min(mine.end_at, mine.beat_at));
}

void sim_worker::work(sim_town& town, const key& k, held& h) {
  const auto now = town.clock.steady();
  if (h.end_at <= now && (h.started || town.luck.chance(0.3))) return settle(town, k, h);
  const core::lease_proof proof{k.second, h.hash};
  h.beat_at = h.how == plan::late ? std::max(h.end_at, now + 1ms) : now + h.lease / 3;
  if (!h.started) return touch(town, k, core::cmd_start{proof}, "start");
  if (town.luck.chance(0.3))
    return touch(town, k, core::cmd_progress{proof, town.luck.unit(), "half way"}, "progress");
  touch(town, k, core::cmd_renew{proof, h.lease}, "renew");
}

void sim_worker::touch(sim_town& town, const key& k, decltype(messages::lease_call::what) what,
                       const char* text) {
  held_.at(k).busy = true;
  const bool start = std::holds_alternative<core::cmd_start>(what);
  messages::touch_leases m;
  m.calls.push_back({k.first, std::move(what)});
  town.ask<messages::touched>(
      name(), text, std::move(m), [this, &town, k, start](result<messages::touched> answer) {
        const auto it = held_.find(k);
        if (it == held_.end()) return;
        it->second.busy = false;
        rest(town, 0ms, 500ms);
        if (!answer || answer->answers.size() != 1) return;
        const auto& status = answer->answers.front();
        if (status) {
          it->second.started = it->second.started || start;
          it->second.cancel = status->cancel_requested;
          if (status->cancel_requested) it->second.end_at = town.clock.steady();
        } else if (status.error().code == errc::stale_lease && town.luck.chance(0.7)) {
          held_.erase(it);  // the others try to complete all the same
        } else if (status.error().code == errc::not_found) {
          held_.erase(it);
        }
      });
}

core::cmd_settle sim_worker::words(sim_town& town, const key& k, const held& h) const {
  core::cmd_settle c;
  c.proof = {k.second, h.hash};
  c.unit = town.luck.unit();
  c.used.user_cpu = 3ms;
  if (h.cancel) {
    c.kind = settle_kind::cancelled;
    return c;
  }
  switch (h.how) {
    case plan::finish:
    case plan::vanish:
    case plan::late:
    case plan::twice:
    case plan::otherwise:
    case plan::wrong_token:
      c.kind = settle_kind::succeeded;
      c.result = "{\"by\":\"" + name() + "\"}";
      break;
    case plan::fail:
      c.kind = settle_kind::failed;
      c.klass = town.luck.one_of(std::vector<core::failure_class>{
          core::failure_class::error, core::failure_class::error, core::failure_class::permanent,
          core::failure_class::resource, core::failure_class::rate_limited, core::failure_class::timeout});
      c.message = "it did not work";
      if (c.klass == core::failure_class::rate_limited) c.retry_after = 5s;
      break;
    case plan::release:
      c.kind = settle_kind::released;
      if (town.luck.chance(0.5)) c.retry_after = town.luck.between(0s, 5s);
      break;
    case plan::park:
      c.kind = settle_kind::parked;
      c.retry_after = town.luck.between(1s, 10s);
      c.message = "no quota";
      break;
  }
  return c;
}

void sim_worker::settle(sim_town& town, const key& k, held& h) {
  h.busy = true;
  const bool again = h.settled;
  if (!h.said) h.said = words(town, k, h);
  auto said = *h.said;
  if (again && h.how == plan::otherwise)
    said.kind = settle_kind::failed, said.klass = core::failure_class::error, said.message = "or not",
    said.result.clear();
  const bool wrong = !again && h.how == plan::wrong_token;
  if (wrong) {
    said.proof.hash[7] ^= 1;
    h.how = plan::finish;
  }
  messages::settle_runs m{{{k.first, said}}, name()};
  if (town.luck.chance(0.1)) m.items.push_back({core::run_id{4711}, said});
  town.ask<messages::settled>(
      name(),
      wrong   ? "settle, wrong token"
      : again ? "settle again"
              : "settle",
      std::move(m), [this, &town, k, again, wrong](result<messages::settled> answer) {
        const auto it = held_.find(k);
        if (it == held_.end()) return;
        it->second.busy = false;
        it->second.end_at = town.clock.steady() + town.luck.between(0ms, 2s);
        rest(town, 0ms, 1s);
        if (!answer) return;  // it says it again
        if (answer->answers.size() == 2 && answer->answers.back().ok())
          town.truth.report("answer", "the end of a run that is not there was accepted");
        const auto& item = answer->answers.front();
        if (wrong) {
          if (item) town.truth.report("proof", "a wrong token was accepted for " + to_string(k.first));
          return;
        }
        settled(town, k, again, item);
      });
}

void sim_worker::settled(sim_town& town, const key& k, bool again,
                         const result<messages::settled_item>& item) {
  auto& h = held_.at(k);
  if (!item) {
    const auto code = item.error().code;
    if (again && h.how == plan::twice &&
        (code == errc::stale_lease || code == errc::conflict || code == errc::invalid_transition))
      return town.truth.report("replay", "the same end of an attempt was refused the second time: " +
                                             to_string(k.first) + ", " + item.error().text);
    const bool final = code == errc::stale_lease || code == errc::conflict || code == errc::not_found ||
                       code == errc::invalid_transition;
    if (final) held_.erase(k);
    return;
  }
  if (item->replayed) {
    held_.erase(k);
    return;
  }
  if (again)
    return town.truth.report("attempts", "an attempt was ended twice: " + to_string(k.first) + " fencing " +
                                             std::to_string(k.second));
  town.oracle.settled(k.first, k.second, item->head.state);
  if (h.how == plan::twice || h.how == plan::otherwise)
    h.settled = true;
  else
    held_.erase(k);
}

}  // namespace belfry::tests
