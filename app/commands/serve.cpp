// serve: runs a node.
#include "app/serve/serve.hpp"
#include "app/commands/all.hpp"
#include "app/options/load.hpp"

namespace belfry::app {
namespace {

struct serve_flags {
  std::optional<std::string> config, data, socket, store, durability, executors, drain, log_level, log_format;
  std::optional<std::string> certificates, cluster_listen;
  std::vector<std::string> listen, join, set;
  bool allow_remote = false;
};

std::vector<flag_value> flags_of(const serve_flags& o) {
  std::vector<flag_value> flags;
  const auto put = [&](const char* flag, const char* key, const std::optional<std::string>& value) {
    if (value) flags.push_back({flag, key, *value});
  };
  put("--data", "node.data", o.data);
  put("--socket", "http.socket", o.socket);
  put("--store", "store.kind", o.store);
  put("--durability", "store.durability", o.durability);
  if (o.executors == std::optional<std::string>("0"))
    flags.push_back({"--executors", "executor.none", "true"});
  else
    put("--executors", "executor.processes", o.executors);
  put("--drain-timeout", "node.drain_timeout", o.drain);
  put("--log-level", "log.level", o.log_level);
  put("--log-format", "log.format", o.log_format);
  if (o.allow_remote) flags.push_back({"--allow-remote", "http.allow_remote", "true"});
  put("--cluster-certificates", "cluster.certificates", o.certificates);
  put("--cluster-listen", "cluster.listen", o.cluster_listen);
  std::string join;
  for (const auto& each : o.join) join += (join.empty() ? "" : ",") + each;
  if (!join.empty()) flags.push_back({"--join", "cluster.join", join});
  std::string listen;
  for (const auto& each : o.listen) listen += (listen.empty() ? "" : ",") + each;
  if (!listen.empty()) flags.push_back({"--listen", "http.listen", listen == "none" ? "" : listen});
  for (const auto& each : o.set) {
    const auto equals = each.find('=');
    if (equals == std::string::npos)
      throw refusal(exit_code::usage, "--set: '" + each + "' will not do",
                    {"allowed: KEY=VALUE, such as retention.keep=7d"}, "belfry config show");
    flags.push_back({"--set " + each.substr(0, equals), each.substr(0, equals), each.substr(equals + 1)});
  }
  return flags;
}

void declare_flags(command& c, serve_flags& o) {
  c.option("--data", o.data, "DIR",
           "folder of the store and the socket; default $XDG_STATE_HOME/belfry or ~/.local/state/belfry",
           complete::folders);
  c.option("--listen", o.listen, "ADDR:PORT",
           "address to listen on, repeatable; default 127.0.0.1:7420; port 0 takes a free one, none listens "
           "on the socket only");
  c.option("--socket", o.socket, "PATH", "unix socket; default DATA/belfry.sock; none for no socket",
           complete::files);
  c.flag("--allow-remote", o.allow_remote,
         "allow addresses other than loopback; whoever reaches them may run commands");
  c.one_of("--store", o.store, {"sqlite", "memory"}, "where runs are kept; memory forgets them at the end");
  c.one_of("--durability", o.durability, {"full", "normal"},
           "full: an answer means synced; normal: a power cut may lose the last commits");
  c.option("--executors", o.executors, "N",
           "commands run at a time; 0 for none; default: four times the cores");
  c.option("--drain-timeout", o.drain, "TIME",
           "after TERM, how long running commands may go on; default 10s");
  c.option(
      "--join", o.join, "HOST:PORT",
      "be a member of the cluster whose coordinator is there, repeatable; it keeps everything, this node "
      "has no store");
  c.option("--cluster-listen", o.cluster_listen, "ADDR:PORT", "take members at this address");
  c.option("--cluster-certificates", o.certificates, "DIR",
           "folder with node.crt, node.key and authority.crt, as `belfry cluster issue` makes it",
           complete::folders);
  c.option("--config", o.config, "FILE",
           "configuration; default: the first of BELFRY_CONFIG, ~/.config/belfry/belfry.toml, "
           "/etc/belfry/belfry.toml",
           complete::files);
  c.option("--set", o.set, "KEY=VALUE", "any key of the configuration, repeatable");
  c.one_of("--log-level", o.log_level, {"debug", "info", "warning", "error"},
           "the least important lines on stderr");
  c.one_of("--log-format", o.log_format, {"auto", "human", "json"},
           "auto: for people on a terminal, JSON lines elsewhere");
}

}  // namespace

void add_serve(command& root, context&) {
  auto& c = root.sub("serve", "Run a node");
  auto& o = c.keep<serve_flags>();
  declare_flags(c, o);
  c.note(
      "TERM or INT: claims no more, lets running commands go on for the drain timeout, then stops them, "
      "gives their runs back and "
      "ends with 0. A second one: at once.");
  c.example("belfry serve", "A node on http://127.0.0.1:7420 that keeps its data in your home folder.");
  c.example("belfry serve --data /srv/belfry --executors 8 --set retention.keep=30d", "");
  c.example("belfry serve --cluster-listen 192.0.2.1:7421 --cluster-certificates /etc/belfry/a",
            "The coordinator of a cluster.");
  c.example("belfry serve --join 192.0.2.1:7421 --cluster-certificates /etc/belfry/b", "A member of it.");
  c.example("belfry serve --store memory --listen 127.0.0.1:0", "For trying things out.");
  c.action([&o] {
    const auto settings = load_configuration(o.config, flags_of(o));
    refuse_mistakes(settings);
    return serve(settings);
  });
}

}  // namespace belfry::app
