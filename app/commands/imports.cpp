// import crontab, systemd-timers, ncp: the jobs of another scheduler, shown as a plan before anything is
// changed. Repeated, it changes only what has changed in the file.
#include <filesystem>
#include <map>

#include "api/json/writer.hpp"
#include "app/commands/all.hpp"
#include "app/commands/work_options.hpp"
#include "app/imports/crontab.hpp"
#include "app/imports/machine.hpp"
#include "app/imports/ncp.hpp"
#include "app/imports/plan.hpp"
#include "app/imports/timers.hpp"
#include "core/schedule/phrase.hpp"

namespace belfry::app {
namespace {

using import_deed = planned_step::deed;

struct import_flags {
  std::optional<std::string> zone, origin, user;
  std::string prefix, shell = "/bin/sh", program = "ncp";
  std::optional<std::string> path;
  bool dry_run = false, yes = false, prune = false, system = false, skip_checks = false;
};

colour import_colour(import_deed d) {
  switch (d) {
    case import_deed::create: return colour::green;
    case import_deed::replace: return colour::yellow;
    case import_deed::unchanged: return colour::dim;
    case import_deed::archive: return colour::red;
    case import_deed::submit: return colour::cyan;
  }
  return colour::none;
}

std::string import_value(const std::string& json) { return json.empty() ? "(default)" : fitted(json, 60); }

std::string words_for(const imported_job& job) {
  const auto read = core::parse_canonical(job.definition.timing.schedule, {});
  return read.ok() ? core::describe(*read) : job.definition.timing.schedule;
}

std::string command_shown(const imported_job& job) {
  const auto& p = job.definition.spec.process;
  return p.shell.empty() ? joined(p.argv, " ") : p.shell;
}

std::string import_step_text(const import_step& step, const import_flags& o, const terminal& on) {
  std::string out = on.paint(sign_of(step.what) + " job " + step.name, import_colour(step.what));
  if (!step.job) return out + (o.prune ? "  gone, to be archived\n" : "  gone; --prune archives it\n");
  const auto& job = *step.job;
  out += "  (" + job.from + ")" + (job.paused && step.what == import_deed::create ? ", paused" : "") + "\n";
  for (const auto& c : step.changes)
    out += "    " + c.path + ": " + import_value(c.before) + " -> " + import_value(c.after) + "\n";
  if (step.what == import_deed::unchanged) return out;
  out += "    runs   " + fitted(command_shown(job), 100) + "\n";
  out += "    when   " + printable(job.says) + ": " + words_for(job) + "\n";
  out += "    next   ";
  for (std::size_t i = 0; i < step.next.size(); ++i)
    out += (i == 0 ? "" : ", ") + step.next[i].local + (i == 0 ? " " + step.next[i].offset : "");
  out += "\n";
  for (const auto& n : job.notes) out += "    note   " + printable(n) + "\n";
  return out;
}

std::string plan_text(const import_plan& plan, const import_source& source, const import_flags& o,
                      const terminal& on) {
  std::string out;
  for (const auto& step : plan.steps) out += import_step_text(step, o, on);
  for (const auto& r : source.refused)
    out += on.paint("! " + r.from, colour::red) + (r.text.empty() ? "" : "  " + r.text) +
           "\n    not imported: " + printable(r.why) + "\n";
  for (const auto& n : source.notes) out += "note: " + printable(n) + "\n";
  return out;
}

void write_step(api::json::writer& w, const import_step& step) {
  w.begin_object()
      .member("action", step.job ? word_of(step.what) : std::string("gone"))
      .member("name", step.name);
  if (step.job) {
    w.member("from", step.job->from).member("when", step.job->says);
    w.member("schedule", step.job->definition.timing.schedule).member("paused", step.job->paused);
    w.texts("notes", step.job->notes);
  }
  w.key("next").begin_array();
  for (const auto& n : step.next) w.text(n.local + " " + n.offset);
  w.end_array().key("changes").begin_array();
  for (const auto& c : step.changes) {
    w.begin_object().member("path", c.path);
    w.raw_or_null("before", c.before).raw_or_null("after", c.after).end_object();
  }
  w.end_array().end_object();
}

std::string plan_json(const import_plan& plan, const import_source& source, bool dry_run,
                      const std::vector<std::string>& failed) {
  api::json::writer w;
  w.begin_object().member("source", source.kind).member("origin", source.origin).member("dry_run", dry_run);
  w.key("plan").begin_array();
  for (const auto& step : plan.steps) write_step(w, step);
  w.end_array().key("refused").begin_array();
  for (const auto& r : source.refused) {
    w.begin_object().member("from", r.from).member("entry", r.text).member("why", r.why);
    w.end_object();
  }
  w.end_array().texts("notes", source.notes).texts("failed", failed).end_object();
  return w.take();
}

void carry_step(const import_step& step, node_client& node) {
  const auto path = "/v1/jobs/" + percent_encoded(step.name);
  call_options as_planned;  // refused when somebody changed the job since the plan was made
  as_planned.headers.emplace_back("If-Match", "\"" + std::to_string(step.revision) + "\"");
  switch (step.what) {
    case import_deed::create: node.call("PUT", path, step.body); break;
    case import_deed::replace: node.call("PUT", path, step.body, as_planned); break;
    case import_deed::archive: node.call("DELETE", path, {}, as_planned); break;
    case import_deed::unchanged:
    case import_deed::submit: break;
  }
}

std::string import_summary(std::map<import_deed, int>& n, const import_source& source, std::size_t gone,
                           const import_flags& o) {
  const bool dry = o.dry_run;
  return std::string(dry ? "plan: " : "done: ") + std::to_string(n[import_deed::create]) +
         (dry ? " to create, " : " created, ") + std::to_string(n[import_deed::replace]) +
         (dry ? " to replace, " : " replaced, ") + std::to_string(n[import_deed::unchanged]) +
         " unchanged, " + std::to_string(o.prune ? n[import_deed::archive] : 0) +
         (dry ? " to archive, " : " archived, ") + (o.prune ? "" : std::to_string(gone) + " gone, ") +
         std::to_string(source.refused.size()) + " not imported\n";
}

int carry_out(import_source source, const import_flags& o, context& ctx) {
  if (o.skip_checks)
    for (auto& job : source.jobs) job.definition.spec.unchecked.by = core::whoever_asks;
  const auto exported = ctx.node().raw("GET", "/v1/export", {});
  if (exported.status >= 400) throw refusal_of(exported);
  const auto plan = plan_import(source, exported.body, ctx.started);
  if (ctx.table()) ctx.put(plan_text(plan, source, o, ctx.screen()));
  std::map<import_deed, int> counts;
  for (const auto& step : plan.steps) ++counts[step.what];
  const int changes = counts[import_deed::create] + counts[import_deed::replace] +
                      (o.prune ? counts[import_deed::archive] : 0);
  std::vector<std::string> failed;
  if (!o.dry_run && changes > 0) {
    ctx.confirm("Make these " + std::to_string(changes) + " changes?", o.yes);
    for (const auto& step : plan.steps) {
      if (step.what == import_deed::archive && !o.prune) continue;
      try {
        carry_step(step, ctx.node());
      } catch (const refusal& r) {
        if (r.exit == exit_code::try_later || r.exit == exit_code::permission) throw;
        failed.push_back(step.name + ": " + r.what() + (r.why.empty() ? "" : ": " + joined(r.why, "; ")));
        --counts[step.what];
      }
    }
  }
  if (ctx.json()) ctx.put(indented(plan_json(plan, source, o.dry_run, failed)) + "\n");
  if (ctx.options.output == "jsonl") ctx.put(plan_json(plan, source, o.dry_run, failed) + "\n");
  if (ctx.options.output == "name")
    for (const auto& step : plan.steps) ctx.put(step.name + "\n");
  for (const auto& f : failed) ctx.tell("belfry: job " + f);
  if (ctx.table()) {
    if (changes == 0) ctx.put("nothing to do\n");
    ctx.put(import_summary(counts, source, plan.gone, o));
  }
  return number_of(failed.empty() && source.refused.empty() ? exit_code::ok : exit_code::ended_badly);
}

machine_zone zone_of(const import_flags& o) {
  if (!o.zone) return local_zone();
  if (const auto z = core::zone::named(*o.zone); !z)
    throw refusal(exit_code::usage, "--zone: " + z.error().text);
  return {*o.zone, "--zone"};
}

void tell_zone(import_source& source, const machine_zone& zone) {
  source.notes.insert(source.notes.begin(),
                      "times are in the zone " + zone.name + " (from " + zone.from + ")");
}

std::string whole_path(const std::string& path) {
  std::error_code error;
  const auto whole = std::filesystem::absolute(path, error).lexically_normal().string();
  return error ? path : whole;
}

int import_crontab(const import_flags& o, context& ctx) {
  const auto zone = zone_of(o);
  crontab_options c;
  c.zone = zone.name;
  c.shell = o.shell;
  c.system = o.system;
  c.prefix = o.prefix;
  const auto caller = own_account();
  c.account = caller;
  c.may_switch = is_root();
  if (c.system)
    c.only = o.user.value_or("");
  else
    c.owner = o.user.value_or(caller);
  c.home = home_of(caller);
  std::string text;
  if (o.path) {
    text = read_text(*o.path, most_import_bytes, "FILE");
    c.origin = *o.path == "-" ? "stdin" : whole_path(*o.path);
  } else {
    if (c.system)
      throw refusal(exit_code::usage, "--system needs a file", {},
                    "belfry import crontab /etc/crontab --system");
    text = own_crontab(o.user.value_or(""));
    c.origin = "crontab of " + o.user.value_or(caller);
  }
  if (o.origin) c.origin = *o.origin;
  auto source = read_crontab(text, c);
  tell_zone(source, zone);
  return carry_out(std::move(source), o, ctx);
}

int import_timers(const import_flags& o, context& ctx) {
  const auto zone = zone_of(o);
  timers_options t;
  t.zone = zone.name;
  t.account = own_account();
  t.home = home_of(t.account);
  t.may_switch = is_root();
  t.prefix = o.prefix;
  t.origin = o.origin.value_or(whole_path(*o.path));
  auto source = read_timers(read_units(*o.path), t);
  tell_zone(source, zone);
  return carry_out(std::move(source), o, ctx);
}

int import_ncp(const import_flags& o, context& ctx) {
  const auto zone = zone_of(o);
  ncp_options n;
  n.zone = zone.name;
  n.program = o.program;
  n.prefix = o.prefix;
  n.origin = o.origin.value_or(*o.path == "-" ? "stdin" : whole_path(*o.path));
  auto source = read_ncp(read_text(*o.path, most_import_bytes, "FILE"), n);
  if (!source) throw refusal(source.error());
  tell_zone(*source, zone);
  return carry_out(std::move(*source), o, ctx);
}

void declare_import_flags(command& c, import_flags& o) {
  c.option("--zone", o.zone, "ZONE", "IANA name, where the source names none; default that of this machine");
  c.option("--prefix", o.prefix, "P", "put before the name of each job");
  c.option("--origin", o.origin, "NAME", "what tells this source from others; default its path");
  c.flag("--prune", o.prune, "archive jobs of an earlier import of this source that are gone from it");
  c.flag("--skip-checks", o.skip_checks, "do not look whether programs and folders are there");
  c.flag("--dry-run", o.dry_run, "show the plan, change nothing");
  c.flag("--yes,-y", o.yes, "do not ask before changing anything");
  c.note(
      "The plan comes first: + to create, ~ to replace, = unchanged, - gone from the source, ! not imported "
      "and why; "
      "each new or changed job with its next five times. Nothing is written without --yes or a yes on a "
      "terminal. "
      "Imported again, only what has changed in the source is changed. Exits with 3 when something was not "
      "imported.");
}

}  // namespace

void add_imports(command& import, context& ctx) {
  auto& crontab = import.sub("crontab", "Make jobs of the entries of a crontab");
  auto& c = crontab.keep<import_flags>();
  crontab.argument("FILE", c.path, "a crontab; - for stdin; without it what `crontab -l` prints", false,
                   complete::files);
  crontab.flag("--system", c.system, "with a column of users, as /etc/crontab and the files of /etc/cron.d");
  crontab.option("--user", c.user, "NAME",
                 "whose crontab it is; with --system only the entries of this user");
  crontab.option("--shell", c.shell, "PATH", "where the crontab sets no SHELL; default /bin/sh");
  declare_import_flags(crontab, c);
  crontab.example("belfry import crontab --dry-run", "");
  crontab.example("belfry import crontab /etc/cron.d/backup --system --prefix sys- --yes", "");
  crontab.action([&c, &ctx] { return import_crontab(c, ctx); });

  auto& timers = import.sub("systemd-timers", "Make jobs of the timers of systemd and what they start");
  auto& t = timers.keep<import_flags>();
  timers.argument("DIR", t.path, "a folder with .timer and .service files and their drop-ins", true,
                  complete::folders);
  declare_import_flags(timers, t);
  timers.example("belfry import systemd-timers ~/.config/systemd/user --dry-run", "");
  timers.action([&t, &ctx] { return import_timers(t, ctx); });

  auto& ncp = import.sub("ncp", "Make jobs of the scheduled tasks of ncp");
  auto& n = ncp.keep<import_flags>();
  ncp.argument("FILE", n.path, "its jobs.json (version 1) or schedule.json (2.0.0); - for stdin", true,
               complete::files);
  ncp.option("--program", n.program, "PATH", "the ncp to run; default ncp");
  declare_import_flags(ncp, n);
  ncp.example("belfry import ncp ~/.ncp/scheduler/schedule.json --dry-run", "");
  ncp.action([&n, &ctx] { return import_ncp(n, ctx); });
}

}  // namespace belfry::app
