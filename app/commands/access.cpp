// access: tokens that stand for a role. Made here, declared in the configuration, kept by nobody else.
#include "core/operators/access.hpp"
#include "app/commands/all.hpp"
#include "app/options/settings.hpp"
#include "platform/ports/clock.hpp"

namespace belfry::app {
namespace {

struct access_wish {
  std::string name;
  std::string role = "work";
};

int create(const access_wish& o, context& ctx) {
  const auto made = platform::system_randomness()->token();
  core::access_token t{o.name, core::role::none, made.hash};
  for (const auto each : {core::role::read, core::role::work, core::role::operate, core::role::admin})
    if (core::to_text(each) == o.role) t.may = each;
  const auto declared = core::parse_access_token(core::to_text(t));
  if (!declared)
    throw refusal(exit_code::usage, "NAME: '" + o.name + "' is not 1 to 40 letters, digits and . _ -", {},
                  "belfry access create --help");
  const auto line = core::to_text(*declared);
  const auto shown = json_text::parse(
      "{\"name\":" + json_quoted(t.name) + ",\"role\":" + json_quoted(o.role) +
      ",\"token\":" + json_quoted(made.text) + ",\"declaration\":" + json_quoted(line) + "}");
  ctx.show(*shown, made.text, [&] {
    return "token  " + made.text + "\n  shown only here; whoever gets it sets BELFRY_ACCESS_TOKEN\n\n" +
           "[access]\ntokens = [" + toml_text(line) +
           "]\n  for the configuration of the node, which has to be " + "started anew\n";
  });
  return number_of(exit_code::ok);
}

}  // namespace

void add_access(command& root, context& ctx) {
  auto& access = root.sub("access", "Make tokens that let others in");
  auto& made = access.sub("create", "Make an access token and the line that declares it");
  auto& o = made.keep<access_wish>();
  made.argument("NAME", o.name, "who gets it; stands in the journal", true);
  made.one_of("--role", o.role, {"read", "work", "operate", "admin"},
              "what it allows, each with what is before it: to look, to be a worker, to submit and steer, "
              "everything; default work");
  made.note(
      "The node knows the SHA-256 only. As soon as one token is declared, nothing is allowed over TCP "
      "without "
      "one (access.without_token); the unix socket stays with the user of the node. There is no encryption: "
      "beyond loopback, put a proxy with TLS in front.");
  made.example("belfry access create ci --role operate", "");
  made.example("BELFRY_ACCESS_TOKEN=$(cat token) belfry ls", "How it is shown.");
  made.action([&o, &ctx] { return create(o, ctx); });
}

}  // namespace belfry::app
