// doctor: what is wrong, for people and for monitoring; also when the node does not answer.
#include <filesystem>

#include "api/json/explanations.hpp"
#include "app/commands/all.hpp"
#include "app/serve/folder.hpp"
#include "core/doctor/doctor.hpp"
#include "platform/ports/files.hpp"
#include "storage/contract/open.hpp"
#include "storage/contract/troubles.hpp"

namespace belfry::app {
namespace {

namespace fs = std::filesystem;
using core::severity;

// As monitoring plugins say it: 0 well, 1 warning, 2 critical.
constexpr int exit_degraded = 1;
constexpr int exit_unhealthy = 2;

struct doctor_flags {
  std::optional<std::string> data;
  bool offline = false;
};

// Whoever holds the lock of the folder; empty: nobody.
std::string holder_of(const std::string& folder) {
  const auto lock = folder_lock::look(folder);
  return lock ? std::string{} : lock.error().text;
}

// What the folder tells of a node that does not answer.
core::diagnosis look_at_folder(const std::string& folder, const std::string& why, core::instant now) {
  std::vector<core::finding> all;
  const auto add = [&all](std::string_view code, severity s, std::string text,
                          std::vector<std::string> evidence = {}) {
    all.push_back(core::found(code, s, std::move(text), std::move(evidence)));
  };
  add("node_unreachable", severity::critical, "the node does not answer", {why});
  const auto store = folder + "/belfry.db";
  if (!fs::exists(store)) {
    add("store_missing", severity::error, "there is no store in " + folder);
    return core::concluded(std::move(all));
  }
  if (const auto holder = holder_of(folder); !holder.empty()) add("store_held", severity::error, holder);
  const auto schema = storage::schema_of_sqlite_file(store);
  if (!schema) {
    add("store_unreadable", severity::critical, schema.error().text);
    return core::concluded(std::move(all));
  }
  core::doctor_facts f;
  f.now = now;
  f.offline = true;
  f.disk_path = folder;
  f.disk_free = platform::disk_free(folder);
  f.disk_alarm = 256ULL << 20U;
  f.disk_reserve = storage::sqlite_options{}.reserve;
  const auto known = storage::known_schema();
  const std::string versions =
      "the store has schema " + std::to_string(*schema) + ", this belfry knows " + std::to_string(known);
  if (*schema > known) {
    add("schema_newer", severity::critical, versions);
  } else if (*schema < known) {
    add("schema_older", severity::info, versions);
  } else {
    const auto rows = storage::read_sqlite_file(store);
    auto troubles = storage::troubles_of(*rows, now, core::doctor_options{}.late_after);
    if (troubles)
      f.store = std::move(*troubles);
    else
      add("store_unreadable", severity::critical, troubles.error().text);
  }
  for (auto& one : core::diagnose(f).findings) all.push_back(std::move(one));
  return core::concluded(std::move(all));
}

std::string page_of(context& ctx, view d) {
  const auto health = d["health"].text();
  std::string out = ctx.screen().paint(health, colour_of_state(health));
  if (d["offline"].truth()) out += " (the node does not answer; this is what its data folder tells)";
  out += "\n";
  d["findings"].each([&](view f) {
    const auto grade = f["severity"].text();
    const auto hue = grade == "critical" || grade == "error" ? colour::red
                     : grade == "warning"                    ? colour::yellow
                                                             : colour::none;
    out += "\n" + ctx.screen().paint(grade, hue) + " " + f["text"].text() + " [" + f["code"].text() + "]\n";
    f["evidence"].each([&](view line) { out += "    " + line.text() + "\n"; });
    if (const auto command = f["command"].text(); !command.empty()) out += "  help: " + command + "\n";
  });
  if (d["findings"].size() == 0) out += "nothing is wrong\n";
  return out;
}

int tell(context& ctx, const json_text& d) {
  const auto health = d["health"].text();
  ctx.show(d, health, [&] { return page_of(ctx, d.root()); });
  return health == "healthy"    ? number_of(exit_code::ok)
         : health == "degraded" ? exit_degraded
                                : exit_unhealthy;
}

int examine(const doctor_flags& o, context& ctx) {
  std::string why = "it was not asked (--offline)";
  if (!o.offline) {
    try {
      return tell(ctx, ctx.node().get("/v1/doctor"));
    } catch (const refusal& r) {
      // What answers but refuses is there; what cannot be reached may have left its folder.
      if (r.exit != exit_code::try_later) throw;
      why = r.what();
    }
  }
  const auto folder = o.data ? *o.data : default_data_folder();
  api::json::writer w;
  api::json::write_diagnosis(w, look_at_folder(folder, why, ctx.started), ctx.started, true);
  return tell(ctx, *json_text::parse(w.take()));
}

}  // namespace

void add_doctor(command& root, context& ctx) {
  auto& c = root.sub("doctor", "Say what is wrong with the node, and what helps");
  auto& o = c.keep<doctor_flags>();
  c.option("--data", o.data, "DIR", "the data folder to look at when the node does not answer",
           complete::folders);
  c.flag("--offline", o.offline, "do not ask the node, look at its data folder");
  c.note(
      "Looks for runs that are overdue, stuck, starved, or that fit nobody; jobs that fail again and again; "
      "dead letters; sessions that went silent; a full disk; a late scheduler. Each finding has a stable "
      "code, "
      "evidence and a command; docs/diagnostics.md has them all.");
  c.note(
      "Exit code 0: healthy. 1: degraded, something needs a look. 2: unhealthy, or the node does not answer. "
      "These are the codes of monitoring plugins.");
  c.example("belfry doctor", "");
  c.example("belfry doctor -o json | jq -r '.findings[] | .severity + \" \" + .code'", "");
  c.example("belfry doctor --offline --data /var/lib/belfry", "Of a node that does not run.");
  c.action([&o, &ctx] { return examine(o, ctx); });
}

}  // namespace belfry::app
