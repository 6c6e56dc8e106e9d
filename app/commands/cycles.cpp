// scheduler cycle, statistics, backlog: what the scheduler does for those who wait.
#include "app/commands/all.hpp"
#include "app/commands/filters.hpp"

namespace belfry::app {
namespace {

// "3 (run_a, run_b, …)"; empty when it is none.
std::string counted(view v) {
  if (v["count"].number() == 0) return {};
  std::string ids;
  std::size_t shown = 0;
  v["runs"].each([&](view id) {
    if (++shown <= 3) ids += (ids.empty() ? "" : ", ") + id.text();
  });
  if (v["count"].number() > 3) ids += ", …";
  return v["count"].text() + (ids.empty() ? "" : " (" + ids + ")");
}

std::string some(view v) { return v.number() == 0 ? std::string{} : v.text(); }

int run_cycle(context& ctx) {
  const auto r = ctx.node().post("/v1/scheduler:cycle", "{}");
  ctx.show(r, r["number"].text(), [&] {
    facts f;
    f.add("cycle", r["number"].text() + ", " + r["took_ms"].text() + " ms");
    if (r["paused"].truth()) f.add("paused", {"nobody is woken", colour::yellow});
    f.add("pending", r["pending"].text() + " queued, " + r["active"].text() + " under way, " +
                         r["sessions_scanned"].text() + " sessions");
    f.add("recovered leases", counted(r["recovered_leases"]));
    f.add("wakes", r["wakes_attempted"].text() + " tried, " + r["wakes_succeeded"].text() + " sent, " +
                       r["wakes_failed"].text() + " failed");
    r["woken"].each([&](view w) { f.add("woken", w["session_id"].text() + " for " + w["run_id"].text()); });
    r["not_woken"].each([&](view w) {
      f.add("not woken", {w["session_id"].text() + ": " + w["text"].text(), colour::yellow});
    });
    f.add("no capable session", counted(r["no_capable_session"]));
    f.add("all busy", counted(r["all_busy"]));
    f.add("all in cooldown", counted(r["all_cooldown"]));
    f.add("wrong scope", counted(r["wrong_scope"]));
    f.add("unclaimable", some(r["unclaimable"]));
    f.add("held by a pause", some(r["paused_runs"]));
    f.add("starved", {some(r["starved"]), colour::yellow});
    f.add("fanned out", counted(r["fanned_out"]));
    f.add("spawns requested", counted(r["spawns_requested"]));
    f.add("spawns refused", counted(r["spawns_refused"]));
    f.add("needs attention", {counted(r["needs_attention"]), colour::red});
    f.add("error", {r["error"].text(), colour::red});
    return f.text(ctx.screen());
  });
  return number_of(exit_code::ok);
}

struct statistics_options {
  bool reset = false;
  bool yes = false;
};

int show_sums(const statistics_options& o, context& ctx) {
  if (o.reset) ctx.confirm("let the statistics of the cycles begin at zero?", o.yes);
  const auto s = o.reset ? ctx.node().post("/v1/scheduler/statistics:reset", "{}")
                         : ctx.node().get("/v1/scheduler/statistics");
  ctx.show(s, s["cycles"].text(), [&] {
    facts f;
    f.add("since", s["since"].text());
    f.add("cycles", s["cycles"].text() + ", " + s["paused_cycles"].text() + " of them paused, " +
                        s["average_ms"].text() + " ms on average, " + s["longest_ms"].text() +
                        " ms the longest");
    f.add("wakes", s["wakes_attempted"].text() + " tried, " + s["wakes_succeeded"].text() + " sent, " +
                       s["wakes_failed"].text() + " failed, " + s["wakes_acknowledged"].text() +
                       " acknowledged, " + s["wakes_unheard"].text() + " unheard");
    f.add("no match", s["no_match"].text() + ": no capable session " + s["no_capable_session"].text() +
                          ", all busy " + s["all_busy"].text() + ", wrong scope " + s["wrong_scope"].text());
    f.add("in cooldown", s["all_cooldown"].text());
    f.add("recovered leases", s["recovered_leases"].text());
    f.add("ladder", s["fanned_out"].text() + " fanned out, " + s["spawns_requested"].text() +
                        " spawns requested (" + s["spawns_refused"].text() + " refused), " +
                        s["needs_attention"].text() + " need attention");
    f.add("rebuilds", s["rebuilds"].text());
    f.add("errors", s["errors"].text());
    f.add("last cycle", ago(s["last_cycle_at"].text(), ctx.started));
    f.add("last wake", ago(s["last_wake_at"].text(), ctx.started));
    f.add("last error", {s["last_error"].text(), colour::red});
    return f.text(ctx.screen());
  });
  return number_of(exit_code::ok);
}

struct backlog_options {
  run_filters filters;
  std::int64_t limit = 50;
};

std::string reasons_in(view item) {
  std::string text;
  item["waiting_for"].each([&](view r) { text += (text.empty() ? "" : ", ") + r["code"].text(); });
  return text;
}

int show_backlog(const backlog_options& o, context& ctx) {
  const auto pages = read_pages(ctx.node(), "/v1/scheduler/backlog", to_query(o.filters, ctx.started),
                                "backlog", static_cast<std::size_t>(o.limit));
  ctx.show_list(
      pages, "backlog", [](view item) { return item["run_id"].text(); },
      [&] {
        table t({{"RUN"},
                 {"NAME", false, 10},
                 {"PRIORITY"},
                 {"PLACE", true},
                 {"AGE", true},
                 {"RUNG"},
                 {"WHY", false, 12}});
        for (const auto& page : pages)
          page["backlog"].each([&](view item) {
            const auto rung = item["ladder"];
            t.row({item["run_id"].text(),
                   item["name"].text(),
                   item["priority"].text(),
                   item["position"].text(),
                   lasting(item["age_ms"].number()),
                   {rung.there() ? rung["rung"].text() + " (" + rung["count"].text() + ")" : std::string{"-"},
                    rung.there() ? colour::yellow : colour::none},
                   reasons_in(item)});
          });
        if (t.empty()) return std::string("nothing waits\n");
        return t.text(ctx.screen());
      });
  return number_of(exit_code::ok);
}

}  // namespace

void add_cycles(command& scheduler, context& ctx) {
  auto& cycle = scheduler.sub("cycle", "Run one cycle now: wake who sleeps, and say what was found");
  cycle.note(
      "Cycles run by themselves whenever something changes and every wake.interval; this one does not raise "
      "the count of a starved run any faster.");
  cycle.example("belfry scheduler cycle", "");
  cycle.example("belfry scheduler cycle -o json | jq .no_match", "");
  cycle.action([&ctx] { return run_cycle(ctx); });

  auto& sums = scheduler.sub("statistics", "Show the sums of all cycles");
  auto& o = sums.keep<statistics_options>();
  sums.flag("--reset", o.reset, "let them begin at zero");
  sums.flag("--yes,-y", o.yes, "do not ask");
  sums.example("belfry scheduler statistics", "");
  sums.example("belfry scheduler statistics --reset --yes", "");
  sums.action([&o, &ctx] { return show_sums(o, ctx); });

  auto& backlog = scheduler.sub("backlog", "List who waits: place in line, age, rung, and what holds it");
  auto& b = backlog.keep<backlog_options>();
  declare_waiting(backlog, b.filters);
  backlog.option("--limit,-n", b.limit, "N", "rows at most; 0 for all");
  backlog.example("belfry scheduler backlog", "");
  backlog.example("belfry scheduler backlog --workspace shop -o json", "");
  backlog.action([&b, &ctx] { return show_backlog(b, ctx); });
}

}  // namespace belfry::app
