// A member and a coordinator that the test plays: joining, working, being cut off, coming back.
#include <catch2/catch.hpp>

#include <stdexcept>

#include "tests/support/member_links.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using core::errc;
using messages::claim_runs;
using messages::claimed_runs;
using messages::end_session;
using messages::lease_status;
using messages::register_session;
using messages::settle_runs;
using messages::settled;
using messages::settled_item;
using messages::stop_why;
using messages::touch_leases;
using messages::touched;
using messages::wire::kind;
using tests::exited;
using tests::lone_member;

namespace {

// Let in, with its one executor registered and claiming.
struct seated_member : lone_member {
  explicit seated_member(actors::member_options o = usual_options()) : lone_member{std::move(o)} {
    join();
    seat_everybody();
  }
  void settle_is_taken(std::uint64_t number, const messages::claimed_run& run) {
    settled all;
    all.answers.emplace_back(settled_item{run.run.head, false});
    answer(number, messages::wire::reply{std::move(all)});
  }
  void settle_is_refused(std::uint64_t number, errc code) {
    settled all;
    all.answers.emplace_back(core::failure{code, "no", {}, {}});
    answer(number, messages::wire::reply{std::move(all)});
  }
  void lines_are_taken(std::uint64_t number, std::uint64_t next_line) {
    touched all;
    lease_status s;
    s.next_line = next_line;
    all.answers.emplace_back(s);
    answer(number, messages::wire::reply{std::move(all)});
  }
  bool noted(const std::string& words) const {
    for (const auto& line : notes)
      if (line.find(words) != std::string::npos) return true;
    return false;
  }
};

struct paired_member : seated_member {
  static actors::member_options two() {
    auto o = usual_options();
    o.executor.processes = 2;
    return o;
  }
  paired_member() : seated_member{two()} {}
};

const auto never_lets_in = [](lone_member& m, errc code) {
  m.greet();
  m.refuse(code, "not you");
};

}  // namespace

// ---- joining

TEST_CASE_METHOD(lone_member, "member: it says who it is, is let in, and its executor asks for work",
                 "[actors][cluster][member]") {
  CHECK(links.dialled == std::vector<std::string>{"one:7400"});
  CHECK_FALSE(member->status().joined);
  const auto hello = greet();
  CHECK(hello.version == core::wire_version);
  CHECK(hello.node == "beta");
  CHECK(hello.boot.size() == 36);
  CHECK(hello.belfry_version == "1.2.3");
  CHECK(hello.labels == std::vector<std::string>{"disk=ssd"});
  CHECK(hello.executors == 1);
  CHECK(hello.sessions.empty());
  CHECK(hello.held.empty());
  CHECK_FALSE(asked<register_session>());  // not before it is in
  welcome();
  CHECK(member->status().joined);
  CHECK(member->status().cluster == "acme");
  CHECK(member->status().coordinator == "head");
  const auto q = asked<register_session>();
  REQUIRE(q);
  const auto& who = q->second.who;
  CHECK(who.name == "beta/process-1");
  CHECK_FALSE(who.local);
  CHECK(who.slots == 1);
  CHECK(who.handlers == std::vector<core::handler_kind>{core::handler_kind::process});
  CHECK(who.capabilities == std::vector<std::string>{"disk=ssd", "gpu", "node:beta"});
  CHECK(who.metadata == "{\"node\":\"beta\"}");
  CHECK(who.wake.via == core::wake_via::none);
  CHECK(q->second.once);  // asked twice, it is one session
  auto seated = who;
  seated.id = first;
  answer(q->first, messages::wire::reply{messages::session_answer{seated}});
  const auto claim = asked<claim_runs>();
  REQUIRE(claim);
  CHECK(claim->second.who == first);
  CHECK(claim->second.start);
  CHECK(claim->second.lease == 60s);
}

TEST_CASE_METHOD(lone_member, "member: coordinators are dialled in turn, more and more slowly",
                 "[actors][cluster][member]") {
  for (int i = 0; i < 3; ++i) {
    links.fail("refused");
    advance(1s);
  }
  CHECK(links.dialled == std::vector<std::string>{"one:7400", "two:7400", "one:7400", "two:7400"});
  for (int i = 0; i < 20; ++i) {
    links.fail("refused");
    advance(1s);
  }
  CHECK(links.dialled.size() < 12);
  CHECK(member->status().trouble.find("refused") != std::string::npos);
  advance(10s);
  const auto before = links.dialled.size();
  join();
  CHECK(member->status().joined);
  CHECK(member->status().trouble.empty());
  links.fall();
  advance(200ms);
  CHECK(links.dialled.size() == before + 1);  // who was in dials soon
}

TEST_CASE_METHOD(lone_member, "member: another version is final, and the text names both",
                 "[actors][cluster][member]") {
  greet();
  refuse(errc::invalid, "version", 7);
  REQUIRE(fatal.size() == 1);
  CHECK(fatal.front().text.find("7") != std::string::npos);
  CHECK(fatal.front().text.find("this node " + std::to_string(core::wire_version)) != std::string::npos);
  advance(60s);
  CHECK(links.dialled.size() == 1);
}

TEST_CASE_METHOD(lone_member, "member: who was removed ends; who meets a starting coordinator comes again",
                 "[actors][cluster][member]") {
  never_lets_in(*this, errc::unavailable);
  CHECK(fatal.empty());
  advance(1s);
  CHECK(links.dialled.size() == 2);
  never_lets_in(*this, errc::forbidden);
  REQUIRE(fatal.size() == 1);
  CHECK(fatal.front().code == errc::forbidden);
  CHECK(fatal.front().text.find("not you") != std::string::npos);
  advance(60s);
  CHECK(links.dialled.size() == 2);
  CHECK_FALSE(member->status().trouble.empty());
}

TEST_CASE_METHOD(lone_member, "member: a name that is taken is final only when it stays taken",
                 "[actors][cluster][member]") {
  never_lets_in(*this, errc::already_exists);
  advance(5s);
  never_lets_in(*this, errc::already_exists);
  CHECK(fatal.empty());
  advance(6s);
  never_lets_in(*this, errc::already_exists);
  CHECK(fatal.size() == 1);
}

TEST_CASE_METHOD(lone_member, "member: no welcome, or nonsense instead of one, costs the link",
                 "[actors][cluster][member]") {
  greet();
  advance(11s);
  CHECK(links.closed.size() == 1);
  advance(1s);
  greet();
  links.say({core::wire_version, static_cast<std::uint16_t>(kind::welcome), 0, "\xff\xff\xff"});
  run();
  CHECK(links.closed.size() == 2);
  advance(2s);
  join();
  CHECK(member->status().joined);
}

// ---- beats

TEST_CASE_METHOD(seated_member,
                 "member: it lives audibly, answers beats, and leaves a coordinator that is silent",
                 "[actors][cluster][member]") {
  links.sent.clear();
  advance(2s);
  std::size_t beats = 0;
  while (next(kind::beat)) ++beats;
  CHECK(beats == 4);
  messages::wire::beat b;
  say(kind::beat, b, 77);
  std::optional<actors::envelope> last;
  while (auto e = next(kind::beaten)) last = e;
  REQUIRE(last);
  CHECK(last->number == 77);
  mute = true;
  advance(9s);
  CHECK(links.closed.empty());
  advance(2s);
  CHECK(links.closed.size() == 1);
  CHECK_FALSE(member->status().joined);
  CHECK(links.dialled.size() == 2);
}

// ---- working

TEST_CASE_METHOD(seated_member,
                 "member: a run is performed, its output is told before its end, with its token",
                 "[actors][cluster][member]") {
  const auto run = hand_out(100);
  give(run);
  REQUIRE(processes.is_running(key_of(run)));
  CHECK(processes.emit(key_of(run), {"one", "two"}));
  lone_member::run();
  CHECK(processes.emit(key_of(run), {"three"}));
  CHECK(processes.finish(key_of(run)));
  lone_member::run();
  // One thing at a time: nothing overtakes what was said before.
  CHECK_FALSE(asked<settle_runs>());
  // The next claim waits for none of it, and names what is not settled yet.
  const auto claim = asked<claim_runs>();
  REQUIRE(claim);
  CHECK(claim->second.holds == std::vector<core::run_id>{run.run.head.id});
  auto log = asked<touch_leases>();
  REQUIRE(log);
  REQUIRE(log->second.calls.size() == 1);
  const auto* lines = std::get_if<core::cmd_log>(&log->second.calls.front().what);
  REQUIRE(lines != nullptr);
  CHECK(lines->first == 1);
  CHECK(lines->lines.size() == 2);
  CHECK(lines->proof.fencing == 1);
  CHECK(lines->proof.hash == proof_of(run).hash);
  lines_are_taken(log->first, 3);
  log = asked<touch_leases>();
  REQUIRE(log);
  lines = std::get_if<core::cmd_log>(&log->second.calls.front().what);
  REQUIRE(lines != nullptr);
  CHECK(lines->first == 3);
  CHECK(lines->lines.size() == 1);
  CHECK_FALSE(asked<settle_runs>());
  lines_are_taken(log->first, 4);
  const auto end = asked<settle_runs>();
  REQUIRE(end);
  REQUIRE(end->second.items.size() == 1);
  CHECK(end->second.items.front().run == run.run.head.id);
  CHECK(end->second.items.front().how.kind == core::settle_kind::succeeded);
  CHECK(end->second.items.front().how.proof.hash == proof_of(run).hash);
  settle_is_taken(end->first, run);
  CHECK_FALSE(asked<claim_runs>());  // one is enough
  links.fall();
  advance(1s);
  CHECK(greet().held.empty());
}

TEST_CASE_METHOD(seated_member,
                 "member: leases are renewed at a third of their time, and a cancel comes with it",
                 "[actors][cluster][member]") {
  const auto run = hand_out(100);
  give(run);
  advance(15s);
  CHECK(grant_renewals() == 0);
  advance(6s);
  CHECK(grant_renewals() == 1);
  advance(21s);
  CHECK(grant_renewals(true) == 1);
  REQUIRE(processes.stops().size() == 1);
  CHECK(processes.stops().front().why == platform::stop_reason::cancel);
}

TEST_CASE_METHOD(seated_member, "member: told to stop, the process is stopped as it was asked",
                 "[actors][cluster][member]") {
  const auto run = hand_out(100);
  give(run);
  say(kind::stop, messages::wire::stop{{run.run.head.id, 1, stop_why::timeout, first}});
  REQUIRE(processes.stops().size() == 1);
  CHECK(processes.stops().front().why == platform::stop_reason::timeout);
}

TEST_CASE_METHOD(seated_member, "member: an attempt that is over its time is stopped without being told",
                 "[actors][cluster][member]") {
  auto run = hand_out(100);
  auto spec = *run.run.spec;
  spec.timeout = 5s;
  run.run.spec = std::make_shared<const core::run_spec>(spec);
  give(run);
  links.fall();
  advance(6s);
  REQUIRE(processes.stops().size() == 1);
  CHECK(processes.stops().front().why == platform::stop_reason::timeout);
}

TEST_CASE_METHOD(seated_member,
                 "member: the lease of a process that cannot be stopped is not renewed for ever",
                 "[actors][cluster][member]") {
  processes.answer_stops(tests::stop_answer::by_hand);  // it does not end
  auto run = hand_out(100);
  auto spec = *run.run.spec;
  spec.timeout = 5s;
  run.run.spec = std::make_shared<const core::run_spec>(spec);
  give(run);
  advance(21s);
  CHECK(processes.stops().size() == 1);
  CHECK(grant_renewals() == 1);
  advance(40s);
  CHECK(grant_renewals() == 0);
  CHECK(processes.is_running(key_of(run)));
}

TEST_CASE_METHOD(seated_member, "member: what nobody answers is asked again, and a second answer is nothing",
                 "[actors][cluster][member]") {
  const auto run = hand_out(100);
  give(run);
  CHECK(processes.finish(key_of(run)));
  lone_member::run();
  const auto end = asked<settle_runs>();
  REQUIRE(end);
  advance(9s);
  CHECK_FALSE(asked<settle_runs>());
  advance(2s);
  const auto again = asked<settle_runs>();
  REQUIRE(again);
  CHECK(again->first == end->first);
  CHECK(again->second.items.front().how.proof.hash == proof_of(run).hash);
  settle_is_taken(end->first, run);
  settle_is_taken(end->first, run);
  advance(20s);
  CHECK_FALSE(asked<settle_runs>());
  CHECK(member->status().joined);
}

TEST_CASE_METHOD(seated_member,
                 "member: trouble at the coordinator is tried again, a refusal is the last word",
                 "[actors][cluster][member]") {
  const auto run = hand_out(100);
  give(run);
  CHECK(processes.finish(key_of(run)));
  lone_member::run();
  settle_is_refused(asked<settle_runs>().value().first, errc::storage_full);
  CHECK_FALSE(asked<settle_runs>());
  advance(2s);
  const auto again = asked<settle_runs>();
  REQUIRE(again);
  settle_is_refused(again->first, errc::stale_lease);
  CHECK(noted("settle-refused"));
  advance(60s);
  CHECK_FALSE(asked<settle_runs>());
}

TEST_CASE_METHOD(seated_member, "member: a window that is full delays, and loses nothing",
                 "[actors][cluster][member]") {
  const auto run = hand_out(100);
  give(run);
  links.full = true;
  CHECK(processes.finish(key_of(run)));
  lone_member::run();
  CHECK_FALSE(asked<settle_runs>());
  links.full = false;
  advance(100ms);
  CHECK(asked<settle_runs>());
}

// ---- cut off

TEST_CASE_METHOD(seated_member, "member: cut off for a while, its process goes on, and the end is told once",
                 "[actors][cluster][member]") {
  const auto run = hand_out(100);
  give(run);
  links.fall();
  advance(30s);
  CHECK(processes.is_running(key_of(run)));
  CHECK(processes.stops().empty());
  const auto hello = greet();
  REQUIRE(hello.held.size() == 1);
  CHECK(hello.held.front() == held(run));
  CHECK(hello.sessions == std::vector<core::session_id>{first});
  welcome();
  CHECK(grant_renewals() == 1);  // at once
  CHECK_FALSE(asked<register_session>());
  links.fall();
  lone_member::run();
  CHECK(processes.emit(key_of(run), {"word"}));
  CHECK(processes.finish(key_of(run)));
  advance(2s);
  join();
  const auto log = asked<touch_leases>();
  REQUIRE(log);
  CHECK_FALSE(asked<settle_runs>());
  lines_are_taken(log->first, 2);
  const auto end = asked<settle_runs>();
  REQUIRE(end);
  CHECK(end->second.items.front().how.kind == core::settle_kind::succeeded);
  // The answer is lost with the link: the same word again, and then never more.
  links.fall();
  advance(2s);
  CHECK(greet().held.size() == 1);
  welcome();
  const auto again = asked<settle_runs>();
  REQUIRE(again);
  settle_is_taken(again->first, run);
  links.fall();
  advance(2s);
  CHECK(greet().held.empty());
  welcome();
  CHECK_FALSE(asked<settle_runs>());
}

TEST_CASE_METHOD(seated_member,
                 "member: cut off for longer than its lease, the process is gone before the lease is",
                 "[actors][cluster][member]") {
  processes.answer_stops(tests::stop_answer::ignores_term);
  const auto run = hand_out(100, 1, 5s);
  const auto asked_at = time.steady();
  give(run);
  links.fall();
  advance(45s);
  CHECK(processes.stops().empty());
  advance(5s);
  REQUIRE(processes.stops().size() == 1);
  CHECK(processes.stops().front().at <= asked_at + 60s - 5s);
  advance(6s);
  CHECK_FALSE(processes.is_running(key_of(run)));
  CHECK(time.steady() < asked_at + 60s);
  CHECK(processes.started().size() == 1);  // nothing else is begun
  join();
  // Should the lease be good after all, the run goes back; it never counts as done.
  const auto end = asked<settle_runs>();
  REQUIRE(end);
  CHECK(end->second.items.front().how.kind == core::settle_kind::released);
}

TEST_CASE_METHOD(seated_member, "member: it believes in a lease from the question on, not from the answer",
                 "[actors][cluster][member]") {
  advance(30s);  // the claim has been waiting for so long
  const auto run = hand_out(100);
  give(run, 10s);  // and says that it was granted 20 s ago
  REQUIRE_FALSE(doom.empty());
  CHECK(doom.back() == core::instant{} + 70s - 100ms);
  links.fall();
  advance(31s);
  CHECK(processes.stops().size() == 1);
}

TEST_CASE_METHOD(seated_member, "member: a grant that claims to be from the future is not believed",
                 "[actors][cluster][member]") {
  advance(5s);
  give(hand_out(100), std::chrono::hours{5});
  CHECK(doom.back() == core::instant{} + 65s - 100ms);
}

TEST_CASE_METHOD(seated_member, "member: a claim that was answered too late is not begun, and goes back",
                 "[actors][cluster][member]") {
  advance(59s);
  const auto run = hand_out(100);
  give(run);
  CHECK(processes.started().empty());
  const auto end = asked<settle_runs>();
  REQUIRE(end);
  CHECK(end->second.items.front().how.kind == core::settle_kind::released);
  CHECK(end->second.items.front().how.proof.hash == proof_of(run).hash);
  settle_is_taken(end->first, run);
  CHECK(asked<claim_runs>());
}

TEST_CASE_METHOD(seated_member,
                 "member: answers of a link that is gone are dropped, and claims are made anew",
                 "[actors][cluster][member]") {
  const auto old = links.link;
  const auto claim = asked<claim_runs>();
  REQUIRE(claim);
  links.fall();
  advance(1s);
  join();
  const auto anew = asked<claim_runs>();  // without the pause that trouble costs
  REQUIRE(anew);
  CHECK(anew->first != claim->first);
  claimed_runs all;
  all.runs.push_back(hand_out(100));
  links.say_on(old, {core::wire_version, static_cast<std::uint16_t>(kind::answer), anew->first,
                     messages::wire::encode(messages::wire::answer{messages::wire::reply{all}, {}})});
  lone_member::run();
  CHECK(processes.started().empty());
}

TEST_CASE_METHOD(seated_member,
                 "member: a claim that nobody answers costs the link, so that a hello clears it up",
                 "[actors][cluster][member]") {
  REQUIRE(asked<claim_runs>());
  advance(69s);
  CHECK(links.closed.empty());
  advance(2s);
  CHECK(links.closed.size() == 1);
}

TEST_CASE_METHOD(seated_member, "member: what is somebody else's by now is killed, and nothing is told of it",
                 "[actors][cluster][member]") {
  const auto run = hand_out(100);
  give(run);
  links.fall();
  advance(1s);
  messages::wire::welcome w;
  w.lost = {held(run)};
  join(std::move(w));
  REQUIRE(processes.stops().size() == 1);
  advance(1s);
  CHECK_FALSE(processes.is_running(key_of(run)));
  CHECK_FALSE(asked<settle_runs>());
  CHECK(asked<claim_runs>());
  links.fall();
  advance(1s);
  CHECK(greet().held.empty());
}

TEST_CASE_METHOD(seated_member, "member: a renewal that is refused as stale ends the process",
                 "[actors][cluster][member]") {
  const auto run = hand_out(100);
  give(run);
  advance(21s);
  const auto q = asked<touch_leases>();
  REQUIRE(q);
  touched all;
  all.answers.emplace_back(core::failure{errc::stale_lease, "no", {}, {}});
  answer(q->first, messages::wire::reply{std::move(all)});
  CHECK(processes.stops().size() == 1);
}

TEST_CASE_METHOD(seated_member, "member: a session that the coordinator ended is made anew",
                 "[actors][cluster][member]") {
  links.fall();
  advance(1s);
  messages::wire::welcome w;
  w.gone = {first};
  join(std::move(w));
  const auto claim = asked<claim_runs>();
  REQUIRE(claim);
  answer(claim->first, core::failure{errc::not_found, "there is no such session", {}, {}});
  advance(1100ms);
  const auto q = asked<register_session>();
  REQUIRE(q);
  CHECK_FALSE(q->second.who.id);
}

// ---- the rest

TEST_CASE_METHOD(seated_member, "member: a wall clock that is set means nothing to its leases",
                 "[actors][cluster][member]") {
  const auto run = hand_out(100);
  give(run);
  time.jump(std::chrono::hours{3});
  advance(21s);
  CHECK(grant_renewals() == 1);
  time.jump(-std::chrono::hours{9});
  advance(21s);
  CHECK(grant_renewals() == 1);
  advance(21s);
  CHECK(grant_renewals() == 1);
  CHECK(processes.stops().empty());
  CHECK(processes.finish(key_of(run)));
  lone_member::run();
  CHECK(asked<settle_runs>());
}

TEST_CASE("member: an executor that crashes loses its child, and its session with what it held is given up",
          "[actors][cluster][member]") {
  auto o = lone_member::usual_options();
  const auto bombs = std::make_shared<int>(1);
  o.executor.fault = [bombs](const messages::claimed_run&) {
    if ((*bombs)-- > 0) throw std::runtime_error("planted");
  };
  seated_member m{std::move(o)};
  const auto run = m.hand_out(100);
  m.give(run);
  const auto gone = m.asked<end_session>();
  REQUIRE(gone);
  CHECK(gone->second.id == m.first);
  CHECK(gone->second.crashed);
  CHECK(m.doom.back() == core::never);
  m.answer(gone->first, messages::wire::reply{messages::session_answer{}});
  m.advance(1s);
  m.seat_everybody();
  const auto claim = m.asked<claim_runs>();
  REQUIRE(claim);
  CHECK(claim->second.who != m.first);
}

TEST_CASE_METHOD(seated_member, "member: draining, it asks for no work until it may work again",
                 "[actors][cluster][member]") {
  const auto claim = asked<claim_runs>();
  REQUIRE(claim);
  say(kind::steer, messages::wire::steer{true, "update"});
  CHECK(member->status().draining);
  answer(claim->first, messages::wire::reply{claimed_runs{}});
  CHECK_FALSE(asked<claim_runs>());
  advance(90s);
  CHECK_FALSE(asked<claim_runs>());
  CHECK(links.closed.empty());
  say(kind::steer, messages::wire::steer{false, ""});
  CHECK_FALSE(member->status().draining);
  CHECK(asked<claim_runs>());
}

TEST_CASE_METHOD(seated_member, "member: an orderly stop lets runs end, tells them, and says good-bye last",
                 "[actors][cluster][member]") {
  const auto run = hand_out(100);
  give(run);
  REQUIRE(member->stop(30s));
  advance(5s);
  CHECK(member->status().draining);
  CHECK_FALSE(next(kind::good_bye));
  CHECK_FALSE(asked<claim_runs>());
  CHECK(processes.finish(key_of(run)));
  lone_member::run();
  const auto end = asked<settle_runs>();
  REQUIRE(end);
  CHECK_FALSE(next(kind::good_bye));
  settle_is_taken(end->first, run);
  CHECK(next(kind::good_bye));
  CHECK(links.closed.empty());
  advance(1s);
  CHECK(links.closed.size() == 1);
  advance(60s);
  CHECK(links.dialled.size() == 1);
}

TEST_CASE_METHOD(seated_member, "member: what does not end by the deadline of a stop goes back",
                 "[actors][cluster][member]") {
  const auto run = hand_out(100);
  give(run);
  REQUIRE(member->stop(5s));
  advance(6s);
  const auto end = asked<settle_runs>();
  REQUIRE(end);
  CHECK(end->second.items.front().how.kind == core::settle_kind::released);
  settle_is_taken(end->first, run);
  CHECK(next(kind::good_bye));
}

TEST_CASE_METHOD(paired_member, "member: a run that comes while it stops is handed back, not begun",
                 "[actors][cluster][member]") {
  const auto claim = asked<claim_runs>();
  REQUIRE(claim);
  const auto busy = hand_out(99);
  claimed_runs all;
  all.runs.push_back(busy);
  answer(claim->first, messages::wire::reply{all});
  CHECK(processes.finish(key_of(busy)));
  lone_member::run();
  settle_is_taken(asked<settle_runs>().value().first, busy);
  const auto late = asked<claim_runs>();
  REQUIRE(late);
  // Another one still has something to do, so that the stop takes its time.
  const auto other = asked<claim_runs>();
  REQUIRE(other);
  const auto slow = hand_out(98);
  all.runs = {slow};
  answer(other->first, messages::wire::reply{all});
  REQUIRE(member->stop(30s));
  lone_member::run();
  const auto run = hand_out(100);
  all.runs = {run};
  answer(late->first, messages::wire::reply{all});
  CHECK_FALSE(processes.is_running(key_of(run)));
  const auto back = asked<settle_runs>();
  REQUIRE(back);
  CHECK(back->second.items.front().run == run.run.head.id);
  CHECK(back->second.items.front().how.kind == core::settle_kind::released);
  CHECK(processes.finish(key_of(slow)));
  lone_member::run();
  settle_is_taken(asked<settle_runs>().value().first, slow);
  CHECK_FALSE(next(kind::good_bye));
  settle_is_taken(back->first, run);
  CHECK(next(kind::good_bye));
}

TEST_CASE_METHOD(lone_member, "member: one that was never let in stops all the same",
                 "[actors][cluster][member]") {
  REQUIRE(member->stop(1s));
  advance(2s);
  const auto before = links.dialled.size();
  advance(60s);
  CHECK(links.dialled.size() == before);
}

TEST_CASE_METHOD(seated_member, "member: the watchdog knows what is at stake before a process begins",
                 "[actors][cluster][member]") {
  CHECK(doom.empty());
  const auto run = hand_out(100);
  give(run);
  REQUIRE(doom.size() == 1);
  CHECK(doom.back() == core::instant{} + 60s - 100ms);
  advance(21s);
  CHECK(grant_renewals() == 1);
  CHECK(doom.back() == core::instant{} + 80s - 100ms);
  CHECK(processes.finish(key_of(run)));
  lone_member::run();
  CHECK(doom.back() == core::never);
}
