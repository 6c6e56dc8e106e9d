// Claims that pass the claim hook. Nothing is reserved while it is asked: what it allows is taken afterwards,
// by the rules of that moment, so a run that has gone meanwhile is not given twice, and a hook that hangs
// holds nothing back from anybody else.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/dispatcher/dispatcher.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "actors/support/change_sets.hpp"
#include "actors/support/failures.hpp"
#include "core/time/text.hpp"

namespace belfry::actors {

using namespace messages;
using core::failure;
using platform::metric;

namespace {

// A question that ends with its time ends the claim too, but what became of it is told first.
constexpr core::span hook_margin = std::chrono::milliseconds{250};
constexpr std::size_t strange_jobs_remembered = 100'000;
constexpr std::size_t hook_refusals_told = 20;

bool in_question(const std::vector<core::run_id>& all, core::run_id one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string hook_ago(core::instant at, core::instant now) {
  const auto whole =
      std::chrono::duration_cast<std::chrono::milliseconds>(now > at ? now - at : core::span{0});
  return core::to_text(core::span{whole}) + " ago";
}

std::string_view hook_outcome(const core::hook_ruling& r, const core::hook_verdict& v) {
  if (v.decision == core::hook_decision::allow) return "allowed";
  return r.allowed.empty() ? "refused" : "narrowed";
}

}  // namespace

bool dispatcher::passes_hook(const core::session& who) const {
  return hook_ != nullptr && core::concerns(hook_->options, who);
}

core::claim_wish dispatcher::wish_of(const seat& at, std::uint32_t max, core::priority at_least) const {
  core::claim_wish wish;
  wish.who = at.who;
  wish.free_slots = at.free_slots();
  wish.max = max;
  wish.at_least = at_least;
  if (hook_ == nullptr || (wish.refusals = hook_->memory.refusals_of(at.who.id)) == 0) return wish;
  wish.refused = [this, who = at.who.id, now = deps_.clock->now()](core::run_id run) {
    return hook_->memory.holds(who, run, now);
  };
  return wish;
}

// One that may wait stands in the line; until then its time is that of the hook, if it brought less.
void dispatcher::claim_through_hook(const claim_runs& wish, const claim_promise& answer,
                                    core::instant until) {
  const auto now = deps_.clock->now();
  waiting_.push_back({wish, std::max(until, core::later(now, hook_->options.timeout + hook_margin)), answer});
  const auto it = std::prev(waiting_.end());
  switch (try_through_hook(*it)) {
    case hook_step::claimed: waiting_.erase(it); return;
    case hook_step::nothing:
      if (wish.wait > core::span{0}) {
        it->until = until;
        break;
      }
      end_wait(it);
      return;
    case hook_step::waits: break;
  }
  alarm_.arm(dispatcher_actor{this}, it->until, now);
}

dispatcher::hook_step dispatcher::try_through_hook(waiting_claim& w) {
  auto* seat = roster_.find(w.wish.who);
  if (seat == nullptr) return hook_step::nothing;
  if (w.question != 0) return hook_step::waits;
  const auto now = deps_.clock->now();
  const auto free_slots = seat->free_slots();
  if (!core::may_take_anything({&seat->who, free_slots})) return hook_step::nothing;
  if (pauses_end_ != core::never && pauses_end_ <= now) pauses_changed(now);
  if (pauses_.holds(seat->who, now)) return hook_step::nothing;
  auto& h = *hook_;
  const auto who = w.wish.who;
  const auto want = std::min(w.wish.max, free_slots);
  const auto most = std::min<std::size_t>(std::max(want, h.options.candidates), core::most_hook_candidates);
  const auto next = board_.candidates(wish_of(*seat, w.wish.max, w.wish.at_least), now, most);
  if (next.empty()) {
    if (const auto end = h.memory.next_end(who, now); end != core::never)
      alarm_.arm(dispatcher_actor{this}, end, now);
    return hook_step::nothing;
  }
  claim_question q;
  std::vector<core::run_id> about;
  bool first_are_exempt = true;
  for (std::size_t i = 0; i < next.size(); ++i) {
    q.runs.push_back(next[i].id);
    if (h.asks_about(next[i].handler, next[i].job)) {
      about.push_back(next[i].id);
      if (i < want) first_are_exempt = false;
    } else {
      q.exempt.push_back(next[i].id);
    }
  }
  if (first_are_exempt && claim_these(w.wish, q.exempt, want, w.answer)) return hook_step::claimed;
  if (about.empty()) return hook_step::nothing;
  if (const auto pause = h.memory.not_before(who, now); pause != core::never) {
    if (!q.exempt.empty() && claim_these(w.wish, q.exempt, want, w.answer)) return hook_step::claimed;
    alarm_.arm(dispatcher_actor{this}, pause, now);
    return hook_step::nothing;
  }
  if (!h.judge || h.asking.size() >= h.options.concurrency || h.asking.contains(who)) return hook_step::waits;
  q.number = w.question = ++h.last;
  q.want = want;
  q.since = now;
  const auto number = q.number;
  h.asking.emplace(who, std::move(q));
  ask_claim_hook question{seat->who, std::move(about), want};
  request(h.judge, caf::infinite, std::move(question))
      .then([this, number, who](core::result<claim_hook_said>& said) { hook_answered(number, who, said); },
            [this, number, who](caf::error& e) {
              core::result<claim_hook_said> none{failure_of(e, "claim hook")};
              hook_answered(number, who, none);
            });
  return hook_step::waits;
}

// Takes of these what is still there, in this order, and lets the store confirm it. Whether there was
// anything.
bool dispatcher::claim_these(const claim_runs& wish, const std::vector<core::run_id>& runs,
                             std::uint32_t want, const claim_promise& answer) {
  auto* seat = roster_.find(wish.who);
  const auto now = deps_.clock->now();
  if (closed_ || seat == nullptr || !core::may_take_anything({&seat->who, seat->free_slots()}) ||
      pauses_.holds(seat->who, now))
    return false;
  const core::claim_wish by{seat->who, seat->free_slots(), wish.max, wish.at_least};
  const auto most = std::min({want, wish.max, by.free_slots});
  std::vector<core::run_id> taken;
  for (const auto run : runs)
    if (taken.size() < most && board_.take(run, by, now)) taken.push_back(run);
  if (taken.empty()) return false;
  commit_claim(wish, taken, answer);
  return true;
}

void dispatcher::hook_answered(std::uint64_t number, core::session_id who,
                               core::result<claim_hook_said>& said) {
  auto& h = *hook_;
  const auto it = h.asking.find(who);
  if (it == h.asking.end() || it->second.number != number) return;
  const auto q = std::move(it->second);
  h.asking.erase(it);
  const auto now = deps_.clock->now();
  auto allowed = q.exempt;
  auto most = q.want;
  std::optional<failure> wrong;
  if (!said) {
    wrong = said.error();
  } else {
    if (h.strange.size() >= strange_jobs_remembered) h.strange.clear();
    h.strange.insert(said->strange.begin(), said->strange.end());
    allowed.insert(allowed.end(), said->exempt.begin(), said->exempt.end());
    if (!said->asked.empty()) {
      auto ruling = core::ruling_of(said->asked, q.want, said->verdict);
      if (ruling)
        hook_ruled(who, *said, *ruling, allowed, most, now);
      else
        wrong = ruling.error();
    }
  }
  if (wrong) {
    hook_failed(who, wrong->text, now);
    if (h.options.on_error == core::hook_error::open) allowed = q.runs;
  }
  std::vector<core::run_id> in_order;
  for (const auto run : q.runs)
    if (in_question(allowed, run)) in_order.push_back(run);
  const auto w = std::find_if(waiting_.begin(), waiting_.end(),
                              [&](const waiting_claim& c) { return c.question == number; });
  if (w != waiting_.end()) {
    w->question = 0;
    if (claim_these(w->wish, in_order, most, w->answer))
      waiting_.erase(w);
    else
      go_on_through_hook(w);
  }
  serve_waiting();
}

// There may be more to ask about.
void dispatcher::go_on_through_hook(std::list<waiting_claim>::iterator w) {
  switch (try_through_hook(*w)) {
    case hook_step::claimed: waiting_.erase(w); return;
    case hook_step::nothing:
      if (w->wish.wait == core::span{0}) end_wait(w);
      return;
    case hook_step::waits: return;
  }
}

void dispatcher::hook_ruled(core::session_id who, const claim_hook_said& said,
                            const core::hook_ruling& ruling, std::vector<core::run_id>& allowed,
                            std::uint32_t& most, core::instant now) {
  auto& h = *hook_;
  const auto outcome = hook_outcome(ruling, said.verdict);
  ++h.counts.asked;
  ++(outcome == "allowed" ? h.counts.allowed : outcome == "narrowed" ? h.counts.narrowed : h.counts.refused);
  deps_.says.count(metric::claim_hook_questions_total, 1, outcome);
  if (roster_.find(who) != nullptr) {
    h.memory.worked(who);
    h.memory.allowed(who, ruling.allowed);
    h.memory.refused(who, ruling.refused, said.verdict.reason, now, h.options.retry_after);
  }
  if (auto text = h.watch.worked(now)) note_hook(core::event_kind::claim_hook_recovered, *text);
  allowed.insert(allowed.end(), ruling.allowed.begin(), ruling.allowed.end());
  most = ruling.max;
}

void dispatcher::hook_failed(core::session_id who, const std::string& why, core::instant now) {
  auto& h = *hook_;
  const bool open = h.options.on_error == core::hook_error::open;
  ++h.counts.asked;
  ++h.counts.failed;
  deps_.says.count(metric::claim_hook_questions_total, 1, "failed");
  if (!open && roster_.find(who) != nullptr) h.memory.failed(who, core::hook_reason(why), now);
  if (auto text = h.watch.failed(core::hook_reason(why), open, now)) {
    deps_.says.say(note_level::warning, "claim-hook-failed " + *text);
    note_hook(core::event_kind::claim_hook_failed, *text);
  }
}

void dispatcher::note_hook(core::event_kind kind, const std::string& text) {
  note_in_journal(this, deps_.store, kind, text, deps_.clock->now());
}

// ---- what is told of it

std::vector<core::ineligible> dispatcher::hook_on_session(const core::session& who, core::instant now) const {
  std::vector<core::ineligible> all;
  if (!passes_hook(who)) return all;
  if (const auto trouble = hook_->memory.failing(who.id, now)) {
    const auto again = hook_->memory.not_before(who.id, now);
    all.push_back(
        {"hook_failed", trouble->why + ", " + hook_ago(trouble->at, now) +
                            (again == core::never ? "; asked again with its next claim"
                                                  : "; asked again in " + core::to_text(again - now))});
  }
  return all;
}

std::vector<core::ineligible> dispatcher::hook_on(const core::session& who, core::run_id run,
                                                  core::job_id job, core::handler_kind handler,
                                                  core::instant now) const {
  if (!passes_hook(who) || !hook_->asks_about(handler, job)) return {};
  auto all = hook_on_session(who, now);
  if (const auto said = hook_->memory.last(who.id, run, now)) {
    all.push_back({"hook_refused",
                   "hook refused: " + (said->reason.empty() ? "it gave no reason" : said->reason) + ", " +
                       hook_ago(said->at, now) +
                       (said->until == core::never ? "; asked again with its next claim"
                                                   : "; holds for " + core::to_text(said->until - now))});
  } else if (const auto q = hook_->asking.find(who.id);
             q != hook_->asking.end() && in_question(q->second.runs, run)) {
    all.push_back({"hook_asked", "the claim hook was asked " + hook_ago(q->second.since, now)});
  }
  return all;
}

// Why a session gets nothing, and what it was refused lately.
void dispatcher::explain_hook(const seat& at, core::instant now, session_explanation& told) {
  if (!passes_hook(at.who)) return;
  const auto words = hook_->memory.last(at.who.id, now, hook_refusals_told);
  for (const auto& w : words) told.hook_refusals.push_back({w.run, w.reason, w.at});
  for (auto& no : hook_on_session(at.who, now)) told.reasons.push_back(std::move(no));
  const auto wish = wish_of(at, 1, core::priority::low);
  if (!told.reasons.empty() || !wish.refused || !board_.candidates(wish, now, 1).empty()) return;
  auto open = wish;
  open.refused = nullptr;
  if (board_.candidates(open, now, 1).empty()) return;
  told.reasons.push_back(
      {"hook_refused", "hook refused all that is next for it, " + std::to_string(words.size()) +
                           " runs lately: " + (words.empty() ? std::string{} : words.front().reason)});
}

hook_state dispatcher::hook_seen() const {
  auto s = hook_->counts;
  s.open = hook_->options.on_error == core::hook_error::open;
  s.under_way = hook_->asking.size();
  s.failing_since = hook_->watch.failing_since();
  s.last_failure = hook_->watch.last_failure();
  s.last_failure_at = hook_->watch.failed_at();
  return s;
}

}  // namespace belfry::actors
