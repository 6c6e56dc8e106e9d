#include <catch2/catch.hpp>

#include "tests/core/board_parts.hpp"

using namespace belfry::core;
using namespace belfry::core::test;
using namespace std::chrono_literals;

using counts_by_name = std::map<std::string, std::size_t>;

TEST_CASE("board: the limit of the node counts reserved and live leases", "[core][board]") {
  line l{limit_options{2, 0, 0, 0}};
  for (int id = 1; id <= 4; ++id) l.put(line_entry{id});
  CHECK(l.pick(4) == ids{1, 2});
  CHECK(l.pick(4).empty());
  CHECK(l.codes(3) == words{"global_limit"});
  l.it.live(line_entry{1}.head, "python");
  CHECK(l.pick(4).empty());
  l.it.unreserve(run_id{2}, true);
  CHECK(l.pick(4) == ids{2});
  l.it.ended(run_id{1});
  CHECK(l.pick(4) == ids{3});
}

TEST_CASE("board: the limit of a lane holds named lanes, and only those", "[core][board]") {
  line l{limit_options{0, 3, 0, 0}};
  for (int id = 1; id <= 5; ++id) l.put(line_entry{id}.in("a"));
  for (int id = 11; id <= 12; ++id) l.put(line_entry{id}.in("b"));
  for (int id = 21; id <= 26; ++id) l.put(line_entry{id});
  const auto got = l.pick(20);
  CHECK(got.size() == 3 + 2 + 6);
  CHECK(l.codes(4) == words{"lane_limit"});
  CHECK(l.codes(5) == words{"lane_limit"});
  CHECK(l.pick(20).empty());
  l.it.ended(run_id{2});
  CHECK(l.codes(4).empty());
  CHECK(l.codes(5) == words{"behind_others"});
  CHECK(l.pick(20) == ids{4});
}

TEST_CASE("board: a full lane keeps its turn, which is worth one quantum", "[core][board]") {
  line l{limit_options{0, 1, 0, 0}};
  for (int id = 1; id <= 5; ++id) l.put(line_entry{id}.in("a"));
  CHECK(l.pick(9) == ids{1});
  for (int id = 11; id <= 15; ++id) {
    l.put(line_entry{id}.in("b"));
    CHECK(l.pick(9) == ids{id});
    l.it.ended(run_id{id});
  }
  l.put(line_entry{16}.in("b"));
  l.it.ended(run_id{1});
  CHECK(l.pick(9) == ids{2, 16});
}

TEST_CASE("board: a full batch holds neither its lane nor other batches", "[core][board]") {
  line l{limit_options{0, 0, 5, 0}};
  for (int id = 1; id <= 100; ++id) l.put(line_entry{id}.in("a").batch(1));
  for (int id = 101; id <= 103; ++id) l.put(line_entry{id}.in("a"));
  for (int id = 201; id <= 207; ++id) l.put(line_entry{id}.in("a").batch(2));
  CHECK(l.pick(5) == ids{1, 2, 3, 4, 5});
  CHECK(l.codes(6) == words{"batch_limit"});
  CHECK(l.codes(101).empty());  // those before it are held, so it is next
  CHECK(l.pick(99) == ids{101, 102, 103, 201, 202, 203, 204, 205});
  CHECK(l.pick(99).empty());
  l.it.ended(run_id{3});
  CHECK(l.codes(6).empty());
  CHECK(l.codes(7) == words{"behind_others"});
  CHECK(l.pick(99) == ids{6});
  CHECK(l.codes(206) == words{"batch_limit"});
}

TEST_CASE("board: the limit of an agent type binds outside sessions only", "[core][board]") {
  line l{limit_options{0, 0, 0, 2}};
  for (int id = 1; id <= 20; ++id) l.put(line_entry{id});
  auto local = a_worker(9);
  local.local = true;
  local.handlers = {handler_kind::none};
  CHECK(l.pick(a_wish(local, 6)).size() == 6);
  CHECK(l.pick(a_wish(a_worker(1), 1)).size() == 1);
  CHECK(l.pick(a_wish(a_worker(2), 4)).size() == 1);
  CHECK(l.pick(a_wish(a_worker(3), 4)).empty());
  CHECK(l.pick(a_wish(a_worker(4, "", "rust"), 9)).size() == 2);
  auto only_python = line_entry{50};
  only_python.head.needs.agent_types = {"python"};
  l.put(only_python);
  CHECK(l.codes(50) == words{"agent_type_limit", "behind_others"});
  l.it.live(line_entry{7}.head, "python");
  CHECK(l.it.live_by_agent_type() == counts_by_name{{"python", 1}});
  l.it.ended(run_id{7});
  CHECK(l.pick(a_wish(a_worker(1), 9)).size() == 1);
}

TEST_CASE("board: runs of one concurrency key, each by its own limit", "[core][board]") {
  auto l = line::unlimited();
  l.put(line_entry{1}.key("db", 2));
  l.put(line_entry{2}.key("db", 1));
  l.put(line_entry{3}.key("db", 2));
  l.put(line_entry{4}.key("db", 2));
  l.put(line_entry{5}.key("other"));
  CHECK(l.pick(9) == ids{1, 3, 5});
  CHECK(l.codes(2) == words{"key_limit"});
  l.it.ended(run_id{1});
  CHECK(l.codes(2) == words{"key_limit"});
  CHECK(l.pick(9) == ids{4});
  l.it.ended(run_id{3});
  CHECK(l.pick(9).empty());
  l.it.ended(run_id{4});
  CHECK(l.pick(9) == ids{2});
}

TEST_CASE("board: a key binds across lanes, priorities and needs", "[core][board]") {
  auto l = line::unlimited();
  l.put(line_entry{1}.key("db").in("a"));
  l.put(line_entry{2}.key("db").in("b").of(priority::high));
  l.put(line_entry{3}.key("db").workspace("w"));
  CHECK(l.pick(9) == ids{2});
  CHECK(l.pick(a_wish(a_worker(2, "w"), 9)).empty());
  l.it.ended(run_id{2});
  CHECK(l.pick(a_wish(a_worker(2, "w"), 9)) == ids{3});
  CHECK(l.pick(9).empty());
  l.it.ended(run_id{3});
  CHECK(l.pick(9) == ids{1});
}

TEST_CASE("board: the limit of a job is the last one that was heard of", "[core][board]") {
  auto l = line::unlimited();
  for (int id = 1; id <= 4; ++id) l.put(line_entry{id}.job(7, 1));
  CHECK(l.pick(9) == ids{1});
  CHECK(l.codes(2) == words{"job_limit"});
  l.put(line_entry{5}.job(7, 3));
  CHECK(l.codes(2).empty());
  CHECK(l.pick(9) == ids{2, 3});
  l.put(line_entry{5}.job(7, 0));
  CHECK(l.pick(9) == ids{4, 5});
}

TEST_CASE("board: several limits at once, each lifted by its own", "[core][board]") {
  line l{limit_options{0, 0, 1, 0}};
  l.put(line_entry{1}.batch(1).key("k"));
  l.put(line_entry{2}.batch(1).key("k").job(3, 1));
  l.put(line_entry{3}.batch(1));
  l.put(line_entry{4}.key("k"));
  l.put(line_entry{5}.job(3, 1));
  CHECK(l.pick(9) == ids{1, 5});
  CHECK(l.codes(2) == words{"batch_limit", "key_limit", "job_limit"});
  l.it.ended(run_id{1});
  CHECK(l.pick(9) == ids{3, 4});
  l.it.ended(run_id{5});
  l.it.ended(run_id{3});
  CHECK(l.codes(2) == words{"key_limit"});
  CHECK(l.pick(9).empty());
  l.it.ended(run_id{4});
  CHECK(l.pick(9) == ids{2});
}

TEST_CASE("board: every lane makes progress while another one's runs are all held", "[core][board]") {
  line l{limit_options{0, 2, 3, 0}};
  for (int id = 1; id <= 500; ++id) l.put(line_entry{id}.in("flood").of(priority::urgent).batch(1 + id % 2));
  for (int lane = 0; lane < 20; ++lane)
    for (int i = 0; i < 3; ++i) l.put(line_entry{1000 + lane * 10 + i}.in("lane-" + std::to_string(lane)));
  CHECK(l.pick(1000).size() == 2 + 20 * 2);
}

TEST_CASE("board: limits that change take effect at once", "[core][board]") {
  line l{limit_options{0, 1, 1, 0}};
  for (int id = 1; id <= 6; ++id) l.put(line_entry{id}.in("a").batch(1));
  CHECK(l.pick(9) == ids{1});
  CHECK(l.codes(2) == words{"lane_limit", "batch_limit"});
  l.it.set_limits({0, 3, 1, 0});
  CHECK(l.pick(9).empty());
  l.it.set_limits({0, 3, 2, 0});
  CHECK(l.pick(9) == ids{2});
  l.it.set_limits({0, 3, 0, 0});
  CHECK(l.pick(9) == ids{3});
  l.it.set_limits({0, 1, 0, 0});  // lower than what runs: those finish, no new one until then
  l.it.ended(run_id{1});
  l.it.ended(run_id{2});
  CHECK(l.pick(9).empty());
  l.it.ended(run_id{3});
  CHECK(l.pick(9) == ids{4});
  CHECK(l.it.limits() == limit_options{0, 1, 0, 0});
}

TEST_CASE("board: leases found at boot count before anything is picked", "[core][board]") {
  line l{limit_options{0, 3, 2, 0}};
  l.it.live(line_entry{1}.in("a").batch(1).key("k").job(5, 0).head, "python");
  l.it.live(line_entry{2}.in("a").batch(1).head, "rust");
  l.put(line_entry{3}.in("a").batch(1));
  l.put(line_entry{4}.in("a").key("k"));
  l.put(line_entry{5}.in("a").job(5, 1));
  l.put(line_entry{6}.in("a"));
  l.put(line_entry{7}.in("a"));
  CHECK(l.it.live_by_lane() == counts_by_name{{"a", 2}});
  CHECK(l.it.live_by_agent_type() == counts_by_name{{"python", 1}, {"rust", 1}});
  CHECK(l.pick(9) == ids{6});
  l.it.ended(run_id{1});
  CHECK(l.pick(9) == ids{3});
}

TEST_CASE("board: why a run is not picked", "[core][board]") {
  auto l = line::unlimited();
  l.put(line_entry{1}.in("a"));
  l.put(line_entry{2}.in("a"));
  l.put(line_entry{3}.in("b"));
  l.put(line_entry{4}.in("b").of(priority::low));
  l.put(line_entry{5}.in("c").workspace("w").of(priority::low));
  CHECK(l.codes(1).empty());
  CHECK(l.codes(2) == words{"behind_others"});
  CHECK(l.it.reasons(run_id{2}, l.now).at(0).text.find("position 2") != std::string::npos);
  CHECK(l.codes(3) == words{"behind_others"});  // the turn of lane "a" comes first
  CHECK(l.codes(4) == words{"behind_others"});
  CHECK(l.codes(5).empty());  // first for those who serve its workspace
  l.put(line_entry{6}.in("c").workspace("w").able({"gpu"}).of(priority::low));
  CHECK(l.codes(6) == words{"behind_others"});  // whoever has a gpu may take 5 as well
  l.put(line_entry{7}.in("c").workspace("w").able({"gpu"}).of(priority::normal));
  CHECK(l.codes(5).empty());  // but not the other way round
  CHECK(l.pick() == ids{1});
  CHECK(l.codes(3).empty());
  CHECK(l.codes(1).empty());  // reserved: not in line
}
