#include "core/simulate/simulate.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <set>
#include <tuple>

#include "core/job/outlook.hpp"
#include "core/schedule/fire_line.hpp"
#include "core/time/text.hpp"

namespace belfry::core {
namespace {

constexpr std::array<std::string_view, 3> words{"fires", "skipped", "overlap"};
constexpr std::size_t steps_between_questions = 256;

// In this order at one instant: what ends makes room for what begins, and the node is back before it plans.
enum class kind : std::uint8_t { ends = 0, goes_away = 1, comes_back = 2, due = 3, ready = 4 };

class world {
 public:
  explicit world(const simulation_setup& s) : setup_{s}, now_{s.from} {
    for (const auto& j : s.jobs) {
      out_.jobs.push_back(j.name);
      out_.zones.push_back(j.when->in);
      plan_cursor c;
      c.covered = s.from;
      c.made = j.made;
      c.succeeded = j.succeeded;
      cursors_.push_back(std::move(c));
    }
    open_.resize(s.jobs.size());
    paused_.resize(s.jobs.size(), false);
  }

  simulation run() {
    for (const auto& w : setup_.away) {
      happens(w.begin, kind::goes_away, 0);
      happens(w.end, kind::comes_back, 0);
    }
    for (std::size_t j = 0; j < setup_.jobs.size(); ++j) look_again(j);
    for (std::size_t steps = 0; !events_.empty(); ++steps) {
      const auto [at, what, number] = *events_.begin();
      if (at > setup_.until) break;
      const bool enough =
          setup_.enough && steps % steps_between_questions == steps_between_questions - 1 && setup_.enough();
      if (enough || out_.lines.size() >= setup_.most_lines) {
        out_.cut = true;
        break;
      }
      events_.erase(events_.begin());
      now_ = at;
      take(what, number);
    }
    finish();
    return std::move(out_);
  }

 private:
  struct flight {  // a run that has not ended
    std::size_t line = 0;
    std::size_t job = 0;
    run_id id;
    instant ready;
    bool running = false;
    instant ends = never;
  };

  void happens(instant at, kind what, std::size_t number) { events_.insert({at, what, number}); }

  void take(kind what, std::size_t number) {
    switch (what) {
      case kind::due: plan_job(number); break;
      case kind::ready: break;
      case kind::ends: end(number); break;
      case kind::goes_away: go_away(); break;
      case kind::comes_back: here_ = true; break;
    }
    begin_what_may();
  }

  // A job that is paused is looked at again when the pause is over, if it ever is.
  instant paused_until(std::size_t j) const {
    auto until = never;
    for (const auto& p : setup_.jobs[j].pauses) {
      if (!stands(p, now_)) continue;
      if (p.until == never) return end_of_time;
      until = std::max(until, p.until);
    }
    return until;
  }

  void look_again(std::size_t j) {
    const auto& job = setup_.jobs[j];
    if (used_up(job.policy, cursors_[j])) return;
    const auto until = paused_until(j);
    if (until != never) {
      paused_[j] = true;
      if (until < end_of_time) happens(until, kind::due, j);
      return;
    }
    if (const auto following = next(*job.when, cursors_[j].covered)) happens(following->at, kind::due, j);
  }

  void plan_job(std::size_t j) {
    if (!here_) return happens(back_at(), kind::due, j);
    const auto& job = setup_.jobs[j];
    if (paused_[j]) {
      paused_[j] = false;
      keep(j, set_aside(*job.when, cursors_[j], now_, skip_reason::paused));
      return look_again(j);
    }
    const auto seed = static_cast<std::uint64_t>(job.id.value);
    auto d = plan(*job.when, job.policy, cursors_[j], {now_, seed, false});
    for (const auto& p : d.make) {
      const auto before = out_.fires;
      if (fire(j, p)) {
        d.next.succeeded += out_.fires - before;
        continue;
      }
      d.next.made -= 1;
      set_skipped(d.skips, p.at, skip_reason::fire_limit);
    }
    keep(j, std::move(d));
    look_again(j);
  }

  void keep(std::size_t j, plan_decision d) {
    for (const auto& r : d.skips) tell_skipped(j, r);
    cursors_[j] = std::move(d.next);
  }

  void tell_skipped(std::size_t j, const skip_range& r) {
    simulated_line l;
    l.at = r.first;
    l.job = j;
    l.what = simulated::skipped;
    l.decided = now_;
    l.range = r;
    l.reason = to_text(r.reason);
    out_.skipped += r.count;
    out_.skipped_at_least = out_.skipped_at_least || r.at_least;
    out_.lines.push_back(std::move(l));
  }

  std::vector<fire_line> lines_of(const simulated_job& job) const {
    std::vector<fire_line> lines;
    const auto add = [&](fire_scope scope, std::uint32_t most, std::string name) {
      if (most == 0) return;
      lines.push_back({scope, {most, setup_.limits.fire_window}, {}, std::move(name)});
      for (const auto& [known, starts] : starts_)
        if (known == lines.back().name) lines.back().starts = starts;
    };
    add(fire_scope::workspace, setup_.limits.fires_per_workspace, "fires/" + job.workspace);
    add(fire_scope::node, setup_.limits.fires, "fires");
    return lines;
  }

  bool fire(std::size_t j, planned_time p) {
    const auto& job = setup_.jobs[j];
    auto limits = lines_of(job);
    if (!keep_limits(limits, p, now_)) return false;
    simulated_line l;
    l.at = p.at;
    l.job = j;
    l.decided = now_;
    l.start = std::max(p.start, now_);
    l.caught_up = p.caught_up;
    l.limited_by = p.limited_by;
    l.shift = p.shift;
    auto& open = open_[j];
    std::vector<open_run> seen;
    for (const auto n : open) seen.push_back({flights_[n].id, flights_[n].running});
    if (overlap_reason(job.on_overlap, seen).empty()) {
      for (auto& line : limits) {
        note_start(line, l.start, now_);
        remember(std::move(line));
      }
      if (job.on_overlap == overlap::replace) cancel_all(j);
      ++out_.fires;
      if (l.caught_up) ++out_.caught_up;
      if (l.limited_by != fire_scope::none) ++out_.moved;
      const auto number = flights_.size();
      flights_.push_back({out_.lines.size(), j, run_id{static_cast<std::int64_t>(number) + 1}, l.start});
      open.push_back(number);
      waiting_.insert({l.start, number});
      happens(l.start, kind::ready, number);
    } else {
      l.what = simulated::overlap;
      l.start = never;
      const auto before = out_.lines[flights_[open.back()].line].at;
      l.reason = "the run of " + to_rfc3339(before) + " is not finished (policy " +
                 std::string{to_text(job.on_overlap)} + ")";
      ++out_.overlapped;
    }
    out_.lines.push_back(std::move(l));
    return true;
  }

  void remember(fire_line line) {
    for (auto& [known, starts] : starts_)
      if (known == line.name) {
        starts = std::move(line.starts);
        return;
      }
    starts_.emplace_back(std::move(line.name), std::move(line.starts));
  }

  void cancel_all(std::size_t j) {
    for (const auto n : open_[j]) {
      auto& f = flights_[n];
      auto& l = out_.lines[f.line];
      l.reason = "cancelled by the one of " + to_rfc3339(now_) + " (policy replace)";
      if (f.running) {
        events_.erase({f.ends, kind::ends, n});
        --running_;
        l.ends = now_;
      } else {
        waiting_.erase({f.ready, n});
      }
      ++out_.cancelled;
    }
    open_[j].clear();
  }

  // Whoever is ready longest begins first, as far as its job and the slots allow.
  void begin_what_may() {
    if (!here_) return;
    for (auto it = waiting_.begin(); it != waiting_.end() && it->first <= now_;) {
      if (setup_.slots > 0 && running_ >= setup_.slots) return;
      const auto n = it->second;
      auto& f = flights_[n];
      const auto& job = setup_.jobs[f.job];
      const auto most = job.on_overlap == overlap::allow ? job.max_concurrent : 1;
      const auto live = static_cast<std::uint32_t>(std::count_if(
          open_[f.job].begin(), open_[f.job].end(), [&](std::size_t o) { return flights_[o].running; }));
      if (live >= most) {
        ++it;
        continue;
      }
      it = waiting_.erase(it);
      begin(n);
    }
  }

  void begin(std::size_t n) {
    auto& f = flights_[n];
    auto& l = out_.lines[f.line];
    const bool first = l.begins == never;
    if (first) l.begins = now_;
    const auto waited = now_ - l.start;
    if (first && waited > span{0}) {
      ++out_.waited;
      out_.longest_wait = std::max(out_.longest_wait, waited);
    }
    const auto takes = setup_.jobs[f.job].takes;
    l.ends = later(now_, takes);
    if (takes <= span{0}) return close(n);
    f.running = true;
    f.ends = l.ends;
    ++running_;
    happens(f.ends, kind::ends, n);
  }

  void end(std::size_t n) {
    --running_;
    close(n);
  }

  void close(std::size_t n) {
    auto& open = open_[flights_[n].job];
    open.erase(std::find(open.begin(), open.end(), n));
  }

  // What runs is lost, and is the first to begin again.
  void go_away() {
    here_ = false;
    for (auto& all : open_)
      for (const auto n : all) {
        auto& f = flights_[n];
        if (!f.running) continue;
        f.running = false;
        --running_;
        events_.erase({f.ends, kind::ends, n});
        waiting_.insert({f.ready, n});
        out_.lines[f.line].reason = "begun again: the node went away at " + to_rfc3339(now_);
        ++out_.again;
      }
  }

  instant back_at() const {
    for (const auto& w : setup_.away)
      if (w.begin <= now_ && now_ < w.end) return w.end;
    return now_;
  }

  // What is planned and not looked at, because its job is paused or the node is away to the end.
  void finish() {
    if (!out_.cut) now_ = setup_.until;
    for (std::size_t j = 0; j < setup_.jobs.size(); ++j) {
      const auto& job = setup_.jobs[j];
      if (paused_[j] && cursors_[j].covered < now_)
        keep(j, set_aside(*job.when, cursors_[j], now_, skip_reason::paused));
    }
    out_.upto = now_;
    tell_what_is_left_out();
    for (const auto& [ready, n] : waiting_)
      if (out_.lines[flights_[n].line].begins == never) ++out_.not_begun;
    std::stable_sort(out_.lines.begin(), out_.lines.end(), [](const auto& a, const auto& b) {
      return std::tie(a.at, a.job) < std::tie(b.at, b.job);
    });
  }

  // What exclusions take between the last planned time and the end, where nothing follows that would tell it.
  void tell_what_is_left_out() {
    if (!here_) return;
    for (std::size_t j = 0; j < setup_.jobs.size(); ++j) {
      const auto& job = setup_.jobs[j];
      auto& c = cursors_[j];
      if (paused_[j] || c.covered >= now_ || job.when->not_during.empty() || used_up(job.policy, c)) continue;
      if (out_.lines.size() >= setup_.most_lines) {
        out_.cut = true;
        out_.upto = std::min(out_.upto, c.covered);
        continue;
      }
      for (const auto& r : left_out(*job.when, c.covered, now_)) tell_skipped(j, r);
    }
  }

  const simulation_setup& setup_;
  instant now_;
  simulation out_;
  std::vector<plan_cursor> cursors_;
  std::vector<bool> paused_;
  std::vector<std::vector<std::size_t>> open_;  // flights of each job, oldest first
  std::deque<flight> flights_;
  std::set<std::pair<instant, std::size_t>> waiting_;
  std::set<std::tuple<instant, kind, std::size_t>> events_;
  std::vector<std::pair<std::string, std::vector<instant>>> starts_;
  std::uint32_t running_ = 0;
  bool here_ = true;
};

}  // namespace

std::string_view to_text(simulated s) {
  const auto i = static_cast<std::size_t>(s);
  return i < words.size() ? words[i] : std::string_view{"unknown"};
}

std::vector<field_problem> check(const simulation_setup& s, const std::string& base) {
  std::vector<field_problem> found;
  if (s.until <= s.from)
    found.push_back({base + "/until", to_rfc3339(s.until), "a time after " + to_rfc3339(s.from),
                     "nothing lies between the two"});
  else if (s.until - s.from > longest_simulation)
    found.push_back({base + "/until", to_rfc3339(s.until), "at most 400 days after `from`",
                     "so long a time is not simulated"});
  if (s.away.size() > most_away)
    found.push_back({base + "/down", std::to_string(s.away.size()) + " windows",
                     "at most " + std::to_string(most_away), "there are too many"});
  for (std::size_t i = 0; i < s.away.size(); ++i) {
    const auto at = base + "/down/" + std::to_string(i);
    const auto shown = to_rfc3339(s.away[i].begin) + ".." + to_rfc3339(s.away[i].end);
    if (s.away[i].end <= s.away[i].begin)
      found.push_back({at, shown, "an end after the beginning", "the window is empty"});
    else if (i > 0 && s.away[i].begin < s.away[i - 1].end)
      found.push_back({at, shown, "windows in order, apart", "it begins before the one before it ends"});
    else if (s.away[i].begin < s.from)
      found.push_back({at, shown, "a window within the time that is simulated", "it begins before it"});
  }
  if (s.most_lines < 1 || s.most_lines > most_simulated_lines)
    found.push_back({base + "/limit", std::to_string(s.most_lines),
                     "1 to " + std::to_string(most_simulated_lines), "it is out of range"});
  return found;
}

simulation simulate(const simulation_setup& s) { return world{s}.run(); }

}  // namespace belfry::core
