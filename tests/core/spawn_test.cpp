// Which agent type is started for a run, and when its worker is to go.
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <algorithm>

#include "core/spawn/choice.hpp"
#include "core/spawn/worker.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::agent_type;
using core::handler_kind;
using core::requirement;
using core::worker_due;
using core::worker_state;

namespace {

agent_type a_type(std::string name, std::vector<std::string> able = {}) {
  agent_type t;
  t.name = std::move(name);
  t.command = {"true"};
  t.capabilities = std::move(able);
  core::normalise(t);
  return t;
}

requirement needing(std::vector<std::string> capabilities) {
  requirement r;
  r.capabilities = std::move(capabilities);
  return r;
}

std::string chosen(const std::vector<agent_type>& types, const requirement& needs,
                   handler_kind handler = handler_kind::none) {
  const auto all = core::choose(types, needs, handler);
  return all.empty() ? "" : types[all.front()].name;
}

bool complains(const agent_type& t, const std::string& key) {
  const auto all = core::check(t);
  return std::any_of(all.begin(), all.end(), [&](const auto& p) { return p.pointer == key; });
}

}  // namespace

TEST_CASE("spawn: the type with the fewest superfluous capabilities, then the first name", "[core][spawn]") {
  const std::vector<agent_type> types{a_type("zed", {"code"}), a_type("wide", {"code", "gpu", "web"}),
                                      a_type("abel", {"code"}), a_type("mute")};
  CHECK(chosen(types, needing({"code"})) == "abel");
  CHECK(chosen(types, needing({"gpu"})) == "wide");
  CHECK(chosen(types, {}) == "mute");
  CHECK(chosen(types, needing({"paint"})).empty());
  CHECK(core::why_none(types, needing({"paint"}), handler_kind::none).find("abel: missing: paint") !=
        std::string::npos);
  CHECK(core::why_none({}, {}, handler_kind::none) == "no agent type is configured");
}

TEST_CASE("spawn: who could not claim the run is not started for it", "[core][spawn]") {
  auto types = std::vector{a_type("a"), a_type("b")};
  auto needs = requirement{};
  needs.agent_types = {"b"};
  CHECK(chosen(types, needs) == "b");
  needs = {};
  needs.person_only = true;
  CHECK(chosen(types, needs).empty());
  needs = {};
  needs.exact_session = core::session_id{7};  // a new session is never that one
  CHECK(chosen(types, needs).empty());
  CHECK(chosen(types, {}, handler_kind::process).empty());  // outside sessions run no processes for the node
  types[0].max = 0;
  CHECK(chosen(types, {}) == "b");
}

TEST_CASE("spawn: a type without a workspace or a channel takes those of the run", "[core][spawn]") {
  auto types = std::vector{a_type("here"), a_type("any")};
  types[0].workspace = "team";
  types[0].channel = "chat";
  auto needs = requirement{};
  needs.workspace = "team";
  needs.channel = "chat";
  CHECK(chosen(types, needs) == "any");
  types.erase(types.begin() + 1);
  CHECK(chosen(types, needs) == "here");
  needs.workspace = "other";
  CHECK(chosen(types, needs).empty());
  const auto s = core::session_of(a_type("any", {"x"}), needs);
  CHECK(s.workspace == "other");
  CHECK(s.channel == "chat");
  CHECK(s.agent_type == "any");
  CHECK(s.capabilities == std::vector<std::string>{"x"});
}

TEST_CASE(
    "spawn: for any types and needs, the choice may take the run, is minimal, and does not depend on "
    "the order of the types",
    "[core][spawn][property]") {
  const auto some_words = [] {
    const auto bits = *rc::gen::inRange(0U, 32U);
    std::vector<std::string> words;
    for (unsigned i = 0; i < 5; ++i)
      if ((bits >> i & 1U) != 0) words.emplace_back(1, static_cast<char>('a' + i));
    return words;
  };
  rc::prop("as a slow look at every type says", [&] {
    std::vector<agent_type> types;
    const auto n = *rc::gen::inRange(0, 8);
    for (int i = 0; i < n; ++i) {
      auto t = a_type("t" + std::to_string(i), some_words());
      t.workspace = *rc::gen::element<std::string>("", "", "w1", "w2");
      t.max = *rc::gen::element<std::uint32_t>(0, 1, 3);
      types.push_back(std::move(t));
    }
    requirement needs;
    needs.capabilities = some_words();
    needs.workspace = *rc::gen::element<std::string>("", "w1", "w2");
    if (*rc::gen::inRange(0, 4) == 0) needs.agent_types = {"t1", "t3"};
    const auto fit = core::choose(types, needs, handler_kind::none);
    for (std::size_t i = 0; i < types.size(); ++i) {
      const bool will_do =
          types[i].max > 0 &&
          core::why_not(core::session_of(types[i], needs), needs, handler_kind::none).empty();
      RC_ASSERT(will_do == (std::count(fit.begin(), fit.end(), i) == 1));
      if (will_do) RC_ASSERT(types[fit.front()].capabilities.size() <= types[i].capabilities.size());
    }
    auto turned = types;
    std::reverse(turned.begin(), turned.end());
    RC_ASSERT(chosen(types, needs) == chosen(turned, needs));
  });
}

TEST_CASE("agent type: every mistake of a declaration is named", "[core][spawn]") {
  CHECK(core::check(a_type("claude", {"code"})).empty());
  CHECK(complains(a_type(""), "name"));
  CHECK(complains(a_type("process"), "name"));
  CHECK(complains(a_type("a/b"), "name"));
  auto t = a_type("x");
  t.command.clear();
  CHECK(complains(t, "command"));
  t = a_type("x");
  t.cwd = "here";
  CHECK(complains(t, "cwd"));
  t = a_type("x");
  t.env = {{"BELFRY_URL", "x"}};
  CHECK(complains(t, "env"));
  t = a_type("x");
  t.pass_env = {"A=B"};
  CHECK(complains(t, "pass_env"));
  t = a_type("x");
  t.backoff = 10min;
  CHECK(complains(t, "backoff_max"));
}

TEST_CASE("agent type: the pause doubles with each failure up to its limit", "[core][spawn]") {
  const auto t = a_type("x");
  CHECK(core::pause_after(t, 1) == 1s);
  CHECK(core::pause_after(t, 2) == 2s);
  CHECK(core::pause_after(t, 9) == 256s);
  CHECK(core::pause_after(t, 10) == 5min);
  CHECK(core::pause_after(t, 4'000'000'000) == 5min);
}

TEST_CASE("worker: what is due for it at which time", "[core][spawn]") {
  auto t = a_type("x");
  t.idle_ttl = 4min;
  const core::instant start = core::from_micros(1'000'000);
  core::spawned_worker w;
  core::worker_clock c;
  c.started = start;
  CHECK(core::next_look(w, c, t) == start + 30s);
  CHECK(core::judge(w, c, t, start + 30s - 1us) == worker_due::nothing);
  CHECK(core::judge(w, c, t, start + 30s) == worker_due::never_registered);

  w.state = worker_state::ready;
  c.idle_since = c.looked = start + 10s;
  CHECK(core::next_look(w, c, t) == start + 70s);
  CHECK(core::judge(w, c, t, start + 70s) == worker_due::look_whether_idle);
  CHECK_FALSE(core::idle_for_too_long(c, t, start + 249s));
  CHECK(core::idle_for_too_long(c, t, start + 250s));
  CHECK(core::judge(w, c, t, start + 30min) == worker_due::retire);
  t.idle_ttl = 0s;
  CHECK(core::next_look(w, c, t) == start + 30min);
  CHECK_FALSE(core::idle_for_too_long(c, t, start + 20h));

  w.state = worker_state::draining;
  CHECK(core::judge(w, c, t, start + 31min - 1us) == worker_due::nothing);
  CHECK(core::judge(w, c, t, start + 31min) == worker_due::ttl_over);
  w.state = worker_state::stopping;
  CHECK(core::next_look(w, c, t) == core::end_of_time);
}
