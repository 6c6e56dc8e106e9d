// scheduler pause, resume, drain, pauses: hold work, let it go on, wait until nothing runs.
#include <chrono>
#include <thread>

#include "api/json/writer.hpp"
#include "app/client/transport.hpp"
#include "app/commands/all.hpp"
#include "core/time/text.hpp"

namespace belfry::app {
namespace {

struct pause_options {
  std::optional<std::string> workspace, job, agent_type, reason, owner, text, from, length, until;
};
struct throttle_options {
  std::optional<std::string> resource, agent_type, length, until, text;
  bool quota = false;
};
struct drain_options {
  pause_options what;
  std::optional<std::string> timeout, resume_after, resume_at;
};

void declare_selector(command& c, pause_options& o) {
  c.option("--workspace", o.workspace, "NAME", "only this workspace; '' for work that has none");
  c.option("--job", o.job, "JOB", "only this job, by name or id", complete::jobs);
  c.option("--agent-type", o.agent_type, "TYPE", "only sessions of this type");
}

void write_selector(api::json::writer& w, const pause_options& o) {
  if (o.workspace) w.member("workspace", *o.workspace);
  if (o.job) w.member("job", *o.job);
  if (o.agent_type) w.member("agent_type", *o.agent_type);
  if (o.owner) w.member("owner", *o.owner);
  if (o.text) w.member("text", *o.text);
}

std::string path_of(const pause_options& o) {
  const std::string path = "/v1/scheduler/pauses";
  if (o.workspace) return path + "?workspace=" + percent_encoded(*o.workspace);
  if (o.job) return path + "?job=" + percent_encoded(*o.job);
  if (o.agent_type) return path + "?agent_type=" + percent_encoded(*o.agent_type);
  return path;
}

std::string what_of(view p) {
  const auto scope = p["scope"].text();
  if (scope == "workspace") return "workspace \"" + p["workspace"].text() + "\"";
  if (scope == "job") return p["job_id"].text();
  if (scope == "agent_type") return "agent type " + p["agent_type"].text();
  return "scheduler";
}

std::string who_of(view p) {
  const auto by = p["by"].text(), owner = p["owner"].text();
  if (by.empty()) return owner;
  return owner == "operator" || owner == by ? by : by + " for " + owner;
}

std::string pause_table(context& ctx, view pauses) {
  if (pauses.size() == 0) return "nothing is paused\n";
  table t({{"PAUSED", false, 12}, {"REASON"}, {"BY", false, 10}, {"SINCE"}, {"UNTIL"}, {"WHY", false, 12}});
  pauses.each([&](view p) {
    auto why = p["text"].text();
    if (p["deadline"].there())
      why += std::string(why.empty() ? "" : "; ") + (p["drained_at"].there() ? "drained" : "draining");
    if (p["probes"].truth())
      why += std::string(why.empty() ? "" : "; ") +
             (p["probe_run_id"].there() ? p["probe_run_id"].text() + " tries whether it is over"
                                        : std::string("one run tries first"));
    t.row({what_of(p), p["reason"].text(), who_of(p), ago(p["since"].text(), ctx.started),
           p["until"].there() ? p["until"].text() : std::string("-"), why});
  });
  std::string out = t.text(ctx.screen());
  pauses.each([&](view p) { out += "  lift it with: " + p["command"].text() + "\n"; });
  return out;
}

std::string running_table(context& ctx, view seen) {
  if (seen["live"].number() == 0) return {};
  table t({{"STILL RUNS"}, {"NAME", false, 12}, {"HOLDER", false, 12}, {"SINCE"}, {"DEADLINE"}});
  seen["running"].each([&](view r) {
    t.row({r["run_id"].text(), r["name"].text(), r["session"].text(),
           ago(r["claimed_at"].text(), ctx.started),
           r["deadline"].there() ? r["deadline"].text() : std::string("-")});
  });
  std::string out = t.text(ctx.screen());
  const auto told = static_cast<std::int64_t>(seen["running"].size());
  if (seen["live"].number() > told)
    out += "  and " + std::to_string(seen["live"].number() - told) + " more\n";
  return out;
}

int tell(context& ctx, const json_text& seen, const std::string& did) {
  ctx.show(seen, seen["paused"].truth() ? "paused" : "active", [&] {
    return (seen["changed"].truth() ? did : "it was like that before") + "\n" +
           pause_table(ctx, seen["pauses"]);
  });
  return number_of(exit_code::ok);
}

int pause(const pause_options& o, context& ctx) {
  api::json::writer w;
  w.begin_object();
  write_selector(w, o);
  if (o.reason) w.member("reason", *o.reason);
  if (o.from) w.member("from", *o.from);
  if (o.length) w.member("for", *o.length);
  if (o.until) w.member("until", *o.until);
  return tell(ctx, ctx.node().post("/v1/scheduler:pause", w.end_object().take()),
              o.from ? "planned; until then everything goes on" : "paused; what runs goes on");
}

int throttle(const throttle_options& o, context& ctx) {
  api::json::writer w;
  w.begin_object();
  if (o.resource) w.member("resource", *o.resource);
  if (o.agent_type) w.member("agent_type", *o.agent_type);
  w.member("kind", o.quota ? "quota" : "throttle");
  if (o.length) w.member("retry_after", *o.length);
  if (o.until) w.member("until", *o.until);
  if (o.text) w.member("reason", *o.text);
  const auto seen = ctx.node().post("/v1/throttles", w.end_object().take());
  ctx.show(seen, "held", [&] { return "held; what runs goes on\n" + pause_table(ctx, seen["pauses"]); });
  return number_of(exit_code::ok);
}

int resume(const pause_options& o, context& ctx) {
  api::json::writer w;
  w.begin_object();
  write_selector(w, o);
  if (o.reason) w.member("reason", *o.reason);
  const auto seen = ctx.node().post("/v1/scheduler:resume", w.end_object().take());
  return tell(ctx, seen, seen["paused"].truth() ? "lifted; other pauses still hold it" : "resumed");
}

std::string number_running(view seen) {
  return seen["live"].text() + (seen["live"].number() == 1 ? " run" : " runs") + " still under way";
}

// 0 drained, 8 something still runs. Looks again and again; the pause is durable and outlives this command.
int drain(const drain_options& o, context& ctx) {
  using namespace std::chrono_literals;
  const auto length = core::parse_span(o.timeout.value_or("60s"));
  if (!length)
    throw refusal(exit_code::usage, "--timeout " + *o.timeout + " is not a time", {},
                  "belfry scheduler drain --timeout 60s");
  api::json::writer w;
  w.begin_object();
  write_selector(w, o.what);
  w.member("timeout", o.timeout.value_or("60s"));
  if (o.what.from) w.member("from", *o.what.from);
  if (o.resume_after) w.member("resume_after", *o.resume_after);
  if (o.resume_at) w.member("resume_at", *o.resume_at);
  auto seen = ctx.node().post("/v1/scheduler:drain", w.end_object().take());
  if (o.what.from) return tell(ctx, seen, "planned; until then everything goes on");
  const auto until = std::chrono::steady_clock::now() + *length;
  std::int64_t told = -1;
  for (std::chrono::milliseconds pause = 50ms; seen["live"].number() > 0;
       pause = std::min<std::chrono::milliseconds>(pause * 2, 1s)) {
    if (seen["live"].number() != told) {
      told = seen["live"].number();
      if (ctx.table() && stderr_is_tty()) ctx.tell(number_running(seen.root()));
    }
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= 0s) break;
    std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(pause, left));
    seen = ctx.node().get(path_of(o.what));
  }
  const bool drained = seen["live"].number() == 0;
  ctx.show(seen, drained ? "drained" : "draining", [&] {
    return (drained ? "drained: nothing runs, and nothing starts before it is resumed\n"
                    : number_running(seen.root()) + "; it stays paused, and the drain goes on\n") +
           running_table(ctx, seen.root()) + pause_table(ctx, seen["pauses"]);
  });
  return number_of(drained ? exit_code::ok : exit_code::still_pending);
}

void add_throttle(command& scheduler, context& ctx) {
  auto& c = scheduler.sub("throttle", "Report the limit of a provider: its agent types are held until then");
  auto& o = c.keep<throttle_options>();
  c.option("--resource", o.resource, "NAME", "the provider; every agent type that names it is held");
  c.option("--agent-type", o.agent_type, "TYPE", "this type alone");
  c.flag("--quota", o.quota, "it is used up, not just too fast");
  c.option("--for", o.length, "TIME", "how long");
  c.option("--until", o.until, "TIME", "until when instead, such as 2026-11-21T18:00:00Z");
  c.option("--text", o.text, "TEXT", "what the provider said");
  c.note(
      "When the time has come one run goes first and the others wait for it: a success lifts the pause, the "
      "same limit again prolongs it. `belfry scheduler pauses` shows it, with the command that lifts it.");
  c.example("belfry scheduler throttle --resource anthropic --quota --for 1h", "");
  c.action([&o, &ctx] {
    if (!o.resource && !o.agent_type)
      throw refusal(exit_code::usage, "whose limit is it?", {"--resource NAME or --agent-type TYPE"},
                    "belfry agent-type list");
    if (!o.length == !o.until)
      throw refusal(exit_code::usage, "until when?", {"--for TIME or --until TIME"},
                    "belfry scheduler throttle --help");
    return throttle(o, ctx);
  });
}

}  // namespace

void add_pauses(command& scheduler, context& ctx) {
  add_throttle(scheduler, ctx);
  auto& list = scheduler.sub("pauses", "Show what is paused: by whom, since when, what lifts it");
  auto& l = list.keep<pause_options>();
  declare_selector(list, l);
  list.example("belfry scheduler pauses", "");
  list.action([&l, &ctx] {
    const auto seen = ctx.node().get(path_of(l));
    ctx.show(seen, seen["paused"].truth() ? "paused" : "active",
             [&] { return pause_table(ctx, seen["pauses"]); });
    return number_of(exit_code::ok);
  });

  auto& held = scheduler.sub("pause", "Hold work: nothing new is claimed, what runs goes on");
  auto& p = held.keep<pause_options>();
  declare_selector(held, p);
  held.option("--reason", p.reason, "WORD", "one of a set: manual, maintenance, quota, ...; default manual");
  held.option("--text", p.text, "TEXT", "why, for whoever looks at it");
  held.option("--owner", p.owner, "NAME", "who alone may lift it; default operator, which is everybody here");
  held.option("--from", p.from, "TIME", "it begins at this time, not now: a maintenance window");
  held.option("--for", p.length, "TIME", "it lifts itself after this time");
  held.option("--until", p.until, "TIME", "it lifts itself at this time");
  held.note(
      "Pauses are kept apart by reason and owner; work is held while any of them stands, and each is lifted "
      "by its own reason and owner only. They survive a restart.");
  held.example("belfry scheduler pause --text 'disk is being replaced'", "");
  held.example("belfry scheduler pause --workspace blue --reason maintenance --for 30m", "");
  held.example(
      "belfry scheduler pause --reason maintenance --from 2026-12-01T02:00:00Z --for 2h --text 'new disk'",
      "");
  held.action([&p, &ctx] { return pause(p, ctx); });

  auto& back = scheduler.sub("resume", "Lift a pause; others stay as they are");
  auto& r = back.keep<pause_options>();
  declare_selector(back, r);
  back.option("--reason", r.reason, "WORD", "whose reason is lifted; default manual");
  back.option("--owner", r.owner, "NAME", "of the pause; default operator");
  back.example("belfry scheduler resume", "");
  back.example("belfry scheduler resume --reason drain", "After a drain.");
  back.action([&r, &ctx] { return resume(r, ctx); });

  auto& drained = scheduler.sub("drain", "Pause, and wait until nothing runs any more");
  auto& d = drained.keep<drain_options>();
  declare_selector(drained, d.what);
  drained.option("--text", d.what.text, "TEXT", "why, for whoever looks at it");
  drained.option("--owner", d.what.owner, "NAME", "who alone may lift it; default operator");
  drained.option("--timeout", d.timeout, "TIME", "how long to wait; default 60s, 0 reports at once");
  drained.option("--from", d.what.from, "TIME", "it begins at this time, not now; nothing is waited for");
  drained.option("--resume-after", d.resume_after, "TIME", "work goes on by itself after this time");
  drained.option("--resume-at", d.resume_at, "TIME", "work goes on by itself at this time");
  drained.note(
      "Exit code 0: drained. 8: something still runs; the list says what. Either way it stays paused, also "
      "over a restart, until `belfry scheduler resume --reason drain`.");
  drained.example("belfry scheduler drain --timeout 5m && systemctl stop belfry", "");
  drained.example("belfry scheduler drain --workspace blue --resume-after 1h", "");
  drained.action([&d, &ctx] { return drain(d, ctx); });
}

}  // namespace belfry::app
