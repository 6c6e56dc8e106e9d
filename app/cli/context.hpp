// CONTEXT: what the commands of one invocation share: the options of every command, the node, the screen.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/client/node_client.hpp"
#include "app/output/table.hpp"
#include "app/output/terminal.hpp"
#include "app/output/words.hpp"

namespace belfry::app {

struct globals {
  std::string server;
  std::string output = "table";
  bool no_color = false;
  bool debug = false;
};

// Ends the program when nobody reads any more.
void write_now(std::FILE* to, std::string_view text);

class context {
 public:
  globals options;

  node_client& node();
  // From now on that node: the address of one that was started meanwhile.
  void use(const std::string& server);
  const terminal& screen();
  core::instant started = now();

  bool table() const { return options.output == "table"; }
  bool json() const { return options.output == "json"; }

  // The result goes to stdout, everything else to stderr.
  void put(std::string_view text);
  void tell(const std::string& line);

  // One thing, in the format that was asked for. `name` is what -o name prints.
  void show(const json_text& thing, const std::string& name, const std::function<std::string()>& as_table);
  // Things of one kind. `pages` are answers with a list under `key`; name_of says what -o name prints of
  // each.
  void show_list(const std::vector<json_text>& pages, const std::string& key,
                 const std::function<std::string(view)>& name_of,
                 const std::function<std::string()>& as_table);
  // Asks on a terminal; elsewhere `yes` is required. Throws the refusal that says so.
  void confirm(const std::string& question, bool yes);

 private:
  std::unique_ptr<node_client> node_;
  std::unique_ptr<terminal> screen_;
};

// Follows next_cursor until `limit` items were read (0: all there are). `target` without cursor and limit.
std::vector<json_text> read_pages(node_client& node, const std::string& path, query_text query,
                                  const std::string& key, std::size_t limit);

// What is printed for a refusal, on stderr.
std::string refusal_text(const refusal& r, const context& ctx);

}  // namespace belfry::app
