#include "api/json/events.hpp"

#include "api/json/decode.hpp"
#include "core/schedule/phrase.hpp"

namespace belfry::api::json {
namespace {

constexpr const char* name_wanted = "a name such as deploy.finished";

void read_event_fields(const value& v, core::named_event& e) {
  v.each_member(
      [&](std::string_view key, const value& m) {
        std::string text;
        if (m.read(text)) e.fields.emplace_back(std::string{key}, std::move(text));
        return true;
      },
      {});
}

constexpr field<emission_draft> emission_fields[] = {
    {"name", [](const value& m, emission_draft& d) { m.read(d.what.name); }},
    {"fields", [](const value& m, emission_draft& d) { read_event_fields(m, d.what); }},
    {"run", [](const value& m, emission_draft& d) { m.read(d.run); }},
};

}  // namespace

core::result<emission_draft> read_emission(std::string_view body) {
  return decode<emission_draft>(body, [](const value& v, emission_draft& d) {
    read_object(v, d, emission_fields);
    if (v.what() != kind::object) return;
    if (d.what.name.empty()) return missing(v, "name", name_wanted);
    v.found().add_found(core::check(d.what, v.pointer()));
  });
}

void write_waiter(writer& w, const core::event_waiter& waiter) {
  core::schedule_context context;
  context.calendars = core::any_calendar;
  const auto read = core::parse_canonical(waiter.schedule, context);
  const auto& hold = waiter.hold;
  w.begin_object()
      .member("job_id", waiter.job)
      .member("job", waiter.name)
      .member("state", core::to_text(waiter.state))
      .member("schedule", waiter.schedule)
      .member_or_null("description", read ? core::describe(*read) : std::string{})
      .member("held", hold.wait.held)
      .member("first_held_at", hold.wait.first_held)
      .member("fires_at", hold.wait.fires_at)
      .member("limited", hold.limited)
      .member("paused", hold.aside)
      .end_object();
}

void write_emitted(writer& w, const messages::event_emitted& e) {
  const auto& what = e.what;
  w.begin_object()
      .member("seq", what.seq)
      .member("at", what.at)
      .member("jobs", what.jobs)
      .member("started", what.started)
      .member("held", what.held)
      .member("paused", what.aside)
      .member("too_deep", what.too_deep)
      .key("runs")
      .begin_array();
  for (const auto id : e.runs) w.text(core::to_string(id));
  w.end_array().end_object();
}

void write_received_members(writer& w, std::string_view text) {
  const auto event = core::parse_named_event(text);
  if (!event) return;
  w.member("name", event->name).key("fields").begin_object();
  for (const auto& [key, field_value] : event->fields) w.member(key, field_value);
  w.end_object();
}

}  // namespace belfry::api::json
