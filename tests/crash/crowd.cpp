#include "tests/crash/crowd.hpp"

#include <algorithm>
#include <array>

#include "tests/support/real_node.hpp"

namespace belfry::test {
namespace {

using dice = std::mt19937_64;
using clock = std::chrono::steady_clock;

bool one_in(dice& d, std::uint64_t n) { return d() % n == 0; }
template <std::size_t N>
const char* any_of(dice& d, const std::array<const char*, N>& words) {
  return words[d() % N];
}

// The node may say so at any time; it promises nothing, but nothing has happened either.
bool busy(const http_reply& r) { return r.status == 503; }

std::string told(const http_reply& r) { return std::to_string(r.status) + " " + r.body.substr(0, 300); }

last_word word_of(const json& run) {
  return {run.at("state").get<std::string>(), run.at("attempt").get<std::uint32_t>(),
          run.value("fencing", std::uint64_t{0})};
}

json retry_policy(dice& d) {
  return {{"max_attempts", 5}, {"max_losses", one_in(d, 12) ? 1 : 100}, {"base", "30ms"}, {"jitter", 0.3}};
}

// Some leave children behind that have to be found again: in the group of the run, and in a session of their
// own.
std::string script(dice& d, const std::string& diary) {
  std::string text = "echo \"$BELFRY_RUN_ID $BELFRY_ATTEMPT $BELFRY_FENCING\" >> " + diary + "; ";
  if (one_in(d, 8)) text += "sleep 300 & ";
  if (one_in(d, 16)) text += "setsid sleep 300 & ";
  if (one_in(d, 3)) text += "sleep 0.0" + std::to_string(1 + d() % 9) + "; ";
  if (one_in(d, 10)) text += "sleep 0.3; ";
  if (one_in(d, 10)) text += "exit $((BELFRY_ATTEMPT < 2)); ";
  return text + "true";
}

json one_run(dice& d, const std::string& name, const std::string& diary) {
  json run = {{"name", name},
              {"retry", retry_policy(d)},
              {"priority", any_of(d, std::array{"urgent", "high", "normal", "low"})}};
  if (one_in(d, 3))
    run["handler"] = {{"kind", "process"}, {"shell", script(d, diary)}};
  else
    run["payload"] = {{"n", d() % 1000}};
  if (one_in(d, 5)) run["delay"] = std::to_string(1 + d() % 200) + "ms";
  if (one_in(d, 4)) run["lane"] = any_of(d, std::array{"a", "b", "c"});
  if (one_in(d, 6)) run["tags"] = {"crash", name};
  return run;
}

// The way of a thread into the node and out again. `turn` throws no_answer when the node is dead.
template <class Turn>
void frequent(gate& g, Turn turn) {
  std::uint64_t seen = 0;
  endpoint where;
  while (g.enter(seen, where)) {
    http_client http(where);
    try {
      while (g.is_open(seen)) turn(http);
    } catch (const no_answer&) {
      // The kill. What was not answered is in the ledger.
    }
  }
}

void send_wish(http_client& http, wish w, ledger& book) {
  header_list headers;
  if (!w.key.empty()) headers.emplace_back("Idempotency-Key", w.key);
  try {
    const auto r = http.post(w.target, w.body, headers);
    if (busy(r)) return book.leave_open(std::move(w));
    if (!r.ok()) return book.broken("submission refused: " + told(r));
    const auto answer = r.parsed();
    if (w.count == 1 && w.target == "/v1/runs")
      w.ids = {answer.at("id").get<std::string>()};
    else
      w.ids = answer.at("ids").get<std::vector<std::string>>();
    book.acknowledge(std::move(w));
  } catch (const no_answer&) {
    book.leave_open(std::move(w));
    throw;
  }
}

}  // namespace

crowd::crowd(crowd_plan plan, ledger& book)
    : plan_(std::move(plan)), book_(book), gate_(plan_.submitters + plan_.workers + plan_.watchers) {
  std::size_t index = 0;
  const auto guarded = [this](auto what) {
    return [this, what] {
      try {
        what();
      } catch (const std::exception& e) {
        book_.broken(std::string{"a client found something that it does not understand: "} + e.what());
        std::uint64_t seen = 0;
        endpoint where;
        while (gate_.enter(seen, where)) {
        }  // so that the others are not waited for in vain
      }
    };
  };
  for (std::size_t i = 0; i < plan_.submitters; ++i, ++index)
    threads_.emplace_back(guarded([this, index] { submitter(index); }));
  for (std::size_t i = 0; i < plan_.workers; ++i, ++index)
    threads_.emplace_back(guarded([this, index] { worker(index); }));
  for (std::size_t i = 0; i < plan_.watchers; ++i, ++index)
    threads_.emplace_back(guarded([this, index] { watcher(index); }));
}

crowd::~crowd() {
  gate_.end();
  for (auto& t : threads_) t.join();
}

void crowd::submitter(std::size_t index) {
  dice d(seed_of(index));
  frequent(gate_, [&](http_client& http) {
    if (closing_ || book_.unfinished() > plan_.most_unfinished) return short_pause(5ms);
    wish w;
    w.name = "wish-" + std::to_string(++next_wish_);
    if (one_in(d, 2)) w.key = "key-" + w.name;
    if (one_in(d, 3)) {
      w.count = 2 + d() % 9;
      w.target = "/v1/runs:batch";
      w.body["runs"] = json::array();
      for (std::size_t i = 0; i < w.count; ++i) w.body["runs"].push_back(one_run(d, w.name, plan_.diary));
    } else {
      w.target = "/v1/runs";
      w.body = one_run(d, w.name, plan_.diary);
    }
    send_wish(http, std::move(w), book_);
  });
}

void crowd::watcher(std::size_t index) {
  dice d(seed_of(index));
  frequent(gate_, [&](http_client& http) {
    const auto id = book_.some_run(d);
    if (!id) return short_pause(2ms);
    const auto r = http.get("/v1/runs/" + *id);
    if (busy(r)) return short_pause(2ms);
    if (r.status != 200) return book_.broken("an acknowledged run is not there: " + *id + ": " + told(r));
    book_.told(*id, word_of(r.parsed()));
    if (one_in(d, 30)) {
      const auto c = http.post("/v1/runs/" + *id + ":cancel", {{"reason", "crash test"}});
      if (!c.ok() && c.status != 409 && !busy(c)) book_.broken("cancel: " + told(c));
    }
    short_pause(2ms);
  });
}

namespace {

// A run in the hands of an outside worker.
struct held_run {
  std::string run, token;
  std::uint64_t fencing = 0;
  std::uint32_t attempt = 0;
  clock::time_point safe_until;  // the lease holds at least that long, by the worker's own clock
  clock::time_point over_after;  // and behind that it has certainly run out
  json proof() const { return {{"token", token}, {"fencing", fencing}}; }
  bool surely_held() const { return clock::now() < safe_until; }
};

struct worker_state {
  std::string name, session;
  std::vector<held_run> held;
  std::vector<held_run> forgotten;  // of some it speaks again when it is too late
  std::chrono::milliseconds lease{0};
};

void claim_some(http_client& http, worker_state& w, dice& d, ledger& book) {
  // A claim whose answer is lost with the node blocks its run for that long.
  w.lease = std::array{1000ms, 2000ms, 6000ms}[d() % 3];
  const json wish = {{"session", w.session},
                     {"max", 1 + d() % 6},
                     {"wait", "50ms"},
                     {"lease", std::to_string(w.lease.count()) + "ms"}};
  const auto asked = clock::now();
  const auto r = http.post("/v1/claims", wish);
  if (busy(r)) return short_pause(2ms);
  if (!r.ok()) return book.broken("claim: " + told(r));
  const auto answer = r.parsed();
  for (const auto& c : answer.at("claims")) {
    held_run h{c.at("run_id"),  c.at("token"),   c.at("fencing"),
               c.at("attempt"), asked + w.lease, clock::now() + w.lease};
    book.claimed(h.run, h.fencing, h.token);
    w.held.push_back(std::move(h));
  }
}

// Whether the worker still has it.
bool touch(http_client& http, worker_state& w, held_run& h, const char* verb, json body, ledger& book) {
  body.update(h.proof());
  const bool sure = h.surely_held();
  const bool beats = std::string_view{verb} == "heartbeat";
  const auto asked = clock::now();
  if (beats) h.over_after = clock::time_point::max();  // unknown, if no answer comes
  const auto r = http.post("/v1/runs/" + h.run + ":" + verb, body);
  ++book.answers;
  if (r.ok()) {
    if (beats) h.safe_until = asked + w.lease;
    if (beats) h.over_after = clock::now() + w.lease;
    return true;
  }
  if (busy(r)) return true;
  if (r.code() != "stale_lease" || (sure && h.surely_held()))
    book.broken(std::string{verb} + " of " + h.run + " under a live lease: " + told(r));
  ++book.refused;
  return false;
}

verdict make_verdict(const held_run& h, dice& d) {
  verdict v{h.run, h.fencing, "complete", h.proof(), one_in(d, 3)};
  switch (d() % 12) {
    case 0:
      v.verb = "fail";
      v.body["message"] = "no luck";
      break;
    case 1: v.verb = "release"; break;
    case 2:
      v.verb = "park";
      v.body["for"] = "100ms";
      break;
    default: v.body["result"] = {{"fencing", h.fencing}};
  }
  return v;
}

http_reply say(http_client& http, const verdict& v) {
  if (!v.bulk) return http.post("/v1/runs/" + v.run + ":" + v.verb, v.body);
  static const std::map<std::string, std::string> outcomes{
      {"complete", "succeeded"}, {"fail", "failed"}, {"release", "released"}, {"park", "parked"}};
  json item = v.body;
  item["run_id"] = v.run;
  item["outcome"] = outcomes.at(v.verb);
  return http.post("/v1/completions", {{"items", {item}}});
}

// `sure`: there is no reason why the node could refuse it.
void judge(const verdict& v, const http_reply& r, bool sure, ledger& book) {
  auto answer = r.parsed();
  std::string code = r.code();
  bool good = r.ok();
  if (good && v.bulk) {
    answer = answer.at("items").at(0);
    good = answer.at("status") == "ok";
    code = good ? "" : answer.value("code", "");
  }
  if (good) {
    ++book.completions;
    if (v.verb != "complete") return book.told(v.run, {"", 0, 0});
    // A run that is completed has ended with this very attempt.
    const auto state = answer.value("state", "");
    if (state != "succeeded") book.broken("a completed run is " + state + ": " + answer.dump());
    return book.told(v.run, {"succeeded", answer.at("attempt").get<std::uint32_t>(), v.fencing});
  }
  if (r.status == 503 || code == "unavailable" || code == "aborted") return book.leave_open(v);
  if (code != "stale_lease" || sure) book.broken(v.verb + " of " + v.run + ": " + told(r));
  ++book.refused;
}

// It comes back with something that it had forgotten, when the lease is over: that must change nothing.
void come_late(http_client& http, worker_state& w, ledger& book) {
  const auto late = std::find_if(w.forgotten.begin(), w.forgotten.end(),
                                 [](const held_run& h) { return clock::now() > h.over_after; });
  if (late == w.forgotten.end()) return;
  const held_run h = *late;
  w.forgotten.erase(late);
  const auto r = http.post("/v1/runs/" + h.run + ":complete", h.proof());
  if (busy(r)) return;
  if (r.code() != "stale_lease")
    book.broken("a completion under a lease that is over, of " + h.run + " fencing " +
                std::to_string(h.fencing) + ": " + told(r));
  ++book.refused;
}

void settle(http_client& http, const held_run& h, dice& d, ledger& book) {
  const auto v = make_verdict(h, d);
  const bool sure = h.surely_held();
  try {
    const auto r = say(http, v);
    judge(v, r, sure && h.surely_held(), book);
  } catch (const no_answer&) {
    book.leave_open(v);
    throw;
  }
}

}  // namespace

void crowd::worker(std::size_t index) {
  dice d(seed_of(index));
  worker_state w;
  w.name = "worker-" + std::to_string(index);
  frequent(gate_, [&](http_client& http) {
    if (w.session.empty()) {
      const auto r = http.post("/v1/sessions", {{"name", w.name}, {"agent_type", "crash"}, {"slots", 8}});
      if (busy(r)) return short_pause(2ms);
      if (!r.ok()) throw std::runtime_error("no session: " + told(r));
      w.session = r.parsed().at("id");
    }
    come_late(http, w, book_);
    if (w.held.empty()) return claim_some(http, w, d, book_);
    if (one_in(d, 20)) {  // it forgets what it has; the sweeper has to find it
      w.forgotten.push_back(w.held.back());
      return w.held.pop_back();
    }
    if (one_in(d, 4) && !touch(http, w, w.held.back(), "start", json::object(), book_))
      return w.held.pop_back();
    if (one_in(d, 4) && !touch(http, w, w.held.back(), "heartbeat",
                               {{"lease", std::to_string(w.lease.count()) + "ms"}}, book_))
      return w.held.pop_back();
    if (one_in(d, 6) && !touch(http, w, w.held.back(), "progress", {{"value", 0.5}, {"text", "half"}}, book_))
      return w.held.pop_back();
    const auto h = w.held.back();
    w.held.pop_back();
    settle(http, h, d, book_);
  });
}

namespace {

// The same key and content once more: the answer that was given before, and no new run.
void expect_replay(http_client& http, const wish& w, ledger& book) {
  ++book.repeats;
  const auto again = http.post(w.target, w.body, {{"Idempotency-Key", w.key}});
  if (!again.ok() || again.header("idempotency-replayed") != "true")
    return book.broken("the repetition of " + w.name + " was no replay: " + told(again));
  const auto body = again.parsed();
  const auto ids = w.target == "/v1/runs" ? std::vector{body.at("id").get<std::string>()}
                                          : body.at("ids").get<std::vector<std::string>>();
  if (ids != w.ids) book.broken("two answers to one key: " + w.name);
}

}  // namespace

// Alone with the node.
void crowd::repeat_open(http_client& http) {
  for (auto& w : book_.take_open_wishes()) {
    if (w.key.empty()) continue;  // whether it is there is counted at the end: all of it or nothing
    ++book_.repeats;
    send_wish(http, w, book_);
  }
  // The newest ones that have a key, those just repeated among them.
  const auto kept = book_.wishes();
  std::size_t repeated = 0;
  for (auto w = kept.rbegin(); w != kept.rend() && repeated < 8; ++w) {
    if (w->key.empty()) continue;
    expect_replay(http, *w, book_);
    ++repeated;
  }
  for (const auto& v : book_.take_open_verdicts()) {
    ++book_.repeats;
    judge(v, say(http, v), false, book_);
  }
}

}  // namespace belfry::test
