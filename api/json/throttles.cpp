#include "api/json/throttles.hpp"

#include <algorithm>
#include <array>

#include "api/json/decode.hpp"
#include "api/json/pauses.hpp"
#include "core/text/word.hpp"

namespace belfry::api::json {
namespace {

constexpr core::span longest_limit = std::chrono::hours{24 * 31};
constexpr std::array<std::string_view, 2> limit_kinds{"throttle", "quota"};

void read_limit_name(const value& m, std::optional<std::string>& out) {
  if (!m.read(out.emplace())) return;
  core::trim(*out);
  check_text(m, *out, 100);
  if (out->empty()) m.wrong("a name", "it is empty");
}

void read_limit_kind(const value& m, throttle_request& t) {
  m.read_name(t.kind, core::limit_kind_from, limit_kinds);
}

void read_retry_after(const value& m, throttle_request& t) {
  core::span s{0};
  if (!m.read(s)) return;
  if (s <= core::span{0} || s > longest_limit) m.wrong("more than 0, at most 31d", "it is no time to wait");
  t.retry_after = s;
}

void read_limit_end(const value& m, throttle_request& t) {
  core::instant at = core::never;
  if (m.read(at)) t.until = at;
}

}  // namespace

core::result<throttle_request> read_throttle(std::string_view body) {
  static constexpr field<throttle_request> fields[] = {
      {"resource", [](const value& m, throttle_request& t) { read_limit_name(m, t.resource); }},
      {"agent_type", [](const value& m, throttle_request& t) { read_limit_name(m, t.agent_type); }},
      {"kind", read_limit_kind},
      {"retry_after", read_retry_after},
      {"until", read_limit_end},
      {"reason", [](const value& m, throttle_request& t) { read_reason(m, t.text); }}};
  return decode<throttle_request>(body, [](const value& v, throttle_request& t) {
    read_object(v, t, fields);
    if (!t.resource && !t.agent_type)
      missing(v, "resource", "a provider that agent types of the configuration name, or \"agent_type\"");
    if (!t.retry_after && !t.until)
      missing(v, "retry_after", "for how long, such as \"10m\", or until when: \"until\"");
    if (t.retry_after && t.until)
      v.found().add({v.pointer() + "/until", "", "retry_after or until", "there are two times"});
  });
}

void write_throttled(writer& w, const messages::pauses_seen& seen,
                     const std::vector<std::string>& agent_types, const core::pause_entry& limit) {
  std::vector<core::pause> made;
  for (const auto& p : seen.pauses)
    if (p.on.scope == core::pause_scope::agent_type && p.why.reason == limit.reason &&
        p.why.owner == limit.owner &&
        std::find(agent_types.begin(), agent_types.end(), p.on.name) != agent_types.end())
      made.push_back(p);
  w.begin_object().member("changed", seen.changed).texts("agent_types", agent_types);
  w.member("kind", limit.reason).member("owner", limit.owner).key("pauses");
  write_pause_list(w, made);
  w.key("delays");
  write_delays(w, seen.delays);
  w.end_object();
}

void write_delays(writer& w, const std::vector<core::learned_delay>& delays) {
  w.begin_array();
  for (const auto& d : delays)
    w.begin_object().member("agent_type", d.agent_type).milliseconds("delay_ms", d.delay).end_object();
  w.end_array();
}

void write_pressure(writer& w, const core::pressure& p) {
  w.begin_object().member("on", core::pressing(p)).member("mode", core::to_text(p.rule.mode));
  w.member("at", p.rule.at).member("until", p.rule.at == 0 ? 0 : core::end_of(p.rule));
  w.member("shed_below", core::to_text(p.rule.shed_below))
      .member("queued", p.queued)
      .member("since", p.since);
  w.key("wait_ms");
  if (p.wait)
    w.number(core::millis(*p.wait));
  else
    w.null();
  w.end_object();
}

}  // namespace belfry::api::json
