// A year of a busy node under virtual time: killed between any two messages, asleep for days, its clock set
// forward and back, jobs paused, resumed and edited. In the end every time that was planned is a run or lies
// in exactly one range of skips.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "core/schedule/canonical.hpp"
#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using tests::virtual_node;

namespace {

constexpr const char* year_schedules[] = {"0 * * * *; zone Europe/Berlin", "30 2 * * *; zone Europe/Berlin",
                                          "0 9 * * 1-5; zone America/New_York", "@every 7h; zone UTC",
                                          "*/30 1-3 * * *; zone Australia/Lord_Howe; overlap both"};

std::vector<core::instant> times_between(const std::string& text, core::instant from, core::instant upto) {
  const auto s = core::parse_canonical(text, {});
  REQUIRE(s.ok());
  std::vector<core::instant> found;
  for (auto t = core::next(*s, from); t && t->at <= upto; t = core::next(*s, t->at)) found.push_back(t->at);
  return found;
}

class busy_year {
 public:
  explicit busy_year(std::uint64_t seed) : dice_{seed} {}

  void live(int steps) {
    for (int i = 0; i < 3; ++i) create(i);
    for (int i = 0; i < steps; ++i) step();
    node_.crash();
    node_.restart();
    node_.run();
    for (const auto& [id, reigns] : jobs_) {
      (void)node_.ask<messages::job_stored>(messages::resume_job{id, "manual", "test"});
      settle();
      look(id, reigns);
    }
  }

 private:
  struct reign {
    std::string schedule;
    core::instant from;
  };

  int pick(int low, int high) {
    return low + static_cast<int>(dice_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(int percent) { return pick(1, 100) <= percent; }

  core::job_definition definition(int number) {
    core::job_definition d;
    d.name = "job-" + std::to_string(number);
    d.spec = virtual_node::payload(d.name);
    d.on_overlap = core::overlap::queue_all;
    d.timing.schedule = year_schedules[pick(0, static_cast<int>(std::size(year_schedules)) - 1)];
    d.timing.policy.missed = static_cast<core::catch_up>(pick(0, 2));
    d.timing.policy.all_at_most = static_cast<std::uint32_t>(pick(1, 4));
    d.timing.policy.grace = std::chrono::hours{pick(1, 100)};
    return d;
  }

  void create(int number) {
    messages::put_job m;
    m.definition = definition(number);
    m.actor = "test";
    const auto made = node_.ask<messages::job_stored>(m);
    REQUIRE(made);
    jobs_[made->job.id] = {{m.definition.timing.schedule, made->job.cursor.covered}};
    numbers_[made->job.id] = number;
  }

  void settle() {
    node_.run();
    node_.advance(2s);
  }

  void step() {
    const int what = pick(1, 100);
    if (what <= 45) {
      // Mostly all at once, as on a machine that was suspended: half a minute later everybody has noticed.
      if (chance(70)) {
        node_.time.advance(std::chrono::minutes{pick(1, 900)});
        node_.advance(31s);
      } else {
        node_.advance(std::chrono::minutes{pick(1, 40)});
      }
    } else if (what <= 65) {
      // Killed between two messages, after a timer rang or not; then perhaps nobody is there for days.
      node_.time.advance(std::chrono::minutes{pick(0, 400)});
      if (chance(50)) node_.jump(std::chrono::seconds{pick(0, 7'200)});
      for (int i = pick(0, 30); i > 0; --i) node_.step();
      node_.crash();
      node_.time.advance(std::chrono::hours{chance(30) ? pick(24, 24 * 6) : pick(0, 5)});
      node_.restart();
      node_.run();
    } else if (what <= 75) {
      node_.jump(std::chrono::minutes{pick(-600, 3'000)});
      node_.advance(1min);
    } else {
      auto it = jobs_.begin();
      std::advance(it, pick(0, static_cast<int>(jobs_.size()) - 1));
      if (what <= 83)
        (void)node_.ask<messages::job_stored>(messages::pause_job{it->first, "manual", "", "test"});
      else if (what <= 93)
        (void)node_.ask<messages::job_stored>(messages::resume_job{it->first, "manual", "test"});
      else
        edit(it->first);
    }
  }

  void edit(core::job_id id) {
    messages::put_job m;
    m.id = id;
    m.definition = definition(numbers_.at(id));
    m.actor = "test";
    const auto stored = node_.ask<messages::job_stored>(m);
    REQUIRE(stored);
    if (stored->replayed || stored->job.revision == last_revision_[id]) return;
    last_revision_[id] = stored->job.revision;
    jobs_.at(id).push_back({m.definition.timing.schedule, stored->job.cursor.covered});
  }

  void look(core::job_id id, const std::vector<reign>& reigns) {
    const auto job = node_.read(messages::get_job{core::to_string(id)});
    REQUIRE(job);
    std::vector<std::vector<core::instant>> times;
    std::multiset<core::instant> planned, told;
    for (std::size_t i = 0; i < reigns.size(); ++i) {
      const auto upto = i + 1 < reigns.size() ? reigns[i + 1].from : job->cursor.covered;
      times.push_back(times_between(reigns[i].schedule, reigns[i].from, upto));
      planned.insert(times.back().begin(), times.back().end());
    }
    const auto page = node_.read(messages::list_occurrences{id, core::never, 100'000});
    REQUIRE(page);
    for (const auto& line : page->lines) {
      if (line.made.run) {
        told.insert(line.made.at);
        continue;
      }
      const auto& r = line.skipped.range;
      for (std::size_t i = 0; i < reigns.size(); ++i) {
        const auto upto = i + 1 < reigns.size() ? reigns[i + 1].from : job->cursor.covered;
        if (r.first <= reigns[i].from || r.last > upto) continue;
        const auto from = std::lower_bound(times[i].begin(), times[i].end(), r.first);
        told.insert(from, std::upper_bound(from, times[i].end(), r.last));
      }
    }
    const bool whole = planned == told;
    INFO(planned.size() << " planned, " << told.size() << " told");
    CHECK(whole);
  }

  std::mt19937_64 dice_;
  virtual_node node_;
  std::map<core::job_id, std::vector<reign>> jobs_;
  std::map<core::job_id, int> numbers_;
  std::map<core::job_id, std::uint32_t> last_revision_;
};

}  // namespace

TEST_CASE("schedule: a year of a busy node at random, every planned time is told once",
          "[actors][schedule][year]") {
  const bool thorough = std::getenv("BELFRY_LONG") != nullptr;
  const std::uint64_t seeds = thorough ? 3'000 : 500;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    busy_year{seed}.live(40);
  }
}
