// run explain: why a run is where it is, for somebody who has never seen it.
#include "app/commands/all.hpp"
#include "app/commands/rung.hpp"

namespace belfry::app {
namespace {

void add_reasons(std::string& out, view list, const std::string& margin) {
  list.each([&](view r) {
    out += margin + r["text"].text() + " [" + r["code"].text() + "]\n";
    if (const auto lift = r["lift"].text(); !lift.empty()) out += margin + "    lifted by " + lift + "\n";
    if (const auto command = r["command"].text(); !command.empty()) out += margin + "    " + command + "\n";
  });
}

std::string codes_in(view reasons) {
  std::string text;
  reasons.each([&](view r) { text += (text.empty() ? "" : ", ") + r["code"].text(); });
  return text;
}

std::string first_text(view reasons) {
  std::string text;
  reasons.each([&](view r) {
    if (text.empty()) text = r["text"].text();
  });
  return text;
}

void add_wakes(std::string& out, view e, context& ctx) {
  if (e["wakes"].size() == 0) return;
  table t({{"WOKEN"}, {"SESSION"}, {"OUTCOME"}, {"AFTER", true}, {"BECAUSE", false, 12}});
  e["wakes"].each([&](view w) {
    const auto outcome = w["outcome"].text();
    const bool lost = outcome == "failed" || outcome == "refused";
    t.row({ago(w["sent_at"].text(), ctx.started) + (w["by_hand"].truth() ? ", by hand" : ""),
           w["session_id"].text(),
           {outcome, lost                   ? colour::red
                     : outcome == "claimed" ? colour::green
                                            : colour::none},
           w["ended_at"].there() ? lasting(w["took_ms"].number()) : "",
           w["text"].text()});
  });
  out += "\nWoken for it since " + e["wakes_known_since"].text() + ": " + e["wakes_in_all"].text() + "\n" +
         t.text(ctx.screen());
}

std::string explanation_page(view e, context& ctx) {
  const auto state = e["state"].text();
  facts f;
  f.add("run", e["run_id"].text() + " " + e["name"].text());
  f.add("state", {state, colour_of_state(state)});
  if (e["waited_ms"].there()) f.add("waits for", lasting(e["waited_ms"].number()));
  f.add("said", e["said"].text());
  if (e["deferred_from"].there())
    f.add("deferred", "it was meant for " + e["deferred_from"].text() + " and postponed" +
                          (e["deferred_by"].there() ? " by " + e["deferred_by"].text() : std::string{}));
  f.add("held by", e["session_id"].text());
  f.add("priority",
        e["priority"].text() + (e["lane"].text().empty() ? std::string{} : ", lane " + e["lane"].text()) +
            (e["workspace"].text().empty() ? std::string{} : ", workspace " + e["workspace"].text()));
  if (e["position"].there()) f.add("position", e["position"].text() + " in its lane and priority");
  if (const auto basis = e["eta_basis"].text(); !basis.empty())
    f.add("starts in",
          e["eta_ms"].there() ? "about " + lasting(e["eta_ms"].number()) + " (" + basis + ")" : basis);
  f.add("tries", e["attempt"].text() + " begun, " + e["attempts_used"].text() + " of " +
                     e["max_attempts"].text() + " failed, " + e["losses"].text() + " of " +
                     e["max_losses"].text() + " lost");
  if (const auto at = e["next_at"].text(); !at.empty())
    f.add("next", ago(at, ctx.started) + ": " + e["next"].text() + " (" + at + ")");
  if (const auto rung = e["ladder"]; rung.there())
    f.add("nobody takes it", {rung_in_words(rung, ctx.started), colour::yellow});
  std::string out = f.text(ctx.screen());
  if (!e["open"].truth()) {
    out += "\nIt has ended; nothing holds it.\n  " + e["then"].text() + "\n";
    return out;
  }
  if (e["reasons"].size() > 0) {
    out += "\nWhy it is not done:\n";
    add_reasons(out, e["reasons"], "  ");
  }
  add_wakes(out, e, ctx);
  if (e["sessions"].size() > 0) {
    table t(
        {{"SESSION"}, {"NAME", false, 8}, {"MAY"}, {"RULES THAT SAY NO", false, 12}, {"BECAUSE", false, 12}});
    e["sessions"].each([&](view s) {
      const bool may = s["eligible"].truth();
      t.row({s["id"].text(),
             s["name"].text(),
             {may ? "yes" : "no", may ? colour::green : colour::none},
             codes_in(s["reasons"]),
             first_text(s["reasons"])});
    });
    out += "\n" + t.text(ctx.screen());
  }
  return out;
}

// "by calendar holidays: 3 from 2026-12-24T09:00:00Z, moved to …"
std::string left_out_text(view r) {
  std::string text = "by " + r["exclusion"].text() + ": ";
  if (r["count"].number() > 1)
    text += r["count"].text() + (r["at_least"].truth() ? " or more" : "") + " from " + r["first"].text() +
            " to " + r["last"].text();
  else
    text += r["first"].text();
  if (r["moved_to"].there()) text += ", due at " + r["moved_to"].text();
  return text;
}

std::string job_explanation_page(view e, context& ctx) {
  facts f;
  f.add("job", e["job_id"].text() + " " + e["name"].text());
  f.add("state", e["state"].text() + ", runs made " + e["runs_made"].text());
  const auto trigger = e["trigger"];
  const auto code = trigger["code"].text();
  f.add("trigger", {trigger["text"].text() + " [" + code + "]",
                    code == "made" || code == "replaces" ? colour::green : colour::yellow});
  f.add("", trigger["command"].text());
  if (e["next_at"].there()) f.add("due", e["next_at"].text());
  f.add("ending", e["ending"].text());
  e["left_out"].each([&](view r) { f.add(r["reason"].text(), left_out_text(r)); });
  if (const auto last = e["last"]; last.there()) {
    const auto state = last["state"].text();
    f.add("last run", {last["run_id"].text() + " " + state + " " + ago(last["ended_at"].text(), ctx.started),
                       colour_of_state(state)});
    f.add("said", last["said"].text());
    f.add("", last["then"].text());
  }
  std::string out = f.text(ctx.screen());
  if (e["open"].size() == 0) return out + "\nNothing of it waits or runs.\n";
  out += "\nNot ended yet:\n";
  e["open"].each([&](view r) {
    out += "  " + r["run_id"].text() + " " + r["state"].text();
    if (const auto at = r["next_at"].text(); !at.empty())
      out += ", " + ago(at, ctx.started) + ": " + r["next"].text();
    out += "\n";
    add_reasons(out, r["reasons"], "      ");
  });
  if (e["more"].truth()) out += "  and more: belfry job runs " + e["name"].text() + "\n";
  return out;
}

}  // namespace

void declare_job_explanation(command& c, context& ctx) {
  auto& names = c.keep<std::vector<std::string>>();
  c.argument("JOB", names, "names or ids", true, complete::jobs);
  c.note(
      "The overlap rule is the one that the trigger itself goes by. `belfry run explain` has more of each "
      "run.");
  c.example("belfry job explain nightly", "");
  c.action([&names, &ctx] {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto e = ctx.node().get("/v1/jobs/" + percent_encoded(names[i]) + "/explain");
      if (i > 0 && ctx.table()) ctx.put("\n");
      ctx.show(e, e["job_id"].text(), [&] { return job_explanation_page(e.root(), ctx); });
    }
    return number_of(exit_code::ok);
  });
}

void add_explain(command& run, context& ctx) {
  auto& c = run.sub("explain", "Say why a run is where it is, and what would change that");
  auto& ids = c.keep<std::vector<std::string>>();
  c.argument("RUN", ids, "ids, beginnings of ids, or names", true, complete::runs);
  c.note(
      "Every reason with its evidence, what would lift it and the command that does; then each session with "
      "the rules that keep it from the run. The claim itself goes by the same rules. docs/diagnostics.md has "
      "all codes.");
  c.example("belfry run explain thumbs", "");
  c.example("belfry run explain thumbs -o json | jq '.reasons[].code'", "");
  c.action([&ids, &ctx] {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto e = ctx.node().get("/v1/runs/" + percent_encoded(ids[i]) + "/explain");
      if (i > 0 && ctx.table()) ctx.put("\n");
      ctx.show(e, e["run_id"].text(), [&] { return explanation_page(e.root(), ctx); });
    }
    return number_of(exit_code::ok);
  });
}

}  // namespace belfry::app
