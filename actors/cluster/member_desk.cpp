#include "actors/support/message_types.hpp"
// after the message types
#include "actors/cluster/member_desk.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "actors/executor_supervisor/executor_supervisor.hpp"

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;

namespace {

constexpr core::span full_window_pause = std::chrono::milliseconds{50};

// So that a node of another version has the time to take it.
constexpr core::span unreadable_pause = std::chrono::seconds{30};

failure stopping() { return {errc::unavailable, "the member is stopping", {}, {}}; }
failure too_many(std::size_t open) {
  return {errc::overloaded,
          "too many questions to the coordinator are open: " + std::to_string(open),
          {},
          "belfry node ls"};
}
failure unexpected() { return {errc::aborted, "the coordinator gave an answer to another question", {}, {}}; }

}  // namespace

member_desk::member_desk(caf::actor_config& cfg, member_desk_deps deps)
    : member_desk_actor::base(cfg), deps_{std::move(deps)}, membership_{deps_.options.membership} {
  set_down_handler([this](const caf::down_msg& down) {
    if (!head_ || head_.address() != down.source) return;
    head_ = nullptr;
    if (ending_) {
      if (auto tell = std::exchange(deps_.left, nullptr)) tell();
      return quit(caf::exit_reason::user_shutdown);
    }
    give_up({errc::internal, "the executor supervisor died: " + system().render(down.reason), {}, {}});
  });
}

auto member_desk::make_behavior() -> behavior_type {
  executor_supervisor_deps d;
  const auto& o = deps_.options;
  d.store = storage_client{member_desk_actor{this}};
  d.supervisor = child_listener{member_desk_actor{this}};
  d.processes = deps_.processes;
  d.clock = deps_.clock;
  d.randomness = deps_.randomness;
  d.says = deps_.says;
  d.options = o.executor;
  d.mark = o.mark;
  d.clock_jump = o.clock_jump;
  head_ = spawn<executor_supervisor, caf::monitored>(std::move(d));
  start_executors begin;
  begin.dispatcher = claim_actor{member_desk_actor{this}};
  begin.registry = session_client{member_desk_actor{this}};
  begin.sweeper = clock_watch_actor{member_desk_actor{this}};
  caf::anon_send(head_, std::move(begin));
  dial(now());
  arm();
  return {
      [this](const claim_runs& wish) { return claim(wish); },
      [this](const register_session& asked) { return enter(asked); },
      [this](const end_session& asked) { return leave(asked); },
      [this](commit_changes& asked) { return commit(asked); },
      // Leases are counted on a clock that nobody sets.
      [](look_at_clock) { return clock_looked{}; },
      [this](const child_changed& news) {
        if (news.child.state != "up")
          deps_.says.say(note_level::warning, "executor-" + news.child.state + " " + news.child.name);
      },
      [](const store_changed&) {},
      [this](member_link_news& news) {
        heard(news);
        leave_if_told(now());
        arm();
      },
      [this](const leave_cluster& asked) {
        stop(asked.deadline);
        arm();
      },
      [this](const alarm_rang& ring) {
        if (alarm_.rang(ring)) look();
      },
  };
}

void member_desk::on_exit() {
  if (head_) caf::anon_send_exit(head_, caf::exit_reason::kill);
  head_ = nullptr;
  open_.clear();
  attempts_.clear();
  leaving_.clear();
  if (auto tell = std::exchange(deps_.left, nullptr)) tell();
  deps_ = {};
}

// ---- claims

caf::result<member_desk::claims_answer> member_desk::claim(const claim_runs& wish) {
  if (stopping_) return claims_answer{stopping()};
  if (open_.size() >= deps_.options.max_open) return claims_answer{too_many(open_.size())};
  auto [guard, promise] = answer_later<claims_answer>(this);
  auto asked = wish;
  for (const auto& a : attempts_)
    if (a.session == wish.who) asked.holds.push_back(a.run);
  ask(std::move(asked), question_kind::claim, deps_.options.patience,
      [this, wish, answer = guard](core::result<wire::reply>& r, asked_when when) {
        claimed(wish, answer, r, when);
      });
  return promise;
}

// What nobody waits for, or what may have run out on its way, goes back instead of being started.
void member_desk::claimed(const claim_runs& wish, const asker<claims_answer>& answer,
                          core::result<wire::reply>& reply, asked_when when) {
  if (!reply) {
    if (answer) answer->deliver(claims_answer{reply.error()});
    return;
  }
  auto* all = std::get_if<claimed_runs>(&*reply);
  if (all == nullptr) {
    if (answer) answer->deliver(claims_answer{unexpected()});
    return cut("it answered a claim with something else");
  }
  const auto at = now();
  // It cannot have been granted after its answer had come.
  const auto waited = std::min(when.waited, at - when.asked);
  const auto safe = core::lease_safe_until(when.asked, waited, wish.lease);
  auto runs = std::exchange(all->runs, {});
  for (auto& run : runs) {
    if (find(run.run.head.id, run.run.head.fencing) != nullptr) continue;  // told twice
    run.run.head.held.hash = platform::sha256(run.token);
    auto& a = attempts_.emplace_back(run, wish.who, wish.lease, safe, at);
    if (!answer || stopping_ || !sessions_.contains(wish.who) || all->runs.size() >= wish.max)
      hand_back(a, "nobody waited for it any more");
    else if (a.stop_at <= at)
      hand_back(a, "its lease could have run out before it began");
    else if (!run.run.spec || !run.run.spec->unreadable.empty())
      hand_back(a, "this node cannot read it", unreadable_pause);
    else
      all->runs.push_back(std::move(run));
  }
  tell_doom();  // before the process is there
  show();
  if (answer) answer->deliver(claims_answer{std::move(*all)});
}

// What was asked for already may still bring a run.
void member_desk::close_claims() {
  for (const auto number : open_.claims()) {
    auto* q = open_.find(number);
    core::result<wire::reply> no{stopping()};
    q->then(no, {});
    if (!q->sent) {
      open_.take(number);
      continue;
    }
    q->then = [this](core::result<wire::reply>& r, asked_when when) {
      claim_runs forgotten;
      forgotten.lease = deps_.options.executor.lease;
      claimed(forgotten, nullptr, r, when);
    };
  }
}

// ---- sessions

caf::result<member_desk::session_said> member_desk::enter(const register_session& asked) {
  if (open_.size() >= deps_.options.max_open) return session_said{too_many(open_.size())};
  auto m = asked;
  const auto& o = deps_.options;
  m.who.local = false;
  m.who.name = o.node + "/" + asked.who.name;
  m.who.capabilities = o.capabilities;
  m.who.capabilities.insert(m.who.capabilities.end(), o.labels.begin(), o.labels.end());
  m.who.capabilities.push_back("node:" + o.node);
  m.who.metadata = "{\"node\":\"" + o.node + "\"}";
  m.who.wake = {};
  m.who.wake.via = core::wake_via::none;
  core::normalise(m.who);
  if (!m.who.id) {
    once_key once;
    once.key = deps_.boot + "/" + asked.who.name + "/" + std::to_string(++registration_);
    once.fingerprint = platform::sha256(once.key);
    m.once = std::move(once);
  }
  auto [guard, promise] = answer_later<session_said>(this);
  ask(std::move(m), question_kind::other, o.patience,
      [this, answer = guard](core::result<wire::reply>& r, asked_when) {
        if (!r) return answer->deliver(session_said{r.error()});
        auto* seated = std::get_if<session_answer>(&*r);
        if (seated == nullptr) {
          answer->deliver(session_said{unexpected()});
          return cut("it answered a registration with something else");
        }
        sessions_.insert(seated->who.id);
        answer->deliver(session_said{std::move(*seated)});
      });
  return promise;
}

// An executor crashed and its children are gone: what it had not ended is given up with its session, what it
// had is told before.
caf::result<member_desk::session_said> member_desk::leave(const end_session& asked) {
  auto [guard, promise] = answer_later<session_said>(this);
  if (sessions_.erase(asked.id) == 0)
    return session_said{failure{errc::not_found, "the session has ended", {}, {}}};
  for (auto it = attempts_.begin(); it != attempts_.end();) {
    const bool ended = std::any_of(it->steps.begin(), it->steps.end(),
                                   [](const told_step& s) { return s.outcome.has_value(); });
    it = it->session == asked.id && !ended ? attempts_.erase(it) : std::next(it);
  }
  tell_doom();
  leaving_.push_back({asked, guard});
  sessions_may_leave();
  arm();
  return promise;
}

void member_desk::sessions_may_leave() {
  for (auto it = leaving_.begin(); it != leaving_.end();) {
    if (std::any_of(attempts_.begin(), attempts_.end(),
                    [it](const member_attempt& a) { return a.session == it->what.id; })) {
      ++it;
      continue;
    }
    ask(it->what, question_kind::other, deps_.options.patience,
        [this, answer = it->answer](core::result<wire::reply>& r, asked_when) {
          if (!r && r.error().code == errc::forbidden) r.error().code = errc::not_found;  // not ours any more
          if (!r) return answer->deliver(session_said{r.error()});
          auto* gone = std::get_if<session_answer>(&*r);
          if (gone != nullptr) return answer->deliver(session_said{std::move(*gone)});
          answer->deliver(session_said{unexpected()});
          cut("it answered the end of a session with something else");
        });
    it = leaving_.erase(it);
  }
}

// ---- questions

void member_desk::ask(wire::question what, question_kind kind, core::span patience,
                      asked_question::answered then) {
  asked_question q;
  q.kind = kind;
  if (const auto* claim = std::get_if<claim_runs>(&what)) {
    q.claimer = claim->who;
    q.wait = claim->wait;
  }
  q.soon = std::holds_alternative<settle_runs>(what);
  q.body = wire::encode(wire::ask{std::move(what)});
  q.patience = patience;
  q.then = std::move(then);
  const bool at_once = stage_ == stage::joined && (kind != question_kind::claim || may_claim(q.claimer));
  const auto number = open_.add(std::move(q));
  if (at_once) send_question(number, now());
  arm();
}

void member_desk::send_question(std::uint64_t number, core::instant at) {
  auto* q = open_.find(number);
  if (q == nullptr) return;
  if (!send(wire::kind::ask, number, q->body, q->soon)) {
    q->again_at = core::later(at, full_window_pause);
    return;
  }
  if (!std::exchange(q->sent, true)) q->asked = at;
  q->again_at = core::later(at, q->wait + q->patience);
}

void member_desk::send_due(core::instant at) {
  if (stage_ != stage::joined) return;
  for (const auto number : open_.due(at, claim_rule())) {
    const auto* q = open_.find(number);
    // The answer may be lost, and a run with it that stays claimed by nobody: the next hello puts that right.
    if (q != nullptr && q->kind == question_kind::claim && q->sent &&
        core::later(q->asked, q->wait + q->patience) <= at)
      return cut("a claim was not answered in time");
    send_question(number, at);
  }
}

void member_desk::answered(std::uint64_t number, const std::string& body) {
  auto answer = wire::read_answer(body);
  if (!answer) return cut("an answer of its cannot be read: " + answer.error().text);
  auto q = open_.take(number);
  if (!q || !q->sent) return;  // repeated: somebody had the first one
  q->then(answer->what, {q->asked, answer->waited});
}

// One that has a process claims nothing. How the last one ended is on its way then; that nobody has confirmed
// it yet holds up no claim: the claim names the run, so that it is not taken for one that got lost.
bool member_desk::may_claim(core::session_id who) const {
  return !draining_ && !stopping_ &&
         std::none_of(attempts_.begin(), attempts_.end(),
                      [who](const member_attempt& a) { return a.session == who && !a.over; });
}

// ---- life

void member_desk::look() {
  const auto at = now();
  look_at_link(at);
  look_at_attempts(at);
  send_due(at);
  leave_if_told(at);
  arm();
}

void member_desk::arm() {
  const auto at = now();
  auto next = std::min(link_due(at), leave_by_);
  for (const auto& a : attempts_) {
    next = std::min(next, a.next_due());
    if (stage_ == stage::joined && a.may_renew(at, deps_.options.executor.overdue_after))
      next = std::min(next, a.renew_at);
  }
  if (stage_ == stage::joined) next = std::min(next, open_.next_due(claim_rule()));
  if (next != core::end_of_time) alarm_.arm(member_desk_actor{this}, next, at);
}

void member_desk::stop(core::span deadline) {
  const bool first = !std::exchange(stopping_, true);
  if (ending_) return;
  if (first) {
    deps_.says.say(note_level::info, "member-stopping " + deps_.options.node);
    close_claims();
    show();
  }
  if (!head_) {  // it died, and there is nothing to wait for
    if (auto tell = std::exchange(deps_.left, nullptr)) tell();
    return quit(caf::exit_reason::user_shutdown);
  }
  const auto over = [this] {
    drained_ = true;
    leave_by_ = core::later(now(), deps_.options.patience);
    leave_if_told(now());
    arm();
  };
  request(head_, caf::infinite, drain_executors{deadline})
      .then(
          [first, over](executors_drained) {
            if (first) over();
          },
          [first, over](caf::error&) {
            if (first) over();
          });
}

// Good-bye comes after the last word about a run. Without contact it is not said: the leases will run out.
void member_desk::leave_if_told(core::instant at) {
  if (!drained_ || ending_) return;
  const bool late = leave_by_ <= at;
  if (good_bye_said_) {
    if (late || link_ == 0) end_executors();
    return;
  }
  if (!late && !attempts_.empty() && stage_ != stage::out) return;
  if (stage_ != stage::joined || !send(wire::kind::good_bye, 0, {})) return end_executors();
  good_bye_said_ = true;
  leave_by_ = core::later(at, membership_.beat);  // for the bytes to leave; the other side closes
}

void member_desk::end_executors() {
  ending_ = true;
  leave_by_ = core::end_of_time;
  if (link_ != 0) deps_.wire->close(std::exchange(link_, 0), "the member has stopped");
  stage_ = stage::out;
  if (head_) return caf::anon_send_exit(head_, caf::exit_reason::user_shutdown);
  if (auto tell = std::exchange(deps_.left, nullptr)) tell();
  quit(caf::exit_reason::user_shutdown);
}

void member_desk::show() {
  auto s = deps_.board->read();
  const bool joined = stage_ == stage::joined;
  if (s.joined != joined || s.since == core::never) s.since = deps_.clock->now();
  s.joined = joined;
  s.cluster = cluster_;
  s.coordinator = coordinator_;
  s.draining = draining_ || stopping_;
  s.trouble = joined ? std::string{} : trouble_;
  s.running = running();
  deps_.board->show(std::move(s));
}

}  // namespace belfry::actors
