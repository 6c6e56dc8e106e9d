// Random histories of the board, compared with its rules said slowly. Which lane has the turn is the only
// thing that is left open there; the fairness of turns has properties of its own.
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include "tests/core/board_model.hpp"

using namespace belfry::core;
using namespace belfry::core::test;
using namespace std::chrono_literals;

namespace {

struct step {
  int what = 0;
  std::uint32_t a = 0, b = 0, c = 0;
};
[[maybe_unused]] std::ostream& operator<<(std::ostream& out, const step& s) {
  return out << '{' << s.what << ',' << s.a << ',' << s.b << ',' << s.c << '}';
}

rc::Gen<std::vector<step>> histories() {
  const auto number = rc::gen::inRange<std::uint32_t>(0, 1'000'000);
  const auto one =
      rc::gen::build<step>(rc::gen::set(&step::what, rc::gen::inRange(0, 20)), rc::gen::set(&step::a, number),
                           rc::gen::set(&step::b, number), rc::gen::set(&step::c, number));
  return rc::gen::resize(500, rc::gen::container<std::vector<step>>(one));
}

line_entry an_entry(std::uint32_t a, std::uint32_t b, std::uint32_t c, instant now) {
  const char* lanes[] = {"", "a", "b", "c"};
  line_entry e{1 + a % 60};
  e.in(lanes[b % 4]).of(static_cast<priority>(b / 4 % 4));
  e.head.eligible_since = now - span{std::chrono::seconds{c % 4000}};
  if (b / 16 % 3 == 0) e.batch(1 + b / 48 % 3);
  if (c / 4000 % 4 == 0) e.key(c / 16000 % 2 == 0 ? "k" : "l", 1 + c / 32000 % 2);
  if (b / 200 % 4 == 0) e.job(1 + b / 800 % 2, b / 1600 % 4);
  if (c / 64000 % 3 == 0) e.workspace("w");
  if (c / 200000 % 3 == 0) e.able({"gpu"});
  if (a / 60 % 3 == 0) e.head.needs.preferred = {"gpu"};
  return e;
}

session a_session(std::uint32_t a) {
  auto s = a_worker(1 + a % 4, a % 2 == 0 ? "" : "w", a / 4 % 2 == 0 ? "python" : "rust");
  if (a / 8 % 2 == 0) s.capabilities = {"gpu"};
  if (a / 16 % 4 == 0) {
    s.local = true;
    s.handlers = {handler_kind::none};
  }
  return s;
}

template <class Map>
std::int64_t some_key(const Map& m, std::uint32_t n, std::int64_t otherwise) {
  return m.empty() ? otherwise : std::next(m.begin(), static_cast<std::ptrdiff_t>(n % m.size()))->first;
}

class history {
 public:
  explicit history(const board_options& o) : l(o), slow(o) {}

  void take(const step& s) {
    switch (s.what) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
      case 6: return put(an_entry(s.a, s.b, s.c, l.now));
      case 7: {
        const auto id = some_key(slow.ready, s.a, 1);
        l.it.drop(run_id{id});
        return slow.drop(id);
      }
      case 8:
      case 9:
      case 10:
      case 11: return pick(s);
      case 12:
      case 13: {
        const auto id = some_key(slow.leases, s.a, 1);
        const auto it = slow.leases.find(id);
        auto e = it != slow.leases.end() ? it->second.entry : an_entry(s.a, s.b, s.c, l.now);
        if (it == slow.leases.end() || !it->second.live) ++e.head.fencing;
        l.it.live(e.head, s.b % 2 == 0 ? "python" : "rust");
        return slow.live(e, s.b % 2 == 0 ? "python" : "rust");
      }
      case 14: {
        const auto id = some_key(slow.leases, s.a, 1);
        l.it.unreserve(run_id{id}, s.b % 2 == 0);
        return slow.unreserve(id, s.b % 2 == 0);
      }
      case 15:
      case 16: {
        const auto id = some_key(slow.leases, s.a, 1);
        l.it.ended(run_id{id});
        return slow.ended(id);
      }
      case 17: l.now += std::chrono::seconds{s.a % 900}; return;
      case 18:
        if (s.b % 8 == 0) l.now -= std::chrono::seconds{s.a % 2000};
        return;
      default:
        slow.options.limits = {s.a % 4 == 0 ? 3u : 0u, s.a / 4 % 3, s.b % 4, s.c % 3};
        l.it.set_limits(slow.options.limits);
    }
  }

  void compare(std::uint32_t any) const {
    const auto mine = l.it.counts(), right = slow.counts();
    RC_ASSERT(mine.ready == right.ready);
    RC_ASSERT(mine.reserved == right.reserved);
    RC_ASSERT(mine.live == right.live);
    RC_ASSERT(mine.ready_by_priority == right.ready_by_priority);
    RC_ASSERT(mine.oldest == right.oldest);
    RC_ASSERT(l.it.live_by_lane() == slow.live_by([](const auto& h) { return h.entry.head.lane; }));
    RC_ASSERT(l.it.live_by_agent_type() == slow.live_by([](const auto& h) { return h.agent_type; }));
    const auto id = some_key(slow.ready, any, 0);
    RC_ASSERT(l.it.contains(run_id{id}) == (slow.ready.count(id) > 0));
    if (id == 0) return;
    RC_ASSERT(l.it.position(run_id{id}) == slow.position(id));
    std::vector<std::string> codes;
    for (const auto& c : l.codes(id))
      if (c != "behind_others" && c != "global_limit") codes.push_back(c);
    RC_ASSERT(codes == slow.limits_on(slow.ready.at(id).head));
  }

  // With no limits left, everything that waits is picked, each run once.
  void finish() {
    l.it.set_limits(no_limits);
    slow.options.limits = no_limits;
    for (const auto& [id, h] : std::map{slow.leases}) {
      l.it.ended(run_id{id});
      slow.ended(id);
    }
    std::set<std::int64_t> picked;
    for (const char* workspace : {"", "w"})
      for (;;) {
        auto s = a_worker(1, workspace);
        s.capabilities = {"gpu"};
        const auto got = l.pick(a_wish(s, 7));
        if (got.empty()) break;
        for (const auto id : got) {
          RC_ASSERT(slow.ready.count(id) == 1);
          RC_ASSERT(picked.insert(id).second);
          l.it.ended(run_id{id});
        }
      }
    // Limits of jobs and keys were met one lease at a time at least: nothing can be left.
    for (const auto& [id, e] : slow.ready) RC_ASSERT(picked.count(id) == 1);
    RC_ASSERT(l.it.counts().ready + l.it.counts().reserved + l.it.counts().live == 0);
  }

 private:
  void put(line_entry e) {
    if (const auto it = slow.leases.find(e.head.id.value); it != slow.leases.end() && e.head.batch)
      e.fencing(it->second.entry.head.fencing);
    l.put(e);
    slow.put(e);
  }

  void pick(const step& s) {
    auto wish = a_wish(a_session(s.a), 1 + s.b % 4);
    wish.at_least = s.c % 5 == 0 ? priority::normal : priority::low;
    // Who may take this and no more: for those the run without a reason is the very next one.
    std::set<std::int64_t> next;
    // What suits this very session goes first for it alone, and no reason can say so of all sessions.
    const bool suits = std::any_of(slow.ready.begin(), slow.ready.end(), [&](const auto& one) {
      return preference(wish.who, one.second.head.needs) > 0;
    });
    const bool plain = !suits && slow.options.limits == no_limits && slow.options.ageing_step.count() == 0 &&
                       wish.at_least == priority::low;
    if (plain)
      for (const auto& [id, e] : slow.ready)
        if (may_take(wish.who, e.head.needs, e.handler) &&
            e.head.needs.capabilities == wish.who.capabilities && l.codes(id).empty())
          next.insert(id);
    RC_ASSERT(next.size() <= 1);
    const auto got = l.pick(wish);
    RC_ASSERT(got.size() <= wish.max);
    if (!next.empty()) RC_ASSERT(!got.empty() && got.front() == *next.begin());
    if (plain && !got.empty() && slow.ready.at(got.front()).head.needs.capabilities == wish.who.capabilities)
      RC_ASSERT(next.size() == 1);
    for (const auto id : got) {
      const auto legal = slow.candidates(wish, l.now);
      RC_ASSERT(
          std::any_of(legal.begin(), legal.end(), [&](const auto& x) { return x.second.id.value == id; }));
      slow.reserve(id, wish.who);
    }
    if (got.size() < wish.max) RC_ASSERT(slow.candidates(wish, l.now).empty());
  }

  line l;
  slow_board slow;
};

}  // namespace

TEST_CASE("board: any history gives what the rules say", "[core][board][property]") {
  rc::prop("same choice, counts, positions and reasons", [] {
    board_options o;
    o.quantum = *rc::gen::inRange<std::uint32_t>(1, 4);
    if (*rc::gen::inRange(0, 4) == 0) o.ageing_step = span{0};
    if (*rc::gen::inRange(0, 2) == 0) o.limits = no_limits;
    const auto steps = *histories();
    history h{o};
    for (const auto& s : steps) {
      h.take(s);
      h.compare(s.b);
    }
    h.finish();
  });
}

TEST_CASE("board: the same history gives the same picks", "[core][board][property]") {
  rc::prop("nothing depends on addresses or hashes", [] {
    const auto steps = *histories();
    std::vector<std::vector<std::int64_t>> told;
    for (int i = 0; i < 2; ++i) {
      line l;
      std::vector<std::int64_t> all;
      const std::vector<char> elsewhere(static_cast<std::size_t>(i) * 12345);
      for (const auto& s : steps) {
        if (s.what < 10)
          l.put(an_entry(s.a, s.b, s.c, l.now));
        else if (s.what == 10)
          l.it.ended(run_id{1 + s.a % 60});
        else
          for (const auto id : l.pick(a_wish(a_session(s.a), 1 + s.b % 3))) all.push_back(id);
      }
      told.push_back(all);
    }
    RC_ASSERT(told[0] == told[1]);
  });
}

TEST_CASE("board: with enough work, starts per lane differ by one quantum at most in any window",
          "[core][board][property]") {
  rc::prop("fair share", [] {
    board_options o;
    o.quantum = *rc::gen::inRange<std::uint32_t>(1, 5);
    o.ageing_step = span{0};
    const auto lanes = *rc::gen::inRange<std::int64_t>(2, 6);
    const auto limited = *rc::gen::inRange(0, 2) == 0;
    o.limits = limited ? limit_options{0, o.quantum, 2, 0} : no_limits;
    const auto draws = *rc::gen::container<std::vector<std::uint32_t>>(
        static_cast<std::size_t>(lanes) * 60, rc::gen::inRange<std::uint32_t>(0, 1000));
    line l{o};
    std::map<std::int64_t, std::int64_t> left;
    for (std::size_t i = 0; i < draws.size(); ++i) {
      const auto lane = static_cast<std::int64_t>(i) % lanes;
      auto e = line_entry{lane * 1000 + static_cast<std::int64_t>(i / static_cast<std::size_t>(lanes)) + 1};
      e.in("lane-" + std::to_string(lane)).since(std::chrono::seconds{draws[i]});
      if (draws[i] % 3 == 0) e.able({"gpu"});
      if (draws[i] % 7 == 0) e.batch(1 + draws[i] % 2);
      l.put(e);
      ++left[lane];
    }
    auto who = a_worker();
    who.capabilities = {"gpu"};
    // For each pair of lanes the greatest and the least difference of starts so far.
    std::map<std::int64_t, std::int64_t> starts;
    std::map<std::pair<std::int64_t, std::int64_t>, std::pair<std::int64_t, std::int64_t>> range;
    while (std::all_of(left.begin(), left.end(), [](const auto& x) { return x.second > 10; })) {
      const auto got = l.pick(a_wish(who));
      RC_ASSERT(got.size() == 1u);
      l.it.ended(run_id{got[0]});
      const auto lane = got[0] / 1000;
      ++starts[lane];
      --left[lane];
      for (std::int64_t x = 0; x < lanes; ++x)
        for (std::int64_t y = 0; y < lanes; ++y) {
          auto& [least, greatest] = range[{x, y}];
          least = std::min(least, starts[x] - starts[y]);
          greatest = std::max(greatest, starts[x] - starts[y]);
          RC_ASSERT(greatest - least <= static_cast<std::int64_t>(o.quantum));
        }
    }
  });
}

TEST_CASE("board: each lane gets on as long as one of its runs is free", "[core][board][property]") {
  rc::prop("held runs stop nobody else", [] {
    const auto full_runs = *rc::gen::inRange<std::int64_t>(1, 300);
    const auto lanes = *rc::gen::inRange<std::int64_t>(1, 8);
    line l{limit_options{0, 0, 1, 0}};
    l.it.live(line_entry{1}.batch(9).head, "python");
    for (std::int64_t i = 0; i < full_runs; ++i) {
      auto e = line_entry{2 + i};
      e.in("lane-" + std::to_string(i % lanes)).of(static_cast<priority>(i % 3)).batch(9);
      if (i % 5 == 0) e.key("k" + std::to_string(i));
      l.put(e);
    }
    for (std::int64_t i = 0; i < lanes; ++i)
      l.put(line_entry{1000 + i}.in("lane-" + std::to_string(i)).of(priority::low));
    const auto got = l.pick(1000);
    RC_ASSERT(std::set<std::int64_t>(got.begin(), got.end()).size() == static_cast<std::size_t>(lanes));
    for (const auto id : got) RC_ASSERT(id >= 1000);
  });
}
