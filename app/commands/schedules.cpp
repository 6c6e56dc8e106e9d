// schedule: what an expression means. occurrences: what became of the planned times of a job.
#include "api/json/writer.hpp"
#include "app/commands/all.hpp"
#include "app/commands/job_flags.hpp"

namespace belfry::app {
namespace {

struct expression_options {
  std::vector<std::string> words;
  std::optional<std::string> zone, from, name;
  exclusion_options but;
  std::int64_t count = 5;
};

std::string joined_words(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& w : words) text += (text.empty() ? "" : " ") + w;
  return text;
}

json_text meaning_of(const expression_options& o, context& ctx) {
  api::json::writer w;
  w.begin_object().member("expression", joined_words(o.words)).member("count", o.count);
  if (o.zone) w.member("zone", *o.zone);
  if (o.from) w.member("from", *o.from);
  if (o.name) w.member("name", *o.name);
  write_exclusions(w, o.but);
  w.end_object();
  return ctx.node().post("/v1/schedules:parse", w.str());
}

std::string clock_note(const std::string& shift) {
  if (shift == "gap") return "moved: the clock skips the time";
  if (shift == "first_pass") return "the clock shows it twice: first pass";
  if (shift == "second_pass") return "the clock shows it twice: second pass";
  return {};
}

std::string times_table(context& ctx, view m) {
  if (m["on_event"].truth()) return "no times: a job runs " + m["description"].text() + "\n";
  if (m["next"].size() == 0) return "no time is left\n";
  table t({{"LOCAL"}, {"OFFSET"}, {"UTC"}, {"CLOCK", false, 8}});
  m["next"].each([&](view n) {
    t.row({n["local"].text(), n["offset"].text(), n["at"].text(), clock_note(n["clock"].text())});
  });
  std::string out = t.text(ctx.screen());
  if (m["left_out"].size() == 0) return out;
  table no({{"LEFT OUT"}, {"BY", false, 12}, {"TIMES", true}, {"UNTIL"}, {"DUE INSTEAD"}});
  m["left_out"].each([&](view r) {
    no.row({r["first"].text(), r["reason"].text() + " by " + r["exclusion"].text(),
            r["count"].text() + (r["at_least"].truth() ? "+" : ""), r["last"].text(),
            r["moved_to"].there() ? r["moved_to"].text() : std::string("-")});
  });
  return out + no.text(ctx.screen());
}

void declare_expression(command& c, expression_options& o) {
  c.argument("EXPR", o.words, "cron, an @ form, or a phrase; several words are one expression", true);
  c.option("--zone", o.zone, "ZONE", "IANA name, where the expression names none; default UTC");
  c.option("--from", o.from, "TIME", "count from this time; default now");
  c.option("--name", o.name, "NAME", "of a job: what H of cron is derived from");
  declare_exclusions(c, o.but);
}

struct occurrence_options {
  std::string job;
  std::int64_t limit = 50;
  bool all = false;
};

std::string occurrences_table(context& ctx, const std::vector<json_text>& pages) {
  table t({{"PLANNED"}, {"OUTCOME"}, {"RUN"}, {"WHY", false, 12}});
  for (const auto& page : pages)
    page["occurrences"].each([&](view o) {
      if (o["outcome"].text() == "run") {
        auto why = o["reason"].text();
        if (o["limited"].truth()) {
          const auto whose = o["limited_by"].text();
          why = "moved to " + o["start_at"].text() + " by the fire limit of the " + whose;
        }
        if (o["caught_up"].truth()) why = std::string("caught up") + (why.empty() ? "" : "; ") + why;
        if (const auto note = clock_note(o["clock"].text()); !note.empty())
          why += (why.empty() ? "" : "; ") + note;
        if (o["postponed_from"].there())
          why += (why.empty() ? "" : "; ") + std::string("postponed from ") + o["postponed_from"].text();
        const auto state = o["state"].text();
        t.row({o["at"].text(), {state, colour_of_state(state)}, o["run_id"].text(), why});
        return;
      }
      auto why = o["reason"].text();
      if (o["exclusion"].there()) why += " by " + o["exclusion"].text();
      if (o["count"].number() > 1)
        why += ": " + o["count"].text() + (o["at_least"].truth() ? " or more" : "") + " from " +
               o["first"].text();
      if (o["moved_to"].there()) why += ", moved to " + o["moved_to"].text();
      t.row({o["at"].text(), "not made", "-", why});
    });
  return t.empty() ? "nothing was planned yet\n" : t.text(ctx.screen());
}

}  // namespace

void add_schedules(command& root, context& ctx) {
  auto& schedule = root.sub("schedule", "Look at what an expression means, without saving anything");
  auto& parse = schedule.sub("parse", "Its canonical form, with words, label and next times");
  auto& p = parse.keep<expression_options>();
  declare_expression(parse, p);
  parse.option("--count,-n", p.count, "N", "times to show, 0 to 1000; default 5");
  parse.note("What is not understood is pointed at, with what would have been.");
  parse.example("belfry schedule parse 'every 15 minutes between 9am and 5pm on weekdays'", "");
  parse.action([&p, &ctx] {
    const auto m = meaning_of(p, ctx);
    ctx.show(m, m["canonical"].text(), [&] {
      facts f;
      f.add("canonical", {m["canonical"].text(), colour::bold});
      f.add("in words", m["description"].text());
      f.add("label", m["label"].text());
      f.add("zone",
            m["zone"].text() + (m["zone_data"].there() ? " (data " + m["zone_data"].text() + ")" : ""));
      return f.text(ctx.screen()) + (p.count > 0 ? times_table(ctx, m.root()) : std::string{});
    });
    return number_of(exit_code::ok);
  });

  auto& describe = schedule.sub("describe", "The same in words");
  auto& d = describe.keep<expression_options>();
  declare_expression(describe, d);
  describe.example("belfry schedule describe '0 9 * * 1-5'", "");
  describe.action([&d, &ctx] {
    d.count = 0;
    const auto m = meaning_of(d, ctx);
    ctx.show(m, m["description"].text(), [&] { return m["description"].text() + "\n"; });
    return number_of(exit_code::ok);
  });

  auto& preview = schedule.sub(
      "preview", "Its next times, local and UTC; those that a change of the clock touches are marked");
  auto& v = preview.keep<expression_options>();
  declare_expression(preview, v);
  preview.option("--count,-n", v.count, "N", "times to show, 1 to 1000; default 5");
  preview.example("belfry schedule preview --zone Europe/Berlin --from 2026-03-28T00:00:00Z '30 2 * * *'",
                  "");
  preview.action([&v, &ctx] {
    const auto m = meaning_of(v, ctx);
    ctx.show(m, m["canonical"].text(), [&] { return times_table(ctx, m.root()); });
    return number_of(exit_code::ok);
  });

  auto& occurrences = root.sub("occurrences", "What became of the planned times of a job, newest first");
  auto& o = occurrences.keep<occurrence_options>();
  occurrences.argument("JOB", o.job, "id or name", true, complete::jobs);
  occurrences.option("--limit,-n", o.limit, "N", "at most so many; default 50");
  occurrences.flag("--all", o.all, "all there are");
  occurrences.note("Each is a run, or part of one range that was skipped with its reason.");
  occurrences.example("belfry occurrences backup", "");
  occurrences.action([&o, &ctx] {
    if (o.limit < 1) throw refusal(exit_code::usage, "--limit: give a number from 1, or --all");
    const auto pages = read_pages(ctx.node(), job_path(o.job, "/occurrences"), {}, "occurrences",
                                  o.all ? 0 : static_cast<std::size_t>(o.limit));
    ctx.show_list(
        pages, "occurrences", [](view line) { return line["at"].text(); },
        [&] { return occurrences_table(ctx, pages); });
    return number_of(exit_code::ok);
  });
}

}  // namespace belfry::app
