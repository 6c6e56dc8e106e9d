// FOLDERS: targets whose entries are files: units of systemd, property lists of launchd. A file is ours when
// its first lines carry our mark, whatever its name is. Files are written under another name and renamed.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "app/os/unit_text.hpp"
#include "platform/ports/files.hpp"

namespace belfry::app::os {
namespace {

namespace fs = std::filesystem;
using core::errc;
using core::failure;

constexpr std::size_t longest_file = 1U << 20U;
constexpr unsigned readable = 0644;
constexpr const char* wants = "timers.target.wants";

struct own_file {
  std::string name, text;
  entry_mark mark;
};

core::result<std::vector<own_file>> marked_files(const std::string& folder,
                                                 const std::vector<std::string>& endings) {
  std::vector<own_file> all;
  std::error_code error;
  if (!fs::exists(folder, error)) return all;
  for (const auto& name : platform::list_folder(folder)) {
    const auto ending = fs::path(name).extension().string();
    if (std::find(endings.begin(), endings.end(), ending) == endings.end()) continue;
    if (!fs::is_regular_file(folder + "/" + name, error) || fs::is_symlink(folder + "/" + name, error))
      continue;
    auto text = platform::read_file(folder + "/" + name, longest_file);
    if (!text) continue;  // not ours: ours are small and can be read
    constexpr std::size_t head = 600;
    if (auto mark = mark_in(text->substr(0, head))) all.push_back({name, std::move(*text), std::move(*mark)});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

failure cannot(const std::string& what, const std::error_code& error) {
  return {errc::unavailable, what + ": " + error.message(), {}, "choose another folder with --directory"};
}

class folder_target : public target {
 public:
  folder_target(std::string folder, std::vector<std::string> endings)
      : folder_(std::move(folder)), endings_(std::move(endings)) {}

  std::string where() const override { return folder_; }

  core::result<os_plan> become(const store_identity& mine, const std::vector<wanted_entry>& wanted,
                               bool dry_run) override {
    auto there = marked_files(folder_, endings_);
    if (!there) return there.error();
    std::map<std::string, own_file> left;  // of this store, by name
    for (auto& f : *there)
      if (f.mark.store == mine.mark) left.emplace(f.name, std::move(f));
    os_plan plan;
    std::vector<entry_file> writes;
    for (const auto& w : wanted) {
      const auto files = files_of(mine, w, plan);
      if (files.empty()) continue;
      bool any = false, all = true;
      for (const auto& f : files) {
        std::error_code error;
        const auto it = left.find(f.name);
        if (it == left.end() && fs::exists(folder_ + "/" + f.name, error))
          return failure{errc::conflict,
                         folder_ + "/" + f.name + " is there and is not ours",
                         {},
                         "look at it, and move it away"};
        any = any || it != left.end();
        const bool same = it != left.end() && it->second.text == f.text;
        all = all && same;
        if (!same) writes.push_back(f);
        if (it != left.end()) left.erase(it);
        plan.preview += "--- " + folder_ + "/" + f.name + "\n" + f.text;
      }
      plan.changes.push_back({all   ? change_kind::unchanged
                              : any ? change_kind::changed
                                    : change_kind::added,
                              w.id, when_of(w), folder_ + "/" + files.front().name});
    }
    for (const auto& [name, f] : left)
      if (fs::path(name).extension() == endings_.front())
        plan.changes.push_back({change_kind::removed, f.mark.group, {}, folder_ + "/" + name});
    std::stable_sort(plan.changes.begin(), plan.changes.end(),
                     [](const auto& a, const auto& b) { return a.id < b.id; });
    if (std::any_of(plan.changes.begin(), plan.changes.end(),
                    [](const auto& c) { return c.what != change_kind::unchanged; }))
      plan.next = what_next(mine, plan);
    if (dry_run) return plan;
    if (!writes.empty())
      if (auto made = platform::make_folder(folder_, 0755); !made) return made.error();
    for (const auto& f : writes)
      if (auto written = platform::write_file_atomically(folder_ + "/" + f.name, f.text, readable); !written)
        return written.error();
    for (const auto& [name, f] : left) {
      std::error_code error;
      if (!fs::remove(folder_ + "/" + name, error) && error)
        return cannot("cannot remove " + folder_ + "/" + name, error);
    }
    if (auto done = settle(plan); !done) return done.error();
    return plan;
  }

 protected:
  virtual std::vector<entry_file> files_of(const store_identity& mine, const wanted_entry& w,
                                           os_plan& plan) const = 0;
  virtual std::string when_of(const wanted_entry& w) const = 0;
  virtual std::string what_next(const store_identity& mine, const os_plan& plan) const = 0;
  virtual core::result<void> settle(const os_plan&) { return {}; }
  const std::string& folder() const { return folder_; }
  const std::vector<std::string>& endings() const { return endings_; }

 private:
  std::string folder_;
  std::vector<std::string> endings_;  // the first is that of the file that stands for the entry
};

class systemd final : public folder_target {
 public:
  explicit systemd(std::string folder) : folder_target(std::move(folder), {".timer", ".service"}) {}
  core::os_abilities abilities() const override { return core::systemd_abilities(); }

  core::result<std::vector<found_entry>> list() override {
    auto files = marked_files(folder(), endings());
    if (!files) return files.error();
    std::vector<found_entry> all;
    for (const auto& f : *files) {
      if (fs::path(f.name).extension() != ".timer") continue;
      found_entry e{f.mark.store, f.mark.group, {}, folder() + "/" + f.name};
      constexpr std::string_view key = "\nOnCalendar=";
      for (auto at = f.text.find(key); at != std::string::npos; at = f.text.find(key, at + 1)) {
        const auto from = at + key.size();
        e.when += (e.when.empty() ? "" : " | ") + f.text.substr(from, f.text.find('\n', from) - from);
      }
      all.push_back(std::move(e));
    }
    return all;
  }

 protected:
  std::vector<entry_file> files_of(const store_identity& mine, const wanted_entry& w,
                                   os_plan&) const override {
    return systemd_units(mine, w);
  }
  std::string when_of(const wanted_entry& w) const override {
    std::string text;
    for (const auto& c : w.times.any_of)
      for (const auto& when : core::on_calendar(c, w.times.in)) text += (text.empty() ? "" : " | ") + when;
    return text;
  }
  std::string what_next(const store_identity&, const os_plan& plan) const override {
    std::string timers, gone;
    for (const auto& c : plan.changes) {
      const auto name = fs::path(c.where).filename().string();
      if (c.what == change_kind::removed) gone += " " + name;
      if (c.what == change_kind::added || c.what == change_kind::changed) timers += " " + name;
    }
    std::string text = "systemctl --user daemon-reload";
    if (!gone.empty()) text = "systemctl --user stop" + gone + "; " + text;
    if (!timers.empty()) text += " && systemctl --user restart" + timers;
    return text;
  }
  // What `systemctl enable` does.
  core::result<void> settle(const os_plan& plan) override {
    for (const auto& c : plan.changes) {
      const auto name = fs::path(c.where).filename();
      const auto link = fs::path(folder()) / wants / name;
      std::error_code error;
      if (c.what == change_kind::removed) {
        if (fs::is_symlink(link, error)) fs::remove(link, error);
        continue;
      }
      fs::create_directories(link.parent_path(), error);
      if (error) return cannot("cannot make " + link.parent_path().string(), error);
      if (fs::is_symlink(link, error)) continue;
      fs::create_symlink(fs::path("..") / name, link, error);
      if (error) return cannot("cannot make " + link.string(), error);
    }
    return {};
  }
};

class launchd final : public folder_target {
 public:
  launchd(std::string folder, std::optional<core::zone> machine)
      : folder_target(std::move(folder), {".plist"}), machine_(std::move(machine)) {}
  core::os_abilities abilities() const override { return core::launchd_abilities(machine_); }

  core::result<std::vector<found_entry>> list() override {
    auto files = marked_files(folder(), endings());
    if (!files) return files.error();
    std::vector<found_entry> all;
    for (const auto& f : *files) {
      std::size_t times = 0;
      for (auto at = f.text.find("<dict><key>"); at != std::string::npos;
           at = f.text.find("<dict><key>", at + 1))
        ++times;
      all.push_back({f.mark.store, f.mark.group,
                     times == 0 ? "every minute" : std::to_string(times) + " intervals",
                     folder() + "/" + f.name});
    }
    return all;
  }

 protected:
  std::vector<entry_file> files_of(const store_identity& mine, const wanted_entry& w,
                                   os_plan& plan) const override {
    if (auto file = launchd_list(mine, w)) return {std::move(*file)};
    plan.refused.emplace_back(w.id, "it would take more than 500 intervals");
    return {};
  }
  std::string when_of(const wanted_entry& w) const override {
    std::string text;
    for (const auto& c : w.times.any_of) text += (text.empty() ? "" : " | ") + core::crontab_fields(c);
    return text;
  }
  std::string what_next(const store_identity&, const os_plan& plan) const override {
    std::string text;
    for (const auto& c : plan.changes) {
      const auto label = fs::path(c.where).stem().string();
      const auto then = text.empty() ? "" : "; ";
      if (c.what == change_kind::removed || c.what == change_kind::changed)
        text += then + std::string("launchctl bootout gui/$(id -u)/") + label;
      if (c.what == change_kind::added || c.what == change_kind::changed)
        text +=
            (text.empty() ? "" : "; ") + std::string("launchctl bootstrap gui/$(id -u) '") + c.where + "'";
    }
    return text;
  }

 private:
  std::optional<core::zone> machine_;
};

core::result<std::string> folder_or(std::string given, const char* variable, const char* below_variable,
                                    const char* below_home) {
  if (!given.empty()) return fs::absolute(given).lexically_normal().string();
  if (variable != nullptr)
    if (const char* base = std::getenv(variable); base != nullptr && *base == '/')
      return std::string(base) + below_variable;
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return std::string(home) + below_home;
  return failure{errc::invalid, "there is no HOME to find the folder by", {}, "say it with --directory"};
}

}  // namespace

core::result<std::unique_ptr<target>> systemd_target(std::string folder) {
  auto where = folder_or(std::move(folder), "XDG_CONFIG_HOME", "/systemd/user", "/.config/systemd/user");
  if (!where) return where.error();
  return std::unique_ptr<target>(std::make_unique<systemd>(*where));
}

core::result<std::unique_ptr<target>> launchd_target(std::string folder, std::optional<core::zone> machine) {
  auto where = folder_or(std::move(folder), nullptr, "", "/Library/LaunchAgents");
  if (!where) return where.error();
  return std::unique_ptr<target>(std::make_unique<launchd>(*where, std::move(machine)));
}

}  // namespace belfry::app::os
