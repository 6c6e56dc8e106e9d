// The one rule of who may take what, compared with the same rule said plainly.
#include <rapidcheck/catch.h>
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "core/session/session.hpp"

using namespace belfry::core;

namespace {

const std::vector<std::string> words{"", "blue", "red"};
const std::vector<std::string> skills{"cuda", "gpu", "linux"};

std::string a_word() { return *rc::gen::elementOf(words); }
std::vector<std::string> some_skills() {
  std::vector<std::string> some;
  for (const auto& s : skills)
    if (*rc::gen::inRange(0, 2) == 1) some.push_back(s);
  return some;
}

session some_session() {
  session s;
  s.id = session_id{*rc::gen::inRange<std::int64_t>(1, 4)};
  s.agent_type = a_word();
  s.workspace = a_word();
  s.channel = a_word();
  s.capabilities = some_skills();
  s.local = *rc::gen::inRange(0, 4) == 0;
  const auto performs = *rc::gen::inRange(0, 3);
  if (performs == 1) s.handlers = {handler_kind::process};
  if (performs == 2) s.handlers = {handler_kind::none, handler_kind::process};
  s.state = static_cast<session_state>(std::max(0, *rc::gen::inRange(-3, 5)));
  s.prompting = *rc::gen::inRange(0, 5) == 0;
  return s;
}

requirement some_needs() {
  requirement r;
  r.workspace = a_word();
  r.channel = a_word();
  r.capabilities = some_skills();
  r.preferred = some_skills();
  if (*rc::gen::inRange(0, 3) == 0) r.agent_types = {a_word(), "blue"};
  if (*rc::gen::inRange(0, 4) == 0) r.exact_session = session_id{*rc::gen::inRange<std::int64_t>(1, 4)};
  r.person_only = *rc::gen::inRange(0, 8) == 0;
  return r;
}

bool subset(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::all_of(a.begin(), a.end(),
                     [&](const auto& w) { return std::find(b.begin(), b.end(), w) != b.end(); });
}

// The rules as product and life cycle state them, one line each.
std::set<std::string> model(const standing& at, const requirement& r, handler_kind handler) {
  std::set<std::string> no;
  if (at.who == nullptr) return {"unknown_session"};
  const auto& s = *at.who;
  if (s.state == session_state::draining) no.insert("session_draining");
  if (s.state == session_state::paused) no.insert("session_paused");
  if (s.state == session_state::stale) no.insert("session_stale");
  if (s.state == session_state::gone) no.insert("session_gone");
  if (s.prompting) no.insert("prompting");
  if (at.free_slots == 0) no.insert("no_free_slot");
  if (at.targeted) no.insert("targeted_in_cycle");
  if (s.workspace != r.workspace && !(owned_by_node(s) && handler == handler_kind::process))
    no.insert("workspace_mismatch");
  if (!r.channel.empty() && r.channel != s.channel) no.insert("channel_mismatch");
  if (r.exact_session.value != 0 && r.exact_session != s.id) no.insert("owner_mismatch");
  if (r.person_only) no.insert("person_only");
  if (!r.agent_types.empty() && !subset({s.agent_type}, r.agent_types)) no.insert("agent_type_not_allowed");
  if (!subset(r.capabilities, s.capabilities)) no.insert("missing_capability");
  const auto performed = s.handlers.empty() ? std::vector{handler_kind::none} : s.handlers;
  if (std::find(performed.begin(), performed.end(), handler) == performed.end())
    no.insert("handler_mismatch");
  return no;
}

}  // namespace

TEST_CASE("eligibility: any session and any run, as a plain list of rules judges them",
          "[core][session][property]") {
  rc::prop("against the model", [] {
    const auto s = some_session();
    const auto r = some_needs();
    const auto handler = static_cast<handler_kind>(*rc::gen::inRange(0, 2));
    standing at;
    at.who = *rc::gen::inRange(0, 20) == 0 ? nullptr : &s;
    at.free_slots = static_cast<std::uint32_t>(*rc::gen::inRange(0, 3));
    at.targeted = *rc::gen::inRange(0, 4) == 0;
    std::set<std::string> codes;
    for (const auto& no : why_not(at, r, handler)) {
      RC_ASSERT(!no.text.empty());
      RC_ASSERT(codes.insert(no.code).second);
    }
    const auto right = model(at, r, handler);
    RC_ASSERT(codes == right);

    // The quick answers are the long one, shortened.
    RC_ASSERT(may_take(s, r, handler) == model(standing{&s}, r, handler).empty());
    std::set<std::string> alone;
    for (const auto& no : why_nothing(at)) alone.insert(no.code);
    RC_ASSERT(std::includes(right.begin(), right.end(), alone.begin(), alone.end()));
    RC_ASSERT(may_take_anything(at) == alone.empty());
    // Preference never decides who may.
    auto plain = r;
    plain.preferred.clear();
    RC_ASSERT(model(at, plain, handler) == right);
    RC_ASSERT(preference(s, r) <= r.preferred.size());
    RC_ASSERT((preference(s, r) == r.preferred.size()) == subset(r.preferred, s.capabilities));
  });
}

TEST_CASE("session: what was asked of it decides its state, an operator before itself", "[core][session]") {
  session s;
  CHECK(state_here(s) == session_state::active);
  s.paused = true;
  CHECK(state_here(s) == session_state::paused);
  s.draining = true;
  CHECK(state_here(s) == session_state::draining);
  s.paused = false;
  CHECK(state_here(s) == session_state::draining);
}
