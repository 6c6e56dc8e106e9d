#include "app/os/crontab_text.hpp"

#include <algorithm>
#include <map>

namespace belfry::app::os {
namespace {

using core::errc;
using core::failure;

constexpr std::string_view block_word = "# belfry store=";
constexpr std::string_view due_flag = " --due ";
constexpr std::size_t longest_line = 990;  // Debian's cron takes commands of up to 998 bytes

std::string begin_of(const std::string& mark) { return std::string(block_word) + mark + " begin"; }
std::string end_of(const std::string& mark) { return std::string(block_word) + mark + " end"; }

struct text_line {
  std::size_t from = 0, size = 0;  // with its line break
};

std::vector<text_line> lines_of(const std::string& text) {
  std::vector<text_line> all;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    const auto size = end == std::string::npos ? text.size() - at : end - at + 1;
    all.push_back({at, size});
    at += size;
  }
  return all;
}

std::string_view bare(const std::string& text, const text_line& l) {
  auto s = std::string_view{text}.substr(l.from, l.size);
  while (!s.empty() && (s.back() == '\n' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

bool starts_line(std::string_view line, const std::string& with) {
  return line.substr(0, with.size()) == with &&
         (line.size() == with.size() || line[with.size()] == ' ' || line[with.size()] == ':');
}

// The id that a line of ours starts with --due; empty when it is none.
std::string id_in(std::string_view line) {
  if (line.empty() || line.front() == '#') return {};
  const auto at = line.rfind(due_flag);
  if (at == std::string_view::npos) return {};
  const auto rest = line.substr(at + due_flag.size());
  return std::string{rest.substr(0, rest.find(' '))};
}

std::string fields_in(std::string_view line) {
  std::size_t at = 0;
  for (int i = 0; i < 5 && at != std::string_view::npos; ++i) at = line.find(' ', at == 0 ? 0 : at + 1);
  return std::string{line.substr(0, at)};
}

struct block_place {
  bool there = false;
  std::size_t from = 0, size = 0;
  std::multimap<std::string, std::string> lines;  // by id, whole
};

core::result<block_place> find_block(const std::string& text, const std::string& mark) {
  block_place b;
  bool inside = false;
  for (const auto& l : lines_of(text)) {
    const auto line = bare(text, l);
    if (starts_line(line, begin_of(mark))) {
      if (b.there)
        return failure{errc::conflict,
                       "the crontab has two blocks of this store",
                       {},
                       "remove one of them with `crontab -e`: they begin with \"" + begin_of(mark) + "\""};
      b.there = inside = true;
      b.from = l.from;
    }
    if (inside) {
      b.size = l.from + l.size - b.from;
      if (auto id = id_in(line); !id.empty()) b.lines.emplace(std::move(id), std::string{line});
    }
    if (starts_line(line, end_of(mark))) inside = false;
  }
  if (inside)
    return failure{errc::conflict,
                   "the block of this store in the crontab has no end",
                   {},
                   "put the line \"" + end_of(mark) + "\" behind it with `crontab -e`"};
  return b;
}

// A comment must stay one line.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return text;
}

}  // namespace

std::optional<std::string> crontab_word(const std::string& word) {
  std::string out = "'";
  for (const char c : word) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\\') return std::nullopt;
    if (c == '\'')
      out += "'\"'\"'";
    else
      out += c == '%' ? "\\%" : std::string(1, c);
  }
  return out + "'";
}

std::vector<found_entry> entries_in_crontab(const std::string& text) {
  std::vector<found_entry> all;
  std::string store;
  for (const auto& l : lines_of(text)) {
    const auto line = bare(text, l);
    if (line.substr(0, block_word.size()) == block_word) {
      const auto rest = line.substr(block_word.size());
      const auto blank = rest.find(' ');
      const auto what = blank == std::string_view::npos ? std::string_view{} : rest.substr(blank + 1);
      store = starts_line(what, "begin") ? std::string{rest.substr(0, blank)} : std::string{};
      continue;
    }
    if (store.empty()) continue;
    if (auto id = id_in(line); !id.empty()) all.push_back({store, std::move(id), fields_in(line), {}});
  }
  return all;
}

core::result<crontab_change> crontab_with(const std::string& before, const store_identity& mine,
                                          const std::vector<wanted_entry>& wanted) {
  auto place = find_block(before, mine.mark);
  if (!place) return place.error();
  crontab_change out;
  std::string block;
  auto left = place->lines;
  for (const auto& w : wanted) {
    std::string command;
    bool sayable = true;
    for (const auto& word : tick_command(mine, w.id)) {
      const bool plain =
          word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
      const auto said = plain ? std::optional{word} : crontab_word(word);
      sayable = sayable && said;
      command += " " + said.value_or("");
    }
    if (!sayable || command.size() > longest_line) {
      out.plan.refused.emplace_back(
          w.id, sayable ? "the line would be longer than cron takes"
                        : "a path has a backslash or a line break, which a crontab cannot say");
      continue;
    }
    std::multimap<std::string, std::string> lines;
    block += "# " + w.id + " " + w.label + ": " + one_line(w.schedule) + "\n";
    std::string when;
    std::vector<std::string> now;
    for (const auto& c : w.times.any_of) {
      const auto fields = core::crontab_fields(c);
      now.push_back(fields + command + " > /dev/null");
      block += now.back() + "\n";
      when += (when.empty() ? "" : " | ") + fields;
    }
    std::vector<std::string> was;
    const auto range = left.equal_range(w.id);
    for (auto it = range.first; it != range.second; ++it) was.push_back(it->second);
    left.erase(range.first, range.second);
    out.plan.changes.push_back({was.empty()  ? change_kind::added
                                : was == now ? change_kind::unchanged
                                             : change_kind::changed,
                                w.id,
                                when,
                                {}});
  }
  std::string last;
  for (const auto& [id, line] : left) {
    if (id != last) out.plan.changes.push_back({change_kind::removed, id, fields_in(line), {}});
    last = id;
  }
  std::stable_sort(out.plan.changes.begin(), out.plan.changes.end(),
                   [](const auto& a, const auto& b) { return a.id < b.id; });
  if (!block.empty())
    block = begin_of(mine.mark) + ": written by `belfry os sync`, what is changed in here is lost\n" + block +
            end_of(mine.mark) + "\n";
  out.plan.preview = block;
  out.text = before;
  if (place->there)
    out.text.replace(place->from, place->size, block);
  else if (!block.empty())
    out.text += (before.empty() || before.back() == '\n' ? "" : "\n") + block;
  return out;
}

}  // namespace belfry::app::os
