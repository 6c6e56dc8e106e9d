// export, import: the definitions of a node as JSON lines, for another node or for a file in version control.
#include <cstdio>

#include "api/json/jobs.hpp"
#include "app/commands/all.hpp"
#include "app/commands/work_options.hpp"

namespace belfry::app {
namespace {

struct transfer_options {
  std::string file;
  std::optional<std::string> to;
  bool dry_run = false, archived = false;
};

int export_all(const transfer_options& o, context& ctx) {
  const auto answer =
      ctx.node().raw("GET", std::string("/v1/export") + (o.archived ? "?archived=true" : ""), {});
  if (answer.status >= 400) throw refusal_of(answer);
  if (!o.to || *o.to == "-") {
    ctx.put(answer.body);
    return number_of(exit_code::ok);
  }
  std::FILE* file = std::fopen(o.to->c_str(), "wb");
  if (file == nullptr) throw refusal(exit_code::usage, *o.to + " cannot be written");
  const bool written = std::fwrite(answer.body.data(), 1, answer.body.size(), file) == answer.body.size();
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

int import_all(const transfer_options& o, context& ctx) {
  const auto text = read_text(o.file, std::size_t{64} << 20U, "FILE");
  check_lines(text, o.file);
  const auto answer = ctx.node().post(std::string("/v1/import") + (o.dry_run ? "?dry_run=true" : ""), text);
  ctx.show(answer, "import", [&] {
    std::string lines;
    answer["items"].each([&](view item) {
      lines += item["result"].text() + " job " + item["name"].text();
      if (const auto detail = item["detail"].text(); !detail.empty()) lines += ": " + detail;
      lines += "\n";
    });
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
  auto& out = root.sub("export", "Print the definitions of all jobs as JSON lines");
  auto& e = out.keep<transfer_options>();
  out.flag("--archived", e.archived, "archived ones too; an import passes over them");
  out.option("--to", e.to, "FILE", "write it to this file", complete::files);
  out.note("Values of environment variables are part of a definition, so treat the file as you treat them.");
  out.example("belfry export > jobs.jsonl", "");
  out.action([&e, &ctx] { return export_all(e, ctx); });
  auto& in = root.sub("import", "Create or replace jobs from what export printed");
  auto& i = in.keep<transfer_options>();
  in.argument("FILE", i.file, "a file of JSON lines; - for stdin", true, complete::files);
  in.flag("--dry-run", i.dry_run, "tell what would happen, change nothing");
  in.example("belfry import jobs.jsonl --dry-run", "");
  in.action([&i, &ctx] { return import_all(i, ctx); });
}

}  // namespace belfry::app
