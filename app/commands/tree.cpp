// The whole tree of commands.
#include "app/commands/all.hpp"

namespace belfry::app {

void declare_everything(command& root, context& ctx) {
  auto& o = ctx.options;
  root.option("--server", o.server, "URL",
              "the node: http://HOST:PORT or unix:/PATH; default BELFRY_URL, else the local node");
  root.one_of("--output,-o", o.output, {"table", "json", "jsonl", "name"}, "format of the result");
  root.flag("--no-color", o.no_color, "no colours; also with NO_COLOR set");
  root.flag("--debug", o.debug, "tell the requests on stderr");
  root.note("`belfry serve` runs a node. Everything else asks one.");
  add_serve(root, ctx);
  auto& run = root.sub("run", "Submit, look at and steer runs");
  add_submit(root, run, ctx);
  add_runs(root, run, ctx);
  add_explain(run, ctx);
  add_logs(root, run, ctx);
  add_wait(root, run, ctx);
  add_control(root, run, ctx);
  add_batches(root, ctx);
  add_jobs(root, ctx);
  add_schedules(root, ctx);
  add_timings(root, ctx);
  add_os(root, ctx);
  add_simulate(root, ctx);
  add_calendars(root, ctx);
  add_apply(root, ctx);
  add_status(root, ctx);
  add_doctor(root, ctx);
  add_events(root, ctx);
  add_sessions(root, ctx);
  add_nodes(root, ctx);
  add_work(root, ctx);
  add_leases(root, run, ctx);
  add_transfer(root, ctx);
  add_handlers(root, ctx);
  add_agent_types(root, ctx);
  add_maintenance(root, ctx);
  add_access(root, ctx);
  add_cluster(root, ctx);
  add_config(root, ctx);
  add_api(root, ctx);
  add_completion(root, ctx);
  root.example("belfry submit --follow -- echo hello", "Runs a command on the node and streams its output.");
  root.example("belfry ls --state failed", "");
  root.example("belfry help job create", "The help of one command.");
}

}  // namespace belfry::app
