// batch: runs that were submitted together.
#include "app/commands/all.hpp"
#include "app/commands/waiting.hpp"

namespace belfry::app {
namespace {

std::string batch_page(context& ctx, view batch) {
  facts f;
  f.add("id", batch["id"].text());
  f.add("made", batch["created_at"].text() + " (" + ago(batch["created_at"].text(), ctx.started) + ")");
  f.add("ended", batch["ended"].text() + " of " + batch["total"].text());
  if (!batch["complete"].truth())
    f.add("ends in", (batch["eta_ms"].there() ? "about " + lasting(batch["eta_ms"].number()) + " (" : "(") +
                         batch["eta_basis"].text() + ")");
  batch["by_state"].members([&](const std::string& state, view n) {
    if (n.number() > 0) f.add(state, {n.text(), colour_of_state(state)});
  });
  return f.text(ctx.screen());
}

struct cancel_options {
  std::string batch;
  std::optional<std::string> reason;
};

}  // namespace

void add_batches(command& root, context& ctx) {
  auto& batch = root.sub("batch", "Look at runs that were submitted together, cancel them");
  auto& show = batch.sub("show", "Show how far a batch is");
  auto& id = show.keep<std::string>();
  show.argument("BATCH", id, "id of a batch", true, complete::batches);
  show.example("belfry batch show bat_01HZX3K9QWERT", "");
  show.action([&id, &ctx] {
    const auto found = ctx.node().get("/v1/batches/" + percent_encoded(id));
    ctx.show(found, found["id"].text(), [&] { return batch_page(ctx, found.root()); });
    return number_of(exit_code::ok);
  });
  auto& cancel = batch.sub("cancel", "Cancel what has not ended of a batch");
  auto& o = cancel.keep<cancel_options>();
  cancel.argument("BATCH", o.batch, "id of a batch", true, complete::batches);
  cancel.option("--reason", o.reason, "TEXT", "why, for the journal");
  cancel.example("belfry batch cancel bat_01HZX3K9QWERT", "");
  cancel.action([&o, &ctx] {
    const std::string body = o.reason ? "{\"reason\":" + json_quoted(*o.reason) + "}" : "{}";
    const auto answer = ctx.node().post("/v1/batches/" + percent_encoded(o.batch) + ":cancel", body);
    ctx.show(answer, o.batch, [&] {
      std::size_t done = 0;
      answer["items"].each([&](view item) {
        if (item["status"].text() != "error") ++done;
      });
      return std::to_string(done) + " runs cancelled or asked to stop\n";
    });
    return number_of(exit_code::ok);
  });
}

}  // namespace belfry::app
