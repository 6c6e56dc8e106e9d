// events: the journal, and following it.
#include <deque>

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
  declare_events(root.sub("events", "Print the journal of what happened, and follow it"), ctx);
}

}  // namespace belfry::app
