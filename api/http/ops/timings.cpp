// TIMINGS: groups of jobs with one schedule: list, look, run by hand, plan what is due, pause, resume.
//
// A group is found by going through the jobs page by page, so that no reader is held for long; what is done
// with it is done with each member in its own right, a hundred at a time.
#include <algorithm>

#include "api/http/ops/ops.hpp"
#include "api/json/timings.hpp"

namespace belfry::api {
namespace {

using core::errc;

constexpr std::size_t jobs_of_a_page = 1'000;
constexpr std::size_t members_at_a_time = 100;
constexpr std::size_t most_members = 10'000;  // of one request; the cursor leads on
constexpr std::string_view own_reason = "timing";

using groups_found = std::function<void(const exchange_ptr&, std::vector<core::timing_group>)>;

// All groups, from the jobs as they are.
class group_scan : public std::enable_shared_from_this<group_scan> {
 public:
  explicit group_scan(groups_found done) : done_(std::move(done)) {}

  void read(const exchange_ptr& x, core::job_id after = {}) {
    x->node().node.ask(messages::list_scheduled{after, jobs_of_a_page, {}},
                       x->then<core::scheduled_page>(
                           [self = shared_from_this()](const exchange_ptr& y, core::scheduled_page page) {
                             self->book_.add(page);
                             if (page.next) return self->read(y, page.next);
                             self->done_(y, self->book_.take());
                           }));
  }

 private:
  groups_found done_;
  core::timing_book book_;
};

void with_groups(const exchange_ptr& x, groups_found f) {
  std::make_shared<group_scan>(std::move(f))->read(x);
}

core::failure several_called(const std::string& name, const std::vector<core::timing_group>& them) {
  constexpr std::size_t shown = 20;
  auto f =
      fail_with(errc::ambiguous,
                std::to_string(them.size()) + " timing groups are called '" + name + "': name one by its id",
                "belfry timing show ID");
  for (std::size_t i = 0; i < them.size() && i < shown; ++i)
    f.problems.push_back(
        {"/id", name, core::timing_id(them[i].number), "or by its schedule: " + them[i].key});
  return f;
}

// f(x, group); refuses when there is none, or more than one.
template <class F>
void with_group(const exchange_ptr& x, F f) {
  with_groups(x, [f = std::move(f)](const exchange_ptr& y, std::vector<core::timing_group> all) {
    const auto& name = y->arguments.front();
    std::erase_if(all, [&](const auto& g) { return !core::called(g, name); });
    if (all.empty())
      return y->refuse(
          fail_with(errc::not_found, "there is no timing group '" + name + "'", "belfry timing ls"));
    if (all.size() > 1) return y->refuse(several_called(name, all));
    f(y, std::move(all.front()));
  });
}

void list_timings(const exchange_ptr& x) {
  json::problems found;
  const auto limit = static_cast<std::size_t>(whole_parameter(*x, "limit", 50, 1, 500, found));
  const std::string piece{x->parameter("q")};
  const bool events = flag_parameter(*x, "events", found);
  const auto bound = hash_of("timings\n" + piece + (events ? "\nevents" : ""));
  const auto after = static_cast<std::uint64_t>(read_cursor(*x, bound, found));
  if (!found.empty()) return x->refuse(found.refusal());
  with_groups(
      x, [limit, piece, events, bound, after](const exchange_ptr& y, std::vector<core::timing_group> all) {
        // Jobs that wait for events have no times; they are only counted, unless somebody asks.
        std::size_t by_events = 0;
        for (const auto& g : all) by_events += core::by_event(g) ? g.members : 0;
        std::erase_if(all, [&](const auto& g) {
          return (core::by_event(g) && !events) || g.number <= after ||
                 (g.label.find(piece) == std::string::npos && g.key.find(piece) == std::string::npos);
        });
        std::size_t shown = 0;
        std::uint64_t last = 0;
        json::writer w{std::min(limit, all.size()) * 320 + 64};
        w.begin_object().key("timings").begin_array();
        // Groups of one number, should there ever be such, are not torn apart.
        for (; shown < all.size() && (shown < limit || all[shown].number == last); ++shown) {
          last = all[shown].number;
          w.begin_object();
          json::write_timing_members(w, all[shown]);
          w.end_object();
        }
        w.end_array().member("wait_for_events", by_events);
        write_cursor(w, shown < all.size() ? static_cast<std::int64_t>(last) : 0, bound);
        w.end_object();
        answer_json(*y, w);
      });
}

// A page of members; pages of the reader may be short.
class member_page : public std::enable_shared_from_this<member_page> {
 public:
  member_page(core::timing_group g, std::size_t limit, std::uint32_t bound)
      : group_(std::move(g)), limit_(limit), bound_(bound) {}

  void read(const exchange_ptr& x, core::job_id after) {
    x->node().node.ask(messages::list_scheduled{after, limit_ - members_.size(), group_.key},
                       x->then<core::scheduled_page>(
                           [self = shared_from_this()](const exchange_ptr& y, core::scheduled_page p) {
                             std::move(p.jobs.begin(), p.jobs.end(), std::back_inserter(self->members_));
                             if (p.next && self->members_.size() < self->limit_) return self->read(y, p.next);
                             self->answer(y, p.next);
                           }));
  }

 private:
  void answer(const exchange_ptr& x, core::job_id next) {
    json::writer w{members_.size() * 260 + 512};
    w.begin_object();
    json::write_timing_members(w, group_);
    w.key("jobs").begin_array();
    for (const auto& j : members_) json::write_scheduled_job(w, j);
    w.end_array();
    write_cursor(w, next.value, bound_);
    w.end_object();
    answer_json(*x, w);
  }

  core::timing_group group_;
  std::size_t limit_;
  std::uint32_t bound_;
  std::vector<core::scheduled_job> members_;
};

void get_timing(const exchange_ptr& x) {
  json::problems found;
  const auto limit = static_cast<std::size_t>(whole_parameter(*x, "limit", 50, 1, 500, found));
  const auto bound = hash_of("timing\n" + x->arguments.front());
  const core::job_id after{read_cursor(*x, bound, found)};
  if (!found.empty()) return x->refuse(found.refusal());
  with_group(x, [limit, bound, after](const exchange_ptr& y, core::timing_group g) {
    std::make_shared<member_page>(std::move(g), limit, bound)->read(y, after);
  });
}

enum class deed : std::uint8_t { run, plan, pause, resume };

struct member_task {
  deed what = deed::run;
  bool force = false;
  std::string text;
};

// The same for every member, a page at a time; none of them knows of another.
class member_work : public std::enable_shared_from_this<member_work> {
 public:
  member_work(core::timing_group g, member_task t, std::uint32_t bound)
      : group_(std::move(g)), task_(std::move(t)), bound_(bound) {}

  void read(const exchange_ptr& x, core::job_id after) {
    x->node().node.ask(messages::list_scheduled{after, members_at_a_time, group_.key},
                       x->then<core::scheduled_page>(
                           [self = shared_from_this()](const exchange_ptr& y, core::scheduled_page p) {
                             self->next_ = p.next;
                             self->seen_ += p.jobs.size();
                             self->begin(y, std::move(p.jobs));
                           }));
  }

 private:
  void begin(const exchange_ptr& x, std::vector<core::scheduled_job> jobs) {
    if (jobs.empty()) return go_on(x);
    first_ = outcomes_.size();
    open_ = task_.what == deed::plan ? 1 : jobs.size();
    for (auto& j : jobs) outcomes_.push_back({std::move(j), "ok", {}, {}});
    if (task_.what == deed::plan) return plan(x);
    for (std::size_t i = first_; i < outcomes_.size(); ++i) {
      if (task_.what == deed::run)
        run(x, i);
      else
        hold(x, i);
    }
  }

  void run(const exchange_ptr& x, std::size_t i) {
    messages::trigger_job m;
    m.id = outcomes_[i].who.id;
    m.force = task_.force;
    m.once = once_of(*x, "#" + core::to_string(m.id));
    m.actor = x->actor;
    x->node().node.call(std::move(m), x->whole<messages::submitted>(
                                          [self = shared_from_this(), i](
                                              const exchange_ptr& y, core::result<messages::submitted> r) {
                                            auto& o = self->outcomes_[i];
                                            if (r)
                                              o.runs = std::move(r->runs);
                                            else
                                              o.no = std::move(r.error());
                                            self->done(y);
                                          }));
  }

  void hold(const exchange_ptr& x, std::size_t i) {
    const auto id = outcomes_[i].who.id;
    auto came = x->whole<messages::job_stored>(
        [self = shared_from_this(), i](const exchange_ptr& y, core::result<messages::job_stored> r) {
          auto& o = self->outcomes_[i];
          if (!r)
            o.no = std::move(r.error());
          else if (r->replayed)
            o.status = "unchanged";
          self->done(y);
        });
    if (task_.what == deed::pause)
      x->node().node.call(messages::pause_job{id, std::string{own_reason}, task_.text, x->actor},
                          std::move(came));
    else
      x->node().node.call(messages::resume_job{id, std::string{own_reason}, x->actor}, std::move(came));
  }

  void plan(const exchange_ptr& x) {
    messages::plan_jobs m;
    m.actor = x->actor;
    for (std::size_t i = first_; i < outcomes_.size(); ++i) m.jobs.push_back(outcomes_[i].who.id);
    x->node().node.call(
        std::move(m), x->then<messages::jobs_planned>([self = shared_from_this()](const exchange_ptr& y,
                                                                                  messages::jobs_planned p) {
          for (std::size_t i = 0; i < p.answers.size(); ++i) {
            auto& o = self->outcomes_.at(self->first_ + i);
            if (p.answers[i])
              o.runs = std::move(p.answers[i]->runs);
            else
              o.no = std::move(p.answers[i].error());
          }
          // Nobody wants to read of ten thousand that were not due.
          std::erase_if(self->outcomes_, [](const auto& o) { return !o.no && o.runs.empty(); });
          self->done(y);
        }));
  }

  void done(const exchange_ptr& x) {
    if (--open_ == 0) go_on(x);
  }

  void go_on(const exchange_ptr& x) {
    if (next_ && seen_ < most_members) return read(x, next_);
    const bool runs = task_.what == deed::run || task_.what == deed::plan;
    std::size_t made = 0, skipped = 0, refused = 0, changed = 0;
    for (const auto& o : outcomes_) {
      refused += o.no ? 1U : 0U;
      changed += !o.no && o.status == "ok" ? 1U : 0U;
      for (const auto& r : o.runs) ++(r.head.state == core::run_state::skipped ? skipped : made);
    }
    json::writer w{outcomes_.size() * 200 + 512};
    w.begin_object()
        .member("id", core::timing_id(group_.number))
        .member("label", group_.label)
        .member("schedule", group_.key)
        .member("members", seen_);
    if (runs)
      w.member("made", made).member("skipped", skipped);
    else
      w.member("changed", changed);
    w.member("refused", refused).key("items").begin_array();
    for (const auto& o : outcomes_) json::write_member_outcome(w, o, runs);
    w.end_array();
    write_cursor(w, next_.value, bound_);
    w.end_object();
    answer_json(*x, w);
  }

  core::timing_group group_;
  member_task task_;
  std::uint32_t bound_;
  std::vector<json::member_outcome> outcomes_;
  std::size_t first_ = 0, open_ = 0, seen_ = 0;
  core::job_id next_;
};

void work_on_group(const exchange_ptr& x, member_task task) {
  json::problems found;
  const auto bound = hash_of("timing-work\n" + x->arguments.front());
  const core::job_id after{read_cursor(*x, bound, found)};
  if (!found.empty()) return x->refuse(found.refusal());
  with_group(x, [task = std::move(task), bound, after](const exchange_ptr& y, core::timing_group g) {
    std::make_shared<member_work>(std::move(g), task, bound)->read(y, after);
  });
}

void run_timing(const exchange_ptr& x) {
  const auto draft = json::read_timing_run(x->in.body);
  if (!draft) return x->refuse(draft.error());
  work_on_group(x, {draft->due ? deed::plan : deed::run, draft->force, {}});
}

void pause_timing(const exchange_ptr& x) {
  auto text = json::read_timing_pause(x->in.body);
  if (!text) return x->refuse(text.error());
  work_on_group(x, {deed::pause, false, std::move(*text)});
}

void resume_timing(const exchange_ptr& x) {
  auto text = json::read_timing_pause(x->in.body);
  if (!text) return x->refuse(text.error());
  work_on_group(x, {deed::resume, false, std::move(*text)});
}

}  // namespace

void add_timing_routes(std::vector<route>& all) {
  const parameter cursor{"cursor", parameter_type::text, "next_cursor of the page before"};
  all.push_back({verb::get,
                 "/v1/timings",
                 "list_timings",
                 "timings",
                 "Timing groups: the jobs that have one schedule in common",
                 scope::read,
                 list_timings,
                 body_kind::none,
                 {},
                 {{"q", parameter_type::text, "with this in the label or the schedule"},
                  {"events", parameter_type::boolean, "groups of jobs that wait for events too"},
                  {"limit", parameter_type::whole, "rows of a page, 1 to 500; default 50"},
                  cursor},
                 {{200, "TimingPage", "A page"}},
                 {errc::invalid},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/timings/{id}",
                 "get_timing",
                 "timings",
                 "A timing group, by id, label or schedule, with its members",
                 scope::read,
                 get_timing,
                 body_kind::none,
                 {},
                 {{"limit", parameter_type::whole, "members of a page, 1 to 500; default 50"}, cursor},
                 {{200, "Timing", "The group and a page of its members"}},
                 {errc::not_found, errc::ambiguous, errc::invalid},
                 false,
                 0});
  const std::vector<errc> usual{errc::malformed, errc::invalid, errc::unknown_field, errc::not_found,
                                errc::ambiguous};
  auto refusals = usual;
  refusals.insert(refusals.end(),
                  {errc::idempotency_mismatch, errc::idempotency_in_progress, errc::storage_full});
  all.push_back({verb::post,
                 "/v1/timings/{id}:run",
                 "run_timing",
                 "timings",
                 "Run each member once by hand, or with \"due\" plan what is due of each",
                 scope::operate,
                 run_timing,
                 body_kind::optional_json,
                 "TimingRun",
                 {cursor},
                 {{200, "TimingRunAnswer", "What became of each of up to 10,000 members"}},
                 refusals,
                 true,
                 0});
  all.push_back({verb::post,
                 "/v1/timings/{id}:pause",
                 "pause_timing",
                 "timings",
                 "Pause every job that is a member now, for the reason \"timing\"",
                 scope::operate,
                 pause_timing,
                 body_kind::optional_json,
                 "TimingPause",
                 {cursor},
                 {{200, "TimingPauseAnswer", "What became of each of up to 10,000 members"}},
                 usual,
                 false,
                 0});
  all.push_back({verb::post,
                 "/v1/timings/{id}:resume",
                 "resume_timing",
                 "timings",
                 "Lift that pause from every member; other pauses stay",
                 scope::operate,
                 resume_timing,
                 body_kind::optional_json,
                 "TimingPause",
                 {cursor},
                 {{200, "TimingPauseAnswer", "What became of each of up to 10,000 members"}},
                 usual,
                 false,
                 0});
}

}  // namespace belfry::api
