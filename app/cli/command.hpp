// COMMAND: one node of the tree of commands, declared once and read by the parser, the help, the completion
// scripts and the reference. The only file that sees CLI11 is parse.cpp.
//
// Everything after a lone `--` belongs to the command that takes a rest (submit) and is never read as an
// option.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace belfry::app {

// What a shell offers when the value is completed.
enum class complete : std::uint8_t {
  nothing,
  files,
  folders,
  runs,
  jobs,
  sessions,
  batches,
  states,
  priorities,
  nodes
};

using destination = std::variant<bool*, std::string*, std::optional<std::string>*, std::int64_t*,
                                 std::optional<std::int64_t>*, std::vector<std::string>*>;

struct option_facts {
  std::vector<std::string> names;  // "--lane", "-o"
  std::string value;               // what stands for the value in the help; empty for a flag
  std::string says;
  std::vector<std::string> choices;
  complete how = complete::nothing;
  destination into;
};

struct argument_facts {
  std::string name;  // RUN
  std::string says;
  bool required = false;
  complete how = complete::nothing;
  std::vector<std::string> choices;
  destination into;  // a string, an optional string, or a list
};

struct example_facts {
  std::string line;
  std::string says;
};

class command {
 public:
  command(std::string name, std::string says, command* parent = nullptr);

  command& sub(const std::string& name, const std::string& says);
  // The command in its own right stands elsewhere: the reference names it there.
  command& short_for(const std::string& path);
  command& hidden();

  command& flag(const std::string& names, bool& into, const std::string& says);
  template <class T>
  command& option(const std::string& names, T& into, const std::string& value, const std::string& says,
                  complete how = complete::nothing) {
    return add_option({split(names), value, says, {}, how, destination{&into}});
  }
  template <class T>
  command& one_of(const std::string& names, T& into, std::vector<std::string> choices,
                  const std::string& says) {
    return add_option({split(names), "", says, std::move(choices), complete::nothing, destination{&into}});
  }
  template <class T>
  command& argument(const std::string& name, T& into, const std::string& says, bool required,
                    complete how = complete::nothing, std::vector<std::string> choices = {}) {
    arguments_.push_back({name, says, required, how, std::move(choices), destination{&into}});
    return *this;
  }
  // Everything after `--`.
  command& rest(const std::string& name, std::vector<std::string>& into, const std::string& says);
  command& example(const std::string& line, const std::string& says);
  command& note(const std::string& paragraph);  // more words for the help
  command& action(std::function<int()> body);
  // Keeps the variables that the options point to alive as long as the tree.
  template <class T>
  T& keep() {
    auto made = std::make_shared<T>();
    kept_.push_back(made);
    return *made;
  }

  const std::string& name() const { return name_; }
  const std::string& says() const { return says_; }
  const command* parent() const { return parent_; }
  const std::string& long_form() const { return short_for_; }
  bool is_hidden() const { return hidden_; }
  std::string path() const;  // "belfry run submit"
  const std::vector<std::unique_ptr<command>>& subs() const { return subs_; }
  const std::vector<option_facts>& options() const { return options_; }
  const std::vector<argument_facts>& arguments() const { return arguments_; }
  const std::optional<argument_facts>& takes_rest() const { return rest_; }
  const std::vector<example_facts>& examples() const { return examples_; }
  const std::vector<std::string>& notes() const { return notes_; }
  const std::function<int()>& body() const { return body_; }
  const command* find(const std::string& name) const;

 private:
  command& add_option(option_facts facts);
  static std::vector<std::string> split(const std::string& names);

  std::string name_, says_, short_for_;
  command* parent_;
  bool hidden_ = false;
  std::vector<std::unique_ptr<command>> subs_;
  std::vector<option_facts> options_;
  std::vector<argument_facts> arguments_;
  std::optional<argument_facts> rest_;
  std::vector<example_facts> examples_;
  std::vector<std::string> notes_;
  std::function<int()> body_;
  std::vector<std::shared_ptr<void>> kept_;
};

// What a command line asks for: a command with its variables filled in, or a help text, or a mistake.
struct parsed {
  const command* chosen = nullptr;
  bool help = false;
  std::string mistake;  // not empty: what is wrong with the command line
  std::string hint;     // the command that helps
};
parsed parse_command_line(const command& root, std::vector<std::string> words);

// The text of `--help`, `width` columns wide.
std::string help_text(const command& of, const command& root, std::size_t width);
// The name among `known` that is nearest to `word`; nothing when none is near.
std::optional<std::string> nearest(const std::string& word, const std::vector<std::string>& known);

}  // namespace belfry::app
