#include "core/queue/board.hpp"

#include <algorithm>
#include <limits>

#include "core/queue/live_table.hpp"
#include "core/queue/ready_order.hpp"

namespace belfry::core {

using queueing::held_lease;
using queueing::no_slot;
using queueing::run_key;
using queueing::slot;

namespace {

// Nobody reads a longer number in a reason, and a reason must be quick.
constexpr std::size_t counted_in_reasons = 1000;

run_key key_of(const run_head& head) { return {micros(head.eligible_since), head.id.value}; }

std::string so_many(std::size_t used, std::uint32_t limit) {
  return std::to_string(used) + " of " + std::to_string(limit) + " runs in progress";
}

board_options usable(board_options o) {
  o.quantum = std::max(o.quantum, std::uint32_t{1});
  return o;
}

}  // namespace

struct board::state {
  explicit state(const board_options& o) : options(o), order(o), leases(order) {}

  bool put(const run_head& head, handler_kind handler, std::uint32_t job_limit, instant now);
  void enter(slot group, run_key key, std::int64_t waits_since) {
    order.add(group, key);
    order.await(order.runs.find(run_id{key.id}), waits_since);
  }
  bool full_for(const session& s) const;
  void explain_node_limits(slot run, std::vector<wait_reason>& reasons) const;

  board_options options;
  queueing::ready_order order;
  queueing::live_table leases;
};

board::board(board_options options) : s_(std::make_unique<state>(usable(options))) {}
board::~board() = default;
board::board(board&&) noexcept = default;
board& board::operator=(board&&) noexcept = default;

bool board::state::put(const run_head& head, handler_kind handler, std::uint32_t job_limit, instant now) {
  held_lease* held = leases.find(head.id);
  if (held && !held->reserved()) {
    if (head.fencing < held->fencing) return false;  // from before the lease
    leases.remove(head.id);
    held = nullptr;
  }
  const slot group = order.group_for(head, handler, job_limit);
  // Who was taken and came back keeps the place in line, but has been waiting only since then.
  const std::int64_t waits_since = now == never ? micros(head.eligible_since) : micros(now);
  if (held) {
    // Its claim is under way, so it must not be chosen again; but now it is certain that it is queued.
    const bool moved = held->group != group || held->since != micros(head.eligible_since);
    leases.move_reservation(*held, group, micros(head.eligible_since));
    held->wanted_back = true;
    return moved;
  }
  if (const slot old = order.runs.find(head.id); old != no_slot) {
    if (order.runs[old].group == group && order.runs[old].key == key_of(head)) return false;
    const bool starving = order.runs[old].starving, was_held = order.runs[old].held;
    order.keep(group);  // the old entry may be the last of the same group
    order.remove(old);
    enter(group, key_of(head), waits_since);
    order.let_go(group);
    if (starving) order.starve(head.id, was_held);
    return true;
  }
  enter(group, key_of(head), waits_since);
  return true;
}

bool board::state::full_for(const session& s) const {
  const limit_options& l = options.limits;
  return (l.global > 0 && leases.all() >= l.global) ||
         (l.per_agent_type > 0 && !owned_by_node(s) &&
          leases.outside_of_type(s.agent_type) >= l.per_agent_type);
}

bool board::put(const run_head& head, handler_kind handler, std::uint32_t job_limit, instant now) {
  return s_->put(head, handler, job_limit, now);
}

void board::drop(run_id id) {
  if (const slot run = s_->order.runs.find(id); run != no_slot) s_->order.remove(run);
  if (const held_lease* held = s_->leases.find(id); held && held->reserved()) s_->leases.remove(id);
}

std::vector<run_id> board::pick(const claim_wish& wish, instant now) {
  s_->order.advance(now);
  std::vector<run_id> picked;
  const std::size_t wanted = std::min(wish.max, wish.free_slots);
  if (wanted == 0 || s_->full_for(wish.who)) return picked;
  const std::vector<slot> classes = s_->order.needs.open_to(wish.who);
  s_->order.allow(classes, wish.who);
  while (!classes.empty() && picked.size() < wanted && !s_->full_for(wish.who)) {
    const slot group = s_->order.choose(classes, wish.at_least);
    if (group == no_slot) break;
    const run_key key = s_->order.take_first(group);
    s_->leases.reserve(key, group, wish.who.agent_type, !owned_by_node(wish.who));
    s_->leases.find(run_id{key.id})->starving = s_->order.took_starving();
    picked.push_back(run_id{key.id});
  }
  return picked;
}

void board::live(const run_head& head, const std::string& agent_type, instant now) {
  if (const slot run = s_->order.runs.find(head.id); run != no_slot) s_->order.remove(run);
  held_lease* held = s_->leases.find(head.id);
  if (held && held->reserved()) {
    s_->order.moved(held->group, now == never ? head.held.claimed_at : now);
    return s_->leases.confirm(head.id, *held, head.fencing, agent_type);
  }
  if (held) s_->leases.remove(head.id);
  s_->leases.add_live(head, agent_type);
}

void board::unreserve(run_id id, bool again) {
  const held_lease* held = s_->leases.find(id);
  if (!held || !held->reserved()) return;
  const held_lease was = *held;
  if (again || was.wanted_back) {
    s_->enter(was.group, {was.since, id.value}, s_->order.judged_at());
    if (was.starving) s_->order.starve(id);
  }
  s_->leases.remove(id);
}

void board::ended(run_id id) {
  if (s_->leases.find(id)) s_->leases.remove(id);
}

void board::state::explain_node_limits(slot run, std::vector<wait_reason>& reasons) const {
  const limit_options& l = options.limits;
  if (l.global > 0 && leases.all() >= l.global)
    reasons.push_back({"global_limit", "node: " + so_many(leases.all(), l.global)});
  // Without an allow-list any type will do, and there may always be one more.
  const auto& types = order.needs_of(run).agent_types;
  const auto all_leased = [&](const std::string& t) { return leases.outside_of_type(t) >= l.per_agent_type; };
  if (l.per_agent_type == 0 || types.empty() || !std::all_of(types.begin(), types.end(), all_leased)) return;
  for (const auto& t : types)
    reasons.push_back({"agent_type_limit",
                       "agent type \"" + t + "\": " + so_many(leases.outside_of_type(t), l.per_agent_type)});
}

std::vector<wait_reason> board::reasons(run_id id, instant now) const {
  std::vector<wait_reason> reasons;
  const auto& order = s_->order;
  const slot run = order.runs.find(id);
  if (run == no_slot) return reasons;
  s_->explain_node_limits(run, reasons);
  for (auto& r : order.limits_on(run)) reasons.push_back(std::move(r));
  if (!order.others_first(run, now)) return reasons;
  const auto before = order.count_before(run, counted_in_reasons);
  reasons.push_back({"behind_others", "position " + std::to_string(before.count + 1) +
                                          (before.complete ? "" : " or later") +
                                          " in its lane and priority"});
  return reasons;
}

std::vector<claim_candidate> board::candidates(const claim_wish& wish, instant now, std::size_t most) {
  auto& order = s_->order;
  order.advance(now);
  if (most == 0 || wish.max == 0 || wish.free_slots == 0 || s_->full_for(wish.who)) return {};
  const std::vector<slot> classes = order.needs.open_to(wish.who);
  order.allow(classes, wish.who);
  std::vector<claim_candidate> all;
  for (const slot run : order.next_runs(classes, wish.at_least, most, wish.refused, wish.refusals))
    all.push_back({run_id{order.runs[run].key.id}, order.job_of(run), order.handler_of(run)});
  return all;
}

bool board::take(run_id id, const claim_wish& wish, instant now) {
  auto& order = s_->order;
  order.advance(now);
  const slot run = order.runs.find(id);
  if (run == no_slot || wish.free_slots == 0 || s_->full_for(wish.who) || order.limited(run)) return false;
  if (order.held(run) || order.prio_of(run) > wish.at_least) return false;
  if (!may_take(wish.who, order.needs_of(run), order.handler_of(run))) return false;
  const slot group = order.runs[run].group;
  const run_key key = order.take(run);
  s_->leases.reserve(key, group, wish.who.agent_type, !owned_by_node(wish.who));
  s_->leases.find(id)->starving = order.took_starving();
  return true;
}

std::optional<run_id> board::next_for(const claim_wish& wish, instant now) {
  if (wish.refused) {
    const auto first = candidates(wish, now, 1);
    return first.empty() ? std::nullopt : std::optional<run_id>{first.front().id};
  }
  s_->order.advance(now);
  if (wish.max == 0 || wish.free_slots == 0 || s_->full_for(wish.who)) return std::nullopt;
  const std::vector<slot> classes = s_->order.needs.open_to(wish.who);
  s_->order.allow(classes, wish.who);
  if (classes.empty()) return std::nullopt;
  const slot group = s_->order.choose(classes, wish.at_least);
  if (group == no_slot) return std::nullopt;
  return run_id{s_->order.front_of(group).id};
}

std::vector<wait_reason> board::reasons_for(run_id id, const claim_wish& wish, instant now) {
  std::vector<wait_reason> reasons;
  const slot run = s_->order.runs.find(id);
  if (run == no_slot) return reasons;
  const auto& l = s_->options.limits;
  const auto& leases = s_->leases;
  if (l.global > 0 && leases.all() >= l.global)
    reasons.push_back({"global_limit", "node: " + so_many(leases.all(), l.global)});
  const auto& type = wish.who.agent_type;
  if (l.per_agent_type > 0 && !owned_by_node(wish.who) && leases.outside_of_type(type) >= l.per_agent_type)
    reasons.push_back({"agent_type_limit", "agent type \"" + type + "\": " +
                                               so_many(leases.outside_of_type(type), l.per_agent_type)});
  for (auto& r : s_->order.limits_on(run)) reasons.push_back(std::move(r));
  if (!reasons.empty()) return reasons;
  const auto first = next_for(wish, now);
  if (first == id) return reasons;
  reasons.push_back({"behind_others", first ? "a claim by it would get " + to_string(*first) + " first"
                                            : std::string{"a claim by it would get nothing now"}});
  return reasons;
}

std::optional<std::size_t> board::position(run_id id) const {
  const slot run = s_->order.runs.find(id);
  if (run == no_slot) return std::nullopt;
  constexpr std::size_t all = std::numeric_limits<std::size_t>::max() / 2;
  return s_->order.count_before(run, all).count + 1;
}

bool board::contains(run_id id) const { return s_->order.runs.find(id) != no_slot; }

board_place board::place_of(run_id id) const {
  if (contains(id)) return board_place::line;
  const held_lease* held = s_->leases.find(id);
  if (held == nullptr) return board_place::nowhere;
  return held->reserved() ? board_place::reserved : board_place::live;
}

std::vector<run_id> board::all() const {
  std::vector<run_id> ids;
  ids.reserve(s_->order.runs.size() + s_->leases.all());
  s_->order.runs.append_to(ids);
  s_->leases.append_to(ids);
  std::sort(ids.begin(), ids.end());  // the order of a hash table would differ from node to node
  return ids;
}

std::size_t board::ready() const { return s_->order.runs.size(); }

board_counts board::counts() const {
  board_counts c;
  c.ready = ready();
  c.reserved = s_->leases.reserved();
  c.live = s_->leases.live();
  c.ready_by_priority = s_->order.ready_by_priority;
  c.oldest = s_->order.oldest();
  return c;
}

void board::follow(const pauses& p, instant now) {
  s_->order.subtract(&p);
  s_->order.hold(p.held_workspaces(now), p.held_jobs(now));
}

const limit_options& board::limits() const { return s_->options.limits; }

void board::set_limits(const limit_options& l) {
  s_->options.limits = l;
  s_->order.set_limits(l);
}

std::map<std::string, std::size_t> board::live_by_lane() const { return s_->leases.live_by_lane(); }
std::map<std::string, std::size_t> board::live_by_agent_type() const {
  return s_->leases.live_by_agent_type();
}
void board::wait_anew(instant since) { s_->order.not_before(since); }

starving_news board::judge(const judging& by) {
  auto news = s_->order.judge(by);
  // A claim of it is on its way: the store has the last word.
  std::erase_if(news.over, [this](run_id id) {
    const held_lease* held = s_->leases.find(id);
    if (held == nullptr || !held->reserved()) return false;
    s_->order.not_told(id);
    return true;
  });
  return news;
}

std::vector<hold_change> board::holds(const judging& by) { return s_->order.holds(by); }
bool board::starve(run_id id, bool held) { return s_->order.starve(id, held); }

std::vector<waiting_kind> board::kinds() const {
  const limit_options& l = s_->options.limits;
  if (l.global > 0 && s_->leases.all() >= l.global) {
    auto all = s_->order.kinds();
    for (auto& kind : all) kind.held = kind.ready;
    return all;
  }
  return s_->order.kinds();
}

std::vector<waiting_run> board::fronts(std::size_t per_kind, instant now) {
  s_->order.advance(now);
  const limit_options& l = s_->options.limits;
  if (l.global > 0 && s_->leases.all() >= l.global) return {};
  return s_->order.fronts(per_kind);
}

bool board::room_for(const session& s) const { return !s_->full_for(s); }

bool board::anything_for(const session& s) const { return s_->order.needs.any_open_to(s); }
std::size_t board::ready_for(const session& s) const { return s_->order.needs.ready_for(s); }

}  // namespace belfry::core
