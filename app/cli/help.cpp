// The text of `--help`. Ours rather than CLI11's: usage with the rest after `--`, examples at the end.
#include <algorithm>
#include <sstream>

#include "app/cli/command.hpp"

namespace belfry::app {
namespace {

using rows = std::vector<std::pair<std::string, std::string>>;

// Breaks a text at spaces so that no line is wider than `width`; further lines begin at column `indent`.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t width) {
  std::istringstream in(text);
  std::string out, word;
  std::size_t column = indent;
  while (in >> word) {
    if (column > indent && column + 1 + word.size() > width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += " ";
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

std::string left_of(const option_facts& option) {
  std::string text;
  const bool has_short = option.names.front().size() == 2 && option.names.front()[1] != '-';
  if (!has_short) text = "    ";
  for (std::size_t i = 0; i < option.names.size(); ++i) text += (i == 0 ? "" : ", ") + option.names[i];
  if (!option.choices.empty()) {
    text += " ";
    for (std::size_t i = 0; i < option.choices.size(); ++i) text += (i == 0 ? "" : "|") + option.choices[i];
  } else if (!option.value.empty()) {
    text += " " + option.value;
  }
  return text;
}

void put_rows(std::string& out, const std::string& title, const rows& lines, std::size_t width) {
  if (lines.empty()) return;
  std::size_t left = 0;
  for (const auto& [name, _] : lines)
    if (name.size() <= 30) left = std::max(left, name.size());
  left = std::max<std::size_t>(left, 8);
  out += "\n" + title + ":\n";
  for (const auto& [name, says] : lines) {
    out += "  " + name;
    if (name.size() > left)
      out += "\n" + std::string(left + 4, ' ');
    else
      out += std::string(left + 2 - name.size(), ' ');
    out += wrapped(says, left + 4, width) + "\n";
  }
}

std::string usage_of(const command& of) {
  std::string text = of.path();
  if (!of.subs().empty() && of.arguments().empty())
    return text + (of.body() ? " [COMMAND] [OPTION]…" : " COMMAND [OPTION]…");
  text += " [OPTION]…";
  for (const auto& argument : of.arguments()) {
    const bool list = std::holds_alternative<std::vector<std::string>*>(argument.into);
    const std::string name = argument.name + (list ? "…" : "");
    text += argument.required ? " " + name : " [" + name + "]";
  }
  if (of.takes_rest()) text += " -- " + of.takes_rest()->name;
  if (!of.subs().empty()) text += "\n       " + of.path() + " COMMAND [OPTION]…";
  return text;
}

rows rows_of(const std::vector<option_facts>& options) {
  rows lines;
  for (const auto& option : options) lines.emplace_back(left_of(option), option.says);
  return lines;
}

}  // namespace

std::string help_text(const command& of, const command& root, std::size_t width) {
  std::string out = wrapped(of.says(), 0, width) + "\n\nUsage: " + usage_of(of) + "\n";
  if (!of.long_form().empty()) out += "Short for: " + of.long_form() + "\n";
  for (const auto& paragraph : of.notes()) out += "\n" + wrapped(paragraph, 0, width) + "\n";
  rows commands, arguments;
  for (const auto& each : of.subs())
    if (!each->is_hidden()) commands.emplace_back(each->name(), each->says());
  for (const auto& argument : of.arguments()) {
    std::string says = argument.says;
    if (!argument.choices.empty()) {
      says += ":";
      for (const auto& choice : argument.choices) says += " " + choice;
    }
    arguments.emplace_back(argument.name, says);
  }
  if (of.takes_rest()) arguments.emplace_back(of.takes_rest()->name, of.takes_rest()->says);
  put_rows(out, "Commands", commands, width);
  put_rows(out, "Arguments", arguments, width);
  if (&of != &root) put_rows(out, "Options", rows_of(of.options()), width);
  put_rows(out, "Options of every command", rows_of(root.options()), width);
  if (!of.examples().empty()) {
    out += "\nExamples:\n";
    for (const auto& example : of.examples()) {
      out += "  " + example.line + "\n";
      if (!example.says.empty()) out += "      " + wrapped(example.says, 6, width) + "\n";
    }
  }
  return out;
}

}  // namespace belfry::app
