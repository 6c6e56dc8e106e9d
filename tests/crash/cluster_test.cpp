// The promise, with the work on other machines: every acknowledged submission ends, once; and no process of
// an attempt that was fenced off lives beyond the lease that it had. Real nodes are killed and stopped, links
// are cut, at random; then the journal and the diaries of the commands are judged.
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "tests/crash/remains.hpp"
#include "tests/crash/town.hpp"
#include "tests/support/cable.hpp"
#include "tests/support/history.hpp"
#include "tests/support/secrets.hpp"

namespace belfry::test {
namespace {

using clock = std::chrono::steady_clock;

// What a command was doing, every 50 ms while it lives: "WHAT RUN FENCING MILLISECONDS", one write per line.
std::string work_script(const std::string& diary) {
  return "say() { echo \"$1 $BELFRY_RUN_ID $BELFRY_FENCING $(date +%s%3N)\" >> " + diary +
         "; }; say begin; n=0; while [ $n -lt $((RANDOM % 30)) ]; do sleep 0.05; say lives; n=$((n + 1)); "
         "done; "
         "[ $((RANDOM % 13)) = 0 ] && [ $BELFRY_ATTEMPT -lt 3 ] && exit 1; say end";
}

struct attempt_seen {
  std::int64_t begun = -1, last = -1, ended = -1;  // milliseconds
  std::size_t begins = 0, ends = 0;
};
using diary = std::map<std::string, std::map<std::uint64_t, attempt_seen>>;  // run, fencing

diary read_lives(const std::string& path) {
  diary all;
  std::istringstream in(read_text(path));
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string what, run;
    std::uint64_t fencing = 0;
    std::int64_t at = 0;
    if (!(words >> what >> run >> fencing >> at)) continue;  // cut off by a kill
    auto& a = all[run][fencing];
    if (what == "begin") {
      ++a.begins;
      a.begun = at;
    } else if (what == "end") {
      ++a.ends;
      a.ended = at;
    }
    a.last = std::max(a.last, at);
  }
  return all;
}

class cluster_trial {
 public:
  cluster_trial(std::uint64_t seed, std::size_t runs, bool namespaces)
      : seed_(seed), runs_(runs), chance_(seed ^ 0x7043), all_(setup(namespaces)), town_(all_, seed) {}

  void run() {
    const auto from = clock::now();
    const auto until = from + 90s + std::chrono::milliseconds{runs_ * 150};
    auto next = clock::now();
    std::int64_t open = -1;
    while ((open != 0 || submitted_ < runs_) && clock::now() < until) {
      town_.wake_sleepers();
      if (submitted_ < runs_) submit_some();
      if (clock::now() >= next) {
        town_.trouble();
        next = clock::now() + std::chrono::milliseconds{150 + chance_() % 700};
        open = open_runs();
      }
      short_pause(5ms);
    }
    INFO("seed " << seed_ << " (BELFRY_SEED): " << open << " runs never end");
    town_.calm();
    repeat_open_wishes();
    CHECK(submitted_ == runs_);
    REQUIRE(eventually([&] { return open_runs() == 0; }, 60s + std::chrono::milliseconds{runs_ * 100}));
    judge();
    look_at_lives();
    expect_no_token(all_.said(), "what the nodes said");
    tell(std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - from));
  }

 private:
  static constexpr std::size_t batch = 10;

  static cluster_setup setup(bool namespaces) {
    cluster_setup s;
    s.namespaces = namespaces;
    s.members = {"b", "c"};
    s.executors_of_member = 4;
    s.lease = "3s";
    s.flags_of["a"] = {"--set", "limits.per_batch=0", "--set", "limits.per_lane=0"};
    return s;
  }

  // The same request with the same key until it is acknowledged, through whoever is there.
  void submit_some() {
    const auto key = "town-" + std::to_string(seed_) + "-" + std::to_string(submitted_);
    json body = {{"runs", json::array()}};
    const auto n = std::min(batch, runs_ - submitted_);
    for (std::size_t i = 0; i < n; ++i)
      body["runs"].push_back(
          {{"name", "work"},
           {"handler", {{"kind", "process"}, {"argv", {"/bin/bash", "-c", work_script(all_.file("diary"))}}}},
           {"retry", {{"max_attempts", 10}, {"max_losses", 100}, {"base", "20ms"}}}});
    const auto door = chance_() % 3;
    auto& node = door == 0 ? all_.coordinator() : all_.member(all_.members()[door - 1]);
    try {
      http_client http(node.unix_socket());
      http.patience = 1500ms;
      const auto r = http.send("POST", "/v1/runs:batch", body.dump(), {{"Idempotency-Key", key}});
      if (r.status == 201 || r.status == 200) {
        const auto made = r.parsed();
        for (const auto& id : made.at("ids")) promised_.insert(id.get<std::string>());
        submitted_ += n;
      } else if (r.status < 500 && r.code() != "idempotency_in_progress") {
        FAIL_CHECK("a submission was refused: " << r.status << " " << r.body);
        submitted_ += n;
      }
    } catch (const no_answer&) {
      // It is asked again with the same key.
    }
  }

  void repeat_open_wishes() {
    const auto until = clock::now() + 30s;
    while (submitted_ < runs_ && clock::now() < until) {
      submit_some();
      short_pause(20ms);
    }
  }

  std::int64_t open_runs() {
    std::int64_t n = 0;
    try {
      http_client http(all_.coordinator().unix_socket());
      http.patience = 500ms;
      const auto states = http.get_json("/v1/node").at("store").at("runs_by_state");
      for (const auto& [state, count] : states.items())
        if (!is_terminal(state)) n += count.get<std::int64_t>();
    } catch (const std::exception&) {
      return -1;  // it is away
    }
    return n;
  }

  void judge() {
    past_.add(all_.coordinator().events());
    INFO("seed " << seed_ << " (BELFRY_SEED)");
    std::set<std::string> there;
    for (const auto& r : all_runs(all_.coordinator().http())) {
      past_.compare(r);
      there.insert(r.at("id").get<std::string>());
      if (r.at("state") != "succeeded") FAIL_CHECK("not succeeded: " << r.dump());
      winners_[r.at("id").get<std::string>()] = r.at("fencing").get<std::uint64_t>();
    }
    for (const auto& id : promised_)
      if (!there.contains(id)) FAIL_CHECK("acknowledged and gone: " << id);
    CHECK(there.size() == runs_);  // and nothing was submitted twice
    CHECK(past_.unfinished().empty());
    for (const auto& [id, life] : past_.lives())
      if (life.ends != 1) FAIL_CHECK(id << " has " << life.ends << " ends");
    for (const auto& m : past_.mistakes()) FAIL_CHECK("journal: " << m);
  }

  // A command never outlives its lease, so what was given to somebody else later was dead before that.
  void look_at_lives() {
    constexpr std::int64_t slack = 150;  // between the look at the clock and the write of the line
    for (const auto& [run, attempts] : read_lives(all_.file("diary"))) {
      const attempt_seen* before = nullptr;
      std::uint64_t number = 0;
      for (const auto& [fencing, a] : attempts) {
        if (a.begins > 1) FAIL_CHECK("fencing " << fencing << " of " << run << " was begun twice");
        if (before != nullptr && a.begun >= 0 && before->last > a.begun + slack)
          FAIL_CHECK("seed " << seed_ << ": attempt " << number << " of " << run << " lived "
                             << before->last - a.begun << " ms into attempt " << fencing);
        before = &a;
        number = fencing;
      }
      const auto winner = winners_.find(run);
      if (winner == winners_.end()) continue;
      const auto its = attempts.find(winner->second);
      if (its == attempts.end() || its->second.ends != 1)
        FAIL_CHECK("seed " << seed_ << ": " << run << " succeeded without its attempt having ended");
    }
  }

  void tell(std::chrono::milliseconds took) {
    const auto& c = town_.counts();
    std::printf(
        "cluster: %zu runs, seed %llu, %lld ms: %zu members and %zu coordinators killed, %zu and %zu "
        "stopped, "
        "%zu links cut, %zu severed; %lld claims, %lld leases lost, %lld writes too late, %zu events\n",
        runs_, static_cast<unsigned long long>(seed_), static_cast<long long>(took.count()), c.member_kills,
        c.coordinator_kills, c.member_stops, c.coordinator_stops, c.cuts, c.severed,
        static_cast<long long>(past_.count_of("run_claimed")),
        static_cast<long long>(past_.count_of("lease_expired")),
        static_cast<long long>(past_.count_of("stale_write")), past_.count());
  }

  const std::uint64_t seed_;
  const std::size_t runs_;
  std::mt19937_64 chance_;
  real_cluster all_;
  town town_;
  std::size_t submitted_ = 0;
  std::set<std::string> promised_;
  std::map<std::string, std::uint64_t> winners_;
  history past_;
};

}  // namespace

TEST_CASE("cluster: nodes killed and stopped, links cut at random, and every run ends once",
          "[crash][cluster]") {
  const auto seed = number_from("BELFRY_SEED", std::random_device{}());
  cluster_trial t(seed, number_from("BELFRY_RUNS", long_form() ? 10'000 : 300), false);
  t.run();
}

TEST_CASE("cluster: the same with members in network namespaces of their own, whose cables are pulled",
          "[crash][cluster][namespaces]") {
  if (!cable::possible()) {
    std::puts("belfry-skip: network namespaces need root, its capabilities and ip");
    return;
  }
  const auto seed = number_from("BELFRY_SEED", std::random_device{}());
  cluster_trial t(seed, number_from("BELFRY_RUNS", long_form() ? 10'000 : 150), true);
  t.run();
}

}  // namespace belfry::test
