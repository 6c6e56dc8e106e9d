// claim, and what the holder of a lease says: for workers written in shell.
#include "api/json/writer.hpp"
#include "app/commands/all.hpp"
#include "app/commands/work_options.hpp"

namespace belfry::app {
namespace {

struct claim_options {
  std::string session;
  std::int64_t max = 1;
  std::optional<std::string> wait, lease, at_least;
  bool start = false;
};

// The token is shown here and nowhere else: whoever has it holds the lease.
int claim(const claim_options& o, context& ctx) {
  api::json::writer w;
  w.begin_object().member("session", o.session).member("max", o.max);
  if (o.wait) w.member("wait", *o.wait);
  if (o.lease) w.member("lease", *o.lease);
  if (o.at_least) w.member("at_least", *o.at_least);
  if (o.start) w.member("start", true);
  w.end_object();
  const auto answer = ctx.node().post("/v1/claims", w.str());
  const auto text = [&] {
    std::string out;
    answer["claims"].each([&](view c) {
      out += c["run_id"].text() + " " + c["fencing"].text() + " " + c["token"].text() + " " +
             (c["payload"].there() ? compact(c["payload"].raw()) : "null") + "\n";
    });
    return out;
  };
  ctx.show_list(
      {answer}, "claims", [](view c) { return c["run_id"].text(); }, text);
  return number_of(answer["claims"].size() > 0 ? exit_code::ok : exit_code::still_pending);
}

struct lease_options {
  std::string run, token;
  std::int64_t fencing = 0;
  std::optional<std::string> limit, result, message, klass, retry_after, delay, pause, until, resource, lease,
      text, checkpoint, stream, level;
  std::vector<std::string> lines;
  std::optional<std::int64_t> first;
  std::optional<std::int64_t> exit_number;
  std::string value_text;
};

struct lease_verb {
  const char* name;
  const char* says;
};

// Lines given as arguments, or each line of stdin.
void write_lines(api::json::writer& w, const lease_options& o) {
  auto lines = o.lines;
  if (lines.size() == 1 && lines.front() == "-") lines = {read_text("-", 1u << 19, "LINE")};
  w.key("lines").begin_array();
  for (const auto& line : lines) {
    w.begin_object().member("text", line);
    if (o.stream) w.member("stream", *o.stream);
    if (o.level) w.member("level", *o.level);
    w.end_object();
  }
  w.end_array();
  if (o.first) w.member("first", *o.first);
}

std::string asked_besides(view commands) {
  std::string text;
  commands.each([&](view c) {
    if (c.text() == "drain") text += ", its session is to leave";
    if (c.text() == "report") text += ", asked to show progress";
  });
  return text;
}

int speak(const lease_options& o, context& ctx, const std::string& verb) {
  api::json::writer w;
  const std::string token =
      o.token.rfind("@", 0) == 0 ? read_text(o.token.substr(1), 4096, "--token") : o.token;
  w.begin_object()
      .member("token", token.substr(0, token.find_last_not_of("\r\n") + 1))
      .member("fencing", o.fencing);
  if (o.result) w.key("result").raw(read_json(*o.result, "--result"));
  if (o.message) w.member("message", *o.message);
  if (o.klass) w.member("class", *o.klass);
  if (o.retry_after) w.member("retry_after", *o.retry_after);
  if (o.limit) w.member("limit", *o.limit);
  if (o.delay) w.member("delay", *o.delay);
  if (o.pause) w.member("for", *o.pause);
  if (o.until) w.member("until", *o.until);
  if (o.resource) w.member("resource", *o.resource);
  if (o.checkpoint) w.key("checkpoint").raw(read_json(*o.checkpoint, "--checkpoint"));
  if (verb == "log") write_lines(w, o);
  if (o.lease) w.member("lease", *o.lease);
  if (o.exit_number) w.member("exit_code", *o.exit_number);
  if (!o.value_text.empty()) w.key("value").raw(read_json(o.value_text, "--value"));
  if (o.text) w.member("text", *o.text);
  w.end_object();
  const auto answer = ctx.node().post("/v1/runs/" + percent_encoded(o.run) + ":" + verb, w.str());
  ctx.show(answer, o.run, [&] {
    std::string line = o.run + " ";
    if (const auto state = answer["state"].text(); !state.empty())
      line += state;
    else
      line += "lease until " + answer["lease_expires_at"].text() +
              (answer["cancel_requested"].truth() ? ", asked to stop" : "") +
              asked_besides(answer["commands"]);
    return line + "\n";
  });
  return number_of(exit_code::ok);
}

void declare_verb(command& run, context& ctx, const std::string& verb, const std::string& says) {
  auto& c = run.sub(verb, says);
  auto& o = c.keep<lease_options>();
  c.argument("RUN", o.run, "id of the run", true, complete::runs);
  c.option("--token", o.token, "TOKEN", "of the claim; @FILE reads it from a file");
  c.option("--fencing", o.fencing, "N", "fencing number of the claim");
  const bool ends = verb == "complete" || verb == "fail";
  if (ends) {
    c.option("--result", o.result, "JSON", "what came of it; @FILE reads a file");
    c.option("--exit-code", o.exit_number, "N", "of whatever did the work");
  }
  if (ends || verb == "release" || verb == "park")
    c.option("--message", o.message, "TEXT", "why, in plain words");
  if (verb == "fail") {
    c.option("--class", o.klass, "CLASS",
             "error (default), permanent, timeout, resource, rate_limited or spawn");
    c.option("--retry-after", o.retry_after, "TIME", "try again no earlier than in this time");
  }
  if (verb == "fail" || verb == "park")
    c.option("--limit", o.limit, "KIND", "throttle or quota: the whole agent type is held until then");
  if (verb == "release") c.option("--delay", o.delay, "TIME", "claimable again in this time");
  if (verb == "park") {
    c.option("--for", o.pause, "TIME", "how long the resource is away");
    c.option("--until", o.until, "TIME", "until when instead, such as 2026-11-21T18:00:00Z");
    c.option("--resource", o.resource, "NAME", "what is not there, such as gpu-quota");
  }
  if (verb == "log") {
    c.rest("LINE", o.lines, "lines of the log; - reads stdin");
    c.option("--stream", o.stream, "WORD", "stdout (default) or stderr");
    c.option("--level", o.level, "LEVEL", "debug, info, warn or error; default none");
    c.option("--first", o.first, "N", "number of the first line; lines that are there are passed over");
  }
  if (verb == "checkpoint")
    c.option("--checkpoint", o.checkpoint, "JSON", "what the next attempt is to know; @FILE reads a file");
  if (verb == "heartbeat") c.option("--lease", o.lease, "TIME", "from now; default 5m");
  if (verb == "progress") {
    c.option("--value", o.value_text, "X", "how far, from 0 to 1");
    c.option("--text", o.text, "TEXT", "in words");
  }
  c.example("belfry run " + verb + " \"$run\" --token \"$token\" --fencing \"$fencing\"" +
                (verb == "park"         ? " --for 10m --resource gpu-quota"
                 : verb == "log"        ? " -- 'half of it is done'"
                 : verb == "checkpoint" ? " --checkpoint '{\"page\":7}'"
                                        : ""),
            "");
  c.action([&o, &ctx, verb] {
    if (o.token.empty() || o.fencing < 1)
      throw refusal(exit_code::usage, "--token and --fencing say that you hold the lease", {},
                    verb == "release" || verb == "fail"
                        ? "`belfry claim` prints both; over the head of the holder: belfry run force-" + verb
                        : std::string("`belfry claim` prints both"));
    return speak(o, ctx, verb);
  });
}

}  // namespace

void add_leases(command& root, command& run, context& ctx) {
  auto& c = root.sub("claim", "Take runs for a session of your own");
  auto& o = c.keep<claim_options>();
  c.argument("SESSION", o.session, "id of a registered session", true, complete::sessions);
  c.option("--max,-n", o.max, "N", "at most so many; default 1");
  c.option("--wait", o.wait, "TIME", "for work to come, at most 60s; default 0");
  c.option("--lease", o.lease, "TIME", "length of the lease; default 5m");
  c.option("--at-least", o.at_least, "LEVEL", "only of this priority or a more urgent one",
           complete::priorities);
  c.flag("--start", o.start, "claimed and started at once");
  c.note(
      "Prints one line for each run: id, fencing number, token, payload. Keep the token to yourself: it is "
      "the lease. Exit code 8 when there was nothing.");
  c.example("read -r run fencing token payload < <(belfry claim \"$session\" --wait 30s --start)", "");
  c.action([&o, &ctx] { return claim(o, ctx); });

  constexpr std::array<lease_verb, 9> verbs{
      {{"start", "Say that the work on a claimed run has begun"},
       {"heartbeat", "Extend the lease of a claimed run"},
       {"progress", "Say how far the work on a claimed run is"},
       {"checkpoint", "Store how far the work is, for the next attempt"},
       {"log", "Append lines to the log of a claimed run"},
       {"complete", "End a claimed run as succeeded"},
       {"fail", "End the attempt of a claimed run as failed"},
       {"release", "Give a claimed run back; no attempt is used up"},
       {"park", "Hold a claimed run back until a resource is there again"}}};
  for (const auto& each : verbs) declare_verb(run, ctx, each.name, each.says);
}

}  // namespace belfry::app
