#include "app/imports/machine.hpp"

#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/cli/refusal.hpp"
#include "app/imports/unit_file.hpp"
#include "app/os/entry.hpp"
#include "core/schedule/zone.hpp"
#include "core/text/word.hpp"

namespace belfry::app {
namespace {

namespace fs = std::filesystem;

bool is_zone(const std::string& name) { return core::zone::named(name).ok(); }

std::string beginning(const std::string& path, std::size_t most) {
  std::ifstream in(path, std::ios::binary);
  std::string text(most, '\0');
  in.read(text.data(), static_cast<std::streamsize>(most));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

void add_unit(unit_files& to, const std::string& name, const fs::path& file) {
  constexpr std::size_t most_files = 10'000;
  if (to.size() >= most_files)
    throw refusal(exit_code::usage, "the folder has more than " + std::to_string(most_files) + " units");
  auto text = beginning(file.string(), most_import_bytes + 1);
  if (text.size() > most_import_bytes)
    throw refusal(exit_code::usage, file.string() + " has more than 1 MiB; no unit has");
  to[name] = std::move(text);
}

}  // namespace

machine_zone local_zone() {
  if (const char* given = std::getenv("TZ"); given != nullptr && *given != '\0') {
    std::string name = *given == ':' ? given + 1 : given;
    if (is_zone(name)) return {os::usual_zone_name(name), "TZ"};
  }
  std::error_code error;
  const auto target = fs::read_symlink("/etc/localtime", error).string();
  constexpr std::string_view folder = "zoneinfo/";
  if (const auto at = target.rfind(folder); !error && at != std::string::npos)
    if (const auto name = target.substr(at + folder.size()); is_zone(name))
      return {os::usual_zone_name(name), "/etc/localtime"};
  auto name = beginning("/etc/timezone", 100);
  core::trim(name);
  if (!name.empty() && is_zone(name)) return {os::usual_zone_name(name), "/etc/timezone"};
  return {"UTC", "this machine names no zone"};
}

std::string own_account() {
  const auto* who = getpwuid(geteuid());
  return who != nullptr ? who->pw_name : std::to_string(geteuid());
}

std::string home_of(const std::string& account) {
  const auto* who = getpwnam(account.c_str());
  return who != nullptr && who->pw_dir != nullptr ? who->pw_dir : "";
}

bool is_root() { return geteuid() == 0; }

std::string own_crontab(const std::string& account) {
  const std::string line = "crontab -l" + (account.empty() ? "" : " -u " + shell_word(account));
  std::FILE* pipe = popen(line.c_str(), "re");
  if (pipe == nullptr) throw refusal(exit_code::unexpected, line + " cannot be started");
  std::string text;
  char buffer[4096];
  while (const auto n = std::fread(buffer, 1, sizeof buffer, pipe))
    if (text.size() <= most_import_bytes) text.append(buffer, n);
  const int status = pclose(pipe);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  throw refusal(exit_code::not_found, line + " gave no crontab", {},
                "name a file: belfry import crontab FILE");
}

unit_files read_units(const std::string& folder) {
  unit_files out;
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw refusal(exit_code::usage, "there is no folder " + folder);
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto name = entry.path().filename().string();
    const auto ending = entry.path().extension().string();
    std::error_code ignored;
    if (ending == ".timer" || ending == ".service") {
      if (entry.is_regular_file(ignored)) add_unit(out, name, entry.path());
    } else if (ending == ".d" && entry.is_directory(ignored)) {
      const auto of = entry.path().stem().extension().string();
      if (of != ".timer" && of != ".service") continue;
      for (const auto& drop : fs::directory_iterator(entry.path(), ignored))
        if (drop.path().extension() == ".conf" && drop.is_regular_file(ignored))
          add_unit(out, name + "/" + drop.path().filename().string(), drop.path());
    }
  }
  if (error) throw refusal(exit_code::usage, "the folder " + folder + " cannot be read: " + error.message());
  return out;
}

}  // namespace belfry::app
