// The promise: a change that was acknowledged survives kill -9. The real node under a mixed load is killed at
// random moments, also while it starts, and after each restart everything that anybody was told must still be
// true.
#include <catch2/catch.hpp>
#include <cstdio>
#include <memory>
#include <set>

#include "tests/crash/crowd.hpp"
#include "tests/crash/remains.hpp"
#include "tests/support/history.hpp"
#include "tests/support/real_node.hpp"

namespace belfry::test {
namespace {

using clock = std::chrono::steady_clock;

const std::set<std::string> all_states{"blocked",   "scheduled", "queued",          "claimed",   "running",
                                       "retrying",  "parked",    "needs_attention", "succeeded", "failed",
                                       "timed_out", "lost",      "cancelled",       "skipped"};

bool leased(const std::string& state) { return state == "claimed" || state == "running"; }

class trial {
 public:
  trial(std::uint64_t seed, std::uint64_t rounds) : rounds_(rounds), chance_(seed) {
    node_.start();
    mark_ = node_.mark();
    crowd_plan plan;
    plan.seed = seed;
    plan.diary = folder_ / "diary";
    crowd_ = std::make_unique<crowd>(plan, book_);
    seed_ = seed;
  }

  void run() {
    for (round_ = 1; round_ <= rounds_; ++round_) {
      load_until_kill();
      gather_and_kill();
      start_again();
      look_at_everything();
      crowd_->repeat_open(node_.http());
      expect_no_break();
    }
    finish();
  }

 private:
  static node_setup setup() {
    node_setup s;
    s.executors = 4;
    // The limits would only slow the load down.
    s.flags = {"--set", "limits.per_batch=0",     "--set", "limits.per_lane=0",
               "--set", "limits.per_agent_type=0"};
    return s;
  }

  void expect_no_break() {
    const auto broken = book_.all_broken();
    std::string text;
    for (const auto& b : broken) text += b + "\n";
    for (const auto& m : past_.mistakes()) text += "journal: " + m + "\n";
    INFO("seed " << seed_ << " (BELFRY_SEED), round " << round_ << "\n" << text);
    REQUIRE(text.empty());
  }

  // A random number of answers, then a random moment behind it.
  void load_until_kill() {
    crowd_->let_in(node_.tcp());
    const auto wanted = book_.answers + 20 + chance_() % 250;
    eventually([&] { return book_.answers >= wanted; }, 1500ms);
    short_pause(std::chrono::microseconds{chance_() % 5000});
  }

  void gather_and_kill() {
    crowd_->shut();
    node_.kill9();
    ++kills_;
    orphans_ = processes_with("BELFRY_NODE", mark_);
    orphans_found_ += orphans_.size();
    INFO("seed " << seed_ << ", round " << round_);
    REQUIRE(crowd_->gathered(30s));
  }

  void start_again() {
    // Now and then it is killed again while it starts, and again.
    while (chance_() % 4 == 0) {
      node_.launch();
      short_pause(std::chrono::microseconds{chance_() % 150'000});
      node_.kill9();
      ++kills_;
    }
    const auto from = clock::now();
    node_.start();
    slowest_start_ =
        std::max(slowest_start_, std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - from));
    // It is ready: nothing of its former lives may be left.
    for (const auto& p : orphans_)
      if (still_there(p))
        book_.broken("process " + std::to_string(p.pid) + " outlived the node that was killed");
    const auto born = node_.started_ticks();
    for (const auto& p : processes_with("BELFRY_NODE", mark_))
      if (p.started < born) book_.broken("process " + std::to_string(p.pid) + " is older than the node");
  }

  void look_at_everything() {
    past_.add(node_.events(past_.last()));
    const auto runs = all_runs(node_.http());
    std::set<std::string> present;
    const auto sessions = living_sessions();
    for (const auto& r : runs) {
      const auto id = r.at("id").get<std::string>();
      present.insert(id);
      look_at(r, sessions);
    }
    for (const auto& [id, name] : book_.acknowledged_runs())
      if (!present.contains(id)) book_.broken("the acknowledged run " + id + " of " + name + " is gone");
    for (const auto& [id, word] : book_.finished())
      if (!present.contains(id)) book_.broken("the run " + id + " that had ended is gone");
  }

  std::set<std::string> living_sessions() {
    std::set<std::string> ids;
    const auto page = node_.http().get_json("/v1/sessions");
    for (const auto& s : page.at("sessions"))
      if (s.at("state") != "gone") ids.insert(s.at("id").get<std::string>());
    return ids;
  }

  void look_at(const json& r, const std::set<std::string>& sessions) {
    const auto id = r.at("id").get<std::string>();
    const auto state = r.at("state").get<std::string>();
    if (!all_states.contains(state)) return book_.broken(id + " is in no state: " + r.dump());
    const bool has_lease = !r.at("lease").is_null();
    if (has_lease != leased(state)) book_.broken("lease and state do not fit: " + r.dump());
    if (has_lease && !sessions.contains(r.at("lease").at("session_id").get<std::string>()))
      book_.broken("a session that is gone still has a run: " + r.dump());
    if (is_terminal(state) == r.at("ended_at").is_null())
      book_.broken("end and state do not fit: " + r.dump());
    book_.told(id, {state, r.at("attempt").get<std::uint32_t>(), r.at("fencing").get<std::uint64_t>()});
    const auto losses = r.at("losses").get<std::uint32_t>();
    auto& known = losses_[id];
    if (losses != known || (is_terminal(state) && losses > 0 && detailed_.insert(id).second)) look_closer(id);
    if (losses < known) book_.broken("losses were forgotten: " + r.dump());
    known = losses;
  }

  // The records of the attempts: one each, lost ones with their class and counted apart.
  void look_closer(const std::string& id) {
    const auto r = node_.run(id);
    std::uint32_t lost = 0, used = 0, number = 0;
    for (const auto& a : r.at("attempts")) {
      if (a.at("number").get<std::uint32_t>() != ++number)
        return book_.broken("attempts are not numbered in order: " + r.dump());
      const auto outcome = a.at("outcome").is_null() ? std::string{} : a.at("outcome").get<std::string>();
      if (outcome == "lost") {
        ++lost;
        if (a.at("failure_class") != "lost") book_.broken("a lost attempt has another class: " + a.dump());
      }
      if (outcome == "failed" || outcome == "timed_out") ++used;
    }
    if (number != r.at("attempt").get<std::uint32_t>()) book_.broken("attempts are missing: " + r.dump());
    if (lost != r.at("losses").get<std::uint32_t>())
      book_.broken("losses are not the lost attempts: " + r.dump());
    if (used != r.at("attempts_used").get<std::uint32_t>())
      book_.broken("used attempts are not the failed ones: " + r.dump());
    const auto budget = r.at("retry").at("max_losses").get<std::uint32_t>();
    if ((r.at("state") == "lost") != (lost >= budget) && r.at("state") != "cancelled")
      book_.broken("lost, or not, against its budget: " + r.dump());
  }

  // Everything comes to an end, and the whole history is judged.
  void finish() {
    crowd_->last_orders();
    crowd_->let_in(node_.tcp());
    const auto open = [&] {
      std::int64_t n = 0;
      const auto states = node_.status().at("store").at("runs_by_state");
      for (const auto& [state, count] : states.items())
        if (!is_terminal(state)) n += count.get<std::int64_t>();
      return n;
    };
    const bool all_done = eventually([&] { return open() == 0; }, 120s + 1s * rounds_);
    crowd_->shut();
    INFO("seed " << seed_ << ": " << open() << " runs never end");
    REQUIRE(all_done);
    REQUIRE(crowd_->gathered(30s));
    CHECK(node_.terminate() == 0);
    CHECK(processes_with("BELFRY_NODE", mark_).empty());
    node_.start();
    look_at_everything();
    for (const auto& r : all_runs(node_.http())) past_.compare(r);
    look_at_wishes();
    look_at_diary();
    look_for_tokens();
    // The journal that was read in pieces between the kills is the one that is there now.
    history whole;
    whole.add(node_.events());
    CHECK(whole.mistakes().empty());
    CHECK(whole.last() >= past_.last());
    expect_no_break();
    tell();
  }

  // A submission is there once, whole, or, if nobody ever acknowledged it, perhaps not at all.
  void look_at_wishes() {
    std::map<std::string, std::size_t> by_name;
    for (const auto& r : all_runs(node_.http())) ++by_name[r.at("name").get<std::string>()];
    for (const auto& w : book_.wishes()) {
      if (by_name[w.name] != w.count)
        book_.broken(w.name + (w.key.empty() ? "" : " with a key") + " has " +
                     std::to_string(by_name[w.name]) + " runs instead of " + std::to_string(w.count));
      by_name.erase(w.name);
    }
    for (const auto& w : book_.take_open_wishes()) {
      const auto n = by_name[w.name];
      if (n != 0 && n != w.count)
        book_.broken(w.name + " is there in part: " + std::to_string(n) + " of " + std::to_string(w.count));
    }
  }

  // No attempt was begun twice, none after the end, each succeeded run of ours was really begun.
  void look_at_diary() {
    std::set<std::pair<std::string, std::uint64_t>> begun;
    std::map<std::string, std::uint64_t> last;
    for (const auto& e : read_diary(folder_ / "diary")) {
      ++diary_lines_;
      if (!begun.emplace(e.run, e.attempt).second)
        book_.broken("attempt " + std::to_string(e.attempt) + " of " + e.run + " was begun twice");
      if (e.attempt <= last[e.run])
        book_.broken("an older attempt of " + e.run + " went on beside a newer one");
      last[e.run] = e.attempt;
    }
    for (const auto& [id, word] : book_.finished()) {
      const auto it = last.find(id);
      if (it == last.end()) continue;
      if (it->second > word.attempt)
        book_.broken(id + " ended with attempt " + std::to_string(word.attempt) + " and ran again");
      if (word.state == "succeeded" && it->second != word.attempt)
        book_.broken(id + " succeeded in an attempt that never began");
    }
  }

  // Tokens are shown to the claimer and to nobody else.
  void look_for_tokens() {
    std::string everything = node_.said();
    for (const auto& e : node_.events()) everything += e.dump();
    for (const auto& r : all_runs(node_.http())) everything += r.dump();
    for (const auto& t : book_.tokens())
      if (everything.find(t) != std::string::npos)
        return book_.broken("a token stands in a list, an event or the log");
  }

  void tell() {
    std::printf(
        "kill9: %llu rounds, %llu kills, seed %llu: %llu runs acknowledged, %llu claims, %llu completions, "
        "%llu repeats, "
        "%llu refused as stale, %lld attempts lost, %zu orphans killed, %zu diary lines, %zu events, slowest "
        "start %lld ms\n",
        static_cast<unsigned long long>(rounds_), static_cast<unsigned long long>(kills_),
        static_cast<unsigned long long>(seed_), static_cast<unsigned long long>(book_.submitted.load()),
        static_cast<unsigned long long>(book_.claims.load()),
        static_cast<unsigned long long>(book_.completions.load()),
        static_cast<unsigned long long>(book_.repeats.load()),
        static_cast<unsigned long long>(book_.refused.load()),
        static_cast<long long>(past_.count_of("lease_expired")), orphans_found_, diary_lines_, past_.count(),
        static_cast<long long>(slowest_start_.count()));
  }

  const std::uint64_t rounds_;
  std::uint64_t seed_ = 0, round_ = 0, kills_ = 0;
  std::mt19937_64 chance_;
  scratch_folder folder_;
  real_node node_{setup(), false};
  ledger book_;
  history past_;
  std::string mark_;
  std::vector<process_seen> orphans_;
  std::size_t orphans_found_ = 0, diary_lines_ = 0;
  std::map<std::string, std::uint32_t> losses_;
  std::set<std::string> detailed_;
  std::chrono::milliseconds slowest_start_{0};
  std::unique_ptr<crowd> crowd_;  // last: gone first
};

}  // namespace

TEST_CASE("node: killed at random moments under load, it keeps every promise", "[crash]") {
  const auto seed = number_from("BELFRY_SEED", std::random_device{}());
  const auto rounds = number_from("BELFRY_ROUNDS", long_form() ? 200 : 20);
  trial t(seed, rounds);
  t.run();
}

}  // namespace belfry::test
