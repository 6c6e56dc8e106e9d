#include "app/commands/transfer_plans.hpp"

#include <algorithm>

#include "api/json/writer.hpp"
#include "app/client/transport.hpp"
#include "app/commands/work_options.hpp"

namespace belfry::app {
namespace {

constexpr std::int64_t known_format = 2;

std::string of_calendar(const std::string& name) { return "/v1/calendars/" + percent_encoded(name); }
std::string of_window(const std::string& name) { return "/v1/windows/" + percent_encoded(name); }

// What PUT takes of a window, out of what GET says; the texts of two windows are equal when they are.
std::string window_body_of(view w) {
  api::json::writer out;
  out.begin_object().member("schedule", w["schedule"].text());
  out.member("for", w["length_ms"].text() + "ms").member("drain", w["drain"].truth());
  for (const auto* key : {"text", "workspace", "agent_type"})
    if (w[key].there()) out.member(key, w[key].text());
  return out.end_object().take();
}

std::string line_for(const char* kind, const std::string& name, const std::string& definition) {
  api::json::writer w;
  w.begin_object().member("kind", kind).member("format", known_format).member("name", name);
  w.key("definition").raw(definition);
  return w.end_object().take() + "\n";
}

json_text read_line(const std::string& line, const char* kind) {
  auto read = json_text::parse(line);
  if (!read) throw refusal(read.error());
  if ((*read)["format"].number() > known_format)
    throw refusal(exit_code::usage, std::string("a line of a ") + kind + " is of a newer belfry",
                  {"format " + (*read)["format"].text() + "; this one knows 2"}, "belfry version");
  if ((*read)["name"].text().empty() || !(*read)["definition"].is(api::json::kind::object))
    throw refusal(exit_code::usage, std::string("a line of a ") + kind + " has no name or no definition",
                  {fitted(line, 120)}, "import takes what `belfry export` prints");
  return std::move(*read);
}

// `there`: the definition of the same name on the node; empty when there is none.
std::string bring(const char* kind, const std::string& target, const json_text& line,
                  const std::string& there, const transfer_rules& rules, context& ctx) {
  const auto name = line["name"].text();
  const std::string definition{line["definition"].raw()};
  const bool same = compact(definition) == compact(there);
  const char* what = same ? "unchanged" : there.empty() ? "created" : rules.replace ? "replaced" : "kept";
  if (!same && (there.empty() || rules.replace) && !rules.dry_run) ctx.node().call("PUT", target, definition);
  return std::string(what) + " " + kind + " " + name +
         (what == std::string_view{"kept"}
              ? ": another one of this name is here; --replace takes the file's\n"
              : "\n");
}

}  // namespace

split_file split_by_kind(const std::string& text) {
  split_file s;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    const auto line = text.substr(from, end - from);
    from = end + 1;
    const auto begins = [&](const char* kind) {
      return compact(line.substr(0, 80)).starts_with(std::string("{\"kind\":\"") + kind + "\"");
    };
    if (begins("calendar"))
      s.calendars.push_back(line);
    else if (begins("window"))
      s.windows.push_back(line);
    else
      s.jobs += line;
    s.jobs += '\n';
  }
  return s;
}

std::string calendar_lines(context& ctx) {
  std::string lines;
  const auto all = ctx.node().get("/v1/calendars");
  all["calendars"].each([&](view c) {
    const auto name = c["name"].text();
    api::json::writer w;
    w.begin_object().member("ics", ctx.node().get(of_calendar(name))["ics"].text()).end_object();
    lines += line_for("calendar", name, w.take());
  });
  return lines;
}

std::string window_lines(context& ctx) {
  std::string lines;
  const auto all = ctx.node().get("/v1/windows");
  all["windows"].each([&](view w) { lines += line_for("window", w["name"].text(), window_body_of(w)); });
  return lines;
}

std::string import_calendars(const std::vector<std::string>& lines, const transfer_rules& rules,
                             context& ctx) {
  std::string told;
  for (const auto& text : lines) {
    const auto line = read_line(text, "calendar");
    const auto target = of_calendar(line["name"].text());
    std::string there;
    const auto answer = ctx.node().raw("GET", target, {});
    if (answer.status >= 400 && answer.status != 404) throw refusal_of(answer);
    if (answer.status < 400)
      if (const auto now = json_text::parse(answer.body)) {
        api::json::writer w;
        w.begin_object().member("ics", (*now)["ics"].text()).end_object();
        there = w.take();
      }
    told += bring("calendar", target, line, there, rules, ctx);
  }
  return told;
}

std::string import_windows(const std::vector<std::string>& lines, const transfer_rules& rules, context& ctx) {
  std::string told;
  for (const auto& text : lines) {
    const auto line = read_line(text, "window");
    const auto target = of_window(line["name"].text());
    std::string there;
    const auto answer = ctx.node().raw("GET", target, {});
    if (answer.status >= 400 && answer.status != 404) throw refusal_of(answer);
    if (answer.status < 400)
      if (const auto now = json_text::parse(answer.body)) there = window_body_of(now->root());
    told += bring("window", target, line, there, rules, ctx);
  }
  return told;
}

}  // namespace belfry::app
