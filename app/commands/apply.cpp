// apply: makes the node's jobs what files declare, after showing the plan.
#include <map>

#include "api/json/writer.hpp"
#include "app/apply/plan.hpp"
#include "app/commands/all.hpp"

namespace belfry::app {
namespace {

struct apply_options {
  std::string path;
  bool dry_run = false, prune = false, trigger = false, no_runs = false, yes = false;
};

colour colour_of(planned_step::deed d) {
  switch (d) {
    case planned_step::deed::create: return colour::green;
    case planned_step::deed::replace: return colour::yellow;
    case planned_step::deed::unchanged: return colour::dim;
    case planned_step::deed::archive: return colour::red;
    case planned_step::deed::submit: return colour::cyan;
  }
  return colour::none;
}

std::string shown(const std::string& json) { return json.empty() ? "(default)" : fitted(json, 60); }

std::string step_text(const planned_step& step, const terminal& on) {
  const bool run = step.what == planned_step::deed::submit;
  std::string line = sign_of(step.what) + (run ? " run " : " job ") + step.name;
  if (run && step.times > 1) line += " (" + std::to_string(step.times) + " times)";
  if (run && !step.once.empty()) line += " once as " + step.once;
  line = on.paint(line, colour_of(step.what)) + "\n";
  for (const auto& change : step.changes)
    line += "    " + change.path + ": " + shown(change.before) + " -> " + shown(change.after) + "\n";
  return line;
}

std::string step_json(const planned_step& step, const std::vector<std::string>& ids,
                      const std::string& triggered) {
  api::json::writer w;
  w.begin_object()
      .member("action", word_of(step.what))
      .member("kind", step.what == planned_step::deed::submit ? "run" : "job")
      .member("name", step.name);
  w.key("changes").begin_array();
  for (const auto& change : step.changes) {
    w.begin_object().member("path", change.path);
    w.raw_or_null("before", change.before).raw_or_null("after", change.after).end_object();
  }
  w.end_array().texts("ids", ids).member_or_null("triggered", triggered);
  w.member("times", step.times).end_object();
  return w.take();
}

std::string submit_body(const planned_step& step) {
  if (step.times == 1) return step.body;
  std::string runs;
  for (std::int64_t i = 0; i < step.times; ++i) runs += (i == 0 ? "" : ",") + step.body;
  return "{\"runs\":[" + runs + "]}";
}

// What the step made: ids of runs, or of the job.
std::vector<std::string> perform(const planned_step& step, node_client& node) {
  std::vector<std::string> ids;
  const std::string path = "/v1/jobs/" + percent_encoded(step.name);
  call_options as_planned;  // refused when somebody changed the job since the plan was made
  as_planned.headers.emplace_back("If-Match", "\"" + std::to_string(step.revision) + "\"");
  switch (step.what) {
    case planned_step::deed::create: ids.push_back(node.call("PUT", path, step.body)["id"].text()); break;
    case planned_step::deed::replace:
      ids.push_back(node.call("PUT", path, step.body, as_planned)["id"].text());
      break;
    case planned_step::deed::archive:
      ids.push_back(node.call("DELETE", path, {}, as_planned)["id"].text());
      break;
    case planned_step::deed::unchanged: break;
    case planned_step::deed::submit: {
      call_options call;
      call.idempotency_key = step.once.empty() ? "cli-" + random_key() : "apply-" + step.once;
      const auto made = node.post(step.times == 1 ? "/v1/runs" : "/v1/runs:batch", submit_body(step), call);
      if (made["id"].there()) ids.push_back(made["id"].text());
      made["ids"].each([&](view id) { ids.push_back(id.text()); });
    }
  }
  return ids;
}

bool is_declared_job(const planned_step& step) {
  return step.what != planned_step::deed::submit && step.what != planned_step::deed::archive;
}

std::string summary(std::map<planned_step::deed, int>& counts, bool dry_run) {
  using deed = planned_step::deed;
  const auto part = [&](deed d, const char* done, const char* planned) {
    return std::to_string(counts[d]) + " " + (dry_run ? planned : done) + (d == deed::submit ? "\n" : ", ");
  };
  return (dry_run ? "plan: " : "done: ") + part(deed::create, "created", "to create") +
         part(deed::replace, "replaced", "to replace") + part(deed::unchanged, "unchanged", "unchanged") +
         part(deed::archive, "archived", "to archive") + part(deed::submit, "submitted", "to submit");
}

int apply(const apply_options& o, context& ctx) {
  const auto wanted = read_declarations(o.path);
  refuse_mistakes(wanted, o.path);
  const auto plan = make_plan(wanted, ctx.node(), o.prune, !o.no_runs);
  std::size_t archived = 0;
  for (const auto& step : plan) archived += step.what == planned_step::deed::archive ? 1 : 0;
  if (!o.dry_run && archived > 0) {
    for (const auto& step : plan)
      if (step.what == planned_step::deed::archive) ctx.tell(sign_of(step.what) + " job " + step.name);
    ctx.confirm("Archive " + std::to_string(archived) + " job" + (archived == 1 ? "" : "s") +
                    " that no file declares?",
                o.yes);
  }
  std::string items;
  std::map<planned_step::deed, int> counts;
  for (const auto& step : plan) {
    std::vector<std::string> ids;
    std::string triggered;
    if (!o.dry_run) {
      ids = perform(step, ctx.node());
      if (o.trigger && is_declared_job(step))
        triggered = ctx.node().post("/v1/jobs/" + percent_encoded(step.name) + ":trigger", "{}")["id"].text();
    }
    ++counts[step.what];
    if (ctx.table())
      ctx.put(step_text(step, ctx.screen()) +
              (triggered.empty() ? "" : "    triggered: " + triggered + "\n"));
    const auto item = step_json(step, ids, triggered);
    if (ctx.options.output == "jsonl") ctx.put(item + "\n");
    if (ctx.options.output == "name") ctx.put(step.name + "\n");
    items += (items.empty() ? "" : ",") + item;
  }
  if (ctx.json())
    ctx.put(
        indented("{\"dry_run\":" + std::string(o.dry_run ? "true" : "false") + ",\"plan\":[" + items + "]}") +
        "\n");
  if (ctx.table()) ctx.put(summary(counts, o.dry_run));
  return number_of(exit_code::ok);
}

}  // namespace

void add_apply(command& root, context& ctx) {
  auto& c = root.sub("apply", "Make the jobs of the node what files declare");
  auto& o = c.keep<apply_options>();
  c.argument("PATH", o.path, "a TOML or JSON file, or a folder of them", true, complete::files);
  c.flag("--dry-run", o.dry_run, "show the plan, change nothing");
  c.flag("--prune", o.prune, "archive jobs that came from files and that none of these declares");
  c.flag("--yes,-y", o.yes, "do not ask before archiving");
  c.flag("--trigger", o.trigger, "then make a run of each declared job");
  c.flag("--no-runs", o.no_runs, "leave out the [[run]] tables");
  c.note(
      "A file has [[job]] and [[run]] tables with the members of the HTTP API; those of the handler may "
      "stand beside the name. "
      "Signs of the plan: + created, ~ replaced, = unchanged, - archived, > submitted. A job that is there "
      "already stays; a run is "
      "submitted each time, or at most once a day with once = \"KEY\".");
  c.example("belfry apply jobs.toml --dry-run", "");
  c.example("belfry apply /etc/belfry/jobs --prune --yes", "");
  c.action([&o, &ctx] { return apply(o, ctx); });
}

}  // namespace belfry::app
