// run logs: what a run wrote.
#include "app/commands/all.hpp"
#include "app/commands/waiting.hpp"

namespace belfry::app {
namespace {

struct logs_options {
  std::string run;
  log_options logs;
  std::optional<std::string> wait_timeout;
};

void declare_logs(command& c, context& ctx) {
  auto& o = c.keep<logs_options>();
  c.argument("RUN", o.run, "id, beginning of an id, or the name of the newest run of that name", true,
             complete::runs);
  c.flag("--follow,-f", o.logs.follow, "go on until the run has ended");
  c.option("--tail,-n", o.logs.tail, "N", "only the last N lines");
  c.option("--attempt", o.logs.attempt, "N", "only of this attempt; else of all, in order");
  c.option("--level", o.logs.level, "LEVEL",
           "only lines that say at least this: debug, info, warn or error; output of processes says nothing");
  c.flag("--timestamps,-t", o.logs.timestamps, "begin each line with the time of its capture");
  c.option("--wait-timeout", o.wait_timeout, "TIME", "with --follow: no longer than this; exit code 8 then");
  c.note(
      "Lines of its stdout go to stdout, lines of its stderr to stderr. With -o json or jsonl each line is "
      "an object with "
      "attempt, number, time, stream and level.");
  c.example(c.path() + " -f run_01HZX3K9QWERT", "");
  c.example(c.path() + " backup --tail 20 2>/dev/null",
            "The end of what the newest run of that name wrote to stdout.");
  c.action([&o, &ctx] {
    const bool in_time = print_logs(ctx, o.run, o.logs, deadline_from(o.wait_timeout, "--wait-timeout"));
    return number_of(in_time ? exit_code::ok : exit_code::still_pending);
  });
}

}  // namespace

void add_logs(command& root, command& run, context& ctx) {
  const std::string says = "Print the output of a run, and follow it";
  declare_logs(run.sub("logs", says), ctx);
  declare_logs(root.sub("logs", says).short_for("belfry run logs"), ctx);
}

}  // namespace belfry::app
