#include "app/os/entry.hpp"

#include <array>
#include <filesystem>

namespace belfry::app::os {
namespace {

constexpr std::string_view mark_begin = "belfry store=";
constexpr std::string_view group_begin = " group=";

bool mark_letter(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_'; }

std::string word_at(const std::string& text, std::size_t at) {
  auto end = at;
  while (end < text.size() && mark_letter(text[end])) ++end;
  return text.substr(at, end - at);
}

}  // namespace

std::string_view to_text(change_kind c) {
  constexpr std::array<std::string_view, 4> names{"unchanged", "added", "changed", "removed"};
  return names.at(static_cast<std::size_t>(c));
}

std::vector<std::string> tick_command(const store_identity& mine, const std::string& group) {
  return {mine.program, "-o", "name", "timing", "run", "--data", mine.folder, "--due", group};
}

std::string usual_zone_name(std::string name) {
  for (const auto* same : {"Etc/UTC", "Etc/UCT", "Etc/Zulu", "Etc/Universal", "UCT", "Zulu", "Universal"})
    if (name == same) return "UTC";
  return name;
}

std::optional<core::zone> machine_zone() {
  std::error_code error;
  if (!std::filesystem::exists("/etc/localtime", error)) return core::zone{};
  const auto target = std::filesystem::read_symlink("/etc/localtime", error).string();
  constexpr std::string_view folder = "zoneinfo/";
  const auto at = target.rfind(folder);
  if (error || at == std::string::npos) return std::nullopt;
  auto zone = core::zone::named(usual_zone_name(target.substr(at + folder.size())));
  if (!zone) return std::nullopt;
  return std::move(*zone);
}

std::optional<entry_mark> mark_in(const std::string& text) {
  const auto at = text.find(mark_begin);
  if (at == std::string::npos) return std::nullopt;
  entry_mark m;
  m.store = word_at(text, at + mark_begin.size());
  const auto group = at + mark_begin.size() + m.store.size();
  if (m.store.empty() || text.compare(group, group_begin.size(), group_begin) != 0) return std::nullopt;
  m.group = word_at(text, group + group_begin.size());
  if (m.group.empty()) return std::nullopt;
  return m;
}

std::string mark_line(const store_identity& mine, const std::string& group) {
  return std::string(mark_begin) + mine.mark + std::string(group_begin) + group;
}

}  // namespace belfry::app::os
