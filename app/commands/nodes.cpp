// node: the machines of the cluster: who is there, who may have work, who may come in.
#include <algorithm>
#include <thread>

#include "api/json/writer.hpp"
#include "app/commands/all.hpp"
#include "app/commands/waiting.hpp"

namespace belfry::app {
namespace {

std::string node_words(view list) {
  std::string text;
  list.each([&](view w) { text += (text.empty() ? "" : " ") + w.text(); });
  return text;
}

std::string node_path(const std::string& name) { return "/v1/nodes/" + percent_encoded(name); }

// One word for people: what an operator said goes before what was heard.
cell standing_of(view n) {
  const auto state = n["state"].text();
  if (n["removed"].truth()) return {"removed", colour::red};
  if (state == "lost") return {state, colour::red};
  if (state == "suspect") return {state, colour::yellow};
  if (n["draining"].truth()) return {n["leases"].number() == 0 ? "drained" : "draining", colour::yellow};
  return {state, state == "up" ? colour::green : colour::none};
}

std::string latency_in(view n) {
  if (!n["latency_ms"].there()) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1fms", n["latency_ms"].real());
  return text;
}

std::string nodes_table(context& ctx, const json_text& seen) {
  table t({{"NAME"},
           {"ROLE"},
           {"STATE"},
           {"EXECUTORS", true},
           {"LEASES", true},
           {"SEEN"},
           {"BEAT", true},
           {"ADDRESS"},
           {"VERSION"},
           {"LABELS", false, 10}});
  seen["nodes"].each([&](view n) {
    const bool own = n["role"].text() == "coordinator";
    t.row({n["name"].text(), n["role"].text(), standing_of(n), n["executors"].text(), n["leases"].text(),
           own                    ? std::string("here")
           : n["seen_at"].there() ? ago(n["seen_at"].text(), ctx.started)
                                  : std::string("-"),
           latency_in(n), n["address"].text(), n["version"].text(), node_words(n["labels"])});
  });
  if (t.empty()) return "no nodes\n";
  const auto cluster = seen["cluster"].text();
  return t.text(ctx.screen()) +
         (cluster.empty() ? "this node is alone: belfry help serve, --cluster-listen\n" : std::string{});
}

std::string node_page(context& ctx, view n) {
  facts f;
  f.add("name", {n["name"].text(), colour::bold});
  f.add("role", n["role"].text());
  f.add("state", standing_of(n));
  f.add("since", n["changed_at"].text());
  f.add("draining", n["draining"].truth() ? "its executors take no new runs" : "");
  f.add("removed", n["removed"].truth() ? "let in again with: belfry node readmit " + n["name"].text() : "");
  f.add("address", n["address"].text());
  f.add("version", n["version"].text());
  f.add("labels", node_words(n["labels"]));
  f.add("capabilities", node_words(n["capabilities"]));
  f.add("executors", n["executors"].text());
  f.add("leases", n["leases"].text());
  f.add("beat", n["latency_ms"].there() ? latency_in(n) + " there and back" : std::string{});
  f.add("joined", n["joined_at"].text());
  if (n["seen_at"].there())
    f.add("seen", n["seen_at"].text() + " (" + ago(n["seen_at"].text(), ctx.started) + ")");
  f.add("boot", n["boot"].text());
  f.add("sessions", node_words(n["sessions"]));
  return f.text(ctx.screen());
}

int list_nodes(context& ctx, bool removed) {
  const auto seen = ctx.node().get(removed ? "/v1/nodes?removed=true" : "/v1/nodes");
  std::vector<json_text> pages;
  pages.push_back(seen);
  ctx.show_list(
      pages, "nodes", [](view n) { return n["name"].text(); }, [&] { return nodes_table(ctx, seen); });
  return number_of(exit_code::ok);
}

struct node_word_options {
  std::string name;
  std::optional<std::string> reason, wait_timeout;
  bool wait = false, force = false, yes = false;
};

int tell_node(context& ctx, const json_text& n) {
  ctx.show(n, n["name"].text(), [&] {
    return n["name"].text() + " " + standing_of(n.root()).text + ", " + n["leases"].text() + " leases\n";
  });
  return number_of(exit_code::ok);
}

json_text say_to(context& ctx, const node_word_options& o, const std::string& verb) {
  api::json::writer w;
  w.begin_object();
  if (o.reason) w.member("reason", *o.reason);
  return ctx.node().post(node_path(o.name) + ":" + verb, w.end_object().take());
}

// A lost node holds its leases until they run out, so it is waited for like any other.
int drain(const node_word_options& o, context& ctx) {
  const auto until = deadline_from(o.wait_timeout, "--wait-timeout");
  auto n = say_to(ctx, o, "drain");
  constexpr auto longest_pause = std::chrono::milliseconds{1000};
  for (auto pause = std::chrono::milliseconds{50}; o.wait && n["leases"].number() > 0;
       pause = std::min(pause * 2, longest_pause)) {
    if (until && std::chrono::steady_clock::now() >= *until) {
      tell_node(ctx, n);
      return number_of(exit_code::still_pending);
    }
    std::this_thread::sleep_for(pause);
    n = ctx.node().get(node_path(o.name));
    if (!n["draining"].truth())
      throw refusal(exit_code::try_later, o.name + " was resumed by somebody else while it was drained", {},
                    "belfry node show " + o.name);
  }
  return tell_node(ctx, n);
}

void declare_drain(command& c, context& ctx) {
  auto& o = c.keep<node_word_options>();
  c.argument("NAME", o.name, "name of a node", true, complete::nodes);
  c.flag("--wait,-w", o.wait, "until its executors hold nothing any more");
  c.option("--wait-timeout", o.wait_timeout, "TIME", "wait no longer than this; exit code 8 then");
  c.option("--reason", o.reason, "TEXT", "kept in the journal");
  c.note("It stays so, also when the node starts again, until `belfry node resume`.");
  c.example("belfry node drain b --wait --reason 'new disk'", "");
  c.action([&o, &ctx] {
    if (o.wait_timeout && !o.wait)
      throw refusal(exit_code::usage, "--wait-timeout: only with --wait", {}, "belfry node drain --help");
    return drain(o, ctx);
  });
}

void declare_word(command& c, context& ctx, const std::string& verb) {
  auto& o = c.keep<node_word_options>();
  c.argument("NAME", o.name, "name of a node", true, complete::nodes);
  c.option("--reason", o.reason, "TEXT", "kept in the journal");
  c.example("belfry node " + verb + " b", "");
  c.action([&o, &ctx, verb] { return tell_node(ctx, say_to(ctx, o, verb)); });
}

void declare_remove(command& c, context& ctx) {
  auto& o = c.keep<node_word_options>();
  c.argument("NAME", o.name, "name of a node", true, complete::nodes);
  c.flag("--force", o.force, "whatever it does: its link is cut, its leases run out");
  c.flag("--yes,-y", o.yes, "with --force: do not ask");
  c.note(
      "For a node that is lost, has left, or is drained to nothing. Its certificate is good for nothing "
      "until "
      "`belfry node readmit`.");
  c.example("belfry node remove b", "");
  c.action([&o, &ctx] {
    if (o.force)
      ctx.confirm("This would cut off " + o.name +
                      ", whatever its executors do; their runs are run again "
                      "elsewhere when the leases have run out.",
                  o.yes);
    return tell_node(ctx, ctx.node().call("DELETE", node_path(o.name) + (o.force ? "?force=true" : ""), {}));
  });
}

}  // namespace

void add_nodes(command& root, context& ctx) {
  auto& node = root.sub("node", "The machines of the cluster");
  auto& list = node.sub("ls", "List the nodes, the coordinator first");
  auto& removed = list.keep<bool>();
  list.flag("--removed", removed, "those that were removed too");
  list.example("belfry node ls", "");
  list.example("belfry node ls -o json", "");
  list.action([&removed, &ctx] { return list_nodes(ctx, removed); });

  auto& show = node.sub("show", "Show one node");
  auto& name = show.keep<std::string>();
  show.argument("NAME", name, "name of a node", true, complete::nodes);
  show.example("belfry node show b", "");
  show.action([&name, &ctx] {
    const auto n = ctx.node().get(node_path(name));
    ctx.show(n, n["name"].text(), [&] { return node_page(ctx, n.root()); });
    return number_of(exit_code::ok);
  });

  declare_drain(node.sub("drain", "No new runs for a node; what it runs goes on"), ctx);
  declare_word(node.sub("resume", "Runs again for a node that was drained"), ctx, "resume");
  declare_remove(node.sub("remove", "Let a node in no more"), ctx);
  declare_word(node.sub("readmit", "Let a node in again that was removed"), ctx, "readmit");
}

}  // namespace belfry::app
