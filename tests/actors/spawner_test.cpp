// Workers that the node starts by itself, in virtual time: every way in which one ends.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>
#include <map>

#include "tests/support/virtual_node.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace std::chrono_literals;
using core::errc;
using core::event_kind;
using core::run_state;
using core::session_state;
using core::worker_end;
using core::worker_state;

namespace {

core::agent_type claude() {
  core::agent_type t;
  t.name = "claude";
  t.command = {"claude-agent", "--quiet"};
  t.capabilities = {"code"};
  t.cwd = "/srv";
  t.env = {{"MODEL", "small"}};
  t.passed = {{"API_KEY", "very secret"}};
  return t;
}

struct spawning_node : virtual_node {
  explicit spawning_node(std::vector<core::agent_type> types = {claude()}) : virtual_node{with(types)} {}
  static actors::node_options with(std::vector<core::agent_type> types) {
    auto o = usual_options();
    o.executor.none = true;
    o.board.limits = {0, 0, 0, 0};
    o.spawner.types = std::move(types);
    o.spawner.url = "http://127.0.0.1:7420";
    return o;
  }

  void run_now() { virtual_node::run(); }
  core::run work(const std::string& name = "w") {
    auto spec = payload(name);
    spec.needs.capabilities = {"code"};
    return submit(std::move(spec));
  }
  messages::spawn_worker wish(const core::run& r, std::uint64_t episode = 1) {
    messages::spawn_worker m;
    m.run = r.head.id;
    m.episode = episode;
    m.needs = r.head.needs;
    return m;
  }
  core::result<messages::worker_spawned> spawn(const core::run& r, std::uint64_t episode = 1) {
    auto p = ask_spawner(wish(r, episode));
    advance(0s);
    REQUIRE(p.answered());
    return p.get();
  }
  core::session_id spawned(const core::run& r, std::uint64_t episode = 1) {
    const auto how = spawn(r, episode);
    INFO((how.ok() ? std::string{} : how.error().text));
    REQUIRE(how.ok());
    return how->session;
  }
  static std::string key(core::session_id id) { return "worker/" + to_string(id); }
  std::string variable(const std::string& name) {
    for (const auto& [n, value] : processes.last_started()->order.env)
      if (n == name) return value;
    return "(none)";
  }
  std::optional<core::token_hash> token() { return platform::sha256(variable("BELFRY_TOKEN")); }

  core::result<messages::sessions_seen> beat(core::session_id id,
                                             std::optional<core::token_hash> shown = std::nullopt) {
    messages::heartbeat_session m;
    m.id = id;
    m.actor = "worker";
    m.shown = shown;
    return ask<messages::sessions_seen>(std::move(m));
  }
  core::result<messages::claimed_runs> claim_as(core::session_id who, std::optional<core::token_hash> shown) {
    messages::claim_runs m;
    m.who = who;
    m.lease = 2h;
    m.shown = shown;
    return ask<messages::claimed_runs>(std::move(m));
  }
  // Ready, with this run in its hands.
  messages::claimed_run takes(core::session_id who) {
    auto got = claim_as(who, token());
    REQUIRE(got.ok());
    REQUIRE(got->runs.size() == 1);
    return got->runs.front();
  }
  core::spawned_worker row(core::session_id id) {
    messages::list_workers q;
    q.ended_too = true;
    const auto all = read(q);
    REQUIRE(all.ok());
    for (const auto& w : *all)
      if (w.session == id) return w;
    FAIL("no such worker");
    return {};
  }
  session_state state_of_session(core::session_id id) {
    const auto seen = ask<messages::sessions_seen>(messages::look_at_sessions{id, true});
    REQUIRE(seen.ok());
    return seen->sessions.front().who.state;
  }
  messages::agent_type_status type(const std::string& name = "claude") {
    const auto told = ask<messages::agent_types_told>(messages::ask_agent_types{name});
    REQUIRE(told.ok());
    return told->types.front();
  }
  bool ended(core::session_id id, worker_end how) {
    const auto w = row(id);
    INFO(to_text(w.state) << " " << to_text(w.end) << " " << w.text);
    CHECK(w.state == worker_state::ended);
    CHECK(w.end == how);
    CHECK_FALSE(processes.is_running(key(id)));
    CHECK(state_of_session(id) == session_state::gone);
    return true;
  }
  std::vector<std::string> texts_of(event_kind kind) {
    messages::get_events q;
    q.filter.kinds = {kind};
    std::vector<std::string> all;
    const auto page = read(q);
    for (const auto& e : page->events) all.push_back(e.text);
    return all;
  }
};

}  // namespace

TEST_CASE_METHOD(spawning_node,
                 "spawner: a worker is started with its session, the address and a token, and "
                 "claims for itself",
                 "[actors][spawn]") {
  const auto run = work();
  const auto id = spawned(run);
  const auto* child = processes.last_started();
  REQUIRE(child != nullptr);
  CHECK(child->order.what.argv == std::vector<std::string>{"claude-agent", "--quiet"});
  CHECK(child->order.what.cwd == "/srv");
  CHECK(child->order.mark == "test");
  CHECK(child->order.what.env ==
        std::vector<std::pair<std::string, std::string>>{{"MODEL", "small"}, {"API_KEY", "very secret"}});
  CHECK(variable("BELFRY_URL") == "http://127.0.0.1:7420");
  CHECK(variable("BELFRY_SESSION") == to_string(id));
  CHECK(variable("BELFRY_TOKEN").size() == 43);
  CHECK(variable("BELFRY_AGENT_TYPE") == "claude");
  CHECK(variable("BELFRY_CAPABILITIES") == "code");
  CHECK(variable("BELFRY_WORKSPACE") == "");
  CHECK(variable("BELFRY_RUN_ID") == to_string(run.head.id));
  CHECK(row(id).state == worker_state::starting);
  CHECK(row(id).pid != 0);
  CHECK(row(id).token == *token());
  CHECK(state_of(run.head.id) == run_state::queued);  // nobody gave it anything

  const auto held = takes(id);
  CHECK(held.run.head.id == run.head.id);
  CHECK(row(id).state == worker_state::ready);
  CHECK(settle(held, core::settle_kind::succeeded).ok());
  processes.finish(key(id));
  run_now();
  CHECK(ended(id, worker_end::exited));
  CHECK(count_events(event_kind::spawn_requested) == 1);
  CHECK(count_events(event_kind::worker_spawned) == 1);
  CHECK(count_events(event_kind::worker_ready) == 1);
  CHECK(count_events(event_kind::worker_ended) == 1);
}

TEST_CASE_METHOD(spawning_node, "spawner: whoever speaks for its session shows the token",
                 "[actors][spawn]") {
  const auto id = spawned(work());
  CHECK(beat(id).refused_with(errc::unauthorised));
  CHECK(claim_as(id, std::nullopt).refused_with(errc::unauthorised));
  CHECK(claim_as(id, platform::sha256("wrong")).refused_with(errc::forbidden));
  messages::register_session m;
  m.who.id = id;
  m.who.name = "thief";
  CHECK(ask<messages::session_answer>(m).refused_with(errc::unauthorised));
  CHECK(row(id).state == worker_state::starting);  // a refused word is no sign of life
  CHECK(beat(id, token()).ok());
  CHECK(row(id).state == worker_state::ready);
  const auto other = worker("from outside");
  CHECK(beat(other).ok());
  // It has none: a made-up one must not pass for a proof.
  CHECK(beat(other, token()).refused_with(errc::forbidden));
}

TEST_CASE_METHOD(spawning_node,
                 "spawner: the same run and episode get the first answer again, also after a "
                 "restart",
                 "[actors][spawn]") {
  const auto run = work();
  auto first = ask_spawner(wish(run));
  auto again = ask_spawner(wish(run));  // while the first is under way
  advance(0s);
  REQUIRE(first.answered());
  REQUIRE(again.answered());
  const auto id = first.get()->session;
  CHECK(again.get()->session == id);
  CHECK(spawned(run) == id);
  restart();
  CHECK(spawned(run) == id);
  CHECK(processes.started().size() == 1);
  CHECK(spawned(run, 2) != id);
  CHECK(processes.started().size() == 2);
}

TEST_CASE_METHOD(spawning_node,
                 "spawner: a run that no type will do for is said to be unresolvable, once per "
                 "episode",
                 "[actors][spawn]") {
  auto spec = payload("p");
  spec.needs.capabilities = {"paint"};
  const auto run = submit(std::move(spec));
  const auto no = spawn(run);
  REQUIRE(no.refused_with(errc::not_found));
  CHECK(no.error().text.find("claude: missing: paint") != std::string::npos);
  CHECK(spawn(run).refused_with(errc::not_found));
  CHECK(texts_of(event_kind::spawn_unresolvable) == std::vector<std::string>{"claude: missing: paint"});
  CHECK(spawn(run, 2).refused_with(errc::not_found));
  CHECK(count_events(event_kind::spawn_unresolvable) == 2);
  CHECK(processes.started().empty());
}

TEST_CASE_METHOD(spawning_node,
                 "spawner: who dies at the start makes its type back off, longer each time, "
                 "until one lives",
                 "[actors][spawn]") {
  auto pause = 1s;
  for (std::uint64_t n = 1; n <= 3; ++n, pause *= 2) {
    const auto id = spawned(work(), n);
    processes.emit(key(id), {"no key for " + variable("BELFRY_TOKEN"), "giving up"});
    processes.finish(key(id), exited(3));
    run_now();
    CHECK(ended(id, worker_end::died_at_start));
    CHECK(row(id).text == "exit code 3; its last lines: no key for *** | giving up");
    CHECK(type().failures == n);
    CHECK(type().not_before == now() + pause);
    CHECK(type().last_failure.find("died_at_start: exit code 3") == 0);
    CHECK(spawn(work()).refused_with(errc::unavailable));
    advance(pause);
  }
  CHECK(count_events(event_kind::spawn_failed) == 3);
  const auto id = spawned(work());
  REQUIRE(beat(id, token()).ok());
  CHECK(type().failures == 0);
  processes.finish(key(id), exited(3));
  run_now();
  CHECK(ended(id, worker_end::crashed));
  CHECK(type().failures == 0);  // it had been good
  CHECK(spawn(work()).ok());
}

TEST_CASE_METHOD(spawning_node,
                 "spawner: a program that cannot be started is no answer: it is asked for again",
                 "[actors][spawn]") {
  processes.use_script([](const std::string&, const platform::process_order&) {
    child_plan p;
    p.after = core::span{0};
    p.report = not_spawned(ENOENT, "program not found: claude-agent");
    return p;
  });
  const auto run = work();
  const auto no = spawn(run);
  REQUIRE(no.refused_with(errc::unavailable));
  CHECK(no.error().text.find("program not found: claude-agent") != std::string::npos);
  CHECK(count_events(event_kind::spawn_failed) == 1);
  CHECK(count_events(event_kind::worker_spawned) == 0);
  CHECK(type().workers.empty());
  CHECK(spawn(run).refused_with(errc::unavailable));  // backing off
  processes.use_script({});
  advance(1s);
  CHECK(spawn(run).ok());
}

TEST_CASE_METHOD(spawning_node, "spawner: who never says a word is killed after start_timeout",
                 "[actors][spawn]") {
  processes.answer_stops(stop_answer::ignores_term);
  const auto id = spawned(work());
  advance(30s);
  CHECK(row(id).state == worker_state::stopping);
  CHECK(processes.stops().size() == 1);
  advance(5s);
  CHECK(ended(id, worker_end::never_registered));
  CHECK(row(id).text.find("no sign of life within 30s; stopped with KILL") == 0);
  CHECK(type().failures == 1);
}

TEST_CASE_METHOD(spawning_node, "spawner: who registers as something else is refused and stopped",
                 "[actors][spawn]") {
  const auto id = spawned(work());
  messages::register_session m;
  m.who.id = id;
  m.who.name = "claude";
  m.who.agent_type = "claude";
  m.who.capabilities = {"code", "paint"};
  m.shown = token();
  const auto no = ask<messages::session_answer>(m);
  REQUIRE(no.refused_with(errc::conflict));
  REQUIRE(no.error().problems.size() == 1);
  CHECK(no.error().problems.front().pointer == "/capabilities");
  CHECK(no.error().problems.front().allowed == "code");
  advance(0s);
  CHECK(ended(id, worker_end::misfit));
  CHECK(row(id).text.find("capabilities: code, paint, declared: code") == 0);
  CHECK(type().failures == 1);

  advance(1s);
  const auto honest = spawned(work());
  m.who.id = honest;
  m.who.capabilities = {"code"};
  m.who.slots = 2;
  m.shown = token();
  CHECK(ask<messages::session_answer>(m).ok());
  CHECK(row(honest).state == worker_state::ready);
}

TEST_CASE_METHOD(spawning_node,
                 "spawner: who outlives its ttl drains, gives back what it holds, and is "
                 "stopped only then",
                 "[actors][spawn]") {
  processes.answer_stops(stop_answer::by_hand);
  const auto run = work();
  const auto id = spawned(run);
  takes(id);
  work("later");
  for (int i = 0; i < 29; ++i) {
    advance(1min);
    REQUIRE(beat(id, token()).ok());
  }
  advance(1min);
  CHECK(row(id).state == worker_state::draining);
  CHECK(state_of_session(id) == session_state::draining);
  CHECK(claim_as(id, token())->runs.empty());
  CHECK(processes.stops().empty());
  advance(1min);
  // Released before the signal: the run waits for somebody else while the process still lives.
  CHECK(processes.stops().size() == 1);
  CHECK(processes.is_running(key(id)));
  CHECK(state_of(run.head.id) == run_state::queued);
  CHECK(find(run.head.id).head.losses == 0);
  CHECK(find(run.head.id).head.used == 0);
  processes.finish(key(id), killed_by(15));
  run_now();
  CHECK(ended(id, worker_end::ttl));
  CHECK(count_events(event_kind::worker_reaped) == 1);
  CHECK(count_events(event_kind::run_released) == 1);
  CHECK(count_events(event_kind::run_lost) == 0);
  CHECK(type().failures == 0);
}

TEST_CASE_METHOD(spawning_node, "spawner: a worker whose time is over goes as soon as it holds nothing",
                 "[actors][spawn]") {
  const auto id = spawned(work());
  const auto held = takes(id);
  advance(30min);
  CHECK(row(id).state == worker_state::draining);
  advance(10s);
  CHECK(processes.stops().empty());
  REQUIRE(settle(held, core::settle_kind::succeeded).ok());
  advance(1s);
  CHECK(ended(id, worker_end::ttl));
}

TEST_CASE("spawner: who has held nothing for idle_ttl is stopped, who works is not", "[actors][spawn]") {
  auto t = claude();
  t.idle_ttl = 4min;
  t.ttl = 24h;
  spawning_node n{{t}};
  n.work();
  const auto id = n.spawned(n.work());
  const auto held = n.takes(id);
  for (int i = 0; i < 10; ++i) {
    n.advance(1min);
    REQUIRE(n.renew(held).ok());
  }
  CHECK(n.row(id).state == worker_state::ready);
  REQUIRE(n.settle(held, core::settle_kind::succeeded).ok());
  n.advance(3min);
  CHECK(n.row(id).state == worker_state::ready);
  n.advance(3min);
  CHECK(n.ended(id, worker_end::idle));
}

TEST_CASE_METHOD(spawning_node,
                 "spawner: a session that an operator removes takes its worker along, its runs "
                 "go back first",
                 "[actors][spawn]") {
  const auto run = work();
  const auto id = spawned(run);
  takes(id);
  REQUIRE(ask<messages::session_answer>(messages::end_session{id, "enough", false, "operator"}).ok());
  advance(0s);
  CHECK(ended(id, worker_end::session_ended));
  CHECK(state_of(run.head.id) == run_state::queued);
  CHECK(find(run.head.id).head.losses == 0);
}

TEST_CASE_METHOD(spawning_node, "spawner: what a worker held when it died by itself is lost, and counts",
                 "[actors][spawn]") {
  const auto run = work();
  const auto id = spawned(run);
  takes(id);
  processes.finish(key(id), killed_by(11));
  run_now();
  CHECK(ended(id, worker_end::crashed));
  CHECK(state_of(run.head.id) == run_state::queued);
  CHECK(find(run.head.id).head.losses == 1);
}

TEST_CASE("spawner: no more workers than max, and than per_workspace in one workspace", "[actors][spawn]") {
  auto t = claude();
  t.max = 3;
  t.per_workspace = 2;
  spawning_node n{{t}};
  const auto in = [&](const std::string& workspace) {
    messages::spawn_worker m;
    m.run = n.submit(virtual_node::payload("x")).head.id;
    m.episode = 1;
    m.needs.workspace = workspace;
    auto p = n.ask_spawner(m);
    n.advance(0s);
    return p.get();
  };
  const auto a = in("a");
  REQUIRE(a.ok());
  CHECK(in("a").ok());
  const auto third = in("a");
  REQUIRE(third.refused_with(errc::limit_exceeded));
  CHECK(third.error().text.find("its per_workspace is 2") != std::string::npos);
  CHECK(in("b").ok());
  CHECK(in("b").refused_with(errc::limit_exceeded));
  CHECK(n.type().workers.size() == 3);
  n.processes.finish(spawning_node::key(a->session));
  n.run_now();
  CHECK(in("b").refused_with(errc::unavailable));  // that one died at its start
  n.advance(1s);
  CHECK(in("b").ok());
}

TEST_CASE("spawner: when the best type is full or backs off, the next one that will do is started",
          "[actors][spawn]") {
  auto wide = claude();
  wide.name = "wide";
  wide.capabilities = {"code", "gpu"};
  auto narrow = claude();
  narrow.max = 1;
  spawning_node n{{wide, narrow}};
  CHECK(n.spawn(n.work())->agent_type == "claude");
  CHECK(n.spawn(n.work())->agent_type == "wide");
}

TEST_CASE_METHOD(spawning_node,
                 "spawner: after a kill of the node nothing is left of its workers, and what "
                 "they held goes back",
                 "[actors][spawn]") {
  const auto run = work();
  const auto busy = spawned(run);
  takes(busy);
  const auto mute = spawned(work("other"));
  crash();
  CHECK(processes.orphans() == 2);
  restart();
  CHECK(processes.orphans() == 0);
  CHECK(ended(busy, worker_end::node_gone));
  CHECK(ended(mute, worker_end::node_gone));
  CHECK(state_of(run.head.id) == run_state::queued);
  CHECK(find(run.head.id).head.losses == 0);
  CHECK(count_events(event_kind::worker_reaped) == 2);
  CHECK(type().failures == 0);
  restart();
  CHECK(count_events(event_kind::worker_reaped) == 2);
}

TEST_CASE_METHOD(spawning_node,
                 "spawner: a kill of the node at any message of a spawn leaves no worker and no "
                 "second one for the episode",
                 "[actors][spawn]") {
  for (int steps = 0; steps < 40; ++steps) {
    const auto r = work();
    const auto before = processes.started().size();
    auto p = ask_spawner(wish(r), false);
    for (int i = 0; i < steps && step(); ++i) {
    }
    restart();
    REQUIRE(processes.orphans() == 0);
    const auto again = spawn(r);
    REQUIRE(again.ok());
    const auto started = processes.started().size() - before;
    CHECK(started <= 2);  // the first may have died before anybody was told of it
    messages::list_workers q;
    q.run = r.head.id;
    q.ended_too = true;
    std::size_t alive = 0;
    const auto rows = read(q);
    for (const auto& w : *rows) alive += w.state != worker_state::ended ? 1 : 0;
    CHECK(alive == processes.living().size());
    restart();
  }
}

TEST_CASE_METHOD(spawning_node, "spawner: an orderly stop lets workers end what they hold, then stops them",
                 "[actors][spawn]") {
  const auto run = work();
  const auto busy = spawned(run);
  const auto held = takes(busy);
  const auto idle = spawned(work("other"));
  REQUIRE(node().stop(10s).ok());
  advance(1s);
  CHECK_FALSE(processes.is_running(key(idle)));
  CHECK(processes.is_running(key(busy)));
  REQUIRE(settle(held, core::settle_kind::succeeded).ok());
  advance(1s);
  CHECK_FALSE(processes.is_running(key(busy)));
  advance(60s);
  restart();
  CHECK(ended(busy, worker_end::node_stopped));
  CHECK(ended(idle, worker_end::node_stopped));
  CHECK(state_of(run.head.id) == run_state::succeeded);
}

TEST_CASE_METHOD(spawning_node, "spawner: at the deadline of a stop what workers hold goes back to the queue",
                 "[actors][spawn]") {
  const auto run = work();
  const auto busy = spawned(run);
  takes(busy);
  stop(10s);
  CHECK(processes.living().empty());
  restart();
  CHECK(ended(busy, worker_end::node_stopped));
  CHECK(state_of(run.head.id) == run_state::queued);
  CHECK(find(run.head.id).head.losses == 0);
}

TEST_CASE_METHOD(spawning_node, "spawner: an end that the store cannot write is written later",
                 "[actors][spawn]") {
  const auto id = spawned(work());
  REQUIRE(beat(id, token()).ok());
  faults.every_commit = core::failure{errc::storage_full, "no room", {}, {}};
  processes.finish(key(id));
  run_now();
  advance(10s);
  CHECK(type().workers.size() == 1);
  faults.every_commit.reset();
  advance(10s);
  CHECK(ended(id, worker_end::exited));
  CHECK(type().workers.empty());
}

TEST_CASE_METHOD(spawning_node, "spawner: a clock that jumps kills no worker before its time",
                 "[actors][spawn]") {
  const auto starting = spawned(work());
  jump(48h);
  advance(10s);
  CHECK(row(starting).state == worker_state::starting);
  REQUIRE(beat(starting, token()).ok());
  jump(-72h);
  advance(20min);
  CHECK(row(starting).state == worker_state::ready);
}

TEST_CASE_METHOD(spawning_node, "spawner: by hand, a type is started by its name", "[actors][spawn]") {
  auto p = send<messages::worker_spawned>(messages::spawn_by_hand{"claude", "team", "cli:alice"});
  run_now();
  advance(0s);
  REQUIRE(p.answered());
  REQUIRE(p.get().ok());
  CHECK(variable("BELFRY_WORKSPACE") == "team");
  CHECK(variable("BELFRY_RUN_ID") == "(none)");
  CHECK(row(p.get()->session).workspace == "team");
  CHECK(ask<messages::worker_spawned>(messages::spawn_by_hand{"cloude", "", "x"})
            .refused_with(errc::not_found));
}

TEST_CASE("spawner: nobody is started before it is known where the node listens", "[actors][spawn]") {
  auto o = spawning_node::with({claude()});
  o.spawner.url.clear();
  virtual_node n{o};
  messages::spawn_worker m;
  m.run = core::run_id{5};
  auto p = n.ask_spawner(m);
  n.run();
  CHECK(p.get().refused_with(errc::unavailable));
  n.node().listens("http://127.0.0.1:1234");
  n.run();
  m.needs.workspace = "w";
  auto q = n.ask_spawner(m);
  n.advance(0s);
  REQUIRE(q.answered());
  CHECK(q.get().ok());
}

TEST_CASE_METHOD(spawning_node, "spawner: when it dies its processes die, and the node ends loudly",
                 "[actors][spawn]") {
  const auto id = spawned(work());
  REQUIRE(kill("spawner"));
  run_now();
  CHECK(processes.abandoned() == std::vector<std::string>{key(id)});
  REQUIRE(fatal.size() == 1);
  CHECK(fatal.front().find("spawner died") == 0);
}

namespace {

// Like what an operator says.
void hold(virtual_node& n, core::pause_target on) {
  messages::set_pause m;
  m.on = std::move(on);
  m.entry.reason = "manual";
  m.actor = "me";
  REQUIRE(n.ask<messages::pauses_seen>(std::move(m)).ok());
}
void lift(virtual_node& n, core::pause_target on) {
  REQUIRE(n.ask<messages::pauses_seen>(messages::lift_pause{std::move(on), "manual", {}, "me"}).ok());
}

}  // namespace

TEST_CASE_METHOD(spawning_node,
                 "spawner: no worker is started while its scheduler, type or workspace is paused",
                 "[actors][spawn][pause]") {
  const auto work_here = [&] {
    auto spec = payload("w");
    spec.needs.capabilities = {"code"};
    spec.needs.workspace = "blue";
    return submit(std::move(spec));
  };
  for (const auto& on :
       {core::whole_scheduler(), core::the_agent_type("claude"), core::the_workspace("blue")}) {
    INFO(core::to_text(on));
    const auto run = work_here();
    const auto before = processes.started().size();
    hold(*this, on);
    const auto no = spawn(run);
    REQUIRE(no.refused_with(errc::paused));
    CHECK(no.error().text.find("no worker of agent type claude is started: " + core::to_text(on) +
                               " is paused: manual") == 0);
    const auto by_hand = ask<messages::worker_spawned>(messages::spawn_by_hand{"claude", "blue", "me"});
    CHECK(by_hand.refused_with(errc::paused));
    CHECK(processes.started().size() == before);
    CHECK(type().workers.empty());
    // The same question of the same episode is asked with every count, and gets one as soon as it may.
    lift(*this, on);
    const auto yes = spawn(run);
    REQUIRE(yes.ok());
    CHECK(processes.started().size() == before + 1);
    takes(yes->session);
    processes.finish(key(yes->session));
    run_now();
    advance(1h);
  }
}

TEST_CASE_METHOD(spawning_node, "spawner: what is paused elsewhere holds nobody, and who lives is left alone",
                 "[actors][spawn][pause]") {
  const auto living = spawned(work());
  const auto held = takes(living);
  hold(*this, core::the_agent_type("claude"));
  CHECK(type().held.size() == 1);
  advance(10s);
  CHECK(processes.is_running(key(living)));
  CHECK(settle(held, core::settle_kind::succeeded).ok());
  CHECK(claim_as(living, token())->runs.empty());
  lift(*this, core::the_agent_type("claude"));
  hold(*this, core::the_agent_type("other"));
  hold(*this, core::the_workspace("green"));
  CHECK(type().held.empty());
  CHECK(spawn(work()).ok());
}

TEST_CASE("spawner: of two types that will do, the one that is not paused is started",
          "[actors][spawn][pause]") {
  auto wide = claude();
  wide.name = "wide";
  wide.capabilities = {"code", "gpu"};
  spawning_node n{{wide, claude()}};
  hold(n, core::the_agent_type("claude"));
  CHECK(n.spawn(n.work())->agent_type == "wide");
  hold(n, core::the_agent_type("wide"));
  CHECK(n.spawn(n.work()).refused_with(errc::paused));
}

TEST_CASE_METHOD(spawning_node, "spawner: what cannot be known counts as paused", "[actors][spawn][pause]") {
  const auto run = work();
  faults.pauses_unreadable = true;
  CHECK_FALSE(ask<messages::index_rebuilt>(messages::rebuild_index{"test"}));  // reads them anew
  const auto no = spawn(run);
  REQUIRE(no.refused_with(errc::paused));
  CHECK(no.error().text.find("could not be read, which counts as paused") != std::string::npos);
  CHECK(processes.running() == 0);
  faults.pauses_unreadable = false;
  advance(2s);
  CHECK(spawn(run).ok());
}

TEST_CASE("spawner: workers are woken as the configuration says, whether sessions may name commands or not",
          "[actors][spawn][wake]") {
  auto t = claude();
  t.slots = 2;
  t.wake.via = core::wake_via::command;
  t.wake.argv = {"wake-claude", "now"};
  spawning_node n{{t}};
  const auto id = n.spawned(n.work());
  messages::register_session m;
  m.who.id = id;
  m.who.name = "claude";
  m.who.agent_type = "claude";
  m.who.capabilities = {"code"};
  m.who.slots = 2;
  m.shown = n.token();
  const auto token = *m.shown;
  // It says nothing of wakes when it comes back: that changes nothing.
  const auto back = n.ask<messages::session_answer>(m);
  REQUIRE(back.ok());
  CHECK(back->who.wake.via == core::wake_via::command);
  CHECK(back->who.wake.from_node);
  CHECK(n.row(id).state == worker_state::ready);

  // What it is woken for has the name of the run.
  const auto run = n.work("thumbs");
  const auto sent = n.hand_to_desk({{{run.head.id, id, run.head.prio, false, "thumbs"}}});
  REQUIRE(sent.answers.front().ok());
  const auto child = n.processes.last_started();
  CHECK(child->order.what.argv == t.wake.argv);
  CHECK(child->order.input.find("thumbs") != std::string::npos);
  n.processes.finish(child->key);
  n.run();
  CHECK(n.wake_news().back().fate == messages::wake_fate::acknowledged);

  // A worker that waits in its claims says that it needs no wakes: the configuration knows better.
  m.who.wake.via = core::wake_via::none;
  m.shown = token;
  const auto again = n.ask<messages::session_answer>(m);
  REQUIRE(again.ok());
  CHECK(again->who.wake.argv == t.wake.argv);
}
