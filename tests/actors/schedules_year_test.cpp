// A year of a busy node under virtual time: killed between any two messages, asleep for days, its clock set
// forward and back, jobs paused, resumed, edited and worked on. In the end every time that was planned is a
// run or lies in exactly one range of skips. What was planned is enumerated by a reference that looks at
// every minute and shares nothing with core but the zone's clock (tests/core/slow_cron.hpp).
// BELFRY_YEAR_SEED=n replays one seed, BELFRY_LONG=1 takes more of them.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "core/job/completion.hpp"
#include "core/schedule/canonical.hpp"
#include "core/time/text.hpp"
#include "storage/memory/tables.hpp"
#include "tests/core/slow_cron.hpp"
#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using tests::virtual_node;

namespace {

constexpr const char* year_schedules[] = {"0 * * * *; zone Europe/Berlin", "30 2 * * *; zone Europe/Berlin",
                                          "0 9 * * 1-5; zone America/New_York", "@every 7h; zone UTC",
                                          "*/30 1-3 * * *; zone Australia/Lord_Howe; overlap both"};
constexpr auto year_begins = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21};
constexpr auto year_is_over = year_begins + std::chrono::days{500};

slow_cron::field numbers(int low, int high, int step = 1) {
  slow_cron::field f{"*", {}};
  for (int v = low; v <= high; v += step) f.values.insert(v);
  return f;
}

// The same five as sets of numbers, written down by hand.
std::vector<core::instant> slow_times(int which) {
  if (which == 3) {
    std::vector<core::instant> all;
    for (auto t = core::instant{}; t < year_is_over; t += 7h)
      if (t >= year_begins) all.push_back(t);
    return all;
  }
  slow_cron::expression e;
  e.second = {"0", {0}};
  e.minute = which == 4 ? numbers(0, 59, 30) : slow_cron::field{"", {which == 1 ? 30 : 0}};
  e.hour = which == 0   ? numbers(0, 23)
           : which == 1 ? slow_cron::field{"2", {2}}
           : which == 2 ? slow_cron::field{"9", {9}}
                        : numbers(1, 3);
  e.month_day = numbers(1, 31);
  e.month = numbers(1, 12);
  e.weekday = which == 2 ? numbers(1, 5) : numbers(0, 6);
  e.star_joined = true;
  const char* const zones[] = {"Europe/Berlin", "Europe/Berlin", "America/New_York", "",
                               "Australia/Lord_Howe"};
  core::schedule rules;
  rules.in = *core::zone::named(zones[which]);
  rules.overlap = which == 4 ? core::overlap_rule::both : core::overlap_rule::first;
  return slow_cron::fires(e, rules, core::instant{year_begins}, core::instant{year_is_over});
}

const std::vector<core::instant>& all_times(const std::string& text) {
  static const auto known = [] {
    std::map<std::string, std::vector<core::instant>> all;
    for (int i = 0; i < static_cast<int>(std::size(year_schedules)); ++i)
      all[year_schedules[i]] = slow_times(i);
    return all;
  }();
  return known.at(text);
}

std::vector<core::instant> times_between(const std::string& text, core::instant from, core::instant upto) {
  const auto& all = all_times(text);
  const auto begin = std::upper_bound(all.begin(), all.end(), from);
  return {begin, std::upper_bound(begin, all.end(), upto)};
}

// What a store or a node that is not right would do; each has to be found.
enum class year_fault {
  none,
  run_forgotten,   // the cursor moved, and the run was not written with it
  cursor_ahead,    // the cursor moved further than what was decided
  made_twice,      // a run for a time that nobody planned
  skip_forgotten,  // a range of skips is lost
};

class busy_year {
 public:
  explicit busy_year(std::uint64_t seed, year_fault fault = year_fault::none) : dice_{seed}, fault_{fault} {
    node_.processes.use_script([this](const std::string&, const platform::process_order&) {
      tests::child_plan p;
      p.after = std::chrono::minutes{pick(0, 90)};
      p.report = tests::exited(chance(80) ? 0 : 3);
      return p;
    });
  }

  // What is wrong in the end, if anything is.
  std::optional<std::string> live(int steps) {
    for (int i = 0; i < 3; ++i) create(i);
    for (int i = 0; i < steps; ++i) step();
    node_.crash();
    node_.restart();
    node_.run();
    if (node_.now() >= core::instant{year_is_over}) return "the reference ends before the year does";
    for (const auto& [id, reigns] : jobs_) {
      (void)node_.ask<messages::job_stored>(messages::resume_job{id, "manual", "test"});
      settle();
      if (auto wrong = look(id, reigns)) return wrong;
    }
    return std::nullopt;
  }

 private:
  struct reign {
    std::string schedule;
    core::instant from;
    core::instant upto = core::never;  // its runs were used up: nothing of it was planned any more
  };

  int pick(int low, int high) {
    return low + static_cast<int>(dice_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(int percent) { return pick(1, 100) <= percent; }

  core::job_definition definition(int number) {
    core::job_definition d;
    d.name = "job-" + std::to_string(number);
    // One is left to outside workers, whom nobody ever sees; the node works on the others.
    d.spec = number == 0 ? virtual_node::payload(d.name) : virtual_node::process(d.name);
    d.spec.timeout = 1h;
    d.on_overlap = number == 0 ? core::overlap::queue_all : static_cast<core::overlap>(pick(0, 4));
    d.timing.schedule = year_schedules[pick(0, static_cast<int>(std::size(year_schedules)) - 1)];
    d.timing.policy.missed = static_cast<core::catch_up>(pick(0, 2));
    d.timing.policy.all_at_most = static_cast<std::uint32_t>(pick(1, 4));
    d.timing.policy.grace = std::chrono::hours{pick(1, 100)};
    if (number == 2) {
      d.timing.policy.most_runs = pick(1, 12);
      d.timing.policy.most_runs_of = chance(50) ? core::run_count::successes : core::run_count::runs;
    }
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
      damage();
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
    const auto before = node_.read(messages::get_job{core::to_string(id)});
    REQUIRE(before);
    const auto stored = node_.ask<messages::job_stored>(m);
    if (!stored) {  // so many runs there were already
      REQUIRE(m.definition.timing.policy.most_runs > 0);
      REQUIRE(stored.error().code == core::errc::invalid);
      return;
    }
    if (stored->replayed || stored->job.revision == last_revision_[id]) return;
    last_revision_[id] = stored->job.revision;
    if (before->state == core::job_state::completed || core::nothing_planned(*before))
      jobs_.at(id).back().upto = before->cursor.covered;
    jobs_.at(id).push_back({m.definition.timing.schedule, stored->job.cursor.covered});
  }

  // The fault, once: on the disk of a node that is not there.
  void damage() {
    if (fault_ == year_fault::none || damaged_) return;
    auto disk = std::make_shared<storage::memory::tables>(*node_.disk->read());
    const auto id = jobs_.begin()->first;
    switch (fault_) {
      case year_fault::none: return;
      case year_fault::run_forgotten:
      case year_fault::made_twice: {
        std::optional<core::occurrence> newest;
        disk->occurrences.down([&](const auto&, const core::occurrence& o) {
          newest = o;
          return false;
        });
        if (!newest) return;
        if (fault_ == year_fault::run_forgotten) {
          disk->occurrences.erase({newest->job, newest->at});
        } else {
          newest->at += 1s;
          disk->occurrences.set({newest->job, newest->at}, *newest);
        }
        break;
      }
      case year_fault::cursor_ahead: {
        auto j = *disk->jobs.find(id);
        const auto due =
            times_between(j.definition->timing.schedule, j.cursor.covered, j.cursor.covered + 60h);
        if (due.empty() || j.due == core::never) return;
        j.cursor.covered = due.front() + 1s;
        j.due = due.front() + 2s;
        disk->jobs.set(id, j);
        break;
      }
      case year_fault::skip_forgotten: {
        std::optional<std::pair<core::job_id, std::int64_t>> newest;
        disk->skips.down([&](const auto& key, const core::skip_record&) {
          newest = key;
          return false;
        });
        if (!newest) return;
        disk->skips.erase(*newest);
        break;
      }
    }
    damaged_ = true;
    node_.disk->write(std::move(disk));
  }

  static core::instant end_of(const std::vector<reign>& reigns, std::size_t i, const core::job& j) {
    if (i + 1 == reigns.size()) return j.cursor.covered;
    return reigns[i].upto == core::never ? reigns[i + 1].from : reigns[i].upto;
  }

  // A job is over when nothing is planned any more and no run of it is open, and not before.
  std::optional<std::string> look_at_end(const core::job& j) {
    core::run_filter filter;
    filter.job = j.id;
    filter.states = {core::run_state::scheduled, core::run_state::queued,   core::run_state::claimed,
                     core::run_state::running,   core::run_state::retrying, core::run_state::parked};
    const auto open = node_.read(messages::list_runs{filter, {1, 0, core::run_sort::oldest}});
    REQUIRE(open);
    if (j.state == core::job_state::completed && !open->runs.empty()) return "completed with an open run";
    if (core::nothing_planned(j) && open->runs.empty()) return "nothing is left of it, and it is active";
    const auto& policy = j.definition->timing.policy;
    // Fewer may be asked for while more are under way.
    const bool edited = jobs_.at(j.id).size() > 1;
    if (policy.most_runs > 0 && core::runs_left(policy, j.cursor) < 0 &&
        (!edited || !core::counts_successes(policy)))
      return "more runs than were asked for";
    if (core::used_up(policy, j.cursor) && j.due != core::never) return "its runs are used up, and it is due";
    return std::nullopt;
  }

  std::optional<std::string> look(core::job_id id, const std::vector<reign>& reigns) {
    const auto job = node_.read(messages::get_job{core::to_string(id)});
    REQUIRE(job);
    const auto wrong = [&](std::string what) { return "job " + job->definition->name + ": " + what; };
    if (job->due != core::never && job->due <= node_.now()) return wrong("what is due is not planned");
    if (auto over = look_at_end(*job)) return wrong(*over);
    std::vector<std::vector<core::instant>> times;
    std::vector<core::instant> planned, told;
    for (std::size_t i = 0; i < reigns.size(); ++i) {
      const auto upto = end_of(reigns, i, *job);
      times.push_back(times_between(reigns[i].schedule, reigns[i].from, upto));
      planned.insert(planned.end(), times.back().begin(), times.back().end());
    }
    const auto page = node_.read(messages::list_occurrences{id, core::never, 100'000});
    REQUIRE(page);
    for (const auto& line : page->lines) {
      if (line.made.run) {
        told.push_back(line.made.at);
        if (line.made.start < line.made.at) return wrong("a run starts before its time");
        continue;
      }
      const auto& r = line.skipped.range;
      for (std::size_t i = 0; i < reigns.size(); ++i) {
        const auto upto = end_of(reigns, i, *job);
        if (r.first <= reigns[i].from || r.last > upto) continue;
        const auto from = std::lower_bound(times[i].begin(), times[i].end(), r.first);
        told.insert(told.end(), from, std::upper_bound(from, times[i].end(), r.last));
      }
    }
    std::sort(planned.begin(), planned.end());
    std::sort(told.begin(), told.end());
    if (planned == told) return std::nullopt;
    const auto [p, t] = std::mismatch(planned.begin(), planned.end(), told.begin(), told.end());
    return wrong(std::to_string(planned.size()) + " planned, " + std::to_string(told.size()) +
                 " told; the first that differ: planned " +
                 (p == planned.end() ? "none" : core::to_rfc3339(*p)) + ", told " +
                 (t == told.end() ? "none" : core::to_rfc3339(*t)));
  }

  std::mt19937_64 dice_;
  year_fault fault_;
  bool damaged_ = false;
  virtual_node node_;
  std::map<core::job_id, std::vector<reign>> jobs_;
  std::map<core::job_id, int> numbers_;
  std::map<core::job_id, std::uint32_t> last_revision_;
};

}  // namespace

TEST_CASE("schedule: a year of a busy node at random, every planned time is told once",
          "[actors][schedule][year]") {
  const char* one = std::getenv("BELFRY_YEAR_SEED");
  const std::uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
  const std::uint64_t seeds = one != nullptr ? 1 : std::getenv("BELFRY_LONG") != nullptr ? 3'000 : 500;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const auto wrong = busy_year{seed}.live(40);
    if (wrong)
      FAIL_CHECK("seed " << seed << ": " << *wrong << "\nreplay: BELFRY_YEAR_SEED=" << seed
                         << " build/release/test_actors \"[year]\"");
  }
}

TEST_CASE("schedule: the year notices a run that was forgotten, made twice, or left out of the plan",
          "[actors][schedule][year]") {
  for (const auto fault : {year_fault::run_forgotten, year_fault::cursor_ahead, year_fault::made_twice,
                           year_fault::skip_forgotten}) {
    std::uint64_t found = 0;
    for (std::uint64_t seed = 1; seed <= 40 && found == 0; ++seed)
      if (busy_year{seed, fault}.live(40)) found = seed;
    INFO("fault " << static_cast<int>(fault));
    CHECK(found > 0);
  }
}
