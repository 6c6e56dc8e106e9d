// cluster: the authority of a cluster and the certificates of its nodes. Files here, and no node is asked.
#include <sys/stat.h>

#include <charconv>
#include <chrono>

#include "api/json/writer.hpp"
#include "app/commands/all.hpp"
#include "core/time/text.hpp"
#include "platform/ports/files.hpp"
#include "platform/ports/secure_links.hpp"

namespace belfry::app {
namespace {

constexpr const char* usual_folder = "belfry-cluster";
constexpr auto soon = std::chrono::hours{24 * 30};

struct init_wish {
  std::string name;
  std::string folder = usual_folder;
  std::string valid = "10y";
};
struct issue_wish {
  std::string node;
  std::string folder = usual_folder;
  std::optional<std::string> into;
  std::string valid = "1y";
};

// Years of 365 days besides the usual spans.
core::span life_of(const std::string& text) {
  std::int64_t years = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, years);
  if (read.ec == std::errc{} && read.ptr + 1 == end && *read.ptr == 'y' && years >= 1 && years <= 100)
    return std::chrono::hours{24 * 365 * years};
  const auto span = core::parse_span(text);
  if (span && *span > core::span{0}) return *span;
  throw refusal(exit_code::usage, "--valid: '" + text + "' will not do", {"allowed: 1y to 100y, 90d, 12h, …"},
                {});
}

core::instant to_seconds(core::instant t) { return std::chrono::floor<std::chrono::seconds>(t); }

void write_facts(api::json::writer& w, const platform::issued& c, core::instant now) {
  w.member("kind", c.node.empty() ? "authority" : "node").member("cluster", c.cluster);
  w.member_or_null("node", c.node).member("serial", c.serial);
  w.member("from", core::to_rfc3339(to_seconds(c.from)))
      .member("until", core::to_rfc3339(to_seconds(c.until)));
  w.member("expired", c.until <= now).member("expires_soon", c.until - now < soon);
}

json_text described(const platform::issued& c,
                    const std::vector<std::pair<std::string, std::string>>& files) {
  api::json::writer w;
  w.begin_object();
  write_facts(w, c, now());
  for (const auto& [key, path] : files) w.member(key, path);
  return *json_text::parse(w.end_object().take());
}

std::string facts_table(context& ctx, const json_text& c) {
  facts f;
  f.add("cluster", {c["cluster"].text(), colour::bold});
  f.add("node", {c["node"].text(), colour::bold});
  f.add("valid", c["from"].text() + " to " + c["until"].text());
  f.add("certificate", c["certificate"].text());
  f.add("key", c["key"].text());
  f.add("authority", c["authority"].text());
  return f.text(ctx.screen());
}

int init(const init_wish& o, context& ctx) {
  if (o.name.empty())
    throw refusal(exit_code::usage, "--name is missing", {"the name of the cluster, such as production"},
                  "belfry cluster init --name production");
  const auto made = platform::make_authority(o.folder, o.name, now(), life_of(o.valid));
  if (!made) throw refusal(made.error());
  const auto shown =
      described(*made, {{"certificate", o.folder + "/authority.crt"}, {"key", o.folder + "/authority.key"}});
  ctx.show(shown, o.folder + "/authority.crt", [&] {
    return facts_table(ctx, shown) +
           "Whoever has the key can make nodes: keep it off them, and copy it to a safe place.\n"
           "next: belfry cluster issue NODE" +
           (o.folder == usual_folder ? std::string{} : " --folder " + o.folder) + "\n";
  });
  return number_of(exit_code::ok);
}

int issue(const issue_wish& o, context& ctx) {
  const auto into = o.into.value_or(o.folder + "/" + o.node);
  const auto valid = life_of(o.valid);
  const auto made = platform::issue_node(o.folder, o.node, into, now(), valid);
  if (!made) throw refusal(made.error());
  const auto shown = described(*made, {{"certificate", into + "/node.crt"},
                                       {"key", into + "/node.key"},
                                       {"authority", into + "/authority.crt"}});
  if (made->until < now() + valid - std::chrono::minutes{1})
    ctx.tell("belfry: the authority ends then, and so does what it issues");
  ctx.show(shown, into + "/node.crt", [&] {
    return facts_table(ctx, shown) + "Bring the folder to " + o.node +
           " over a way that nobody else can read.\n";
  });
  return number_of(exit_code::ok);
}

std::vector<std::string> certificates_at(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0)
    throw refusal(exit_code::not_found, path + " is not there", {}, "belfry cluster init --help");
  if (!S_ISDIR(s.st_mode)) return {path};
  std::vector<std::string> found;
  for (const char* each : {"/authority.crt", "/node.crt"})
    if (::stat((path + each).c_str(), &s) == 0) found.push_back(path + each);
  // In the folder of the authority, each node has one of its own.
  for (const auto& below : platform::list_folder(path))
    if (::stat((path + "/" + below + "/node.crt").c_str(), &s) == 0)
      found.push_back(path + "/" + below + "/node.crt");
  if (found.empty())
    throw refusal(exit_code::not_found, path + " has neither authority.crt nor node.crt", {},
                  "belfry cluster show FILE");
  return found;
}

int show(const std::string& path, context& ctx) {
  const auto at = now();
  api::json::writer w;
  w.begin_object().key("certificates").begin_array();
  std::vector<std::string> warnings;
  for (const auto& file : certificates_at(path)) {
    const auto c = platform::read_certificate(file);
    if (!c) throw refusal(c.error());
    if (c->cluster.empty())
      throw refusal(exit_code::usage, file + " is no certificate of a cluster",
                    {"it names no belfry://CLUSTER/NODE"}, "belfry cluster issue --help");
    w.begin_object().member("file", file);
    write_facts(w, *c, at);
    w.end_object();
    const std::string renew =
        c->node.empty() ? "belfry cluster init --help" : "belfry cluster issue " + c->node;
    if (c->until <= at)
      warnings.push_back(file + " has expired, and no node accepts it; " + renew);
    else if (c->until - at < soon)
      warnings.push_back(file + " expires " + ago(c->until, at) + "; " + renew);
  }
  const auto page = *json_text::parse(w.end_array().end_object().take());
  ctx.show_list(
      {page}, "certificates", [](view c) { return c["file"].text(); },
      [&] {
        table t({{"FILE", false, 16}, {"CLUSTER"}, {"NODE"}, {"FROM"}, {"UNTIL"}, {"SERIAL", false, 8}});
        page["certificates"].each([&](view c) {
          const bool bad = c["expires_soon"].truth();
          t.row({c["file"].text(),
                 c["cluster"].text(),
                 c["kind"].text() == "authority" ? std::string("(authority)") : c["node"].text(),
                 c["from"].text(),
                 {c["until"].text(), bad ? colour::yellow : colour::none},
                 c["serial"].text()});
        });
        return t.text(ctx.screen());
      });
  for (const auto& each : warnings) ctx.tell("belfry: warning: " + each);
  return number_of(exit_code::ok);
}

}  // namespace

void add_cluster(command& root, context& ctx) {
  auto& cluster = root.sub("cluster", "Make the authority of a cluster and the certificates of its nodes");
  auto& made = cluster.sub("init", "Make the authority: a key, and the certificate that all nodes trust");
  auto& i = made.keep<init_wish>();
  made.option("--name", i.name, "NAME", "of the cluster: a-z, 0-9, '-' and '.'");
  made.option("--folder", i.folder, "DIR", "where it is kept; default belfry-cluster", complete::folders);
  made.option("--valid", i.valid, "SPAN", "how long; default 10y");
  made.note("Nothing is overwritten. No node is asked, and none needs the authority's key.");
  made.example("belfry cluster init --name production", "");
  made.action([&i, &ctx] { return init(i, ctx); });

  auto& given = cluster.sub("issue", "Make a key and a certificate for one node");
  auto& g = given.keep<issue_wish>();
  given.argument("NODE", g.node, "its name: a-z, 0-9, '-' and '.'", true);
  given.option("--folder", g.folder, "DIR", "of the authority; default belfry-cluster", complete::folders);
  given.option("--into", g.into, "DIR", "where node.crt, node.key and authority.crt go; default FOLDER/NODE",
               complete::folders);
  given.option("--valid", g.valid, "SPAN", "how long, at most as long as the authority; default 1y");
  given.note(
      "A certificate is renewed by issuing another into a new folder. It is taken back with belfry node "
      "remove.");
  given.example("belfry cluster issue build-1", "");
  given.example("belfry cluster issue build-1 --into renewed --valid 90d", "");
  given.action([&g, &ctx] { return issue(g, ctx); });

  auto& shown = cluster.sub("show", "Whom certificates speak of, and until when");
  auto& s = shown.keep<std::string>();
  s = usual_folder;
  shown.argument("PATH", s, "a certificate, or a folder of them; default belfry-cluster", false,
                 complete::files);
  shown.note("Warns when less than 30 days are left.");
  shown.example("belfry cluster show /etc/belfry/cluster/node.crt", "");
  shown.example("belfry cluster show belfry-cluster/build-1 -o json", "");
  shown.action([&s, &ctx] { return show(s, ctx); });
}

}  // namespace belfry::app
