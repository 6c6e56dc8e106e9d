// submit: one run from flags, or many from a file of JSON lines.
#include <fstream>
#include <iostream>

#include "api/json/submissions.hpp"
#include "app/commands/all.hpp"
#include "app/commands/waiting.hpp"
#include "app/commands/work_options.hpp"

namespace belfry::app {
namespace {

struct submit_options {
  work_options work;
  std::optional<std::string> delay, not_before, id, key, batch, wait_timeout;
  bool wait = false, follow = false, dry_run = false;
};

void declare_submit(command& c, submit_options& o, context& ctx);

// Refusals speak of pointers into the JSON; the caller wrote flags.
[[noreturn]] void in_words_of_flags(const core::failure& f) {
  core::failure told = f;
  for (auto& p : told.problems) p.pointer = flag_of(p.pointer);
  throw refusal(told);
}

std::string body_of(const submit_options& o) {
  api::json::writer w;
  w.begin_object();
  write_work(w, o.work, caller_folder());
  if (o.delay) w.member("delay", *o.delay);
  if (o.not_before) w.member("not_before", *o.not_before);
  if (o.id) w.member("id", *o.id);
  w.end_object();
  return w.take();
}

call_options keyed(const submit_options& o) {
  call_options call;
  call.idempotency_key = o.key.value_or("cli-" + random_key());
  if (const char* parent = std::getenv("TRACEPARENT")) call.headers.emplace_back("traceparent", parent);
  return call;
}

int show_plan(context& ctx, const json_text& plan) {
  ctx.show(plan, "dry-run", [&] {
    std::string text;
    plan["runs"].each([&](view each) {
      text += "would submit " + each["run"]["name"].text() + ", " + each["state"].text() + "\n" +
              indented(each["run"].raw()) + "\n";
      each["warnings"].each([&](view warning) { text += "warning: " + warning.text() + "\n"; });
    });
    return text;
  });
  return number_of(exit_code::ok);
}

// On stderr: the answer on stdout stays what it is.
void tell_warnings(context& ctx, const json_text& answer) {
  answer["warnings"].each([&](view w) { ctx.tell("belfry: warning: " + w["text"].text()); });
}

int submit_one(const submit_options& o, context& ctx) {
  if (!gives_work(o.work) && !o.work.payload)
    throw refusal(exit_code::usage, "there is nothing to run", {},
                  "belfry submit -- COMMAND…, or belfry submit --shell 'SCRIPT'");
  const auto until = deadline_from(o.wait_timeout, "--wait-timeout");
  const std::string body = body_of(o);
  if (const auto draft = api::json::read_submission(body, now()); !draft) in_words_of_flags(draft.error());
  if (o.dry_run) return show_plan(ctx, ctx.node().post("/v1/runs?dry_run=true", body));
  const auto run = ctx.node().post("/v1/runs", body, keyed(o));
  tell_warnings(ctx, run);
  const std::string id = run["id"].text();
  if (!o.wait && !o.follow) {
    ctx.show(run, id, [&] { return id + "\n"; });
    return number_of(exit_code::ok);
  }
  if (o.follow) {
    log_options logs;
    logs.follow = true;
    if (!print_logs(ctx, id, logs, until)) {
      ctx.tell("belfry: " + id + " has not ended in time; see `belfry show " + id + "`");
      return number_of(exit_code::still_pending);
    }
    if (!o.wait) return number_of(exit_code::ok);
  }
  const auto done = wait_for_runs(ctx, {id}, until);
  if (!done.pending.empty()) {
    ctx.tell("belfry: " + id + " has not ended in time; see `belfry show " + id + "`");
    return number_of(exit_code::still_pending);
  }
  if (!o.follow) ctx.show(done.ended.front(), id, [&] { return id + "\n"; });
  return tell_outcome(ctx, done.ended.front().root());
}

// Each line is one run in the JSON of POST /v1/runs; blank lines and lines with # are left out. All or
// nothing.
int submit_batch(const submit_options& o, context& ctx) {
  if (gives_work(o.work))
    throw refusal(exit_code::usage, "--batch takes the runs from the file, so there is no command to give");
  const auto until = deadline_from(o.wait_timeout, "--wait-timeout");
  const std::string text = read_text(*o.batch, std::size_t{64} << 20U, "--batch");
  std::string runs;
  std::vector<std::string> mistakes;
  std::size_t line_number = 0, count = 0;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    const std::string line = text.substr(from, end - from);
    from = end + 1;
    ++line_number;
    const auto first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos || line[first] == '#') continue;
    ++count;
    runs += (runs.empty() ? "" : ",") + line;
    if (const auto draft = api::json::read_submission(line, now()); !draft) {
      const std::string at = *o.batch + ":" + std::to_string(line_number) + ": ";
      if (draft.error().problems.empty()) mistakes.push_back(at + draft.error().text);
      for (const auto& p : draft.error().problems) mistakes.push_back(at + problem_line(p));
    }
  }
  if (!mistakes.empty())
    throw refusal(
        exit_code::usage,
        "the batch has " + std::to_string(mistakes.size()) + " mistake" + (mistakes.size() == 1 ? "" : "s"),
        mistakes, "each line is one run: {\"handler\":{\"argv\":[\"echo\",\"hi\"]}}");
  if (count == 0)
    throw refusal(exit_code::usage, *o.batch + " has no run in it", {}, "each line is one run in JSON");
  if (count > api::json::most_items)
    throw refusal(exit_code::usage, *o.batch + " has " + std::to_string(count) + " runs",
                  {"allowed: at most " + std::to_string(api::json::most_items)},
                  "submit it in several batches");
  const std::string body = "{\"runs\":[" + runs + "]}";
  if (o.dry_run) return show_plan(ctx, ctx.node().post("/v1/runs:batch?dry_run=true", body));
  const auto batch = ctx.node().post("/v1/runs:batch", body, keyed(o));
  tell_warnings(ctx, batch);
  const std::string id = batch["batch_id"].text();
  if (!o.wait) {
    ctx.show(batch, id, [&] { return id + "\n"; });
    return number_of(exit_code::ok);
  }
  const auto done = wait_for_batch(ctx, id, until);
  ctx.show(batch, id, [&] { return id + "\n"; });
  if (!done) {
    ctx.tell("belfry: the batch has not ended in time; see `belfry batch show " + id + "`");
    return number_of(exit_code::still_pending);
  }
  if ((*done)["by_state"]["succeeded"].number() == (*done)["total"].number()) return number_of(exit_code::ok);
  const auto bad =
      ctx.node().get("/v1/runs?limit=5&state=failed,timed_out,lost,cancelled,skipped&batch=" + id);
  bad["runs"].each([&](view run) { (void)tell_outcome(ctx, run); });
  if (bad["next_cursor"].there()) ctx.tell("belfry: and more; see `belfry ls --batch " + id + "`");
  return number_of(exit_code::ended_badly);
}

void declare_submit(command& c, submit_options& o, context& ctx) {
  declare(c, o.work);
  c.option("--delay", o.delay, "TIME", "start no earlier than in this time");
  c.option("--not-before", o.not_before, "INSTANT",
           "start no earlier than this, such as 2026-11-21T10:00:00Z");
  c.option("--id", o.id, "RUN", "use this id; the same run under the same id is submitted only once");
  c.option("--idempotency-key", o.key, "KEY", "the same key and content is submitted only once in 24 h");
  c.option("--batch", o.batch, "FILE",
           "submit a run for each line of this file of JSON lines, all or nothing", complete::files);
  c.flag("--wait,-w", o.wait, "wait for the end; exit code 0 when it succeeded, 3 when not");
  c.flag("--follow,-f", o.follow, "print its output as it comes; with --wait also its outcome");
  c.option("--wait-timeout", o.wait_timeout, "TIME", "wait no longer than this; exit code 8 then");
  c.flag("--dry-run", o.dry_run, "check and show what would be submitted");
  c.example("belfry submit -- echo hello", "Runs it now; prints the id.");
  c.example("belfry submit --follow --wait -- make test", "Streams the output and ends with 0 or 3.");
  c.example(
      "belfry submit --retries 5 --timeout 2m --lane mail --shell 'curl -fsS https://example.org | wc -c'",
      "");
  c.example("belfry submit --batch runs.jsonl",
            "Lines such as {\"handler\":{\"argv\":[\"sha256sum\",\"/etc/passwd\"]}}.");
  c.action([&o, &ctx] { return o.batch ? submit_batch(o, ctx) : submit_one(o, ctx); });
}

}  // namespace

void add_submit(command& root, command& run, context& ctx) {
  const std::string says = "Submit a command, or many, to be run once each";
  auto& long_form = run.sub("submit", says);
  declare_submit(long_form, long_form.keep<submit_options>(), ctx);
  auto& short_form = root.sub("submit", says).short_for("belfry run submit");
  declare_submit(short_form, short_form.keep<submit_options>(), ctx);
}

}  // namespace belfry::app
