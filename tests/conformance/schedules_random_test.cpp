// A year of one job, at random: the node looks late, sleeps, is killed before and after a commit, its clock
// is set forward and back, somebody pauses, resumes, edits and triggers. In the end every time that was
// planned is a run or lies in exactly one range of skips.
#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "core/schedule/canonical.hpp"
#include "core/time/text.hpp"
#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;

namespace {

constexpr const char* schedules[] = {"0 * * * *; zone Europe/Berlin",
                                     "30 2 * * *; zone Europe/Berlin",
                                     "*/20 1-3 * * *; zone America/New_York; overlap both",
                                     "0 9 * * 1-5; zone Australia/Lord_Howe; gap skip",
                                     "@every 7h; zone UTC",
                                     "@days 2 from 2026-11-20 at 02:30,17:00; zone Europe/Berlin"};

core::schedule read_schedule(const std::string& text) {
  auto s = core::parse_canonical(text, {});
  REQUIRE(s.ok());
  return std::move(*s);
}

// One schedule and the time in which it was the job's.
struct reign {
  std::string schedule;
  core::instant from, upto;
};

template <class Kind>
class year {
 public:
  explicit year(std::uint64_t seed) : dice_{seed} {}

  void live(int steps) {
    auto d = definition(any());
    const auto made = f_.does(st::put_job{{}, 0, d}).jobs.at(0);
    id_ = made.id;
    reigns_.push_back({d.timing.schedule, f_.now, core::never});
    for (int i = 0; i < steps; ++i) step();
    f_.now = std::max(f_.now, latest_) + 1s;
    resume();
    f_.does(st::plan_job{id_});
    look();
  }

 private:
  int pick(int low, int high) {
    return low + static_cast<int>(dice_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(int percent) { return pick(1, 100) <= percent; }
  std::string any() { return schedules[pick(0, static_cast<int>(std::size(schedules)) - 1)]; }

  core::job_definition definition(const std::string& schedule) {
    auto d = a_job();
    d.on_overlap = core::overlap::queue_all;
    d.timing.schedule = schedule;
    auto& p = d.timing.policy;
    p.missed = static_cast<core::catch_up>(pick(0, 2));
    p.all_at_most = static_cast<std::uint32_t>(pick(1, 5));
    p.grace = std::chrono::hours{pick(1, 100)};
    if (chance(30)) p.start_deadline = std::chrono::minutes{pick(1, 3'000)};
    return d;
  }

  void step() {
    move_clock();
    const int what = pick(1, 100);
    if (what <= 60) {
      f_.does(st::plan_job{id_, chance(5)});
    } else if (what <= 70) {  // killed before the commit, and perhaps started again at once
      REQUIRE(f_.apply(st::plan_job{id_}).ok());
      f_.store().rollback();
      f_.reopen();
    } else if (what <= 78) {
      f_.does(st::plan_job{id_});
      f_.reopen();
      f_.does(st::plan_job{id_});
    } else if (what <= 85) {
      f_.does(st::pause_job{id_, {"manual", {}, "", f_.now}});
    } else if (what <= 93) {
      resume();
    } else if (what <= 97) {
      edit();
    } else {
      f_.does(st::trigger_job{id_, {}, true});
    }
  }

  void move_clock() {
    if (chance(5)) {
      f_.now -= std::chrono::minutes{pick(1, 3'000)};
    } else if (chance(20)) {
      f_.now += std::chrono::hours{pick(24, 24 * 9)};
    } else if (chance(40)) {
      const auto due = f_.read().find_job(id_)->due;
      f_.now = due == core::never ? f_.now + 1h : due + std::chrono::milliseconds{pick(0, 5'000)};
    } else {
      f_.now += std::chrono::minutes{pick(0, 600)};
    }
    latest_ = std::max(latest_, f_.now);
  }

  void resume() { f_.does(st::resume_job{id_, "manual"}); }

  void edit() {
    const auto d = definition(any());
    const auto was = f_.read().find_job(id_)->cursor.covered;
    const auto stored = f_.does(st::put_job{id_, 0, d});
    if (stored.replayed) return;  // the same again
    const auto j = stored.jobs.at(0);
    // The old one reigns up to where it was settled; a clock that was put back has nothing to settle.
    reigns_.back().upto = std::max(was, f_.now);
    reigns_.push_back({d.timing.schedule, reigns_.back().upto, core::never});
    CHECK(j.cursor.covered == reigns_.back().from);
  }

  void look() {
    const auto j = f_.read().find_job(id_);
    REQUIRE(j.ok());
    reigns_.back().upto = j->cursor.covered;
    std::multiset<core::instant> planned, told;
    std::vector<std::vector<core::instant>> times_of;
    for (const auto& r : reigns_) {
      times_of.push_back(times(r));
      planned.insert(times_of.back().begin(), times_of.back().end());
    }
    const auto page = f_.read().occurrences_of(id_, core::never, 100'000);
    REQUIRE(page.ok());
    std::int64_t runs = 0;
    for (const auto& line : page->lines) {
      if (line.made.run) {
        told.insert(line.made.at);
        ++runs;
        continue;
      }
      const auto& range = line.skipped.range;
      REQUIRE_FALSE(range.at_least);
      std::int64_t inside = 0;
      for (std::size_t i = 0; i < reigns_.size(); ++i) {
        if (range.first <= reigns_[i].from || range.last > reigns_[i].upto) continue;
        const auto& all = times_of[i];
        const auto from = std::lower_bound(all.begin(), all.end(), range.first);
        const auto upto = std::upper_bound(from, all.end(), range.last);
        told.insert(from, upto);
        inside += upto - from;
      }
      CHECK(inside == range.count);
    }
    const bool whole = planned == told;
    CHECK(whole);
    CHECK(runs == j->cursor.made);
  }

  static std::vector<core::instant> times(const reign& r) {
    std::vector<core::instant> found;
    const auto s = read_schedule(r.schedule);
    for (auto t = core::next(s, r.from); t && t->at <= r.upto; t = core::next(s, t->at))
      found.push_back(t->at);
    return found;
  }

  std::mt19937_64 dice_;
  fixture<Kind> f_;
  core::job_id id_;
  core::instant latest_ = core::never;
  std::vector<reign> reigns_;
};

template <class Kind>
void years(std::uint64_t usual) {
  const bool thorough = std::getenv("BELFRY_LONG") != nullptr;
  const auto count = thorough ? usual * 10 : usual;
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    INFO("seed " << seed);
    year<Kind>{seed}.live(90);
  }
}

}  // namespace

TEST_CASE("schedules: a year at random, every planned time is told once (memory)", "[jobs][schedule]") {
  years<memory_kind>(500);
}
TEST_CASE("schedules: a year at random, every planned time is told once (sqlite)", "[jobs][schedule]") {
  years<sqlite_kind>(15);
}
