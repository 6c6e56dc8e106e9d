// Explain equals claim, in a whole node: for random states of the queue, of pauses and drains of every scope,
// of limits, owners, slots, workspaces and sessions, the reasons why a session does not get a run are empty
// if and only if a claim by that session gets it. BELFRY_EXPLAIN_SEED=n replays one seed.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "core/diagnostics/catalogue.hpp"
#include "tests/support/virtual_node.hpp"

namespace {

using namespace belfry;
using namespace belfry::tests;
using namespace std::chrono_literals;

// What was seen of each kind, so that a test that has become too tame says so.
struct seen_kinds {
  std::size_t given = 0, refused = 0;
  std::map<std::string, std::size_t> codes;  // of reasons
};

class explained_town {
 public:
  explained_town(std::uint64_t seed, seen_kinds& seen) : dice_{seed}, seen_{seen}, node_{options()} {
    job_ = make_job();
    for (int i = 0; i < 4; ++i) sessions_.push_back(enter({}));
  }

  void round() {
    switch (below(12)) {
      case 0:
      case 1:
      case 2:
      case 3: submit(); break;
      case 4: change_session(); break;
      case 5: end_lease(); break;
      case 6:
      case 7: pause(); break;
      case 8: lift(); break;
      case 9: set_limits(); break;
      case 10: node_.advance(core::span{1min} * static_cast<int>(below(5))); break;
      default: reboot(); break;
    }
    compare(sessions_[below(sessions_.size())]);
  }

 private:
  static actors::node_options options() {
    auto o = virtual_node::usual_options();
    o.executor.none = true;
    o.liveness.stale_after = 24h * 365;  // who claims is silent no more: no state that a claim leaves alone
    o.clock_jump = 24h;
    return o;
  }
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>{0, n - 1}(dice_); }
  std::uint32_t small() { return static_cast<std::uint32_t>(below(3)); }
  std::string word(const char* prefix, std::size_t n) { return prefix + std::to_string(below(n)); }

  core::job_id make_job() {
    messages::put_job m;
    m.definition.name = "job";
    m.definition.spec = virtual_node::payload("job");
    m.definition.on_overlap = core::overlap::allow;
    m.definition.max_concurrent = 1 + small();
    m.actor = "test";
    const auto made = node_.ask<messages::job_stored>(std::move(m));
    REQUIRE(made.ok());
    return made->job.id;
  }
  core::session_id enter(core::session_id id) {
    messages::register_session m;
    m.who.id = id;
    m.who.name = "s";
    m.who.agent_type = below(4) == 0 ? "person" : word("type", 2);
    if (below(2) == 0) m.who.workspace = word("w", 2);
    if (below(5) == 0) m.who.channel = "chat";
    for (std::size_t i = below(3); i > 0; --i) m.who.capabilities.push_back(word("cap", 2));
    core::normalise(m.who);
    m.who.slots = 1 + small();
    m.actor = "test";
    const auto made = node_.ask<messages::session_answer>(std::move(m));
    if (id && !made) return id;
    REQUIRE(made.ok());
    return made->who.id;
  }
  void submit() {
    if (below(4) == 0) {
      messages::trigger_job t;
      t.id = job_;
      t.force = below(2) == 0;
      t.actor = "test";
      const auto made = node_.ask<messages::submitted>(std::move(t));
      if (made.ok() && !made->runs.empty()) waiting_.push_back(made->runs.front().head.id);
      return;
    }
    auto s = virtual_node::payload("w");
    s.prio = static_cast<core::priority>(below(core::priority_count));
    if (below(2) == 0) s.lane = word("lane", 2);
    if (below(2) == 0) s.needs.workspace = word("w", 2);
    if (below(6) == 0) s.needs.channel = "chat";
    if (below(3) == 0) s.needs.capabilities = {word("cap", 2)};
    if (below(4) == 0) s.needs.agent_types = {word("type", 2)};
    if (below(8) == 0) s.needs.agent_types = {"type0", "type1"};
    if (below(8) == 0) s.needs.exact_session = sessions_[below(sessions_.size())];
    if (below(8) == 0) s.needs.person_only = true;
    if (below(5) == 0) {
      s.concurrency_key = word("key", 2);
      s.concurrency_limit = 1 + small();
    }
    waiting_.push_back(node_.submit(std::move(s)).head.id);
  }
  void change_session() {
    const auto who = sessions_[below(sessions_.size())];
    switch (below(4)) {
      case 0:
        (void)node_.ask<messages::sessions_seen>(messages::steer_session{who, below(2) == 0, "why", "test"});
        return;
      case 1: {
        messages::heartbeat_session m;
        m.id = who;
        m.paused = below(3) == 0;
        m.prompting = below(3) == 0;
        m.actor = "test";
        (void)node_.ask<messages::sessions_seen>(std::move(m));
        return;
      }
      case 2: (void)enter(who); return;
      default:
        if (below(3) != 0) return;
        (void)node_.ask<messages::session_answer>(messages::end_session{who, "it went", false, "test"});
        std::erase_if(held_, [&](const auto& h) { return h.run.head.held.holder == who; });
        return;
    }
  }
  void end_lease() {
    if (held_.empty()) return;
    const auto i = below(held_.size());
    const bool back = below(3) == 0;
    const auto id = held_[i].run.head.id;
    if (node_.settle(held_[i], back ? core::settle_kind::released : core::settle_kind::succeeded) && back)
      waiting_.push_back(id);
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  core::pause_target some_target() {
    switch (below(7)) {
      case 0: return core::whole_scheduler();
      case 1:
      case 2: return core::the_workspace(word("w", 2));
      case 3: return core::the_job(job_);
      default: return core::the_agent_type(below(4) == 0 ? "person" : word("type", 2));
    }
  }
  void pause() {
    messages::set_pause m;
    m.on = some_target();
    m.entry.reason = below(3) == 0 ? "drain" : below(2) == 0 ? "manual" : "quota";
    if (m.entry.reason == "drain") m.entry.deadline = node_.now() + 10min;
    if (below(2) == 0) m.entry.until = node_.now() + core::span{1min} * static_cast<int>(1 + below(6));
    m.actor = "test";
    (void)node_.ask<messages::pauses_seen>(std::move(m));
  }
  void lift() {
    const auto seen = node_.ask<messages::pauses_seen>(messages::look_at_pauses{});
    if (!seen.ok() || seen->pauses.empty()) return;
    // Mostly all of them, or nobody would ever get anything.
    const bool all = below(3) != 0;
    const auto one = below(seen->pauses.size());
    for (std::size_t i = 0; i < seen->pauses.size(); ++i) {
      const auto& p = seen->pauses[i];
      if (all || i == one)
        (void)node_.ask<messages::pauses_seen>(messages::lift_pause{p.on, p.why.reason, p.why.owner, "test"});
    }
  }
  void set_limits() {
    const core::limit_options some{below(2) == 0 ? 0 : 1 + small(), small(), 0,
                                   below(2) == 0 ? 0 : 1 + small()};
    REQUIRE(node_.ask<messages::queue_state>(messages::change_limits{some, "test"}).ok());
  }
  // Another process on the same disk; or one that cannot read what is paused for a while.
  void reboot() {
    if (below(2) == 0) return node_.restart();
    node_.faults.pauses_unreadable = true;
    (void)node_.ask<messages::index_rebuilt>(messages::rebuild_index{"test"});
    compare(sessions_[below(sessions_.size())]);
    node_.faults.pauses_unreadable = false;
    node_.advance(2s);
  }

  bool explained_as_free(core::session_id who, const core::run& run) {
    messages::explain_session m;
    m.who = who;
    m.needs = run.head.needs;
    m.handler = run.spec->handler;
    m.run = run.head;
    const auto told = node_.ask<messages::session_explanation>(std::move(m));
    REQUIRE(told.ok());
    for (const auto& no : told->reasons) {
      ++seen_.codes[no.code];
      if (core::find_diagnostic(core::diagnostic_area::session, no.code) == nullptr)
        FAIL(no.code << " is in no catalogue");
    }
    // The explanation of the run says the same of that session.
    const auto whole = node_.explain(run.head.id);
    for (const auto& v : whole.sessions)
      if (v.id == who && v.reasons.empty() != told->reasons.empty())
        FAIL(to_string(run.head.id) << " explained to " << to_string(who) << ": "
                                    << (v.reasons.empty() ? "free" : v.reasons.front().text)
                                    << "; the session's own explanation: "
                                    << (told->reasons.empty() ? "free" : told->reasons.front().text));
    return told->reasons.empty();
  }

  void compare(core::session_id who) {
    std::vector<core::run_id> expected;
    std::erase_if(waiting_, [&](core::run_id id) { return core::terminal(node_.state_of(id)); });
    for (const auto id : waiting_) {
      const auto run = node_.find(id);
      if (run.head.state == core::run_state::queued && explained_as_free(who, run)) expected.push_back(id);
    }
    messages::claim_runs m;
    m.who = who;
    m.lease = 24h;
    const auto answer = node_.ask<messages::claimed_runs>(m);
    std::vector<core::run_id> got;
    if (answer.ok())
      for (const auto& one : answer->runs) {
        got.push_back(one.run.head.id);
        held_.push_back(one);
        std::erase(waiting_, one.run.head.id);
      }
    if (got != expected)
      FAIL("a claim by " << to_string(who) << " gets " << got.size() << " runs, " << expected.size()
                         << " were explained as free for it"
                         << (expected.empty() ? "" : ": " + to_string(expected.front()))
                         << (got.empty() ? "" : "; it got " + to_string(got.front())));
    ++(got.empty() ? seen_.refused : seen_.given);
  }

  std::mt19937_64 dice_;
  seen_kinds& seen_;
  virtual_node node_;
  core::job_id job_;
  std::vector<core::session_id> sessions_;
  std::vector<core::run_id> waiting_;
  std::vector<messages::claimed_run> held_;
};

}  // namespace

TEST_CASE("explain equals claim: in a whole node, with pauses, drains, limits, owners, slots and workspaces",
          "[actors][explain]") {
  const char* one = std::getenv("BELFRY_EXPLAIN_SEED");
  const std::uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
  const std::uint64_t seeds = one != nullptr ? 1 : std::getenv("BELFRY_LONG") != nullptr ? 1000 : 100;
  seen_kinds seen;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    INFO("replay: BELFRY_EXPLAIN_SEED=" << seed);
    explained_town town{seed, seen};
    for (int i = 0; i < 60; ++i) town.round();
  }
  if (one != nullptr) return;
  for (const auto& [code, count] : seen.codes) UNSCOPED_INFO(code << " " << count);
  UNSCOPED_INFO("given " << seen.given << ", refused " << seen.refused);
  CHECK(seen.given > 500);
  CHECK(seen.refused > 500);
  for (const auto* code : {"scheduler_paused",
                           "workspace_paused",
                           "job_paused",
                           "agent_type_paused",
                           "session_draining",
                           "session_paused",
                           "prompting",
                           "no_free_slot",
                           "workspace_mismatch",
                           "channel_mismatch",
                           "owner_mismatch",
                           "person_only",
                           "agent_type_not_allowed",
                           "missing_capability",
                           "unknown_session",
                           "global_limit",
                           "lane_limit",
                           "agent_type_limit",
                           "key_limit",
                           "job_limit"}) {
    INFO(code);
    CHECK(seen.codes[code] > 0);
  }
}
