// export, import: the definitions of a node as JSON lines, for another node or for a file in version control.
#include <cstdio>
#include <map>

#include "api/json/jobs.hpp"
#include "app/apply/plan.hpp"
#include "app/commands/all.hpp"
#include "app/commands/transfer_plans.hpp"
#include "app/commands/work_options.hpp"

namespace belfry::app {
namespace {

struct transfer_options {
  std::string file;
  std::optional<std::string> to;
  bool dry_run = false, archived = false, replace = false;
};

int export_all(const transfer_options& o, context& ctx) {
  const auto answer =
      ctx.node().raw("GET", std::string("/v1/export") + (o.archived ? "?archived=true" : ""), {});
  if (answer.status >= 400) throw refusal_of(answer);
  const auto text = calendar_lines(ctx) + answer.body + window_lines(ctx);
  if (!o.to || *o.to == "-") {
    ctx.put(text);
    return number_of(exit_code::ok);
  }
  std::FILE* file = std::fopen(o.to->c_str(), "wb");
  if (file == nullptr) throw refusal(exit_code::usage, *o.to + " cannot be written");
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) != 0 || !written)
    throw refusal(exit_code::unexpected, *o.to + " could not be written to its end");
  return number_of(exit_code::ok);
}

// Checked line by line here, so that a mistake is told with the line of the file.
void check_lines(const std::string& text, const std::string& file) {
  std::vector<std::string> mistakes;
  std::size_t number = 0;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    const std::string line = text.substr(from, end - from);
    from = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto read = api::json::read_import_line(line);
    if (read) continue;
    const std::string at = file + ":" + std::to_string(number) + ": ";
    if (read.error().problems.empty()) mistakes.push_back(at + read.error().text);
    for (const auto& p : read.error().problems) mistakes.push_back(at + problem_line(p));
  }
  if (!mistakes.empty())
    throw refusal(exit_code::usage,
                  file + " has " + std::to_string(mistakes.size()) + " mistake" +
                      (mistakes.size() == 1 ? "" : "s") + ", nothing was changed",
                  mistakes, "import takes what `belfry export` prints");
}

// By number, from 1.
std::string line_of(const std::string& text, std::int64_t number) {
  std::size_t from = 0;
  for (; number > 1 && from != std::string::npos; --number) {
    from = text.find('\n', from);
    if (from != std::string::npos) ++from;
  }
  return from == std::string::npos ? std::string{} : text.substr(from, text.find('\n', from) - from);
}

// What a dry run found to be different: in the words of the lines themselves.
class line_differences {
 public:
  line_differences(const std::string& text, context& ctx) : text_(text), ctx_(ctx) {}

  std::string of(view item) {
    if (there_.empty()) read();
    const auto before = there_.find(item["name"].text());
    if (before == there_.end()) return {};
    std::string out;
    const auto shown = [](const std::string& json) { return json.empty() ? "(none)" : fitted(json, 60); };
    for (const auto& c : differences(before->second, line_of(text_, item["line"].number())))
      out += "    " + c.path + ": " + shown(c.before) + " -> " + shown(c.after) + "\n";
    return out;
  }

 private:
  void read() {
    const auto now = ctx_.node().raw("GET", "/v1/export", {});
    if (now.status >= 400) throw refusal_of(now);
    for (std::size_t from = 0; from < now.body.size();) {
      const auto end = std::min(now.body.find('\n', from), now.body.size());
      auto line = now.body.substr(from, end - from);
      from = end + 1;
      if (const auto parsed = json_text::parse(line))
        there_[(*parsed)["definition"]["name"].text()] = std::move(line);
    }
  }

  const std::string& text_;
  context& ctx_;
  std::map<std::string, std::string> there_;
};

int import_all(const transfer_options& o, context& ctx) {
  const auto parts = split_by_kind(read_text(o.file, std::size_t{64} << 20U, "FILE"));
  const auto& text = parts.jobs;
  check_lines(text, o.file);
  const transfer_rules rules{o.dry_run, o.replace};
  const auto calendars = import_calendars(parts.calendars, rules, ctx);
  query_text query;
  if (o.dry_run) query.add("dry_run", "true");
  if (o.replace) query.add("replace", "true");
  const bool jobs = text.find_first_not_of(" \t\r\n") != std::string::npos;
  const auto answer =
      jobs ? ctx.node().post("/v1/import" + query.text(), text) : json_text::parse(R"({"items":[]})").value();
  const auto windows = import_windows(parts.windows, rules, ctx);
  ctx.show(answer, "import", [&] {
    std::string lines = calendars;
    line_differences different(text, ctx);
    answer["items"].each([&](view item) {
      const auto result = item["result"].text();
      lines += result + " job " + item["name"].text();
      if (const auto detail = item["detail"].text(); !detail.empty()) lines += ": " + detail;
      if (const auto note = item["note"].text(); !note.empty()) lines += ": " + note;
      lines += "\n";
      if (o.dry_run && (result == "replaced" || result == "kept")) lines += different.of(item);
    });
    lines += windows;
    return lines.empty() ? std::string("nothing to import\n") : lines;
  });
  int code = number_of(exit_code::ok);
  answer["items"].each([&](view item) {
    if (item["result"].text() != "error") return;
    const auto known = core::errc_from(item["code"].text());
    if (code == 0) code = number_of(known ? exit_code_of(*known) : exit_code::unexpected);
  });
  return code;
}

}  // namespace

void add_transfer(command& root, context& ctx) {
  auto& out = root.sub("export", "Print all jobs, calendars and maintenance windows as JSON lines");
  auto& e = out.keep<transfer_options>();
  out.flag("--archived", e.archived, "archived ones too");
  out.option("--to", e.to, "FILE", "write it to this file", complete::files);
  out.note(
      "A line is the whole job: definition, revision, state, pauses, counts and how far its schedule was "
      "planned. "
      "`belfry import` makes the same job of it, with its id. Runs are not part of it; `belfry backup` has "
      "them.");
  out.note("Values of environment variables are part of a definition, so treat the file as you treat them.");
  out.example("belfry export > jobs.jsonl", "");
  out.action([&e, &ctx] { return export_all(e, ctx); });
  auto& in = root.sub("import", "Create or replace what export printed");
  auto& i = in.keep<transfer_options>();
  in.argument("FILE", i.file, "a file of JSON lines; - for stdin", true, complete::files);
  in.flag("--dry-run", i.dry_run, "tell what would happen, and what is different; change nothing");
  in.flag("--replace", i.replace, "jobs that were changed here after the line was written, too");
  in.note(
      "A job keeps its id, its revision and its pauses, and its schedule goes on where the other node left "
      "it: "
      "what that one has planned is neither made again nor skipped. Stop or pause the other node first, or "
      "both "
      "will run the job. Files of a newer belfry are refused.");
  in.note(
      "Calendars come first, then jobs, then maintenance windows. A dry run cannot judge jobs that name a "
      "calendar which is not on the node yet.");
  in.note("A file that is named like one of the commands: ./crontab.");
  in.example("belfry import jobs.jsonl --dry-run", "");
  in.action([&i, &ctx] { return import_all(i, ctx); });
  add_imports(in, ctx);
}

}  // namespace belfry::app
