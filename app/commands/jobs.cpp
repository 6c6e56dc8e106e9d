// job: durable definitions: create, look, replace, archive, pause, resume, trigger, duplicate.
#include "app/apply/declarations.hpp"
#include "app/commands/all.hpp"
#include "app/commands/job_flags.hpp"
#include "app/commands/waiting.hpp"
#include "core/schedule/phrase.hpp"
#include "core/time/text.hpp"

namespace belfry::app {
namespace {

std::string pauses_of(view job) {
  std::string text;
  job["pauses"].each([&](view p) {
    text += (text.empty() ? "" : "; ") + p["reason"].text() + " by " + p["owner"].text();
    if (const auto why = p["text"].text(); !why.empty()) text += ": " + why;
  });
  return text;
}

std::string jobs_table(context& ctx, const std::vector<json_text>& pages) {
  table t({{"NAME", false, 12},
           {"STATE"},
           {"REV", true},
           {"RUNS", true},
           {"NEXT"},
           {"CHANGED"},
           {"DESCRIPTION", false, 10}});
  for (const auto& page : pages)
    page["jobs"].each([&](view job) {
      const auto state = job["state"].text();
      t.row({job["name"].text(),
             {state, colour_of_state(state)},
             job["revision"].text(),
             job["triggered"].text(),
             job["next_at"].there() ? job["next_at"].text() : std::string("-"),
             ago(job["updated_at"].text(), ctx.started),
             state == "paused" ? pauses_of(job) : job["description"].text()});
    });
  return t.empty() ? "no jobs\n" : t.text(ctx.screen());
}

// What a job waits for, and until when it gathers. A time behind its end is when it will be completed.
bool add_event(facts& f, view job) {
  core::schedule_context context;
  context.calendars = core::any_calendar;
  const auto read = core::parse_canonical(job["schedule"].text(), context);
  if (!read || !core::on_event(*read)) return false;
  f.add("runs", core::describe(*read));
  const auto next = core::parse_instant(job["next_at"].text());
  f.add("gathers until", next && *next <= read->ends ? job["next_at"].text() : std::string("-"));
  return true;
}

std::string job_page(context& ctx, view job) {
  const auto state = job["state"].text();
  facts f;
  f.add("id", job["id"].text());
  f.add("name", {job["name"].text(), colour::bold});
  f.add("description", job["description"].text());
  f.add("state", {state, colour_of_state(state)});
  f.add("paused", pauses_of(job));
  f.add("revision", job["revision"].text());
  f.add("runs made", job["triggered"].text());
  if (job["schedule"].there()) {
    f.add("schedule", job["schedule"].text());
    if (!add_event(f, job)) f.add("next", job["next_at"].there() ? job["next_at"].text() : std::string("-"));
    if (job["ending"].truth())
      f.add("ending",
            "no further runs are planned; completed when the open ones have ended (belfry job explain " +
                job["name"].text() + ")");
    f.add("fired", job["fired"].text());
    if (job["succeeded"].there())
      f.add("succeeded",
            job["succeeded"].text() + " of " + job["definition"]["max_runs"].text() + " that are wanted");
  }
  f.add("created", job["created_at"].text() + " (" + ago(job["created_at"].text(), ctx.started) + ") by " +
                       job["created_by"].text());
  if (job["checks_skipped_by"].there()) f.add("checks", "skipped by " + job["checks_skipped_by"].text());
  f.add("changed", job["updated_at"].text() + " (" + ago(job["updated_at"].text(), ctx.started) + ")");
  return f.text(ctx.screen()) + "definition\n" + indented(job["definition"].raw()) + "\n";
}

int tell_job(context& ctx, const json_text& job, const std::string& did) {
  ctx.show(job, job["name"].text(), [&] { return "job " + job["name"].text() + " " + did + "\n"; });
  return number_of(exit_code::ok);
}

struct job_list_options {
  bool archived = false, all = false;
  std::optional<std::string> name_has;
  std::int64_t limit = 50;
};

void declare_list(command& c, context& ctx) {
  auto& o = c.keep<job_list_options>();
  c.flag("--archived", o.archived, "archived ones too");
  c.option("--name-has,-q", o.name_has, "TEXT", "with this in the name");
  c.option("--limit,-n", o.limit, "N", "at most so many; default 50");
  c.flag("--all", o.all, "all there are");
  c.example("belfry job list -o name", "");
  c.action([&o, &ctx] {
    if (o.limit < 1) throw refusal(exit_code::usage, "--limit: give a number from 1, or --all");
    query_text q;
    q.add("q", o.name_has);
    if (o.archived) q.add("archived", "true");
    const auto pages =
        read_pages(ctx.node(), "/v1/jobs", q, "jobs", o.all ? 0 : static_cast<std::size_t>(o.limit));
    ctx.show_list(
        pages, "jobs", [](view j) { return j["name"].text(); }, [&] { return jobs_table(ctx, pages); });
    if (ctx.table() && ctx.screen().tty && pages.back()["next_cursor"].there())
      ctx.tell("there are more: --limit N or --all");
    return number_of(exit_code::ok);
  });
}

// JOB… and one POST for each.
void declare_verb(command& job, context& ctx, const std::string& verb, const std::string& says,
                  const std::string& did, bool with_reason) {
  struct options {
    std::vector<std::string> jobs;
    std::optional<std::string> reason, text;
  };
  auto& c = job.sub(verb, says);
  auto& o = c.keep<options>();
  c.argument("JOB", o.jobs, "id or name", true, complete::jobs);
  if (with_reason) {
    c.option("--reason", o.reason, "WORD",
             "whose pause it is; default manual. Each pause is lifted by its own reason");
    if (verb == "pause") c.option("--text", o.text, "TEXT", "why, for whoever looks at it");
  }
  c.example("belfry job " + verb + " backup", "");
  c.action([&o, &ctx, verb, did] {
    for (const auto& each : o.jobs) {
      api::json::writer w;
      w.begin_object();
      if (o.reason) w.member("reason", *o.reason);
      if (o.text) w.member("text", *o.text);
      w.end_object();
      const auto answer = verb == "delete" ? ctx.node().call("DELETE", job_path(each), {})
                                           : ctx.node().post(job_path(each, ":" + verb), w.str());
      tell_job(ctx, answer, did);
    }
    return number_of(exit_code::ok);
  });
}

struct trigger_options {
  std::string job;
  std::optional<std::string> payload, delay, wait_timeout, key;
  std::optional<std::int64_t> count;
  bool force = false, wait = false, follow = false;
};

int trigger(const trigger_options& o, context& ctx) {
  const auto until = deadline_from(o.wait_timeout, "--wait-timeout");
  api::json::writer w;
  w.begin_object();
  if (o.payload) w.key("payload").raw(read_json(*o.payload, "--payload"));
  if (o.force) w.member("force", true);
  if (o.delay) w.member("delay", *o.delay);
  if (o.count) w.member("count", *o.count);
  w.end_object();
  call_options call;
  call.idempotency_key = o.key.value_or("cli-" + random_key());
  const auto answer = ctx.node().post(job_path(o.job, ":trigger"), w.str(), call);
  std::vector<std::string> ids;
  std::string skipped;
  const auto note = [&](view run) {
    ids.push_back(run["id"].text());
    if (run["state"].text() == "skipped") skipped = run["reason"].text();
  };
  if (answer["id"].there()) note(answer.root());
  std::size_t refused = 0;
  answer["items"].each([&](view item) {
    if (item["status"].text() != "error") return note(item);
    ++refused;
    ctx.tell("belfry: " + item["detail"].text());
  });
  if (o.follow && !ids.empty() && skipped.empty()) {
    log_options logs;
    logs.follow = true;
    if (!print_logs(ctx, ids.front(), logs, until)) return number_of(exit_code::still_pending);
  } else {
    std::string lines;
    for (const auto& id : ids) lines += id + "\n";
    ctx.show(answer, ids.empty() ? "" : ids.front(), [&] { return lines; });
  }
  if (!skipped.empty()) ctx.tell("belfry: skipped: " + printable(skipped) + "; --force runs it anyway");
  if (refused > 0) return number_of(exit_code::conflict);
  if (!o.wait) return number_of(exit_code::ok);
  const auto done = wait_for_runs(ctx, ids, until);
  if (!done.pending.empty()) return number_of(exit_code::still_pending);
  int code = number_of(exit_code::ok);
  for (const auto& run : done.ended)
    if (const int outcome = tell_outcome(ctx, run.root()); outcome != 0) code = outcome;
  return code;
}

void declare_trigger(command& c, context& ctx) {
  auto& o = c.keep<trigger_options>();
  c.argument("JOB", o.job, "id or name", true, complete::jobs);
  c.option("--payload", o.payload, "JSON", "instead of the job's payload; @FILE reads a file");
  c.flag("--force", o.force, "although it is paused or another run of it is open");
  c.option("--delay", o.delay, "TIME", "start no earlier than in this time");
  c.option("--count", o.count, "N", "so many runs");
  c.option("--idempotency-key", o.key, "KEY", "the same key triggers only once in 24 h");
  c.flag("--wait,-w", o.wait, "wait for the end; exit code 0 when it succeeded, 3 when not");
  c.flag("--follow,-f", o.follow, "print its output as it comes");
  c.option("--wait-timeout", o.wait_timeout, "TIME", "wait no longer than this; exit code 8 then");
  c.note("A run that the overlap policy holds back is recorded as skipped, with the reason.");
  c.example("belfry job trigger backup --wait --follow", "");
  c.example("belfry job trigger report --payload '{\"day\":\"2026-11-21\"}'", "");
  c.action([&o, &ctx] { return trigger(o, ctx); });
}

}  // namespace

void add_job_definitions(command& job, context& ctx);

void add_jobs(command& root, context& ctx) {
  auto& job = root.sub("job", "Define jobs, look at them, and make them run");
  add_job_definitions(job, ctx);
  declare_list(job.sub("list", "List jobs"), ctx);

  auto& show = job.sub("show", "Show a job with its definition");
  auto& shown = show.keep<std::string>();
  show.argument("JOB", shown, "id or name", true, complete::jobs);
  show.example("belfry job show backup", "");
  show.action([&shown, &ctx] {
    const auto found = ctx.node().get(job_path(shown));
    ctx.show(found, found["name"].text(), [&] { return job_page(ctx, found.root()); });
    return number_of(exit_code::ok);
  });

  declare_runs_of_job(job.sub("runs", "List the runs of a job, the newest first"), ctx);
  declare_job_explanation(
      job.sub("explain", "Say what a trigger would do now, and what holds the job's runs"), ctx);
  declare_job_stats(job.sub("stats", "Show how the runs of a job went: times, busiest hours, failures"), ctx);
  declare_trigger(job.sub("trigger", "Make a run of a job now"), ctx);
  declare_verb(job, ctx, "pause", "Pause jobs: triggers are refused until they are resumed", "paused", true);
  declare_verb(job, ctx, "resume", "Resume jobs", "resumed", true);
  declare_verb(job, ctx, "delete", "Archive jobs: their name is free again, their runs stay", "archived",
               false);

  auto& copy = job.sub("duplicate", "Copy a job under a new name, paused");
  auto& names = copy.keep<std::pair<std::string, std::string>>();
  copy.argument("JOB", names.first, "id or name", true, complete::jobs);
  copy.argument("NAME", names.second, "the name of the copy", true);
  copy.example("belfry job duplicate backup backup-test", "");
  copy.action([&names, &ctx] {
    const auto made =
        ctx.node().post(job_path(names.first, ":duplicate"), "{\"name\":" + json_quoted(names.second) + "}");
    return tell_job(ctx, made, "created, paused");
  });
}

}  // namespace belfry::app
