// events: the journal, following it, and emitting an event.
#include <cstdlib>
#include <deque>

#include "api/json/writer.hpp"
#include "app/commands/all.hpp"

namespace belfry::app {
namespace {

struct events_options {
  std::optional<std::int64_t> after;
  std::optional<std::string> run, job;
  std::vector<std::string> kinds;
  std::int64_t limit = 50;
  bool follow = false;
};

std::string event_line(view e, const terminal& on) {
  std::string line = on.paint(e["at"].text(), colour::dim) + " " + e["seq"].text() + " " +
                     on.paint(e["kind"].text(), colour::bold);
  if (e["run_id"].there()) line += " run=" + e["run_id"].text();
  if (e["job_id"].there()) line += " job=" + e["job_id"].text();
  if (e["attempt"].number() > 0) line += " attempt=" + e["attempt"].text();
  if (e["fencing"].number() > 0) line += " fencing=" + e["fencing"].text();
  if (const auto who = e["actor"].text(); !who.empty()) line += " by=" + printable(who);
  if (const auto text = e["text"].text(); !text.empty()) line += " " + printable(text);
  return line + "\n";
}

void print_event(view e, context& ctx) {
  if (ctx.table())
    ctx.put(event_line(e, ctx.screen()));
  else if (ctx.options.output == "name")
    ctx.put(e["seq"].text() + "\n");
  else
    ctx.put(compact(e.raw()) + "\n");
}

query_text query_of(const events_options& o) {
  query_text q;
  q.add("run", o.run).add("job", o.job).each("kind", o.kinds);
  return q;
}

int follow(const events_options& o, context& ctx) {
  auto q = query_of(o);
  if (o.after) q.add("after", std::to_string(*o.after));
  ctx.node().follow("/v1/events" + q.text(), [&](const sse_event& e) {
    if (e.name == "reset") {
      ctx.tell("belfry: events before this point are no longer kept");
      return true;
    }
    if (const auto event = json_text::parse(e.data)) print_event(event->root(), ctx);
    return true;
  });
  return number_of(exit_code::ok);
}

// Without --after the newest ones: of everything by their numbers, of a filter by reading it to its end.
int list(const events_options& o, context& ctx) {
  if (o.limit < 1) throw refusal(exit_code::usage, "--limit: give a number from 1");
  const auto most = static_cast<std::size_t>(o.limit);
  const bool filtered = o.run || o.job || !o.kinds.empty();
  std::int64_t after = o.after.value_or(0);
  if (!o.after && !filtered)
    after = std::max<std::int64_t>(0, ctx.node().get("/v1/node")["store"]["last_event"].number() - o.limit);
  std::deque<std::string> events;
  for (bool more = true; more;) {
    auto q = query_of(o);
    q.add("after", std::to_string(after)).add("limit", "500");
    const auto page = ctx.node().get("/v1/events" + q.text());
    page["events"].each([&](view e) {
      if (events.size() == most && o.after) return;
      events.push_back(compact(e.raw()));
      if (events.size() > most) events.pop_front();
    });
    const auto next = page["next_after"].number();
    more = next > after && !(o.after && events.size() == most);
    after = next;
  }
  std::string all;
  for (const auto& e : events) all += (all.empty() ? "" : ",") + e;
  const auto page = json_text::parse("{\"events\":[" + all + "]}");
  ctx.show_list(
      {*page}, "events", [](view e) { return e["seq"].text(); },
      [&] {
        std::string text;
        (*page)["events"].each([&](view e) { text += event_line(e, ctx.screen()); });
        return text;
      });
  return number_of(exit_code::ok);
}

struct emit_options {
  std::string name;
  std::vector<std::string> fields;
  std::optional<std::string> run, key;
};

// A command that a run performs knows the run by its environment: so ends a loop of jobs and events.
std::string emitting_run(const emit_options& o) {
  if (o.run) return *o.run;
  const char* of_mine = std::getenv("BELFRY_RUN_ID");
  return of_mine == nullptr ? std::string{} : std::string{of_mine};
}

std::string emission_of(const emit_options& o) {
  api::json::writer w;
  w.begin_object().member("name", o.name).key("fields").begin_object();
  for (const auto& each : o.fields) {
    const auto equals = each.find('=');
    if (equals == std::string::npos || equals == 0)
      throw refusal(exit_code::usage, "'" + printable(each) + "' is no field: write key=value", {},
                    "belfry events emit --help");
    std::string key;
    api::json::append_escaped(key, each.substr(0, equals));
    w.member(key, each.substr(equals + 1));
  }
  w.end_object();
  if (const auto run = emitting_run(o); !run.empty()) w.member("run", run);
  w.end_object();
  return w.take();
}

std::string outcome_text(view e) {
  if (e["jobs"].number() == 0) return "no job waits for it";
  std::string text;
  const auto add = [&](const char* member, const char* words) {
    if (e[member].number() > 0) text += (text.empty() ? "" : ", ") + e[member].text() + words;
  };
  add("started", " started");
  add("held", " gathering events");
  add("paused", " paused");
  add("too_deep", " at the end of a chain of events");
  return e["jobs"].text() + (e["jobs"].number() == 1 ? " job: " : " jobs: ") + text;
}

int emit(const emit_options& o, context& ctx) {
  call_options call;
  call.idempotency_key = o.key.value_or("cli-" + random_key());
  const auto answer = ctx.node().post("/v1/events", emission_of(o), call);
  ctx.show(answer, answer["seq"].text(), [&] {
    auto text = "event " + answer["seq"].text() + " " + o.name + ": " + outcome_text(answer.root()) + "\n";
    answer["runs"].each([&](view run) { text += run.text() + "\n"; });
    return text;
  });
  return number_of(exit_code::ok);
}

void declare_emit(command& events, context& ctx) {
  auto& c = events.sub("emit", "Tell the node that something happened: jobs that wait for it are started");
  auto& o = c.keep<emit_options>();
  c.argument("NAME", o.name, "letters, digits, - _ . ; names of belfry's own events are refused", true);
  c.argument("FIELD", o.fields, "key=value, at most 32; jobs choose by them, and their runs are given them",
             false);
  c.option(
      "--run", o.run, "RUN",
      "the run that emits it, which tells how deep a chain of events is; default BELFRY_RUN_ID; '': none",
      complete::runs);
  c.option("--idempotency-key", o.key, "KEY", "emitted once, however often this is said; kept for a day");
  c.example("belfry events emit deploy.finished env=prod version=1.4.2", "");
  c.example("belfry events emit file.arrived path=/in/7.csv --idempotency-key 7.csv", "");
  c.action([&o, &ctx] { return emit(o, ctx); });
}

struct triggers_options {
  std::int64_t limit = 50;
  bool all = false;
};

std::string triggers_table(context& ctx, const std::vector<json_text>& pages) {
  table t({{"JOB", false, 12}, {"STATE"}, {"HELD", true}, {"UNTIL"}, {"PAUSED", true}, {"RUNS", false, 20}});
  for (const auto& page : pages)
    page["triggers"].each([&](view one) {
      const auto state = one["state"].text();
      t.row({one["job"].text(),
             {state, colour_of_state(state)},
             one["held"].text(),
             one["fires_at"].there() ? one["fires_at"].text() : std::string("-"),
             one["paused"].text(),
             one["description"].text()});
    });
  return t.empty() ? "no job waits for events\n" : t.text(ctx.screen());
}

void declare_triggers(command& events, context& ctx) {
  auto& c = events.sub("triggers", "List the jobs that wait for events, and what they gather");
  auto& o = c.keep<triggers_options>();
  c.option("--limit,-n", o.limit, "N", "at most so many; default 50");
  c.flag("--all", o.all, "all there are");
  c.example("belfry events triggers", "");
  c.action([&o, &ctx] {
    if (o.limit < 1) throw refusal(exit_code::usage, "--limit: give a number from 1, or --all");
    const auto pages = read_pages(ctx.node(), "/v1/events/triggers", {}, "triggers",
                                  o.all ? 0 : static_cast<std::size_t>(o.limit));
    ctx.show_list(
        pages, "triggers", [](view one) { return one["job"].text(); },
        [&] { return triggers_table(ctx, pages); });
    return number_of(exit_code::ok);
  });
}

void declare_events(command& c, context& ctx) {
  auto& o = c.keep<events_options>();
  c.flag("--follow,-f", o.follow, "go on with what happens from now, or from --after");
  c.option("--after", o.after, "SEQ", "only what came after this sequence number");
  c.option("--run", o.run, "RUN", "only of this run", complete::runs);
  c.option("--job,-j", o.job, "JOB", "only of this job", complete::jobs);
  c.option("--kind", o.kinds, "KIND", "only events of this kind, such as run_failed; repeatable");
  c.option("--limit,-n", o.limit, "N", "at most so many, the newest unless --after is given; default 50");
  c.note("A stream that breaks is taken up again where it broke, without a gap and without a repeat.");
  c.example("belfry events -f --kind run_failed -o jsonl", "");
  c.example("belfry events --after 1200 --limit 500", "");
  c.action([&o, &ctx] { return o.follow ? follow(o, ctx) : list(o, ctx); });
}

}  // namespace

void add_events(command& root, context& ctx) {
  auto& events = root.sub("events", "Print the journal of what happened, follow it, or emit an event");
  declare_events(events, ctx);
  declare_emit(events, ctx);
  declare_triggers(events, ctx);
}

}  // namespace belfry::app
