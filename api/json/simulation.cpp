#include "api/json/simulation.hpp"

#include <algorithm>
#include <memory>

#include "api/json/decode.hpp"
#include "api/json/jobs.hpp"
#include "core/schedule/canonical.hpp"

namespace belfry::api::json {
namespace {

constexpr std::size_t most_declared = 1'000;
constexpr core::span longest_run_time = std::chrono::hours{24 * 400};
constexpr core::span usual_simulation = std::chrono::hours{24};

struct simulation_draft {
  messages::simulate_schedules q;
  bool from = false, until = false, jobs = false, declared = false;
  core::instant now;
};

void read_run_time(const value& m, core::span& out) {
  core::span s{0};
  if (!m.read(s)) return;
  if (s < core::span{0} || s > longest_run_time)
    m.wrong("0 to 400d", "it is out of range");
  else
    out = s;
}

void read_away(const value& v, core::away_window& w) {
  static constexpr field<core::away_window> fields[] = {
      {"begin", [](const value& m, core::away_window& a) { m.read(a.begin); }},
      {"end", [](const value& m, core::away_window& a) { m.read(a.end); }},
  };
  const auto before = v.found().count();
  w = {core::never, core::never};
  read_object(v, w, fields);
  if (v.found().count() > before) return;
  if (w.begin == core::never) missing(v, "begin", "when the node goes away");
  if (w.end == core::never) missing(v, "end", "when it is back");
}

// A job as for POST /v1/jobs; nothing of it is kept.
void read_declared(const value& m, simulation_draft& d) {
  std::string body;
  m.read_raw(body);
  const auto pointer = m.pointer();
  auto job = read_job(body, {}, d.now);
  if (!job) {
    for (auto p : job.error().problems) {
      p.pointer = pointer + p.pointer;
      m.found().add(std::move(p));
    }
    if (job.error().problems.empty()) m.wrong("the definition of a job", job.error().text);
    return;
  }
  const auto& timing = job->definition.timing;
  if (timing.schedule.empty()) {
    m.found().add({pointer + "/schedule", "", "a schedule", "without one it runs only by hand"});
    return;
  }
  core::schedule_context context;
  context.calendars = core::any_calendar;  // the reader has their content
  auto read = core::parse_canonical(timing.schedule, context);
  if (!read || core::on_event(*read)) {
    m.found().add({pointer + "/schedule", timing.schedule, "a schedule of times",
                   read ? "it waits for an event" : read.problem().why});
    return;
  }
  core::simulated_job s;
  s.id = core::job_id{static_cast<std::int64_t>(d.q.setup.jobs.size()) + 1};
  s.name = job->definition.name;
  s.workspace = job->definition.spec.needs.workspace;
  s.when = std::make_shared<const core::schedule>(std::move(*read));
  s.policy = timing.policy;
  s.on_overlap = job->definition.on_overlap;
  s.max_concurrent = job->definition.max_concurrent;
  if (job->start_paused) s.pauses.push_back({"manual", {}, "created paused", core::never});
  d.q.setup.jobs.push_back(std::move(s));
}

void read_run_times(const value& m, simulation_draft& d) {
  if (!m.expect(kind::object)) return;
  std::string store;
  m.each_member(
      [&](std::string_view key, const value& v) {
        core::span s{0};
        read_run_time(v, s);
        d.q.takes.emplace_back(std::string{key}, s);
        return true;
      },
      {});
}

constexpr field<simulation_draft> simulation_fields[] = {
    {"from", [](const value& m, simulation_draft& d) { d.from = m.read(d.q.setup.from); }},
    {"until", [](const value& m, simulation_draft& d) { d.until = m.read(d.q.setup.until); }},
    {"jobs",
     [](const value& m, simulation_draft& d) {
       d.jobs = true;
       m.read(d.q.jobs);
       if (d.q.jobs.empty() || d.q.jobs.size() > most_declared)
         m.wrong("1 to 1000 ids or names", "leave it out for all jobs");
     }},
    {"definitions",
     [](const value& m, simulation_draft& d) {
       d.declared = true;
       m.each_element([&](const value& e) {
         if (d.q.setup.jobs.size() < most_declared) return read_declared(e, d);
         e.wrong("at most 1000 of them", "there are too many");
       });
     }},
    {"down",
     [](const value& m, simulation_draft& d) {
       m.each_element([&](const value& e) { read_away(e, d.q.setup.away.emplace_back()); });
     }},
    {"run_time", [](const value& m, simulation_draft& d) { read_run_time(m, d.q.each_takes); }},
    {"run_times", read_run_times},
    {"slots",
     [](const value& m, simulation_draft& d) { m.read<std::uint32_t>(d.q.setup.slots, 0, 1'000'000); }},
    {"limit",
     [](const value& m, simulation_draft& d) {
       m.read<std::size_t>(d.q.setup.most_lines, 1, core::most_simulated_lines);
     }},
};

void write_line(writer& w, const core::simulation& s, const core::simulated_line& l) {
  const auto& zone = s.zones[l.job];
  w.begin_object()
      .member("at", l.at)
      .member("local", core::local_text(zone.local(l.at)))
      .member("offset", core::offset_text(zone.offset(l.at)))
      .member("job", s.jobs[l.job])
      .member("outcome", core::to_text(l.what))
      .member("decided_at", l.decided)
      .member_or_null("reason", l.reason);
  if (l.what == core::simulated::skipped) {
    w.member("first", l.range.first)
        .member("last", l.range.last)
        .member("count", l.range.count)
        .member("at_least", l.range.at_least)
        .member("moved_to", l.range.moved_to);
  } else if (l.what == core::simulated::fires) {
    w.member("start_at", l.start).member("begins_at", l.begins).member("ends_at", l.ends);
    w.milliseconds("waits_ms", l.begins == core::never ? core::span{0} : l.begins - l.start);
    w.member("caught_up", l.caught_up)
        .member("limited_by", core::to_text(l.limited_by))
        .member("clock", core::to_text(l.shift));
  }
  w.end_object();
}

}  // namespace

core::result<messages::simulate_schedules> read_simulation(std::string_view body, core::instant now) {
  simulation_draft draft;
  draft.now = now;
  auto read = decode<simulation_draft>(
      body,
      [now](const value& v, simulation_draft& d) {
        read_object(v, d, simulation_fields);
        if (!d.from) d.q.setup.from = now;
        if (!d.until) d.q.setup.until = core::later(d.q.setup.from, usual_simulation);
        if (v.what() != kind::object || !v.found().empty()) return;
        auto wrong = core::check(d.q.setup, v.pointer());
        for (auto& p : wrong) v.found().add(std::move(p));
      },
      std::move(draft));
  if (!read) return read.error();
  read->q.all = !read->jobs && !read->declared;
  return std::move(read->q);
}

void write_simulation(writer& w, const core::simulation& s, core::instant from, core::instant until) {
  w.begin_object().member("from", from).member("until", until).member("upto", s.upto).member("cut", s.cut);
  w.key("summary")
      .begin_object()
      .member("jobs", s.jobs.size())
      .member("fires", s.fires)
      .member("caught_up", s.caught_up)
      .member("moved", s.moved)
      .member("skipped", s.skipped)
      .member("skipped_at_least", s.skipped_at_least)
      .member("overlapped", s.overlapped)
      .member("cancelled", s.cancelled)
      .member("begun_again", s.again)
      .member("waited", s.waited)
      .milliseconds("longest_wait_ms", s.longest_wait)
      .member("not_begun", s.not_begun)
      .end_object();
  w.key("lines").begin_array();
  for (const auto& l : s.lines) write_line(w, s, l);
  w.end_array().end_object();
}

}  // namespace belfry::api::json
