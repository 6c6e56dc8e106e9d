// session: the workers that are registered, the node's own executors among them.
#include <cmath>

#include "api/json/writer.hpp"
#include "app/commands/all.hpp"
#include "app/commands/sinks.hpp"
#include "app/commands/work_options.hpp"

namespace belfry::app {
namespace {

std::string words_in(view list) {
  std::string text;
  list.each([&](view w) { text += (text.empty() ? "" : " ") + w.text(); });
  return text;
}

std::string sessions_table(context& ctx, const json_text& page) {
  table t({{"ID"},
           {"NAME", false, 10},
           {"TYPE", false, 6},
           {"STATE"},
           {"HEALTH"},
           {"SLOTS", true},
           {"SEEN"},
           {"CAPABILITIES", false, 10}});
  page["sessions"].each([&](view s) {
    const auto state = s["state"].text();
    t.row({s["id"].text(),
           s["name"].text(),
           s["agent_type"].text(),
           {state, colour_of_state(state)},
           s["health"].text(),
           s["slots_used"].text() + "/" + s["slots"].text(),
           s["local"].truth() ? "local" : ago(s["last_seen_at"].text(), ctx.started),
           words_in(s["capabilities"])});
  });
  return t.empty() ? "no sessions\n" : t.text(ctx.screen());
}

// "40 %, about 3m left: page 7 of 12", as far as something is known.
std::string progress_of(view lease, const context& ctx) {
  if (!lease["progress_at"].there()) return "";
  const auto said = lease["progress_text"].text();
  if (lease["progress"].real() == 0 && said.empty()) return ago(lease["progress_at"].text(), ctx.started);
  std::string text = std::to_string(std::lround(lease["progress"].real() * 100)) + " %, ";
  text += lease["ends_in_ms"].there() ? "about " + lasting(lease["ends_in_ms"].number()) + " left"
                                      : "end unknown";
  return said.empty() ? text : text + ": " + said;
}

std::string session_page(context& ctx, view s) {
  facts f;
  f.add("id", s["id"].text());
  f.add("name", {s["name"].text(), colour::bold});
  f.add("state", {s["state"].text(), colour_of_state(s["state"].text())});
  f.add("health", s["health"].text());
  f.add("prompting", s["prompting"].truth() ? "waits for a prompt" : "");
  f.add("type", s["agent_type"].text());
  f.add("workspace", s["workspace"].text());
  f.add("channel", s["channel"].text());
  f.add("capabilities", words_in(s["capabilities"]));
  f.add("performs", words_in(s["handlers"]));
  f.add("slots", s["slots_used"].text() + " of " + s["slots"].text() + " in use");
  f.add("local", s["local"].truth() ? "lives with the node" : "");
  f.add("since", s["created_at"].text() + " (" + ago(s["created_at"].text(), ctx.started) + ")");
  f.add("seen", s["last_seen_at"].text() + " (" + ago(s["last_seen_at"].text(), ctx.started) + ")");
  if (s["metadata"].there()) f.add("metadata", compact(s["metadata"].raw()));
  f.add("woken by", woken_by(s["wake"]));
  std::string out = f.text(ctx.screen());
  if (s["leases"].size() == 0) return out;
  table t({{"RUN"}, {"NAME", false, 10}, {"STATE"}, {"TRY", true}, {"LEASE UNTIL"}, {"PROGRESS"}});
  s["leases"].each([&](view l) {
    t.row({l["run_id"].text(),
           l["name"].text(),
           {l["state"].text(), colour_of_state(l["state"].text())},
           l["attempt"].text(),
           l["lease_expires_at"].text(),
           progress_of(l, ctx)});
  });
  return out + t.text(ctx.screen());
}

struct register_options {
  std::string name;
  std::optional<std::string> id, agent_type, workspace, channel, metadata;
  std::vector<std::string> capabilities;
  std::optional<std::int64_t> slots;
  std::optional<std::string> wake, wake_url, wake_secret, wake_cwd, wake_timeout;
  std::vector<std::string> wake_argv;
};

// A secret on the command line is seen by everybody on the machine, so it may stand in a file.
std::string secret_of(const std::string& given) {
  if (!given.starts_with('@')) return given;
  constexpr std::size_t largest = 4096;
  auto text = read_text(given.substr(1), largest, "--wake-secret");
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

void write_wake_members(api::json::writer& w, const register_options& o) {
  if (!o.wake && !o.wake_url && !o.wake_secret && !o.wake_cwd && !o.wake_timeout && o.wake_argv.empty())
    return;
  std::string sink = o.wake.value_or("poll");
  if (!o.wake && o.wake_url) sink = "webhook";
  if (!o.wake && !o.wake_argv.empty()) sink = "command";
  w.key("wake").begin_object().member("sink", sink);
  if (o.wake_url) w.member("url", *o.wake_url);
  if (o.wake_secret) w.member("secret", secret_of(*o.wake_secret));
  if (!o.wake_argv.empty()) w.texts("argv", o.wake_argv);
  if (o.wake_cwd) w.member("cwd", *o.wake_cwd);
  if (o.wake_timeout) w.member("timeout", *o.wake_timeout);
  w.end_object();
}

int register_session(const register_options& o, context& ctx) {
  api::json::writer w;
  w.begin_object().member("name", o.name);
  if (o.id) w.member("id", *o.id);
  if (o.agent_type) w.member("agent_type", *o.agent_type);
  if (o.workspace) w.member("workspace", *o.workspace);
  if (o.channel) w.member("channel", *o.channel);
  if (!o.capabilities.empty()) w.texts("capabilities", o.capabilities);
  if (o.slots) w.member("slots", *o.slots);
  if (o.metadata) w.key("metadata").raw(read_json(*o.metadata, "--metadata"));
  write_wake_members(w, o);
  w.end_object();
  const auto s = ctx.node().post("/v1/sessions", w.str());
  ctx.show(s, s["id"].text(), [&] { return s["id"].text() + "\n"; });
  return number_of(exit_code::ok);
}

struct heartbeat_options {
  std::string session;
  std::optional<std::string> state;
  bool prompting = false, not_prompting = false;
};

// What a worker in shell asks for: one word a line, nothing when all is well.
int heartbeat(const heartbeat_options& o, context& ctx) {
  if (o.prompting && o.not_prompting)
    throw refusal(exit_code::usage, "--prompting and --not-prompting exclude each other", {}, {});
  api::json::writer w;
  w.begin_object();
  if (o.state) w.member("state", *o.state);
  if (o.prompting || o.not_prompting) w.member("prompting", o.prompting);
  w.end_object();
  const auto s = ctx.node().post("/v1/sessions/" + percent_encoded(o.session) + ":heartbeat", w.str());
  ctx.show(s, s["id"].text(), [&] {
    std::string text;
    s["commands"].each([&](view c) { text += c.text() + "\n"; });
    return text;
  });
  return number_of(exit_code::ok);
}

struct steer_options {
  std::string session;
  std::optional<std::string> reason;
};

void declare_steer(command& c, context& ctx, const std::string& verb) {
  auto& o = c.keep<steer_options>();
  c.argument("SESSION", o.session, "id of a session", true, complete::sessions);
  c.option("--reason", o.reason, "TEXT", "kept in the journal");
  c.example("belfry session " + verb + " ses_01HZX3K9QWERT", "");
  c.action([&o, &ctx, verb] {
    api::json::writer w;
    w.begin_object();
    if (o.reason) w.member("reason", *o.reason);
    w.end_object();
    const auto s = ctx.node().post("/v1/sessions/" + percent_encoded(o.session) + ":" + verb, w.str());
    ctx.show(s, s["id"].text(), [&] {
      return s["id"].text() + " " + s["state"].text() + ", " + s["slots_used"].text() + " of " +
             s["slots"].text() + " slots in use\n";
    });
    return number_of(exit_code::ok);
  });
}

struct reissue_options {
  std::string session;
  std::vector<std::string> runs;
  std::optional<std::string> lease;
};

// The tokens are shown here and nowhere else, one run a line, as `belfry claim` shows them.
int reissue(const reissue_options& o, context& ctx) {
  api::json::writer w;
  w.begin_object();
  if (!o.runs.empty()) w.texts("runs", o.runs);
  if (o.lease) w.member("lease", *o.lease);
  w.end_object();
  const auto answer =
      ctx.node().post("/v1/sessions/" + percent_encoded(o.session) + "/leases:reissue", w.str());
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

struct why_options {
  std::string session;
  std::optional<std::string> run;
};

int explain(const why_options& o, context& ctx) {
  const auto e = ctx.node().get("/v1/sessions/" + percent_encoded(o.session) + "/explain" +
                                (o.run ? "?run=" + percent_encoded(*o.run) : std::string{}));
  ctx.show(e, e["session_id"].text(), [&] {
    const std::string what = e["run_id"].there() ? " take " + e["run_id"].text() : " take runs";
    std::string text = e["session_id"].text() + (e["eligible"].truth() ? " may" : " may not") + what + "\n";
    e["reasons"].each([&](view r) {
      text += "  " + r["code"].text() + ": " + r["text"].text() + "\n";
      if (const auto lift = r["lift"].text(); !lift.empty()) text += "      lifted by " + lift + "\n";
      if (const auto command = r["command"].text(); !command.empty()) text += "      " + command + "\n";
    });
    text += "slots: " + e["slots_used"].text() + " of " + e["slots"].text() +
            " in use; queued runs that it may take: " + e["ready_for_it"].text() + "\n";
    e["hook_refusals"].each([&](view r) {
      text += "hook refused " + r["run_id"].text() + ", " + ago(r["at"].text(), ctx.started) +
              (r["reason"].there() ? ": " + r["reason"].text() : std::string{}) + "\n";
    });
    return text;
  });
  return number_of(exit_code::ok);
}

}  // namespace

void add_sessions(command& root, context& ctx) {
  auto& session = root.sub("session", "Look at workers, register and remove them");
  add_session_wakes(session, ctx);
  auto& list = session.sub("list", "List sessions");
  auto& gone = list.keep<bool>();
  list.flag("--gone", gone, "those that have left too");
  list.example("belfry session list", "");
  list.action([&gone, &ctx] {
    const auto page = ctx.node().get(std::string("/v1/sessions") + (gone ? "?gone=true" : ""));
    ctx.show_list(
        {page}, "sessions", [](view s) { return s["id"].text(); }, [&] { return sessions_table(ctx, page); });
    return number_of(exit_code::ok);
  });

  auto& show = session.sub("show", "Show a session");
  auto& id = show.keep<std::string>();
  show.argument("SESSION", id, "id of a session", true, complete::sessions);
  show.example("belfry session show ses_01HZX3K9QWERT", "");
  show.action([&id, &ctx] {
    const auto s = ctx.node().get("/v1/sessions/" + percent_encoded(id));
    ctx.show(s, s["id"].text(), [&] { return session_page(ctx, s.root()); });
    return number_of(exit_code::ok);
  });

  auto& made = session.sub("register", "Register a worker of your own; prints its id");
  auto& o = made.keep<register_options>();
  made.argument("NAME", o.name, "a name, such as worker-1", true);
  made.option("--id", o.id, "SESSION", "come back as this session", complete::sessions);
  made.option("--agent-type", o.agent_type, "WORD", "what kind of worker it is; limits go by it");
  made.option("--workspace", o.workspace, "NAME", "takes only work of this workspace");
  made.option("--channel", o.channel, "NAME", "takes work of this channel too");
  made.option("--cap", o.capabilities, "WORD", "a capability that it has, repeatable");
  made.option("--slots", o.slots, "N", "leases that it holds at a time; default 1");
  made.option("--metadata", o.metadata, "JSON", "an object for people and tools; @FILE reads a file");
  made.one_of("--wake", o.wake, {"poll", "webhook", "command", "none"},
              "how it wants to be woken; default poll");
  made.option("--wake-url", o.wake_url, "URL", "the address of a webhook");
  made.option("--wake-secret", o.wake_secret, "TEXT",
              "signs a webhook: whsec_…, @FILE reads it, env:BELFRY_WEBHOOK_… is a variable of the node");
  made.option("--wake-arg", o.wake_argv, "WORD",
              "a word of the command that wakes it, the program first; repeatable; the node has to allow it");
  made.option("--wake-cwd", o.wake_cwd, "PATH", "where that command is run");
  made.option("--wake-timeout", o.wake_timeout, "TIME", "of one webhook or command; default 5s");
  made.example("belfry session register worker-1 --cap gpu --slots 4", "");
  made.example(
      "belfry session register agent-1 --wake-url https://example.org/wakes --wake-secret @secret.txt", "");
  made.action([&o, &ctx] { return register_session(o, ctx); });

  auto& lives = session.sub("heartbeat", "Say that a session lives; prints what it is asked to do");
  auto& said = lives.keep<heartbeat_options>();
  lives.argument("SESSION", said.session, "id of a session", true, complete::sessions);
  lives.option("--state", said.state, "WORD", "active or paused: paused takes no new runs");
  lives.flag("--prompting", said.prompting, "it waits for a prompt and takes no new runs");
  lives.flag("--not-prompting", said.not_prompting, "it does not any more");
  lives.note("One word a line: drain (take nothing more and leave), cancel, renew, report. Nothing: go on.");
  lives.example("belfry session heartbeat \"$session\"", "");
  lives.action([&said, &ctx] { return heartbeat(said, ctx); });

  declare_steer(session.sub("drain", "No new runs for a session; what it holds goes on"), ctx, "drain");
  declare_steer(session.sub("resume", "Runs again for a session that was drained"), ctx, "resume");

  auto& anew = session.sub("reissue", "New tokens for the runs that a session holds, when it lost them");
  auto& lost = anew.keep<reissue_options>();
  anew.argument("SESSION", lost.session, "id of a session", true, complete::sessions);
  anew.argument("RUN", lost.runs, "only these; else all that it holds", false, complete::runs);
  anew.option("--lease", lost.lease, "TIME", "length of the leases from now; default 5m");
  anew.note(
      "Prints one line for each run, as `belfry claim` does: id, fencing number, token, payload. Whoever "
      "still "
      "has an old token is refused from now on. Exit code 8 when the session holds nothing.");
  anew.example("belfry session reissue \"$session\"", "After a crash that took the tokens with it.");
  anew.action([&lost, &ctx] { return reissue(lost, ctx); });

  auto& why = session.sub("explain", "Say why a session gets nothing, or may not take a run");
  auto& asked = why.keep<why_options>();
  why.argument("SESSION", asked.session, "id of a session", true, complete::sessions);
  why.argument("RUN", asked.run, "id, prefix or name of a run", false, complete::runs);
  why.example("belfry session explain ses_01HZX3K9QWERT thumbs", "");
  why.action([&asked, &ctx] { return explain(asked, ctx); });

  auto& remove = session.sub("remove", "Remove a session; its leases run out");
  auto& who = remove.keep<std::string>();
  remove.argument("SESSION", who, "id of a session", true, complete::sessions);
  remove.example("belfry session remove ses_01HZX3K9QWERT", "");
  remove.action([&who, &ctx] {
    const auto s = ctx.node().call("DELETE", "/v1/sessions/" + percent_encoded(who), {});
    ctx.show(s, who, [&] { return who + " removed\n"; });
    return number_of(exit_code::ok);
  });
}

}  // namespace belfry::app
