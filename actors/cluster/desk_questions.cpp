// Questions of members: each is checked to be about what is theirs, asked where it would be asked at home,
// and answered over the link that it came by.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/cluster/desk.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

#include "actors/support/failures.hpp"

namespace belfry::actors {

namespace msg = messages;
namespace wire = messages::wire;
using core::errc;
using core::failure;
using core::session_id;
using platform::metric;

namespace {

constexpr std::size_t sessions_known = 1'000;  // of a node
constexpr std::size_t ended_runs_known = 10'000;
constexpr std::size_t runs_known = 200'000;  // those that were lost are forgotten with the link

template <class T>
core::result<wire::reply> reply_of(core::result<T>& r) {
  if (!r) return std::move(r).error();
  return wire::reply{std::move(*r)};
}

failure not_yours(const std::string& what) {
  return {errc::forbidden, what + " is not of this node", {}, {}};
}

}  // namespace

void cluster_desk::question(link_id link, member& m, envelope& e) {
  auto asked = wire::read_ask(e.body);
  if (!asked) return hang_up(link, asked.error().text);
  auto& from = callers_.at(link);
  if (from.open >= deps_.options.max_open)
    return refuse_question(link, e.number, errc::overloaded,
                           "so many questions of this node are open already: " + std::to_string(from.open));
  ++from.open;
  std::visit([&](auto& q) { ask(link, e.number, m, q); }, asked->what);
}

// Whether it will be heard, as far as anybody here can know.
bool cluster_desk::answer(link_id link, std::uint64_t number, core::result<wire::reply> what,
                          core::span waited) {
  const auto it = callers_.find(link);
  const bool sent = it != callers_.end() && [&] {
    if (it->second.open > 0) --it->second.open;
    const bool ok = what.ok();
    // Its run has ended, whoever hears of it when.
    const bool soon = ok && std::holds_alternative<msg::settled>(*what);
    deps_.says.count(metric::cluster_questions_total, 1, ok ? "answered" : "refused");
    return send(link, wire::kind::answer, number, wire::encode(wire::answer{std::move(what), waited}), soon);
  }();
  if (!sent) deps_.says.count(metric::cluster_questions_total, 1, "unanswered");
  return sent;
}

// It was a repetition, and the question itself will be answered.
void cluster_desk::forget_question(link_id link) {
  const auto it = callers_.find(link);
  if (it != callers_.end() && it->second.open > 0) --it->second.open;
}

void cluster_desk::refuse_question(link_id link, std::uint64_t number, errc code, std::string text) {
  deps_.says.count(metric::cluster_questions_total, 1, "refused");
  wire::answer no{core::result<wire::reply>{failure{code, std::move(text), {}, {}}}, core::span{0}};
  send(link, wire::kind::answer, number, wire::encode(no));
}

bool cluster_desk::owns(const member& m, session_id id) {
  const auto it = executors_.find(id);
  if (it == executors_.end() || it->second.node != m.is.name) return false;
  it->second.used = true;
  life_.heard(id, deps_.clock->now());
  return true;
}

// It was given this run, or said in its hello that it has it. Whether it still has it is the store's to say,
// by the token of the lease.
bool cluster_desk::knows(member& m, core::run_id run) {
  const auto it = m.runs.find(run);
  if (it == m.runs.end()) return false;
  if (const auto at = executors_.find(it->second.holder); at != executors_.end()) {
    at->second.used = true;
    std::erase_if(at->second.given, [&](const core::run_head& head) { return head.id == run; });
  }
  return true;
}

void cluster_desk::ask(link_id link, std::uint64_t number, member& m, msg::register_session& q) {
  if (q.who.id && !owns(m, q.who.id)) {
    // It may be one that has gone; then it is not found, as it would be at home.
    const bool foreign = executors_.contains(q.who.id);
    answer(
        link, number,
        foreign
            ? not_yours(to_string(q.who.id))
            : failure{
                  errc::not_found, "there is no session " + to_string(q.who.id) + " of this node", {}, {}});
    return;
  }
  if (const auto all = sessions_of(m.is.name); all.size() >= sessions_known) {
    std::erase_if(executors_,
                  [&](const auto& one) { return one.second.node == m.is.name && one.second.ended; });
    if (sessions_of(m.is.name).size() >= sessions_known) {
      answer(link, number, failure{errc::limit_exceeded, "the node has too many sessions", {}, {}});
      return;
    }
  }
  // A registration that is repeated, because no answer came, is the same session.
  auto& made = callers_.at(link).registered;
  const auto before = made.find(number);
  if (before != made.end() && !before->second) return forget_question(link);
  if (before != made.end() && !q.who.id) q.who.id = before->second;
  made[number] = {};
  msg::register_session asked;
  asked.who = core::session_of_node(q.who, m.is);
  asked.actor = "node:" + m.is.name;
  if (auto found = core::check(asked.who, ""); !found.empty()) {
    answer(link, number, failure{errc::invalid, "the session is not valid", std::move(found), {}});
    return;
  }
  request(home_.registry, caf::infinite, std::move(asked))
      .then([this, link, number,
             node = m.is.name](core::result<msg::session_answer>& r) { registered(link, number, node, r); },
            [this, link, number, node = m.is.name](caf::error& e) {
              core::result<msg::session_answer> no{failure_of(e, "session registry")};
              registered(link, number, node, no);
            });
}

void cluster_desk::registered(link_id link, std::uint64_t number, const std::string& node,
                              core::result<msg::session_answer>& r) {
  if (const auto from = callers_.find(link); from != callers_.end()) {
    if (r)
      from->second.registered[number] = r->who.id;
    else
      from->second.registered.erase(number);
  }
  if (!r) {
    answer(link, number, reply_of(r));
    return;
  }
  const auto who = r->who;
  const bool fresh = !executors_.contains(who.id);
  if (fresh && !callers_.contains(link))
    return end_session(who.id, "its node was gone before it heard of it", false);
  if (fresh) {
    executors_[who.id].node = node;
    end_namesakes(who, node);
  }
  const auto& m = members_.at(node).is;
  if (!fresh || who.draining == m.draining) return seated(link, number, fresh, r);
  // Its node was drained, or let work again, while it registered. It hears of its session when that is so
  // too.
  request(home_.registry, caf::infinite, msg::steer_session{who.id, m.draining, m.reason, "node:" + node})
      .then([this, link, number,
             r](core::result<msg::sessions_seen>&) mutable { seated(link, number, true, r); },
            [this, link, number, r](caf::error&) mutable { seated(link, number, true, r); });
}

void cluster_desk::seated(link_id link, std::uint64_t number, bool fresh,
                          core::result<msg::session_answer>& r) {
  const auto id = r->who.id;
  if (answer(link, number, reply_of(r)) || !fresh) return;
  executors_.erase(id);
  end_session(id, "its node could not be told of it", false);
}

// The answer before may have been lost, and the question repeated: of what a session was called so, and has
// never asked anything, nobody knows.
void cluster_desk::end_namesakes(const core::session& who, const std::string& node) {
  look_at_store([this, who, node](core::result<store_view> known) {
    if (!known) return;
    for (const auto& s : known->sessions) {
      if (s.id >= who.id || s.name != who.name || s.state == core::session_state::gone) continue;
      const auto it = executors_.find(s.id);
      if (!core::belongs_to(s, node) || it == executors_.end() || it->second.used) continue;
      executors_.erase(it);
      end_session(s.id, "registered again under the same name", false);
    }
  });
}

void cluster_desk::ask(link_id link, std::uint64_t number, member& m, msg::end_session& q) {
  if (!owns(m, q.id)) {
    answer(link, number, not_yours(to_string(q.id)));
    return;
  }
  q.actor = "node:" + m.is.name;
  request(home_.registry, caf::infinite, q)
      .then(
          [this, link, number, id = q.id](core::result<msg::session_answer>& r) {
            if (r) life_.forget(id);
            if (const auto it = executors_.find(id); r && it != executors_.end()) it->second.ended = true;
            answer(link, number, reply_of(r));
          },
          [this, link, number](caf::error& e) { answer(link, number, failure_of(e, "session registry")); });
}

void cluster_desk::ask(link_id link, std::uint64_t number, member& m, msg::claim_runs& q) {
  if (!owns(m, q.who)) {
    answer(
        link, number,
        executors_.contains(q.who)
            ? not_yours(to_string(q.who))
            : failure{errc::not_found, "there is no session " + to_string(q.who) + " of this node", {}, {}});
    return;
  }
  auto& who = executors_.at(q.who);
  const core::result<wire::reply> nothing{wire::reply{msg::claimed_runs{}}};
  // The same number again is the same claim, repeated because no answer came. While that is open it says
  // nothing new. When it was answered with a run that was never spoken of, the run may be in good hands and
  // the two may have crossed; an answer with nothing ends the doubt, for the next claim has another number.
  if (number == who.claim && who.claiming) return forget_question(link);
  if (number < who.claim || (number == who.claim && !who.given.empty())) {
    answer(link, number, nothing);
    return;
  }
  // An executor that claims anew says what it has: an answer with another run, that it never spoke of, was
  // lost on the way, and if it still comes, its number has been forgotten. The run is back in line before the
  // claim is looked at.
  who.claim = number;
  who.claiming = true;
  q.shown = std::nullopt;
  auto pass_on = [this, link, number, q, asked = deps_.clock->steady()] {
    request(home_.dispatcher, caf::infinite, q)
        .then([this, link, number, id = q.who,
               asked](core::result<msg::claimed_runs>& r) { claimed(link, number, id, asked, r); },
              [this, link, number, id = q.who](caf::error& e) {
                core::result<msg::claimed_runs> no{failure_of(e, "dispatcher")};
                claimed(link, number, id, deps_.clock->steady(), no);
              });
  };
  const auto lost =
      std::stable_partition(who.given.begin(), who.given.end(), [&](const core::run_head& head) {
        return std::find(q.holds.begin(), q.holds.end(), head.id) != q.holds.end();
      });
  const std::vector<core::run_head> gone{lost, who.given.end()};
  who.given.erase(lost, who.given.end());
  if (gone.empty()) return pass_on();
  give_back(gone, "its holder claimed again without it", std::move(pass_on));
}

void cluster_desk::claimed(link_id link, std::uint64_t number, session_id who, core::instant asked,
                           core::result<msg::claimed_runs>& r) {
  std::vector<core::run_head> heads;
  auto since = core::span{0};
  if (r)
    for (const auto& one : r->runs) {
      heads.push_back(one.run.head);
      since = std::max(since, deps_.clock->now() - one.run.head.held.claimed_at);
    }
  const auto it = executors_.find(who);
  const auto from = callers_.find(link);
  if (it != executors_.end() && it->second.claim == number) it->second.claiming = false;
  const bool wanted = it != executors_.end() && from != callers_.end() && it->second.claim == number &&
                      it->second.node == from->second.node;
  if (!wanted) {
    give_back(heads, "nobody was left who had claimed it");
    answer(link, number, core::result<wire::reply>{wire::reply{msg::claimed_runs{}}});
    return;
  }
  auto& m = members_.at(it->second.node);
  for (const auto& head : heads) m.runs[head.id] = {who, false};
  auto& given = it->second.given;
  given.insert(given.end(), heads.begin(), heads.end());
  const auto waited = core::waited_for(deps_.clock->steady() - asked, since);
  if (!answer(link, number, reply_of(r), waited)) {
    given.resize(given.size() - heads.size());
    give_back(heads, "its holder could not be told");
  } else if (m.runs.size() > runs_known) {
    hang_up(link, "it has been given more runs than it ever ended; its next hello says which of them it has");
  }
}

void cluster_desk::ask(link_id link, std::uint64_t number, member& m, msg::touch_leases& q) {
  for (const auto& call : q.calls)
    if (!knows(m, call.run)) {
      answer(link, number, not_yours(to_string(call.run)));
      return;
    }
  request(home_.leases, caf::infinite, std::move(q))
      .then([this, link, number](core::result<msg::touched>& r) { answer(link, number, reply_of(r)); },
            [this, link, number](caf::error& e) { answer(link, number, failure_of(e, "lease desk")); });
}

void cluster_desk::ask(link_id link, std::uint64_t number, member& m, msg::settle_runs& q) {
  std::vector<core::run_id> runs;
  for (const auto& item : q.items) {
    if (!knows(m, item.run)) {
      answer(link, number, not_yours(to_string(item.run)));
      return;
    }
    runs.push_back(item.run);
  }
  q.actor = "node:" + m.is.name;
  request(home_.leases, caf::infinite, std::move(q))
      .then(
          [this, link, number, runs](core::result<msg::settled>& r) {
            settled(link, runs, r);
            answer(link, number, reply_of(r));
          },
          [this, link, number](caf::error& e) { answer(link, number, failure_of(e, "lease desk")); });
}

void cluster_desk::settled(link_id link, const std::vector<core::run_id>& runs,
                           const core::result<msg::settled>& r) {
  const auto it = callers_.find(link);
  if (!r || it == callers_.end()) return;
  auto& m = members_.at(it->second.node);
  for (std::size_t i = 0; i < runs.size() && i < r->answers.size(); ++i)
    if (r->answers[i] && m.runs.contains(runs[i])) {
      m.runs[runs[i]].ended = true;
      m.ended.push_back(runs[i]);
    }
  while (m.ended.size() > ended_runs_known) {
    const auto old = m.runs.find(m.ended.front());
    if (old != m.runs.end() && old->second.ended) m.runs.erase(old);  // else it was claimed again since
    m.ended.pop_front();
  }
  if (m.is.draining && !m.drained) {
    looks_for_drained_ = true;
    look_for_drained_at_ = deps_.clock->steady();
    arm();
  }
}

// Fenced by number and token: what was settled or taken meanwhile stays as it is.
void cluster_desk::give_back(const std::vector<core::run_head>& runs, const std::string& why,
                             std::function<void()> then) {
  if (runs.empty()) return;
  commit_changes sets;
  for (const auto& head : runs) {
    core::cmd_settle command;
    command.proof = {head.fencing, head.held.hash};
    command.kind = core::settle_kind::released;
    command.message = why;
    sets.sets.push_back(
        {deps_.clock->now(), "node", {}, {storage::step_run{head.id, std::move(command), false}}});
  }
  if (!then) then = [] {};
  request(deps_.store, caf::infinite, std::move(sets))
      .then([then](commit_results&) { then(); }, [then](caf::error&) { then(); });
}

void cluster_desk::end_session(session_id id, const std::string& why, bool crashed) {
  request(home_.registry, caf::infinite, msg::end_session{id, why, crashed, "node"})
      .then(
          [this, id](core::result<msg::session_answer>& r) {
            if (!r && r.error().code != errc::not_found)
              deps_.says.say(note_level::warning,
                             "session-not-ended session=" + to_string(id) + " " + r.error().text);
          },
          [](caf::error&) {});
}

}  // namespace belfry::actors
