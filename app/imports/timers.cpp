#include "app/imports/timers.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "app/imports/calendar_time.hpp"
#include "app/imports/unit_file.hpp"
#include "core/text/utf8.hpp"

namespace belfry::app {
namespace {

bool truth(std::string_view v) { return v == "yes" || v == "true" || v == "1" || v == "on"; }

template <std::size_t N>
bool among(std::string_view key, const std::array<std::string_view, N>& known) {
  return std::find(known.begin(), known.end(), key) != known.end();
}

constexpr std::array<std::string_view, 14> timer_keys{
    "OnCalendar",         "OnUnitActiveSec",   "OnBootSec",  "OnStartupSec",
    "OnActiveSec",        "OnUnitInactiveSec", "Persistent", "AccuracySec",
    "RandomizedDelaySec", "FixedRandomDelay",  "Unit",       "RemainAfterElapse",
    "OnClockChange",      "OnTimezoneChange"};
constexpr std::array<std::string_view, 13> service_keys{
    "Type",           "ExecStart",       "ExecStartPre",     "ExecStartPost",
    "Environment",    "EnvironmentFile", "WorkingDirectory", "User",
    "Group",          "TimeoutStartSec", "RuntimeMaxSec",    "TimeoutSec",
    "RemainAfterExit"};
// What says only how the manager shows or orders the unit.
constexpr std::array<std::string_view, 5> quiet_keys{"Description", "Documentation", "DefaultDependencies",
                                                     "SourcePath", "RefuseManualStart"};

class timer_reader {
 public:
  timer_reader(const unit_files& files, const timers_options& o) : files_(files), o_(o), names_(o.prefix) {
    out_.kind = "systemd-timers";
    out_.origin = o.origin;
  }

  import_source read() {
    for (const auto& [name, _] : files_) {
      if (!name.ends_with(".timer") || name.find('/') != std::string::npos) continue;
      if (out_.entries >= most_import_lines) {
        refuse_entry(out_, name, {}, "the folder has too many timers; what follows was not read");
        break;
      }
      timer(name);
    }
    return std::move(out_);
  }

 private:
  // The unit with its drop-ins; nothing when there is no such file. `backup@home` falls back to `backup@`.
  std::optional<unit_file> unit_of(const std::string& name, std::vector<std::string>& notes) const {
    const auto dot = name.find_last_of('.');
    const auto at = name.find('@');
    const auto templ = at == std::string::npos ? name : name.substr(0, at + 1) + name.substr(dot);
    auto file = files_.find(name);
    if (file == files_.end()) file = files_.find(templ);
    if (file == files_.end()) return std::nullopt;
    unit_file out;
    std::vector<std::string> mistakes;
    out.add(file->second, mistakes);
    std::map<std::string, const std::string*> dropped;  // by their own name: a nearer one covers another
    for (const auto& of : {templ, name})
      for (auto d = files_.lower_bound(of + ".d/"); d != files_.end() && d->first.starts_with(of + ".d/");
           ++d)
        if (d->first.ends_with(".conf")) dropped[d->first.substr(of.size() + 3)] = &d->second;
    for (const auto& [_, text] : dropped) out.add(*text, mistakes);
    for (auto& m : mistakes) notes.push_back(name + ": " + std::move(m));
    return out;
  }

  void timer(const std::string& name) {
    imported_job job;
    job.from = name;
    auto text = name;
    try_timer(name, job, text);
  }

  void try_timer(const std::string& name, imported_job& job, std::string& text) {
    const auto no = [&](const std::string& why) { refuse_entry(out_, name, text, why); };
    const auto timer = unit_of(name, job.notes);
    for (const auto& s : timer->settings())
      if (s.section == "Timer" && s.key.starts_with("On") && !s.value.empty())
        text += " " + s.key + "=" + s.value;
    if (name.find("@.") != std::string::npos) return no("a template: it has no instance");
    core::schedule when;
    if (const auto why = schedule(*timer, when, job); !why.empty()) return no(why);
    auto service_name = timer->one("Timer", "Unit");
    if (service_name.empty()) service_name = stem_of(name) + ".service";
    text += " " + service_name;
    const auto service = unit_of(service_name, job.notes);
    if (!service) return no("its unit " + core::shown(service_name, 80) + " is not in the folder");
    for (const auto& line : service->all("Service", "ExecStart")) text += " " + line;
    job.definition.name = names_.named(stem_of(name));
    job.definition.description = timer->one("Unit", "Description");
    if (const auto d = service->one("Unit", "Description"); !d.empty()) job.definition.description = d;
    if (const auto why = work(*service, service_name, job); !why.empty()) return no(why);
    tell_rest(*timer, "Timer", timer_keys, job);
    tell_rest(*service, "Service", service_keys, job);
    constexpr std::size_t longest = 4'000;
    add_entry(out_, std::move(job), &when, std::string{core::cut_utf8(text, longest)});
  }

  // Empty, or why not.
  std::string schedule(const unit_file& timer, core::schedule& when, imported_job& job) {
    std::string zone_name;
    year_range years;
    bool first = true;
    for (const auto& text : timer.all("Timer", "OnCalendar")) {
      const auto read = read_calendar_time(text);
      if (!read) return "OnCalendar=" + core::shown(text, 80) + ": " + read.error().text;
      if (!first && read->zone != zone_name)
        return "its OnCalendar= lines name different zones; make a job for each";
      if (!first && !(read->years == years))
        return "its OnCalendar= lines name different years; make a job for each";
      first = false;
      zone_name = read->zone;
      years = read->years;
      when.any_of.push_back(read->fires);
      job.says += (job.says.empty() ? "" : " | ") + text;
    }
    for (const auto& text : timer.all("Timer", "OnUnitActiveSec")) {
      const auto period = read_unit_span(text);
      if (!period) return "OnUnitActiveSec=" + core::shown(text, 80) + " is no length of time";
      when.any_of.emplace_back(core::interval_trigger{*period, core::never});
      job.says += (job.says.empty() ? "" : " | ") + ("every " + text);
      job.notes.push_back("OnUnitActiveSec=" + text +
                          " became a fixed interval: it does not shift with the runs");
    }
    for (const auto* key : {"OnClockChange", "OnTimezoneChange"})
      if (truth(timer.one("Timer", key)))
        return std::string{key} + "= is not supported: there is no such event";
    if (!timer.all("Timer", "OnUnitInactiveSec").empty())
      return "OnUnitInactiveSec= is not supported: it counts from the end of the run before";
    for (const auto* key : {"OnBootSec", "OnStartupSec", "OnActiveSec"}) {
      if (timer.all("Timer", key).empty()) continue;
      if (when.any_of.empty())
        return std::string{key} +
               "= alone is not supported: it starts once after boot or activation, and a node has "
               "no boot of its own";
      job.notes.push_back(std::string{key} + "= was left out: only the first start after boot went by it");
    }
    if (when.any_of.empty()) return "it has no time to start at";
    const auto zone = core::zone::named(zone_name.empty() ? o_.zone : zone_name);
    if (!zone)
      return "the zone " + core::shown(zone_name.empty() ? o_.zone : zone_name, 80) + " is not known";
    when.in = *zone;
    if (years) bound(when, years);
    return details(timer, when, job);
  }

  static void bound(core::schedule& when, year_range years) {
    using namespace std::chrono;
    const auto begin = [&](int y) { return when.in.at_or_after(local_days{year{y} / 1 / 1}); };
    when.starts = begin(years.first);
    when.ends = begin(years.last + 1) - seconds{1};
  }

  std::string details(const unit_file& timer, core::schedule& when, imported_job& job) {
    job.definition.timing.policy.missed =
        truth(timer.one("Timer", "Persistent")) ? core::catch_up::once : core::catch_up::skip;
    if (const auto text = timer.one("Timer", "RandomizedDelaySec"); !text.empty()) {
      const auto delay = read_unit_span(text);
      constexpr core::span a_day = std::chrono::hours{24};
      if (!delay) return "RandomizedDelaySec=" + core::shown(text, 80) + " is no length of time";
      when.jitter = std::chrono::floor<std::chrono::milliseconds>(std::min(*delay, a_day));
      if (*delay > a_day) job.notes.emplace_back("RandomizedDelaySec= is more than a day; a day was taken");
      if (*delay > core::span{0} && !truth(timer.one("Timer", "FixedRandomDelay")))
        job.notes.emplace_back("RandomizedDelaySec= became a jitter, which is the same for each run");
    }
    if (const auto text = timer.one("Timer", "AccuracySec"); !text.empty())
      job.notes.push_back("AccuracySec=" + text + " was left out: runs are due at the second");
    return {};
  }

  std::string work(const unit_file& service, const std::string& name, imported_job& job) {
    auto& d = job.definition;
    d.spec.retry.max_attempts = 1;
    d.spec.timeout = core::span{0};
    unit_names names{name, o_.account, o_.home, {}};
    if (const auto why = environment(service, names, job); !why.empty()) return why;
    const auto user = service.one("Service", "User");
    const bool switches = !user.empty() && user != o_.account;
    if (switches && !o_.may_switch)
      return "it runs as " + core::shown(user, 40) + ", and a node of " + o_.account +
             " cannot run it; import it on a node of that user or of root";
    if (switches && user.find('%') != std::string::npos) return "User= with a specifier is not supported";
    if (!service.one("Service", "Group").empty()) job.notes.emplace_back("Group= was left out");
    if (switches) names.user = user, names.home.clear();
    if (const auto why = commands(service, names, job, switches ? user : std::string{}); !why.empty())
      return why;
    if (const auto why = folder(service, names, job); !why.empty()) return why;
    return times(service, job);
  }

  std::string environment(const unit_file& service, unit_names& names, imported_job& job) {
    if (const auto files = service.all("Service", "EnvironmentFile"); !files.empty())
      return "EnvironmentFile=" + core::shown(files.front(), 80) +
             " is not supported: put its variables into Environment=, or read it in the command";
    for (const auto& line : service.all("Service", "Environment")) {
      const auto words = read_words(line);
      if (!words) return "Environment=: " + words.error().text;
      for (const auto& raw : *words) {
        const auto text = resolved(raw, names);
        if (!text) return "Environment=: " + text.error().text;
        const auto equals = text->find('=');
        if (equals == std::string::npos || equals == 0)
          return "Environment=" + core::shown(*text, 40) + " is no assignment";
        auto key = text->substr(0, equals), value = text->substr(equals + 1);
        const auto there =
            std::find_if(names.env.begin(), names.env.end(), [&](const auto& e) { return e.first == key; });
        if (there != names.env.end())
          there->second = std::move(value);
        else
          names.env.emplace_back(std::move(key), std::move(value));
      }
    }
    job.definition.spec.process.env = names.env;
    return {};
  }

  std::string commands(const unit_file& service, const unit_names& names, imported_job& job,
                       const std::string& user) {
    std::vector<unit_command> all;
    for (const auto* key : {"ExecStartPre", "ExecStart", "ExecStartPost"})
      for (const auto& line : service.all("Service", key)) {
        auto read = read_exec(line, names);
        if (!read) return std::string{key} + "=: " + read.error().text;
        for (auto& c : *read) all.push_back(std::move(c));
      }
    if (service.all("Service", "ExecStart").empty()) return "its unit has no ExecStart=";
    const auto type = service.one("Service", "Type");
    constexpr std::array<std::string_view, 5> plain{"", "simple", "exec", "oneshot", "idle"};
    if (!among(type, plain))
      return "Type=" + core::shown(type, 40) + " is not supported: a run ends with its process";
    for (const auto& c : all) {
      for (const auto& n : c.notes) job.notes.push_back(n);
      if (!c.privileged) continue;
      if (!user.empty())
        return "a command with the prefix + or ! runs with other rights than the rest; make a job for each";
      job.notes.emplace_back("a prefix + or ! (rights) means nothing here");
    }
    auto& p = job.definition.spec.process;
    if (all.size() == 1 && !all.front().may_fail) {
      p.argv = std::move(all.front().argv);
    } else {
      std::string script;
      for (const auto& c : all) {
        std::string line;
        for (const auto& w : c.argv) line += (line.empty() ? "" : " ") + shell_word(w);
        script += (script.empty() ? "" : " && ") + (c.may_fail ? "{ " + line + " || :; }" : line);
      }
      if (all.size() > 1) job.notes.emplace_back("its commands became one line of a shell");
      p.shell = std::move(script);
    }
    if (user.empty()) return {};
    auto argv =
        p.shell.empty() ? std::move(p.argv) : std::vector<std::string>{"/bin/sh", "-c", std::move(p.shell)};
    p.shell.clear();
    argv.insert(argv.begin(), {"runuser", "-u", user, "--"});
    p.argv = std::move(argv);
    job.notes.push_back("it runs as " + user + " through runuser, so the node must run as root");
    return {};
  }

  std::string folder(const unit_file& service, const unit_names& names, imported_job& job) {
    auto text = service.one("Service", "WorkingDirectory");
    if (text.empty()) return {};
    if (text.front() == '-') text.erase(0, 1);
    if (text == "~") text = "%h";
    auto where = resolved(text, names);
    if (!where) return "WorkingDirectory=: " + where.error().text;
    job.definition.spec.process.cwd = std::move(*where);
    return {};
  }

  static std::string times(const unit_file& service, imported_job& job) {
    auto& limit = job.definition.spec.timeout;
    const bool oneshot = service.one("Service", "Type") == "oneshot";
    for (const auto* key : {"TimeoutSec", "TimeoutStartSec", "RuntimeMaxSec"}) {
      const auto text = service.one("Service", key);
      if (text.empty() || text == "infinity") continue;
      const auto span = read_unit_span(text);
      if (!span) return std::string{key} + "=" + core::shown(text, 40) + " is no length of time";
      const bool counts = oneshot != (std::string_view{key} == "RuntimeMaxSec");
      if (!counts)
        job.notes.push_back(std::string{key} + "= was left out: it does not bound a service of this type");
      else if (*span > core::span{0})
        limit = *span;
    }
    if (!truth(service.one("Service", "RemainAfterExit"))) return {};
    job.notes.emplace_back("RemainAfterExit= was left out: each occurrence is a run");
    return {};
  }

  template <std::size_t N>
  static void tell_rest(const unit_file& unit, std::string_view section,
                        const std::array<std::string_view, N>& known, imported_job& job) {
    std::set<std::string> left;
    for (const auto& s : unit.settings()) {
      if (s.section == "Install" || s.value.empty()) continue;  // how it is switched on
      if (s.section == section ? among(s.key, known) : s.section == "Unit" && among(s.key, quiet_keys))
        continue;
      left.insert("[" + s.section + "] " + s.key + "=");
    }
    std::string all;
    for (const auto& key : left) all += (all.empty() ? "" : ", ") + core::shown(key, 60);
    if (!all.empty()) job.notes.push_back("left out: " + all);
  }

  const unit_files& files_;
  const timers_options& o_;
  import_names names_;
  import_source out_;
};

}  // namespace

import_source read_timers(const unit_files& files, const timers_options& options) {
  return timer_reader{files, options}.read();
}

}  // namespace belfry::app
