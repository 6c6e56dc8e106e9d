// run list (ls), run show, run dead: looking at runs.
#include <cstdio>
#include <thread>

#include "app/commands/all.hpp"
#include "app/commands/filters.hpp"
#include "app/commands/rung.hpp"
#include "app/commands/waiting.hpp"
#include "core/time/text.hpp"

namespace belfry::app {
namespace {

struct list_options {
  run_filters filters;
  std::int64_t limit = 50;
  bool all = false, oldest = false, watch = false;
  std::optional<std::string> interval;
};

// What a person wants to know of the state: the attempt while it is tried, when it goes on, why it ended.
std::string remark_of(view run, core::instant at) {
  const std::string state = run["state"].text();
  if (state == "scheduled" || state == "retrying" || state == "parked") {
    std::string text = ago(run["due_at"].text(), at);
    if (const auto reason = run["reason"].text(); !reason.empty()) text += ": " + reason;
    return text;
  }
  if (state == "running" && run["cancel_requested"].truth()) return "asked to stop";
  if (state == "running" && run["progress"].real() > 0)
    return std::to_string(static_cast<int>(run["progress"].real() * 100)) + " % " +
           run["progress_text"].text();
  return run["reason"].text();
}

std::string runs_table(context& ctx, const std::vector<json_text>& pages) {
  table t({{"ID"}, {"NAME", false, 12}, {"STATE"}, {"TRY", true}, {"AGE"}, {"REMARK", false, 10}});
  for (const auto& page : pages)
    page["runs"].each([&](view run) {
      const std::string state = run["state"].text();
      t.row({run["id"].text(),
             run["name"].text(),
             {state, colour_of_state(state)},
             run["attempt"].text(),
             ago(run["created_at"].text(), ctx.started),
             remark_of(run, ctx.started)});
    });
  if (t.empty()) return "no runs\n";
  return t.text(ctx.screen());
}

std::vector<json_text> read_runs(const list_options& o, context& ctx, const std::string& path) {
  auto query = to_query(o.filters, ctx.started);
  if (o.oldest) query.add("sort", std::string("oldest"));
  return read_pages(ctx.node(), path, query, "runs", o.all ? 0 : static_cast<std::size_t>(o.limit));
}

int list_runs(const list_options& o, context& ctx, const std::string& path) {
  if (o.limit < 1) throw refusal(exit_code::usage, "--limit: give a number from 1, or --all");
  const auto pages = read_runs(o, ctx, path);
  ctx.show_list(
      pages, "runs", [](view run) { return run["id"].text(); }, [&] { return runs_table(ctx, pages); });
  if (ctx.table() && ctx.screen().tty && pages.back()["next_cursor"].there())
    ctx.tell("there are more: --limit N or --all");
  return number_of(exit_code::ok);
}

// A terminal shows the present state over and over; a pipe gets a line for each run that changed.
int watch_runs(const list_options& o, context& ctx, const std::string& path) {
  const auto pause = core::parse_span(o.interval.value_or("1s"));
  if (!pause || *pause < std::chrono::milliseconds{100})
    throw refusal(exit_code::usage, "--interval: give a time from 100ms, such as 2s");
  std::vector<std::pair<std::string, std::string>> seen;
  while (true) {
    ctx.started = now();
    const auto pages = read_runs(o, ctx, path);
    if (ctx.screen().tty && ctx.table()) {
      ctx.put("\x1b[H\x1b[2J" + runs_table(ctx, pages));
    } else {
      std::vector<std::pair<std::string, std::string>> present;
      std::string out;
      for (const auto& page : pages)
        page["runs"].each([&](view run) {
          std::pair<std::string, std::string> key{run["id"].text(),
                                                  run["state"].text() + "/" + run["attempt"].text()};
          if (std::find(seen.begin(), seen.end(), key) == seen.end()) {
            if (ctx.options.output == "name")
              out += key.first + "\n";
            else if (ctx.table())
              out += key.first + " " + run["name"].text() + " " + run["state"].text() + "\n";
            else
              out += compact(run.raw()) + "\n";
          }
          present.push_back(std::move(key));
        });
      seen = std::move(present);
      if (!out.empty()) ctx.put(out);
    }
    std::this_thread::sleep_for(*pause);
  }
}

std::string command_of(view handler) {
  if (const auto shell = handler["shell"].text(); !shell.empty()) return "sh -c '" + shell + "'";
  std::string line;
  handler["argv"].each([&](view word) { line += (line.empty() ? "" : " ") + word.text(); });
  return line.empty() ? "(left to an outside worker)" : line;
}

std::string limits_of(view handler) {
  std::string text;
  const auto limits = handler["limits"];
  if (limits["memory_bytes"].there())
    text += "memory " + sized(static_cast<std::uint64_t>(limits["memory_bytes"].number()));
  if (limits["cpu_ms"].there())
    text += std::string(text.empty() ? "" : ", ") + "cpu " + lasting(limits["cpu_ms"].number());
  if (limits["files"].there())
    text += std::string(text.empty() ? "" : ", ") + "files " + limits["files"].text();
  return text;
}

std::string when(view at, core::instant now) {
  const std::string text = at.text();
  return text.empty() ? text : text + " (" + ago(text, now) + ")";
}

void show_attempts(std::string& out, view run, context& ctx) {
  if (run["attempts"].size() == 0) return;
  table t({{"TRY", true},
           {"OUTCOME"},
           {"TOOK", true},
           {"CPU", true},
           {"MEMORY", true},
           {"OUTPUT", true},
           {"MESSAGE", false, 10}});
  run["attempts"].each([&](view a) {
    const bool live = !a["outcome"].there();
    const std::string outcome = live ? run["state"].text() : a["outcome"].text();
    std::string message = a["message"].text();
    if (const auto how = a["stopped_with"].text(); !how.empty() && how != "operator")
      message += (message.empty() ? "stopped with " : ", stopped with ") + how;
    if (a["output_truncated"].truth())
      message += std::string(message.empty() ? "" : ", ") + "only the end of the output is kept";
    // Of an attempt that was lost with its worker nobody knows what it used and wrote.
    const bool told = !live && outcome != "lost";
    t.row({a["number"].text(),
           {outcome, colour_of_state(outcome)},
           a["execution_ms"].there() ? lasting(a["execution_ms"].number()) : "",
           told ? lasting(a["user_cpu_ms"].number() + a["system_cpu_ms"].number()) : "",
           told && a["peak_memory_bytes"].there()
               ? sized(static_cast<std::uint64_t>(a["peak_memory_bytes"].number()))
               : "",
           told ? sized(static_cast<std::uint64_t>(a["output_bytes"].number())) : "",
           message});
  });
  out += "\n" + t.text(ctx.screen());
}

std::string run_page(view run, context& ctx) {
  const std::string state = run["state"].text();
  facts f;
  f.add("id", run["id"].text());
  f.add("name", {run["name"].text(), colour::bold});
  f.add("state", {state, colour_of_state(state)});
  f.add("why", run["reason"].text());
  run["waiting_for"].each(
      [&](view reason) { f.add("waits for", reason["text"].text() + " (" + reason["code"].text() + ")"); });
  if (run["position"].there()) f.add("position", run["position"].text() + " in its lane");
  if (const auto basis = run["eta_basis"].text(); !basis.empty())
    f.add("starts in",
          run["eta_ms"].there() ? "about " + lasting(run["eta_ms"].number()) + " (" + basis + ")" : basis);
  if (const auto rung = run["ladder"]; rung.there())
    f.add("nobody takes it", {rung_in_words(rung, ctx.started), colour::yellow});
  f.add("command", command_of(run["handler"]));
  if (run["condition"].there()) f.add("only if", command_of(run["condition"]));
  f.add("in", run["handler"]["cwd"].text());
  std::string names;
  run["handler"]["env_names"].each([&](view n) { names += (names.empty() ? "" : " ") + n.text(); });
  f.add("environment", names);
  f.add("limits", limits_of(run["handler"]));
  f.add("payload", run["payload"].there() ? compact(run["payload"].raw()) : "");
  f.add("result", run["result"].there() ? compact(run["result"].raw()) : "");
  f.add("priority", run["priority"].text());
  f.add("lane", run["lane"].text());
  f.add("workspace", run["workspace"].text());
  std::string tags;
  run["tags"].each([&](view tag) { tags += (tags.empty() ? "" : " ") + tag.text(); });
  f.add("tags", tags);
  f.add("metadata", run["metadata"].there() ? compact(run["metadata"].raw()) : "");
  if (run["job_id"].there()) f.add("job", run["job_id"].text() + " revision " + run["job_revision"].text());
  f.add("batch", run["batch_id"].text());
  f.add("hook of", run["parent_id"].text());
  f.add("retry of", run["predecessor_id"].text());
  f.add("retried as", run["successor_id"].text());
  f.add("made", when(run["created_at"], ctx.started) + " by " + run["created_by"].text());
  if (run["checks_skipped_by"].there()) f.add("checks", "skipped by " + run["checks_skipped_by"].text());
  f.add("due", when(run["due_at"], ctx.started));
  f.add("ended", when(run["ended_at"], ctx.started));
  const std::string timeout = run["timeout_ms"].number() == 0 ? "none" : lasting(run["timeout_ms"].number());
  f.add("timeout", timeout);
  f.add("tries", run["attempt"].text() + " begun, " + run["attempts_used"].text() + " of " +
                     run["retry"]["max_attempts"].text() + " failed, " + run["losses"].text() + " of " +
                     run["retry"]["max_losses"].text() + " lost");
  if (run["queue_ms"].there()) f.add("queued for", lasting(run["queue_ms"].number()));
  if (run["execution_ms"].there()) f.add("ran for", lasting(run["execution_ms"].number()));
  if (run["total_ms"].there()) f.add("total", lasting(run["total_ms"].number()));
  if (run["lease"].there())
    f.add("lease", "until " + when(run["lease"]["expires_at"], ctx.started) + ", held by " +
                       run["lease"]["session_id"].text());
  std::string out = f.text(ctx.screen());
  show_attempts(out, run, ctx);
  run["late_writes"].each([&](view late) {
    out += "late write: " + late["kind"].text() + " with fencing number " + late["fencing"].text() + " at " +
           late["at"].text() + ": " + late["text"].text() + "\n";
  });
  run["late_results"].each([&](view late) {
    out += "late result of attempt " + late["attempt"].text() + " at " + late["at"].text() + ": " +
           (late["result"].there() ? compact(late["result"].raw()) : "none") + "\n";
    if (run["state"].text() != "succeeded")
      out +=
          "  accept it: belfry run adopt " + run["id"].text() + " --fencing " + late["fencing"].text() + "\n";
  });
  if (run["checkpoint"].there())
    out += "checkpoint of attempt " + run["checkpoint"]["attempt"].text() + " at " +
           run["checkpoint"]["at"].text() + ": " + compact(run["checkpoint"]["value"].raw()) + "\n";
  run["sessions"].each([&](view s) {
    std::string against;
    s["reasons"].each([&](view r) { against += (against.empty() ? "" : "; ") + r["text"].text(); });
    out += "session " + s["id"].text() + " " + s["name"].text() + ": " +
           (s["eligible"].truth() ? std::string{"may take it"} : against) + "\n";
  });
  if (run["dead_letter"].truth() && ctx.screen().tty)
    ctx.tell("a dead letter: belfry retry " + run["id"].text() + ", or belfry discard " + run["id"].text());
  return out;
}

int show_runs(const std::vector<std::string>& ids, context& ctx) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto run = ctx.node().get("/v1/runs/" + percent_encoded(ids[i]));
    if (i > 0 && ctx.table()) ctx.put("\n");
    ctx.show(run, run["id"].text(), [&] { return run_page(run.root(), ctx); });
  }
  return number_of(exit_code::ok);
}

void declare_list(command& c, context& ctx, bool dead) {
  auto& o = c.keep<list_options>();
  declare(c, o.filters);
  c.option("--limit,-n", o.limit, "N", "at most so many; default 50");
  c.flag("--all", o.all, "all there are");
  c.flag("--oldest", o.oldest, "the oldest first; else the newest");
  c.flag("--watch,-w", o.watch, "keep looking; in a pipe, a line for each change");
  c.option("--interval", o.interval, "TIME", "pause between two looks of --watch; default 1s");
  const std::string path = dead ? "/v1/dead-letters" : "/v1/runs";
  c.action([&o, &ctx, path] { return o.watch ? watch_runs(o, ctx, path) : list_runs(o, ctx, path); });
  const std::string name = c.path();
  if (dead) {
    c.example(name, "Everything that ended badly and still needs somebody.");
    c.example("belfry retry --dead --since 1d --dry-run", "What a retry of all of them would do.");
  } else {
    c.example(name + " --state failed,timed_out --since 1d", "What went wrong since yesterday.");
    c.example(name + " --job backup -o jsonl | jq .ended_at", "One line of JSON for each run.");
    c.example(name + " --watch", "");
  }
}

void declare_show(command& c, context& ctx) {
  auto& ids = c.keep<std::vector<std::string>>();
  c.argument("RUN", ids, "id, beginning of an id, or the name of the newest run of that name", true,
             complete::runs);
  c.action([&ids, &ctx] { return show_runs(ids, ctx); });
  c.example(c.path() + " run_01HZX3K9QWERT", "Its state, why it waits, and every attempt.");
  c.example(c.path() + " backup -o json", "The newest run with that name.");
}

}  // namespace

void declare_runs_of_job(command& c, context& ctx) {
  struct options {
    std::string job;
    list_options list;
  };
  auto& o = c.keep<options>();
  c.argument("JOB", o.job, "id or name", true, complete::jobs);
  c.option("--state,-s", o.list.filters.states, "STATE", "in this state; repeatable or with commas",
           complete::states);
  c.option("--since", o.list.filters.since, "TIME", "made after this: 2h ago, or an instant");
  c.option("--until", o.list.filters.until, "TIME", "made before this");
  c.option("--limit,-n", o.list.limit, "N", "at most so many; default 50");
  c.flag("--all", o.list.all, "all there are");
  c.flag("--oldest", o.list.oldest, "the oldest first; else the newest");
  c.example("belfry job runs backup --state failed", "");
  c.action([&o, &ctx] { return list_runs(o.list, ctx, "/v1/jobs/" + percent_encoded(o.job) + "/runs"); });
}

void add_runs(command& root, command& run, context& ctx) {
  declare_list(run.sub("list", "List runs, the newest first"), ctx, false);
  declare_list(root.sub("ls", "List runs, the newest first").short_for("belfry run list"), ctx, false);
  declare_show(run.sub("show", "Show a run: state, attempts, why it waits"), ctx);
  declare_show(root.sub("show", "Show a run: state, attempts, why it waits").short_for("belfry run show"),
               ctx);
  declare_list(
      run.sub("dead", "List dead letters: runs that ended badly and were neither retried nor discarded"), ctx,
      true);
  declare_list(
      root.sub("dead", "List dead letters: runs that ended badly and were neither retried nor discarded")
          .short_for("belfry run dead"),
      ctx, true);
}

}  // namespace belfry::app
