// job create, replace, edit.
#include <algorithm>

#include "api/json/jobs.hpp"
#include "app/apply/declarations.hpp"
#include "app/commands/all.hpp"
#include "app/commands/job_flags.hpp"
#include "app/commands/waiting.hpp"

namespace belfry::app {

namespace {

void declare_timing(command& c, job_options& o) {
  c.option("--cron", o.cron, "EXPR", "when it is due: five or six fields, or a macro such as @daily");
  c.option("--every", o.every, "SPAN", "every so long, such as 90s or 1h30m");
  c.option("--at", o.at, "TIME", "once: RFC 3339, or a time of the day such as 17:30");
  c.option("--when", o.when, "PHRASE", "in words, such as 'weekdays at 9am'; '': only by hand");
  c.option("--on-event", o.on_event, "NAME",
           "whenever such an event arrives, emitted or belfry's own, such as run_failed; NAME* for any end");
  c.option("--where", o.where, "CONDITION",
           "with --on-event: key=value, key!=value or key; all of them must fit; repeatable");
  c.option("--debounce", o.debounce, "SPAN",
           "with --on-event: one run for a burst, when so long no further event has come");
  c.option("--hold", o.hold, "SPAN", "with --debounce: at the latest so long after the first of a burst");
  c.option("--depth", o.depth, "N",
           "with --on-event: where a chain of events and runs that cause each other ends; default 8");
  c.option("--zone", o.zone, "ZONE", "IANA name of the time zone; default UTC");
  c.option("--starts", o.starts, "TIME", "the first time that may be planned");
  c.option("--ends", o.ends, "TIME", "the last one; the job is completed when its last run has ended");
  declare_exclusions(c, o.but);
  c.option("--jitter", o.jitter, "SPAN", "it starts at a point of its own within so long");
  c.option("--catch-up", o.catch_up, "POLICY", "what was missed: skip, once (the latest; default) or all");
  c.option("--catch-up-max", o.catch_up_max, "N", "with --catch-up all: the newest so many; default 20");
  c.option("--catch-up-grace", o.catch_up_grace, "SPAN", "what was missed longer ago is skipped; default 1d");
  c.option("--start-deadline", o.start_deadline, "SPAN", "what could not be planned for so long is skipped");
  c.option("--fire-limit", o.fire_limit, "N", "at most so many in --fire-window; later ones wait");
  c.option("--fire-window", o.fire_window, "SPAN", "default 1h");
  c.option("--max-runs", o.max_runs, "N", "the job is completed when so many planned runs have ended");
  c.option("--max-runs-of", o.max_runs_of, "WHAT",
           "what --max-runs counts: runs (default), or successes: it goes on until so many have succeeded");
  c.flag("--retry-past-next", o.retry_past_next,
         "retries go on although the next planned run is due before them");
}

}  // namespace

void declare_exclusions(command& c, exclusion_options& o) {
  c.option("--not-on", o.on, "DATES", "not on these dates, such as 2026-12-25,2026-12-26; repeated");
  c.option("--not-between", o.between, "FROM-TO",
           "not in these times of the day, such as 22:00-06:00 or '12:00-13:00 on mon,fri'; repeated");
  c.option("--not-in", o.in, "CALENDAR", "not in the times of this calendar (belfry calendar ls); repeated");
  c.option("--excluded", o.excluded, "WHAT",
           "what becomes of a time in one of these: skip (default), or postpone to the end of it");
}

void write_exclusions(api::json::writer& w, const exclusion_options& o) {
  std::vector<std::string> dates;
  for (const auto& list : o.on)
    for (std::size_t at = 0; at <= list.size();) {
      const auto end = std::min(list.find(',', at), list.size());
      dates.push_back(list.substr(at, end - at));
      at = end + 1;
    }
  // '' alone takes away what there was.
  const auto texts = [&](const char* member, std::vector<std::string> all) {
    if (all.empty()) return;
    all.erase(std::remove(all.begin(), all.end(), std::string{}), all.end());
    w.texts(member, all);
  };
  texts("not_on", dates);
  texts("not_between", o.between);
  texts("not_in", o.in);
  if (o.excluded) w.member("excluded", *o.excluded);
}

namespace {

// What becomes one word of the canonical text.
void check_event_word(const std::string& flag, const std::string& word) {
  if (!word.empty() && word.find_first_of(" \t\r\n,;|") == std::string::npos) return;
  throw refusal(exit_code::usage,
                flag + " '" + printable(word) + "': it has no blanks and none of , ; | and is not empty", {},
                "belfry help job create");
}

std::string event_words(const job_options& o) {
  check_event_word("--on-event", *o.on_event);
  auto words = "@event " + *o.on_event;
  for (std::size_t i = 0; i < o.where.size(); ++i) {
    check_event_word("--where", o.where[i]);
    words += (i == 0 ? " where " : ",") + o.where[i];
  }
  if (o.debounce) words += " debounce " + *o.debounce;
  if (o.hold) words += " hold " + *o.hold;
  if (o.depth) words += " depth " + std::to_string(*o.depth);
  return words;
}

// One of the five ways to say it, as the API takes it.
std::optional<std::string> schedule_words(const job_options& o) {
  const int given = int{o.cron.has_value()} + int{o.every.has_value()} + int{o.at.has_value()} +
                    int{o.when.has_value()} + int{o.on_event.has_value()};
  if (given > 1)
    throw refusal(exit_code::usage, "give one of --cron, --every, --at, --when and --on-event", {},
                  "belfry help job create");
  if (!o.on_event && (!o.where.empty() || o.debounce || o.hold || o.depth))
    throw refusal(exit_code::usage, "--where, --debounce, --hold and --depth belong to --on-event", {},
                  "belfry help job create");
  if (o.on_event) return event_words(o);
  if (o.cron) return o.cron;
  if (o.when) return o.when;
  if (o.every) return "@every " + *o.every;
  if (o.at) return (o.at->find('T') != std::string::npos ? "@at " : "at ") + *o.at;
  return std::nullopt;
}

void write_timing(api::json::writer& w, const job_options& o) {
  if (const auto words = schedule_words(o)) w.member("schedule", *words);
  if (o.zone) w.member("zone", *o.zone);
  if (o.starts) w.member("starts", *o.starts);
  if (o.ends) w.member("ends", *o.ends);
  if (o.jitter) w.member("jitter", *o.jitter);
  write_exclusions(w, o.but);
  if (o.catch_up) w.member("catch_up", *o.catch_up);
  if (o.catch_up_max) w.member("catch_up_max", *o.catch_up_max);
  if (o.catch_up_grace) w.member("catch_up_grace", *o.catch_up_grace);
  if (o.start_deadline) w.member("start_deadline", *o.start_deadline);
  if (o.fire_limit) w.member("fire_limit", *o.fire_limit);
  if (o.fire_window) w.member("fire_window", *o.fire_window);
  if (o.max_runs) w.member("max_runs", *o.max_runs);
  if (o.max_runs_of) w.member("max_runs_of", *o.max_runs_of);
  if (o.retry_past_next) w.member("retry_past_next", true);
}

bool gives_timing(const job_options& o) {
  api::json::writer w;
  w.begin_object();
  write_timing(w, o);
  return w.size() > 1;
}

}  // namespace

void declare_job_flags(command& c, job_options& o) {
  declare(c, o.work);
  c.option("--description", o.description, "TEXT", "what it is for");
  c.option("--overlap", o.overlap, "POLICY",
           "when a run of it is still open: skip (default), queue_one, queue_all, replace or allow");
  c.option("--max-concurrent", o.max_concurrent, "N", "with --overlap allow: runs at a time; default 1");
  declare_timing(c, o);
}

std::string job_path(const std::string& job, const std::string& verb) {
  return "/v1/jobs/" + percent_encoded(job) + verb;
}

std::string job_body(const job_options& o, const std::string& cwd) {
  api::json::writer w;
  w.begin_object();
  write_work(w, o.work, cwd);
  if (o.description) w.member("description", *o.description);
  if (o.overlap) w.member("overlap", *o.overlap);
  if (o.max_concurrent) w.member("max_concurrent", *o.max_concurrent);
  write_timing(w, o);
  if (o.paused) w.member("start_paused", true);
  if (o.trial) w.member("trial", true);
  w.end_object();
  return w.take();
}

namespace {

struct replace_options {
  std::string job;
  job_options def;
};

// From the file, or from the flags; checked here, so that mistakes are told in the words of whoever wrote
// them.
std::string whole_body(const job_options& o, const std::string& name) {
  if (o.file) {
    if (gives_work(o.work) || gives_timing(o))
      throw refusal(exit_code::usage, "give either a file or flags, not both");
    const auto d = read_declarations(*o.file, true);
    refuse_mistakes(d, *o.file);
    if (d.jobs.size() != 1)
      throw refusal(exit_code::usage, *o.file + " has " + std::to_string(d.jobs.size()) + " jobs, not one",
                    {}, "belfry apply " + *o.file);
    return d.jobs.front().body;
  }
  const std::string body = job_body(o, caller_folder());
  const auto draft = api::json::read_job(body, name);
  if (draft) return body;
  core::failure told = draft.error();
  for (auto& p : told.problems) p.pointer = flag_of(p.pointer);
  throw refusal(told);
}

int would(context& ctx, const std::string& deed, const std::string& body) {
  const auto parsed = json_text::parse(body);
  ctx.show(*parsed, (*parsed)["name"].text(), [&] { return "would " + deed + "\n" + indented(body) + "\n"; });
  return number_of(exit_code::ok);
}

int done(context& ctx, const json_text& job, const std::string& usual) {
  const auto outcome = job["result"].text();
  ctx.show(job, job["name"].text(), [&] {
    return "job " + job["name"].text() + " " + (outcome.empty() ? usual : outcome) + ", revision " +
           job["revision"].text() + "\n";
  });
  return number_of(exit_code::ok);
}

constexpr auto trial_patience = std::chrono::seconds{60};  // its half minute, and a wait in the queue

// The node tries the job whether or not this command lives; here its end is waited for and told. A job whose
// trial fails is not kept.
int tried(context& ctx, const json_text& job) {
  const auto name = job["name"].text();
  const auto trial = job["trial_run_id"].text();
  const auto ended = wait_for_runs(ctx, {trial}, std::chrono::steady_clock::now() + trial_patience);
  if (!ended.pending.empty()) {
    ctx.tell("belfry: the trial " + trial + " of " + name +
             " has not ended; the job stays paused until it has");
    ctx.tell("  help: belfry job show " + name);
    return number_of(exit_code::still_pending);
  }
  const auto& run = ended.ended.front();
  if (run["state"].text() == "succeeded") {
    const auto now = ctx.node().get(job_path(name));
    return done(ctx, now, "created, its trial " + trial + " has succeeded");
  }
  const auto page = ctx.node().get("/v1/runs/" + trial + "/logs?tail=20");
  page["lines"].each([&](view line) { ctx.tell("  | " + line["text"].text()); });
  ctx.node().call("DELETE", job_path(name), {});
  (void)tell_outcome(ctx, run.root());
  ctx.tell("belfry: job " + name + " was not kept, because its trial failed");
  return number_of(exit_code::ended_badly);
}

int create(const job_options& o, context& ctx) {
  auto body = whole_body(o, {});
  if (o.trial && o.file && body.ends_with('}')) body.insert(body.size() - 1, ",\"trial\":true");
  if (o.dry_run) return would(ctx, "create", body);
  call_options call;
  call.idempotency_key = "cli-" + random_key();
  const auto job = ctx.node().post("/v1/jobs", body, call);
  return o.trial ? tried(ctx, job) : done(ctx, job, "created");
}

int replace(const replace_options& o, context& ctx) {
  const auto body = whole_body(o.def, o.job.rfind("job_", 0) == 0 ? std::string{} : o.job);
  if (o.def.dry_run) return would(ctx, "replace " + o.job + " by", body);
  return done(ctx, ctx.node().call("PUT", job_path(o.job), body), "replaced");
}

int edit(const replace_options& o, context& ctx) {
  const auto body = job_body(o.def, gives_work(o.def.work) ? caller_folder() : std::string{});
  if (body == "{}")
    throw refusal(exit_code::usage, "there is nothing to change", {},
                  "belfry job edit " + o.job + " --timeout 1h");
  if (o.def.dry_run) return would(ctx, "change " + o.job + " by", body);
  return done(ctx, ctx.node().call("PATCH", job_path(o.job), body), "changed");
}

}  // namespace

void add_job_definitions(command& job, context& ctx) {
  auto& made = job.sub("create", "Create a job from flags or a file");
  auto& c = made.keep<job_options>();
  made.argument("FILE", c.file, "one job in TOML or JSON, as for apply", false, complete::files);
  declare_job_flags(made, c);
  made.flag("--paused", c.paused, "start paused");
  made.flag(
      "--trial", c.trial,
      "run it once before it is active: paused until that run, of half a minute at most, has succeeded; "
      "not kept when it fails");
  made.flag("--dry-run", c.dry_run, "check and show, create nothing");
  made.example("belfry job create --name backup --timeout 1h --retries 2 -- /usr/local/bin/backup /home", "");
  made.example("belfry job create --name report --cron '0 9 * * 1-5' --zone Europe/Berlin -- ./report", "");
  made.example(
      "belfry job create --name sweep --when 'every 15 minutes between 9am and 5pm on weekdays' -- ./sweep",
      "");
  made.example(
      "belfry job create --name notify --on-event run_failed --where job=backup --debounce 5m -- ./notify",
      "");
  made.example(
      "belfry job create --name mail --when 'every 5 minutes' --not-between 22:00-06:00 --not-in holidays "
      "-- ./mail",
      "");
  made.example("belfry job create backup.toml", "");
  made.action([&c, &ctx] { return create(c, ctx); });

  auto& put = job.sub("replace", "Replace the whole definition of a job, or create it");
  auto& p = put.keep<replace_options>();
  put.argument("JOB", p.job, "id or name", true, complete::jobs);
  put.argument("FILE", p.def.file, "one job in TOML or JSON, as for apply", false, complete::files);
  declare_job_flags(put, p.def);
  put.flag("--dry-run", p.def.dry_run, "check and show, change nothing");
  put.note(
      "What is not given falls back to its default. `job edit` changes only what is given. Runs that exist "
      "keep the revision that they were made from.");
  put.example("belfry job replace backup backup.toml", "");
  put.action([&p, &ctx] { return replace(p, ctx); });

  auto& patch = job.sub("edit", "Change some of a job, keep the rest");
  auto& e = patch.keep<replace_options>();
  patch.argument("JOB", e.job, "id or name", true, complete::jobs);
  declare_job_flags(patch, e.def);
  patch.flag("--dry-run", e.def.dry_run, "show what would be sent, change nothing");
  patch.note(
      "A command given after -- or by --shell replaces the whole handler, with its folder, environment and "
      "limits.");
  patch.example("belfry job edit backup --timeout 2h --priority high", "");
  patch.action([&e, &ctx] { return edit(e, ctx); });
}

}  // namespace belfry::app
