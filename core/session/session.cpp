#include "core/session/session.hpp"

#include <algorithm>

#include "core/text/word.hpp"

namespace belfry::core {
namespace {

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string_view code_of_state(session_state s) {
  switch (s) {
    case session_state::active: return {};
    case session_state::draining: return "session_draining";
    case session_state::paused: return "session_paused";
    case session_state::stale: return "session_stale";
    case session_state::gone: return "session_gone";
  }
  return "session_gone";
}

std::string quoted(const std::string& word) { return word.empty() ? "none" : "\"" + word + "\""; }

std::string listed(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& w : words) (out += out.empty() ? "" : ", ") += w;
  return out;
}

bool performs(const session& s, handler_kind handler) {
  // A session that names no kind is one from outside: it knows what the payload means.
  if (s.handlers.empty()) return handler == handler_kind::none;
  return std::find(s.handlers.begin(), s.handlers.end(), handler) != s.handlers.end();
}

// The rules, each once. `no(code, text)` is told of every rule that says no and answers whether to go on; the
// text is a function, so that the claim path, which asks this for every class, makes no strings.
template <class No>
bool each_refusal_by_itself(const standing& at, No no) {
  if (at.who == nullptr) {
    (void)no("unknown_session", [] { return std::string{"there is no such session"}; });
    return false;
  }
  const auto& s = *at.who;
  if (s.state != session_state::active &&
      !no(code_of_state(s.state), [&] { return "the session is " + std::string{to_text(s.state)}; }))
    return false;
  if (s.prompting &&
      !no("prompting", [] { return std::string{"the session said that it is waiting for a prompt"}; }))
    return false;
  if (at.free_slots == 0 && !no("no_free_slot", [&] {
        return s.slots == 1 ? std::string{"its slot is in use"}
                            : "all of its " + std::to_string(s.slots) + " slots are in use";
      }))
    return false;
  return !at.targeted ||
         no("targeted_in_cycle", [] { return std::string{"it was chosen for another run in this cycle"}; });
}

template <class No>
void each_refusal(const standing& at, const requirement& needs, handler_kind handler, No no) {
  if (!each_refusal_by_itself(at, no)) return;
  const auto& s = *at.who;
  const bool anywhere = owned_by_node(s) && handler == handler_kind::process;
  if (s.workspace != needs.workspace && !anywhere && !no("workspace_mismatch", [&] {
        return "workspace of the run: " + quoted(needs.workspace) +
               ", of the session: " + quoted(s.workspace);
      }))
    return;
  if (!needs.channel.empty() && s.channel != needs.channel && !no("channel_mismatch", [&] {
        return "channel of the run: " + quoted(needs.channel) + ", of the session: " + quoted(s.channel);
      }))
    return;
  if (needs.exact_session && needs.exact_session != s.id &&
      !no("owner_mismatch", [&] { return "only " + to_string(needs.exact_session) + " may take it"; }))
    return;
  if (needs.person_only && !no("person_only", [] { return std::string{"a person has to do it"}; })) return;
  if (!needs.agent_types.empty() && !has(needs.agent_types, s.agent_type) &&
      !no("agent_type_not_allowed",
          [&] { return "agent type " + quoted(s.agent_type) + "; allowed: " + listed(needs.agent_types); }))
    return;
  const bool able = std::all_of(needs.capabilities.begin(), needs.capabilities.end(),
                                [&](const std::string& c) { return has(s.capabilities, c); });
  if (!able && !no("missing_capability", [&] {
        std::vector<std::string> missing;
        for (const auto& c : needs.capabilities)
          if (!has(s.capabilities, c)) missing.push_back(c);
        return "missing: " + listed(missing);
      }))
    return;
  if (!performs(s, handler))
    no("handler_mismatch", [&] {
      return std::string{handler == handler_kind::process
                             ? "the session does not run processes"
                             : "the session only runs kinds that the node performs itself"};
    });
}

}  // namespace

std::string_view to_text(session_state s) {
  switch (s) {
    case session_state::active: return "active";
    case session_state::draining: return "draining";
    case session_state::paused: return "paused";
    case session_state::stale: return "stale";
    case session_state::gone: return "gone";
  }
  return "unknown";
}

bool owned_by_node(const session& s) {
  return s.local ||
         std::find(s.handlers.begin(), s.handlers.end(), handler_kind::process) != s.handlers.end();
}

session_state state_here(const session& s) {
  if (s.draining) return session_state::draining;
  return s.paused ? session_state::paused : session_state::active;
}

std::vector<ineligible> why_not(const standing& at, const requirement& needs, handler_kind handler) {
  std::vector<ineligible> all;
  each_refusal(at, needs, handler, [&](std::string_view code, auto text) {
    all.push_back({std::string{code}, text()});
    return true;
  });
  return all;
}

std::vector<ineligible> why_nothing(const standing& at) {
  std::vector<ineligible> all;
  each_refusal_by_itself(at, [&](std::string_view code, auto text) {
    all.push_back({std::string{code}, text()});
    return true;
  });
  return all;
}

bool may_take_anything(const standing& at) {
  return each_refusal_by_itself(at, [](std::string_view, auto) { return false; });
}

std::size_t preference(const session& s, const requirement& needs) {
  return static_cast<std::size_t>(
      std::count_if(needs.preferred.begin(), needs.preferred.end(),
                    [&](const std::string& c) { return has(s.capabilities, c); }));
}

bool matters_to_claims(const session& before, const session& now) {
  session same = now;
  same.created_at = before.created_at;
  same.last_seen = before.last_seen;
  return !(same == before);
}

std::vector<ineligible> why_not(const session& s, const requirement& needs, handler_kind handler) {
  return why_not(standing{&s}, needs, handler);
}

bool may_take(const session& s, const requirement& needs, handler_kind handler) {
  bool may = true;
  each_refusal(standing{&s}, needs, handler, [&](std::string_view, auto) { return may = false; });
  return may;
}

void normalise(session& s) {
  for (auto* word : {&s.name, &s.agent_type, &s.workspace, &s.channel}) trim(*word);
  for (auto& c : s.capabilities) {
    trim(c);
    lower_ascii(c);
  }
  sort_unique(s.capabilities);
  sort_unique(s.handlers);
}

std::vector<field_problem> check(const session& s, const std::string& base) {
  constexpr std::size_t word = 100;
  constexpr std::size_t most_capabilities = 64;
  constexpr std::uint32_t most_slots = 1000;
  std::vector<field_problem> found;
  check_word(found, base + "/name", s.name, 200, blank::fine);
  check_word(found, base + "/agent_type", s.agent_type, word, blank::refused);
  check_word(found, base + "/workspace", s.workspace, word, blank::fine);
  check_word(found, base + "/channel", s.channel, word, blank::fine);
  check_words(found, base + "/capabilities", s.capabilities, most_capabilities, word);
  if (s.slots < 1 || s.slots > most_slots)
    found.push_back({base + "/slots", std::to_string(s.slots), "1 to 1000",
                     "slots are the runs that it can hold at a time"});
  for (auto& p : check(s.wake, base + "/wake")) found.push_back(std::move(p));
  return found;
}

}  // namespace belfry::core
