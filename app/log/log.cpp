#include "app/log/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "api/json/writer.hpp"
#include "app/output/terminal.hpp"
#include "app/output/words.hpp"
#include "core/time/text.hpp"

namespace belfry::app {
namespace {

struct log_state {
  std::shared_ptr<spdlog::logger> logger;
  bool json = false;
  terminal screen;  // of stderr
};

log_state& state() {
  static log_state s;
  return s;
}

spdlog::level::level_enum level_of(log_level l) {
  switch (l) {
    case log_level::debug: return spdlog::level::debug;
    case log_level::info: return spdlog::level::info;
    case log_level::warning: return spdlog::level::warn;
    case log_level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view name_of(log_level l) {
  switch (l) {
    case log_level::debug: return "debug";
    case log_level::info: return "info";
    case log_level::warning: return "warning";
    case log_level::error: return "error";
  }
  return "info";
}

colour colour_of(log_level l) {
  if (l == log_level::error) return colour::red;
  if (l == log_level::warning) return colour::yellow;
  return l == log_level::debug ? colour::dim : colour::none;
}

bool is_name(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '.') return false;
  return true;
}

// A whole number that every reader of JSON takes as it is.
bool is_number(std::string_view text) {
  if (text.empty() || text.size() > 15 || (text.size() > 1 && text.front() == '0')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

void start_log(const logging_options& options) {
  auto& s = state();
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  s.logger = std::make_shared<spdlog::logger>("belfry", sink);
  s.logger->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
  s.logger->set_level(level_of(options.level));
  s.logger->flush_on(spdlog::level::debug);
  s.json =
      options.format == log_format::json || (options.format == log_format::automatic && !stderr_is_tty());
  s.screen.colours = !s.json && stderr_is_tty() && look_at_stdout(false).colours;
}

void log_line(log_level level, std::string_view line) {
  const auto& s = state();
  if (!s.logger || !s.logger->should_log(level_of(level))) return;
  const std::string at = core::to_rfc3339(now());
  if (s.json) {
    s.logger->log(level_of(level), spdlog::string_view_t(as_json_line(at, name_of(level), line)));
    return;
  }
  std::string text =
      s.screen.paint(at, colour::dim) + " " + s.screen.paint(name_of(level), colour_of(level)) + " ";
  text += printable(line);
  s.logger->log(level_of(level), spdlog::string_view_t(text));
}

log_parts take_apart(std::string_view line) {
  log_parts out;
  std::size_t at = 0;
  const auto skip = [&] {
    while (at < line.size() && line[at] == ' ') ++at;
  };
  skip();
  const auto first = line.find(' ', at);
  out.key = line.substr(at, first == std::string_view::npos ? line.size() : first - at);
  if (!out.key.empty() && out.key.back() == ':') out.key.pop_back();
  at = first == std::string_view::npos ? line.size() : first;
  for (skip(); at < line.size(); skip()) {
    auto end = std::min(line.find(' ', at), line.size());
    const auto word = line.substr(at, end - at);
    const auto equals = word.find('=');
    if (equals == std::string_view::npos || !is_name(word.substr(0, equals))) {
      out.rest += (out.rest.empty() ? "" : " ") + std::string(word);
      at = end;
      continue;
    }
    std::string value;
    if (word.size() > equals + 1 && word[equals + 1] == '"') {
      std::size_t i = at + equals + 2;
      for (; i < line.size() && line[i] != '"'; ++i) {
        if (line[i] == '\\' && i + 1 < line.size()) ++i;
        value += line[i];
      }
      end = std::min(i + 1, line.size());
    } else {
      value = word.substr(equals + 1);
    }
    out.fields.emplace_back(std::string(word.substr(0, equals)), std::move(value));
    at = end;
  }
  return out;
}

std::string as_json_line(std::string_view instant, std::string_view level, std::string_view line) {
  const auto parts = take_apart(line);
  api::json::writer w;
  w.begin_object().member("ts", instant).member("level", level).member("msg", parts.key);
  for (const auto& [name, value] : parts.fields) {
    const bool ours = name == "ts" || name == "level" || name == "msg" || name == "text";
    w.key(ours ? "_" + name : name);
    if (is_number(value))
      w.raw(value);
    else
      w.text(value);
  }
  if (!parts.rest.empty()) w.member("text", parts.rest);
  w.end_object();
  return w.take();
}

}  // namespace belfry::app
