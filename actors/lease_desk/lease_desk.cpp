#include "actors/support/message_types.hpp"
// after the message types
#include "actors/lease_desk/lease_desk.hpp"

#include <algorithm>
#include <utility>

#include "actors/support/change_sets.hpp"

namespace belfry::actors {

using namespace messages;

namespace {

constexpr std::size_t leases_without_dropping = 1024;

// Which of the things that a lease call can be, by their place in the variant.
template <class Command>
bool is(std::size_t kind) {
  using call = decltype(lease_call::what);
  static const auto own = call{Command{}}.index();
  return kind == own;
}

}  // namespace

lease_desk::lease_desk(caf::actor_config& cfg, lease_desk_deps deps)
    : lease_desk_actor::base(cfg),
      deps_{std::move(deps)},
      jump_{*deps_.clock, deps_.clock_jump},
      since_{deps_.clock->now()},
      drop_at_{leases_without_dropping} {}

auto lease_desk::make_behavior() -> behavior_type {
  return {
      [this](const session_changed& news) {
        if (news.who.draining)
          draining_.insert(news.who.id);
        else
          draining_.erase(news.who.id);
        if (news.who.state == core::session_state::stale) life_.forget(news.who.id);
      },
      [this](const session_gone& news) {
        draining_.erase(news.id);
        life_.forget(news.id);
      },
      [this](const tell_life& asked) { life_.tell_to(asked.who); },
      [this](touch_leases& asked) { return touch(asked); },
      [this](settle_runs& asked) { return settle(asked); },
      [this](const reissue_leases& asked) { return reissue(asked); },
      [this](const ask_signs& asked) {
        signs_told told;
        told.signs.reserve(asked.leases.size());
        for (const auto& head : asked.leases) told.signs.push_back(signs_of(head));
        return told;
      },
  };
}

void lease_desk::on_exit() {
  deps_.store = nullptr;
  deps_.sweeper = nullptr;
  life_.clear();
}

caf::result<core::result<touched>> lease_desk::touch(touch_leases& asked) {
  if (auto no = refuse_length(asked.calls.size(), {})) return core::result<touched>{std::move(*no)};
  std::vector<storage::change_set> sets;
  std::vector<std::size_t> kinds;
  sets.reserve(asked.calls.size());
  kinds.reserve(asked.calls.size());
  const auto now = deps_.clock->now();
  for (auto& call : asked.calls) {
    kinds.push_back(call.what.index());
    auto command = std::visit([](auto& c) -> core::run_command { return std::move(c); }, call.what);
    sets.push_back({now, "worker", {}, {storage::step_run{call.run, std::move(command), false}}});
  }
  return write<touched>(std::move(sets), [this, kinds = std::move(kinds)](commit_results& r) {
    return touched_from(r, kinds);
  });
}

caf::result<core::result<claimed_runs>> lease_desk::reissue(const reissue_leases& asked) {
  if (asked.runs.empty()) return core::result<claimed_runs>{claimed_runs{}};
  if (auto no = refuse_length(asked.runs.size(), "/runs")) return core::result<claimed_runs>{std::move(*no)};
  std::vector<storage::change_set> sets;
  std::vector<std::string> tokens;
  sets.reserve(asked.runs.size());
  tokens.reserve(asked.runs.size());
  const auto now = deps_.clock->now();
  for (const auto run : asked.runs) {
    auto token = deps_.randomness->token();
    core::cmd_reissue command{asked.who, token.hash, asked.lease};
    sets.push_back({now, asked.actor, {}, {storage::step_run{run, std::move(command), true}}});
    tokens.push_back(std::move(token.text));
  }
  return write<claimed_runs>(std::move(sets), [this, tokens = std::move(tokens)](commit_results& r) {
    return reissued_from(r, tokens);
  });
}

// What ended, or was taken back, since it was looked at is left out.
core::result<claimed_runs> lease_desk::reissued_from(commit_results& r, std::vector<std::string> tokens) {
  claimed_runs all;
  const auto now = deps_.clock->now();
  for (std::size_t i = 0; i < r.answers.size(); ++i) {
    auto& answer = r.answers[i];
    if (!answer) {
      const auto code = answer.error().code;
      if (code == core::errc::invalid_transition || code == core::errc::not_found) continue;
      return std::move(answer.error());
    }
    claimed_run one;
    one.run = std::move(answer->runs.front());
    one.token = std::move(tokens.at(i));
    life_.heard(one.run.head.held.holder, now);
    const auto known = signs_of(one.run.head);
    signs_[one.run.head.id] = {one.run.head.fencing, now, one.run.head.held.expires_at, known.progress_at,
                               known.said_at};
    all.runs.push_back(std::move(one));
  }
  return all;
}

caf::result<core::result<settled>> lease_desk::settle(settle_runs& asked) {
  if (auto no = refuse_length(asked.items.size(), "/items")) return core::result<settled>{std::move(*no)};
  std::vector<storage::change_set> sets;
  sets.reserve(asked.items.size());
  const auto now = deps_.clock->now();
  for (auto& item : asked.items) {
    item.how.unit = deps_.randomness->unit();
    sets.push_back({now, asked.actor, {}, {storage::step_run{item.run, std::move(item.how), false}}});
  }
  return write<settled>(std::move(sets), [this](commit_results& r) { return settled_from(r); });
}

core::result<touched> lease_desk::touched_from(commit_results& r, const std::vector<std::size_t>& kinds) {
  touched all;
  all.answers.reserve(r.answers.size());
  const auto now = deps_.clock->now();
  for (std::size_t i = 0; i < r.answers.size(); ++i) {
    auto& answer = r.answers[i];
    if (!answer) {
      all.answers.emplace_back(std::move(answer.error()));
      continue;
    }
    auto status = heard(answer->runs.front().head, kinds.at(i), now);
    status.next_line = answer->next_line;
    all.answers.emplace_back(status);
  }
  drop_old(now);
  return all;
}

core::result<settled> lease_desk::settled_from(commit_results& r) {
  settled all;
  all.answers.reserve(r.answers.size());
  for (auto& answer : r.answers) {
    if (!answer) {
      all.answers.emplace_back(std::move(answer.error()));
      continue;
    }
    auto& head = answer->runs.front().head;
    for (const auto& ended : answer->ended) life_.heard(ended.holder, deps_.clock->now());
    if (!answer->replayed) signs_.erase(head.id);
    all.answers.emplace_back(settled_item{std::move(head), answer->replayed});
  }
  return all;
}

lease_status lease_desk::heard(const core::run_head& head, std::size_t kind, core::instant now) {
  life_.heard(head.held.holder, now);
  auto known = signs_of(head);
  if (is<core::cmd_renew>(kind))
    known.renewed_at = now;
  else
    known.progress_at = now;
  if (is<core::cmd_progress>(kind)) known.said_at = now;
  signs_[head.id] = {head.fencing, known.renewed_at, head.held.expires_at, known.progress_at, known.said_at};
  lease_status status;
  status.expires_at = head.held.expires_at;
  status.deadline_at = head.held.deadline_at;
  status.cancel_requested = head.cancel_requested;
  status.drain = draining_.contains(head.held.holder);
  status.report = core::is_stalled(known, deps_.liveness, now);
  return status;
}

core::lease_signs lease_desk::signs_of(const core::run_head& head) const {
  const auto& held = head.held;
  core::lease_signs own{head.id, std::max(held.claimed_at, std::min(since_, held.expires_at)),
                        held.expires_at,
                        held.started_at == core::never ? core::never : std::max(held.started_at, since_)};
  if (const auto it = signs_.find(head.id); it != signs_.end() && it->second.fencing == head.fencing) {
    own.renewed_at = std::max(own.renewed_at, it->second.renewed_at);
    if (own.progress_at != core::never) own.progress_at = std::max(own.progress_at, it->second.progress_at);
    own.said_at = it->second.said_at;
  }
  return own;
}

// Those that have run out were never settled.
void lease_desk::drop_old(core::instant now) {
  if (signs_.size() < drop_at_) return;
  std::erase_if(signs_, [&](const auto& one) { return one.second.expires_at <= now; });
  drop_at_ = std::max(leases_without_dropping, 2 * signs_.size());
}

// After a jump of the clock the sweeper gives its grace first, so that nobody is refused for having slept.
template <class Answer, class Make>
caf::result<core::result<Answer>> lease_desk::write(std::vector<storage::change_set> sets, Make make) {
  if (!jump_.look()) return commit_then<Answer>(this, deps_.store, std::move(sets), make);
  since_ = deps_.clock->now();  // what was said before the jump is not compared with what is said after it
  signs_.clear();
  auto [guard, promise] = answer_later<core::result<Answer>>(this);
  auto go_on = [this, answer = guard, make, sets] {
    request(deps_.store, caf::infinite, commit_changes{sets})
        .then([answer, make](commit_results& r) { answer->deliver(core::result<Answer>{make(r)}); },
              [answer](caf::error& e) { answer->deliver(core::result<Answer>{failure_of(e, "storage")}); });
  };
  request(deps_.sweeper, caf::infinite, look_at_clock{})
      .then([go_on](clock_looked) { go_on(); }, [go_on](caf::error&) { go_on(); });
  return promise;
}

}  // namespace belfry::actors
