#include "platform/process/environment.hpp"

#include <array>
#include <unordered_map>

namespace belfry::platform {

environment base_environment(const char* (*read)(const char*)) {
  static constexpr std::array names = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"};
  environment base;
  for (const char* name : names)
    if (const char* value = read(name)) base.emplace_back(name, value);
  return base;
}

environment_block::environment_block(const environment& base, const process_order& order) {
  std::unordered_map<std::string_view, std::size_t> where;
  const std::size_t most = base.size() + order.what.env.size() + order.env.size() + 1;
  where.reserve(most);
  entries_.reserve(most);
  const auto add = [&](std::string_view name, std::string_view value) {
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string_view::npos ||
        value.find('\0') != std::string_view::npos) {
      if (complaint_.empty()) complaint_ = "env: impossible name or value: \"" + std::string(name) + "\"";
      return;
    }
    if (name == "PATH") path_ = value;
    std::string entry;
    entry.reserve(name.size() + value.size() + 1);
    entry.append(name).append(1, '=').append(value);
    const auto [it, is_new] = where.emplace(name, entries_.size());
    if (is_new)
      entries_.push_back(std::move(entry));
    else
      entries_[it->second] = std::move(entry);
  };
  for (const auto& [name, value] : base) add(name, value);
  for (const auto& [name, value] : order.what.env) add(name, value);
  for (const auto& [name, value] : order.env) add(name, value);
  if (!order.mark.empty()) add("BELFRY_NODE", order.mark);
  if (path_.empty()) path_ = default_path;
  pointers_.reserve(entries_.size() + 1);
  for (std::string& entry : entries_) pointers_.push_back(entry.data());
  pointers_.push_back(nullptr);
}

}  // namespace belfry::platform
