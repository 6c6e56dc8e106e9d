// SCHEDULES: an expression understood without saving anything, and what became of a job's occurrences.
#include <chrono>
#include <optional>

#include "api/http/ops/calendars.hpp"
#include "api/http/ops/ops.hpp"
#include "api/json/schedules.hpp"
#include "api/json/simulation.hpp"

namespace belfry::api {
namespace {

using core::errc;

// An unknown calendar is the one mistake that only the second look finds.
core::failure of_calendars(core::failure f) {
  f.command = "belfry calendar ls";
  return f;
}

void parse_expression(const exchange_ptr& x) {
  const auto now = x->node().time.now();
  const auto first = json::read_expression(x->in.body, now);
  if (!first) return x->refuse(first.error());
  // Once more, now that it is known which calendars it names.
  with_calendars(x, core::calendars_of(first->meaning.value),
                 [now](const exchange_ptr& y, const json::calendar_finder& calendars) {
                   const auto read = json::read_expression(y->in.body, now, calendars);
                   if (!read) return y->refuse(of_calendars(read.error()));
                   json::writer w{read->meaning.next.size() * 110 + 512};
                   json::write_expression(w, *read);
                   answer_json(*y, w);
                 });
}

void list_occurrences_of(const exchange_ptr& x) {
  json::problems found;
  const auto limit = static_cast<std::size_t>(whole_parameter(*x, "limit", 50, 1, 500, found));
  const auto bound = hash_of("occurrences\n" + x->arguments.front());
  const auto before = read_cursor(*x, bound, found);
  if (!found.empty()) return x->refuse(found.refusal());
  with_job_named(x, [limit, bound, before](const exchange_ptr& y, core::job j) {
    messages::list_occurrences q{j.id, before == 0 ? core::never : core::from_micros(before), limit};
    y->node().node.ask(
        q, y->then<core::occurrence_page>([bound](const exchange_ptr& z, core::occurrence_page page) {
          json::writer w{page.lines.size() * 260 + 64};
          w.begin_object().key("occurrences").begin_array();
          for (const auto& line : page.lines) json::write_occurrence(w, line);
          w.end_array();
          write_cursor(w, page.next == core::never ? 0 : core::micros(page.next), bound);
          w.end_object();
          answer_json(*z, w);
        }));
  });
}

// True when it was first asked so long ago.
std::function<bool()> after_three_seconds() {
  using steady = std::chrono::steady_clock;
  return [began = std::optional<steady::time_point>{}]() mutable {
    if (!began) began = steady::now();
    return steady::now() - *began > std::chrono::seconds{3};
  };
}

// Under the fire limits of the node as they are now.
void simulate_them(const exchange_ptr& x) {
  auto q = json::read_simulation(x->in.body, x->node().time.now());
  if (!q) return x->refuse(q.error());
  x->node().node.call(messages::ask_queue{},
                      x->then<messages::queue_state>(
                          [q = std::move(*q)](const exchange_ptr& y, messages::queue_state s) mutable {
                            const auto from = q.setup.from;
                            const auto until = q.setup.until;
                            q.setup.limits = s.limits;
                            q.setup.enough = after_three_seconds();
                            y->node().node.ask(
                                std::move(q), y->then<core::simulation>(
                                                  [from, until](const exchange_ptr& z, core::simulation out) {
                                                    json::writer w{out.lines.size() * 400 + 512};
                                                    json::write_simulation(w, out, from, until);
                                                    answer_json(*z, w);
                                                  }));
                          }));
}

}  // namespace

void add_schedule_routes(std::vector<route>& all) {
  all.push_back(
      {verb::post,
       "/v1/schedules:parse",
       "parse_schedule",
       "schedules",
       "What an expression or a phrase means: canonical form, words, the next times; nothing is saved",
       scope::read,
       parse_expression,
       body_kind::json,
       "ScheduleExpression",
       {},
       {{200, "ScheduleMeaning", "It was understood"}},
       {errc::malformed, errc::invalid, errc::unknown_field},
       false,
       0});
  all.push_back({verb::post,
                 "/v1/schedules:simulate",
                 "simulate_schedules",
                 "schedules",
                 "What schedules would bring about between two times; nothing is done and nothing is saved",
                 scope::read,
                 simulate_them,
                 body_kind::json,
                 "SimulationRequest",
                 {},
                 {{200, "Simulation", "What would happen"}},
                 {errc::malformed, errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous,
                  errc::limit_exceeded},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/jobs/{id}/occurrences",
                 "list_occurrences",
                 "jobs",
                 "What became of the planned times of a job, newest first: a run, or skipped with the reason",
                 scope::read,
                 list_occurrences_of,
                 body_kind::none,
                 {},
                 {{"limit", parameter_type::whole, "rows of a page, 1 to 500; default 50"},
                  {"cursor", parameter_type::text, "next_cursor of the page before"}},
                 {{200, "OccurrencePage", "A page"}},
                 {errc::not_found, errc::ambiguous, errc::invalid},
                 false,
                 0});
}

}  // namespace belfry::api
