// session: the workers that are registered, the node's own executors among them.
#include "api/json/writer.hpp"
#include "app/commands/all.hpp"

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
           {"SLOTS", true},
           {"SEEN"},
           {"CAPABILITIES", false, 10}});
  page["sessions"].each([&](view s) {
    const auto state = s["state"].text();
    t.row({s["id"].text(),
           s["name"].text(),
           s["agent_type"].text(),
           {state, colour_of_state(state)},
           s["slots"].text(),
           s["local"].truth() ? "local" : ago(s["last_seen_at"].text(), ctx.started),
           words_in(s["capabilities"])});
  });
  return t.empty() ? "no sessions\n" : t.text(ctx.screen());
}

std::string session_page(context& ctx, view s) {
  facts f;
  f.add("id", s["id"].text());
  f.add("name", {s["name"].text(), colour::bold});
  f.add("state", {s["state"].text(), colour_of_state(s["state"].text())});
  f.add("type", s["agent_type"].text());
  f.add("workspace", s["workspace"].text());
  f.add("channel", s["channel"].text());
  f.add("capabilities", words_in(s["capabilities"]));
  f.add("performs", words_in(s["handlers"]));
  f.add("slots", s["slots"].text());
  f.add("local", s["local"].truth() ? "lives with the node" : "");
  f.add("since", s["created_at"].text() + " (" + ago(s["created_at"].text(), ctx.started) + ")");
  f.add("seen", s["last_seen_at"].text() + " (" + ago(s["last_seen_at"].text(), ctx.started) + ")");
  return f.text(ctx.screen());
}

struct register_options {
  std::string name;
  std::optional<std::string> id, agent_type, workspace, channel;
  std::vector<std::string> capabilities;
  std::optional<std::int64_t> slots;
};

int register_session(const register_options& o, context& ctx) {
  api::json::writer w;
  w.begin_object().member("name", o.name);
  if (o.id) w.member("id", *o.id);
  if (o.agent_type) w.member("agent_type", *o.agent_type);
  if (o.workspace) w.member("workspace", *o.workspace);
  if (o.channel) w.member("channel", *o.channel);
  if (!o.capabilities.empty()) w.texts("capabilities", o.capabilities);
  if (o.slots) w.member("slots", *o.slots);
  w.end_object();
  const auto s = ctx.node().post("/v1/sessions", w.str());
  ctx.show(s, s["id"].text(), [&] { return s["id"].text() + "\n"; });
  return number_of(exit_code::ok);
}

}  // namespace

void add_sessions(command& root, context& ctx) {
  auto& session = root.sub("session", "Look at workers, register and remove them");
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
  made.example("belfry session register worker-1 --cap gpu --slots 4", "");
  made.action([&o, &ctx] { return register_session(o, ctx); });

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
