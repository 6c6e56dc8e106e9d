// os: hand timing groups over to the scheduler of the operating system, where no node is resident.
#include <filesystem>
#include <map>

#include "api/json/writer.hpp"
#include "app/commands/all.hpp"
#include "app/os/entry.hpp"
#include "app/serve/folder.hpp"
#include "app/tick/short_node.hpp"
#include "core/schedule/canonical.hpp"
#include "platform/ports/companion.hpp"
#include "platform/ports/files.hpp"

namespace belfry::app {
namespace {

const std::vector<std::string> target_names{"crontab", "systemd", "launchd"};

struct os_options {
  std::optional<std::string> which, data, directory, program, machine_zone, store;
  bool dry_run = false;
};

std::string folder_of_store(const os_options& o) {
  return std::filesystem::absolute(o.data.value_or(default_data_folder())).lexically_normal().string();
}

std::unique_ptr<os::target> target_of(const os_options& o, const std::string& which) {
  auto machine = os::machine_zone();
  if (o.machine_zone) {
    auto zone = core::zone::named(*o.machine_zone);
    if (!zone) throw refusal(exit_code::usage, "--machine-zone: " + zone.error().text);
    machine = std::move(*zone);
  }
  if (which == "crontab") {
    if (o.directory)
      throw refusal(exit_code::usage, "--directory: a crontab has none", {}, "belfry os sync --help");
    return os::crontab_target(std::move(machine));
  }
  auto made = which == "systemd" ? os::systemd_target(o.directory.value_or(""))
                                 : os::launchd_target(o.directory.value_or(""), std::move(machine));
  if (!made) throw refusal(made.error());
  return std::move(*made);
}

// A calendar is judged by the tick; for the entry its name is enough.
core::parsed<core::schedule> read_key(const std::string& key) {
  core::schedule_context context;
  context.calendars = [](std::string_view) { return std::make_shared<const core::calendar>(); };
  return core::parse_canonical(key, context);
}

struct refused_group {
  std::string id, label, schedule, why;
};
struct group_times {
  std::vector<os::wanted_entry> wanted;
  std::vector<refused_group> refused;
};

group_times read_groups(context& ctx, const core::os_abilities& can) {
  group_times all;
  query_text q;
  q.add("events", "true");  // they are refused, and that is told
  for (const auto& page : read_pages(ctx.node(), "/v1/timings", q, "timings", 0))
    page["timings"].each([&](view g) {
      const auto id = g["id"].text(), label = g["label"].text(), key = g["schedule"].text();
      const auto schedule = read_key(key);
      if (!schedule) {
        all.refused.push_back({id, label, key, "it cannot be read here: " + schedule.problem().why});
        return;
      }
      auto times = core::os_times_of(*schedule, can);
      if (times)
        all.wanted.push_back({id, label, key, std::move(*times)});
      else
        all.refused.push_back({id, label, key, times.error().text});
    });
  return all;
}

os::store_identity identity_of(const os_options& o, bool may_make) {
  os::store_identity mine;
  if (o.store) {  // its folder may be gone
    constexpr std::size_t mark_digits = 24;
    if (o.data) throw refusal(exit_code::usage, "--data and --store: give one of them", {}, "belfry os ls");
    if (o.store->size() != mark_digits || o.store->find_first_not_of("0123456789abcdef") != std::string::npos)
      throw refusal(exit_code::usage, "--store: '" + *o.store + "' is not the mark of a store",
                    {"allowed: 24 hex digits, as `belfry os ls` shows them"}, "belfry os ls");
    mine.mark = *o.store;
    return mine;
  }
  mine.folder = folder_of_store(o);
  std::error_code error;
  if (!may_make && !std::filesystem::exists(mine.folder + "/identity", error))
    throw refusal(exit_code::not_found, "there is no store in " + mine.folder, {},
                  "say which one with --data");
  if (may_make)
    if (auto made = make_data_folder(mine.folder); !made) throw refusal(made.error());
  const auto mark = mark_of(mine.folder);
  if (!mark) throw refusal(mark.error());
  mine.mark = *mark;
  mine.program =
      o.program ? std::filesystem::absolute(*o.program).lexically_normal().string() : platform::own_program();
  return mine;
}

void show_os_plan(const os_options& o, const os::target& to, const os::store_identity& mine,
                  const os::os_plan& plan, const group_times& groups, context& ctx) {
  std::map<std::string, const os::wanted_entry*> of_id;
  for (const auto& w : groups.wanted) of_id[w.id] = &w;
  api::json::writer w;
  w.begin_object()
      .member("target", o.which.value_or(""))
      .member("where", to.where())
      .member("store", mine.mark)
      .member("dry_run", o.dry_run)
      .key("entries")
      .begin_array();
  for (const auto& c : plan.changes) {
    const auto it = of_id.find(c.id);
    w.begin_object().member("id", c.id).member("change", os::to_text(c.what)).member_or_null("when", c.when);
    w.member_or_null("file", c.where);
    if (it != of_id.end())
      w.member("label", it->second->label)
          .member("schedule", it->second->schedule)
          .member("exact", it->second->times.exact)
          .member_or_null("why", it->second->times.why);
    w.end_object();
  }
  w.end_array().key("refused").begin_array();
  for (const auto& r : groups.refused)
    w.begin_object()
        .member("id", r.id)
        .member("label", r.label)
        .member("schedule", r.schedule)
        .member("why", r.why)
        .end_object();
  w.end_array().member_or_null("next", plan.next).end_object();
  const auto doc = json_text::parse(std::string{w.str()});
  if (ctx.json()) return ctx.put(indented(doc->text()) + "\n");
  ctx.show_list(
      {*doc}, "entries", [](view e) { return e["id"].text(); },
      [&] {
        table t({{"ENTRY"}, {"LABEL"}, {"WHEN", false, 12}, {"CHANGE"}, {"NOTE", false, 12}});
        for (const auto& c : plan.changes) {
          const auto it = of_id.find(c.id);
          const bool known = it != of_id.end();
          t.row({c.id, known ? it->second->label : "-", c.when, std::string(os::to_text(c.what)),
                 known ? it->second->times.why : std::string{}});
        }
        std::string text = t.empty() ? "no entries\n" : t.text(ctx.screen());
        if (o.dry_run && !plan.preview.empty()) text += "\n" + plan.preview;
        return text;
      });
}

int sync_entries(const os_options& o, context& ctx) {
  const auto to = target_of(o, o.which.value_or(""));
  const auto mine = identity_of(o, true);
  short_node node(mine.folder);
  node.reach(ctx);
  auto groups = read_groups(ctx, to->abilities());
  node.leave(ctx);
  auto plan = to->become(mine, groups.wanted, o.dry_run);
  if (!plan) throw refusal(plan.error());
  for (const auto& [id, why] : plan->refused)
    for (const auto& w : groups.wanted)
      if (w.id == id) groups.refused.push_back({id, w.label, w.schedule, why});
  show_os_plan(o, *to, mine, *plan, groups, ctx);
  for (const auto& r : groups.refused)
    ctx.tell("belfry: no entry for " + r.label + " (" + r.id + ", " + r.schedule + "): " + r.why);
  if (!o.dry_run && !plan->next.empty()) ctx.tell("to put it in force: " + plan->next);
  if (groups.refused.empty()) return number_of(exit_code::ok);
  return number_of(groups.wanted.size() > plan->refused.size() ? exit_code::partly : exit_code::conflict);
}

int remove_entries(const os_options& o, context& ctx) {
  const auto to = target_of(o, o.which.value_or(""));
  const auto mine = identity_of(o, false);
  auto plan = to->become(mine, {}, o.dry_run);
  if (!plan) throw refusal(plan.error());
  show_os_plan(o, *to, mine, *plan, {}, ctx);
  if (!o.dry_run && !plan->next.empty()) ctx.tell("to put it in force: " + plan->next);
  return number_of(exit_code::ok);
}

int list_entries(const os_options& o, context& ctx) {
  std::error_code error;
  const bool has_store = std::filesystem::exists(folder_of_store(o) + "/identity", error);
  const auto mine = has_store ? identity_of(o, false).mark : std::string{};
  api::json::writer w;
  w.begin_object().key("entries").begin_array();
  table t({{"TARGET"}, {"ENTRY"}, {"WHEN", false, 12}, {"STORE"}, {"WHERE", false, 12}});
  for (const auto& name : target_names) {
    if (o.which ? *o.which != name : false) continue;
    if (!o.which && o.directory && name == "crontab") continue;
    const auto to = target_of(o, name);
    const auto found = to->list();
    if (!found) {
      if (o.which) throw refusal(found.error());
      ctx.tell("belfry: " + name + ": " + found.error().text);
      continue;
    }
    for (const auto& e : *found) {
      const bool own = e.store == mine;
      w.begin_object()
          .member("target", name)
          .member("id", e.id)
          .member("when", e.when)
          .member("store", e.store)
          .member("own", own)
          .member_or_null("file", e.where)
          .end_object();
      t.row({name, e.id, e.when, own ? "this one" : e.store, e.where.empty() ? "crontab" : e.where});
    }
  }
  w.end_array().end_object();
  const auto doc = json_text::parse(std::string{w.str()});
  if (ctx.json()) return ctx.put(indented(doc->text()) + "\n"), number_of(exit_code::ok);
  ctx.show_list(
      {*doc}, "entries", [](view e) { return e["id"].text(); },
      [&] { return t.empty() ? std::string("no entries\n") : t.text(ctx.screen()); });
  return number_of(exit_code::ok);
}

void declare_target(command& c, os_options& o, bool target_needed) {
  c.one_of("--target", o.which, target_names,
           target_needed ? "which scheduler" : "only this one; default all");
  c.option("--data", o.data, "DIR", "folder of the store; default as for `belfry serve`", complete::folders);
  c.option("--directory", o.directory, "DIR", "folder of the units or property lists; default the user's own",
           complete::folders);
}

void needs_target(const os_options& o, const std::string& path) {
  if (!o.which)
    throw refusal(exit_code::usage, "--target is missing", {"allowed: crontab, systemd, launchd"},
                  path + " --help");
}

}  // namespace

void add_os(command& root, context& ctx) {
  auto& os = root.sub("os", "Hand schedules over to the scheduler of the operating system");
  auto& make = os.sub("sync", "Write one entry per timing group, and remove those whose group is gone");
  auto& s = make.keep<os_options>();
  declare_target(make, s, true);
  make.flag("--dry-run", s.dry_run, "say what would change, and write nothing");
  make.option("--program", s.program, "PATH", "the belfry that entries start; default this one",
              complete::files);
  make.option("--machine-zone", s.machine_zone, "ZONE",
              "zone of the machine's clock; default from /etc/localtime");
  make.note(
      "For machines without a resident node. Each entry runs `belfry timing run --due GROUP`, which plans by "
      "the jobs' "
      "own cursors: an entry that starts twice, late, or too often changes nothing. Lines and files of "
      "others are never "
      "touched. Run it again when schedules have changed.");
  make.note(
      "A schedule that the target cannot say exactly gets an entry that comes more often; the note says what "
      "is judged "
      "then. One that cannot be said at all is refused: exit code 9 when others were written.");
  make.example("belfry os sync --target crontab --dry-run", "");
  make.example("belfry os sync --target systemd --data /srv/belfry", "");
  make.action([&s, &make, &ctx] {
    needs_target(s, make.path());
    return sync_entries(s, ctx);
  });

  auto& look = os.sub("ls", "List the entries that are really there, of every store");
  auto& l = look.keep<os_options>();
  declare_target(look, l, false);
  look.example("belfry os ls", "");
  look.action([&l, &ctx] { return list_entries(l, ctx); });

  auto& gone = os.sub("remove", "Remove every entry of this store");
  auto& r = gone.keep<os_options>();
  declare_target(gone, r, true);
  gone.option("--store", r.store, "MARK",
              "of this store, as `belfry os ls` shows it: its folder may be gone or moved");
  gone.flag("--dry-run", r.dry_run, "say what would change, and write nothing");
  gone.example("belfry os remove --target crontab", "");
  gone.action([&r, &gone, &ctx] {
    needs_target(r, gone.path());
    return remove_entries(r, ctx);
  });
}

}  // namespace belfry::app
