// Sessions that ask for their wakes, and wait.
#include "actors/support/message_types.hpp"
// after the message types
#include "actors/wake_desk/wake_desk.hpp"

#include <algorithm>
#include <utility>

namespace belfry::actors {

using namespace messages;
using core::errc;
using core::failure;

namespace {

constexpr core::span longest_poll = std::chrono::seconds{60};
// One that comes back before the node knows that its old connection is dead takes the place of the oldest.
constexpr std::size_t polls_of_a_session = 4;

std::optional<failure> refuse_poll(const await_wakes& asked) {
  failure no{errc::invalid, "the poll is not valid", {}, {}};
  if (asked.max < 1 || asked.max > 1000)
    no.problems.push_back({"?max", std::to_string(asked.max), "1 to 1000", "too many or none"});
  if (asked.wait < core::span{0} || asked.wait > longest_poll)
    no.problems.push_back(
        {"?wait", std::to_string(core::millis(asked.wait)) + " ms", "0s to 60s", "not a time to wait"});
  if (no.problems.empty()) return std::nullopt;
  return no;
}

}  // namespace

wake_view wake_desk::view_of(const core::open_wake& w) {
  wake_view v;
  v.id = w.id;
  v.run = w.run;
  v.session = w.session;
  v.prio = w.prio;
  v.starved = w.starved;
  v.name = w.name;
  v.sent_at = w.sent_at;
  v.acknowledge_by = w.acknowledge_by;
  return v;
}

waiting_wakes wake_desk::waiting_for(core::session_id who, core::wake_id after, std::size_t most) const {
  waiting_wakes told;
  for (const auto& w : box_.waiting(who, after, most)) told.wakes.push_back(view_of(w));
  return told;
}

caf::result<core::result<waiting_wakes>> wake_desk::await(const await_wakes& asked) {
  if (auto no = refuse_poll(asked)) return poll_answer{std::move(*no)};
  if (!sinks_.contains(asked.who))
    return poll_answer{failure{errc::not_found,
                               "there is no session " + to_string(asked.who) + ", or it has gone",
                               {},
                               "register a session first"}};
  const auto now = deps_.clock->now();
  life_.heard(asked.who, now);
  look();
  auto told = waiting_for(asked.who, asked.after, asked.max);
  if (!told.wakes.empty() || asked.wait == core::span{0} || closed_) {
    done_for_now();
    return poll_answer{std::move(told)};
  }
  auto [guard, promise] = answer_later<poll_answer>(this);
  auto& mine = polls_[asked.who];
  if (mine.size() >= polls_of_a_session) {
    const auto oldest = std::move(mine.front());
    mine.erase(mine.begin());
    pollers_.erase(oldest.number);
    patience_.clear(oldest.number);
    oldest.answer->deliver(poll_answer{waiting_wakes{}});
  }
  const auto number = ++last_poll_;
  mine.push_back({number, asked.after, asked.max, guard});
  pollers_.emplace(number, asked.who);
  patience_.set(number, core::later(now, asked.wait));
  done_for_now();
  return promise;
}

// Everybody who polls for the session is told: nobody knows which of the connections still lives, and a wake
// that is heard twice does no harm.
void wake_desk::serve_polls_of(core::session_id who) {
  const auto it = polls_.find(who);
  if (it == polls_.end()) return;
  auto& mine = it->second;
  std::erase_if(mine, [&](const poll& one) {
    auto told = waiting_for(who, one.after, one.max);
    if (told.wakes.empty()) return false;
    pollers_.erase(one.number);
    patience_.clear(one.number);
    one.answer->deliver(poll_answer{std::move(told)});
    return true;
  });
  if (mine.empty()) polls_.erase(it);
}

// Its patience is over.
void wake_desk::end_poll(std::int64_t number) {
  const auto who = pollers_.find(number);
  if (who == pollers_.end()) return;
  const auto it = polls_.find(who->second);
  pollers_.erase(who);
  if (it == polls_.end()) return;
  auto& mine = it->second;
  const auto at = std::find_if(mine.begin(), mine.end(), [&](const poll& p) { return p.number == number; });
  if (at != mine.end()) {
    at->answer->deliver(poll_answer{waiting_wakes{}});
    mine.erase(at);
  }
  if (mine.empty()) polls_.erase(it);
}

void wake_desk::close() {
  closed_ = true;
  for (auto& [who, all] : std::exchange(polls_, {}))
    for (auto& one : all) one.answer->deliver(poll_answer{waiting_wakes{}});
  pollers_.clear();
  patience_ = {};
}

}  // namespace belfry::actors
