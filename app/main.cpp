// belfry: one binary, a node and its command line.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>

#include "app/commands/all.hpp"
#include "core/text/utf8.hpp"

namespace {

using namespace belfry::app;

std::size_t help_width() {
  const auto screen = look_at_stdout(true);
  return screen.tty ? std::clamp<std::size_t>(screen.width, 60, 110) : 100;
}

int told(const refusal& r, const context& ctx) {
  std::fputs(refusal_text(r, ctx).c_str(), stderr);
  return number_of(r.exit);
}

// Words of the command line that are not UTF-8 can go into no JSON: say so here, with the word.
void check_words(const std::vector<std::string>& words) {
  for (const auto& word : words)
    if (!belfry::core::valid_utf8(word))
      throw refusal(exit_code::usage, "an argument is not UTF-8: '" + belfry::core::shown(word, 60) + "'", {},
                    "the node keeps texts in UTF-8 only; rename the file, or encode it");
}

int run(const std::vector<std::string>& words, command& root, context& ctx) {
  const auto asked = parse_command_line(root, words);
  if (!asked.mistake.empty()) throw refusal(exit_code::usage, asked.mistake, {}, asked.hint);
  if (asked.help) {
    const bool wanted = asked.chosen->subs().empty() || words.empty() ||
                        std::find(words.begin(), words.end(), "--help") != words.end() ||
                        std::find(words.begin(), words.end(), "-h") != words.end() || words.front() == "help";
    const auto text = help_text(*asked.chosen, root, help_width());
    if (wanted && !words.empty()) {
      ctx.put(text);
      return number_of(exit_code::ok);
    }
    std::fputs(text.c_str(), stderr);  // a command is missing
    return number_of(exit_code::usage);
  }
  return asked.chosen->body()();
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that leaves is seen at the write
  context ctx;
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    check_words(words);
    command root("belfry", "belfry: a durable scheduler");
    declare_everything(root, ctx);
    return run(words, root, ctx);
  } catch (const refusal& r) {
    return told(r, ctx);
  } catch (const std::exception& e) {
    return told(refusal(exit_code::unexpected, e.what()), ctx);
  }
}
