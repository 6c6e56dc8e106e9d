// status, stats, health, metrics, limits, scheduler: how the node is.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <thread>

#include "api/json/writer.hpp"
#include "app/commands/all.hpp"
#include "app/commands/filters.hpp"

namespace belfry::app {
namespace {

std::uint64_t bytes_in(view v) { return static_cast<std::uint64_t>(v.number()); }

std::string states_in(view by_state) {
  std::string text;
  by_state.members([&](const std::string& state, view n) {
    if (n.number() > 0) text += (text.empty() ? "" : ", ") + n.text() + " " + state;
  });
  return text.empty() ? "none" : text;
}

std::string live_in(view list) {
  std::string text;
  list.each([&](view each) {
    const auto name = each["name"].text();
    text += (text.empty() ? "" : ", ") + (name.empty() ? "(no name)" : name) + " " + each["live"].text();
  });
  return text;
}

std::string hook_in(view h, core::instant now) {
  std::string text = h["asked"].text() + " asked: " + h["allowed"].text() + " allowed, " +
                     h["narrowed"].text() + " narrowed, " + h["refused"].text() + " refused, " +
                     h["failed"].text() + " failed";
  if (h["failing_since"].there())
    text += "; it fails, first " + ago(h["failing_since"].text(), now) + " (" + h["on_error"].text() +
            "): " + h["last_failure"].text();
  return text;
}

// Fire limits are shown where there are any.
std::string fires_in(view l) {
  std::string text;
  if (l["fires"].number() > 0) text += ", starts by schedule " + l["fires"].text();
  if (l["fires_per_workspace"].number() > 0)
    text += ", starts by schedule per workspace " + l["fires_per_workspace"].text();
  return text.empty() ? text : text + " in " + l["fire_window"].text();
}

std::string limits_in(view l) {
  const auto one = [&](const char* key) {
    return l[key].number() == 0 ? std::string("no limit") : l[key].text();
  };
  return "global " + one("global") + ", per lane " + one("per_lane") + ", per batch " + one("per_batch") +
         ", per agent type " + one("per_agent_type") + fires_in(l);
}

// One line for each thing that is paused.
void add_paused(facts& f, view queue) {
  if (queue["paused"].truth() && queue["pauses"].size() == 0)
    f.add("paused", {"the pause state could not be read", colour::red});
  queue["pauses"].each([&](view p) {
    const auto scope = p["scope"].text();
    const auto what = scope == "scheduler"    ? std::string("everything")
                      : scope == "workspace"  ? "workspace \"" + p["workspace"].text() + "\""
                      : scope == "agent_type" ? "agent type " + p["agent_type"].text()
                                              : p["job_id"].text();
    const auto by = p["by"].text();
    std::string text = what + ": " + p["reason"].text() + (by.empty() ? "" : " by " + by);
    if (const auto why = p["text"].text(); !why.empty()) text += ": " + why;
    if (p["until"].there()) text += ", until " + p["until"].text();
    f.add("paused", {text + "; " + p["command"].text(), colour::yellow});
  });
  queue["planned"].each([&](view p) {
    std::string text = p["reason"].text() + ": " + p["text"].text() + ", from " + p["since"].text();
    if (p["until"].there()) text += " until " + p["until"].text();
    f.add("planned", text);
  });
}

void add_pressure(facts& f, view p) {
  if (!p["on"].truth()) return;
  const auto mode = p["mode"].text();
  f.add("backpressure",
        {p["queued"].text() + " runs are queued, " +
             (p["wait_ms"].there() ? "a new one waits about " + lasting(p["wait_ms"].number())
                                   : std::string("how long a new one waits is not known")) +
             "; since " + p["since"].text() + ", until fewer than " + p["until"].text() +
             (mode == "reject" ? "; submissions are refused"
              : mode == "shed" ? "; submissions below " + p["shed_below"].text() + " are refused"
                               : ""),
         mode == "alert" ? colour::yellow : colour::red});
}

std::string ladder_in(view l) {
  if (!l["on"].truth()) return "off";
  const auto t = l["thresholds"];
  return "starved after " + lasting(l["minimum_age_ms"].number()) + ", counted every " +
         lasting(l["interval_ms"].number()) + ": fan-out at " + t["fan_out"].text() + ", spawn at " +
         t["spawn"].text() + ", event at " + t["event"].text() + ", needs attention at " +
         t["needs_attention"].text() + " (after " + lasting(l["longest_wait_ms"].number()) + " at most)";
}

std::string starved_in(view l) {
  if (l["starved"].number() == 0) return {};
  const auto by = l["starved_by_rung"];
  return l["starved"].text() + " (" + by["none"].text() + " just begun, " + by["fan_out"].text() +
         " fanned out, " + by["spawn"].text() + " spawn asked for, " + by["event"].text() +
         " told), next count " + l["next_count_at"].text();
}

// "home: coordinator a, 2 up, 1 lost (c)", or what a member knows of its own place.
cell cluster_in(view c, core::instant at) {
  if (!c.there()) return {};
  const auto name = c["name"].text();
  const std::string begin = name.empty() ? std::string{} : name + ": ";
  if (c["role"].text() == "member") {
    const auto to = c["coordinator"].text();
    const std::string since = c["since"].there() ? ", since " + ago(c["since"].text(), at) : std::string{};
    const std::string own = begin + "member " + c["node"].text() + (to.empty() ? "" : " of " + to);
    if (c["joined"].truth()) return {own + ", joined" + since};
    return {own + ", not joined" + since + ": " + c["trouble"].text(), colour::red};
  }
  std::string text = begin + "coordinator " + c["node"].text() + ", " + c["up"].text() + " up";
  if (c["suspect"].number() > 0) text += ", " + c["suspect"].text() + " suspect";
  if (c["lost"].number() == 0) return {text, c["suspect"].number() > 0 ? colour::yellow : colour::none};
  std::string lost;
  c["lost_nodes"].each([&](view n) { lost += (lost.empty() ? "" : ", ") + n.text(); });
  return {text + ", " + c["lost"].text() + " lost (" + lost + ")", colour::red};
}

// A member has no queue and no store: those are its coordinator's.
std::string member_page(context& ctx, const json_text& node, const json_text* queue) {
  facts f;
  const auto health = node["health"].text();
  f.add("health", {health, colour_of_state(health)});
  if (node["stopping"].truth()) f.add("stopping", {"takes no new work", colour::yellow});
  f.add("cluster", cluster_in(node["cluster"], ctx.started));
  if (node["cluster"]["draining"].truth()) f.add("draining", {"takes no new runs", colour::yellow});
  f.add("version", node["version"].text() + " on " + node["host"].text() + ", process " + node["pid"].text() +
                       " as " + node["user"].text());
  f.add("up", lasting(node["uptime_ms"].number()) + ", " + node["processes"].text() + " processes");
  f.add("uses", sized(bytes_in(node["resident_bytes"])) + " of memory, " + lasting(node["cpu_ms"].number()) +
                    " of processor time");
  if (queue != nullptr)
    f.add("ready", (*queue)["counts"]["ready"].text() + " claimable now, " +
                       (*queue)["counts"]["live"].text() + " under way in the cluster");
  f.add("disk", {sized(bytes_in(node["disk"]["free_bytes"])) + " free at " + node["disk"]["path"].text(),
                 node["disk"]["low"].truth() ? colour::red : colour::none});
  return f.text(ctx.screen());
}

std::string status_page(context& ctx, const json_text& node, const json_text& queue) {
  facts f;
  const auto health = node["health"].text();
  f.add("health", {health, colour_of_state(health)});
  node["issues"].each([&](view issue) { f.add("issue", {issue.text(), colour::yellow}); });
  if (node["stopping"].truth()) f.add("stopping", {"takes no new work", colour::yellow});
  f.add("cluster", cluster_in(node["cluster"], ctx.started));
  f.add("version", node["version"].text() + " on " + node["host"].text() + ", process " + node["pid"].text() +
                       " as " + node["user"].text());
  f.add("up", lasting(node["uptime_ms"].number()) + ", boot " + node["store"]["boots"].text());
  f.add("uses", sized(bytes_in(node["resident_bytes"])) + " of memory, " + lasting(node["cpu_ms"].number()) +
                    " of processor time");
  f.add("runs", states_in(node["store"]["runs_by_state"]));
  add_paused(f, queue.root());
  add_pressure(f, queue["backpressure"]);
  f.add("ready", queue["counts"]["ready"].text() + " claimable now, " + queue["counts"]["live"].text() +
                     " under way, " + node["processes"].text() + " processes");
  if (const auto oldest = queue["oldest_eligible_since"].text(); !oldest.empty())
    f.add("oldest", "waits since " + oldest + " (" + ago(oldest, ctx.started) + ")");
  if (const auto dead = node["dead_letters"]; dead["count"].number() > 0)
    f.add("dead letters", {dead["count"].text() + ", the oldest " + lasting(dead["oldest_age_ms"].number()) +
                               " old; see `belfry dead`",
                           colour::yellow});
  f.add("by lane", live_in(queue["live_by_lane"]));
  f.add("by type", live_in(queue["live_by_agent_type"]));
  f.add("limits", limits_in(queue["limits"]));
  f.add("starved", {starved_in(queue["ladder"]), colour::yellow});
  const auto store = node["store"];
  if (store.there())
    f.add("store", store["kind"].text() + " " + store["path"].text() + ", " +
                       sized(bytes_in(store["bytes"])) +
                       (store["kind"].text() == "sqlite" ? " with its journal" : "") + ", durability " +
                       store["durability"].text() + ", schema " + store["schema"].text());
  f.add("journal", "up to event " + store["last_event"].text());
  f.add("jobs", store["jobs"].text());
  f.add("disk", {sized(bytes_in(node["disk"]["free_bytes"])) + " free at " + node["disk"]["path"].text(),
                 node["disk"]["low"].truth() ? colour::red : colour::none});
  f.add("http",
        node["http"]["connections"].text() + " connections, " + node["http"]["streams"].text() + " streams");
  std::string out = f.text(ctx.screen());
  table t({{"CHILD", false, 10}, {"STATE"}, {"RESTARTS", true}, {"NOTE", false, 10}});
  std::size_t calm = 0;
  node["children"].each([&](view child) {
    const auto state = child["state"].text();
    if (state == "up" && child["restarts"].number() == 0) {
      ++calm;
      return;
    }
    t.row({child["name"].text(),
           {state, colour_of_state(state)},
           child["restarts"].text(),
           child["note"].text()});
  });
  if (!t.empty()) out += "\n" + t.text(ctx.screen());
  out += std::to_string(calm) + " parts of the node are up and were never restarted\n";
  return out;
}

// Without its coordinator a member still tells of itself.
int show_member(context& ctx, const json_text& node) {
  std::optional<json_text> queue;
  try {
    queue = ctx.node().get("/v1/scheduler/status");
  } catch (const refusal&) {
    queue.reset();
  }
  const auto both =
      json_text::parse("{\"node\":" + node.text() + ",\"queue\":" + (queue ? queue->text() : "null") + "}");
  ctx.show(*both, node["health"].text(), [&] { return member_page(ctx, node, queue ? &*queue : nullptr); });
  return number_of(exit_code::ok);
}

int show_status(context& ctx) {
  const auto node = ctx.node().get("/v1/node");
  if (node["cluster"]["role"].text() == "member") return show_member(ctx, node);
  const auto queue = ctx.node().get("/v1/scheduler/status");
  const auto both = json_text::parse("{\"node\":" + node.text() + ",\"queue\":" + queue.text() + "}");
  ctx.show(*both, node["health"].text(), [&] { return status_page(ctx, node, queue); });
  return number_of(exit_code::ok);
}

struct watch_options {
  bool watch = false;
};

int watch_status(context& ctx) {
  while (true) {
    ctx.started = now();
    if (ctx.screen().tty && ctx.table()) ctx.put("\x1b[H\x1b[2J");
    show_status(ctx);
    std::this_thread::sleep_for(std::chrono::seconds{1});
  }
}

// 0 healthy, 1 degraded or not ready, 7 not reachable: for probes.
int show_health(context& ctx, bool ready) {
  const auto answer = ctx.node().raw("GET", ready ? "/v1/ready" : "/v1/health", {});
  const auto parsed = json_text::parse(answer.body);
  if (!parsed) throw refusal_of(answer);
  if ((*parsed)["code"].there()) throw refusal_of(answer);
  const bool takes_work = (*parsed)["ready"].truth();
  const auto status = ready ? std::string(takes_work ? "ready" : "not ready") : (*parsed)["status"].text();
  ctx.show(*parsed, status, [&] {
    std::string text = ctx.screen().paint(status, colour_of_state(status)) + "\n";
    (*parsed)["issues"].each([&](view issue) { text += "  " + issue.text() + "\n"; });
    return text;
  });
  if (ready) return number_of(takes_work ? exit_code::ok : exit_code::try_later);
  return number_of(status == "unhealthy" ? exit_code::unexpected : exit_code::ok);
}

std::string milliseconds_or_dash(view v) { return v.there() ? lasting(v.number()) : "-"; }

// The busiest hours, the most first; hours in which nothing began are left out.
std::string hours_in(view list) {
  constexpr std::size_t shown = 5;
  std::vector<std::pair<std::int64_t, int>> hours;
  int hour = 0;
  list.each([&](view n) {
    if (n.number() > 0) hours.emplace_back(n.number(), hour);
    ++hour;
  });
  std::stable_sort(hours.begin(), hours.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  if (hours.size() > shown) hours.resize(shown);
  std::string text;
  for (const auto& [n, at] : hours) {
    char name[16];
    std::snprintf(name, sizeof name, "%02d:00", at);
    text += (text.empty() ? "" : ", ") + std::string(name) + " (" + std::to_string(n) + ")";
  }
  return text;
}

std::string failures_table(context& ctx, view list) {
  table t({{"FAILED", true}, {"CLASS"}, {"SAID", false, 10}, {"LAST RUN"}});
  list.each([&](view f) {
    t.row({f["count"].text(), f["class"].text(), f["text"].text(), f["last_run_id"].text()});
  });
  return t.empty() ? std::string{} : "\n" + t.text(ctx.screen());
}

int show_statistics(const run_filters& filters, context& ctx) {
  const auto all = ctx.node().get("/v1/statistics" + to_query(filters, ctx.started).text());
  ctx.show(all, "statistics", [&] {
    const auto s = all["runs"];
    facts f;
    f.add("runs", states_in(s["by_state"]));
    f.add("queued", states_in(s["queued_by_priority"]));
    if (s["success_rate"].there())
      f.add("success rate", std::to_string(std::lround(s["success_rate"].real() * 100)) + " %");
    f.add("considered", s["considered"].text() + " finished runs");
    f.add("busiest (UTC)", hours_in(s["started_by_hour"]));
    std::string out = f.text(ctx.screen());
    table t({{"TIME"},
             {"AVERAGE", true},
             {"LEAST", true},
             {"P50", true},
             {"P95", true},
             {"P99", true},
             {"MOST", true}});
    for (const char* name : {"wait", "execution", "total"}) {
      const auto d = s[name];
      t.row({name, milliseconds_or_dash(d["average_ms"]), milliseconds_or_dash(d["least_ms"]),
             milliseconds_or_dash(d["p50_ms"]), milliseconds_or_dash(d["p95_ms"]),
             milliseconds_or_dash(d["p99_ms"]), milliseconds_or_dash(d["most_ms"])});
    }
    out += "\n" + t.text(ctx.screen());
    out += failures_table(ctx, s["failures"]);
    if (all["totals"].size() > 0 && !filters.any()) {
      table events({{"EVENT"}, {"SINCE " + all["since"].text(), true}});
      all["totals"].members([&](const std::string& name, view n) {
        if (n.number() > 0) events.row({name, n.text()});
      });
      out += "\n" + events.text(ctx.screen());
    }
    return out;
  });
  return number_of(exit_code::ok);
}

struct limit_options {
  std::optional<std::int64_t> global, per_lane, per_batch, per_agent_type, fires, fires_per_workspace;
  std::optional<std::string> fire_window;
};

int show_limits(context& ctx, const json_text& queue) {
  const auto limits = queue["limits"].there() ? *json_text::parse(std::string(queue["limits"].raw())) : queue;
  ctx.show(limits, "limits", [&] { return limits_in(limits.root()) + "\n"; });
  return number_of(exit_code::ok);
}

}  // namespace

void declare_job_stats(command& c, context& ctx) {
  auto& filters = c.keep<run_filters>();
  auto& job = c.keep<std::string>();
  c.argument("JOB", job, "id or name", true, complete::jobs);
  c.option("--since", filters.since, "TIME", "made after this: 2h ago, or an instant");
  c.option("--until", filters.until, "TIME", "made before this");
  c.note("Success rate, waits and durations, the hours with most starts, and what failures say most often.");
  c.example("belfry job stats backup --since 7d", "");
  c.action([&filters, &job, &ctx] {
    filters.job = job;
    return show_statistics(filters, ctx);
  });
}

namespace {

int set_limits(const limit_options& o, context& ctx) {
  api::json::writer w;
  w.begin_object();
  if (o.global) w.member("global", *o.global);
  if (o.per_lane) w.member("per_lane", *o.per_lane);
  if (o.per_batch) w.member("per_batch", *o.per_batch);
  if (o.per_agent_type) w.member("per_agent_type", *o.per_agent_type);
  if (o.fires) w.member("fires", *o.fires);
  if (o.fires_per_workspace) w.member("fires_per_workspace", *o.fires_per_workspace);
  if (o.fire_window) w.member("fire_window", *o.fire_window);
  w.end_object();
  if (w.str() == "{}") throw refusal(exit_code::usage, "which limit?", {}, "belfry limits set --per-lane 5");
  return show_limits(ctx, ctx.node().call("PUT", "/v1/limits", w.str()));
}

void add_limits(command& root, context& ctx) {
  auto& limits = root.sub("limits", "Show and change how much may be under way at a time");
  auto& show = limits.sub("show", "Print the limits in force");
  show.example("belfry limits show -o json", "");
  show.action([&ctx] { return show_limits(ctx, ctx.node().get("/v1/scheduler/status")); });
  auto& set = limits.sub("set", "Change limits, at once and for good");
  auto& o = set.keep<limit_options>();
  set.option("--global", o.global, "N", "runs under way in the whole node; 0 for no limit");
  set.option("--per-lane", o.per_lane, "N", "per lane that has a name");
  set.option("--per-batch", o.per_batch, "N", "per batch");
  set.option("--per-agent-type", o.per_agent_type, "N", "per type of outside worker");
  set.option("--fires", o.fires, "N", "runs that schedules start within --fire-window; later ones wait");
  set.option("--fires-per-workspace", o.fires_per_workspace, "N", "the same for each workspace");
  set.option("--fire-window", o.fire_window, "SPAN", "1s to 7d; default 1h");
  set.note(
      "What runs goes on; nothing new starts while a limit is exceeded. These go before the limits of the "
      "configuration.");
  set.example("belfry limits set --per-lane 8 --global 20", "");
  set.example("belfry limits set --fires 120 --fires-per-workspace 12", "");
  set.action([&o, &ctx] { return set_limits(o, ctx); });
}

int rebuild_queue(context& ctx) {
  const auto r = ctx.node().post("/v1/scheduler:rebuild", "{}");
  const std::string wrong =
      std::to_string(r["missing"].number() + r["stale"].number() + r["misplaced"].number());
  ctx.show(r, wrong, [&] {
    facts f;
    f.add("open", r["open"].text() + " (" + r["queued"].text() + " queued, " + r["delayed"].text() +
                      " delayed, " + r["leased"].text() + " leased)");
    f.add("differed", wrong == "0" ? "nothing"
                                   : r["missing"].text() + " missing, " + r["stale"].text() + " stale, " +
                                         r["misplaced"].text() + " misplaced; put right");
    r["differences"].each([&](view d) { f.add(d["was"].text(), d["run_id"].text()); });
    return f.text(ctx.screen());
  });
  return number_of(exit_code::ok);
}

}  // namespace

void add_status(command& root, context& ctx) {
  auto& status = root.sub("status", "Show how the node is: health, queue, store");
  auto& w = status.keep<watch_options>();
  status.flag("--watch,-w", w.watch, "keep looking");
  status.example("belfry status", "");
  status.example("belfry status -o json | jq .node.health", "");
  status.action([&w, &ctx] { return w.watch ? watch_status(ctx) : show_status(ctx); });

  auto& scheduler =
      root.sub("scheduler", "Look at the queue, hold it, drain it, read it anew from the store");
  auto& queue = scheduler.sub("status", "Show what is ready, what is under way, and the limits");
  queue.example("belfry scheduler status -o json", "");
  queue.action([&ctx] {
    const auto q = ctx.node().get("/v1/scheduler/status");
    ctx.show(q, q["counts"]["ready"].text(), [&] {
      facts f;
      add_paused(f, q.root());
      f.add("ready", q["counts"]["ready"].text() + " (" + states_in(q["ready_by_priority"]) + ")");
      f.add("under way", q["counts"]["live"].text());
      f.add("oldest", ago(q["oldest_eligible_since"].text(), ctx.started));
      f.add("by lane", live_in(q["live_by_lane"]));
      f.add("by type", live_in(q["live_by_agent_type"]));
      f.add("limits", limits_in(q["limits"]));
      f.add("waiting claims", q["waiting_claims"].text());
      f.add("timers", q["timers"].text());
      f.add("ladder", ladder_in(q["ladder"]));
      f.add("starved", {starved_in(q["ladder"]), colour::yellow});
      if (q["claim_hook"].there()) f.add("claim hook", hook_in(q["claim_hook"], ctx.started));
      return f.text(ctx.screen());
    });
    return number_of(exit_code::ok);
  });

  auto& rebuilt =
      scheduler.sub("rebuild", "Compare the queue in memory with the store, put right what differs");
  rebuilt.note(
      "Safe at any time: claims, leases and claims that wait go on. Nothing should ever differ; where "
      "something does, the line says what, the journal keeps it, and it is worth a report.");
  rebuilt.example("belfry scheduler rebuild", "");
  rebuilt.example("belfry scheduler rebuild -o json | jq .missing", "");
  rebuilt.action([&ctx] { return rebuild_queue(ctx); });

  add_pauses(scheduler, ctx);
  add_windows(scheduler, ctx);
  add_cycles(scheduler, ctx);

  auto& stats = root.sub("stats", "Show statistics of runs: waiting, execution, success");
  auto& filters = stats.keep<run_filters>();
  declare(stats, filters);
  stats.example("belfry stats --job backup --since 7d", "");
  stats.action([&filters, &ctx] { return show_statistics(filters, ctx); });

  auto& health = root.sub("health", "Say whether the node is well, for people and probes");
  auto& ready = health.keep<bool>();
  health.flag("--ready", ready, "whether it takes work, instead");
  health.note("Exit code 0: it is. 1: it is there but unhealthy. 7: it cannot be reached, or is not ready.");
  health.example("belfry health || echo trouble", "");
  health.action([&ready, &ctx] { return show_health(ctx, ready); });

  auto& metrics = root.sub("metrics", "Print the metrics in Prometheus text");
  metrics.example("belfry metrics | grep belfry_queue_depth", "");
  metrics.action([&ctx] {
    const auto answer = ctx.node().raw("GET", "/metrics", {});
    if (answer.status >= 400) throw refusal_of(answer);
    ctx.put(answer.body);
    return number_of(exit_code::ok);
  });
  add_limits(root, ctx);
}

}  // namespace belfry::app
