// completion: scripts for bash, zsh and fish, made from the tree of commands. They ask `belfry __complete`
// for what only the node knows. __reference prints docs/cli.md's tables.
#include "app/commands/all.hpp"
#include "app/output/words.hpp"
#include "core/run/state.hpp"

namespace belfry::app {
namespace {

std::string kind_word(complete how) {
  switch (how) {
    case complete::nothing: return "";
    case complete::files: return "@files";
    case complete::folders: return "@folders";
    case complete::runs: return "@runs";
    case complete::jobs: return "@jobs";
    case complete::sessions: return "@sessions";
    case complete::batches: return "@batches";
    case complete::states: return "@states";
    case complete::priorities: return "@priorities";
    case complete::nodes: return "@nodes";
  }
  return "";
}

// What may follow an option: nothing for a flag, words, or a kind that is completed by asking.
std::string values_of(const option_facts& option) {
  if (!option.choices.empty()) return joined(option.choices, " ");
  if (std::holds_alternative<bool*>(option.into)) return "";
  const auto kind = kind_word(option.how);
  return kind.empty() ? "@anything" : kind;
}

std::string values_of(const command& c) {
  if (c.arguments().empty()) return c.takes_rest() ? "" : "";
  const auto& first = c.arguments().front();
  return first.choices.empty() ? kind_word(first.how) : joined(first.choices, " ");
}

// Single quotes of a shell text.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

template <class F>
void walk(const command& c, F f) {
  f(c);
  for (const auto& each : c.subs())
    if (!each->is_hidden()) walk(*each, f);
}

// "belfry run submit" -> "run submit"; the root is "".
std::string below_root(const command& c) {
  const auto path = c.path();
  const auto space = path.find(' ');
  return space == std::string::npos ? "" : path.substr(space + 1);
}

std::string bash_script(const command& root) {
  std::string tables;
  walk(root, [&](const command& c) {
    std::string words;
    for (const auto& each : c.subs())
      if (!each->is_hidden()) words += " " + each->name();
    for (const auto& option : c.options()) words += " " + joined(option.names, " ");
    if (&c != &root)
      for (const auto& option : root.options()) words += " " + joined(option.names, " ");
    tables += "    " + quoted(below_root(c)) + ") words=" + quoted(words + " --help") +
              "; values=" + quoted(values_of(c)) + " ;;\n";
  });
  std::string options;
  walk(root, [&](const command& c) {
    for (const auto& option : c.options()) {
      const auto values = values_of(option);
      if (values.empty()) continue;
      for (const auto& name : option.names)
        options += "    " + quoted(below_root(c) + "|" + name) + ") echo " + quoted(values) + " ;;\n";
    }
  });
  return "# bash completion for belfry: source <(belfry completion bash)\n"
         "_belfry_values() {\n  case \"$1|$2\" in\n" +
         options +
         "    *) return 1 ;;\n  esac\n}\n"
         "_belfry_words() {\n  local words= values=\n  case \"$1\" in\n" +
         tables +
         "    *) return 1 ;;\n  esac\n  printf '%s\\n%s\\n' \"$words\" \"$values\"\n}\n"
         "_belfry() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= next word i values "
         "both\n"
         "  COMPREPLY=()\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=${COMP_WORDS[i]}\n"
         "    if [[ $word == -- ]]; then COMPREPLY=($(compgen -c -f -- \"$cur\")); return; fi\n"
         "    [[ $word == -* ]] && continue\n"
         "    next=\"${path:+$path }$word\"\n"
         "    _belfry_words \"$next\" >/dev/null && path=$next\n"
         "  done\n"
         "  if [[ $prev == -* ]]; then values=$(_belfry_values \"$path\" \"$prev\" || _belfry_values '' "
         "\"$prev\") || values=; else values=; fi\n"
         "  if [[ -z $values ]]; then\n"
         "    both=$(_belfry_words \"$path\") || return\n"
         "    if [[ $cur == -* ]]; then values=${both%%$'\\n'*}; else values=\"${both//$'\\n'/ }\"; fi\n"
         "  fi\n"
         "  for word in $values; do\n"
         "    case $word in\n"
         "      @anything) ;;\n"
         "      @files) COMPREPLY+=($(compgen -f -- \"$cur\")) ;;\n"
         "      @folders) COMPREPLY+=($(compgen -d -- \"$cur\")) ;;\n"
         "      @*) COMPREPLY+=($(compgen -W \"$(belfry __complete \"${word#@}\" \"$cur\" 2>/dev/null)\" -- "
         "\"$cur\")) ;;\n"
         "      -*) [[ $cur == -* ]] && COMPREPLY+=($(compgen -W \"$word\" -- \"$cur\")) ;;\n"
         "      *) COMPREPLY+=($(compgen -W \"$word\" -- \"$cur\")) ;;\n"
         "    esac\n"
         "  done\n"
         "}\n"
         "complete -F _belfry belfry\n";
}

// zsh runs the bash function through its own emulation, which knows compgen and COMP_WORDS.
std::string zsh_script(const command& root) {
  return "#compdef belfry\n# zsh completion for belfry: source <(belfry completion zsh)\nautoload -Uz "
         "bashcompinit && bashcompinit\n" +
         bash_script(root);
}

std::string fish_script(const command& root) {
  std::string out =
      "# fish completion for belfry: belfry completion fish | source\n"
      "function __belfry_path\n"
      "  set -l path\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    string match -q -- '-*' $word; or set -a path $word\n"
      "  end\n"
      "  string join ' ' -- $path\n"
      "end\n"
      "function __belfry_at\n"
      "  set -l path (__belfry_path)\n"
      "  test \"$path\" = \"$argv[1]\"; or string match -q -- \"$argv[1] *\" \"$path\"\n"
      "end\n"
      "complete -c belfry -f\n";
  walk(root, [&](const command& c) {
    const auto path = below_root(c);
    const std::string here = &c == &root ? "" : " -n " + quoted("__belfry_at " + quoted(path));
    for (const auto& each : c.subs())
      if (!each->is_hidden())
        out += "complete -c belfry -n " + quoted("test \"(__belfry_path)\" = " + quoted(path)) + " -a " +
               each->name() + " -d " + quoted(each->says()) + "\n";
    for (const auto& option : c.options()) {
      out += "complete -c belfry" + here;
      for (const auto& name : option.names)
        out += name.rfind("--", 0) == 0 ? " -l " + name.substr(2) : " -s " + name.substr(1);
      const auto values = values_of(option);
      if (!values.empty()) out += " -r";
      if (values == "@files" || values == "@folders")
        out += " -F";
      else if (!values.empty() && values[0] == '@' && values != "@anything")
        out += " -a " + quoted("(belfry __complete " + values.substr(1) + " (commandline -ct))");
      else if (!values.empty() && values[0] != '@')
        out += " -a " + quoted(values);
      out += " -d " + quoted(option.says) + "\n";
    }
    const auto values = values_of(c);
    if (values == "@files")
      out += "complete -c belfry" + here + " -F\n";
    else if (!values.empty() && values[0] == '@')
      out += "complete -c belfry" + here + " -a " +
             quoted("(belfry __complete " + values.substr(1) + " (commandline -ct))") + "\n";
    else if (!values.empty())
      out += "complete -c belfry" + here + " -a " + quoted(values) + "\n";
  });
  return out;
}

struct dynamic_options {
  std::string kind;
  std::optional<std::string> begin;
};

// Whatever goes wrong, a completion is silent.
int print_candidates(const dynamic_options& o, context& ctx) {
  std::string out;
  try {
    if (o.kind == "states") {
      for (const auto state : core::all_run_states()) out += std::string(core::to_text(state)) + "\n";
    } else if (o.kind == "priorities") {
      out = "urgent\nhigh\nnormal\nlow\n";
    } else if (o.kind == "jobs") {
      ctx.node().get("/v1/jobs?limit=500")["jobs"].each([&](view j) { out += j["name"].text() + "\n"; });
    } else if (o.kind == "nodes") {
      ctx.node().get("/v1/nodes?removed=true")["nodes"].each([&](view n) { out += n["name"].text() + "\n"; });
    } else if (o.kind == "sessions") {
      ctx.node().get("/v1/sessions")["sessions"].each([&](view s) { out += s["id"].text() + "\n"; });
    } else if (o.kind == "runs" || o.kind == "batches") {
      std::string last;
      ctx.node().get("/v1/runs?limit=100")["runs"].each([&](view r) {
        const auto id = o.kind == "runs" ? r["id"].text() : r["batch_id"].text();
        if (!id.empty() && id != last) out += id + "\n";
        last = id;
      });
    }
  } catch (const std::exception&) {
    return number_of(exit_code::ok);
  }
  ctx.put(out);
  return number_of(exit_code::ok);
}

std::string anchor_of(const command& c) {
  std::string out = c.path();
  for (char& ch : out)
    if (ch == ' ') ch = '-';
  return out;
}

// Every command with the verbatim text of its --help; short forms by one line.
std::string reference(const command& root) {
  std::string out, shorts;
  walk(root, [&](const command& c) {
    if (!c.long_form().empty()) {
      shorts += "| `" + c.path() + "` | `" + c.long_form() + "` |\n";
      return;
    }
    out += "\n<a id=\"" + anchor_of(c) + "\"></a>\n### " + c.path() + "\n\n```text\n" +
           help_text(c, root, 100) + "```\n";
  });
  return "## Short forms\n\n| Short | Long |\n|---|---|\n" + shorts + "\n## Commands\n" + out;
}

}  // namespace

void add_completion(command& root, context& ctx) {
  auto& c = root.sub("completion", "Print a completion script for a shell");
  auto& shell = c.keep<std::string>();
  c.argument("SHELL", shell, "the shell", true, complete::nothing, {"bash", "zsh", "fish"});
  c.example("source <(belfry completion bash)", "In ~/.bashrc: for every shell.");
  c.example("belfry completion fish > ~/.config/fish/completions/belfry.fish", "");
  c.action([&shell, &root, &ctx] {
    ctx.put(shell == "bash" ? bash_script(root) : shell == "zsh" ? zsh_script(root) : fish_script(root));
    return number_of(exit_code::ok);
  });
  auto& dynamic = root.sub("__complete", "Candidates of a kind").hidden();
  auto& o = dynamic.keep<dynamic_options>();
  dynamic.argument("KIND", o.kind, "runs, jobs, sessions, batches, nodes, states or priorities", true);
  dynamic.argument("BEGIN", o.begin, "what is there of the word", false);
  dynamic.action([&o, &ctx] { return print_candidates(o, ctx); });
  auto& book = root.sub("__reference", "The commands of docs/cli.md").hidden();
  book.action([&root, &ctx] {
    ctx.put(reference(root));
    return number_of(exit_code::ok);
  });
}

}  // namespace belfry::app
