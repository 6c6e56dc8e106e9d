#include "core/session/session.hpp"

#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <functional>

using namespace belfry::core;

namespace {

session a_session() {
  session s;
  s.id = session_id{5};
  s.name = "worker-1";
  s.agent_type = "python";
  s.capabilities = {"cuda", "gpu"};
  s.handlers = {handler_kind::none};
  return s;
}

std::vector<std::string> codes(const session& s, const requirement& needs,
                               handler_kind handler = handler_kind::none) {
  std::vector<std::string> all;
  for (const auto& no : why_not(s, needs, handler)) {
    CHECK_FALSE(no.text.empty());
    all.push_back(no.code);
  }
  return all;
}

using list = std::vector<std::string>;

}  // namespace

TEST_CASE("eligibility: a run without needs goes to any session of no workspace", "[core][session]") {
  CHECK(codes(a_session(), {}).empty());
  CHECK(may_take(a_session(), {}, handler_kind::none));
}

TEST_CASE("eligibility: the state of the session", "[core][session]") {
  const std::pair<session_state, const char*> states[] = {{session_state::draining, "session_draining"},
                                                          {session_state::paused, "session_paused"},
                                                          {session_state::stale, "session_stale"},
                                                          {session_state::gone, "session_gone"}};
  for (const auto& [state, code] : states) {
    auto s = a_session();
    s.state = state;
    CHECK(codes(s, {}) == list{code});
  }
  auto s = a_session();
  s.prompting = true;
  CHECK(codes(s, {}) == list{"prompting"});
}

TEST_CASE("eligibility: workspace and channel", "[core][session]") {
  auto s = a_session();
  requirement needs;
  needs.workspace = "blue";
  CHECK(codes(s, needs) == list{"workspace_mismatch"});
  s.workspace = "red";
  CHECK(codes(s, needs) == list{"workspace_mismatch"});
  CHECK(codes(s, {}) == list{"workspace_mismatch"});  // a run without one only to sessions without one
  s.workspace = "blue";
  CHECK(codes(s, needs).empty());
  s.channel = "ops";
  CHECK(codes(s, needs).empty());  // a run without a channel goes to any
  needs.channel = "dev";
  CHECK(codes(s, needs) == list{"channel_mismatch"});
  s.channel = "dev";
  CHECK(codes(s, needs).empty());
}

TEST_CASE("eligibility: owner rules", "[core][session]") {
  requirement needs;
  needs.exact_session = session_id{6};
  CHECK(codes(a_session(), needs) == list{"owner_mismatch"});
  needs.exact_session = session_id{5};
  CHECK(codes(a_session(), needs).empty());
  needs = {};
  needs.agent_types = {"claude", "codex"};
  CHECK(codes(a_session(), needs) == list{"agent_type_not_allowed"});
  needs.agent_types.push_back("python");
  CHECK(codes(a_session(), needs).empty());
  needs = {};
  needs.person_only = true;
  CHECK(codes(a_session(), needs) == list{"person_only"});
}

TEST_CASE("eligibility: all required capabilities, and the missing ones are named", "[core][session]") {
  requirement needs;
  needs.capabilities = {"gpu"};
  CHECK(codes(a_session(), needs).empty());
  needs.capabilities = {"avx", "gpu", "tpu"};
  const auto no = why_not(a_session(), needs, handler_kind::none);
  REQUIRE(no.size() == 1);
  CHECK(no[0].code == "missing_capability");
  CHECK(no[0].text == "missing: avx, tpu");
  needs = {};
  needs.preferred = {"tpu"};
  CHECK(codes(a_session(), needs).empty());  // preferred ones only order
}

TEST_CASE("eligibility: handlers, and the executors of the node serve every workspace", "[core][session]") {
  CHECK(codes(a_session(), {}, handler_kind::process) == list{"handler_mismatch"});
  auto silent = a_session();
  silent.handlers.clear();
  CHECK(codes(silent, {}).empty());
  CHECK(codes(silent, {}, handler_kind::process) == list{"handler_mismatch"});
  auto executor = a_session();
  executor.local = true;
  executor.handlers = {handler_kind::process};
  requirement blue;
  blue.workspace = "blue";
  CHECK(codes(executor, blue, handler_kind::process).empty());
  CHECK(codes(executor, {}, handler_kind::none) == list{"handler_mismatch"});
}

TEST_CASE("eligibility: all failing rules are listed, not only the first", "[core][session]") {
  auto s = a_session();
  s.state = session_state::paused;
  s.prompting = true;
  requirement needs;
  needs.workspace = "blue";
  needs.channel = "dev";
  needs.exact_session = session_id{9};
  needs.person_only = true;
  needs.agent_types = {"codex"};
  needs.capabilities = {"tpu"};
  CHECK(codes(s, needs, handler_kind::process) ==
        list{"session_paused", "prompting", "workspace_mismatch", "channel_mismatch", "owner_mismatch",
             "person_only", "agent_type_not_allowed", "missing_capability", "handler_mismatch"});
}

TEST_CASE("eligibility: a claim and an explanation always give the same answer",
          "[core][session][property]") {
  rc::prop("same answer", [](bool prompting, bool local, bool person) {
    const auto word = rc::gen::element<std::string>("", "a", "b");
    const auto words =
        rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>("a", "b", "c"));
    auto s = a_session();
    s.state = static_cast<session_state>(*rc::gen::inRange(0, 5));
    s.prompting = prompting;
    s.local = local;
    s.workspace = *word;
    s.channel = *word;
    s.agent_type = *word;
    s.capabilities = *words;
    requirement needs;
    needs.workspace = *word;
    needs.channel = *word;
    needs.capabilities = *words;
    needs.agent_types = *words;
    needs.person_only = person;
    const auto handler = static_cast<handler_kind>(*rc::gen::inRange(0, 2));
    RC_ASSERT(may_take(s, needs, handler) == why_not(s, needs, handler).empty());
  });
}

TEST_CASE("sessions: a registration is brought into its canonical form and checked", "[core][session]") {
  auto s = a_session();
  s.agent_type = " python ";
  s.capabilities = {"GPU ", "gpu", "Cuda"};
  normalise(s);
  CHECK(s.agent_type == "python");
  CHECK(s.capabilities == list{"cuda", "gpu"});
  CHECK(check(s, "").empty());
  s.slots = 1000;
  CHECK(check(s, "").empty());
  s.slots = 1001;
  CHECK(check(s, "").at(0).pointer == "/slots");
  s.slots = 0;
  CHECK(check(s, "").at(0).pointer == "/slots");
  s = a_session();
  s.agent_type = " ";
  CHECK(check(s, "").at(0).pointer == "/agent_type");
  s = a_session();
  s.capabilities = {""};
  CHECK(check(s, "").at(0).pointer == "/capabilities");
  s.capabilities.assign(65, "x");
  CHECK(check(s, "").at(0).pointer == "/capabilities");
}

TEST_CASE("sessions: a sign of life is no news to those who hand out work", "[core][session]") {
  const auto before = a_session();
  auto now = before;
  now.last_seen = before.last_seen + std::chrono::minutes{1};
  CHECK_FALSE(matters_to_claims(before, now));
  for (const auto& change : std::vector<std::function<void(session&)>>{
           [](session& s) { s.state = session_state::stale; }, [](session& s) { s.draining = true; },
           [](session& s) { s.paused = true; }, [](session& s) { s.prompting = true; },
           [](session& s) { s.slots += 1; }, [](session& s) { s.capabilities.push_back("gpu"); },
           [](session& s) { s.workspace = "w"; }}) {
    auto other = now;
    change(other);
    CHECK(matters_to_claims(before, other));
  }
}
