// calendar: excluded time under a name. scheduler window: maintenance windows that come back.
#include <sys/stat.h>

#include "api/json/writer.hpp"
#include "app/client/transport.hpp"
#include "app/commands/all.hpp"
#include "app/commands/work_options.hpp"

namespace belfry::app {
namespace {

constexpr std::size_t largest_calendar = std::size_t{4} << 20U;

struct calendar_options {
  std::string name;
  std::optional<std::string> ics, dates;
};
struct window_options {
  std::string name, when, length;
  std::optional<std::string> zone, workspace, agent_type, text;
  bool drain = false;
};

std::string calendar_path(const std::string& name) { return "/v1/calendars/" + percent_encoded(name); }
std::string window_path(const std::string& name) { return "/v1/windows/" + percent_encoded(name); }

std::string listed(view list) {
  std::string text;
  list.each([&](view one) { text += (text.empty() ? "" : " ") + one.text(); });
  return text;
}

std::string calendars_table(context& ctx, const json_text& page) {
  table t({{"NAME", false, 10},
           {"SOURCE"},
           {"PERIODS", true},
           {"REVISION", true},
           {"JOBS", true},
           {"USED BY", false, 16}});
  page["calendars"].each([&](view c) {
    auto by = listed(c["jobs"]);
    if (c["windows"].size() > 0) by += (by.empty() ? "windows: " : "; windows: ") + listed(c["windows"]);
    t.row({c["name"].text(), c["source"].text(), c["periods"].text(), c["revision"].text(),
           c["used_by"].text(), by});
  });
  return t.empty() ? "no calendars; belfry calendar set NAME --dates LIST makes one\n" : t.text(ctx.screen());
}

std::string calendar_page(context& ctx, view c) {
  facts f;
  f.add("name", {c["name"].text(), colour::bold});
  f.add("source",
        c["source"].text() + ", " + c["periods"].text() + " periods" +
            (c["left_out"].number() > 0 ? ", " + c["left_out"].text() + " events cancelled or transparent"
                                        : std::string{}));
  f.add("revision",
        c["revision"].text() + ", changed " + c["changed_at"].text() + " by " + c["changed_by"].text());
  f.add("jobs", c["used_by"].text() + (c["jobs"].size() > 0 ? ": " + listed(c["jobs"]) : std::string{}));
  if (c["planning"].number() > 0)
    f.add("planned anew", {"still to come for " + c["planning"].text() + " jobs", colour::yellow});
  f.add("windows", listed(c["windows"]));
  std::string out = f.text(ctx.screen());
  if (c["coming"].size() == 0) return out + "Nothing of it is still to come.\n";
  table t({{"NEXT, FROM"}, {"TO"}});
  c["coming"].each([&](view p) { t.row({p["from"].text(), p["to"].text()}); });
  return out + t.text(ctx.screen());
}

// A file, - for stdin, or the list itself.
std::string dates_of(const std::string& given) {
  struct stat found {};
  const bool file = given == "-" || (::stat(given.c_str(), &found) == 0 && S_ISREG(found.st_mode));
  return file ? read_text(given, largest_calendar, "--dates") : given;
}

int set_calendar(const calendar_options& o, context& ctx) {
  if (o.ics.has_value() == o.dates.has_value())
    throw refusal(exit_code::usage, "what is excluded?", {"--ics FILE or --dates LIST"},
                  "belfry calendar set holidays --dates 2026-12-25,2026-12-26");
  api::json::writer w;
  w.begin_object();
  if (o.ics) w.member("ics", read_text(*o.ics, largest_calendar, "--ics"));
  if (o.dates) w.member("dates", dates_of(*o.dates));
  const auto done = ctx.node().call("PUT", calendar_path(o.name), w.end_object().take());
  ctx.show(done, done["name"].text(), [&] {
    std::string text = "calendar " + done["name"].text() + " " + done["result"].text() + ", revision " +
                       done["revision"].text() + ", " + done["periods"].text() + " periods";
    if (done["replanned"].number() > 0) text += ", " + done["replanned"].text() + " jobs planned anew";
    if (done["more"].truth()) text += ", others follow";
    return text + "\n";
  });
  return number_of(exit_code::ok);
}

std::string scope_of(view w) {
  const auto scope = w["scope"].text();
  if (scope == "workspace") return "workspace \"" + w["workspace"].text() + "\"";
  if (scope == "agent_type") return "agent type " + w["agent_type"].text();
  return "scheduler";
}

std::string windows_table(context& ctx, const json_text& page) {
  table t({{"NAME", false, 10},
           {"HOLDS", false, 10},
           {"STATE"},
           {"OPENS"},
           {"CLOSES"},
           {"FOR", true},
           {"WHEN", false, 16}});
  page["windows"].each([&](view w) {
    const bool open = w["open"].truth();
    t.row({w["name"].text(),
           scope_of(w) + (w["drain"].truth() ? ", drains" : ""),
           {open                    ? "open"
            : w["opens_at"].there() ? "closed"
                                    : "over",
            open ? colour::yellow : colour::none},
           w["opens_at"].there() ? w["opens_at"].text() : std::string("-"),
           w["closes_at"].there() ? w["closes_at"].text() : std::string("-"),
           lasting(w["length_ms"].number()),
           w["description"].text()});
  });
  return t.empty() ? "no maintenance windows\n" : t.text(ctx.screen());
}

std::string window_page(context& ctx, view w) {
  facts f;
  f.add("name", {w["name"].text(), colour::bold});
  f.add("holds", scope_of(w) + (w["drain"].truth() ? ", drains" : ""));
  f.add("when", w["description"].text());
  f.add("schedule", w["schedule"].text());
  f.add("for", lasting(w["length_ms"].number()));
  f.add("why", w["text"].text());
  const bool open = w["open"].truth();
  if (w["opens_at"].there())
    f.add(open ? "open since" : "opens", {w["opens_at"].text(), open ? colour::yellow : colour::none});
  f.add("closes", w["closes_at"].text());
  f.add(open ? "close it" : "skip it", w["command"].text());
  return f.text(ctx.screen());
}

int add_window(const window_options& o, context& ctx) {
  api::json::writer w;
  w.begin_object().member("schedule", o.when).member("for", o.length);
  if (o.zone) w.member("zone", *o.zone);
  if (o.drain) w.member("drain", true);
  if (o.text) w.member("text", *o.text);
  if (o.workspace) w.member("workspace", *o.workspace);
  if (o.agent_type) w.member("agent_type", *o.agent_type);
  const auto done = ctx.node().call("PUT", window_path(o.name), w.end_object().take());
  ctx.show(done, done["name"].text(), [&] {
    return "window " + done["name"].text() + " " + done["result"].text() + "\n" +
           window_page(ctx, done.root());
  });
  return number_of(exit_code::ok);
}

}  // namespace

void add_calendars(command& root, context& ctx) {
  auto& calendar = root.sub("calendar", "Excluded time under a name, such as holidays, for schedules");
  auto& list = calendar.sub("ls", "List calendars and who uses them");
  list.example("belfry calendar ls", "");
  list.action([&ctx] {
    const auto page = ctx.node().get("/v1/calendars");
    ctx.show_list(
        {page}, "calendars", [](view c) { return c["name"].text(); },
        [&] { return calendars_table(ctx, page); });
    return number_of(exit_code::ok);
  });

  auto& show = calendar.sub("show", "Show one, with its next excluded times");
  auto& s = show.keep<calendar_options>();
  show.argument("NAME", s.name, "of the calendar", true);
  show.example("belfry calendar show holidays", "");
  show.action([&s, &ctx] {
    const auto c = ctx.node().get(calendar_path(s.name));
    ctx.show(c, c["name"].text(), [&] { return calendar_page(ctx, c.root()); });
    return number_of(exit_code::ok);
  });

  auto& set = calendar.sub("set", "Make one of dates or of an iCalendar file, or replace it");
  auto& o = set.keep<calendar_options>();
  set.argument("NAME", o.name, "letters, digits, '-', '_' and '.'", true);
  set.option("--ics", o.ics, "FILE", "an iCalendar file; - is stdin", complete::files);
  set.option("--dates", o.dates, "FILE|LIST",
             "dates such as 2026-12-24..2026-12-26,2027-01-01, or a file of them; - is stdin",
             complete::files);
  set.note(
      "The jobs that name it are planned anew from now on: what was due is settled by what it excluded "
      "before. Name it in a schedule: 'weekdays at 9am except calendar holidays', or --not-in holidays.");
  set.example("belfry calendar set holidays --dates 2026-12-25,2026-12-26,2027-01-01", "");
  set.example("belfry calendar set holidays --ics holidays.ics", "");
  set.action([&o, &ctx] { return set_calendar(o, ctx); });

  auto& remove = calendar.sub("rm", "Remove one that no job and no window names");
  auto& r = remove.keep<calendar_options>();
  remove.argument("NAME", r.name, "of the calendar", true);
  remove.example("belfry calendar rm holidays", "");
  remove.action([&r, &ctx] {
    const auto done = ctx.node().call("DELETE", calendar_path(r.name), {});
    ctx.show(done, done["name"].text(), [&] { return "calendar " + done["name"].text() + " removed\n"; });
    return number_of(exit_code::ok);
  });
}

void add_windows(command& scheduler, context& ctx) {
  auto& window = scheduler.sub("window", "Maintenance windows that come back: nothing is claimed in them");
  auto& list = window.sub("ls", "List them, with the opening that each is in, or its next one");
  list.example("belfry scheduler window ls", "");
  list.action([&ctx] {
    const auto page = ctx.node().get("/v1/windows");
    ctx.show_list(
        {page}, "windows", [](view w) { return w["name"].text(); }, [&] { return windows_table(ctx, page); });
    return number_of(exit_code::ok);
  });

  auto& show = window.sub("show", "Show one");
  auto& s = show.keep<window_options>();
  show.argument("NAME", s.name, "of the window", true);
  show.example("belfry scheduler window show sunday", "");
  show.action([&s, &ctx] {
    const auto w = ctx.node().get(window_path(s.name));
    ctx.show(w, w["open"].truth() ? "open" : "closed", [&] { return window_page(ctx, w.root()); });
    return number_of(exit_code::ok);
  });

  auto& add = window.sub("add", "Make one, or replace it");
  auto& o = add.keep<window_options>();
  add.argument("NAME", o.name, "letters, digits, '-', '_' and '.'", true);
  add.option("--when", o.when, "PHRASE", "when it opens: a phrase or cron, as of a job");
  add.option("--for", o.length, "TIME", "how long it stays open, such as 2h");
  add.option("--zone", o.zone, "ZONE", "IANA name, where the phrase names none; default UTC");
  add.option("--workspace", o.workspace, "NAME", "only this workspace; '' for work that has none");
  add.option("--agent-type", o.agent_type, "TYPE", "only sessions of this type");
  add.flag("--drain", o.drain, "say in the journal when nothing runs any more under it");
  add.option("--text", o.text, "TEXT", "why, for whoever looks at it");
  add.note(
      "While it is open nothing new is claimed; what runs goes on. It opens and closes by itself, also over "
      "restarts. The command that closes it now, or skips its next opening, stands in `window show`.");
  add.example("belfry scheduler window add sunday --when 'sundays at 2am in Europe/Berlin' --for 2h", "");
  add.example(
      "belfry scheduler window add nightly --when '0 3 * * *; not calendar holidays' --for 30m --workspace "
      "blue --drain",
      "");
  add.action([&o, &ctx] {
    if (o.when.empty() || o.length.empty())
      throw refusal(exit_code::usage, "when does it open, and for how long?",
                    {"--when PHRASE and --for TIME"}, "belfry scheduler window add --help");
    return add_window(o, ctx);
  });

  auto& remove = window.sub("rm", "Remove one; an open one closes at once");
  auto& r = remove.keep<window_options>();
  remove.argument("NAME", r.name, "of the window", true);
  remove.example("belfry scheduler window rm sunday", "");
  remove.action([&r, &ctx] {
    const auto done = ctx.node().call("DELETE", window_path(r.name), {});
    ctx.show(done, done["name"].text(), [&] { return "window " + done["name"].text() + " removed\n"; });
    return number_of(exit_code::ok);
  });
}

}  // namespace belfry::app
