#include "api/json/hooks.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "api/json/decode.hpp"
#include "core/run/handlers.hpp"
#include "core/text/utf8.hpp"

namespace belfry::api::json {
namespace {

constexpr std::size_t longest_told = 500;

std::optional<core::hook_decision> hook_decision_from(std::string_view text) {
  if (text == "allow") return core::hook_decision::allow;
  if (text == "refuse") return core::hook_decision::refuse;
  if (text == "narrow") return core::hook_decision::narrow;
  return std::nullopt;
}

struct given_verdict {
  std::optional<core::hook_decision> decision;
  core::hook_verdict verdict;
};

void read_hook_runs(const value& m, given_verdict& g) {
  g.verdict.some = true;
  if (m.what() == kind::array && m.n().count > core::most_hook_candidates) {
    m.wrong("a list of at most 100 ids", "it names more runs than a question has");
    return;
  }
  m.each_element([&](const value& e) {
    core::run_id id;
    if (e.read(id)) g.verdict.runs.push_back(id);
  });
}

}  // namespace

std::string hook_text(const core::hook_question& q) {
  writer w{1024};
  w.begin_object().member("type", "claim.requested").member("id", q.id).member("timestamp", q.at);
  w.key("data").begin_object().key("session").begin_object();
  w.member("id", q.who.id).member("name", q.who.name).member("agent_type", q.who.agent_type);
  w.member("workspace", q.who.workspace)
      .member("channel", q.who.channel)
      .texts("capabilities", q.who.capabilities);
  w.member("node_owned", core::owned_by_node(q.who))
      .end_object()
      .member("max", q.max)
      .key("runs")
      .begin_array();
  for (const auto& r : q.runs) {
    w.begin_object().member("id", r.id).member("name", r.name).member("job_id", r.job);
    w.member_or_null("job", r.job_name)
        .member("priority", core::to_text(r.prio))
        .member("attempt", r.attempt);
    w.member("workspace", r.workspace).member("lane", r.lane).member("handler", core::to_text(r.handler));
    w.member("eligible_since", r.eligible_since).end_object();
  }
  w.end_array().end_object().end_object();
  return w.take();
}

core::result<core::hook_verdict> read_hook_verdict(std::string_view answer) {
  static constexpr std::array<std::string_view, 3> names{"allow", "refuse", "narrow"};
  static constexpr field<given_verdict> fields[] = {
      {"decision",
       [](const value& m, given_verdict& g) {
         core::hook_decision d{};
         if (m.read_name(d, hook_decision_from, names)) g.decision = d;
       }},
      {"reason",
       [](const value& m, given_verdict& g) {
         std::string text;
         if (!m.is_null() && m.read(text)) g.verdict.reason = core::hook_reason(text);
       }},
      {"runs", read_hook_runs},
      {"max", [](const value& m, given_verdict& g) { m.read(g.verdict.max, 1U, 1000U); }},
  };
  if (answer.size() > core::longest_hook_answer)
    return core::failure{core::errc::too_large, "it is longer than 64 KiB", {}, {}};
  auto given = decode<given_verdict>(answer, [](const value& v, given_verdict& g) {
    if (!v.expect(kind::object)) return;
    const auto before = v.found().count();
    read_object(v, g, fields);
    if (v.found().count() != before) return;
    if (!g.decision) return missing(v, "decision", "allow, refuse or narrow");
    const bool narrows = *g.decision == core::hook_decision::narrow;
    if (!narrows && (g.verdict.some || g.verdict.max > 0))
      v.wrong("runs and max only with \"decision\": \"narrow\"", "it says two things");
    if (narrows && !g.verdict.some && g.verdict.max == 0)
      missing(v, "runs", "the ids that may be handed over, or max");
  });
  if (given) {
    given->verdict.decision = *given->decision;
    return std::move(given->verdict);
  }
  // One line: nobody sees this but who reads a log, an event or an explanation.
  auto no = std::move(given.error());
  for (const auto& p : no.problems)
    no.text += "; " + (p.pointer.empty() ? std::string{"/"} : p.pointer) + ": " + p.detail +
               ", allowed: " + p.allowed;
  no.text = core::shown(no.text, longest_told);
  return no;
}

void write_hook_state(writer& w, const messages::hook_state& s) {
  w.begin_object().member("on_error", s.open ? "open" : "closed").member("under_way", s.under_way);
  w.member("asked", s.asked).member("allowed", s.allowed).member("narrowed", s.narrowed);
  w.member("refused", s.refused).member("failed", s.failed).member("failing_since", s.failing_since);
  w.member_or_null("last_failure", s.last_failure).member("last_failure_at", s.last_failure_at).end_object();
}

}  // namespace belfry::api::json
