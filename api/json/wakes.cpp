#include "api/json/wakes.hpp"

#include <array>

#include "api/json/decode.hpp"

namespace belfry::api::json {
namespace {

constexpr std::size_t most_wakes = 1000;
constexpr std::size_t longest_text = 4096;

// Says that it is no text, and not what it is.
void read_secret(const value& m, core::wake_sink& s) {
  if (m.what() != kind::text) {
    m.found().add({m.pointer(), "", "a text", "it is not a secret"});
    return;
  }
  m.read(s.secret);
}

void read_limited(const value& m, std::string& out) {
  if (m.read(out)) check_text(m, out, longest_text);
}

}  // namespace

void read_wake_sink(const value& v, core::wake_sink& sink) {
  static constexpr std::array<std::string_view, 4> names{"poll", "webhook", "command", "none"};
  static constexpr field<core::wake_sink> fields[] = {
      {"sink", [](const value& m, core::wake_sink& s) { m.read_name(s.via, core::wake_via_from, names); }},
      {"url", [](const value& m, core::wake_sink& s) { read_limited(m, s.url); }},
      {"secret", read_secret},
      {"argv", [](const value& m, core::wake_sink& s) { m.read(s.argv); }},
      {"cwd", [](const value& m, core::wake_sink& s) { read_limited(m, s.cwd); }},
      {"timeout", [](const value& m, core::wake_sink& s) { m.read(s.timeout); }},
  };
  if (!v.expect(kind::object)) return;
  const auto before = v.found().count();
  read_object(v, sink, fields);
  if (v.found().count() != before) return;
  for (auto& p : core::check(sink, v.pointer())) v.found().add(std::move(p));
}

void write_wake_sink(writer& w, const core::wake_sink& sink) {
  w.begin_object().member("sink", core::to_text(sink.via));
  if (sink.via == core::wake_via::webhook) w.member("url", core::shown_url(sink.url));
  if (sink.via == core::wake_via::command) w.texts("argv", sink.argv).member_or_null("cwd", sink.cwd);
  if (sink.via == core::wake_via::webhook || sink.via == core::wake_via::command)
    w.milliseconds("timeout_ms", sink.timeout);
  w.end_object();
}

core::result<std::vector<core::wake_id>> read_wake_ids(std::string_view body) {
  using ids = std::vector<core::wake_id>;
  static constexpr field<ids> fields[] = {{"wakes", [](const value& m, ids& all) {
                                             const bool many =
                                                 m.what() == kind::array && m.n().count > most_wakes;
                                             if (m.what() != kind::array || m.n().count < 1 || many) {
                                               m.wrong("a list of 1 to 1000 ids", "it has the wrong length",
                                                       many ? core::errc::too_large : core::errc::invalid);
                                               return;
                                             }
                                             m.each_element([&](const value& e) {
                                               core::wake_id id;
                                               if (e.read(id)) all.push_back(id);
                                             });
                                           }}};
  return decode<ids>(body, [](const value& v, ids& all) {
    read_object(v, all, fields);
    if (all.empty()) missing(v, "wakes", "the ids of the wakes");
  });
}

core::result<std::string> read_wake_order(std::string_view body) {
  static constexpr field<std::string> fields[] = {
      {"run_id", [](const value& m, std::string& run) { read_limited(m, run); }}};
  return decode<std::string>(body, [](const value& v, std::string& run) {
    read_object(v, run, fields);
    if (run.empty()) missing(v, "run_id", "the id of a run, a prefix of it, or the name of the run");
  });
}

void write_wake(writer& w, const messages::wake_view& v) {
  w.begin_object().member("id", v.id).member("run_id", v.run).member("session_id", v.session);
  w.member("name", v.name).member("priority", core::to_text(v.prio)).member("starved", v.starved);
  w.member("sent_at", v.sent_at).member("acknowledge_by", v.acknowledge_by).end_object();
}

std::string wake_text(const messages::wake_view& v, core::wake_via via) {
  writer w{384};
  if (via != core::wake_via::webhook) {
    write_wake(w, v);
    return w.take();
  }
  w.begin_object().member("type", "session.wake").member("timestamp", v.sent_at).key("data");
  write_wake(w, v);
  w.end_object();
  return w.take();
}

}  // namespace belfry::api::json
