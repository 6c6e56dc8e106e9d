// FUZZ: what comes from outside when somebody moves in: crontabs, unit files, schedules of ncp, lines of
// exports. Build: see CMakeLists.txt beside it.
//
// No bytes may harm the readers; each entry is a job or a refusal with a reason; a job passes the checks of the
// node and can be described; a line that was read is written and read again as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/json/jobs.hpp"
#include "app/imports/calendar_time.hpp"
#include "app/imports/crontab.hpp"
#include "app/imports/ncp.hpp"
#include "app/imports/timers.hpp"
#include "app/imports/unit_file.hpp"
#include "core/schedule/phrase.hpp"

using namespace belfry;

namespace {

void must(bool good) {
  if (!good) std::abort();
}

void whole(const app::import_source& s) {
  must(s.entries == s.jobs.size() + s.refused.size());
  for (const auto& r : s.refused) must(!r.from.empty() && !r.why.empty());
  for (const auto& j : s.jobs) {
    must(core::check(j.definition, "").empty());
    const auto when = core::parse_canonical(j.definition.timing.schedule, {});
    must(when.ok() && !core::describe(*when).empty());
    (void)core::preview(*when, core::from_micros(1'795'255'200'000'000), 5);
  }
}

void crontabs(const std::string& text) {
  app::crontab_options o;
  o.account = "ada";
  o.home = "/home/ada";
  whole(app::read_crontab(text, o));
  o.system = o.may_switch = true;
  whole(app::read_crontab(text, o));
}

void units(const std::string& text) {
  // One input, two files.
  const auto cut = text.find("\n---\n");
  const auto timer = text.substr(0, cut);
  const auto service = cut == std::string::npos ? "[Service]\nExecStart=/bin/x\n" : text.substr(cut + 5);
  app::timers_options o;
  o.account = "ada";
  const auto s = app::read_timers({{"a@b.timer", timer}, {"a@.service", service}, {"a@b.service.d/x.conf", text}}, o);
  must(s.entries == 1);
  whole(s);
  (void)app::read_unit_span(text);
  (void)app::read_exec(text, {"a@b.service", "ada", "/home/ada", {{"A", "x y"}}});
  (void)app::read_words(text);
  if (const auto when = app::read_calendar_time(text)) must(!core::canonical(when->fires).empty());
}

void lines(const std::string& text) {
  const auto line = api::json::read_import_line(text);
  if (!line || !line->whole) return;
  core::job j;
  j.id = line->past.id;
  j.revision = line->past.revision;
  j.state = line->past.state;
  j.pauses = line->past.pauses;
  j.created_at = line->past.created_at;
  j.updated_at = line->past.updated_at;
  j.created_by = line->past.created_by;
  j.triggered = line->past.triggered;
  j.cursor = line->past.cursor;
  j.definition = std::make_shared<const core::job_definition>(line->job.definition);
  api::json::writer w;
  api::json::write_export_line(w, j);
  // Null where it was none: the reader of a line takes no null for these.
  if (!j.id || j.created_at == core::never || j.updated_at == core::never) return;
  const auto again = api::json::read_import_line(w.str());
  must(again.ok() && again->past == line->past && again->job.definition == line->job.definition);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  crontabs(text);
  units(text);
  lines(text);
  if (const auto tasks = app::read_ncp(text, {"fuzz", "UTC", "ncp", ""})) whole(*tasks);
  return 0;
}
