// handler: the kinds of work that a submission can name.
#include "app/commands/all.hpp"

namespace belfry::app {
namespace {

std::string handlers_table(context& ctx, const json_text& page) {
  table t({{"KIND"}, {"PERFORMED BY"}, {"DESCRIPTION", false, 20}});
  page["handlers"].each([&](view h) {
    t.row({h["kind"].text(), h["performed_by"].text(), h["description"].text()});
  });
  return t.text(ctx.screen());
}

std::string handler_page(context& ctx, view h) {
  facts f;
  f.add("kind", h["kind"].text() + (h["default"].truth() ? " (meant by a command without a kind)" : ""));
  f.add("description", h["description"].text());
  f.add("performed by", h["performed_by"].text());
  const auto usual = h["defaults"];
  f.add("timeout", lasting(usual["timeout_ms"].number()) + ", then TERM and " +
                       lasting(usual["grace_ms"].number()) + " of grace");
  f.add("attempts", usual["max_attempts"].text() + ", lost ones apart: " + usual["max_losses"].text());
  return f.text(ctx.screen());
}

}  // namespace

void add_handlers(command& root, context& ctx) {
  auto& handler = root.sub("handler", "Look at the kinds of work there are");
  auto& list = handler.sub("list", "List them");
  list.example("belfry handler list", "");
  list.action([&ctx] {
    const auto page = ctx.node().get("/v1/handlers");
    ctx.show_list(
        {page}, "handlers", [](view h) { return h["kind"].text(); },
        [&] { return handlers_table(ctx, page); });
    return number_of(exit_code::ok);
  });
  auto& show = handler.sub("show", "Show one with its defaults");
  auto& kind = show.keep<std::string>();
  show.argument("KIND", kind, "process or none", true);
  show.example("belfry handler show process", "");
  show.action([&kind, &ctx] {
    const auto h = ctx.node().get("/v1/handlers/" + percent_encoded(kind));
    ctx.show(h, h["kind"].text(), [&] { return handler_page(ctx, h.root()); });
    return number_of(exit_code::ok);
  });
}

}  // namespace belfry::app
