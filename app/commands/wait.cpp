// run wait: until runs have ended.
#include "app/commands/all.hpp"
#include "app/commands/waiting.hpp"

namespace belfry::app {
namespace {

struct wait_options {
  std::vector<std::string> runs;
  bool any = false;
  std::optional<std::string> timeout;
};

int wait_for(const wait_options& o, context& ctx) {
  const auto done = wait_for_runs(ctx, o.runs, deadline_from(o.timeout, "--wait-timeout"), o.any);
  int code = number_of(exit_code::ok);
  for (const auto& run : done.ended) {
    const std::string id = run["id"].text();
    if (ctx.options.output == "json" && o.runs.size() == 1)
      ctx.put(indented(run.text()) + "\n");
    else if (ctx.json() || ctx.options.output == "jsonl")
      ctx.put(compact(run.text()) + "\n");
    else if (ctx.options.output == "name")
      ctx.put(id + "\n");
    else
      ctx.put(id + " " + run["state"].text() + "\n");
    if (const int outcome = tell_outcome(ctx, run.root()); outcome != 0) code = outcome;
  }
  const bool pending = o.any ? done.ended.empty() : !done.pending.empty();
  if (!pending) return code;
  for (const auto& id : done.pending) ctx.tell("belfry: " + id + " has not ended in time");
  return code != 0 ? code : number_of(exit_code::still_pending);
}

void declare_wait(command& c, context& ctx) {
  auto& o = c.keep<wait_options>();
  c.argument("RUN", o.runs, "ids, beginnings of ids, or names", true, complete::runs);
  c.flag("--any", o.any, "until one of them has ended; else all of them");
  c.option("--wait-timeout,--timeout", o.timeout, "TIME", "no longer than this; exit code 8 then");
  c.note("Returns at any end: exit code 0 when all succeeded, 3 when one did not.");
  c.example(c.path() + " $(belfry submit -- make test)", "");
  c.example(c.path() + " --timeout 5m build deploy", "");
  c.action([&o, &ctx] { return wait_for(o, ctx); });
}

}  // namespace

void add_wait(command& root, command& run, context& ctx) {
  const std::string says = "Wait until runs have ended";
  declare_wait(run.sub("wait", says), ctx);
  declare_wait(root.sub("wait", says).short_for("belfry run wait"), ctx);
}

}  // namespace belfry::app
