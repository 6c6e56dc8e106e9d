#include "api/json/spawns.hpp"

#include "api/json/decode.hpp"
#include "api/json/pauses.hpp"
#include "api/json/wakes.hpp"
#include "core/text/word.hpp"

namespace belfry::api::json {
namespace {

void write_worker(writer& w, const core::spawned_worker& one) {
  w.begin_object().member("session_id", one.session);
  w.member("run_id", one.run);
  w.member("workspace", one.workspace).member("state", core::to_text(one.state));
  w.member("end", core::to_text(one.end)).member("text", one.text).member("pid", one.pid);
  w.member("created_at", one.created_at).member("since", one.since).member("ttl_at", one.ttl_at);
  w.end_object();
}

}  // namespace

void write_agent_type(writer& w, const messages::agent_type_status& s,
                      const std::vector<core::spawned_worker>* workers, const messages::pauses_seen* held) {
  const auto& t = s.type;
  std::vector<std::string> names;
  for (const auto& [name, value] : t.env) names.push_back(name);
  w.begin_object().member("name", t.name).texts("command", t.command).texts("capabilities", t.capabilities);
  w.member_or_null("workspace", t.workspace).member_or_null("channel", t.channel);
  w.member_or_null("cwd", t.cwd).texts("env", names).texts("pass_env", t.pass_env);
  w.texts("resources", t.resources)
      .member("slots", t.slots)
      .member("max", t.max)
      .member("per_workspace", t.per_workspace);
  w.milliseconds("ttl_ms", t.ttl).milliseconds("drain_ms", t.drain).milliseconds("idle_ttl_ms", t.idle_ttl);
  w.milliseconds("start_timeout_ms", t.start_timeout).milliseconds("grace_ms", t.grace);
  w.milliseconds("backoff_ms", t.backoff).milliseconds("backoff_max_ms", t.backoff_max);
  w.key("wake");
  write_wake_sink(w, t.wake);
  w.member("living", s.workers.size()).member("failures", s.failures);
  w.member_or_null("paused", s.held.empty() ? std::string_view{} : std::string_view{s.held.front().text});
  w.member("backing_off_until", s.not_before).member_or_null("last_failure", s.last_failure);
  if (held != nullptr) {
    w.milliseconds("delay_ms", held->delays.empty() ? core::span{0} : held->delays.front().delay)
        .key("pauses");
    write_pause_list(w, held->pauses);
  }
  if (workers != nullptr) {
    w.key("workers").begin_array();
    for (const auto& one : *workers) write_worker(w, one);
    w.end_array();
  }
  w.end_object();
}

core::result<spawn_request> read_spawn(std::string_view body) {
  if (body.empty()) return spawn_request{};
  static constexpr field<spawn_request> fields[] = {
      {"workspace",
       [](const value& m, spawn_request& s) {
         if (!m.read(s.workspace)) return;
         core::trim(s.workspace);
         check_text(m, s.workspace, 100);
       }},
  };
  return decode<spawn_request>(body, [](const value& v, spawn_request& s) { read_object(v, s, fields); });
}

}  // namespace belfry::api::json
