// run cancel, retry, discard, run-now, priority, clear: an operator's word on runs, by id or by filter.
#include "api/json/writer.hpp"
#include "app/commands/all.hpp"
#include "app/commands/filters.hpp"
#include "app/commands/waiting.hpp"
#include "app/commands/work_options.hpp"

namespace belfry::app {
namespace {

struct bulk_options {
  std::vector<std::string> runs;
  run_filters filters;
  std::optional<std::string> reason, payload, wait_timeout, level, if_state;
  std::optional<std::int64_t> if_fencing;
  bool dry_run = false, yes = false, wait = false;
};

void write_options(api::json::writer& w, const bulk_options& o) {
  if (o.reason) w.member("reason", *o.reason);
  if (o.payload) w.key("payload").raw(read_json(*o.payload, "--payload"));
  if (o.level) w.member("priority", *o.level);
  if (o.if_state) w.member("if_state", *o.if_state);
  if (o.if_fencing) w.member("if_fencing", *o.if_fencing);
}

std::string in_words(const std::string& verb) {
  if (verb == "priority") return "change the priority of";
  if (verb == "run-now") return "queue at once";
  if (verb == "force-release") return "take away from their holders";
  if (verb == "force-fail") return "give up";
  return verb;
}

std::string run_path(const std::string& run, const std::string& verb) {
  return "/v1/runs/" + percent_encoded(run) + ":" + verb;
}

std::string outcome_line(view item) {
  if (item["status"].text() == "error") return item["id"].text() + ": " + item["detail"].text();
  std::string line = item["id"].text();
  if (const auto predecessor = item["predecessor_id"].text(); !predecessor.empty())
    line = predecessor + " -> " + line;
  if (const auto successor = item["successor_id"].text(); !successor.empty()) line += " -> " + successor;
  const auto state = item["state"].text();
  if (!state.empty())
    line += " " + (item["cancel_requested"].truth() && !is_terminal(state)
                       ? "is " + state + " and was asked to stop"
                       : state);
  if (item["discarded"].truth()) line += ", discarded";
  if (item["status"].text() == "planned") return item["id"].text() + " would be " + state;
  return line;
}

// What would become of one run; the node decides it and changes nothing.
json_text planned_for(context& ctx, const bulk_options& o, const std::string& verb, const std::string& id) {
  api::json::writer w;
  w.begin_object().key("ids").begin_array().text(id).end_array().member("dry_run", true);
  write_options(w, o);
  w.end_object();
  return ctx.node().post("/v1/runs:" + verb, w.str());
}

void refuse_if_refused(const json_text& planned) {
  planned["items"].each([](view item) {
    if (item["status"].text() != "error") return;
    core::failure f{core::errc_from(item["code"].text()).value_or(core::errc::internal),
                    item["detail"].text(),
                    {},
                    item["command"].text()};
    throw refusal(f);
  });
}

// One by one: each answer says what became of that run.
int by_ids(const bulk_options& o, context& ctx, const std::string& verb) {
  const auto until = deadline_from(o.wait_timeout, "--wait-timeout");
  std::vector<std::string> touched;
  int code = number_of(exit_code::ok);
  for (const auto& run : o.runs) {
    try {
      if (o.dry_run) {
        const auto found = ctx.node().get("/v1/runs/" + percent_encoded(run));
        refuse_if_refused(planned_for(ctx, o, verb, found["id"].text()));
        ctx.show(found, found["id"].text(), [&] {
          return "would " + in_words(verb) + " " + found["id"].text() + " (" + found["state"].text() + ")\n";
        });
        continue;
      }
      api::json::writer w;
      w.begin_object();
      write_options(w, o);
      w.end_object();
      const auto answer = ctx.node().post(run_path(run, verb), w.str());
      touched.push_back(answer["id"].text());
      ctx.show(answer, answer["id"].text(), [&] {
        return outcome_line(answer.root()) + (o.level ? ", priority " + *o.level : std::string{}) + "\n";
      });
    } catch (const refusal& r) {
      if (o.runs.size() == 1) throw;
      std::fputs(refusal_text(r, ctx).c_str(), stderr);
      if (code == 0) code = number_of(r.exit);
    }
  }
  if (!o.wait || o.dry_run || code != 0) return code;
  const auto done = wait_for_runs(ctx, touched, until);
  if (!done.pending.empty()) return number_of(exit_code::still_pending);
  for (const auto& run : done.ended)
    if (verb == "retry")
      if (const int outcome = tell_outcome(ctx, run.root()); outcome != 0) code = outcome;
  return code;
}

json_text bulk(context& ctx, const bulk_options& o, const std::string& verb, bool dry_run) {
  api::json::writer w;
  w.begin_object().key("filter");
  write_filter(w, o.filters, ctx.started);
  write_options(w, o);
  if (dry_run)
    w.member("dry_run", true);
  else
    w.member("confirm", true);
  w.end_object();
  return ctx.node().post("/v1/runs:" + verb, w.str());
}

// By filter: first how many, then, when that was confirmed, in bites until none is left.
int by_filter(const bulk_options& o, context& ctx, const std::string& verb) {
  const auto preview = bulk(ctx, o, verb, true);
  const auto count = preview["matched"].number();
  const std::string plural =
      std::to_string(count) + (count == 1 ? " run" : " runs") + (preview["more"].truth() ? " or more" : "");
  if (o.dry_run) {
    ctx.show(preview, std::to_string(count), [&] {
      std::string text = "would " + in_words(verb) + " " + plural + "\n";
      preview["items"].each([&](view item) { text += "  " + outcome_line(item) + "\n"; });
      return text;
    });
    return number_of(exit_code::ok);
  }
  if (count == 0) {
    ctx.show(preview, "0", [&] { return "no run fits\n"; });
    return number_of(exit_code::ok);
  }
  ctx.confirm("This would " + in_words(verb) + " " + plural + ".", o.yes);
  int code = number_of(exit_code::ok);
  std::size_t changed = 0, refused = 0;
  std::string first_before;
  while (true) {
    const auto answer = bulk(ctx, o, verb, false);
    std::size_t in_this = 0;
    answer["items"].each([&](view item) {
      if (item["status"].text() == "error") {
        ++refused;
        ctx.tell("belfry: " + outcome_line(item));
        const auto known = core::errc_from(item["code"].text());
        if (code == 0) code = number_of(known ? exit_code_of(*known) : exit_code::unexpected);
        return;
      }
      ++in_this;
      if (ctx.table())
        ctx.put(outcome_line(item) + "\n");
      else if (ctx.options.output == "name")
        ctx.put(item["id"].text() + "\n");
      else if (ctx.options.output == "jsonl")
        ctx.put(compact(item.raw()) + "\n");
    });
    changed += in_this;
    if (ctx.json()) ctx.put(indented(answer.text()) + "\n");
    // Running ones stay until they have stopped: the same bite again would come back for ever.
    std::string begins_with;
    answer["items"].each([&](view item) {
      if (begins_with.empty()) begins_with = item["id"].text();
    });
    if (!answer["more"].truth() || in_this == 0 || begins_with == first_before) break;
    first_before = begins_with;
  }
  if (ctx.table())
    ctx.tell(verb + ": " + std::to_string(changed) + " done" +
             (refused > 0 ? ", " + std::to_string(refused) + " refused" : ""));
  return code;
}

bool needs_reason(const std::string& verb) {
  return verb == "force-release" || verb == "force-fail" || verb == "recover";
}

int perform_bulk(const bulk_options& o, context& ctx, const std::string& verb, const std::string& path) {
  if (o.runs.empty() == !o.filters.any())
    throw refusal(
        exit_code::usage,
        o.runs.empty() ? "which runs? give ids or a filter" : "give either ids or a filter, not both", {},
        path + " --help");
  if (needs_reason(verb) && !o.reason)
    throw refusal(exit_code::usage, "--reason: say why, it stays in the journal", {},
                  path + " RUN --reason 'its machine is gone'");
  return o.runs.empty() ? by_filter(o, ctx, verb) : by_ids(o, ctx, verb);
}

void declare_common(command& c, bulk_options& o, const std::string& verb, const std::string& state_example) {
  declare(c, o.filters);
  if (verb == "retry")
    c.option("--payload", o.payload, "JSON", "instead of the payload of the run; @FILE reads a file");
  else if (needs_reason(verb))
    c.option("--reason", o.reason, "TEXT", "why, for the journal; required");
  else if (verb != "priority" && verb != "run-now")
    c.option("--reason", o.reason, "TEXT", "why, for the journal");
  if (needs_reason(verb)) {
    c.option("--if-state", o.if_state, "STATE", "only when the run is in this state", complete::states);
    c.option("--if-fencing", o.if_fencing, "N", "only when nobody has claimed it since: its fencing number");
  }
  if (verb == "cancel" || verb == "retry") {
    c.flag("--wait,-w", o.wait, "wait for the end");
    c.option("--wait-timeout", o.wait_timeout, "TIME", "wait no longer than this; exit code 8 then");
  }
  c.flag("--dry-run", o.dry_run, "tell which and what would be, change nothing");
  c.flag("--yes,-y", o.yes, "do not ask before a change by filter");
  const std::string why = needs_reason(verb) ? " --reason 'host is gone'" : "";
  c.example(c.path() + (verb == "priority" ? " urgent" : "") + " run_01HZX3K9QWERT" + why, "");
  c.example(c.path() + (verb == "priority" ? " high " : " ") + state_example + why + " --dry-run",
            "How many that would be.");
}

void declare_bulk(command& c, context& ctx, const std::string& verb, const std::string& state_example) {
  auto& o = c.keep<bulk_options>();
  c.argument("RUN", o.runs, "ids, beginnings of ids, or names; or give a filter", false, complete::runs);
  declare_common(c, o, verb, state_example);
  if (verb == "run-now") c.note("For runs that are scheduled, retrying or parked: they are queued at once.");
  if (verb == "force-release")
    c.note(
        "The run is queued again at its place, and neither an attempt nor a loss is counted. Whoever has it "
        "is "
        "fenced off: what it still says is refused and kept, and a late success can be adopted. A process of "
        "the node is stopped; that of an outside worker stops when the worker hears of it, so for a while "
        "two "
        "may be at the same work.");
  if (verb == "force-fail")
    c.note("The run ends as failed, a dead letter, from wherever it stands; whoever has it is fenced off.");
  if (verb == "recover")
    c.note("Closes runs that need attention and makes a linked successor of each, queued, in one commit.");
  c.note(
      "When some of several runs were refused, the exit code is that of the first refusal; what was done is "
      "printed, and what was refused is told on stderr.");
  c.action([&o, &ctx, verb, path = c.path()] { return perform_bulk(o, ctx, verb, path); });
}

void declare_priority(command& c, context& ctx) {
  auto& o = c.keep<bulk_options>();
  auto& level = c.keep<std::string>();
  c.argument("LEVEL", level, "the new priority", true, complete::priorities,
             {"urgent", "critical", "high", "normal", "medium", "low"});
  c.argument("RUN", o.runs, "ids, beginnings of ids, or names; or give a filter", false, complete::runs);
  declare_common(c, o, "priority", "--lane mail");
  c.action([&o, &level, &ctx, path = c.path()] {
    o.level = level;
    return perform_bulk(o, ctx, "priority", path);
  });
}

struct clear_options {
  run_filters filters;
  bool yes = false, dry_run = false;
};

struct adopt_options {
  std::string run;
  std::optional<std::int64_t> fencing;
  std::optional<std::string> reason;
};

void declare_adopt(command& c, context& ctx) {
  auto& o = c.keep<adopt_options>();
  c.argument("RUN", o.run, "id, prefix or name of a run", true, complete::runs);
  c.option("--fencing", o.fencing, "N", "fencing number of the attempt; default the newest late result");
  c.option("--reason", o.reason, "TEXT", "kept in the journal");
  c.note(
      "A worker whose lease had run out, and that finished all the same, was refused; what it said was kept. "
      "If nobody else has finished the run, its result can be accepted: the run has succeeded, and whoever "
      "works on it meanwhile is told to stop. A dead letter stays; its successor has succeeded.");
  c.example("belfry run adopt thumbs --reason 'checked by hand'", "");
  c.action([&o, &ctx] {
    api::json::writer w;
    w.begin_object();
    if (o.fencing) w.member("fencing", *o.fencing);
    if (o.reason) w.member("reason", *o.reason);
    w.end_object();
    const auto answer = ctx.node().post(run_path(o.run, "adopt"), w.str());
    ctx.show(answer, answer["id"].text(),
             [&] { return answer["id"].text() + " " + answer["state"].text() + "\n"; });
    return number_of(exit_code::ok);
  });
}

void declare_clear(command& c, context& ctx) {
  auto& o = c.keep<clear_options>();
  declare(c, o.filters);
  c.flag("--yes,-y", o.yes, "do not ask");
  c.flag("--dry-run", o.dry_run, "tell which, change nothing");
  c.note("Running work goes on, and the cancelled runs stay in the history.");
  c.example(c.path() + " --dry-run", "");
  c.example(c.path() + " --lane mail --yes", "");
  c.action([&o, &ctx] {
    bulk_options all;
    all.filters = o.filters;
    if (all.filters.states.empty())
      all.filters.states = {"queued", "scheduled", "retrying", "parked", "blocked"};
    all.reason = "queue cleared";
    all.yes = o.yes;
    all.dry_run = o.dry_run;
    return by_filter(all, ctx, "cancel");
  });
}

}  // namespace

void add_control(command& root, command& run, context& ctx) {
  struct entry {
    const char *verb, *says, *example;
  };
  constexpr std::array<entry, 4> bulks{
      {{"cancel", "Cancel runs; running ones are stopped", "--job backup --state queued"},
       {"retry", "Run runs again that ended badly, as linked successors", "--dead --since 1d"},
       {"discard", "Dismiss dead letters", "--dead --until 7d"},
       {"run-now", "Queue runs at once that wait for their time", "--state parked --lane gpu"}}};
  for (const auto& each : bulks) {
    declare_bulk(run.sub(each.verb, each.says), ctx, each.verb, each.example);
    declare_bulk(root.sub(each.verb, each.says).short_for(std::string("belfry run ") + each.verb), ctx,
                 each.verb, each.example);
  }
  declare_bulk(run.sub("force-release", "Take runs from whoever has them; queued again at their place"), ctx,
               "force-release", "--session ses_01HZX3K9QWERT");
  declare_bulk(run.sub("force-fail", "Give runs up that have not ended; dead letters"), ctx, "force-fail",
               "--batch bat_01HZX3K9QWERT");
  declare_bulk(run.sub("recover", "Close runs that need attention and make their successors"), ctx, "recover",
               "--state needs_attention");
  declare_priority(run.sub("priority", "Change the priority of runs"), ctx);
  declare_priority(root.sub("priority", "Change the priority of runs").short_for("belfry run priority"), ctx);
  declare_adopt(run.sub("adopt", "Accept a result that came after its lease was over"), ctx);
  declare_clear(run.sub("clear", "Cancel everything that waits"), ctx);
  declare_clear(root.sub("clear", "Cancel everything that waits").short_for("belfry run clear"), ctx);
}

}  // namespace belfry::app
