// What the tests of the board are written with: short ways to make heads, sessions and claims.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/queue/board.hpp"
#include "core/session/session.hpp"

namespace belfry::core::test {

inline constexpr instant board_start = from_micros(1'795'255'200'000'000);
inline constexpr limit_options no_limits{0, 0, 0, 0};

// One run in the making: `line_entry{3}.in("lane").of(priority::high)`.
struct line_entry {
  run_head head;
  handler_kind handler = handler_kind::none;
  std::uint32_t job_limit = 0;

  explicit line_entry(std::int64_t id) {
    head.id = run_id{id};
    head.eligible_since = board_start + span{id};
  }
  line_entry& in(std::string lane) {
    head.lane = std::move(lane);
    return *this;
  }
  line_entry& of(priority p) {
    head.prio = p;
    return *this;
  }
  line_entry& since(span after_start) {
    head.eligible_since = board_start + after_start;
    return *this;
  }
  line_entry& batch(std::int64_t b) {
    head.batch = batch_id{b};
    return *this;
  }
  line_entry& key(std::string k, std::uint32_t limit = 1) {
    head.concurrency_key = std::move(k);
    head.concurrency_limit = limit;
    return *this;
  }
  line_entry& job(std::int64_t j, std::uint32_t limit) {
    head.job = job_id{j};
    job_limit = limit;
    return *this;
  }
  line_entry& workspace(std::string w) {
    head.needs.workspace = std::move(w);
    return *this;
  }
  line_entry& able(std::vector<std::string> words) {
    head.needs.capabilities = std::move(words);
    return *this;
  }
  line_entry& fencing(std::uint64_t f) {
    head.fencing = f;
    return *this;
  }
};

inline session a_worker(std::int64_t id = 1, std::string workspace = {}, std::string agent_type = "python") {
  session s;
  s.id = session_id{id};
  s.workspace = std::move(workspace);
  s.agent_type = std::move(agent_type);
  return s;
}

inline claim_wish a_wish(session who, std::uint32_t max = 1) {
  claim_wish w;
  w.who = std::move(who);
  w.free_slots = w.max = max;
  return w;
}

// A board with short words, and a clock that only a test moves.
class line {
 public:
  explicit line(const board_options& o = {}) : it(o) {}
  explicit line(limit_options limits) : it(board_options{std::chrono::minutes{10}, 1, limits}) {}
  static line unlimited(board_options o = {}) {
    o.limits = no_limits;
    return line{o};
  }

  void put(const line_entry& e) { it.put(e.head, e.handler, e.job_limit); }
  std::vector<std::int64_t> pick(const claim_wish& wish) {
    std::vector<std::int64_t> ids;
    for (const run_id id : it.pick(wish, now)) ids.push_back(id.value);
    return ids;
  }
  std::vector<std::int64_t> pick(std::uint32_t max = 1) { return pick(a_wish(a_worker(), max)); }
  // Everything, one claim after another; each lease ends before the next claim.
  std::vector<std::int64_t> drain() {
    std::vector<std::int64_t> ids;
    for (auto got = pick(); !got.empty(); got = pick()) {
      ids.push_back(got.front());
      it.ended(run_id{got.front()});
    }
    return ids;
  }
  std::vector<std::string> codes(std::int64_t id) const {
    std::vector<std::string> all;
    for (const auto& r : it.reasons(run_id{id}, now)) all.push_back(r.code);
    return all;
  }

  board it;
  instant now = board_start + std::chrono::seconds{1};
};

using ids = std::vector<std::int64_t>;
using words = std::vector<std::string>;

}  // namespace belfry::core::test
