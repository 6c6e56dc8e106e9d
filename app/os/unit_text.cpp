#include "app/os/unit_text.hpp"

namespace belfry::app::os {
namespace {

constexpr std::size_t short_mark = 8;

// A value that is one line and holds no specifier.
std::string unit_value(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ')
      out += ' ';
    else
      out += c == '%' ? "%%" : std::string(1, c);
  }
  return out;
}

}  // namespace

std::string unit_name(const store_identity& mine, const std::string& group) {
  return "belfry-" + mine.mark.substr(0, short_mark) + "-" + group;
}
std::string launchd_label(const store_identity& mine, const std::string& group) {
  return "org.belfry." + mine.mark.substr(0, short_mark) + "." + group;
}

std::string systemd_word(const std::string& word) {
  std::string out = "\"";
  for (const char c : word) {
    switch (c) {
      case '%': out += "%%"; break;
      case '$': out += "$$"; break;
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      default: out += c;
    }
  }
  return out + "\"";
}

std::vector<entry_file> systemd_units(const store_identity& mine, const wanted_entry& w) {
  const auto name = unit_name(mine, w.id);
  const auto head = "# " + mark_line(mine, w.id) +
                    "\n# Written by `belfry os sync`; what is changed in here is lost.\n" +
                    "[Unit]\nDescription=belfry timing group " + unit_value(w.label) + " (" +
                    unit_value(w.schedule) + ")\n\n";
  std::string command;
  for (const auto& word : tick_command(mine, w.id))
    command += (command.empty() ? "" : " ") + systemd_word(word);
  std::string timer = head + "[Timer]\n";
  for (const auto& c : w.times.any_of)
    for (const auto& when : core::on_calendar(c, w.times.in)) timer += "OnCalendar=" + when + "\n";
  timer += "AccuracySec=1s\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n";
  return {{name + ".timer", timer},
          {name + ".service",
           head + "[Service]\nType=oneshot\nExecStart=" + command + "\nStandardOutput=null\n"}};
}

std::string xml_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\r': out += "&#13;"; break;
      default: out += c;
    }
  }
  return out;
}

std::optional<entry_file> launchd_list(const store_identity& mine, const wanted_entry& w) {
  const auto intervals = core::launchd_intervals(w.times);
  if (!intervals) return std::nullopt;
  const auto label = launchd_label(mine, w.id);
  std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
      "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
      "<!-- " +
      mark_line(mine, w.id) +
      " -->\n"
      "<!-- Written by `belfry os sync`; what is changed in here is lost. -->\n"
      "<plist version=\"1.0\">\n<dict>\n  <key>Label</key>\n  <string>" +
      xml_text(label) +
      "</string>\n"
      "  <key>ProgramArguments</key>\n  <array>\n";
  for (const auto& word : tick_command(mine, w.id)) text += "    <string>" + xml_text(word) + "</string>\n";
  text +=
      "  </array>\n  <key>StandardOutPath</key>\n  <string>/dev/null</string>\n"
      "  <key>StartCalendarInterval</key>\n  <array>\n";
  for (const auto& interval : *intervals) {
    text += "    <dict>";
    for (const auto& [key, value] : interval)
      text += "<key>" + key + "</key><integer>" + std::to_string(value) + "</integer>";
    text += "</dict>\n";
  }
  return entry_file{label + ".plist", text + "  </array>\n</dict>\n</plist>\n"};
}

}  // namespace belfry::app::os
