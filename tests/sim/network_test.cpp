// The simulated network keeps the promises of actors::links, and breaks everything that is not promised.
#include <catch2/catch.hpp>

#include <set>
#include <utility>

#include "tests/support/sim_machine.hpp"
#include "tests/support/sim_network.hpp"

namespace {

using namespace belfry;
using namespace belfry::tests;
using namespace std::chrono_literals;
using actors::envelope;
using actors::link_id;

constexpr std::uint16_t version = 1;

struct heard {
  std::vector<std::pair<link_id, std::string>> up, down;
  std::vector<std::pair<link_id, envelope>> came;
  std::vector<std::string> failed;
};

struct two_parties {
  two_parties() {
    network.serves("hq:1", "hq");
    hears("hq", at_hq);
    hears("alder", at_alder);
  }
  void hears(const std::string& name, heard& to) {
    network.party(name).listen(
        {[&to](link_id id, std::string node, std::string) { to.up.emplace_back(id, node); },
         [&to](link_id id, envelope e) { to.came.emplace_back(id, std::move(e)); },
         [&to](link_id id, std::string why) { to.down.emplace_back(id, why); }});
  }
  void dial() {
    network.party("alder").dial("hq:1", [this](core::failure f) { at_alder.failed.push_back(f.text); });
  }
  void run(core::span time = 20s) {
    const auto until = now + time;
    for (auto next = network.next(); next && *next <= until; next = network.next()) {
      now = std::max(now, *next);
      network.deliver();
    }
    now = until;
  }
  bool say(std::uint64_t number, std::size_t bytes = 10) {
    return network.party("alder").send(at_alder.up.back().first,
                                       {version, 4, number, std::string(bytes, 'x')});
  }

  dice luck{1};
  core::instant now{};
  sim_network network{luck, [this] { return now; }};
  heard at_hq, at_alder;
};

}  // namespace

TEST_CASE("sim network: a dial leads to a link on both sides, told from deliver alone", "[sim][network]") {
  two_parties t;
  t.dial();
  CHECK(t.at_hq.up.empty());
  t.run();
  REQUIRE(t.at_hq.up.size() == 1);
  REQUIRE(t.at_alder.up.size() == 1);
  CHECK(t.at_hq.up[0].second == "alder");
  CHECK(t.at_alder.up[0].second == "hq");
  CHECK(t.say(7));
  CHECK(t.at_hq.came.empty());
  t.run();
  REQUIRE(t.at_hq.came.size() == 1);
  CHECK(t.at_hq.came[0].first == t.at_hq.up[0].first);
  CHECK(t.at_hq.came[0].second.number == 7);
}

TEST_CASE("sim network: every envelope comes at most once, some late, some never", "[sim][network]") {
  two_parties t;
  t.network.window = 1 << 20;
  t.dial();
  t.run();
  t.network.quality.loss = 0.2;
  t.network.quality.late = 0.2;
  for (std::uint64_t i = 1; i <= 300; ++i) REQUIRE(t.say(i));
  t.run();
  std::set<std::uint64_t> seen;
  bool overtaken = false;
  std::uint64_t last = 0;
  for (const auto& [id, e] : t.at_hq.came) {
    CHECK(seen.insert(e.number).second);
    overtaken = overtaken || e.number < last;
    last = e.number;
  }
  CHECK(seen.size() > 200);
  CHECK(seen.size() < 280);
  CHECK(overtaken);
}

TEST_CASE("sim network: a window fills while nothing gets through, and empties when it does",
          "[sim][network]") {
  two_parties t;
  t.network.window = 1000;
  t.dial();
  t.run();
  t.network.cut("alder", "hq");
  std::uint64_t taken = 0;
  while (t.say(taken + 1, 180)) ++taken;
  CHECK(taken == 5);
  t.run();
  CHECK(t.at_hq.came.empty());
  CHECK_FALSE(t.say(9, 180));
  // After the cut either all of it comes, or the link is dead.
  t.network.mend("alder", "hq");
  t.run();
  const bool came = t.at_hq.came.size() == taken;
  CHECK((came || t.network.counts().deaths == 1));
  if (came) CHECK(t.say(10, 180));
}

TEST_CASE("sim network: one direction can be cut alone", "[sim][network]") {
  two_parties t;
  t.dial();
  t.run();
  t.network.cut("hq", "alder");
  CHECK(t.say(1));
  CHECK(t.network.party("hq").send(t.at_hq.up[0].first, {version, 4, 2, {}}));
  t.run();
  CHECK(t.at_hq.came.size() == 1);
  CHECK(t.at_alder.came.empty());
}

TEST_CASE("sim network: a link dies with a word to one side and silence to the other", "[sim][network]") {
  two_parties t;
  t.dial();
  t.run();
  t.network.sever("hq", "alder", true, false);
  t.run();
  CHECK(t.at_hq.down.size() == 1);
  CHECK(t.at_alder.down.empty());
  CHECK(t.say(1));  // it does not know
  t.run();
  CHECK(t.at_hq.came.empty());
  CHECK_FALSE(t.network.party("hq").send(t.at_hq.up[0].first, {version, 4, 2, {}}));
  // Whoever closes it has heard the end of it, once.
  t.network.party("alder").close(t.at_alder.up[0].first, "silent");
  t.network.party("alder").close(t.at_alder.up[0].first, "silent");
  t.run();
  CHECK(t.at_alder.down.size() == 1);
  CHECK_FALSE(t.say(3));
}

TEST_CASE("sim network: a dead process hears nothing, a frozen one hears it when it goes on",
          "[sim][network]") {
  two_parties t;
  t.dial();
  t.run();
  t.network.freeze("hq");
  CHECK(t.say(1));
  t.run();
  CHECK(t.at_hq.came.empty());
  t.network.thaw("hq");
  t.run();
  CHECK(t.at_hq.came.size() == 1);
  CHECK(t.say(2));
  t.network.crash("hq", true);
  t.run();
  CHECK(t.at_hq.came.size() == 1);
  CHECK(t.at_hq.down.empty());
  CHECK(t.at_alder.down.size() == 1);
  t.dial();
  t.run();
  REQUIRE(t.at_alder.failed.size() == 1);
  heard again;
  t.hears("hq", again);
  t.dial();
  t.run();
  REQUIRE(again.up.size() == 1);
  CHECK(again.up[0].first > t.at_hq.up[0].first);  // a number is never used again
}

TEST_CASE("sim network: a dial into a cut hangs, and then fails", "[sim][network]") {
  two_parties t;
  t.network.cut("hq", "alder");
  t.dial();
  t.run(500ms);
  CHECK(t.at_alder.failed.empty());
  t.run();
  CHECK(t.at_alder.failed.size() == 1);
  CHECK(t.at_alder.up.empty());
}

TEST_CASE("sim machine: its steady clock is as wrong as it is said to be, and is asked backwards exactly",
          "[sim][network]") {
  for (const std::int64_t ppm : {-200, -1, 0, 3, 200}) {
    sim_machine m{"m", ppm, 5min};
    const auto begun = m.clock.steady();
    for (const std::int64_t micros : std::vector<std::int64_t>{1, 999, 1'000'000, 3'600'000'007}) {
      const auto wanted = begun + core::span{micros};
      const auto truth = m.truth_of(wanted);
      sim_machine early{"e", ppm, 0s};
      early.follow(truth - core::span{1});
      CHECK(early.clock.steady() < wanted);
      m.follow(truth);
      CHECK(m.clock.steady() >= wanted);
      CHECK(m.clock.steady() - wanted <= core::span{1});
    }
  }
}
