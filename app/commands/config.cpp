// config: what a node would be run with, and from where each value comes.
#include "api/json/node.hpp"
#include "app/commands/all.hpp"
#include "app/options/load.hpp"

namespace belfry::app {

namespace {

struct config_options {
  std::optional<std::string> config;
  std::vector<std::string> set;
  std::string file;
  bool example = false, reference = false, changed = false, node = false;
};

std::vector<flag_value> flags_of(const config_options& o) {
  std::vector<flag_value> flags;
  for (const auto& each : o.set) {
    const auto equals = each.find('=');
    if (equals == std::string::npos)
      throw refusal(exit_code::usage, "--set: '" + each + "' will not do", {"allowed: KEY=VALUE"}, {});
    flags.push_back({"--set " + each.substr(0, equals), each.substr(0, equals), each.substr(equals + 1)});
  }
  return flags;
}

json_text here(const config_options& o) {
  const auto settings = load_configuration(o.config, flags_of(o));
  refuse_mistakes(settings);
  const auto told = told_of(settings, settings.values);
  api::json::writer w;
  w.begin_object().member_or_null("file", told.file).key("settings").begin_array();
  for (const auto& each : told.settings) api::json::write_setting(w, each.key, each.value, each.origin);
  w.end_array().end_object();
  return *json_text::parse(w.take());
}

int show(const config_options& o, context& ctx) {
  if (o.example || o.reference) {
    ctx.put(o.example ? example_file() : reference_in_markdown());
    return number_of(exit_code::ok);
  }
  // Named, a node is asked; else this tells what one would be run with here.
  const bool ask = o.node || !ctx.options.server.empty();
  if (ask && (o.config || !o.set.empty()))
    throw refusal(exit_code::usage, "--config and --set belong to a node that is not running yet", {},
                  "belfry config show --node, or belfry config show --config FILE");
  const auto doc = ask ? ctx.node().get("/v1/config") : here(o);
  table t({{"KEY"}, {"VALUE", false, 16}, {"FROM", false, 10}});
  std::string items;
  doc["settings"].each([&](view each) {
    const std::string from = each["origin"].text();
    if (o.changed && from == "default") return;
    t.row({each["key"].text(),
           compact(each["value"].raw()),
           {from, from == "default" ? colour::dim : colour::green}});
    items += (items.empty() ? "" : ",") + std::string(each.raw());
  });
  const auto shown =
      json_text::parse("{\"file\":" + std::string(doc["file"].raw()) + ",\"settings\":[" + items + "]}");
  if (ctx.table() && doc["file"].there()) ctx.tell("file: " + doc["file"].text());
  ctx.show_list(
      {*shown}, "settings", [](view each) { return each["key"].text(); },
      [&] { return t.text(ctx.screen()); });
  return number_of(exit_code::ok);
}

int check(const config_options& o, context& ctx) {
  const auto settings = check_configuration_file(o.file);
  refuse_mistakes(settings);
  if (ctx.table())
    ctx.put(o.file + " is fine\n");
  else
    ctx.put("{\"file\":" + json_quoted(o.file) + ",\"mistakes\":[]}\n");
  return number_of(exit_code::ok);
}

}  // namespace

void add_config(command& root, context& ctx) {
  auto& config = root.sub("config", "Show and check the configuration of a node");
  auto& shown = config.sub("show", "Print every value and where it comes from");
  auto& o = shown.keep<config_options>();
  shown.option("--config", o.config, "FILE", "this file instead of the usual places", complete::files);
  shown.option("--set", o.set, "KEY=VALUE", "as for serve, repeatable");
  shown.flag("--node", o.node, "ask the node what it runs with; also with --server");
  shown.flag("--changed", o.changed, "only what differs from the default");
  shown.flag("--example", o.example, "print a file with every key, its meaning and its default");
  shown.flag("--reference", o.reference, "print the tables of docs/configuration.md");
  shown.note(
      "Without --node it tells what `belfry serve` would run with when started here. Secrets are never among "
      "the "
      "settings: they are given by reference.");
  shown.example("belfry config show --changed", "");
  shown.example("belfry config show --node",
                "What the running node was started with, and the limits in force.");
  shown.example("belfry config show --example > belfry.toml", "");
  shown.action([&o, &ctx] { return show(o, ctx); });
  auto& checked = config.sub("check", "Check a file; every mistake with its line and column");
  auto& k = checked.keep<config_options>();
  checked.argument("FILE", k.file, "a configuration file", true, complete::files);
  checked.example("belfry config check /etc/belfry/belfry.toml", "Exit code 2 when there is a mistake.");
  checked.action([&k, &ctx] { return check(k, ctx); });
}

}  // namespace belfry::app
