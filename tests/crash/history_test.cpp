// The checker itself: a history that is right passes, and each planted mistake is found.
#include <catch2/catch.hpp>

#include "tests/support/history.hpp"

namespace belfry::test {
namespace {

struct told {
  const char* run;
  const char* kind;
  int fencing = 0;
  int attempt = 0;
  const char* text = "";
};

history judged(const std::vector<told>& all, std::int64_t skip_at = 0) {
  history h;
  std::int64_t seq = 0;
  for (const auto& t : all) {
    if (++seq == skip_at) ++seq;
    h.add(json{{"seq", seq},
               {"kind", t.kind},
               {"run_id", t.run},
               {"fencing", t.fencing},
               {"attempt", t.attempt},
               {"text", t.text}});
  }
  return h;
}

}  // namespace

TEST_CASE("history: a right history has no mistakes", "[crash][history]") {
  const auto h = judged({{"", "node_started"},
                         {"a", "run_submitted"},
                         {"a", "run_claimed", 1, 1, "started"},
                         {"a", "lease_expired", 1, 1},
                         {"a", "run_claimed", 2, 2},
                         {"a", "stale_write", 1, 1},
                         {"a", "run_started", 2, 2},
                         {"a", "run_retrying", 2, 2},
                         {"a", "run_queued", 2, 2},
                         {"a", "run_claimed", 3, 3, "started"},
                         {"a", "run_succeeded", 3, 3},
                         {"b", "run_claimed", 1, 1},
                         {"b", "lease_expired", 1, 1},
                         {"b", "run_lost", 1, 1},
                         {"b", "run_discarded", 1, 1}});
  CHECK(h.mistakes().empty());
  CHECK(h.lives().at("a").state == "succeeded");
  CHECK(h.lives().at("a").losses == 1);
  CHECK(h.lives().at("b").state == "lost");
  CHECK(h.last() == 15);
}

TEST_CASE("history: each kind of mistake is found", "[crash][history]") {
  const std::vector<told> begin{{"a", "run_submitted"}, {"a", "run_claimed", 1, 1, "started"}};
  const auto with = [&](std::vector<told> more) {
    auto all = begin;
    all.insert(all.end(), more.begin(), more.end());
    return judged(all).mistakes().size();
  };
  CHECK(with({{"a", "run_succeeded", 1, 1}}) == 0);
  CHECK(with({{"a", "run_succeeded", 1, 1}, {"a", "run_succeeded", 1, 1}}) > 0);  // two ends
  CHECK(with({{"a", "run_succeeded", 1, 1}, {"a", "run_claimed", 2, 2}}) > 0);    // claimed after the end
  CHECK(with({{"a", "run_claimed", 2, 2}}) > 0);                                  // two leases at a time
  CHECK(with({{"a", "lease_expired", 1, 1}, {"a", "run_claimed", 3, 2}}) > 0);    // a fencing number left out
  CHECK(with({{"a", "lease_expired", 1, 1}, {"a", "run_claimed", 1, 2}}) > 0);    // given out again
  CHECK(with({{"a", "lease_expired", 1, 1}, {"a", "run_claimed", 2, 1}}) > 0);    // the attempt does not grow
  CHECK(with({{"a", "run_queued", 1, 1}}) > 0);  // running to queued without a reason
  CHECK(with({{"a", "run_lost", 1, 1}}) > 0);    // lost without a loss
  CHECK(with({{"a", "lease_expired", 1, 1}, {"", "node_started"}, {"a", "run_lost", 1, 1}}) > 0);
  CHECK(with({{"a", "run_submitted", 1, 1}}) > 0);  // made twice
  // An end, a start and a progress under an old fencing number that were let through.
  CHECK(with({{"a", "lease_expired", 1, 1},
              {"a", "run_claimed", 2, 2, "started"},
              {"a", "run_succeeded", 1, 1}}) > 0);
  CHECK(with({{"a", "lease_expired", 1, 1}, {"a", "run_claimed", 2, 2}, {"a", "run_started", 1, 1}}) > 0);
  CHECK(with({{"a", "lease_expired", 1, 1},
              {"a", "run_claimed", 2, 2, "started"},
              {"a", "run_progress", 1, 1}}) > 0);
  CHECK(with({{"a", "lease_expired", 1, 1}, {"a", "run_succeeded", 1, 1}}) > 0);  // an end without a lease
  CHECK(with({{"a", "stale_write", 1, 1}}) == 0);
  CHECK(with({{"a", "stale_write", 2, 2}}) > 0);    // by a lease that never was
  CHECK(with({{"a", "run_dissolved", 1, 1}}) > 0);  // no such kind
  CHECK(judged(begin, 2).mistakes().size() == 1);   // a gap
}

TEST_CASE("history: a run that never ends is found", "[crash][history]") {
  const auto h = judged({{"a", "run_submitted"},
                         {"a", "run_claimed", 1, 1, "started"},
                         {"a", "run_succeeded", 1, 1},
                         {"b", "run_submitted"},
                         {"b", "run_claimed", 1, 1, "started"},
                         {"b", "lease_expired", 1, 1}});
  CHECK(h.mistakes().empty());
  CHECK(h.unfinished() == std::vector<std::string>{"b"});
}

TEST_CASE("history: a run that differs from its journal is found", "[crash][history]") {
  auto h =
      judged({{"a", "run_submitted"}, {"a", "run_claimed", 1, 1, "started"}, {"a", "run_succeeded", 1, 1}});
  const json right = {{"id", "a"}, {"state", "succeeded"}, {"attempt", 1}, {"fencing", 1}, {"losses", 0}};
  h.compare(right);
  CHECK(h.mistakes().empty());
  auto other = right;
  other["state"] = "running";
  h.compare(other);
  CHECK_FALSE(h.mistakes().empty());
}

}  // namespace belfry::test
