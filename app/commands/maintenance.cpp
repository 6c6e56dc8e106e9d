// backup, retention: copy the store, check it, bring a copy back, remove what is old.
#include <filesystem>

#include "api/json/writer.hpp"
#include "app/commands/all.hpp"
#include "app/commands/work_options.hpp"
#include "app/serve/folder.hpp"
#include "core/time/text.hpp"
#include "storage/contract/open.hpp"

namespace belfry::app {
namespace {

namespace fs = std::filesystem;

struct restore_options {
  std::string file;
  std::optional<std::string> data;
  bool replace = false;
};

constexpr const char* before_restore = ".before-restore-";

struct retention_wishes {
  std::optional<std::string> keep, keep_dead;
  std::optional<std::int64_t> keep_per_job;
  bool dry_run = false, yes = false;
};

std::string absolute(const std::string& path) { return fs::absolute(path).lexically_normal().string(); }

std::string figures(view of) {
  return of["runs"].text() + " runs, up to event " + of["last_event"].text() + ", " +
         sized(static_cast<std::uint64_t>(of["bytes"].number())) + ", schema " + of["schema"].text();
}

int create(const std::string& file, context& ctx) {
  const auto made = ctx.node().post("/v1/backups", "{\"to\":" + json_quoted(absolute(file)) + "}");
  ctx.show(made, made["path"].text(),
           [&] { return made["path"].text() + ": " + figures(made.root()) + "; checked\n"; });
  return number_of(exit_code::ok);
}

json_text described(const core::store_check& found) {
  api::json::writer w;
  w.begin_object().member("sound", found.problems.empty()).texts("problems", found.problems);
  w.member("bytes", found.bytes).member("schema", found.schema).member("runs", found.runs);
  w.member("last_event", found.last_event).end_object();
  return *json_text::parse(w.str());
}

core::store_check checked(const std::string& file) {
  auto found = storage::check_sqlite_file(absolute(file));
  if (!found) throw refusal(found.error());
  return std::move(*found);
}

// A file here, or the store of the node.
int verify(const std::optional<std::string>& file, context& ctx) {
  const auto found = file ? described(checked(*file)) : ctx.node().post("/v1/store:verify", "{}");
  const bool sound = found["sound"].truth();
  ctx.show(found, sound ? "sound" : "damaged", [&] {
    std::string text = (file ? *file : std::string("the store")) + (sound ? " is sound: " : " is DAMAGED: ") +
                       figures(found.root()) + "\n";
    found["problems"].each([&](view p) { text += "  " + p.text() + "\n"; });
    return text;
  });
  return number_of(sound ? exit_code::ok : exit_code::unexpected);
}

// Where an interrupted restore has put the store whose journal still lies here; empty: nowhere.
std::string begun_aside(const std::string& store) {
  if (fs::exists(store) || !fs::exists(store + "-wal")) return {};
  const std::string beginning = fs::path(store).filename().string() + before_restore;
  std::string newest;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fs::path(store).parent_path(), error)) {
    const auto name = entry.path().filename().string();
    if (name.rfind(beginning, 0) != 0 || name.find('-', beginning.size()) != std::string::npos) continue;
    if (entry.path().string() > newest) newest = entry.path().string();
  }
  return !newest.empty() && !fs::exists(newest + "-wal") ? newest : std::string{};
}

// The old store stays beside the new one under another name, journal and all; also when an earlier try was
// killed between the two.
std::string set_aside(const std::string& store, core::instant at) {
  std::string aside = begun_aside(store);
  if (aside.empty()) aside = store + before_restore + std::to_string(core::micros(at) / 1'000'000);
  // The store first: one without its journal would be a store that lost its last commits.
  for (const char* end : {"", "-wal", "-shm"}) {
    std::error_code error;
    if (!fs::exists(store + end)) continue;
    fs::rename(store + end, aside + end, error);
    if (error)
      throw refusal(exit_code::unexpected, store + end + " could not be set aside: " + error.message());
  }
  return aside;
}

int restore(const restore_options& o, context& ctx) {
  const auto found = checked(o.file);
  if (!found.problems.empty())
    throw refusal(exit_code::unexpected, o.file + " is damaged, nothing was changed", found.problems,
                  "take another backup: `belfry backup verify FILE` looks at one");
  const std::string folder = o.data ? *o.data : default_data_folder();
  if (auto made = make_data_folder(folder); !made) throw refusal(made.error());
  const auto lock = folder_lock::take(folder);
  if (!lock) throw refusal(lock.error());
  const std::string store = absolute(folder) + "/belfry.db";
  std::string aside;
  // A journal that was left behind would be replayed into the copy.
  if (fs::exists(store) || fs::exists(store + "-wal")) {
    if (!o.replace)
      throw refusal(exit_code::conflict, folder + " has a store already, nothing was changed", {},
                    "--replace sets it aside under another name");
    aside = set_aside(store, ctx.started);
  }
  if (auto copied = storage::copy_sqlite_file(absolute(o.file), store); !copied)
    throw refusal(copied.error());
  const auto facts = described(found);
  ctx.show(facts, store, [&] {
    return store + ": " + figures(facts.root()) + "\n" +
           (aside.empty() ? std::string{} : "the store that was there is now " + aside + "\n") +
           "what was done after the backup is not in it; runs that were open then are tried again: belfry "
           "serve --data " +
           folder + "\n";
  });
  return number_of(exit_code::ok);
}

json_text prune(const retention_wishes& o, context& ctx, bool dry) {
  api::json::writer w;
  w.begin_object().member("dry_run", dry);
  if (o.keep) w.member("keep", *o.keep);
  if (o.keep_dead) w.member("keep_dead", *o.keep_dead);
  if (o.keep_per_job) w.member("keep_per_job", *o.keep_per_job);
  return ctx.node().post("/v1/retention:run", w.end_object().take());
}

int run_retention(const retention_wishes& o, context& ctx) {
  const auto preview = prune(o, ctx, true);
  const std::string count = preview["runs"].text() + (preview["more"].truth() ? " or more" : "") +
                            (preview["runs"].number() == 1 ? " run" : " runs");
  if (o.dry_run || preview["runs"].number() == 0) {
    ctx.show(preview, preview["runs"].text(), [&] {
      std::string text = "would remove " + count + "\n";
      preview["ids"].each([&](view id) { text += "  " + id.text() + "\n"; });
      return text;
    });
    return number_of(exit_code::ok);
  }
  ctx.confirm("This removes " + count + " with output and history, for good.", o.yes);
  std::int64_t removed = 0;
  for (bool more = true; more;) {
    const auto bite = prune(o, ctx, false);
    removed += bite["runs"].number();
    more = bite["more"].truth();
  }
  const auto total = json_text::parse("{\"dry_run\":false,\"runs\":" + std::to_string(removed) + "}");
  ctx.show(*total, std::to_string(removed),
           [&] { return "removed " + std::to_string(removed) + (removed == 1 ? " run\n" : " runs\n"); });
  return number_of(exit_code::ok);
}

void add_backup(command& root, context& ctx) {
  auto& backup = root.sub("backup", "Copy the store, check a copy, bring one back");
  auto& made = backup.sub("create", "Copy the store into a new file while the node goes on working");
  auto& to = made.keep<std::string>();
  made.argument("FILE", to, "a new file on the machine of the node", true, complete::files);
  made.note(
      "The copy is one committed state, checked and synced before it gets its name; a file that exists is "
      "never replaced. It holds everything: definitions, payloads, environments, output.");
  made.example("belfry backup create /var/backups/belfry-$(date +%F).db", "");
  made.action([&to, &ctx] { return create(to, ctx); });

  auto& check = backup.sub("verify", "Check a copy, or without FILE the store of the node");
  auto& file = check.keep<std::optional<std::string>>();
  check.argument("FILE", file, "a file that `backup create` made", false, complete::files);
  check.note("Exit code 0: sound. 1: damaged, and the lines say where.");
  check.example("belfry backup verify /var/backups/belfry-2026-11-21.db", "");
  check.example("belfry backup verify", "Reads the whole store of the node.");
  check.action([&file, &ctx] { return verify(file, ctx); });

  auto& back = backup.sub("restore", "Put a copy into a data folder that no node uses");
  auto& o = back.keep<restore_options>();
  back.argument("FILE", o.file, "a file that `backup create` made", true, complete::files);
  back.option("--data", o.data, "DIR", "the data folder; default that of `belfry serve`", complete::folders);
  back.flag("--replace", o.replace, "a store that is there is set aside under another name");
  back.example("belfry backup restore belfry-2026-11-21.db --data /var/lib/belfry", "");
  back.action([&o, &ctx] { return restore(o, ctx); });
}

}  // namespace

void add_maintenance(command& root, context& ctx) {
  add_backup(root, ctx);
  auto& retention = root.sub("retention", "Remove finished runs that are old");
  auto& run = retention.sub("run", "Remove them now, by the policy of the node or by what is said here");
  auto& o = run.keep<retention_wishes>();
  run.option("--keep", o.keep, "TIME", "how long finished runs are kept, such as 7d; 0 for ever");
  run.option("--keep-dead", o.keep_dead, "TIME", "the same of dead letters");
  run.option("--keep-per-job", o.keep_per_job, "N", "finished runs kept per job, the newest");
  run.flag("--dry-run", o.dry_run, "list what would go, remove nothing");
  run.flag("--yes,-y", o.yes, "do not ask");
  run.note(
      "Never removed: what has not ended, the latest result of a job, and what an open successor or hook "
      "points at.");
  run.example("belfry retention run --keep 2d --dry-run", "");
  run.action([&o, &ctx] { return run_retention(o, ctx); });
}

}  // namespace belfry::app
