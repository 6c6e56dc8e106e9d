#include "app/cli/command.hpp"

#include <sstream>

#include "api/json/nearest.hpp"

namespace belfry::app {

command::command(std::string name, std::string says, command* parent)
    : name_(std::move(name)), says_(std::move(says)), parent_(parent) {}

command& command::sub(const std::string& name, const std::string& says) {
  subs_.push_back(std::make_unique<command>(name, says, this));
  return *subs_.back();
}

command& command::short_for(const std::string& path) {
  short_for_ = path;
  return *this;
}

command& command::hidden() {
  hidden_ = true;
  return *this;
}

command& command::flag(const std::string& names, bool& into, const std::string& says) {
  return add_option({split(names), "", says, {}, complete::nothing, destination{&into}});
}

command& command::rest(const std::string& name, std::vector<std::string>& into, const std::string& says) {
  rest_ = argument_facts{name, says, false, complete::files, {}, destination{&into}};
  return *this;
}

command& command::example(const std::string& line, const std::string& says) {
  examples_.push_back({line, says});
  return *this;
}

command& command::note(const std::string& paragraph) {
  notes_.push_back(paragraph);
  return *this;
}

command& command::action(std::function<int()> body) {
  body_ = std::move(body);
  return *this;
}

command& command::add_option(option_facts facts) {
  options_.push_back(std::move(facts));
  return *this;
}

std::vector<std::string> command::split(const std::string& names) {
  std::vector<std::string> parts;
  std::istringstream in(names);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  return parts;
}

std::string command::path() const { return parent_ == nullptr ? name_ : parent_->path() + " " + name_; }

const command* command::find(const std::string& name) const {
  for (const auto& each : subs_)
    if (each->name() == name) return each.get();
  return nullptr;
}

std::optional<std::string> nearest(const std::string& word, const std::vector<std::string>& known) {
  const std::vector<std::string_view> names(known.begin(), known.end());
  const auto near = api::json::nearest(word, names);
  if (near.empty()) return std::nullopt;
  return std::string(near);
}

}  // namespace belfry::app
