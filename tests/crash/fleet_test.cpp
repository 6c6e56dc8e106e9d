// The promise: one winner per claim, one terminal record per run, and every run ends, whatever happens to
// workers and node. Real `belfry work` processes and a real node are killed and stopped at random; the
// journal is then judged as a whole.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <map>
#include <set>

#include "tests/crash/fleet.hpp"
#include "tests/crash/remains.hpp"
#include "tests/support/history.hpp"
#include "tests/support/secrets.hpp"

namespace belfry::test {
namespace {

using clock = std::chrono::steady_clock;

// The payload is a number; most commands are quick, some take longer, some fail the first time.
std::string script(const std::string& diary) {
  return "read -r n; echo \"$BELFRY_RUN_ID $BELFRY_ATTEMPT $BELFRY_FENCING\" >> " + diary +
         "; echo begun; [ $((n % 3)) = 0 ] && sleep 0.$((n % 5)); "
         "[ $((n % 11)) = 0 ] && [ $BELFRY_ATTEMPT = 1 ] && exit 1; echo done";
}

class fleet_trial {
 public:
  fleet_trial(std::uint64_t seed, std::size_t workers, std::size_t runs)
      : seed_(seed), runs_(runs), chance_(seed ^ 0x5eed) {
    node_.start();
    plan_.workers = workers;
    plan_.seed = seed;
    plan_.script = script(folder_ / "diary");
    plan_.mark = std::to_string(::getpid()) + "-" + std::to_string(seed);
  }

  void run() {
    claim_for_a_sleeper();
    submit();
    fleet workers(plan_, node_);
    const auto from = clock::now();
    make_trouble(workers);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - from);
    workers.calm();
    speak_with_old_tokens();
    for (const int code : workers.dismiss()) CHECK(code == 0);
    CHECK(eventually([&] { return processes_with("FLEET", plan_.mark).empty(); }));
    judge();
    look_at_diary();
    expect_no_token(everything(), "the lists, the journal or the export");
    const auto& c = workers.counts();
    std::printf(
        "fleet: %zu workers, %zu runs, seed %llu, %lld ms: %zu workers and %zu nodes killed, %zu and %zu "
        "stopped; "
        "%lld claims, %lld leases lost, %lld writes too late, %zu events\n",
        plan_.workers, runs_, static_cast<unsigned long long>(seed_), static_cast<long long>(took.count()),
        c.worker_kills, c.node_kills, c.worker_stops, c.node_stops,
        static_cast<long long>(past_.count_of("run_claimed")),
        static_cast<long long>(past_.count_of("lease_expired")),
        static_cast<long long>(past_.count_of("stale_write")), past_.count());
  }

 private:
  static node_setup setup() {
    node_setup s;
    s.executors = 0;
    s.flags = {"--set", "limits.per_batch=0",     "--set", "limits.per_lane=0",
               "--set", "limits.per_agent_type=0"};
    return s;
  }

  json one(std::size_t n) const {
    return outside_run(
        "fleet", {{"payload", n}, {"retry", {{"max_attempts", 10}, {"max_losses", 100}, {"base", "20ms"}}}});
  }

  // A worker of the test itself takes some runs, and does not speak again before they have ended elsewhere.
  void claim_for_a_sleeper() {
    auto& http = node_.http();
    const auto session =
        http.post_json("/v1/sessions", {{"name", "sleeper"}, {"agent_type", "test"}, {"slots", 5}});
    for (std::size_t n = 0; n < 5; ++n) node_.submit(one(n));
    const auto answer = http.post_json(
        "/v1/claims", {{"session", session.at("id")}, {"max", 5}, {"lease", "1s"}, {"start", true}});
    slept_ = answer.at("claims").get<std::vector<json>>();
    REQUIRE(slept_.size() == 5);
  }

  void submit() {
    for (std::size_t from = 5; from < runs_;) {
      json batch = {{"runs", json::array()}};
      for (; from < runs_ && batch["runs"].size() < 500; ++from) batch["runs"].push_back(one(from));
      node_.http().post_json("/v1/runs:batch", batch);
    }
  }

  std::int64_t open_runs() {
    std::int64_t n = 0;
    try {
      node_.http().patience = 500ms;
      const auto states = node_.status().at("store").at("runs_by_state");
      for (const auto& [state, count] : states.items())
        if (!is_terminal(state)) n += count.get<std::int64_t>();
    } catch (const no_answer&) {
      return -1;  // it is being stopped
    }
    return n;
  }

  void make_trouble(fleet& workers) {
    const auto until = clock::now() + 60s + std::chrono::milliseconds{runs_ * 60};
    auto next = clock::now();
    std::int64_t open = -1;
    while (open != 0 && clock::now() < until) {
      workers.wake_sleepers();
      if (clock::now() >= next) {
        workers.trouble();
        next = clock::now() + std::chrono::milliseconds{100 + chance_() % 500};
        open = open_runs();
      }
      short_pause(5ms);
    }
    INFO("seed " << seed_ << " (BELFRY_SEED): " << open << " runs never end");
    workers.calm();
    REQUIRE(eventually([&] { return open_runs() == 0; }, 30s));
  }

  // Every word under a lease that is over changes nothing.
  void speak_with_old_tokens() {
    auto& http = node_.http();
    http.patience = 20s;
    for (const auto& c : slept_) {
      const auto id = c.at("run_id").get<std::string>();
      const auto look = [&] {
        auto r = node_.run(id);
        for (const auto* evidence : {"late_writes", "late_results"})
          r.erase(evidence);  // all that they may leave
        return r;
      };
      const auto before = look();
      const json proof = {{"token", c.at("token")}, {"fencing", c.at("fencing")}};
      for (const auto* verb : {"start", "heartbeat", "progress", "complete", "fail", "release"}) {
        auto body = proof;
        if (std::string_view{verb} == "progress") body["value"] = 0.5;
        const auto r = http.post("/v1/runs/" + id + ":" + verb, body);
        INFO(verb << ": " << r.status << " " << r.body);
        CHECK(r.status == 409);
        CHECK(r.code() == "stale_lease");
      }
      // Neither a token that was never given, nor the right one with another number.
      for (const auto& [token, fencing] : {std::pair{json(std::string(43, 'A')), before.at("fencing")},
                                           std::pair{c.at("token"), before.at("fencing")}})
        CHECK(http.post("/v1/runs/" + id + ":complete", {{"token", token}, {"fencing", fencing}}).status ==
              409);
      CHECK(look() == before);
    }
  }

  void judge() {
    past_.add(node_.events());
    const auto runs = all_runs(node_.http());
    CHECK(runs.size() == runs_);
    for (const auto& r : runs) {
      past_.compare(r);
      if (r.at("state") != "succeeded") FAIL_CHECK("not succeeded: " << r.dump());
    }
    INFO("seed " << seed_ << " (BELFRY_SEED)");
    CHECK(past_.unfinished().empty());
    CHECK(past_.lives().size() == runs_);
    for (const auto& m : past_.mistakes()) FAIL_CHECK("journal: " << m);
  }

  // No claim was begun twice, and what succeeded had begun.
  void look_at_diary() {
    std::set<std::pair<std::string, std::uint64_t>> begun;
    for (const auto& e : read_diary(folder_ / "diary")) {
      if (!begun.emplace(e.run, e.fencing).second)
        FAIL_CHECK("seed " << seed_ << ": fencing " << e.fencing << " of " << e.run << " was begun twice");
    }
    for (const auto& r : all_runs(node_.http()))
      if (!begun.contains({r.at("id").get<std::string>(), r.at("fencing").get<std::uint64_t>()}))
        FAIL_CHECK("seed " << seed_ << ": succeeded without having begun: " << r.dump());
  }

  std::string everything() {
    std::string text;
    for (const auto* path : {"/v1/export", "/v1/sessions?gone=true", "/v1/node", "/metrics"})
      text += node_.http().get(path).body + "\n";
    for (const auto& e : node_.events()) text += e.dump() + "\n";
    for (const auto& r : all_runs(node_.http())) text += r.dump() + "\n";
    return text;
  }

  const std::uint64_t seed_;
  const std::size_t runs_;
  std::mt19937_64 chance_;
  scratch_folder folder_;
  real_node node_{setup(), false};
  fleet_plan plan_;
  std::vector<json> slept_;
  history past_;
};

}  // namespace

TEST_CASE("workers: killed and stopped at random with their node, every run ends once", "[crash][fleet]") {
  const auto seed = number_from("BELFRY_SEED", std::random_device{}());
  fleet_trial t(seed, number_from("BELFRY_WORKERS", long_form() ? 8 : 4),
                number_from("BELFRY_RUNS", long_form() ? 10'000 : 400));
  t.run();
}

}  // namespace belfry::test
