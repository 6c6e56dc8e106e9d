// CYCLES: one now, the sums of all, and the line of those who wait.
#include "api/json/cycles.hpp"
#include "api/http/ops/ops.hpp"
#include "api/json/controls.hpp"
#include "api/json/node.hpp"

namespace belfry::api {
namespace {

using core::errc;

void run_one_cycle(const exchange_ptr& x) {
  if (const auto body = json::read_nothing(x->in.body); !body) return x->refuse(body.error());
  x->node().node.call(messages::run_cycle{},
                      x->then<core::cycle_result>([](const exchange_ptr& y, core::cycle_result r) {
                        json::writer w{2048};
                        json::write_cycle(w, r);
                        answer_json(*y, w);
                      }));
}

void answer_sums(const exchange_ptr& x, messages::cycles_seen seen) {
  json::writer w{1024};
  json::write_cycles(w, seen);
  answer_json(*x, w);
}

void get_sums(const exchange_ptr& x) {
  x->node().node.call(messages::look_at_cycles{}, x->then<messages::cycles_seen>(answer_sums));
}

void reset_sums(const exchange_ptr& x) {
  if (const auto body = json::read_nothing(x->in.body); !body) return x->refuse(body.error());
  x->node().node.call(messages::look_at_cycles{true, x->actor}, x->then<messages::cycles_seen>(answer_sums));
}

struct backlog_page {
  core::run_page runs;
  messages::backlog_seen line;
  std::uint32_t bound = 0;
};

void answer_backlog(const exchange_ptr& x, const backlog_page& page, const messages::ladder_seen& ladder,
                    const messages::queue_state& queue) {
  json::writer w{page.runs.runs.size() * 600 + 512};
  const auto now = x->node().time.now();
  w.begin_object().key("backlog").begin_array();
  for (std::size_t i = 0; i < page.runs.runs.size() && i < page.line.runs.size(); ++i) {
    const auto& run = page.runs.runs[i];
    const messages::rung_view* rung = nullptr;
    for (const auto& view : ladder.rows)
      if (view.row.run == run.head.id) rung = &view;
    json::write_backlog_item(w, run, page.line.runs[i], rung, now);
  }
  w.end_array().member("ready", queue.counts.ready).member("live", queue.counts.live).key("limits");
  json::write_limits(w, queue.limits);
  w.key("ladder");
  json::write_ladder(w, ladder);
  write_cursor(w, page.runs.next, page.bound);
  w.end_object();
  answer_json(*x, w);
}

// Queued runs, those that have been there longest first: the rows from the store, their place and what holds
// them from the queue, their rungs from the ladder.
void get_backlog(const exchange_ptr& x) {
  auto request = read_list(*x);
  if (!request) return x->refuse(request.error());
  request->filter.filter.states = {core::run_state::queued};
  auto where = request->page;
  where.sort = core::run_sort::oldest;
  with_job(
      x, std::move(request->filter),
      [where, bound = request->bound_to](const exchange_ptr& y, core::run_filter filter) {
        y->node().node.ask(
            messages::list_runs{std::move(filter), where},
            y->then<core::run_page>([bound](const exchange_ptr& z, core::run_page p) {
              messages::look_at_backlog line;
              messages::look_at_ladder rungs;
              for (const auto& r : p.runs) {
                line.runs.push_back({r.head, r.spec ? r.spec->handler : core::handler_kind::process});
                rungs.runs.push_back(r.head.id);
              }
              auto page = std::make_shared<backlog_page>();
              page->runs = std::move(p);
              page->bound = bound;
              z->node().node.call(
                  std::move(line),
                  z->then<messages::backlog_seen>([page, rungs = std::move(rungs)](
                                                      const exchange_ptr& u, messages::backlog_seen seen) {
                    page->line = std::move(seen);
                    u->node().node.call(
                        rungs, u->then<messages::ladder_seen>([page](const exchange_ptr& v,
                                                                     messages::ladder_seen ladder) {
                          v->node().node.call(messages::ask_queue{},
                                              v->then<messages::queue_state>(
                                                  [page, ladder = std::move(ladder)](
                                                      const exchange_ptr& last, messages::queue_state queue) {
                                                    answer_backlog(last, *page, ladder, queue);
                                                  }));
                        }));
                  }));
            }));
      });
}

std::vector<parameter> backlog_parameters() {
  auto all = list_parameters();
  std::erase_if(all,
                [](const parameter& p) { return p.name == "state" || p.name == "sort" || p.name == "dead"; });
  return all;
}

}  // namespace

void add_cycle_routes(std::vector<route>& all) {
  all.push_back({verb::post,
                 "/v1/scheduler:cycle",
                 "run_cycle",
                 "scheduler",
                 "Run one cycle now: take back what ran out, wake who sleeps, climb the ladder if it is time",
                 scope::operate,
                 run_one_cycle,
                 body_kind::optional_json,
                 "Nothing",
                 {},
                 {{200, "CycleResult", "What it found and did"}},
                 {errc::malformed, errc::invalid, errc::unknown_field},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/scheduler/statistics",
                 "get_cycle_statistics",
                 "scheduler",
                 "The sums of all cycles since the store was made, or since they were reset",
                 scope::read,
                 get_sums,
                 body_kind::none,
                 {},
                 {},
                 {{200, "CycleStatistics", "The sums"}},
                 {},
                 false,
                 0});
  all.push_back({verb::post,
                 "/v1/scheduler/statistics:reset",
                 "reset_cycle_statistics",
                 "scheduler",
                 "Let the sums of the cycles begin at zero; the journal says who did it",
                 scope::admin,
                 reset_sums,
                 body_kind::optional_json,
                 "Nothing",
                 {},
                 {{200, "CycleStatistics", "The sums, all zero"}},
                 {errc::malformed, errc::invalid, errc::unknown_field},
                 false,
                 0});
  all.push_back({verb::get,
                 "/v1/scheduler/backlog",
                 "get_backlog",
                 "scheduler",
                 "Queued runs, the oldest first: place in line, age, what holds them, rung of the ladder",
                 scope::read,
                 get_backlog,
                 body_kind::none,
                 {},
                 backlog_parameters(),
                 {{200, "Backlog", "A page of the line"}},
                 {errc::invalid, errc::unknown_field, errc::not_found, errc::ambiguous},
                 false,
                 0});
}

}  // namespace belfry::api
