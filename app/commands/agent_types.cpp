// agent-type: the kinds of workers that the node starts by itself.
#include "api/json/writer.hpp"
#include "app/commands/all.hpp"
#include "app/commands/sinks.hpp"

namespace belfry::app {
namespace {

std::string joined(view list) {
  std::string text;
  list.each([&](view w) { text += (text.empty() ? "" : " ") + w.text(); });
  return text;
}

std::string state_of(view t) {
  if (t["max"].number() == 0) return "off";
  if (t["paused"].there()) return "paused";
  if (t["backing_off_until"].there()) return "backs off";
  if (t["living"].number() >= t["max"].number()) return "full";
  return "ready";
}

std::string types_table(context& ctx, const json_text& page) {
  table t({{"NAME", false, 10},
           {"STATE"},
           {"WORKERS", true},
           {"CAPABILITIES", false, 12},
           {"COMMAND", false, 12}});
  page["agent_types"].each([&](view a) {
    t.row({a["name"].text(), state_of(a), a["living"].text() + "/" + a["max"].text(),
           joined(a["capabilities"]), joined(a["command"])});
  });
  return t.empty() ? "no agent types; docs/guides/agent-types.md says how to declare one\n"
                   : t.text(ctx.screen());
}

std::string type_page(context& ctx, view t) {
  facts f;
  f.add("name", {t["name"].text(), colour::bold});
  f.add("state", state_of(t));
  f.add("command", joined(t["command"]));
  f.add("capabilities", joined(t["capabilities"]));
  f.add("resources", joined(t["resources"]));
  if (t["delay_ms"].number() > 0)
    f.add("delay", lasting(t["delay_ms"].number()) + " between calls to its provider, as its limits taught");
  t["pauses"].each([&](view p) {
    f.add("paused", {p["reason"].text() + " of " + p["owner"].text() +
                         (p["until"].there() ? ", until " + p["until"].text() : std::string{}) + "; " +
                         p["command"].text(),
                     colour::yellow});
  });
  f.add("workspace", t["workspace"].there() ? t["workspace"].text() : "that of the run");
  f.add("channel", t["channel"].text());
  f.add("variables", joined(t["env"]) + (t["pass_env"].size() > 0 ? " " + joined(t["pass_env"]) : ""));
  f.add("workers", t["living"].text() + " of at most " + t["max"].text() + ", " + t["per_workspace"].text() +
                       " in one workspace");
  f.add("ttl", lasting(t["ttl_ms"].number()) + ", then " + lasting(t["drain_ms"].number()) + " to drain");
  if (t["idle_ttl_ms"].number() > 0) f.add("idle ttl", lasting(t["idle_ttl_ms"].number()));
  f.add("woken by", woken_by(t["wake"]));
  f.add("start timeout", lasting(t["start_timeout_ms"].number()));
  if (t["failures"].number() > 0)
    f.add("failures", t["failures"].text() + " in a row: " + t["last_failure"].text());
  f.add("paused", t["paused"].text());
  if (t["backing_off_until"].there()) f.add("backs off until", t["backing_off_until"].text());
  std::string out = f.text(ctx.screen());
  if (t["workers"].size() == 0) return out;
  table w({{"SESSION"}, {"STATE"}, {"END"}, {"PID", true}, {"SINCE"}, {"FOR"}, {"TEXT", false, 16}});
  t["workers"].each([&](view one) {
    const auto end = one["end"].text();
    w.row({one["session_id"].text(), one["state"].text(), end == "none" ? "" : end,
           one["pid"].number() > 0 ? one["pid"].text() : "", ago(one["since"].text(), ctx.started),
           one["run_id"].text(), one["text"].text()});
  });
  return out + w.text(ctx.screen());
}

struct spawn_options {
  std::string name;
  std::optional<std::string> workspace;
};

int spawn(const spawn_options& o, context& ctx) {
  api::json::writer w;
  w.begin_object();
  if (o.workspace) w.member("workspace", *o.workspace);
  w.end_object();
  const auto s = ctx.node().post("/v1/agent-types/" + percent_encoded(o.name) + ":spawn", w.str());
  ctx.show(s, s["session_id"].text(), [&] { return s["session_id"].text() + "\n"; });
  return number_of(exit_code::ok);
}

}  // namespace

void add_agent_types(command& root, context& ctx) {
  auto& type = root.sub("agent-type", "Look at the kinds of workers that the node starts by itself");
  auto& list = type.sub("list", "List them");
  list.example("belfry agent-type list", "");
  list.action([&ctx] {
    const auto page = ctx.node().get("/v1/agent-types");
    ctx.show_list(
        {page}, "agent_types", [](view t) { return t["name"].text(); },
        [&] { return types_table(ctx, page); });
    return number_of(exit_code::ok);
  });

  auto& show = type.sub("show", "Show one with the workers that were started");
  auto& name = show.keep<std::string>();
  show.argument("NAME", name, "name of an agent type", true);
  show.example("belfry agent-type show claude", "");
  show.action([&name, &ctx] {
    const auto t = ctx.node().get("/v1/agent-types/" + percent_encoded(name));
    ctx.show(t, t["name"].text(), [&] { return type_page(ctx, t.root()); });
    return number_of(exit_code::ok);
  });

  auto& start = type.sub("spawn", "Start a worker by hand; prints its session");
  auto& o = start.keep<spawn_options>();
  start.argument("NAME", o.name, "name of an agent type", true);
  start.option("--workspace", o.workspace, "NAME", "of the worker; default that of its type");
  start.note("The node does this by itself for work that nobody takes. Limits and backoff hold here too.");
  start.example("belfry agent-type spawn claude --workspace team", "");
  start.action([&o, &ctx] { return spawn(o, ctx); });
}

}  // namespace belfry::app
