#include "app/imports/crontab.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/text/utf8.hpp"

namespace belfry::app {
namespace {

bool cron_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && cron_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && cron_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view take_word(std::string_view& rest) {
  while (!rest.empty() && cron_blank(rest.front())) rest.remove_prefix(1);
  std::size_t n = 0;
  while (n < rest.size() && !cron_blank(rest[n])) ++n;
  const auto word = rest.substr(0, n);
  rest.remove_prefix(n);
  return word;
}

// Obeyed by cron itself, not meant for commands.
bool for_cron(std::string_view name) {
  constexpr std::array<std::string_view, 6> known{
      "MAILTO", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING", "CRON_TZ", "RANDOM_DELAY"};
  return std::find(known.begin(), known.end(), name) != known.end();
}

// The parts of an entry; nothing when there is no command.
struct entry_parts {
  std::string_view when, user, command;
};
std::optional<entry_parts> parts_of(std::string_view line, bool system) {
  constexpr int fields = 5;
  entry_parts out;
  auto rest = line;
  const auto start = without_blanks(line);
  if (start.empty()) return std::nullopt;
  std::string_view last;
  const int words = start.front() == '@' ? 1 : fields;
  for (int i = 0; i < words; ++i) last = take_word(rest);
  if (last.empty()) return std::nullopt;
  out.when = start.substr(0, static_cast<std::size_t>(last.data() + last.size() - start.data()));
  if (system) out.user = take_word(rest);
  out.command = without_blanks(rest);
  if (out.command.empty()) return std::nullopt;
  return out;
}

class crontab_reader {
 public:
  crontab_reader(const crontab_options& o) : o_(o), names_(o.prefix), zone_(o.zone) {
    out_.kind = "crontab";
    out_.origin = o.origin;
  }

  import_source read(std::string_view text) {
    const auto lines = lines_of(text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      number_ = i + 1;
      if (i >= most_import_lines) {
        refuse_entry(out_, here(), {},
                     "the file has more than " + std::to_string(most_import_lines) +
                         " lines; what follows was not read");
        break;
      }
      line(lines[i]);
    }
    return std::move(out_);
  }

 private:
  std::string here() const { return "line " + std::to_string(number_); }
  void note(std::string text) { out_.notes.push_back(here() + ": " + std::move(text)); }

  void line(std::string_view whole) {
    const auto text = without_blanks(whole);
    if (text.empty()) return above_.clear();
    if (text.front() == '#') return comment(without_blanks(text.substr(1)));
    const auto above = std::move(above_);
    above_.clear();
    if (text.size() > longest_import_line)
      return refuse_entry(out_, here(), text,
                          "it has more than " + std::to_string(longest_import_line) + " bytes");
    if (text.find('\0') != std::string_view::npos)
      return refuse_entry(out_, here(), "", "it has the character NUL");
    cron_variable v;
    switch (read_variable(text, v)) {
      case cron_line::variable: return variable(std::move(v));
      case cron_line::broken: return refuse_entry(out_, here(), text, "a variable whose quotes do not match");
      case cron_line::entry: return entry(text, above);
    }
  }

  void comment(std::string_view text) {
    constexpr std::size_t longest = 500;
    if (const auto parts = parts_of(text, o_.system))
      if (parts->when.find_first_of("*0123456789") != std::string_view::npos &&
          core::parse_cron(parts->when)) {
        above_.clear();
        return note("an entry that is disabled by a #, left out: " + core::shown(text, 80));
      }
    if (text.empty() || !core::valid_utf8(text)) return;
    if (above_.size() + text.size() < longest) above_ += (above_.empty() ? "" : " ") + std::string{text};
  }

  void variable(cron_variable v) {
    if (!core::valid_utf8(v.value) || !core::valid_utf8(v.name))
      return refuse_entry(out_, here(), v.name, "it is not UTF-8");
    if (v.name == "CRON_TZ") {
      zone_ = v.value;
      return;
    }
    if (v.name == "RANDOM_DELAY") return random_delay(v.value);
    if (for_cron(v.name)) {
      if (v.name != "MAILTO")
        note(v.name + " was left out: belfry sends no mail");
      else if (!v.value.empty())
        note("MAILTO was left out: belfry sends no mail; what a run prints is kept, see belfry logs");
      return;
    }
    if (v.name == "HOME") home_ = v.value;
    if (v.name == "SHELL") shell_ = v.value;
    const auto known =
        std::find_if(env_.begin(), env_.end(), [&](const auto& e) { return e.first == v.name; });
    if (known != env_.end())
      known->second = std::move(v.value);
    else
      env_.emplace_back(std::move(v.name), std::move(v.value));
  }

  void random_delay(const std::string& value) {
    constexpr int a_day = 24 * 60;
    int minutes = -1;
    const auto end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, minutes);
    if (read.ec != std::errc{} || read.ptr != end || minutes < 0 || minutes > a_day)
      return refuse_entry(out_, here(), "RANDOM_DELAY=" + value, "allowed: 0 to 1440 minutes");
    jitter_ = std::chrono::minutes{minutes};
    if (minutes > 0)
      note("RANDOM_DELAY became a jitter of " + std::to_string(minutes) +
           " minutes: a point of its own for each job, the same for each run");
  }

  void entry(std::string_view text, const std::string& above) {
    const auto no = [&](std::string why) { refuse_entry(out_, here(), text, std::move(why)); };
    const auto parts = parts_of(text, o_.system);
    if (!parts)
      return no(o_.system ? "an entry has five fields or a macro, a user and a command"
                          : "an entry has five fields or a macro, and a command");
    if (parts->when == "@reboot")
      return no(
          "@reboot is not supported: a node has no boot of its own; let the system start it, or run it "
          "once by hand");
    const auto cron = core::parse_cron(parts->when);
    if (!cron) return no(told(cron.problem()));
    core::schedule when;
    const auto zone = core::zone::named(zone_);
    if (!zone) return no("the zone " + core::shown(zone_, 80) + " is not known; an IANA name is needed");
    when.in = *zone;
    when.any_of = {*cron};
    when.jitter = jitter_;
    imported_job job;
    job.from = here();
    job.says = parts->when;
    job.definition.description = above;
    const auto user = o_.system ? parts->user : std::string_view{o_.owner.empty() ? o_.account : o_.owner};
    if (o_.system && !o_.only.empty() && user != o_.only)
      return no("it runs as " + std::string{user} + ", not as " + o_.only);
    bool switches = false;
    if (!o_.account.empty() && user != o_.account) {
      if (!o_.may_switch)
        return no("it runs as " + std::string{user} + ", and a node of " + o_.account +
                  " cannot run it; import it on a node of that user or of root");
      switches = true;
    }
    fill(job, *parts, switches ? std::string{user} : std::string{});
    const auto word = program_word(parts->command);
    job.definition.name = names_.next(
        word, std::string{o_.system ? parts->user : std::string_view{}} + " " + std::string{parts->command});
    add_entry(out_, std::move(job), &when, std::string{text});
  }

  void fill(imported_job& job, const entry_parts& parts, const std::string& user) {
    auto& d = job.definition;
    auto split = split_percent(parts.command);
    d.on_overlap = core::overlap::allow;
    d.max_concurrent = most_at_once;
    d.timing.policy.missed = core::catch_up::skip;
    d.spec.timeout = core::span{0};
    d.spec.retry.max_attempts = 1;
    auto& p = d.spec.process;
    const auto shell = shell_.value_or(o_.shell);
    if (!user.empty()) {
      p.argv = {"runuser", "-u", user, "--", shell, "-c", std::move(split.command)};
      job.notes.push_back("it runs as " + user + " through runuser, so the node must run as root");
    } else if (shell == "/bin/sh") {
      p.shell = std::move(split.command);
    } else {
      p.argv = {shell, "-c", std::move(split.command)};
    }
    p.stdin_text = std::move(split.input);
    p.env = env_;
    const auto home = home_.value_or(user.empty() ? o_.home : std::string{});
    if (!home.empty() && home.front() == '/') p.cwd = home;
    if (user.empty() ? home.empty() : !home_)
      job.notes.push_back("it does not run in the home folder of its user, as under cron");
  }

  static constexpr std::uint32_t most_at_once = 16;
  const crontab_options& o_;
  import_names names_;
  import_source out_;
  std::size_t number_ = 0;
  std::string above_;  // comments
  std::string zone_;
  core::span jitter_{0};
  std::optional<std::string> home_, shell_;
  std::vector<std::pair<std::string, std::string>> env_;
};

}  // namespace

cron_command split_percent(std::string_view text) {
  cron_command out;
  bool input = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto& to = input ? out.input : out.command;
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      const char next = text[++i];
      if (next != '%') to += c;
      to += next;
    } else if (c == '%') {
      if (input) to += '\n';
      input = true;
    } else {
      to += c;
    }
  }
  if (!out.input.empty() && out.input.back() != '\n') out.input += '\n';
  return out;
}

cron_line read_variable(std::string_view line, cron_variable& out) {
  auto rest = without_blanks(line);
  if (rest.empty()) return cron_line::entry;
  const auto quoted = [&](std::string& into) {  // false: no closing quote
    const char quote = rest.front();
    const auto end = rest.find(quote, 1);
    if (end == std::string_view::npos) return false;
    into = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    return true;
  };
  std::string name;
  if (rest.front() == '"' || rest.front() == '\'') {
    if (!quoted(name)) return cron_line::entry;
  } else {
    const auto end = std::min(rest.find_first_of("= \t"), rest.size());
    name = rest.substr(0, end);
    rest.remove_prefix(end);
  }
  rest = without_blanks(rest);
  if (name.empty() || rest.empty() || rest.front() != '=') return cron_line::entry;
  rest = without_blanks(rest.substr(1));
  std::string value;
  if (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) {
    if (!quoted(value) || !without_blanks(rest).empty()) return cron_line::broken;
  } else {
    value = rest;
  }
  out = {std::move(name), std::move(value)};
  return cron_line::variable;
}

import_source read_crontab(std::string_view text, const crontab_options& options) {
  if (text.size() > most_import_bytes) {
    import_source out{"crontab", options.origin, {}, {}, {}, 0};
    refuse_entry(out, "the file", {}, "it has more than 1 MiB");
    return out;
  }
  return crontab_reader{options}.read(text);
}

}  // namespace belfry::app
