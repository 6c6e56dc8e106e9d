// Two nodes, or a hand, that decide on the same row: an occurrence is there once.
#include <catch2/catch.hpp>

#include "storage/apply/engine.hpp"
#include "storage/memory/memory_rows.hpp"
#include "tests/support/store_fixture.hpp"

using namespace belfry;
using namespace std::chrono_literals;
using tests::stores::start;
namespace st = belfry::storage;

namespace {

// Two engines on the same rows, as two nodes on a store that both could open.
struct two_nodes {
  st::memory::memory_rows rows;
  st::engine one{rows, 1, rows.now.counted, {}};
  st::engine two{rows, 2, rows.now.counted, {}};
  core::instant now = start;

  core::result<st::receipt> tell(st::engine& which, st::change c) {
    st::change_set set;
    set.now = now;
    set.actor = "tester";
    set.changes.push_back(std::move(c));
    auto r = which.apply(set);
    which.committed();
    return r;
  }
  core::job make() {
    auto d = tests::stores::a_job();
    d.timing.schedule = "0 * * * *; zone UTC";
    d.on_overlap = core::overlap::queue_all;
    auto made = tell(one, st::put_job{{}, 0, d});
    REQUIRE(made);
    return made->jobs.at(0);
  }
};

}  // namespace

TEST_CASE("schedules: two nodes that plan the same row make its occurrence once", "[storage][schedule]") {
  two_nodes both;
  const auto j = both.make();
  both.now = start + 1h;
  const auto first = both.tell(both.one, st::plan_job{j.id});
  const auto second = both.tell(both.two, st::plan_job{j.id});
  REQUIRE((first && second));
  CHECK(first->runs.size() == 1);
  CHECK(second->runs.empty());
  CHECK(second->replayed);
  CHECK(both.rows.now.occurrences.size() == 1);
}

TEST_CASE("schedules: a node that decides on an old row finds the occurrence there", "[storage][schedule]") {
  two_nodes both;
  const auto old = both.make();
  both.now = start + 1h;
  const auto first = both.tell(both.one, st::plan_job{old.id});
  REQUIRE(first);
  const auto planned = first->jobs.at(0);
  both.rows.update_job(old);  // as if the second had read it before
  const auto second = both.tell(both.two, st::plan_job{old.id});
  REQUIRE(second);
  CHECK(second->runs.empty());
  CHECK(both.rows.now.occurrences.size() == 1);
  CHECK(second->jobs.at(0).cursor == planned.cursor);
  CHECK(second->jobs.at(0).due == planned.due);
}

TEST_CASE("schedules: the key refuses a second row of one occurrence, whoever writes it",
          "[storage][schedule]") {
  two_nodes both;
  const auto j = both.make();
  both.now = start + 1h;
  REQUIRE(both.tell(both.one, st::plan_job{j.id}));
  core::occurrence again;
  again.job = j.id;
  again.at = start + 1h;
  again.run = core::run_id{99};
  CHECK_THROWS(both.rows.insert_occurrence(again));
  // A run by hand is none of them.
  REQUIRE(both.tell(both.two, st::trigger_job{j.id, {}, true}));
  CHECK(both.rows.now.occurrences.size() == 1);
}
