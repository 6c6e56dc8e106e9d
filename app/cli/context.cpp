#include "app/cli/context.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace belfry::app {

node_client& context::node() {
  if (!node_) node_ = std::make_unique<node_client>(options.server, options.debug);
  return *node_;
}

void context::use(const std::string& server) {
  options.server = server;
  node_.reset();
}

const terminal& context::screen() {
  if (!screen_) screen_ = std::make_unique<terminal>(look_at_stdout(options.no_color));
  return *screen_;
}

void write_now(std::FILE* to, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), to);
  // Nobody reads any more, as in `belfry logs -f RUN | head`: what a shell expects of a program in a pipe.
  if (std::fflush(to) != 0 || std::ferror(to) != 0) std::_Exit(128 + SIGPIPE);
}

void context::put(std::string_view text) { write_now(stdout, text); }

void context::tell(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

void context::show(const json_text& thing, const std::string& name,
                   const std::function<std::string()>& as_table) {
  if (options.output == "json")
    put(indented(thing.text()) + "\n");
  else if (options.output == "jsonl")
    put(compact(thing.text()) + "\n");
  else if (options.output == "name")
    put(name + "\n");
  else
    put(as_table());
}

void context::show_list(const std::vector<json_text>& pages, const std::string& key,
                        const std::function<std::string(view)>& name_of,
                        const std::function<std::string()>& as_table) {
  if (options.output == "table") return put(as_table());
  if (options.output == "json" && pages.size() == 1) return put(indented(pages.front().text()) + "\n");
  std::string out;
  for (const auto& page : pages)
    page[key].each([&](view item) {
      if (options.output == "name")
        out += name_of(item) + "\n";
      else if (options.output == "jsonl")
        out += compact(item.raw()) + "\n";
      else
        out += (out.empty() ? "" : ",") + compact(item.raw());
    });
  if (options.output == "json") out = indented("{\"" + key + "\":[" + out + "],\"next_cursor\":null}") + "\n";
  put(out);
}

void context::confirm(const std::string& question, bool yes) {
  if (yes) return;
  if (isatty(STDIN_FILENO) == 1 && stderr_is_tty()) {
    std::fprintf(stderr, "%s [y/N] ", question.c_str());
    std::string line;
    std::getline(std::cin, line);
    if (line == "y" || line == "Y" || line == "yes") return;
    throw refusal(exit_code::usage, "not confirmed, nothing was changed");
  }
  throw refusal(exit_code::usage, question + " This needs to be confirmed.", {},
                "look with --dry-run, then say it again with --yes");
}

std::vector<json_text> read_pages(node_client& node, const std::string& path, query_text query,
                                  const std::string& key, std::size_t limit) {
  std::vector<json_text> pages;
  std::string cursor;
  std::size_t read = 0;
  constexpr std::size_t most = 500;
  while (true) {
    const std::size_t wanted = limit == 0 ? most : std::min(most, limit - read);
    query_text q = query;
    q.add("limit", std::to_string(wanted)).add("cursor", cursor);
    pages.push_back(node.get(path + q.text()));
    read += pages.back()[key].size();
    cursor = pages.back()["next_cursor"].text();
    if (cursor.empty() || (limit != 0 && read >= limit)) return pages;
  }
}

std::string refusal_text(const refusal& r, const context& ctx) {
  if (ctx.options.output == "json" || ctx.options.output == "jsonl") {
    if (!r.document.empty()) return compact(r.document) + "\n";
    std::string out =
        "{\"title\":" + json_quoted(r.what()) + ",\"exit_code\":" + std::to_string(number_of(r.exit));
    if (!r.catalogue_code.empty()) out += ",\"code\":" + json_quoted(r.catalogue_code);
    std::string why;
    for (const auto& line : r.why) why += (why.empty() ? "" : ",") + json_quoted(line);
    return out + ",\"why\":[" + why + "],\"help\":" + json_quoted(r.todo) + "}\n";
  }
  std::string out = "belfry: " + std::string(r.what()) + "\n";
  for (const auto& line : r.why) out += "  " + line + "\n";
  if (!r.todo.empty()) out += "  help: " + r.todo + "\n";
  if (!r.catalogue_code.empty()) out += "  code: " + r.catalogue_code + "\n";
  return out;
}

}  // namespace belfry::app
