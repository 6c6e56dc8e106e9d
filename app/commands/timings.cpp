// timing: groups of jobs with one schedule: list, look, run, pause, resume.
#include <algorithm>
#include <filesystem>
#include <map>

#include "api/json/writer.hpp"
#include "app/commands/all.hpp"
#include "app/commands/waiting.hpp"
#include "app/tick/short_node.hpp"

namespace belfry::app {
namespace {

std::string timing_path(const std::string& group, const std::string& verb = {}) {
  return "/v1/timings/" + percent_encoded(group) + verb;
}

std::string or_dash(view v) { return v.there() ? v.text() : std::string("-"); }

struct timing_list_options {
  std::optional<std::string> has;
  std::int64_t limit = 50;
  bool all = false;
};

std::string groups_table(context& ctx, const std::vector<json_text>& pages) {
  struct line {
    std::string label, id, members, paused, next, fired, schedule;
  };
  std::vector<line> lines;
  for (const auto& page : pages)
    page["timings"].each([&](view g) {
      lines.push_back({g["label"].text(), g["id"].text(), g["members"].text(), g["paused"].text(),
                       or_dash(g["next_at"]),
                       g["last_fired_at"].there() ? ago(g["last_fired_at"].text(), ctx.started) : "never",
                       g["schedule"].text()});
    });
  std::sort(lines.begin(), lines.end(),
            [](const line& a, const line& b) { return std::tie(a.label, a.id) < std::tie(b.label, b.id); });
  table t(
      {{"LABEL"}, {"ID"}, {"JOBS", true}, {"PAUSED", true}, {"NEXT"}, {"FIRED"}, {"SCHEDULE", false, 12}});
  for (const auto& l : lines) t.row({l.label, l.id, l.members, l.paused, l.next, l.fired, l.schedule});
  return t.empty() ? "no job has a schedule\n" : t.text(ctx.screen());
}

std::string group_page(context& ctx, const std::vector<json_text>& pages) {
  const auto& g = pages.front();
  facts f;
  f.add("id", g["id"].text());
  f.add("label", {g["label"].text(), colour::bold});
  f.add("schedule", g["schedule"].text());
  f.add("members", g["members"].text() +
                       (g["paused"].number() > 0 ? ", " + g["paused"].text() + " of them paused" : ""));
  f.add("next", or_dash(g["next_at"]));
  f.add("last fired", or_dash(g["last_fired_at"]));
  table t({{"JOB", false, 12}, {"STATE"}, {"NEXT"}, {"FIRED"}, {"LAST RUN"}, {"ENDED AS"}});
  for (const auto& page : pages)
    page["jobs"].each([&](view j) {
      const auto state = j["state"].text(), last = j["last_run_state"].text();
      t.row({j["name"].text(),
             {state, colour_of_state(state)},
             or_dash(j["next_at"]),
             or_dash(j["last_fired_at"]),
             or_dash(j["last_run_id"]),
             {last.empty() ? "-" : last, colour_of_state(last)}});
    });
  return f.text(ctx.screen()) + t.text(ctx.screen());
}

// ---- run

struct timing_run_options {
  std::string group;
  bool force = false, due = false, wait = false;
  std::optional<std::string> data, timeout;
};

struct member_run {
  std::string job, name, run, state, why;
  bool refused = false;
  bool skipped() const { return state == "skipped"; }
  bool open() const { return !refused && !is_terminal(state); }
};

struct group_run {
  std::string id, label;
  std::vector<member_run> all;
};

group_run ask_for_runs(const timing_run_options& o, context& ctx) {
  api::json::writer w;
  w.begin_object().member("force", o.force).member("due", o.due).end_object();
  call_options call;
  call.idempotency_key = random_key();
  group_run r;
  std::string cursor;
  do {
    query_text q;
    q.add("cursor", cursor);
    const auto page = ctx.node().post(timing_path(o.group, ":run") + q.text(), std::string{w.str()}, call);
    r.id = page["id"].text();
    r.label = page["label"].text();
    page["items"].each([&](view item) {
      member_run m;
      m.job = item["job_id"].text();
      m.name = item["name"].text();
      if (item["status"].text() == "error") {
        m.refused = true;
        m.state = "refused";
        m.why = item["detail"].text();
        r.all.push_back(m);
      }
      item["runs"].each([&](view run) {
        m.run = run["id"].text();
        m.state = run["state"].text();
        m.why = run["reason"].text();
        r.all.push_back(m);
      });
    });
    cursor = page["next_cursor"].text();
  } while (!cursor.empty());
  return r;
}

void take_ends(group_run& r, const waited& done) {
  std::map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < r.all.size(); ++i) place[r.all[i].run] = i;
  for (const auto& run : done.ended)
    if (const auto it = place.find(run["id"].text()); it != place.end()) {
      r.all[it->second].state = run["state"].text();
      r.all[it->second].why = run["reason"].text();
    }
}

// A node of our own may go away under us: then another one goes on, and the runs are still there.
void wait_for_group(group_run& r, const timing_run_options& o, context& ctx, short_node* node) {
  const auto until = deadline_from(o.timeout, "--wait-timeout");
  for (;;) {
    std::vector<std::string> open;
    for (const auto& m : r.all)
      if (m.open()) open.push_back(m.run);
    if (open.empty()) return;
    try {
      return take_ends(r, wait_for_runs(ctx, open, until));
    } catch (const refusal& lost) {
      if (node == nullptr || lost.exit != exit_code::try_later) throw;
      node->reach(ctx);
    }
  }
}

// `waited`: how the runs ended counts; else that they were made.
exit_code judged(const group_run& r, bool due, bool waited) {
  std::size_t good = 0, bad = 0, open = 0;
  for (const auto& m : r.all) {
    if (m.skipped() && due) continue;  // the job's own policy
    if (m.open() && waited)
      ++open;
    else if (m.refused || m.skipped() || (waited && m.state != "succeeded"))
      ++bad;
    else
      ++good;
  }
  if (open > 0) return exit_code::still_pending;
  if (bad == 0) return exit_code::ok;
  return good > 0 ? exit_code::partly : exit_code::ended_badly;
}

void show_member_runs(const group_run& r, context& ctx) {
  api::json::writer w;
  w.begin_object().member("id", r.id).member("label", r.label).key("items").begin_array();
  for (const auto& m : r.all)
    w.begin_object()
        .member("job_id", m.job)
        .member("name", m.name)
        .member_or_null("run_id", m.run)
        .member("state", m.state)
        .member_or_null("reason", m.why)
        .end_object();
  w.end_array().end_object();
  const auto doc = json_text::parse(std::string{w.str()});
  std::vector<json_text> pages{*doc};
  if (ctx.json()) return ctx.put(indented(doc->text()) + "\n");
  ctx.show_list(
      pages, "items", [](view m) { return m["run_id"].text(); },
      [&] {
        table t({{"JOB", false, 12}, {"RUN"}, {"STATE"}, {"WHY", false, 12}});
        for (const auto& m : r.all)
          t.row({m.name, m.run.empty() ? "-" : m.run, {m.state, colour_of_state(m.state)}, m.why});
        return t.empty() ? "nothing was due\n" : t.text(ctx.screen());
      });
}

bool a_node_answers(context& ctx) {
  try {
    return ctx.node().raw("GET", "/v1/ping", {}).status == 200;
  } catch (const refusal&) {
    return false;
  }
}

// The node that was named; else the one on this machine; else one for as long as this takes.
std::unique_ptr<short_node> find_node(const timing_run_options& o, context& ctx) {
  if (o.data) {
    if (!ctx.options.server.empty())
      throw refusal(exit_code::usage, "--data and --server: give one of them", {},
                    "belfry timing run --help");
    auto node = std::make_unique<short_node>(std::filesystem::absolute(*o.data).lexically_normal().string());
    node->reach(ctx);
    return node;
  }
  const char* url = std::getenv("BELFRY_URL");
  if (!ctx.options.server.empty() || (url != nullptr && *url != '\0') || a_node_answers(ctx)) return nullptr;
  auto node = std::make_unique<short_node>(default_data_folder());
  node->reach(ctx);
  return node;
}

int run_group(const timing_run_options& o, context& ctx) {
  if (o.force && o.due)
    throw refusal(exit_code::usage,
                  "--due plans by the jobs' own rules, --force is against them: give one of them", {},
                  "belfry timing run --help");
  if (o.timeout && !o.wait && !o.data)
    throw refusal(exit_code::usage, "--wait-timeout goes with --wait", {}, "belfry timing run --help");
  const auto node = find_node(o, ctx);
  const bool waits = o.wait || node != nullptr;
  group_run r;
  for (int tries = 1;; ++tries) {
    try {
      r = ask_for_runs(o, ctx);
      break;
    } catch (const refusal& lost) {  // a node that is just ending takes nothing new
      constexpr int most_tries = 20;
      if (node == nullptr || lost.exit != exit_code::try_later || tries == most_tries) throw;
      node->reach(ctx);
    }
  }
  if (waits) wait_for_group(r, o, ctx, node.get());
  show_member_runs(r, ctx);
  const auto code = judged(r, o.due, waits);
  if (node) node->leave(ctx);
  return number_of(code);
}

void declare_group_run(command& c, context& ctx) {
  auto& o = c.keep<timing_run_options>();
  c.argument("GROUP", o.group, "id, label or schedule", true);
  c.flag("--force", o.force, "although paused, or another run is open");
  c.flag("--due", o.due,
         "not by hand: plan what is due of each member by its cursor, with its catch-up policy; what an "
         "entry of the "
         "machine's scheduler does");
  c.option("--data", o.data, "DIR",
           "the store of this folder: by the node that has it, or by one that is started for this command",
           complete::folders);
  c.flag("--wait,-w", o.wait, "until the runs have ended");
  c.option("--wait-timeout", o.timeout, "TIME", "wait no longer than this; exit code 8 then");
  c.note(
      "By hand: each member is run once, whatever its schedule says; the overlap policy of the job is kept. "
      "Where no "
      "node runs, one is started without TCP for as long as the runs take, and the command waits for them.");
  c.note(
      "Exit code 0 when all succeeded (without --wait: were made), 9 when only some did, 3 when none did. "
      "With --due: 0 "
      "also when nothing was due.");
  c.example("belfry timing run daily-9am --wait", "");
  c.example("belfry timing run --data /srv/belfry --due tim_0123456789abcdef", "");
  c.action([&o, &ctx] { return run_group(o, ctx); });
}

// ---- pause and resume

struct timing_pause_options {
  std::string group;
  std::optional<std::string> text;
};

int hold_group(const timing_pause_options& o, const std::string& verb, context& ctx) {
  api::json::writer w;
  w.begin_object();
  if (o.text) w.member("text", *o.text);
  w.end_object();
  std::vector<json_text> pages;
  std::int64_t members = 0, changed = 0, refused = 0;
  std::string cursor;
  do {
    query_text q;
    q.add("cursor", cursor);
    pages.push_back(ctx.node().post(timing_path(o.group, ":" + verb) + q.text(), std::string{w.str()}));
    members += pages.back()["members"].number();
    changed += pages.back()["changed"].number();
    refused += pages.back()["refused"].number();
    cursor = pages.back()["next_cursor"].text();
  } while (!cursor.empty());
  const auto& g = pages.front();
  ctx.show(g, g["id"].text(), [&] {
    return "timing group " + g["label"].text() + ": " + std::to_string(changed) + " of " +
           std::to_string(members) + " jobs " + verb + "d\n";
  });
  for (const auto& page : pages)
    page["items"].each([&](view item) {
      if (item["status"].text() == "error")
        ctx.tell("belfry: " + item["name"].text() + ": " + item["detail"].text());
    });
  if (refused == 0) return number_of(exit_code::ok);
  return number_of(refused < members ? exit_code::partly : exit_code::conflict);
}

void declare_hold(command& c, const std::string& verb, context& ctx) {
  auto& o = c.keep<timing_pause_options>();
  c.argument("GROUP", o.group, "id, label or schedule", true);
  if (verb == "pause") c.option("--text", o.text, "TEXT", "why, in plain words");
  c.note(verb == "pause"
             ? "Every job that is a member now gets a pause for the reason \"timing\". A job that joins the "
               "group later is not paused; one that leaves it stays paused until `belfry job resume JOB "
               "--reason timing`."
             : "Lifts the pause for the reason \"timing\" only; whatever else holds a job stays.");
  c.example("belfry timing " + verb + " daily-9am", "");
  c.action([&o, verb, &ctx] { return hold_group(o, verb, ctx); });
}

}  // namespace

void add_timings(command& root, context& ctx) {
  auto& timing = root.sub("timing", "Groups of jobs that have one schedule in common");
  auto& list = timing.sub("ls", "List timing groups");
  auto& l = list.keep<timing_list_options>();
  list.option("--has,-q", l.has, "TEXT", "with this in the label or the schedule");
  list.option("--limit,-n", l.limit, "N", "at most so many; default 50");
  list.flag("--all", l.all, "all there are");
  list.note("A label is only a label: several groups may share one. The id stands for the schedule itself.");
  list.example("belfry timing ls", "");
  list.action([&l, &ctx] {
    if (l.limit < 1) throw refusal(exit_code::usage, "--limit: give a number from 1, or --all");
    query_text q;
    q.add("q", l.has);
    const auto pages =
        read_pages(ctx.node(), "/v1/timings", q, "timings", l.all ? 0 : static_cast<std::size_t>(l.limit));
    ctx.show_list(
        pages, "timings", [](view g) { return g["id"].text(); }, [&] { return groups_table(ctx, pages); });
    if (const auto n = pages.front()["wait_for_events"].number(); n > 0 && ctx.table())
      ctx.tell(n == 1 ? "1 job waits for events instead: belfry events triggers"
                      : pages.front()["wait_for_events"].text() +
                            " jobs wait for events instead: belfry events triggers");
    return number_of(exit_code::ok);
  });

  auto& show = timing.sub("show", "Show one with its members");
  auto& s = show.keep<timing_list_options>();
  auto& group = show.keep<std::string>();
  show.argument("GROUP", group, "id, label or schedule", true);
  show.option("--limit,-n", s.limit, "N", "at most so many members; default 50");
  show.flag("--all", s.all, "all there are");
  show.example("belfry timing show daily-9am", "");
  show.action([&s, &group, &ctx] {
    if (s.limit < 1) throw refusal(exit_code::usage, "--limit: give a number from 1, or --all");
    const auto pages =
        read_pages(ctx.node(), timing_path(group), {}, "jobs", s.all ? 0 : static_cast<std::size_t>(s.limit));
    if (ctx.json() && pages.size() == 1)
      return ctx.put(indented(pages.front().text()) + "\n"), number_of(exit_code::ok);
    ctx.show_list(
        pages, "jobs", [](view j) { return j["name"].text(); }, [&] { return group_page(ctx, pages); });
    return number_of(exit_code::ok);
  });

  declare_group_run(timing.sub("run", "Run each member of one once, or plan what is due"), ctx);
  declare_hold(timing.sub("pause", "Pause every member of one"), "pause", ctx);
  declare_hold(timing.sub("resume", "Lift that pause"), "resume", ctx);
}

}  // namespace belfry::app
