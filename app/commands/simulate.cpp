// simulate: what schedules would bring about between two instants; nothing is done and nothing is written.
#include "api/json/writer.hpp"
#include "app/apply/declarations.hpp"
#include "app/commands/all.hpp"
#include "app/output/words.hpp"
#include "core/time/text.hpp"

namespace belfry::app {
namespace {

struct simulate_options {
  std::optional<std::string> from, until, file, run_time;
  std::vector<std::string> jobs, down, run_seconds;
  std::optional<std::int64_t> slots, limit;
};

[[noreturn]] void not_allowed(const std::string& option, const std::string& given,
                              const std::string& allowed) {
  throw refusal(exit_code::usage, option + ": '" + given + "' will not do", {"allowed: " + allowed},
                "belfry help simulate");
}

// An instant, or how long after `base`.
core::instant time_of(const std::string& option, const std::string& given, core::instant base) {
  if (given == "now") return now();
  if (const auto t = core::parse_instant(given)) return *t;
  if (const auto s = core::parse_span(given)) return core::later(base, *s);
  not_allowed(option, given, "2026-03-29T00:00:00Z, now, or how long after the beginning: 7d");
}

void write_down(api::json::writer& w, const std::vector<std::string>& given, core::instant from) {
  if (given.empty()) return;
  w.key("down").begin_array();
  for (const auto& each : given) {
    const auto dots = each.find("..");
    if (dots == std::string::npos) not_allowed("--down", each, "two times: 2026-03-29T00:00:00Z..6h");
    const auto begin = time_of("--down", each.substr(0, dots), from);
    w.begin_object().member("begin", begin);
    w.member("end", time_of("--down", each.substr(dots + 2), begin)).end_object();
  }
  w.end_array();
}

void write_run_times(api::json::writer& w, const simulate_options& o) {
  if (o.run_time) w.member("run_time", *o.run_time);
  if (o.run_seconds.empty()) return;
  w.key("run_times").begin_object();
  for (const auto& each : o.run_seconds) {
    const auto equals = each.rfind('=');
    if (equals == std::string::npos || equals == 0)
      not_allowed("--run-seconds", each, "JOB=SPAN, such as backup=40m");
    std::string name;
    api::json::append_escaped(name, each.substr(0, equals));
    auto length = each.substr(equals + 1);
    if (!length.empty() && length.find_first_not_of("0123456789") == std::string::npos) length += 's';
    w.member(name, length);
  }
  w.end_object();
}

std::string simulate_body(const simulate_options& o) {
  const auto from = o.from ? time_of("--from", *o.from, now()) : now();
  api::json::writer w;
  w.begin_object().member("from", from);
  if (o.until) w.member("until", time_of("--until", *o.until, from));
  if (!o.jobs.empty()) w.texts("jobs", o.jobs);
  if (o.file) {
    const auto d = read_declarations(*o.file);
    refuse_mistakes(d, *o.file);
    w.key("definitions").begin_array();
    for (const auto& j : d.jobs)
      if (const auto parsed = json_text::parse(j.definition); parsed && (*parsed)["schedule"].there())
        w.raw(j.body);
    w.end_array();
  }
  write_down(w, o.down, from);
  write_run_times(w, o);
  if (o.slots) w.member("slots", *o.slots);
  if (o.limit) w.member("limit", *o.limit);
  w.end_object();
  return w.take();
}

std::string outcome_of(view l) {
  const auto what = l["outcome"].text();
  if (what == "fires") return l["caught_up"].truth() ? "caught up" : "fires";
  return what == "overlap" ? "skipped" : "not made";
}

std::string why_of(view l) {
  std::string why;
  const auto add = [&](const std::string& more) { why += (why.empty() ? "" : "; ") + more; };
  const auto what = l["outcome"].text();
  if (what == "overlap") add("overlap: " + l["reason"].text());
  if (what == "skipped") {
    auto text = l["reason"].text();
    if (l["count"].number() > 1)
      text +=
          ": " + l["count"].text() + (l["at_least"].truth() ? " or more" : "") + " up to " + l["last"].text();
    if (l["moved_to"].there()) text += ", made at " + l["moved_to"].text();
    add(text);
  }
  if (what != "fires") return why;
  if (l["reason"].there()) add(l["reason"].text());
  if (l["limited_by"].text() != "none")
    add("moved to " + l["start_at"].text() + " by the fire limit of the " + l["limited_by"].text());
  if (!l["begins_at"].there())
    add("waits to the end");
  else if (l["waits_ms"].number() > 0)
    add("waits " + core::to_text(core::span{std::chrono::milliseconds{l["waits_ms"].number()}}));
  const auto clock = l["clock"].text();
  if (clock == "gap") add("the clock skips the time");
  if (clock == "first_pass" || clock == "second_pass") add("the clock shows it twice: " + clock);
  return why;
}

std::string simulation_table(context& ctx, const json_text& s) {
  table t({{"LOCAL"}, {"OFFSET"}, {"JOB"}, {"OUTCOME"}, {"BEGINS"}, {"WHY", false, 12}});
  s["lines"].each([&](view l) {
    t.row({l["local"].text(), l["offset"].text(), l["job"].text(), outcome_of(l),
           l["begins_at"].there() ? l["begins_at"].text() : "-", why_of(l)});
  });
  return t.empty() ? "nothing would happen\n" : t.text(ctx.screen());
}

std::string summary_of(const json_text& s) {
  const auto sum = s["summary"];
  std::string text = sum["jobs"].text() + " jobs, " + sum["fires"].text() + " runs";
  const auto add = [&](const char* key, const std::string& words) {
    if (sum[key].number() > 0) text += ", " + sum[key].text() + " " + words;
  };
  add("caught_up", "of them caught up");
  add("moved", "moved by a fire limit");
  add("waited", "that wait");
  if (sum["longest_wait_ms"].number() > 0)
    text += " (at most " +
            core::to_text(core::span{std::chrono::milliseconds{sum["longest_wait_ms"].number()}}) + ")";
  add("begun_again", "begun again");
  add("cancelled", "replaced");
  add("not_begun", "not begun at the end");
  add("overlapped", "skipped because of the one before");
  if (sum["skipped"].number() > 0)
    text += ", " + sum["skipped"].text() + (sum["skipped_at_least"].truth() ? " or more" : "") + " not made";
  if (s["cut"].truth()) text += "; cut at " + s["upto"].text() + ", with --limit more are shown";
  return text;
}

}  // namespace

void add_simulate(command& root, context& ctx) {
  auto& c = root.sub("simulate", "What schedules would bring about between two times, without doing it");
  auto& o = c.keep<simulate_options>();
  c.option("--from", o.from, "TIME", "where it begins; default now");
  c.option("--until", o.until, "TIME", "where it ends: a time, or how long, such as 7d; default 1d");
  c.option("--job,-j", o.jobs, "JOB", "id or name, repeatable; default: all that have a schedule",
           complete::jobs);
  c.option("--file,-f", o.file, "PATH", "jobs that are declared there instead of those of the node",
           complete::files);
  c.option("--down", o.down, "A..B", "the node is away from A to B, repeatable; B may be a length");
  c.option("--run-time", o.run_time, "SPAN", "how long every run takes; default 0s");
  c.option("--run-seconds", o.run_seconds, "JOB=SPAN", "how long the runs of one job take, repeatable");
  c.option("--slots", o.slots, "N", "runs at a time; default as many as there are");
  c.option("--limit,-n", o.limit, "N", "at most so many lines, to 10000; default 1000");
  c.note(
      "The decisions are the node's own: catching up, grace, exclusions, overlap, fire limits, max_runs and "
      "pauses. Runs that are under way now are left out, and every run succeeds.");
  c.example("belfry simulate --until 7d --job backup", "");
  c.example("belfry simulate -f jobs.toml --down 2026-03-28T22:00:00Z..10h --run-time 20m --slots 2", "");
  c.action([&o, &ctx] {
    std::vector<json_text> answer;
    answer.push_back(ctx.node().post("/v1/schedules:simulate", simulate_body(o)));
    ctx.show_list(
        answer, "lines", [](view l) { return l["at"].text() + " " + l["job"].text(); },
        [&] { return simulation_table(ctx, answer.front()) + summary_of(answer.front()) + "\n"; });
    if (!ctx.table()) ctx.tell("belfry: " + summary_of(answer.front()));
    return number_of(exit_code::ok);
  });
}

}  // namespace belfry::app
