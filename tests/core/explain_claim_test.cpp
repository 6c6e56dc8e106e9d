// Explain equals claim: for random queues, limits and sessions, the reasons why a session does not get a run
// are empty if and only if a claim by that session gets it.
#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <set>

#include "core/diagnostics/catalogue.hpp"
#include "tests/core/board_parts.hpp"

using namespace belfry::core;
using namespace belfry::core::test;
using namespace std::chrono_literals;

namespace {

class little_town {
 public:
  explicit little_town(unsigned seed) : dice_{seed}, line_{options()} {
    for (std::int64_t i = 1; i <= 5; ++i) sessions_.push_back(some_session(i));
  }

  void round() {
    switch (below(6)) {
      case 0:
      case 1:
      case 2: add_run(); break;
      case 3: change_session(); break;
      case 4: end_lease(); break;
      default: line_.now += 1min * static_cast<int>(below(25)); break;
    }
    if (below(20) == 0) line_.it.set_limits(some_limits());
    compare(sessions_[below(sessions_.size())]);
  }
  std::size_t given() const { return given_; }
  std::size_t refused() const { return refused_; }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>{0, n - 1}(dice_); }
  std::uint32_t small() { return static_cast<std::uint32_t>(below(4)); }
  std::string word(const char* prefix, std::size_t n) { return prefix + std::to_string(below(n)); }
  limit_options some_limits() { return {small() * 2, small(), small(), small()}; }
  board_options options() { return {10min, 1 + small(), some_limits()}; }

  session some_session(std::int64_t id) {
    auto s = a_worker(id, below(3) == 0 ? word("w", 2) : std::string{}, word("type", 2));
    for (std::size_t i = below(3); i > 0; --i) s.capabilities.push_back(word("cap", 3));
    normalise(s);
    s.slots = 1 + small();
    s.local = below(6) == 0;
    if (s.local) s.handlers = {handler_kind::process};
    return s;
  }
  void change_session() {
    auto& s = sessions_[below(sessions_.size())];
    const auto id = s.id.value;
    if (below(2) == 0) {
      s.state = static_cast<session_state>(below(4));
      s.prompting = below(4) == 0;
    } else {
      const auto slots = s.slots;
      s = some_session(id);
      s.slots = slots;
    }
  }
  void add_run() {
    line_entry e{++made_};
    e.since(line_.now - board_start - 1min * static_cast<int>(below(15)));
    e.of(static_cast<priority>(below(priority_count)));
    if (below(2) == 0) e.in(word("lane", 3));
    if (below(3) == 0) e.batch(1 + static_cast<std::int64_t>(below(2)));
    if (below(4) == 0) e.key(word("key", 2), 1 + small() % 2);
    if (below(4) == 0) e.job(1 + static_cast<std::int64_t>(below(2)), 1 + small() % 2);
    if (below(4) == 0) e.workspace(word("w", 2));
    if (below(3) == 0) e.able({word("cap", 3)});
    if (below(6) == 0) e.head.needs.agent_types = {word("type", 2)};
    if (below(8) == 0) e.head.needs.exact_session = session_id{1 + static_cast<std::int64_t>(below(5))};
    if (below(6) == 0) e.head.needs.preferred = {word("cap", 3)};
    if (below(8) == 0) e.handler = handler_kind::process;
    line_.put(e);
    waiting_.push_back(e);
  }
  void end_lease() {
    if (held_.empty()) return;
    const auto i = below(held_.size());
    line_.it.ended(held_[i].first);
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
  }

  std::uint32_t free_slots(const session& s) const {
    const auto used = static_cast<std::uint32_t>(
        std::count_if(held_.begin(), held_.end(), [&](const auto& h) { return h.second == s.id; }));
    return used >= s.slots ? 0 : s.slots - used;
  }

  // As the dispatcher asks it: the rules first, and when none says no, limits and turn.
  bool explained_as_free(const line_entry& e, const claim_wish& wish) {
    const auto rules = why_not(standing{&wish.who, wish.free_slots}, e.head.needs, e.handler);
    for (const auto& no : rules) check_code(no.code);
    if (!rules.empty()) return false;
    if (wish.refused && wish.refused(e.head.id)) return false;  // hook_refused
    const auto held = line_.it.reasons_for(e.head.id, wish, line_.now);
    for (const auto& no : held) check_code(no.code);
    return held.empty();
  }
  static void check_code(const std::string& code) {
    if (find_diagnostic(diagnostic_area::session, code) == nullptr) FAIL(code << " is in no catalogue");
  }

  void compare(const session& s) {
    const auto free = free_slots(s);
    claim_wish wish{s, free, 1, priority::low};
    // A claim hook that has just refused some runs to this session.
    const bool hooked = below(2) == 0;
    std::set<run_id> refused;
    if (hooked)
      for (const auto& e : waiting_)
        if (below(3) == 0) refused.insert(e.head.id);
    if (!refused.empty()) wish.refused = [&](run_id id) { return refused.contains(id); };
    wish.refusals = refused.size();
    std::vector<run_id> expected;
    for (const auto& e : waiting_)
      if (explained_as_free(e, wish)) expected.push_back(e.head.id);
    // The claim, as the dispatcher makes it; one that passes a hook takes what is next after the answer.
    std::vector<run_id> got;
    if (may_take_anything({&s, free})) {
      if (!hooked) {
        got = line_.it.pick(wish, line_.now);
      } else if (const auto next = line_.it.candidates(wish, line_.now, 1 + below(3)); !next.empty()) {
        REQUIRE(line_.it.take(next.front().id, wish, line_.now));
        got = {next.front().id};
      }
    }
    if (got != expected)
      FAIL("a claim by " << s.id.value << " gets " << got.size() << " runs, " << expected.size()
                         << " were explained as free for it");
    if (got.empty()) {
      ++refused_;
      return;
    }
    ++given_;
    const auto at = std::find_if(waiting_.begin(), waiting_.end(),
                                 [&](const auto& e) { return e.head.id == got.front(); });
    if (below(4) == 0) {  // the store said no
      line_.it.unreserve(got.front(), true);
      return;
    }
    auto head = at->head;
    head.held.holder = s.id;
    head.fencing = 1;
    line_.it.live(head, s.agent_type);
    held_.emplace_back(head.id, s.id);
    waiting_.erase(at);
  }

  std::mt19937 dice_;
  line line_;
  std::vector<session> sessions_;
  std::vector<line_entry> waiting_;
  std::vector<std::pair<run_id, session_id>> held_;
  std::int64_t made_ = 0;
  std::size_t given_ = 0, refused_ = 0;
};

}  // namespace

TEST_CASE("explain equals claim: the reasons are empty if and only if a claim by that session gets the run",
          "[core][board][explain]") {
  std::size_t given = 0, refused = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    little_town town{seed};
    for (int i = 0; i < 60; ++i) town.round();
    given += town.given();
    refused += town.refused();
  }
  // Both sides of the claim were seen often enough to mean something.
  CHECK(given > 1000);
  CHECK(refused > 1000);
}

TEST_CASE("candidates: they stand in the order in which claims would take them", "[core][board][hook]") {
  auto l = line::unlimited();
  for (int id = 1; id <= 40; ++id) {
    auto e = line_entry{id}.in("lane" + std::to_string(id % 3));
    if (id % 5 == 0) e.of(priority::high);
    if (id % 7 == 0) e.job(9, 100);
    l.put(e);
  }
  const auto next = l.it.candidates(a_wish(a_worker()), l.now, 40);
  REQUIRE(next.size() == 40);
  CHECK(l.it.candidates(a_wish(a_worker()), l.now, 40) == next);  // a look changes nothing
  for (const auto& c : next) {
    CHECK((c.job == job_id{9}) == (c.id.value % 7 == 0));
    CHECK(l.pick() == ids{c.id.value});
  }
  CHECK(l.it.candidates(a_wish(a_worker()), l.now, 40).empty());
}

TEST_CASE("take: this very run, by the rules of the moment", "[core][board][hook]") {
  line l{limit_options{0, 1, 0, 0}};
  l.put(line_entry{1}.in("a"));
  l.put(line_entry{2}.in("a"));
  l.put(line_entry{3}.in("b").able({"gpu"}));
  l.put(line_entry{4}.in("c"));
  const auto wish = a_wish(a_worker());
  CHECK_FALSE(l.it.take(run_id{9}, wish, l.now));  // nobody knows it
  CHECK_FALSE(l.it.take(run_id{3}, wish, l.now));  // it lacks the capability
  CHECK(l.it.take(run_id{2}, wish, l.now));        // although 1 comes first
  CHECK_FALSE(l.it.take(run_id{2}, wish, l.now));  // it is reserved
  CHECK_FALSE(l.it.take(run_id{1}, wish, l.now));  // its lane is full
  l.it.unreserve(run_id{2}, true);
  CHECK(l.it.take(run_id{1}, wish, l.now));
  l.it.drop(run_id{4});
  CHECK_FALSE(l.it.take(run_id{4}, wish, l.now));  // it has gone
  auto urgent = wish;
  urgent.at_least = priority::high;
  l.put(line_entry{5}.in("d"));
  CHECK_FALSE(l.it.take(run_id{5}, urgent, l.now));
}

TEST_CASE("explain: a look changes neither the turns nor what a claim gets", "[core][board][explain]") {
  auto l = line::unlimited();
  auto other = line::unlimited();
  for (int id = 1; id <= 60; ++id)
    for (auto* each : {&l, &other}) each->put(line_entry{id}.in("lane" + std::to_string(id % 4)));
  for (int i = 0; i < 60; ++i) {
    for (int id = 1; id <= 60; id += 7) (void)l.it.reasons_for(run_id{id}, a_wish(a_worker()), l.now);
    const auto next = l.it.next_for(a_wish(a_worker()), l.now);
    const auto got = l.pick();
    CHECK(got == other.pick());
    REQUIRE(got.size() == 1);
    CHECK(next == run_id{got.front()});
  }
  CHECK_FALSE(l.it.next_for(a_wish(a_worker()), l.now));
}
