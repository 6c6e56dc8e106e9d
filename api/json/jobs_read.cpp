#include <array>

#include "api/json/decode.hpp"
#include "api/json/jobs.hpp"
#include "api/json/submissions.hpp"
#include "core/run/validate.hpp"
#include "core/text/word.hpp"

namespace belfry::api::json {
namespace {

constexpr std::array<std::string_view, 5> overlaps{"skip", "queue_one", "queue_all", "replace", "allow"};

constexpr std::array<std::string_view, 3> catch_ups{"skip", "once", "all"};
constexpr std::array<std::string_view, 2> run_counts{"runs", "successes"};

core::plan_policy& plan_of(job_draft& d) { return d.definition.timing.policy; }

void read_time(const value& m, std::optional<core::instant>& into) {
  core::instant t;
  if (m.read(t)) into = t;
}

constexpr field<job_draft> job_fields[] = {
    {"description", [](const value& m, job_draft& d) { m.read(d.definition.description); }},
    {"overlap", [](const value& m,
                   job_draft& d) { m.read_name(d.definition.on_overlap, core::overlap_from, overlaps); }},
    {"max_concurrent",
     [](const value& m, job_draft& d) { m.read<std::uint32_t>(d.definition.max_concurrent, 1, 10'000); }},
    {"schedule", [](const value& m, job_draft& d) { d.timing.given = m.read(d.timing.expression); }},
    {"zone", [](const value& m, job_draft& d) { m.read(d.timing.zone); }},
    {"starts", [](const value& m, job_draft& d) { read_time(m, d.timing.starts); }},
    {"ends", [](const value& m, job_draft& d) { read_time(m, d.timing.ends); }},
    {"jitter",
     [](const value& m, job_draft& d) {
       core::span s{0};
       if (m.read(s)) d.timing.jitter = s;
     }},
    {"not_on", [](const value& m, job_draft& d) { m.read(d.timing.not_on.emplace()); }},
    {"not_between", [](const value& m, job_draft& d) { m.read(d.timing.not_between.emplace()); }},
    {"not_in", [](const value& m, job_draft& d) { m.read(d.timing.not_in.emplace()); }},
    {"excluded", [](const value& m, job_draft& d) { read_excluded(m, d.timing); }},
    {"catch_up",
     [](const value& m, job_draft& d) { m.read_name(plan_of(d).missed, core::catch_up_from, catch_ups); }},
    {"catch_up_max",
     [](const value& m, job_draft& d) { m.read<std::uint32_t>(plan_of(d).all_at_most, 1, 1'000); }},
    {"catch_up_grace", [](const value& m, job_draft& d) { m.read(plan_of(d).grace); }},
    {"start_deadline", [](const value& m, job_draft& d) { m.read(plan_of(d).start_deadline); }},
    {"on_time", [](const value& m, job_draft& d) { m.read(plan_of(d).on_time); }},
    {"fire_limit",
     [](const value& m, job_draft& d) { m.read<std::uint32_t>(plan_of(d).limit.most, 0, 1'000); }},
    {"fire_window", [](const value& m, job_draft& d) { m.read(plan_of(d).limit.window); }},
    {"max_runs",
     [](const value& m, job_draft& d) { m.read<std::int64_t>(plan_of(d).most_runs, 0, 1'000'000'000'000); }},
    {"max_runs_of",
     [](const value& m, job_draft& d) {
       m.read_name(plan_of(d).most_runs_of, core::run_count_from, run_counts);
     }},
    {"retry_past_next", [](const value& m, job_draft& d) { m.read(plan_of(d).retry_past_next); }},
    {"source", [](const value& m, job_draft& d) { m.read(d.definition.source); }},
    {"start_paused", [](const value& m, job_draft& d) { m.read(d.start_paused); }},
    {"trial", [](const value& m, job_draft& d) { m.read(d.trial); }},
};

void read_members(const value& v, job_draft& d) {
  v.each_member(
      [&](std::string_view key, const value& m) {
        return read_field<core::run_spec>(spec_fields(), key, m, d.definition.spec) ||
               read_field<job_draft>(job_fields, key, m, d);
      },
      job_names());
}

// Zone, bounds and jitter become part of the canonical text.
void take_schedule(const value& v, job_draft& d, core::instant now) {
  auto& text = d.definition.timing.schedule;
  const auto& words = d.timing;
  const bool excludes = words.excludes() || words.excluded;
  const bool more = !words.zone.empty() || words.starts || words.ends || words.jitter || excludes;
  if (!words.given && !more) return;
  auto whole = words;
  if (!words.given) {
    whole.expression = text;  // of an existing job: its bounds and exclusions are changed
    whole.instead = words.excludes();
  }
  if (whole.expression.empty()) {
    if (more)
      v.found().add({v.pointer() + "/schedule", "", "a schedule",
                     "zone, starts, ends, jitter and what is excluded belong to one"});
    text.clear();
    if (!more) d.definition.timing.policy = {};
    return;
  }
  if (!words.given && !words.zone.empty()) {
    v.found().add({v.pointer() + "/zone", words.zone, "the schedule with its zone",
                   "the stored schedule has a zone already; give it again with another"});
    return;
  }
  if (const auto s = read_words(v, whole, "schedule", d.definition.name, now)) text = core::canonical(*s);
}

void check_definition(const value& v, job_draft& d, core::instant now) {
  auto& definition = d.definition;
  core::normalise(definition.spec);
  definition.name = definition.spec.name;
  take_schedule(v, d, now);
  if (definition.source.empty()) definition.source = "api";
  const auto base = v.pointer();
  auto mistakes = core::check(definition, base);
  for (auto& p : mistakes) p.pointer = api_pointer(p.pointer, base.size());
  v.found().add_found(std::move(mistakes));
}

void take_name(const value& v, job_draft& d, std::string_view name) {
  auto& given = d.definition.spec.name;
  if (name.empty()) return;
  if (given.empty())
    given = name;
  else if (given != name)
    v.found().add({v.pointer() + "/name", given, std::string{name}, "the path names another job"});
}

void read_whole_job(const value& v, job_draft& d, std::string_view name, core::instant now) {
  d.definition.spec.handler = core::handler_kind::none;
  read_members(v, d);
  if (v.what() != kind::object) return;
  take_name(v, d, name);
  check_definition(v, d, now);
}

bool has_member(const value& v, std::string_view name) {
  bool found = false;
  std::string store;
  if (v.what() != kind::object) return false;
  for (auto i = v.index() + 1; i < v.n().next; i = v.doc().at(i + 1).next)
    if (v.doc().text(i, store) == name) found = true;
  return found;
}

void read_pause_word(const value& m, std::string& reason) {
  constexpr std::size_t longest = 40;
  if (!m.read(reason)) return;
  check_text(m, reason, longest);
  if (reason.empty()) m.wrong("1 to 40 characters", "the reason is empty; leave it out for \"manual\"");
}

constexpr field<core::pause_entry> pause_fields[] = {
    {"reason", [](const value& m, core::pause_entry& p) { read_pause_word(m, p.reason); }},
    {"owner", [](const value& m, core::pause_entry& p) { m.read(p.owner); }},
    {"text", [](const value& m, core::pause_entry& p) { read_reason(m, p.text); }},
    {"since",
     [](const value& m, core::pause_entry& p) {
       if (!m.is_null()) m.read(p.since);
     }},
    {"by", [](const value& m, core::pause_entry& p) { m.read(p.by); }},
    {"until",
     [](const value& m, core::pause_entry& p) {
       if (!m.is_null()) m.read(p.until);
     }},
    {"deadline", [](const value& m, core::pause_entry& p) { m.read(p.deadline); }},
    {"drained_at", [](const value& m, core::pause_entry& p) { m.read(p.drained_at); }},
    {"probes", [](const value& m, core::pause_entry& p) { m.read(p.probes); }},
    {"ahead", [](const value& m, core::pause_entry& p) { m.read(p.ahead); }},
};

constexpr std::int64_t most_counted = 1'000'000'000'000'000;
constexpr std::size_t most_recent = 1'000;  // as many as a fire limit may look back at

constexpr field<core::plan_cursor> cursor_fields[] = {
    {"covered",
     [](const value& m, core::plan_cursor& c) {
       if (!m.is_null()) m.read(c.covered);
     }},
    {"made", [](const value& m, core::plan_cursor& c) { m.read<std::int64_t>(c.made, 0, most_counted); }},
    {"recent",
     [](const value& m, core::plan_cursor& c) {
       if (m.what() == kind::array && m.n().count > most_recent) {
         m.wrong("at most " + std::to_string(most_recent) + " times", "there are too many");
         return;
       }
       m.each_element([&](const value& e) { e.read(c.recent.emplace_back()); });
     }},
    {"since", [](const value& m, core::plan_cursor& c) { m.read(c.since); }},
    {"succeeded",
     [](const value& m, core::plan_cursor& c) { m.read<std::int64_t>(c.succeeded, 0, most_counted); }},
};

void read_past_pauses(const value& m, core::job_past& p) {
  if (m.what() == kind::array && m.n().count > core::pauses_per_target) {
    m.wrong("at most " + std::to_string(core::pauses_per_target) + " pauses", "there are too many");
    return;
  }
  m.each_element([&](const value& e) {
    auto& entry = p.pauses.emplace_back();
    read_object(e, entry, pause_fields);
    if (entry.owner.empty()) entry.owner = core::pause_owner::operators;
  });
}

constexpr std::array<std::string_view, 4> job_states{"active", "paused", "completed", "archived"};

constexpr field<core::job_past> past_fields[] = {
    {"id", [](const value& m, core::job_past& p) { m.read(p.id); }},
    {"revision",
     [](const value& m, core::job_past& p) { m.read<std::uint32_t>(p.revision, 1, 1'000'000'000); }},
    {"state",
     [](const value& m, core::job_past& p) { m.read_name(p.state, core::job_state_from, job_states); }},
    {"pauses", read_past_pauses},
    {"created_at", [](const value& m, core::job_past& p) { m.read(p.created_at); }},
    {"updated_at", [](const value& m, core::job_past& p) { m.read(p.updated_at); }},
    {"created_by",
     [](const value& m, core::job_past& p) {
       if (m.read(p.created_by)) check_text(m, p.created_by, 200);
     }},
    {"triggered",
     [](const value& m, core::job_past& p) { m.read<std::int64_t>(p.triggered, 0, most_counted); }},
    {"cursor", [](const value& m, core::job_past& p) { read_object(m, p.cursor, cursor_fields); }},
};

const std::vector<std::string_view>& line_names() {
  static const auto names = [] {
    auto all = names_of(std::span<const field<core::job_past>>{past_fields});
    for (const auto* own : {"kind", "format", "definition"}) all.emplace_back(own);
    return all;
  }();
  return names;
}

void read_format(const value& m, std::int64_t& format) {
  if (!m.read<std::int64_t>(format, 1, 1'000'000) || format <= export_format) return;
  m.wrong("1 to " + std::to_string(export_format),
          "a newer belfry wrote it; import it with one as new as that");
}

}  // namespace

const std::vector<std::string_view>& job_names() {
  static const auto names = [] {
    auto all = names_of(spec_fields());
    for (const auto& f : job_fields) all.push_back(f.name);
    return all;
  }();
  return names;
}

core::result<job_draft> read_job(std::string_view body, std::string_view name, core::instant now) {
  return decode<job_draft>(body,
                           [name, now](const value& v, job_draft& d) { read_whole_job(v, d, name, now); });
}

core::result<core::job_definition> read_job_patch(std::string_view body, const core::job_definition& before,
                                                  core::instant now) {
  job_draft draft{before, false};
  auto patched = decode<job_draft>(
      body,
      [&before, now](const value& v, job_draft& d) {
        if (has_member(v, "agent_types") || has_member(v, "owner"))
          d.definition.spec.needs.agent_types.clear();
        if (has_member(v, "owner")) {
          d.definition.spec.needs.exact_session = {};
          d.definition.spec.needs.person_only = false;
        }
        if (has_member(v, "start_paused"))
          v.found().add({"/start_paused", "", "PUT, or the verbs pause and resume",
                         "an existing job does not start again"});
        if (has_member(v, "trial"))
          v.found().add({"/trial", "", "POST or PUT of a new job", "an existing job is not tried again"});
        read_members(v, d);
        take_name(v, d, before.name);
        if (v.what() == kind::object) check_definition(v, d, now);
      },
      std::move(draft));
  if (!patched) return patched.error();
  return std::move(patched->definition);
}

core::result<trigger_draft> read_trigger(std::string_view body) {
  static constexpr field<trigger_draft> fields[] = {
      {"payload",
       [](const value& m, trigger_draft& d) {
         std::string text;
         m.read_raw(text);
         if (text.size() > core::spec_limits{}.payload)
           m.wrong("at most " + std::to_string(core::spec_limits{}.payload) + " bytes", "it is too large");
         d.payload = std::move(text);
       }},
      {"force", [](const value& m, trigger_draft& d) { m.read(d.force); }},
      {"delay", [](const value& m, trigger_draft& d) { m.read(d.delay); }},
      {"count",
       [](const value& m, trigger_draft& d) {
         std::uint32_t n = 0;
         if (m.read<std::uint32_t>(n, 1, most_items)) d.count = n;
       }},
  };
  return decode<trigger_draft>(body, [](const value& v, trigger_draft& d) { read_object(v, d, fields); });
}

core::result<pause_draft> read_pause(std::string_view body) {
  static constexpr field<pause_draft> fields[] = {
      {"reason", [](const value& m, pause_draft& d) { read_pause_word(m, d.reason); }},
      {"text", [](const value& m, pause_draft& d) { read_reason(m, d.text); }},
  };
  return decode<pause_draft>(body, [](const value& v, pause_draft& d) { read_object(v, d, fields); });
}

core::result<std::string> read_new_name(std::string_view body) {
  static constexpr field<std::string> fields[] = {
      {"name", [](const value& m, std::string& n) { m.read(n); }}};
  return decode<std::string>(body, [](const value& v, std::string& n) {
    read_object(v, n, fields);
    if (n.empty()) missing(v, "name", "a name that no other job has");
  });
}

core::result<import_line> read_import_line(std::string_view line) {
  return decode<import_line>(line, [](const value& v, import_line& out) {
    bool given = false;
    std::int64_t format = 1;
    const auto before = v.found().count();
    v.each_member(
        [&](std::string_view key, const value& m) {
          std::string text;
          if (key == "kind") {
            if (m.read(text) && text != "job") m.wrong("job", "this node imports jobs");
            return true;
          }
          if (key == "format") return read_format(m, format), true;
          if (key != "definition") return read_field<core::job_past>(past_fields, key, m, out.past);
          given = true;
          read_whole_job(m, out.job, {}, core::never);
          return true;
        },
        line_names());
    if (!given) missing(v, "definition", "the definition of a job");
    out.whole = format > 1;
    if (out.whole && v.found().count() == before)
      v.found().add_found(core::check(out.past, out.job.definition, v.pointer()));
  });
}

}  // namespace belfry::api::json
