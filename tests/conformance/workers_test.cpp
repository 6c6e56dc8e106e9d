// What the worker protocol keeps: checkpoints, log lines, what a claimer is told of the past, late results
// and their adoption, and what changes of a session.
#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace belfry::tests;
using namespace belfry::tests::stores;
using core::errc;
using core::event_kind;
using core::run_state;

namespace {

core::cmd_log lines(const core::run_head& h, std::vector<std::string> texts, std::uint64_t first = 0) {
  core::cmd_log c;
  c.proof = {h.fencing, h.held.hash};
  c.first = first;
  for (auto& text : texts) {
    core::log_line line;
    line.text = std::move(text);
    c.lines.push_back(std::move(line));
  }
  return c;
}

// A run whose first worker was given up as lost, and then said that it had succeeded.
template <class Fixture>
core::run_head lost_and_late(Fixture& f, core::run_id id) {
  const auto held = f.claim(id);
  f.now += 5min;
  f.step(id, core::cmd_expire{held.fencing});
  auto late = f.settle(held);
  late.result = "{\"late\":true}";
  CHECK(f.refuses(st::step_run{id, late}).code == errc::stale_lease);
  return held;
}

}  // namespace

TEMPLATE_TEST_CASE("workers: a checkpoint is handed to the next attempt, with what went wrong before",
                   "[workers]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  const auto first =
      f.does(st::step_run{id, core::cmd_claim{core::session_id{77}, hash_of(7), 5min, true}, true});
  CHECK(first.runs.at(0).past == nullptr);
  const auto held = first.runs.at(0).head;
  f.step(id, core::cmd_checkpoint{f.proof_of(held), "{\"page\":1}"});
  f.now += 1s;
  f.step(id, core::cmd_checkpoint{f.proof_of(held), "{\"page\":2}"});
  f.reopen();
  CHECK((*f.read().checkpoint_of(id))->value == "{\"page\":2}");
  auto how = f.settle(held, core::settle_kind::released);
  how.message = "shift is over";
  f.step(id, how);
  const auto again =
      f.does(st::step_run{id, core::cmd_claim{core::session_id{78}, hash_of(8), 5min, true}, true});
  const auto& past = again.runs.at(0).past;
  REQUIRE(past != nullptr);
  REQUIRE(past->last.has_value());
  CHECK(*past->last == core::checkpoint{1, start + 1s, "{\"page\":2}"});
  REQUIRE(past->attempts.size() == 1);
  CHECK(past->attempts[0].message == "shift is over");
  CHECK(past->attempts[0].result.empty());  // results can be large, and are not what went wrong
  CHECK(f.refuses(st::step_run{id, core::cmd_checkpoint{f.proof_of(held), "1"}}).code == errc::stale_lease);
  CHECK((*f.read().checkpoint_of(id))->value == "{\"page\":2}");
  CHECK(f.refuses(
             st::step_run{id, core::cmd_checkpoint{f.proof_of(again.runs[0].head), std::string(65537, '1')}})
            .code == errc::too_large);
}

TEMPLATE_TEST_CASE("workers: log lines are numbered, and a repetition doubles none", "[workers]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  const auto held = f.claim(id);
  CHECK(f.does(st::step_run{id, lines(held, {"a", "b"})}).next_line == 3);
  CHECK(f.does(st::step_run{id, lines(held, {"a", "b", "c"}, 1)}).next_line == 4);
  CHECK(f.does(st::step_run{id, lines(held, {"a", "b", "c"}, 1)}).next_line == 4);
  CHECK(f.does(st::step_run{id, lines(held, {"d"}, 4)}).next_line == 5);
  CHECK(f.refuses(st::step_run{id, lines(held, {"f"}, 6)}).code == errc::invalid);
  std::string text;
  const auto page = f.read().logs(id, 0, 0, 100, 0);
  for (const auto& l : page->lines) text += std::to_string(l.number) + l.text;
  CHECK(text == "1a2b3c4d");
  f.step(id, f.settle(held));
  CHECK(f.refuses(st::step_run{id, lines(held, {"late"})}).code == errc::stale_lease);
}

TEMPLATE_TEST_CASE("workers: a late success is kept, and an operator can adopt it while nobody has finished",
                   "[workers]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  const auto held = lost_and_late(f, id);
  CHECK(f.head(id).state == run_state::queued);
  REQUIRE(f.read().evidence_of(id)->size() == 1);
  REQUIRE(f.read().late_results_of(id)->size() == 1);
  CHECK(f.read().late_results_of(id)->at(0).result == "{\"late\":true}");

  // Somebody else is at it meanwhile.
  f.now += 1s;
  const auto other = f.claim(id, core::session_id{78});
  const auto seq = f.store().last_event();
  const auto done = f.does(st::adopt_result{id, held.fencing, "checked"});
  CHECK(done.runs.at(0).head.state == run_state::succeeded);
  CHECK(done.runs.at(0).head.fencing == 3);
  CHECK(f.kinds_after(seq) == std::vector{event_kind::run_adopted, event_kind::run_succeeded});
  const auto attempts = *f.read().attempts_of(id);
  REQUIRE(attempts.size() == 3);
  CHECK(attempts[0].outcome == run_state::lost);  // what was recorded stays
  CHECK(attempts[1].outcome == run_state::cancelled);
  CHECK(attempts[2].outcome == run_state::succeeded);
  CHECK(attempts[2].result == "{\"late\":true}");
  CHECK(attempts[2].fencing == 3);
  // The other worker is fenced off, and the adoption happens once.
  CHECK(f.refuses(st::step_run{id, f.settle(other)}).code == errc::conflict);
  CHECK(f.refuses(st::adopt_result{id, 0, ""}).code == errc::invalid_transition);
  f.reopen();
  CHECK(f.head(id).state == run_state::succeeded);
  CHECK(f.read().leases_of({})->empty());
}

TEMPLATE_TEST_CASE("workers: what somebody else has finished cannot be adopted", "[workers]", sqlite_kind,
                   memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  lost_and_late(f, id);
  f.finish(id);
  CHECK(f.refuses(st::adopt_result{id, 0, ""}).code == errc::invalid_transition);
  const auto none = f.submit().head.id;
  CHECK(f.refuses(st::adopt_result{none, 0, ""}).code == errc::not_found);
  CHECK(f.refuses(st::adopt_result{core::run_id{1}, 0, ""}).code == errc::not_found);
}

TEMPLATE_TEST_CASE("workers: the late result of a dead letter makes its successor succeed", "[workers]",
                   sqlite_kind, memory_kind) {
  fixture<TestType> f;
  auto spec = a_spec();
  spec.retry.max_losses = 1;
  const auto id = f.submit(spec).head.id;
  lost_and_late(f, id);
  CHECK(f.head(id).state == run_state::lost);
  const auto done = f.does(st::adopt_result{id, 0, ""});
  const auto& made = done.runs.at(0).head;
  CHECK(made.state == run_state::succeeded);
  CHECK(made.predecessor == id);
  CHECK(f.head(id).state == run_state::lost);
  CHECK(f.head(id).successor == made.id);
  REQUIRE(f.read().attempts_of(made.id)->size() == 1);
  CHECK(f.read().attempts_of(made.id)->at(0).result == "{\"late\":true}");
  CHECK(f.refuses(st::adopt_result{id, 0, ""}).code == errc::conflict);
}

TEMPLATE_TEST_CASE("workers: a success said after the expiry and before the sweep is kept as well",
                   "[workers]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  const auto id = f.submit().head.id;
  const auto held = f.claim(id);
  f.now += 5min;
  CHECK(f.refuses(st::step_run{id, f.settle(held)}).code == errc::stale_lease);
  CHECK(f.read().late_results_of(id)->size() == 1);
  // Whoever does not know the token of the lease leaves evidence and nothing to adopt.
  const auto other = f.submit().head.id;
  auto forged = f.settle(f.claim(other));
  forged.proof.hash = hash_of(9);
  f.now += 5min;
  CHECK(f.refuses(st::step_run{other, forged}).code == errc::stale_lease);
  CHECK(f.read().late_results_of(other)->empty());
}

TEMPLATE_TEST_CASE("workers: a drain outlives silence and return, and only an operator takes it back",
                   "[workers]", sqlite_kind, memory_kind) {
  fixture<TestType> f;
  core::session who;
  who.name = "w";
  who.metadata = "{\"host\":\"a\"}";
  who = f.does(st::put_session{who}).sessions.at(0);
  const auto change = [&](auto set) {
    st::change_session c;
    c.id = who.id;
    set(c);
    return f.does(std::move(c)).sessions.at(0);
  };
  const auto seq = f.store().last_event();
  CHECK(change([](auto& c) { c.paused = true; }).state == core::session_state::paused);
  CHECK(change([](auto& c) { c.draining = true; }).state == core::session_state::draining);
  CHECK(change([](auto& c) { c.silent = true; }).state == core::session_state::stale);
  CHECK(change([](auto& c) { c.prompting = true; }).state == core::session_state::stale);
  CHECK(change([&](auto& c) { c.seen = f.now + 1s; }).state == core::session_state::draining);
  f.reopen();
  CHECK(f.read().find_session(who.id)->draining);
  CHECK(f.read().find_session(who.id)->metadata == "{\"host\":\"a\"}");
  CHECK(f.read().find_session(who.id)->last_seen == f.now + 1s);
  CHECK(f.does(st::put_session{who}).sessions.at(0).state == core::session_state::draining);  // it comes back
  CHECK(change([](auto& c) { c.draining = false; }).state == core::session_state::active);
  CHECK(f.kinds_after(seq) == std::vector{event_kind::session_draining, event_kind::session_stale,
                                          event_kind::session_back, event_kind::session_resumed});
  const auto id = f.submit().head.id;
  f.claim(id, who.id);
  CHECK(f.refuses(st::end_session{who.id, "silent", true}).code == errc::invalid_transition);
  CHECK(f.read().leases_of(who.id)->size() == 1);
  CHECK(f.read().leases_of(core::session_id{5})->empty());
  f.does(st::end_session{who.id, "bye"});
  st::change_session gone;
  gone.id = who.id;
  CHECK(f.refuses(gone).code == errc::invalid_transition);
  auto taken = who;
  taken.local = true;
  CHECK(f.refuses(st::put_session{taken}).code == errc::conflict);  // nobody becomes an executor of the node
}
