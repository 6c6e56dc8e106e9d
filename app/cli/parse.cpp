// The parser: CLI11 fed from the tree. Nothing of CLI11 is seen elsewhere.
#include <CLI/CLI.hpp>

#include <algorithm>

#include "app/cli/command.hpp"
#include "app/output/words.hpp"

namespace belfry::app {
namespace {

struct reading {
  std::vector<std::function<void()>> after;  // copies what CLI11 parsed into optionals
};

template <class T>
CLI::Option* through_copy(CLI::App& app, reading& r, const std::string& names, std::optional<T>* into) {
  auto holder = std::make_shared<T>();
  auto* made = app.add_option(names, *holder);
  r.after.push_back([made, holder, into] {
    if (made->count() > 0) *into = *holder;
  });
  return made;
}

// A single value may be given only once; a list takes one value for each time it is named.
void add_option(CLI::App& app, reading& r, const option_facts& facts) {
  const std::string names = joined(facts.names, ",");
  CLI::Option* made = nullptr;
  if (auto* flag = std::get_if<bool*>(&facts.into)) made = app.add_flag(names, **flag);
  if (auto* text = std::get_if<std::string*>(&facts.into)) made = app.add_option(names, **text);
  if (auto* number = std::get_if<std::int64_t*>(&facts.into)) made = app.add_option(names, **number);
  if (auto* text = std::get_if<std::optional<std::string>*>(&facts.into))
    made = through_copy(app, r, names, *text);
  if (auto* number = std::get_if<std::optional<std::int64_t>*>(&facts.into))
    made = through_copy(app, r, names, *number);
  if (auto* list = std::get_if<std::vector<std::string>*>(&facts.into))
    made = app.add_option(names, **list)->allow_extra_args(false);
  if (!facts.choices.empty()) made->check(CLI::IsMember(facts.choices));
}

void add_argument(CLI::App& app, reading& r, const argument_facts& facts) {
  CLI::Option* made = nullptr;
  if (auto* text = std::get_if<std::string*>(&facts.into)) made = app.add_option(facts.name, **text);
  if (auto* text = std::get_if<std::optional<std::string>*>(&facts.into))
    made = through_copy(app, r, facts.name, *text);
  if (auto* list = std::get_if<std::vector<std::string>*>(&facts.into))
    made = app.add_option(facts.name, **list)->expected(facts.required ? 1 : 0, 1 << 20);
  made->required(facts.required);
  if (!facts.choices.empty()) made->check(CLI::IsMember(facts.choices));
}

std::vector<std::string> names_of(const command& of) {
  std::vector<std::string> names;
  for (const auto& each : of.subs())
    if (!each->is_hidden()) names.push_back(each->name());
  return names;
}

std::vector<std::string> options_of(const command& of, const command& root) {
  std::vector<std::string> names{"--help"};
  for (const auto* at : {&of, &root})
    for (const auto& option : at->options())
      names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

bool takes_value(const command& of, const std::string& word) {
  for (const auto& option : of.options())
    for (const auto& name : option.names)
      if (name == word) return !std::holds_alternative<bool*>(option.into);
  return false;
}

bool is_option(const std::string& word) { return word.size() > 1 && word.front() == '-'; }

// Walks down the tree by the words that name commands; what is left belongs to the command that was reached.
// Not left to CLI11, which takes a value for a command when any command bears its name: `belfry job show
// logs`.
struct walk {
  const command* at;
  std::vector<std::string> left;
  std::string unknown;
};
walk walk_down(const command& root, const std::vector<std::string>& words) {
  walk out{&root, {}, {}};
  bool arrived = false;  // an argument of the command was there
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    if (is_option(word)) {
      out.left.push_back(word);
      const bool value = takes_value(*out.at, word) || takes_value(root, word);
      if (value && i + 1 < words.size()) out.left.push_back(words[++i]);
    } else if (arrived || out.at->subs().empty()) {
      out.left.push_back(word);
    } else if (const auto* next = out.at->find(word)) {
      out.at = next;
    } else if (!out.at->arguments().empty()) {  // `belfry import FILE` beside `belfry import crontab`
      out.left.push_back(word);
      arrived = true;
    } else {
      out.unknown = word;
      return out;
    }
  }
  return out;
}

// What CLI11 says, in our words where ours are clearer.
void explain(parsed& out, const command& at, const command& root, const CLI::ParseError& e,
             const std::vector<std::string>& words) {
  out.mistake = e.what();
  out.hint = at.path() + " --help";
  if (dynamic_cast<const CLI::ExtrasError*>(&e) == nullptr) return;
  const auto known = options_of(at, root);
  for (const auto& word : words) {
    const std::string bare = word.substr(0, word.find('='));
    if (!is_option(word) || std::find(known.begin(), known.end(), bare) != known.end()) continue;
    if (out.mistake.find(word) == std::string::npos) continue;
    out.mistake = "there is no option " + bare + " here";
    if (const auto near = nearest(bare, known)) out.mistake += "; did you mean " + *near + "?";
    return;
  }
  if (at.takes_rest()) {
    out.mistake = "put -- before the command that is to run";
    out.hint = at.path() + " -- COMMAND…";
  }
}

}  // namespace

parsed parse_command_line(const command& root, std::vector<std::string> words) {
  parsed out;
  std::vector<std::string> rest;
  bool dashes = false;
  if (const auto at = std::find(words.begin(), words.end(), "--"); at != words.end()) {
    dashes = true;
    rest.assign(at + 1, words.end());
    words.erase(at, words.end());
  }
  out.help =
      std::any_of(words.begin(), words.end(), [](const auto& w) { return w == "--help" || w == "-h"; });
  if (!words.empty() && words.front() == "help") {
    out.help = true;
    words.erase(words.begin());
  }
  const auto found = walk_down(root, words);
  out.chosen = found.at;
  if (!found.unknown.empty()) {
    out.mistake = "there is no command '" + found.at->path() + " " + found.unknown + "'";
    if (const auto near = nearest(found.unknown, names_of(*found.at)))
      out.mistake += "; did you mean '" + *near + "'?";
    out.hint = found.at->path() + " --help";
    return out;
  }
  if (out.help) return out;

  const auto& at = *found.at;
  CLI::App app{root.says(), at.path()};
  reading r;
  app.set_help_flag();  // help is ours
  for (const auto& facts : root.options()) add_option(app, r, facts);
  if (&at != &root)
    for (const auto& facts : at.options()) add_option(app, r, facts);
  for (const auto& facts : at.arguments()) add_argument(app, r, facts);
  auto left = found.left;
  if (dashes && !at.takes_rest()) {
    left.push_back("--");
    left.insert(left.end(), rest.begin(), rest.end());
  }
  try {
    std::vector<std::string> reversed(left.rbegin(), left.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& e) {
    explain(out, at, root, e, left);
    return out;
  }
  for (const auto& copy : r.after) copy();
  if (at.takes_rest()) *std::get<std::vector<std::string>*>(at.takes_rest()->into) = rest;
  if (!at.body()) out.help = true;
  return out;
}

}  // namespace belfry::app
