#include "api/json/sessions.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "api/json/decode.hpp"
#include "api/json/wakes.hpp"
#include "core/run/handlers.hpp"
#include "core/run/validate.hpp"
#include "core/text/word.hpp"

namespace belfry::api::json {
namespace {

constexpr std::size_t largest_metadata = 16 * 1024;
constexpr std::uint32_t most_slots = 1000;

void read_capabilities(const value& m, std::vector<std::string>& words) {
  if (!m.read(words)) return;
  for (auto& w : words) {
    core::trim(w);
    core::lower_ascii(w);
  }
  core::sort_unique(words);
  std::vector<core::field_problem> found;
  core::check_words(found, m.pointer(), words, core::spec_limits{}.capabilities, core::spec_limits{}.word);
  for (auto& p : found) m.found().add(std::move(p));
}

void read_short(const value& m, std::string& out) {
  if (!m.read(out)) return;
  core::trim(out);
  check_text(m, out, core::spec_limits{}.word);
}

void read_metadata(const value& m, core::session& s) {
  if (m.is_null() || !m.expect(kind::object)) return;
  m.read_raw(s.metadata);
  if (s.metadata.size() > largest_metadata) {
    m.wrong("at most " + std::to_string(largest_metadata) + " bytes", "it is too large");
    s.metadata.clear();
  }
}

void write_leases(writer& w, const messages::session_view& v) {
  w.key("leases").begin_array();
  for (std::size_t i = 0; i < v.leases.size(); ++i) {
    const auto& h = v.leases[i];
    w.begin_object().member("run_id", h.id).member("name", h.name).member("attempt", h.attempt);
    w.member("fencing", h.fencing).member("state", core::to_text(h.state));
    w.member("claimed_at", h.held.claimed_at).member("started_at", h.held.started_at);
    w.member("lease_expires_at", h.held.expires_at).member("deadline", h.held.deadline_at);
    w.member("cancel_requested", h.cancel_requested);
    const auto signs = i < v.signs.size() ? v.signs[i] : core::lease_signs{};
    w.member("renewed_at", signs.renewed_at).member("progress_at", signs.progress_at);
    w.member("progress", h.progress).member_or_null("progress_text", h.progress_text);
    const auto rest = i < v.rests.size() ? v.rests[i] : core::estimate{{}, "unknown"};
    w.member("ends_in_ms", rest.in).member("ends_basis", rest.basis).end_object();
  }
  w.end_array();
}

}  // namespace

core::result<core::session> read_session(std::string_view body) {
  static constexpr field<core::session> fields[] = {
      {"id", [](const value& m, core::session& s) { m.read(s.id); }},
      {"name", [](const value& m, core::session& s) { read_short(m, s.name); }},
      {"agent_type", [](const value& m, core::session& s) { read_short(m, s.agent_type); }},
      {"workspace", [](const value& m, core::session& s) { read_short(m, s.workspace); }},
      {"channel", [](const value& m, core::session& s) { read_short(m, s.channel); }},
      {"capabilities", [](const value& m, core::session& s) { read_capabilities(m, s.capabilities); }},
      {"slots", [](const value& m, core::session& s) { m.read<std::uint32_t>(s.slots, 1, most_slots); }},
      {"prompting", [](const value& m, core::session& s) { m.read(s.prompting); }},
      {"metadata", read_metadata},
      {"wake", [](const value& m, core::session& s) { read_wake_sink(m, s.wake); }},
  };
  return decode<core::session>(body, [](const value& v, core::session& s) {
    read_object(v, s, fields);
    if (s.name.empty()) missing(v, "name", "a name, such as worker-1");
  });
}

core::result<messages::heartbeat_session> read_session_heartbeat(std::string_view body) {
  using heartbeat = messages::heartbeat_session;
  static constexpr field<heartbeat> fields[] = {
      {"state",
       [](const value& m, heartbeat& h) {
         static constexpr std::array<std::string_view, 2> names{"active", "paused"};
         const auto from = [](std::string_view t) -> std::optional<bool> {
           if (t == names[0]) return false;
           if (t == names[1]) return true;
           return std::nullopt;
         };
         bool paused = false;
         if (m.read_name(paused, from, names)) h.paused = paused;
       }},
      {"prompting",
       [](const value& m, heartbeat& h) {
         bool prompting = false;
         if (m.read(prompting)) h.prompting = prompting;
       }},
  };
  return decode<heartbeat>(body, [](const value& v, heartbeat& h) { read_object(v, h, fields); });
}

void write_session(writer& w, const messages::session_view& v, core::span heartbeat_every, bool commands) {
  const auto& s = v.who;
  w.begin_object().member("id", s.id).member("name", s.name).member("agent_type", s.agent_type);
  w.member("workspace", s.workspace)
      .member_or_null("channel", s.channel)
      .texts("capabilities", s.capabilities);
  w.key("handlers").begin_array();
  for (const auto h : s.handlers) w.text(core::to_text(h));
  w.end_array();
  w.member("slots", s.slots)
      .member("slots_used", v.leases.size())
      .member("state", core::to_text(s.state))
      .member("health", core::to_text(v.health))
      .member("prompting", s.prompting)
      .member("local", s.local)
      .raw_or_null("metadata", s.metadata);
  w.key("wake");
  write_wake_sink(w, s.wake);
  w.member("created_at", s.created_at).member("last_seen_at", s.last_seen).member("stale_at", v.stale_at);
  w.milliseconds("heartbeat_every_ms", heartbeat_every);
  write_leases(w, v);
  if (commands) {
    const bool cancel = std::any_of(v.leases.begin(), v.leases.end(),
                                    [](const core::run_head& h) { return h.cancel_requested; });
    w.key("commands").begin_array();
    if (s.draining) w.text("drain");
    if (cancel) w.text("cancel");
    if (v.renew) w.text("renew");
    if (v.report) w.text("report");
    w.end_array();
  }
  w.end_object();
}

void write_reasons(writer& w, const std::vector<core::ineligible>& reasons) {
  w.key("reasons").begin_array();
  for (const auto& no : reasons)
    w.begin_object().member("code", no.code).member("text", no.text).end_object();
  w.end_array();
}

}  // namespace belfry::api::json
