// FUZZ: the readers of schedules: cron, canonical texts, phrases, calendar files. Build: see CMakeLists.txt
// beside it.
//
// No bytes may harm them, a refusal points into the text, and what is taken stays what it is: its canonical
// text and its description are read back as the same schedule.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/schedule/cron.hpp"
#include "core/schedule/ics.hpp"
#include "core/schedule/occurrence.hpp"
#include "core/schedule/phrase.hpp"
#include "core/schedule/plan.hpp"

using namespace belfry::core;

namespace {

constexpr instant now = from_micros(1'795'255'200'000'000);

void must(bool good) {
  if (!good) std::abort();
}

void points_into(std::string_view text, const text_problem& p) {
  must(p.offset <= text.size() && p.length <= text.size() - p.offset && !p.why.empty());
}

void cron(std::string_view text) {
  const auto read = parse_cron(text, {4711});
  if (!read) return points_into(text, read.problem());
  const auto again = parse_cron(canonical(*read));
  must(again.ok() && *again == *read);
}

void calendar_file(std::string_view text) {
  const auto read = parse_ics(text);
  if (!read) return points_into(text, read.problem());
  const auto& c = read->content;
  for (std::size_t i = 0; i < c.local.size(); ++i) {
    must(c.local[i].begin < c.local[i].end);
    must(i == 0 || c.local[i - 1].end <= c.local[i].begin);
  }
  for (std::size_t i = 0; i < c.fixed.size(); ++i) {
    must(c.fixed[i].begin < c.fixed[i].end);
    must(i == 0 || c.fixed[i - 1].end <= c.fixed[i].begin);
  }
}

schedule_context here() {
  schedule_context context;
  context.now = now;
  context.seed = 7;
  static const auto holidays = std::make_shared<const calendar>(
      calendar{{{local_days{std::chrono::year{2026} / 12 / 25}, local_days{std::chrono::year{2026} / 12 / 27}}}, {}});
  context.calendars = [](std::string_view name) {
    return name == "holidays" ? holidays : std::shared_ptr<const calendar>{};
  };
  return context;
}

void expression(std::string_view text) {
  const auto context = here();
  const auto read = parse_schedule(text, context);
  if (!read) return points_into(text, read.problem());
  const auto line = canonical(*read);
  const auto again = parse_canonical(line, context);
  must(again.ok() && canonical(*again) == line);
  const auto words = parse_phrase(describe(*read), context);
  must(words.ok() && canonical(*words) == line);
  plan_cursor cursor;
  cursor.covered = now - std::chrono::hours{50};
  const auto d = plan(*read, {}, cursor, {now, 7, false});
  must(d.next.covered >= cursor.covered && d.make.size() <= 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  cron(text);
  calendar_file(text);
  expression(text);
  (void)parse_occurrence_id(text);
  return 0;
}
