#include "api/json/timings.hpp"

#include "api/json/decode.hpp"
#include "api/json/failures.hpp"

namespace belfry::api::json {

core::result<timing_run_draft> read_timing_run(std::string_view body) {
  static constexpr field<timing_run_draft> fields[] = {
      {"force", [](const value& m, timing_run_draft& d) { m.read(d.force); }},
      {"due", [](const value& m, timing_run_draft& d) { m.read(d.due); }},
  };
  return decode<timing_run_draft>(body, [](const value& v, timing_run_draft& d) {
    read_object(v, d, fields);
    if (d.force && d.due)
      v.found().add({v.pointer() + "/force", "true", "false with \"due\"",
                     "what is due is planned by the jobs' own rules"});
  });
}

core::result<std::string> read_timing_pause(std::string_view body) {
  static constexpr field<std::string> fields[] = {
      {"text", [](const value& m, std::string& text) { read_reason(m, text); }}};
  return decode<std::string>(body, [](const value& v, std::string& text) { read_object(v, text, fields); });
}

void write_timing_members(writer& w, const core::timing_group& g) {
  w.member("id", core::timing_id(g.number))
      .member("label", g.label)
      .member("schedule", g.key)
      .member("zone", g.zone)
      .member("members", g.members)
      .member("active", g.active)
      .member("paused", g.paused)
      .member("next_at", g.next_due)
      .member("last_fired_at", g.last_fired);
}

void write_scheduled_job(writer& w, const core::scheduled_job& j) {
  w.begin_object()
      .member("job_id", j.id)
      .member("name", j.name)
      .member("state", core::to_text(j.state))
      .member("schedule", j.schedule)
      .member("next_at", j.due)
      .member("last_fired_at", j.fired)
      .member("last_run_id", j.last_run);
  w.member_or_null("last_run_state", j.last_run ? core::to_text(j.last_state) : std::string_view{});
  w.end_object();
}

void write_member_outcome(writer& w, const member_outcome& o, bool with_runs) {
  w.begin_object().member("job_id", o.who.id).member("name", o.who.name);
  if (o.no) {
    write_failure_members(w, *o.no);
  } else {
    w.member("status", o.status);
    if (with_runs) {
      w.key("runs").begin_array();
      for (const auto& r : o.runs)
        w.begin_object()
            .member("id", r.head.id)
            .member("state", core::to_text(r.head.state))
            .member("due_at", r.head.due_at)
            .member_or_null("reason", r.head.reason)
            .end_object();
      w.end_array();
    }
  }
  w.end_object();
}

}  // namespace belfry::api::json
