// config: what a node would be run with, and from where each value comes.
#include "app/commands/all.hpp"
#include "app/options/load.hpp"

namespace belfry::app {

namespace {

struct config_options {
  std::optional<std::string> config;
  std::vector<std::string> set;
  std::string file;
  bool example = false, reference = false, changed = false;
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

int show(const config_options& o, context& ctx) {
  if (o.example || o.reference) {
    ctx.put(o.example ? example_file() : reference_in_markdown());
    return number_of(exit_code::ok);
  }
  const auto settings = load_configuration(o.config, flags_of(o));
  refuse_mistakes(settings);
  table t({{"KEY"}, {"VALUE", false, 16}, {"FROM", false, 10}});
  std::string items, names;
  for (const auto& each : all_settings()) {
    const std::string value = each.show(settings.values);
    const std::string& from = settings.origin.at(each.key);
    if (o.changed && from == "default") continue;
    t.row({each.key, value, {from, from == "default" ? colour::dim : colour::green}});
    // TOML and JSON agree on texts, numbers, truths and lists of texts.
    items += (items.empty() ? "" : ",") + ("{\"key\":" + json_quoted(each.key)) + ",\"value\":" + value +
             ",\"origin\":" + json_quoted(from) + "}";
    names += each.key + "\n";
  }
  const auto doc =
      json_text::parse("{\"file\":" + (settings.file.empty() ? "null" : json_quoted(settings.file)) +
                       ",\"settings\":[" + items + "]}");
  if (ctx.table() && !settings.file.empty()) ctx.tell("file: " + settings.file);
  ctx.show_list(
      {*doc}, "settings", [](view each) { return each["key"].text(); }, [&] { return t.text(ctx.screen()); });
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
  shown.flag("--changed", o.changed, "only what differs from the default");
  shown.flag("--example", o.example, "print a file with every key, its meaning and its default");
  shown.flag("--reference", o.reference, "print the tables of docs/configuration.md");
  shown.example("belfry config show --changed", "");
  shown.example("belfry config show --example > belfry.toml", "");
  shown.action([&o, &ctx] { return show(o, ctx); });
  auto& checked = config.sub("check", "Check a file; every mistake with its line and column");
  auto& k = checked.keep<config_options>();
  checked.argument("FILE", k.file, "a configuration file", true, complete::files);
  checked.example("belfry config check /etc/belfry/belfry.toml", "Exit code 2 when there is a mistake.");
  checked.action([&k, &ctx] { return check(k, ctx); });
}

}  // namespace belfry::app
